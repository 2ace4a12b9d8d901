// out[i, :] = x[r, :] * rsqrt(mean(x[r, :]^2) + eps) * weight,  r = index[i] or i
// x: [rows, hidden] f32; weight: [hidden] T; out: [rows, hidden] T. One block a row, two passes: the second finds the
// row in the cache. add_rms_norm first adds a product to the residual stream and writes it back: x[i, :] += delta[i, :].
//
// kernel         arguments                                                                                 grid   block
// rms_norm       const float* x, const int* index (or 0), const T* weight, T* out, int hidden, float eps   rows   256
// add_rms_norm   float* x, const T* delta, const T* weight, T* out, int hidden, float eps                  rows   256
//
// hidden % 8 == 0. 256 threads of 8 elements take a row of 4096 in two steps, and 8 warps hide each other's latency.
#include "common.cuh"

#define NORM_THREADS 256

TR_INLINE float squares(const Eight& e) {
  float sum = 0;
#pragma unroll
  for (int j = 0; j < 8; j++) sum += e.x[j] * e.x[j];
  return sum;
}

TR_INLINE void write_normed(const float* row, float sum, const T* weight, T* out, int hidden, float eps) {
  float scale = 1.0f / sqrtf(sum / hidden + eps);
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) {
    Eight e = load_8(row + i);
    Eight w = load_8(weight + i);
#pragma unroll
    for (int j = 0; j < 8; j++) e.x[j] = e.x[j] * scale * w.x[j];
    store_8(out + i, e);
  }
}

extern "C" __global__ void __launch_bounds__(NORM_THREADS)
rms_norm(const float* __restrict__ x, const int* __restrict__ index, const T* __restrict__ weight, T* __restrict__ out,
         int hidden, float eps) {
  __shared__ float partial[NORM_THREADS / TR_WARP];
  int from = index ? index[blockIdx.x] : (int)blockIdx.x;
  const float* row = x + (long long)from * hidden;
  float sum = 0;
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) sum += squares(load_8(row + i));
  sum = block_sum<NORM_THREADS / TR_WARP>(sum, partial);
  write_normed(row, sum, weight, out + (long long)blockIdx.x * hidden, hidden, eps);
}

extern "C" __global__ void __launch_bounds__(NORM_THREADS)
add_rms_norm(float* x, const T* __restrict__ delta, const T* __restrict__ weight, T* __restrict__ out, int hidden, float eps) {
  __shared__ float partial[NORM_THREADS / TR_WARP];
  long long at = (long long)blockIdx.x * hidden;
  float sum = 0;
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) {
    Eight e = load_8(x + at + i);
    Eight d = load_8(delta + at + i);
#pragma unroll
    for (int j = 0; j < 8; j++) e.x[j] += d.x[j];
    store_8(x + at + i, e);
    sum += squares(e);
  }
  sum = block_sum<NORM_THREADS / TR_WARP>(sum, partial);
  write_normed(x + at, sum, weight, out + at, hidden, eps);  // a thread reads back what it wrote itself
}
