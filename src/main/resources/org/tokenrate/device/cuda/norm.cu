// out[i, :] = x[r, :] * rsqrt(mean(x[r, :]^2) + eps) * weight,  r = index[i] or i
// x: [rows, hidden] f32; weight: [hidden] T; out: [rows, hidden] T. One block a row, two passes: the second finds the
// row in the cache. add_rms_norm takes x[r, :] + delta[r, :] for x[r, :], delta: [rows, hidden] T, and writes the sum to x
// unless there is an index, which may name a row twice.
//
// kernel         arguments                                                                                 grid   block
// rms_norm       const float* x, const int* index (or 0), const T* weight, T* out, int hidden, float eps   rows   256
// add_rms_norm   float* x, const T* delta, const int* index (or 0), const T* weight, T* out, int hidden,   rows   256
//                float eps
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

/* delta: what is to be added to the row, or 0 */
TR_INLINE Eight row_8(const float* row, const T* delta, int i) {
  Eight e = load_8(row + i);
  if (delta) {
    Eight d = load_8(delta + i);
#pragma unroll
    for (int j = 0; j < 8; j++) e.x[j] += d.x[j];
  }
  return e;
}

TR_INLINE void write_normed(const float* row, const T* delta, float sum, const T* weight, T* out, int hidden, float eps) {
  float scale = 1.0f / sqrtf(sum / hidden + eps);
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) {
    Eight e = row_8(row, delta, i);
    Eight w = load_8(weight + i);
#pragma unroll
    for (int j = 0; j < 8; j++) e.x[j] = e.x[j] * scale * w.x[j];
    store_8(out + i, e);
  }
}

TR_INLINE int row_of(const int* index) { return index ? index[blockIdx.x] : (int)blockIdx.x; }

extern "C" __global__ void __launch_bounds__(NORM_THREADS)
rms_norm(const float* __restrict__ x, const int* __restrict__ index, const T* __restrict__ weight, T* __restrict__ out,
         int hidden, float eps) {
  __shared__ float partial[NORM_THREADS / TR_WARP];
  const float* row = x + (long long)row_of(index) * hidden;
  float sum = 0;
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) sum += squares(load_8(row + i));
  sum = block_sum<NORM_THREADS / TR_WARP>(sum, partial);
  write_normed(row, 0, sum, weight, out + (long long)blockIdx.x * hidden, hidden, eps);
}

extern "C" __global__ void __launch_bounds__(NORM_THREADS)
add_rms_norm(float* x, const T* __restrict__ delta, const int* __restrict__ index, const T* __restrict__ weight,
             T* __restrict__ out, int hidden, float eps) {
  __shared__ float partial[NORM_THREADS / TR_WARP];
  long long at = (long long)row_of(index) * hidden;
  float sum = 0;
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * NORM_THREADS) {
    Eight e = row_8(x + at, delta + at, i);
    if (!index) store_8(x + at + i, e);
    sum += squares(e);
  }
  sum = block_sum<NORM_THREADS / TR_WARP>(sum, partial);
  // Without an index a thread reads back the sums that it wrote itself.
  write_normed(x + at, index ? delta + at : 0, sum, weight, out + (long long)blockIdx.x * hidden, hidden, eps);
}
