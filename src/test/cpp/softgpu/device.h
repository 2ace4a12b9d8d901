// What CUDA's compiler supplies by itself, for kernels that g++ compiles: built-in variables and types, barriers, warp
// intrinsics, atomics, fast math. No header of the host is included, so that a kernel sees no name that NVRTC lacks.
// Calls between threads know their source line by default arguments; __global__, __launch_bounds__ and extern __shared__
// are rewritten by rewrite.cpp before the compiler sees them.
#pragma once

#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __shared__ thread_local
#define __constant__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict
#define __grid_constant__
#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define TOKENRATE_SOFTGPU 1

// A function whose own memory accesses are not watched: for emulations that compute on values that they hold already.
#define SOFTGPU_UNWATCHED __attribute__((no_sanitize("thread", "undefined")))
#define SOFTGPU_FORCE SOFTGPU_UNWATCHED inline
// Of values alone: nothing in it to watch.
#define SOFTGPU_PURE inline __attribute__((always_inline))
#define SOFTGPU_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;

#define SOFTGPU_VECTOR(T, name, a1, a2, a4)                                                                            \
    struct name##1 { T x; };                                                                                           \
    struct __attribute__((aligned(a2))) name##2 { T x, y; };                                                           \
    struct name##3 { T x, y, z; };                                                                                     \
    struct __attribute__((aligned(a4))) name##4 { T x, y, z, w; };                                                     \
    static inline name##1 make_##name##1(T x) { return {x}; }                                                          \
    static inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                                  \
    static inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                                          \
    static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
SOFTGPU_VECTOR(signed char, char, 1, 2, 4)
SOFTGPU_VECTOR(unsigned char, uchar, 1, 2, 4)
SOFTGPU_VECTOR(short, short, 2, 4, 8)
SOFTGPU_VECTOR(unsigned short, ushort, 2, 4, 8)
SOFTGPU_VECTOR(int, int, 4, 8, 16)
SOFTGPU_VECTOR(unsigned int, uint, 4, 8, 16)
SOFTGPU_VECTOR(long, long, 8, 16, 16)
SOFTGPU_VECTOR(unsigned long, ulong, 8, 16, 16)
SOFTGPU_VECTOR(long long, longlong, 8, 16, 16)
SOFTGPU_VECTOR(unsigned long long, ulonglong, 8, 16, 16)
SOFTGPU_VECTOR(float, float, 4, 8, 16)
SOFTGPU_VECTOR(double, double, 8, 16, 16)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

// Constant for a thread, whatever runs between two calls: the compiler may ask once.
extern "C" {
uint3 softgpu_thread_index() __attribute__((const));
uint3 softgpu_block_index() __attribute__((const));
uint3 softgpu_block_shape() __attribute__((const));
uint3 softgpu_grid_shape() __attribute__((const));
void *softgpu_dynamic_shared() __attribute__((const));

struct SoftgpuWarpView {
    const unsigned char *records; // of lane l: records + l * SOFTGPU_RECORD_BYTES
    unsigned lanes;               // that take part
};
SoftgpuWarpView softgpu_warp(const char *what, unsigned mask, const void *record, int bytes, const char *file, int line);
int softgpu_barrier(const char *what, int value, const char *file, int line); // packed count of non-zero values
void softgpu_fail(const char *what, const char *file, int line) __attribute__((noreturn));
void softgpu_atomic_access(const void *address, int bytes, const char *file, int line);
void softgpu_fence();
void softgpu_async_copy(void *to, const void *from, int bytes, int valid, const char *file, int line);
void softgpu_async_commit();
void softgpu_async_wait(int pending);
long long softgpu_clock();
int printf(const char *format, ...);
}

#define threadIdx (softgpu_thread_index())
#define blockIdx (softgpu_block_index())
#define blockDim (softgpu_block_shape())
#define gridDim (softgpu_grid_shape())
#define warpSize 32
#define assert(condition) ((condition) ? (void)0 : softgpu_fail("assert(" #condition ")", __FILE__, __LINE__))

struct SoftgpuDynamicShared {
    template <class T> operator T *() const { return static_cast<T *>(softgpu_dynamic_shared()); }
};

