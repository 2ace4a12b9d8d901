// -DTR_HEAD_DIM is needed.
//
// rope_table: table[t, i] = (cos, sin)(positions[t] * frequencies[frequency_row[t], i])
//   frequencies: [rows, head_dim / 2] f64, from RopeScaling.frequency / pi: half turns a position, so that the reduction
//   is exact; table: [tokens, head_dim / 2] pairs f32. Once an iteration, for all layers.
// rope_and_store: norms each query and key head, if the model does (x * rsqrt(mean(x^2) + eps) * weight), turns it
//   half-split (pair i is elements i and i + head_dim / 2), puts queries back into qkv and keys and values into the cache.
//   qkv: [tokens, kv_heads, group + 2, head_dim] T; cache: [block, layer, block_tiles, 2, kv_heads, 64, head_dim] T. A warp a
//   head.
//
// kernel           arguments                                                                            grid                block
// rope_table       const int* positions, const int* frequency_row (or 0: always row 0),                 tokens              32
//                  const double* frequencies, float* table
// rope_and_store   T* qkv, const int* positions, const int* sequence_of, const int* block_table,        tokens, kv_heads    128
//                  int max_blocks, const float* table, const T* query_norm (or 0), const T* key_norm
//                  (or 0), float eps, T* cache, int block_elements, int block_tiles, int layer,
//                  int kv_heads, int group
//
// block_table: [sequences, max_blocks]; a KV block has block_tiles tiles of 64 tokens, and so
// block_elements = layers * block_tiles * 2 * kv_heads * 64 * head_dim. A token of negative position is padding: nothing is
// written for it. A block has 4 warps: 3 heads a KV head in Llama 2, 6 to 10 with groups of 4 to 8.
#include "common.cuh"

#define D TR_HEAD_DIM
#define HALF (D / 2)
#define WARPS 4

extern "C" __global__ void __launch_bounds__(TR_WARP)
rope_table(const int* __restrict__ positions, const int* __restrict__ frequency_row, const double* __restrict__ frequencies,
           float* __restrict__ table) {
  int token = blockIdx.x;
  int position = positions[token];
  if (is_padding(position)) return;
  const double* row = frequencies + (frequency_row ? frequency_row[token] : 0) * HALF;
  for (int i = threadIdx.x; i < HALF; i += TR_WARP) {
    float2 turn;
    cos_sin_pi(position * row[i], &turn.x, &turn.y);
    ((float2*)table)[(long long)token * HALF + i] = turn;
  }
}

/* A lane's part of a head: pairs lane and lane + 32, as far as they are there. */
struct Pairs {
  float low[2], high[2];
};

TR_INLINE int pair_index(int j) { return lane_index() + j * TR_WARP; }

TR_INLINE Pairs load_pairs(const T* head) {
  Pairs p;
#pragma unroll
  for (int j = 0; j < 2; j++) {
    int i = pair_index(j);
    p.low[j] = i < HALF ? to_float(head[i]) : 0.0f;
    p.high[j] = i < HALF ? to_float(head[i + HALF]) : 0.0f;
  }
  return p;
}

TR_INLINE void store_pairs(T* head, const Pairs& p) {
#pragma unroll
  for (int j = 0; j < 2; j++) {
    int i = pair_index(j);
    if (i < HALF) {
      head[i] = to_T(p.low[j]);
      head[i + HALF] = to_T(p.high[j]);
    }
  }
}

TR_INLINE void normalize(Pairs& p, const T* weight, float eps) {
  float sum = 0;
#pragma unroll
  for (int j = 0; j < 2; j++) sum += p.low[j] * p.low[j] + p.high[j] * p.high[j];
  float scale = 1.0f / sqrtf(warp_sum(sum) / D + eps);
  Pairs w = load_pairs(weight);
#pragma unroll
  for (int j = 0; j < 2; j++) {
    p.low[j] = p.low[j] * scale * w.low[j];
    p.high[j] = p.high[j] * scale * w.high[j];
  }
}

TR_INLINE void turn(Pairs& p, const float2* row) {
#pragma unroll
  for (int j = 0; j < 2; j++) {
    int i = pair_index(j);
    if (i < HALF) {
      float2 by = row[i];
      float low = p.low[j];
      p.low[j] = low * by.x - p.high[j] * by.y;
      p.high[j] = p.high[j] * by.x + low * by.y;
    }
  }
}

extern "C" __global__ void __launch_bounds__(WARPS * TR_WARP)
rope_and_store(T* __restrict__ qkv, const int* __restrict__ positions, const int* __restrict__ sequence_of,
               const int* __restrict__ block_table, int max_blocks, const float* __restrict__ table,
               const T* __restrict__ query_norm, const T* __restrict__ key_norm, float eps, T* __restrict__ cache,
               int block_elements, int block_tiles, int layer, int kv_heads, int group) {
  int token = blockIdx.x;
  int kv_head = blockIdx.y;
  int position = positions[token];
  if (is_padding(position)) return;
  const float2* turns = (const float2*)table + (long long)token * HALF;
  T* heads = qkv + qkv_at(token, kv_head, kv_heads, group, D);
  const int* blocks = block_table + (long long)sequence_of[token] * max_blocks;
  long long tile = keys_at(blocks, position / TR_TILE_TOKENS, block_elements, block_tiles, layer, kv_head, kv_heads, D);
  T* key = cache + tile + position % TR_TILE_TOKENS * D;

  for (int h = warp_index(); h < group + 2; h += WARPS) {
    Pairs p = load_pairs(heads + h * D);
    if (h == group + 1) {
      store_pairs(key + values_offset(kv_heads, D), p);
      continue;
    }
    const T* norm = h == group ? key_norm : query_norm;
    if (norm) normalize(p, norm, eps);
    turn(p, turns);
    store_pairs(h == group ? key : heads + h * D, p);
  }
}
