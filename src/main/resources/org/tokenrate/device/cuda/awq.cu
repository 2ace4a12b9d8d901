// Linear layers of 4-bit weights: W[o][i] = (q - z) * s, a zero point z and a scale s for each output and group of inputs.
//
// Layout. A tile is 16 outputs by 64 inputs, in the order in which the lanes of a warp want it for a tensor core's product
// with the weights as the left factor: lane 4 g + t holds outputs g and g + 8, inputs 8 t to 8 t + 7 of each half of 32. (The
// product's inner order is free, as long as both factors have the same; this one gives a lane of x 16 adjacent bytes.)
//   nibbles: [output tiles, input tiles, 32 lanes, 4] u32; word j of a lane is of inputs 32 (j / 2) + 8 t + 4 (j % 2) and the
//     next 3. Nibbles n and n + 4 are the two inputs of the product's register n: of output g for n = 0, 2 and g + 8 for
//     n = 1, 3; inputs + 0, + 1 for n = 0, 1 and + 2, + 3 for n = 2, 3.
//   groups: [output tiles, inputs / group_size, 16] u32; the scale as binary16 in the upper half, the zero point in the lowest.
// Outputs are filled up to 16 and inputs to 64 with zero bits; a group beyond the inputs is never read.
// output_tiles = ceil(outputs / 16), input_tiles = ceil(inputs / 64); bytes: 512 a tile, 64 a group of an output tile.
//
// awq_pack_weights, awq_pack_groups: from AutoAWQ's gemm layout (eight outputs an I32, nibbles from the lowest: outputs
//   0 2 4 6 1 3 5 7) of one part of the matrix, into memory that was zeroed before the first part.
// awq_multiply*: y[r, o] = sum over i of x[r, i] W[o][i] + bias[o], for few rows (8 read the weights once; more go over
//   them again for each 8, out of the second cache). x: [rows, inputs] T; y: [rows, outputs]. A block of threads an output
//   tile: its warps share out the inputs and join their sums at the end. Weights become q - z, exact in T, on the way to the
//   product; scales are applied in f32 after each group.
// awq_dequantize: w[o, i] = W[o][i] rounded to T, row-major, for a dense product of many rows.
//
// kernel             arguments                                                                    grid                          block
// awq_pack_weights   const unsigned* qweight [inputs, outputs / 8], unsigned* nibbles,            ceil(words / 256)             256
//                    int inputs, int outputs, int first_output, int first_input, int input_tiles  words = tiles touched * 128
// awq_pack_groups    const unsigned* qzeros [groups, outputs / 8], const unsigned short* scales   ceil(groups * outputs / 256)  256
//                    [groups, outputs] binary16, unsigned* groups, int group_count (of the part),
//                    int outputs, int first_output, int first_group, int matrix_groups
// awq_multiply       const T* x, const unsigned* nibbles, const unsigned* groups,                 output_tiles, ceil(rows / 8)  256
//                    const T* bias (or 0), T* y, int rows, int inputs, int outputs, int group_size
// awq_multiply_f32   the same with float* y                                                       the same                      256
// awq_dequantize     const unsigned* nibbles, const unsigned* groups, T* w, int inputs,           output_tiles,                 256
//                    int outputs, int group_size                                                  ceil(input_tiles / 8)
//
// group_size: 32, 64 or 128; inputs % group_size == 0; outputs, first_output % 8 == 0; first_input % group_size == 0 (a part
// may also be some of the inputs). "tiles touched" of a part: (last output tile - first + 1) * (last input tile - first + 1).
// 8 warps: 4096 outputs are 256 blocks, so 19 warps a multiprocessor of an A100, each with 1 KiB of weights under way.
#include "common.cuh"

#define WARPS 8
#define THREADS (WARPS * TR_WARP)
#define TILE_OUTPUTS 16
#define TILE_INPUTS 64
#define HALF_INPUTS 32  // the smallest group
#define TILE_WORDS 128
#define PRODUCT_ROWS 8
#define NIBBLE_PAIR 0x000f000fu

/* An integer from 0 to 15 in both halves, added to this, has the number's bits as its last ones. */
#ifdef TR_TYPE_BF16
#define MAGIC_PAIR 0x43004300u  // 128
#else
#define MAGIC_PAIR 0x64006400u  // 1024
#endif

/* Where AutoAWQ has output o % 8 of an int, in bits. */
TR_INLINE int awq_shift(int o) { return 4 * (o % 8 / 2 + o % 2 * 4); }

/* First of the 8 inputs in the tile that a lane has of a half. */
TR_INLINE int half_input(int lane, int half) { return half * HALF_INPUTS + lane % 4 * 8; }