// Of the records that lanes of a warp show one another.
#define SOFTGPU_RECORD_BYTES 128

SOFTGPU_FORCE unsigned softgpu_lane() {
    uint3 t = softgpu_thread_index(), b = softgpu_block_shape();
    return (t.x + b.x * (t.y + b.y * t.z)) % 32;
}

/** Shows every lane's record to every lane of `mask`: result.of<R>(lane). Valid until this thread's next warp intrinsic or barrier. */
template <class R> struct SoftgpuRecords {
    SoftgpuWarpView view;
    SOFTGPU_FORCE const R &of(unsigned lane) const {
        return *reinterpret_cast<const R *>(view.records + lane * SOFTGPU_RECORD_BYTES);
    }
};
template <class R> SOFTGPU_FORCE SoftgpuRecords<R> softgpu_warp_exchange(const R &mine, unsigned mask = 0xffffffffu, SOFTGPU_SITE) {
    static_assert(sizeof(R) <= SOFTGPU_RECORD_BYTES, "a record is too long");
    return {softgpu_warp("warp exchange", mask, &mine, sizeof(R), file, line)};
}

// Barriers
SOFTGPU_FORCE void __syncthreads(SOFTGPU_SITE) { softgpu_barrier("__syncthreads", 0, file, line); }
SOFTGPU_FORCE int __syncthreads_count(int p, SOFTGPU_SITE) { return softgpu_barrier("__syncthreads_count", p != 0, file, line); }
SOFTGPU_FORCE int __syncthreads_or(int p, SOFTGPU_SITE) { return softgpu_barrier("__syncthreads_or", p != 0, file, line) != 0; }
SOFTGPU_FORCE int __syncthreads_and(int p, SOFTGPU_SITE) { return softgpu_barrier("__syncthreads_and", p == 0, file, line) == 0; }
SOFTGPU_FORCE void __syncwarp(unsigned mask = 0xffffffffu, SOFTGPU_SITE) { softgpu_warp("__syncwarp", mask, &mask, sizeof mask, file, line); }
SOFTGPU_FORCE void __threadfence() { softgpu_fence(); }
SOFTGPU_FORCE void __threadfence_block() {}
SOFTGPU_FORCE void __threadfence_system() { softgpu_fence(); }

// Votes
SOFTGPU_FORCE unsigned softgpu_ballot(const char *what, unsigned mask, int p, const char *file, int line) {
    int one = p != 0;
    SoftgpuWarpView v = softgpu_warp(what, mask, &one, sizeof one, file, line);
    unsigned bits = 0;
    for (unsigned l = 0; l < 32; l++)
        if (v.lanes >> l & 1) bits |= static_cast<unsigned>(*reinterpret_cast<const int *>(v.records + l * SOFTGPU_RECORD_BYTES)) << l;
    return bits;
}
SOFTGPU_FORCE unsigned __ballot_sync(unsigned mask, int p, SOFTGPU_SITE) { return softgpu_ballot("__ballot_sync", mask, p, file, line); }
SOFTGPU_FORCE int __any_sync(unsigned mask, int p, SOFTGPU_SITE) { return softgpu_ballot("__any_sync", mask, p, file, line) != 0; }
SOFTGPU_FORCE int __all_sync(unsigned mask, int p, SOFTGPU_SITE) { return softgpu_ballot("__all_sync", mask, !p, file, line) == 0; }

