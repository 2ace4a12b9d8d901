// Each helper of ptx.cuh on its own, for PtxTest.
#include "common.cuh"

extern "C" __global__ void from_halves(const unsigned short* halves, float* f16, float* bf16, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  f16[i] = f16_to_float(halves[i]);
  bf16[i] = bf16_to_float(halves[i]);
}

extern "C" __global__ void to_halves(const float* x, unsigned short* f16, unsigned short* bf16, unsigned* pairs, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  f16[i] = float_to_f16(x[i]);
  bf16[i] = float_to_bf16(x[i]);
  pairs[i] = pack_pair(x[i], -x[i]);
}

extern "C" __global__ void subtract_pairs(const unsigned* a, const unsigned* b, unsigned* differences, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) differences[i] = subtract_pair(a[i], b[i]);
}

extern "C" __global__ void powers(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = exp2_approx(x[i]);
}

// One warp. matrix: [32, 8] T; row i is what lane i points to.
extern "C" __global__ void matrices(const T* matrix, unsigned* plain, unsigned* transposed) {
  alignas(16) __shared__ T shared[32 * 8];
  int lane = threadIdx.x;
  for (int i = lane; i < 32; i += 32) {
    for (int j = 0; j < 8; j++) shared[i * 8 + j] = matrix[i * 8 + j];
  }
  __syncwarp();
  unsigned to[4];
  load_matrices(to, shared + lane * 8);
  for (int i = 0; i < 4; i++) plain[i * 32 + lane] = to[i];
  load_matrices_transposed(to, shared + lane * 8);
  for (int i = 0; i < 4; i++) transposed[i * 32 + lane] = to[i];
}

// One warp. a: [16, 16], b: [16, 8] T; c: [16, 8] f32, in and out.
extern "C" __global__ void product(const T* a, const T* b, float* c) {
  int g = threadIdx.x / 4;
  int t = threadIdx.x % 4;
  unsigned left[4], right[2];
  for (int i = 0; i < 4; i++) {
    const T* two = a + (g + i % 2 * 8) * 16 + 2 * t + i / 2 * 8;
    left[i] = two[0].bits | (unsigned)two[1].bits << 16;
  }
  for (int i = 0; i < 2; i++) {
    const T* two = b + (2 * t + 8 * i) * 8 + g;
    right[i] = two[0].bits | (unsigned)two[8].bits << 16;
  }
  float sum[4];
  for (int i = 0; i < 4; i++) sum[i] = c[(g + i / 2 * 8) * 8 + 2 * t + i % 2];
  multiply_16x8x16(sum, left, right[0], right[1]);
  for (int i = 0; i < 4; i++) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

// One warp copies 32 pieces of 16 bytes, of which those from `held` on are not there, in two groups.
extern "C" __global__ void copies(const uint4* from, uint4* to, int held) {
  __shared__ uint4 shared[64];
  int lane = threadIdx.x;
  copy_16_async(shared + lane, from + lane, lane < held);
  copies_commit();
  copy_16_async(shared + 32 + lane, from + lane, true);
  copies_commit();
  copies_wait<1>();
  __syncwarp();
  to[lane] = shared[31 - lane];
  copies_wait<0>();
  __syncwarp();
  to[32 + lane] = shared[63 - lane];
}