/* What nibble n (0 to 7) of word j of a lane stands for: row and column in the tile. */
TR_INLINE int nibble_output(int lane, int n) { return lane / 4 + n % 2 * 8; }
TR_INLINE int nibble_input(int lane, int j, int n) { return half_input(lane, j / 2) + j % 2 * 4 + n % 4 / 2 * 2 + n / 4; }

TR_INLINE long long tile_at(int output_tile, int input_tile, int input_tiles) {
  return ((long long)output_tile * input_tiles + input_tile) * TILE_WORDS;
}

TR_INLINE long long groups_at(int output_tile, int group, int group_count) {
  return ((long long)output_tile * group_count + group) * TILE_OUTPUTS;
}

extern "C" __global__ void __launch_bounds__(256)
awq_pack_weights(const unsigned* __restrict__ qweight, unsigned* __restrict__ nibbles, int inputs, int outputs,
                 int first_output, int first_input, int input_tiles) {
  int output_tile = first_output / TILE_OUTPUTS;
  int input_tile = first_input / TILE_INPUTS;
  int across = (first_input + inputs - 1) / TILE_INPUTS - input_tile + 1;
  int down = (first_output + outputs - 1) / TILE_OUTPUTS - output_tile + 1;
  long long index = (long long)blockIdx.x * 256 + threadIdx.x;
  int tile = (int)(index / TILE_WORDS);
  if (tile >= across * down) return;
  int lane = (int)(index % TILE_WORDS) / 4;
  int j = (int)(index % 4);
  output_tile += tile / across;
  input_tile += tile % across;
  unsigned word = 0;
#pragma unroll
  for (int n = 0; n < 8; n++) {
    int o = output_tile * TILE_OUTPUTS + nibble_output(lane, n) - first_output;
    int i = input_tile * TILE_INPUTS + nibble_input(lane, j, n) - first_input;
    if (o < 0 || o >= outputs || i < 0 || i >= inputs) continue;
    unsigned eight = qweight[(long long)i * (outputs / 8) + o / 8];
    word |= (eight >> awq_shift(o) & 15u) << 4 * n;
  }
  nibbles[tile_at(output_tile, input_tile, input_tiles) + index % TILE_WORDS] |= word;
}

extern "C" __global__ void __launch_bounds__(256)
awq_pack_groups(const unsigned* __restrict__ qzeros, const unsigned short* __restrict__ scales, unsigned* __restrict__ groups,
                int group_count, int outputs, int first_output, int first_group, int matrix_groups) {
  long long index = (long long)blockIdx.x * 256 + threadIdx.x;
  if (index >= (long long)group_count * outputs) return;
  int group = (int)(index / outputs);
  int o = (int)(index % outputs);
  unsigned zero = qzeros[(long long)group * (outputs / 8) + o / 8] >> awq_shift(o) & 15u;
  int to = first_output + o;
  groups[groups_at(to / TILE_OUTPUTS, first_group + group, matrix_groups) + to % TILE_OUTPUTS] =
      (unsigned)scales[index] << 16 | zero;
}

/* q - z for the two weights of register n: exact. */
TR_INLINE unsigned weight_pair(unsigned word, int n, unsigned zero_pair) {
  return subtract_pair((word >> 4 * n & NIBBLE_PAIR) | MAGIC_PAIR, zero_pair);
}

TR_INLINE unsigned zero_pair(unsigned group) {
  unsigned zero = group & 15u;
  return (zero | zero << 16) | MAGIC_PAIR;
}

TR_INLINE float scale_of(unsigned group) { return f16_to_float((unsigned short)(group >> 16)); }

/*
 * sum += scale * (W x^T) over one half of a tile, whose inputs are all of one group. words: the lane's two of the half; x: its
 * 8 inputs of row g; low and high: the group's words of outputs g and g + 8.
 */
TR_INLINE void multiply_half(float (&sum)[4], unsigned word0, unsigned word1, uint4 x, unsigned low, unsigned high) {
  float part[4] = {0, 0, 0, 0};
  unsigned zero_low = zero_pair(low);
  unsigned zero_high = zero_pair(high);
  unsigned a[4] = {weight_pair(word0, 0, zero_low), weight_pair(word0, 1, zero_high), weight_pair(word0, 2, zero_low),
                   weight_pair(word0, 3, zero_high)};
  multiply_16x8x16(part, a, x.x, x.y);
  unsigned b[4] = {weight_pair(word1, 0, zero_low), weight_pair(word1, 1, zero_high), weight_pair(word1, 2, zero_low),
                   weight_pair(word1, 3, zero_high)};
  multiply_16x8x16(part, b, x.z, x.w);
  sum[0] += scale_of(low) * part[0];
  sum[1] += scale_of(low) * part[1];
  sum[2] += scale_of(high) * part[2];
  sum[3] += scale_of(high) * part[3];
}