// Shuffles: the source lane must take part.
template <class T> SOFTGPU_FORCE T softgpu_shuffle(const char *what, unsigned mask, T value, int source, const char *file, int line) {
    static_assert(sizeof(T) <= 8, "a shuffle moves up to 8 bytes");
    SoftgpuWarpView v = softgpu_warp(what, mask, &value, sizeof value, file, line);
    if (!(v.lanes >> source & 1)) softgpu_fail("the shuffle reads a lane that takes no part", file, line);
    return *reinterpret_cast<const T *>(v.records + source * SOFTGPU_RECORD_BYTES);
}
template <class T> SOFTGPU_FORCE T __shfl_sync(unsigned mask, T value, int source, int width = 32, SOFTGPU_SITE) {
    int lane = softgpu_lane(), first = lane & ~(width - 1);
    return softgpu_shuffle("__shfl_sync", mask, value, first + (source & (width - 1)), file, line);
}
template <class T> SOFTGPU_FORCE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, SOFTGPU_SITE) {
    int lane = softgpu_lane(), from = lane - static_cast<int>(delta);
    return softgpu_shuffle("__shfl_up_sync", mask, value, from < (lane & ~(width - 1)) ? lane : from, file, line);
}
template <class T> SOFTGPU_FORCE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, SOFTGPU_SITE) {
    int lane = softgpu_lane(), from = lane + static_cast<int>(delta);
    return softgpu_shuffle("__shfl_down_sync", mask, value, from > (lane | (width - 1)) ? lane : from, file, line);
}
template <class T> SOFTGPU_FORCE T __shfl_xor_sync(unsigned mask, T value, int other, int width = 32, SOFTGPU_SITE) {
    int lane = softgpu_lane(), from = lane ^ other;
    return softgpu_shuffle("__shfl_xor_sync", mask, value, from > (lane | (width - 1)) ? lane : from, file, line);
}
template <class T, class Merge> SOFTGPU_FORCE T softgpu_reduce(const char *what, unsigned mask, T value, Merge merge, const char *file, int line) {
    SoftgpuWarpView v = softgpu_warp(what, mask, &value, sizeof value, file, line);
    bool first = true;
    T sum = value;
    for (unsigned l = 0; l < 32; l++) {
        if (!(v.lanes >> l & 1)) continue;
        T other = *reinterpret_cast<const T *>(v.records + l * SOFTGPU_RECORD_BYTES);
        sum = first ? other : merge(sum, other);
        first = false;
    }
    return sum;
}
#define SOFTGPU_REDUCE(T, name, expression)                                                                            \
    SOFTGPU_FORCE T __reduce_##name##_sync(unsigned mask, T value, SOFTGPU_SITE) {                                     \
        return softgpu_reduce("__reduce_" #name "_sync", mask, value, [](T a, T b) -> T { return expression; }, file, line); \
    }
SOFTGPU_REDUCE(unsigned, add, a + b)
SOFTGPU_REDUCE(int, add, static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b)))
SOFTGPU_REDUCE(unsigned, min, a < b ? a : b)
SOFTGPU_REDUCE(int, min, a < b ? a : b)
SOFTGPU_REDUCE(unsigned, max, a > b ? a : b)
SOFTGPU_REDUCE(int, max, a > b ? a : b)
SOFTGPU_REDUCE(unsigned, and, a & b)
SOFTGPU_REDUCE(unsigned, or, a | b)
SOFTGPU_REDUCE(unsigned, xor, a ^ b)

// Atomics
#define SOFTGPU_ATOMIC(T, name, expression)                                                                            \
    SOFTGPU_FORCE T atomic##name(T *address, T value, SOFTGPU_SITE) {                                                  \
        softgpu_atomic_access(address, sizeof(T), file, line);                                                         \
        T old, next;                                                                                                   \
        __atomic_load(address, &old, __ATOMIC_RELAXED);                                                                \
        do next = expression;                                                                                          \
        while (!__atomic_compare_exchange(address, &old, &next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));           \
        return old;                                                                                                    \
    }
#define SOFTGPU_ATOMICS(T)                                                                                             \
    SOFTGPU_ATOMIC(T, Add, old + value)                                                                                \
    SOFTGPU_ATOMIC(T, Exch, value)                                                                                     \
    SOFTGPU_ATOMIC(T, Min, old < value ? old : value)                                                                  \
    SOFTGPU_ATOMIC(T, Max, old > value ? old : value)                                                                  \
    SOFTGPU_ATOMIC(T, And, old & value)                                                                                \
    SOFTGPU_ATOMIC(T, Or, old | value)                                                                                 \
    SOFTGPU_ATOMIC(T, Xor, old ^ value)                                                                                \
    SOFTGPU_FORCE T atomicCAS(T *address, T expected, T value, SOFTGPU_SITE) {                                         \
        softgpu_atomic_access(address, sizeof(T), file, line);                                                         \
        __atomic_compare_exchange(address, &expected, &value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);              \
        return expected;                                                                                               \
    }
