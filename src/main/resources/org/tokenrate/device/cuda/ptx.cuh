// What needs PTX, one named function each. Beside each, under TOKENRATE_SOFTGPU, stands what it does in
// plain C++, which the tests run and compare with plain arithmetic. References: "Parallel Thread Execution
// ISA", the sections of the instructions named.
#pragma once

#define TR_INLINE static __device__ __forceinline__

#if defined(TOKENRATE_SOFTGPU)
#define TR_ARCH 0
#elif defined(__CUDA_ARCH__)
#define TR_ARCH __CUDA_ARCH__
#else
#define TR_ARCH 800  // the host's pass of nvcc, whose code is not kept
#endif

#define TR_WARP 32
#define TR_ALL_LANES 0xffffffffu

TR_INLINE unsigned float_bits(float x) { return __float_as_uint(x); }
TR_INLINE float bits_float(unsigned x) { return __uint_as_float(x); }
TR_INLINE float minus_infinity() { return bits_float(0xff800000u); }

// ---- 16-bit numbers: IEEE 754 binary16 and bfloat16, as bits -----------------------------------------

TR_INLINE float f16_to_float(unsigned short h) {
#if TR_ARCH
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h));
  return x;
#else
  unsigned magnitude = h & 0x7fffu;
  unsigned sign = (unsigned)(h & 0x8000u) << 16;
  // Moved to a float's place, the exponent is off by 112; the product is exact and also makes subnormals normal.
  unsigned bits = float_bits(bits_float(magnitude << 13) * 0x1p112f);
  if (magnitude >= 0x7c00u) bits |= 0x7f800000u;
  return bits_float(bits | sign);
#endif
}

/* Round to nearest, ties to even; what is too large becomes infinite. */
TR_INLINE unsigned short float_to_f16(float x) {
#if TR_ARCH
  unsigned short h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));
  return h;
#else
  unsigned bits = float_bits(x);
  unsigned sign = bits >> 16 & 0x8000u;
  unsigned magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7fff;                            // not a number
  if (magnitude >= 0x47800000u) return (unsigned short)(sign | 0x7c00);  // 65536 and more
  if (magnitude < 0x38800000u) {  // subnormal: adding 0.5 leaves the multiple of 2^-24 in the last bits
    float shifted = bits_float(magnitude) + 0.5f;
    return (unsigned short)(sign | (float_bits(shifted) - 0x3f000000u));
  }
  unsigned rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return (unsigned short)(sign | ((rounded >> 13) - (112u << 10)));
#endif
}

TR_INLINE float bf16_to_float(unsigned short h) { return bits_float((unsigned)h << 16); }

/* Round to nearest, ties to even. */
TR_INLINE unsigned short float_to_bf16(float x) {
#if TR_ARCH >= 800
  unsigned short h;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(x));
  return h;
#else
  unsigned bits = float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;  // not a number
  return (unsigned short)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
}

#if defined(TR_TYPE_BF16)
TR_INLINE float half_to_float(unsigned short h) { return bf16_to_float(h); }
TR_INLINE unsigned short float_to_half(float x) { return float_to_bf16(x); }
#else
TR_INLINE float half_to_float(unsigned short h) { return f16_to_float(h); }
TR_INLINE unsigned short float_to_half(float x) { return float_to_f16(x); }
#endif

TR_INLINE float low_float(unsigned pair) { return half_to_float((unsigned short)(pair & 0xffffu)); }
TR_INLINE float high_float(unsigned pair) { return half_to_float((unsigned short)(pair >> 16)); }

/* Two floats rounded into one register; the first is the lower half. */
TR_INLINE unsigned pack_pair(float low, float high) {
#if TR_ARCH >= 800 && defined(TR_TYPE_BF16)
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#elif TR_ARCH >= 800
  unsigned pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return float_to_half(low) | (unsigned)float_to_half(high) << 16;
#endif
}

/* a - b in both halves, rounded to nearest. */
TR_INLINE unsigned subtract_pair(unsigned a, unsigned b) {
#if TR_ARCH >= 800 && defined(TR_TYPE_BF16)
  unsigned difference;  // b (-1) + a: bf16 has a subtraction of its own from sm_90 on only
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(difference) : "r"(b), "r"(0xbf80bf80u), "r"(a));
  return difference;
#elif TR_ARCH && !defined(TR_TYPE_BF16)
  unsigned difference;
  asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(difference) : "r"(a), "r"(b));
  return difference;
#else
  return pack_pair(low_float(a) - low_float(b), high_float(a) - high_float(b));
#endif
}

// ---- arithmetic --------------------------------------------------------------------------------------

/* 2^x within 2 units in the last place of a float ("ex2.approx.ftz"). */
TR_INLINE float exp2_approx(float x) {
#if TR_ARCH
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}

/* Cosine and sine of half_turns times pi, of any size; exact reduction. */
TR_INLINE void cos_sin_pi(double half_turns, float* cosine, float* sine) {
  double quarters = rint(2.0 * half_turns);
  double rest = 3.14159265358979323846 * (half_turns - 0.5 * quarters);  // from -pi / 4 to pi / 4
  double r = rest * rest;
  // Taylor's series: the first term left out is below 2^-37, a float rounds at 2^-25.
  double s = rest * (1 + r * (-1.0 / 6 + r * (1.0 / 120 + r * (-1.0 / 5040 + r * (1.0 / 362880 + r * (-1.0 / 39916800))))));
  double c = 1 + r * (-0.5 + r * (1.0 / 24 + r * (-1.0 / 720 + r * (1.0 / 40320 + r * (-1.0 / 3628800 + r * (1.0 / 479001600))))));
  int quadrant = (int)((long long)quarters & 3);
  double turned_c = quadrant & 1 ? s : c;
  double turned_s = quadrant & 1 ? c : s;
  *cosine = (float)(quadrant == 1 || quadrant == 2 ? -turned_c : turned_c);
  *sine = (float)(quadrant >= 2 ? -turned_s : turned_s);
}