TR_INLINE void put(T* y, float product) { *y = to_T(product); }
TR_INLINE void put(float* y, float product) { *y = product; }

template <class Y>
TR_INLINE void multiply(const T* x, const unsigned* nibbles, const unsigned* groups, const T* bias, Y* y, int rows, int inputs,
                        int outputs, int group_size, float (&sums)[WARPS][TILE_OUTPUTS][PRODUCT_ROWS]) {
  int lane = lane_index();
  int output_tile = blockIdx.x;
  int first_row = blockIdx.y * PRODUCT_ROWS;
  int input_tiles = (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
  int row = first_row + lane / 4;
  const T* x_row = x + (long long)row * inputs;
  const unsigned* tile_groups = groups + groups_at(output_tile, 0, inputs / group_size) + lane / 4;
  float sum[4] = {0, 0, 0, 0};
#pragma unroll 2
  for (int tile = warp_index(); tile < input_tiles; tile += WARPS) {
    uint4 words = ((const uint4*)(nibbles + tile_at(output_tile, tile, input_tiles)))[lane];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int first = tile * TILE_INPUTS + half * HALF_INPUTS;
      if (first >= inputs) break;  // the last tile may be half full
      uint4 part = {0, 0, 0, 0};
      if (row < rows) part = *(const uint4*)(x_row + tile * TILE_INPUTS + half_input(lane, half));
      const unsigned* group = tile_groups + groups_at(0, first / group_size, 0);
      multiply_half(sum, half ? words.z : words.x, half ? words.w : words.y, part, group[0], group[8]);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) sums[warp_index()][lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = sum[i];
  __syncthreads();
  int o = threadIdx.x % TILE_OUTPUTS;
  int r = threadIdx.x / TILE_OUTPUTS;
  int output = output_tile * TILE_OUTPUTS + o;
  if (r >= PRODUCT_ROWS || first_row + r >= rows || output >= outputs) return;
  float product = bias ? to_float(bias[output]) : 0.0f;
#pragma unroll
  for (int w = 0; w < WARPS; w++) product += sums[w][o][r];
  put(y + (long long)(first_row + r) * outputs + output, product);
}

extern "C" __global__ void __launch_bounds__(THREADS)
awq_multiply(const T* __restrict__ x, const unsigned* __restrict__ nibbles, const unsigned* __restrict__ groups,
             const T* __restrict__ bias, T* __restrict__ y, int rows, int inputs, int outputs, int group_size) {
  __shared__ float sums[WARPS][TILE_OUTPUTS][PRODUCT_ROWS];
  multiply(x, nibbles, groups, bias, y, rows, inputs, outputs, group_size, sums);
}

extern "C" __global__ void __launch_bounds__(THREADS)
awq_multiply_f32(const T* __restrict__ x, const unsigned* __restrict__ nibbles, const unsigned* __restrict__ groups,
                 const T* __restrict__ bias, float* __restrict__ y, int rows, int inputs, int outputs, int group_size) {
  __shared__ float sums[WARPS][TILE_OUTPUTS][PRODUCT_ROWS];
  multiply(x, nibbles, groups, bias, y, rows, inputs, outputs, group_size, sums);
}

extern "C" __global__ void __launch_bounds__(THREADS)
awq_dequantize(const unsigned* __restrict__ nibbles, const unsigned* __restrict__ groups, T* __restrict__ w, int inputs,
               int outputs, int group_size) {
  int lane = lane_index();
  int input_tiles = (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
  int tile = blockIdx.y * WARPS + warp_index();
  if (tile >= input_tiles) return;
  uint4 words = ((const uint4*)(nibbles + tile_at(blockIdx.x, tile, input_tiles)))[lane];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int first = tile * TILE_INPUTS + half * HALF_INPUTS;
    if (first >= inputs) break;
    const unsigned* group = groups + groups_at(blockIdx.x, first / group_size, inputs / group_size) + lane / 4;
    unsigned two_words[2] = {half ? words.z : words.x, half ? words.w : words.y};
#pragma unroll
    for (int upper = 0; upper < 2; upper++) {
      int output = blockIdx.x * TILE_OUTPUTS + lane / 4 + 8 * upper;
      if (output >= outputs) continue;
      unsigned of = group[8 * upper];
      float scale = scale_of(of);
      Eight e;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        unsigned pair = weight_pair(two_words[i / 2], i % 2 * 2 + upper, zero_pair(of));
        e.x[2 * i] = low_float(pair) * scale;
        e.x[2 * i + 1] = high_float(pair) * scale;
      }
      store_8(w + (long long)output * inputs + tile * TILE_INPUTS + half_input(lane, half), e);
    }
  }
}
