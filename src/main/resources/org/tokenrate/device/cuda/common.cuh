// The element type, reductions over a warp and a block, and where things lie. Every kernel includes this.
//
// -DTR_TYPE_F16=1 or -DTR_TYPE_BF16=1 chooses the type T of weights, matrix inputs and KV cache.
// -DTR_HEAD_DIM=64|80|96|128 is given where a file's head comment asks for it.
#pragma once
#include "ptx.cuh"

struct T {
  unsigned short bits;
};

TR_INLINE float to_float(T x) { return half_to_float(x.bits); }
TR_INLINE T to_T(float x) {
  T t;
  t.bits = float_to_half(x);
  return t;
}

// ---- vectors of 8 T: the 16 bytes that a thread moves best ---------------------------------------------

struct Eight {
  float x[8];
};

TR_INLINE Eight unpack_8(uint4 v) {
  Eight e = {{low_float(v.x), high_float(v.x), low_float(v.y), high_float(v.y),
              low_float(v.z), high_float(v.z), low_float(v.w), high_float(v.w)}};
  return e;
}

TR_INLINE uint4 pack_8(const Eight& e) {
  uint4 v = {pack_pair(e.x[0], e.x[1]), pack_pair(e.x[2], e.x[3]), pack_pair(e.x[4], e.x[5]), pack_pair(e.x[6], e.x[7])};
  return v;
}

TR_INLINE Eight load_8(const T* from) { return unpack_8(*(const uint4*)from); }
TR_INLINE void store_8(T* to, const Eight& e) { *(uint4*)to = pack_8(e); }

TR_INLINE Eight load_8(const float* from) {
  float4 a = ((const float4*)from)[0];
  float4 b = ((const float4*)from)[1];
  Eight e = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
  return e;
}

TR_INLINE void store_8(float* to, const Eight& e) {
  float4 a = {e.x[0], e.x[1], e.x[2], e.x[3]};
  float4 b = {e.x[4], e.x[5], e.x[6], e.x[7]};
  ((float4*)to)[0] = a;
  ((float4*)to)[1] = b;
}

// ---- reductions ------------------------------------------------------------------------------------------

TR_INLINE int lane_index() { return threadIdx.x % TR_WARP; }
TR_INLINE int warp_index() { return threadIdx.x / TR_WARP; }

TR_INLINE float warp_sum(float x) {
#pragma unroll
  for (int offset = TR_WARP / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(TR_ALL_LANES, x, offset);
  return x;
}

/* The sum over a block of WARPS warps, for every thread. `partial` is the caller's, [WARPS], used once a call. */
template <int WARPS>
TR_INLINE float block_sum(float x, float* partial) {
  x = warp_sum(x);
  if (lane_index() == 0) partial[warp_index()] = x;
  __syncthreads();
  float sum = 0;
#pragma unroll
  for (int w = 0; w < WARPS; w++) sum += partial[w];
  return sum;
}

// ---- layouts ---------------------------------------------------------------------------------------------

/* Tokens of a tile of the KV cache. A KV block is one tile or several. */
#define TR_TILE_TOKENS 64

/* A padding token, which fills a captured batch up, has a negative position: kernels pass over it. */
TR_INLINE bool is_padding(int position) { return position < 0; }

/* First column of a KV head in a row of qkv: its `group` queries, then its key, then its value. */
TR_INLINE int head_columns(int group, int head_dim) { return (group + 2) * head_dim; }

/* Start of a KV head's part of a token's row in qkv [tokens, kv_heads, group + 2, head_dim]. */
TR_INLINE long long qkv_at(int token, int kv_head, int kv_heads, int group, int head_dim) {
  return ((long long)token * kv_heads + kv_head) * head_columns(group, head_dim);
}

/* Start of a query head's part of a token's row in out [tokens, heads, head_dim]. */
TR_INLINE long long out_at(int token, int head, int heads, int head_dim) {
  return ((long long)token * heads + head) * head_dim;
}

/* Start of a head's keys, [64, head_dim], in the cache [block, layer, block_tiles, 2, kv_heads, 64, head_dim]; its values follow
   by values_offset. kv_tile: counted from the sequence's first token; blocks: the sequence's row of the block table. */
TR_INLINE long long keys_at(const int* blocks, int kv_tile, int block_elements, int block_tiles, int layer, int kv_head,
                            int kv_heads, int head_dim) {
  int block = kv_tile / block_tiles;
  int tile = layer * block_tiles + (kv_tile - block * block_tiles);
  return (long long)blocks[block] * block_elements + (long long)(2 * tile * kv_heads + kv_head) * TR_TILE_TOKENS * head_dim;
}

TR_INLINE int values_offset(int kv_heads, int head_dim) { return kv_heads * TR_TILE_TOKENS * head_dim; }

/* First position that a token at `position` sees. */
TR_INLINE int first_seen(int position, int window) { return max(0, position - window + 1); }