// ---- copies to shared memory ("cp.async", from sm_80 on; before, plain copies that are done at once) ---

/* Copies 16 bytes, or zeros where there is nothing to copy (the source is then not read). */
TR_INLINE void copy_16_async(void* shared, const void* global, bool there) {
#if TR_ARCH >= 800
  unsigned address = (unsigned)__cvta_generic_to_shared(shared);
  int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global), "r"(bytes) : "memory");
#elif TR_ARCH
  uint4 zero = {0, 0, 0, 0};
  *(uint4*)shared = there ? *(const uint4*)global : zero;
#else
  softgpu_async_copy(shared, global, 16, there ? 16 : 0, __FILE__, __LINE__);
#endif
}

/* Ends a group of copies. */
TR_INLINE void copies_commit() {
#if TR_ARCH >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#elif !TR_ARCH
  softgpu_async_commit();
#endif
}

/* Waits until at most the last PENDING groups of this thread's copies are under way. */
template <int PENDING>
TR_INLINE void copies_wait() {
#if TR_ARCH >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#elif !TR_ARCH
  softgpu_async_wait(PENDING);
#endif
}

// ---- tensor cores ------------------------------------------------------------------------------------

/*
 * Four 8 x 8 matrices of 16-bit elements from shared memory ("ldmatrix"). Lane 8 i + r gives the address of
 * row r of matrix i (16 bytes, 16-byte aligned); to[i] is then row lane / 4, columns 2 (lane % 4) and + 1 of
 * matrix i. To be called by the whole warp.
 */
TR_INLINE void load_matrices(unsigned (&to)[4], const void* row) {
#if TR_ARCH
  unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
#else
  int lane = threadIdx.x % TR_WARP;
  SoftgpuRecords<const void*> rows = softgpu_warp_exchange(row);
  for (int i = 0; i < 4; i++) to[i] = ((const unsigned*)rows.of(8 * i + lane / 4))[lane % 4];
#endif
}

/* The same, each matrix transposed: to[i] is rows 2 (lane % 4) and + 1, column lane / 4 of matrix i. */
TR_INLINE void load_matrices_transposed(unsigned (&to)[4], const void* row) {
#if TR_ARCH
  unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
#else
  int lane = threadIdx.x % TR_WARP;
  SoftgpuRecords<const void*> rows = softgpu_warp_exchange(row);
  for (int i = 0; i < 4; i++) {
    const unsigned short* even = (const unsigned short*)rows.of(8 * i + 2 * (lane % 4));
    const unsigned short* odd = (const unsigned short*)rows.of(8 * i + 2 * (lane % 4) + 1);
    to[i] = even[lane / 4] | (unsigned)odd[lane / 4] << 16;
  }
#endif
}

/* A lane's part of both factors of a product, for those that compute it by themselves. */
struct Factors {
  unsigned a[4], b[2];
};

/*
 * c += a b in plain arithmetic: what tensor cores do, where there are none for the type. of(lane, i) is register i (a, then b)
 * of a lane; all lanes ask for the same i at once.
 */
template <class Of>
TR_INLINE void multiply_plain(float (&c)[4], Of of) {
  int lane = threadIdx.x % TR_WARP;
#pragma unroll 1
  for (int k = 0; k < 4; k++) {  // pairs 2 k, 2 k + 1 and 2 k + 8, 2 k + 9 of the 16 inner elements
    int row = lane / 4 * 4 + k;
    int column = lane % 4 * 8 + k;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      unsigned top = of(row, 2 * i), bottom = of(row, 2 * i + 1);
      unsigned left = of(column, 4 + i), right = of(column + 4, 4 + i);
      c[0] += low_float(top) * low_float(left) + high_float(top) * high_float(left);
      c[1] += low_float(top) * low_float(right) + high_float(top) * high_float(right);
      c[2] += low_float(bottom) * low_float(left) + high_float(bottom) * high_float(left);
      c[3] += low_float(bottom) * low_float(right) + high_float(bottom) * high_float(right);
    }
  }
}

/*
 * c += a b, a: 16 x 16, b: 16 x 8 in 16 bits, c: 16 x 8 in 32 ("mma.m16n8k16"; two "m16n8k8" before sm_80).
 * With g = lane / 4 and t = lane % 4, a lane holds
 *   a[0]: row g, columns 2t, 2t + 1;  a[1]: row g + 8, the same;  a[2], a[3]: as those, columns + 8
 *   b0: rows 2t, 2t + 1 of column g;  b1: rows + 8
 *   c[0], c[1]: row g, columns 2t, 2t + 1;  c[2], c[3]: row g + 8
 */
TR_INLINE void multiply_16x8x16(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if TR_ARCH >= 800 && defined(TR_TYPE_BF16)
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#elif TR_ARCH >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#elif TR_ARCH && !defined(TR_TYPE_BF16)
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(b0));
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[2]), "r"(a[3]), "r"(b1));
#else
  Factors mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
#if TR_ARCH
  multiply_plain(c, [&](int lane, int i) { return __shfl_sync(TR_ALL_LANES, i < 4 ? mine.a[i] : mine.b[i - 4], lane); });
#else
  SoftgpuRecords<Factors> all = softgpu_warp_exchange(mine);
  multiply_plain(c, [&](int lane, int i) { return i < 4 ? all.of(lane).a[i] : all.of(lane).b[i - 4]; });
#endif
#endif
}