SOFTGPU_ATOMICS(int)
SOFTGPU_ATOMICS(unsigned)
SOFTGPU_ATOMICS(unsigned long long)
SOFTGPU_ATOMIC(float, Add, old + value)
SOFTGPU_ATOMIC(float, Exch, value)
SOFTGPU_ATOMIC(double, Add, old + value)
SOFTGPU_ATOMIC(int, Sub, old - value)
SOFTGPU_ATOMIC(unsigned, Sub, old - value)
SOFTGPU_ATOMIC(unsigned, Inc, old >= value ? 0 : old + 1)
SOFTGPU_ATOMIC(unsigned, Dec, old == 0 || old > value ? value : old - 1)

// Loads and stores with a cache hint
#define SOFTGPU_LOAD(name)                                                                                             \
    template <class T> inline T name(const T *p) { return *p; }
SOFTGPU_LOAD(__ldg)
SOFTGPU_LOAD(__ldca)
SOFTGPU_LOAD(__ldcg)
SOFTGPU_LOAD(__ldcs)
SOFTGPU_LOAD(__ldlu)
SOFTGPU_LOAD(__ldcv)
#define SOFTGPU_STORE(name)                                                                                            \
    template <class T> inline void name(T *p, T value) { *p = value; }
SOFTGPU_STORE(__stwb)
SOFTGPU_STORE(__stcg)
SOFTGPU_STORE(__stcs)
SOFTGPU_STORE(__stwt)

// Bits
SOFTGPU_PURE int __popc(unsigned x) { return __builtin_popcount(x); }
SOFTGPU_PURE int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
SOFTGPU_PURE int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
SOFTGPU_PURE int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
SOFTGPU_PURE int __ffs(int x) { return __builtin_ffs(x); }
SOFTGPU_PURE int __ffsll(long long x) { return __builtin_ffsll(x); }
SOFTGPU_PURE unsigned __brev(unsigned x) {
    unsigned y = 0;
    for (int i = 0; i < 32; i++) y |= (x >> i & 1) << (31 - i);
    return y;
}
SOFTGPU_PURE unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32); }
SOFTGPU_PURE int __mulhi(int a, int b) { return static_cast<int>(static_cast<long long>(a) * b >> 32); }
SOFTGPU_PURE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
SOFTGPU_PURE unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    unsigned long long both = static_cast<unsigned long long>(b) << 32 | a;
    unsigned out = 0;
    for (int i = 0; i < 4; i++) {
        unsigned s = selector >> (4 * i) & 15, byte = both >> (8 * (s & 7)) & 255;
        out |= (s & 8 ? (byte & 128 ? 255u : 0u) : byte) << (8 * i);
    }
    return out;
}
SOFTGPU_PURE unsigned __funnelshift_l(unsigned low, unsigned high, unsigned n) {
    n &= 31;
    return n == 0 ? high : high << n | low >> (32 - n);
}
SOFTGPU_PURE unsigned __funnelshift_r(unsigned low, unsigned high, unsigned n) {
    n &= 31;
    return n == 0 ? low : low >> n | high << (32 - n);
}
template <class To, class From> SOFTGPU_PURE To softgpu_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "of one size");
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}
SOFTGPU_PURE int __float_as_int(float x) { return softgpu_bits<int>(x); }
SOFTGPU_PURE unsigned __float_as_uint(float x) { return softgpu_bits<unsigned>(x); }
SOFTGPU_PURE float __int_as_float(int x) { return softgpu_bits<float>(x); }
SOFTGPU_PURE float __uint_as_float(unsigned x) { return softgpu_bits<float>(x); }
SOFTGPU_PURE long long __double_as_longlong(double x) { return softgpu_bits<long long>(x); }
SOFTGPU_PURE double __longlong_as_double(long long x) { return softgpu_bits<double>(x); }

