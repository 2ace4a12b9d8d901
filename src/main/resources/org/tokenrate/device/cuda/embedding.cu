// x[t, :] = table[tokens[t], :]        table: [vocabulary, hidden] T; x: [tokens, hidden] f32
// One block a token; a thread moves 8 elements (16 bytes in, 32 out) at a time.
//
// kernel   arguments                                                        grid      block
// embed    const T* table, const int* tokens, float* x, int hidden          tokens    128
//
// hidden % 8 == 0. 128 threads: one pass for 1024 columns, few idle for narrower rows. A token id must be in the table.
#include "common.cuh"

extern "C" __global__ void __launch_bounds__(128)
embed(const T* __restrict__ table, const int* __restrict__ tokens, float* __restrict__ x, int hidden) {
  const T* from = table + (long long)tokens[blockIdx.x] * hidden;
  float* to = x + (long long)blockIdx.x * hidden;
  for (int i = 8 * threadIdx.x; i < hidden; i += 8 * 128) store_8(to + i, load_8(from + i));
}
