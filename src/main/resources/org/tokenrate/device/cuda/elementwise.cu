// y[t, :] += bias                                        y: [rows, columns] T; bias: [columns] T
// out[t, i] = silu(gate[t, i]) * up[t, i]                gate, up: rows of `stride` elements T; out: [rows, columns] T
// One thread 8 elements of a row.
//
// kernel          arguments                                                              grid                            block
// add_bias        T* y, const T* bias, int columns                                       rows, ceil(columns / 1024)      128
// silu_multiply   const T* gate, const T* up, T* out, int columns, int stride            rows, ceil(columns / 1024)      128
//
// columns % 8 == 0, stride % 8 == 0 (stride = columns for two products; 2 columns for one that has gate and up side by side).
// out may be gate or up where stride == columns. 128 threads: a row of 11008 is 11 blocks, so one row fills several
// multiprocessors. Rows are grid.x, which may be large.
#include "common.cuh"

#define THREADS 128

TR_INLINE int first_column() { return 8 * (blockIdx.y * THREADS + threadIdx.x); }

extern "C" __global__ void __launch_bounds__(THREADS) add_bias(T* y, const T* __restrict__ bias, int columns) {
  int i = first_column();
  if (i >= columns) return;
  T* to = y + (long long)blockIdx.x * columns + i;
  Eight e = load_8(to);
  Eight b = load_8(bias + i);
#pragma unroll
  for (int j = 0; j < 8; j++) e.x[j] += b.x[j];
  store_8(to, e);
}

extern "C" __global__ void __launch_bounds__(THREADS)
silu_multiply(const T* gate, const T* up, T* out, int columns, int stride) {
  int i = first_column();
  if (i >= columns) return;
  long long from = (long long)blockIdx.x * stride + i;
  Eight g = load_8(gate + from);
  Eight u = load_8(up + from);
#pragma unroll
  for (int j = 0; j < 8; j++) g.x[j] = g.x[j] / (1.0f + expf(-g.x[j])) * u.x[j];
  store_8(out + (long long)blockIdx.x * columns + i, g);
}