// Mathematics. The C names are the compiler's own built-ins, declared here.
#define SOFTGPU_MATH1(name)                                                                                            \
    extern "C" float name##f(float) noexcept;                                                                          \
    extern "C" double name(double) noexcept;
SOFTGPU_MATH1(exp) SOFTGPU_MATH1(exp2) SOFTGPU_MATH1(expm1) SOFTGPU_MATH1(log) SOFTGPU_MATH1(log2) SOFTGPU_MATH1(log10)
SOFTGPU_MATH1(log1p) SOFTGPU_MATH1(sqrt) SOFTGPU_MATH1(sin) SOFTGPU_MATH1(cos) SOFTGPU_MATH1(tan) SOFTGPU_MATH1(tanh)
SOFTGPU_MATH1(erf) SOFTGPU_MATH1(floor) SOFTGPU_MATH1(ceil) SOFTGPU_MATH1(trunc) SOFTGPU_MATH1(round) SOFTGPU_MATH1(rint)
SOFTGPU_MATH1(nearbyint) SOFTGPU_MATH1(fabs) SOFTGPU_MATH1(cbrt)
#define SOFTGPU_MATH2(name)                                                                                            \
    extern "C" float name##f(float, float) noexcept;                                                                   \
    extern "C" double name(double, double) noexcept;
SOFTGPU_MATH2(pow) SOFTGPU_MATH2(fmax) SOFTGPU_MATH2(fmin) SOFTGPU_MATH2(fmod) SOFTGPU_MATH2(copysign) SOFTGPU_MATH2(atan2)
extern "C" float fmaf(float, float, float) noexcept;
extern "C" double fma(double, double, double) noexcept;
extern "C" float ldexpf(float, int) noexcept;
extern "C" double ldexp(double, int) noexcept;
extern "C" void sincosf(float, float *, float *) noexcept;
extern "C" int abs(int) noexcept;
SOFTGPU_PURE float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
SOFTGPU_PURE double rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }
SOFTGPU_PURE float exp10f(float x) { return __builtin_exp10f(x); }
SOFTGPU_PURE float __expf(float x) { return __builtin_expf(x); }
SOFTGPU_PURE float __exp10f(float x) { return __builtin_exp10f(x); }
SOFTGPU_PURE float __logf(float x) { return __builtin_logf(x); }
SOFTGPU_PURE float __log2f(float x) { return __builtin_log2f(x); }
SOFTGPU_PURE float __sinf(float x) { return __builtin_sinf(x); }
SOFTGPU_PURE float __cosf(float x) { return __builtin_cosf(x); }
SOFTGPU_PURE float __powf(float x, float y) { return __builtin_powf(x, y); }
SOFTGPU_PURE float __tanhf(float x) { return __builtin_tanhf(x); }
SOFTGPU_PURE float __fdividef(float x, float y) { return x / y; }
SOFTGPU_PURE float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
SOFTGPU_PURE float __fadd_rn(float x, float y) { return x + y; }
SOFTGPU_PURE float __fsub_rn(float x, float y) { return x - y; }
SOFTGPU_PURE float __fmul_rn(float x, float y) { // never fused with an addition that follows
    float z = x * y;
#if defined(__x86_64__)
    asm("" : "+x"(z));
#else
    asm("" : "+w"(z));
#endif
    return z;
}
SOFTGPU_PURE float __fdiv_rn(float x, float y) { return x / y; }
SOFTGPU_PURE float __frcp_rn(float x) { return 1.0f / x; }
SOFTGPU_PURE float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
SOFTGPU_PURE float __frsqrt_rn(float x) { return 1.0f / __builtin_sqrtf(x); }
SOFTGPU_PURE float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
SOFTGPU_PURE int __float2int_rn(float x) { return static_cast<int>(__builtin_rintf(x)); }
SOFTGPU_PURE int __float2int_rd(float x) { return static_cast<int>(__builtin_floorf(x)); }
SOFTGPU_PURE int __float2int_ru(float x) { return static_cast<int>(__builtin_ceilf(x)); }
SOFTGPU_PURE int __float2int_rz(float x) { return static_cast<int>(x); }
SOFTGPU_PURE unsigned __float2uint_rn(float x) { return static_cast<unsigned>(__builtin_rintf(x)); }
SOFTGPU_PURE unsigned __float2uint_rz(float x) { return static_cast<unsigned>(x); }
SOFTGPU_PURE float __int2float_rn(int x) { return static_cast<float>(x); }
SOFTGPU_PURE float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
SOFTGPU_PURE bool isnan(float x) { return __builtin_isnan(x); }
SOFTGPU_PURE bool isnan(double x) { return __builtin_isnan(x); }
SOFTGPU_PURE bool isinf(float x) { return __builtin_isinf(x); }
SOFTGPU_PURE bool isinf(double x) { return __builtin_isinf(x); }
SOFTGPU_PURE bool isfinite(float x) { return __builtin_isfinite(x); }
SOFTGPU_PURE bool isfinite(double x) { return __builtin_isfinite(x); }
SOFTGPU_PURE int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 4; i++) c += static_cast<signed char>(a >> (8 * i)) * static_cast<signed char>(b >> (8 * i));
    return c;
}

