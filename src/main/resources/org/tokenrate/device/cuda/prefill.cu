// out[t, h, :] = sum over u of softmax_u(q[t, h] . k[u, h / group] * scale) v[u, h / group],
//   for positions u from p - window + 1 to p, the position of t
// qkv: [tokens, kv_heads, group + 2, head_dim] T, turned, of which the queries are read; cache: [block, layer, block_tiles,
// 2, kv_heads, 64, head_dim] T, which already holds the keys and values of these tokens too; out: [tokens, heads, head_dim]
// T.
// Flash attention over a paged cache: a block of threads takes 64 rows of one KV head of one sequence, a warp 16 of them,
// and goes over the 64-token tiles of the sequence's KV blocks with a running maximum and sum. A row is a token and one of
// the query heads that share the KV head (row = token * group + head), so that grouped queries read keys once. Keys of the
// next KV tile are under way while this one's are weighed, and values likewise. -DTR_HEAD_DIM is needed.
//
// kernel               arguments                                                                    grid                block
// attention_prefill    const T* qkv, const T* cache, const int* tiles, const int* start,            tiles, kv_heads     128
//                      const int* positions, const int* block_table, int max_blocks,
//                      int block_elements, int block_tiles, int layer, int kv_heads,
//                      int group, int window, float scale, T* out
//
// tiles: [tiles, 2] = (sequence, first row), of each sequence that is to be done here: rows 0, 64, 128, ... below
// (start[s + 1] - start[s]) * group; longest contexts first, so that the last blocks to start are short. A sequence of -1
// is padding. positions of a sequence's tokens rise by 1. block_tiles: tiles of a KV block. window = INT_MAX for all.
// scale = 1 / sqrt(head_dim).
// 64 rows, 4 warps: keys and values of one KV tile (34 KiB with heads of 128) stay below the 48 KiB that need no opt-in, and
// at 160 to 240 registers a thread 3 (heads of 64) or 2 (128) blocks a multiprocessor cover each other's waits.
#include "attention.cuh"

#define WARPS 4
#define THREADS (WARPS * TR_WARP)
#define TILE_ROWS (WARPS * TR_ROWS)

extern "C" __global__ void __launch_bounds__(THREADS)
attention_prefill(const T* __restrict__ qkv, const T* __restrict__ cache, const int* __restrict__ tiles,
                  const int* __restrict__ start, const int* __restrict__ positions, const int* __restrict__ block_table,
                  int max_blocks, int block_elements, int block_tiles, int layer, int kv_heads, int group, int window,
                  float scale, T* __restrict__ out) {
  alignas(16) __shared__ T keys[TR_TILE_TOKENS * TR_PITCH];
  alignas(16) __shared__ T values[TR_TILE_TOKENS * TR_PITCH];

  int sequence = tiles[2 * blockIdx.x];
  if (sequence < 0) return;
  int tile_row = tiles[2 * blockIdx.x + 1];
  int kv_head = blockIdx.y;
  int first_token = start[sequence];
  int row_count = (start[sequence + 1] - first_token) * group;
  int first_position = positions[first_token];
  int last_row = min(tile_row + TILE_ROWS, row_count) - 1;
  int context = first_position + last_row / group + 1;  // keys that the tile's last token sees
  int kv_tile = first_seen(first_position + tile_row / group, window) / TR_TILE_TOKENS;
  int end_tile = (context + TR_TILE_TOKENS - 1) / TR_TILE_TOKENS;
  const int* blocks = block_table + (long long)sequence * max_blocks;

  int token[2], position[2];
  const T* query[2];
  int head[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int row = tile_row + warp_index() * TR_ROWS + row_of(half);
    bool there = row < row_count;
    token[half] = there ? first_token + row / group : -1;
    head[half] = row % group;
    position[half] = first_position + row / group;
    query[half] = there ? qkv + qkv_at(token[half], kv_head, kv_heads, group, D) + head[half] * D : 0;
  }
  Rows rows;
  start_rows(rows, query[0], query[1]);

  const T* tile_keys = cache + keys_at(blocks, kv_tile, block_elements, block_tiles, layer, kv_head, kv_heads, D);
  int held = context - kv_tile * TR_TILE_TOKENS;
  copy_rows<TR_TILE_TOKENS, THREADS>(keys, tile_keys, held, threadIdx.x);
  copies_commit();
  copy_rows<TR_TILE_TOKENS, THREADS>(values, tile_keys + values_offset(kv_heads, D), held, threadIdx.x);
  copies_commit();
  for (; kv_tile < end_tile; kv_tile++) {
    bool more = kv_tile + 1 < end_tile;
    if (more) tile_keys = cache + keys_at(blocks, kv_tile + 1, block_elements, block_tiles, layer, kv_head, kv_heads, D);
    held = context - (kv_tile + 1) * TR_TILE_TOKENS;

    float scores[TR_TILE_TOKENS / 8][4];
    copies_wait<1>();
    __syncthreads();  // the keys are there
    multiply_keys<TR_TILE_TOKENS>(rows, keys, scores);
    __syncthreads();  // and no longer needed
    if (more) copy_rows<TR_TILE_TOKENS, THREADS>(keys, tile_keys, held, threadIdx.x);
    copies_commit();

    int first[2], end[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      first[half] = first_seen(position[half], window) - kv_tile * TR_TILE_TOKENS;
      end[half] = position[half] + 1 - kv_tile * TR_TILE_TOKENS;
    }
    softmax_step<TR_TILE_TOKENS>(rows, scores, scale * LOG2_E, first, end);

    copies_wait<1>();
    __syncthreads();  // the values are there
    multiply_values<TR_TILE_TOKENS>(rows, values, scores);
    __syncthreads();  // and no longer needed
    if (more) copy_rows<TR_TILE_TOKENS, THREADS>(values, tile_keys + values_offset(kv_heads, D), held, threadIdx.x);
    copies_commit();
  }

#pragma unroll
  for (int half = 0; half < 2; half++) {
    float inverse = 1.0f / row_total(rows, half);
    if (token[half] < 0) continue;
    T* to = out + out_at(token[half], kv_head * group + head[half], kv_heads * group, D);
#pragma unroll
    for (int j = 0; j < D / 8; j++) {
      *(unsigned*)(to + column_of(j)) = pack_pair(rows.sum[j][2 * half] * inverse, rows.sum[j][2 * half + 1] * inverse);
    }
  }
}
