// whole[r, first + c] = part[r, c]        part: [rows, columns] f32; whole: [rows, whole_columns] f32
// One thread an element. Joins the ranks' parts of the logits, side by side.
//
// kernel          arguments                                                                       grid                         block
// place_columns   const float* part, float* whole, int columns, int whole_columns, int first      rows, ceil(columns / 256)    256
//
// 256 threads: 1 KiB of adjacent floats, 8 of the bus's widest accesses.
#include "common.cuh"

extern "C" __global__ void __launch_bounds__(256)
place_columns(const float* __restrict__ part, float* __restrict__ whole, int columns, int whole_columns, int first) {
  int c = blockIdx.y * 256 + threadIdx.x;
  if (c >= columns) return;
  long long row = blockIdx.x;
  whole[row * whole_columns + first + c] = part[row * columns + c];
}