#define SOFTGPU_MINMAX(T)                                                                                              \
    SOFTGPU_PURE constexpr T min(T a, T b) { return b < a ? b : a; }                                                  \
    SOFTGPU_PURE constexpr T max(T a, T b) { return a < b ? b : a; }
SOFTGPU_MINMAX(int) SOFTGPU_MINMAX(unsigned) SOFTGPU_MINMAX(long) SOFTGPU_MINMAX(unsigned long) SOFTGPU_MINMAX(long long)
SOFTGPU_MINMAX(unsigned long long)
SOFTGPU_PURE unsigned min(int a, unsigned b) { return min(static_cast<unsigned>(a), b); }
SOFTGPU_PURE unsigned min(unsigned a, int b) { return min(a, static_cast<unsigned>(b)); }
SOFTGPU_PURE unsigned max(int a, unsigned b) { return max(static_cast<unsigned>(a), b); }
SOFTGPU_PURE unsigned max(unsigned a, int b) { return max(a, static_cast<unsigned>(b)); }
SOFTGPU_PURE float min(float a, float b) { return __builtin_fminf(a, b); }
SOFTGPU_PURE float max(float a, float b) { return __builtin_fmaxf(a, b); }
SOFTGPU_PURE double min(double a, double b) { return __builtin_fmin(a, b); }
SOFTGPU_PURE double max(double a, double b) { return __builtin_fmax(a, b); }

SOFTGPU_PURE long long clock64() { return softgpu_clock(); }
SOFTGPU_PURE void __nanosleep(unsigned) {}
SOFTGPU_PURE void __trap(SOFTGPU_SITE) { softgpu_fail("__trap()", file, line); }

// What the module tells of each kernel, in a table that rewrite.cpp appends.
struct SoftgpuKernel {
    const char *name;
    void (*invoke)(void **arguments);
    int maxThreads; // of __launch_bounds__, or 0
    int count;
    const int *sizes;
};
template <int...> struct SoftgpuIndices {};
template <int n, int... i> struct SoftgpuCount : SoftgpuCount<n - 1, n - 1, i...> {};
template <int... i> struct SoftgpuCount<0, i...> { typedef SoftgpuIndices<i...> type; };
template <class F, F f> struct SoftgpuCall;
template <class... A, void (*f)(A...)> struct SoftgpuCall<void (*)(A...), f> {
    static constexpr int count = sizeof...(A);
    static constexpr int sizes[sizeof...(A) + 1] = {static_cast<int>(sizeof(A))..., 0};
    template <int... i> SOFTGPU_UNWATCHED static void call(void **a, SoftgpuIndices<i...>) { f(*static_cast<A *>(a[i])...); }
    SOFTGPU_UNWATCHED static void invoke(void **a) { call(a, typename SoftgpuCount<count>::type()); }
};
template <class... A, void (*f)(A...)> constexpr int SoftgpuCall<void (*)(A...), f>::sizes[sizeof...(A) + 1];
constexpr int softgpu_first(int first, int = 0, int = 0) { return first; }
