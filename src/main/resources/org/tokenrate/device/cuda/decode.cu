// out[t, h, :] = sum over u of softmax_u(q[t, h] . k[u, h / group] * scale) v[u, h / group],
//   for positions u from p - window + 1 to p, the position of t; for tokens that are alone in their sequence.
// Shapes as in prefill.cu. Flash decoding: the KV tiles that a token sees are split over `splits` blocks of threads; a
// warp takes 16 tokens of each KV tile, for up to 16 of the query heads that share the KV head at once, with a maximum and
// sum of its own, and needs no barrier until the end, when the warps' parts are joined. attention_decode_reduce joins the
// splits. With splits = 1 the result goes straight to out. -DTR_HEAD_DIM is needed.
//
// kernel                     arguments                                                           grid                          block
// attention_decode           const T* qkv, const T* cache, const int* tokens,                    n, kv_heads * row_tiles,      128
//                            const int* positions, const int* sequence_of,                       splits
//                            const int* block_table, int max_blocks, int block_elements,
//                            int block_tiles, int layer, int kv_heads, int group, int window,
//                            float scale, float* partial, float* partial_scale, T* out
// attention_decode_reduce    const int* tokens, const int* positions, int window, int splits,    n, heads                      head_dim, rounded
//                            const float* partial, const float* partial_scale, T* out                                          up to 32
//
// tokens: [n], which rows of qkv, positions and sequence_of; a token whose position is negative is padding.
// row_tiles = ceil(group / 16). partial: [n, heads, splits, head_dim] f32; partial_scale: [n, heads, splits, 2] f32; both
// may be 0 with splits = 1. splits, for the device's multiprocessors and the batch's longest context, up to 64:
//   max(1, min(ceil(3 * multiprocessors / (n * kv_heads * row_tiles)), context / 256, 64))
// as 3 blocks fit a multiprocessor, and a split of fewer than 4 KV tiles costs more to join than it saves. Any number is
// right: a token whose context is shorter leaves splits empty. So a graph may be captured for the longest context.
// 4 warps: one for each 16 tokens of a KV tile.
#include "attention.cuh"

#define WARPS 4
#define THREADS (WARPS * TR_WARP)
#define WARP_TOKENS (TR_TILE_TOKENS / WARPS)

/* Blocks that are to fit a multiprocessor; one more would make the compiler spill registers. */
#define RESIDENT_BLOCKS (D <= 64 ? 4 : D <= 96 ? 3 : 2)

static_assert(WARP_TOKENS == 16, "a warp's tokens are the inner size of a tensor core's product");

/* KV tiles of one split: from first to end. */
struct Range {
  int first, end;
};

/* The splits share a token's tiles evenly; the last ones may have none. */
TR_INLINE Range split_range(int position, int window, int split, int splits) {
  int from = first_seen(position, window) / TR_TILE_TOKENS;
  int to = position / TR_TILE_TOKENS + 1;
  int each = (to - from + splits - 1) / splits;
  Range range = {min(to, from + split * each), min(to, from + (split + 1) * each)};
  return range;
}

TR_INLINE long long partial_at(int i, int head, int heads, int split, int splits) {
  return ((long long)i * heads + head) * splits + split;
}

extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT_BLOCKS)
attention_decode(const T* __restrict__ qkv, const T* __restrict__ cache, const int* __restrict__ tokens,
                 const int* __restrict__ positions, const int* __restrict__ sequence_of, const int* __restrict__ block_table,
                 int max_blocks, int block_elements, int block_tiles, int layer, int kv_heads, int group, int window,
                 float scale, float* __restrict__ partial, float* __restrict__ partial_scale, T* __restrict__ out) {
  // Keys and values of each warp, [WARPS, 2, WARP_TOKENS, TR_PITCH]; at the end the warps' sums, [WARPS, TR_ROWS, D].
  __shared__ uint4 memory[WARPS * 2 * WARP_TOKENS * TR_PITCH / 8];
  __shared__ float2 row_scales[WARPS][TR_ROWS];  // largest score, total weight
  static_assert(sizeof(memory) >= WARPS * TR_ROWS * D * sizeof(float), "the sums fit where keys and values were");

  int token = tokens[blockIdx.x];
  int position = positions[token];
  if (is_padding(position)) return;
  int split = blockIdx.z;
  int splits = gridDim.z;
  Range range = split_range(position, window, split, splits);
  if (range.first >= range.end) return;
  int kv_head = blockIdx.y % kv_heads;
  int first_head = (int)blockIdx.y / kv_heads * TR_ROWS;  // within the group
  int head_count = min(group - first_head, TR_ROWS);
  const int* blocks = block_table + (long long)sequence_of[token] * max_blocks;
  int lane = lane_index();
  int warp = warp_index();

  const T* queries = qkv + qkv_at(token, kv_head, kv_heads, group, D) + first_head * D;
  Rows rows;
  start_rows(rows, row_of(0) < head_count ? queries + row_of(0) * D : 0, row_of(1) < head_count ? queries + row_of(1) * D : 0);

  T* keys = (T*)memory + 2 * warp * WARP_TOKENS * TR_PITCH;
  T* values = keys + WARP_TOKENS * TR_PITCH;
  // Of this warp's tokens of a tile: the first that is seen, and the end. Only a range's outer tiles are seen in part.
  int seen_from = first_seen(position, window) - warp * WARP_TOKENS;
  int seen_to = position + 1 - warp * WARP_TOKENS;
  int kv_tile = range.first;
  int end = min(range.end, (seen_to + TR_TILE_TOKENS - 1) / TR_TILE_TOKENS);  // the last may hold none for this warp
  if (kv_tile < end) {
    const T* from = cache + keys_at(blocks, kv_tile, block_elements, block_tiles, layer, kv_head, kv_heads, D);
    from += warp * WARP_TOKENS * D;
    int held = seen_to - kv_tile * TR_TILE_TOKENS;
    copy_rows<WARP_TOKENS, TR_WARP>(keys, from, held, lane);
    copies_commit();
    copy_rows<WARP_TOKENS, TR_WARP>(values, from + values_offset(kv_heads, D), held, lane);
    copies_commit();
  }
  for (; kv_tile < end; kv_tile++) {
    bool more = kv_tile + 1 < end;
    const T* from = cache + warp * WARP_TOKENS * D;
    if (more) from += keys_at(blocks, kv_tile + 1, block_elements, block_tiles, layer, kv_head, kv_heads, D);
    int held = seen_to - (kv_tile + 1) * TR_TILE_TOKENS;

    float scores[WARP_TOKENS / 8][4];
    copies_wait<1>();
    __syncwarp();  // the keys are there
    multiply_keys<WARP_TOKENS>(rows, keys, scores);
    __syncwarp();  // and no longer needed
    if (more) copy_rows<WARP_TOKENS, TR_WARP>(keys, from, held, lane);
    copies_commit();

    int first[2] = {seen_from - kv_tile * TR_TILE_TOKENS, seen_from - kv_tile * TR_TILE_TOKENS};
    int after[2] = {seen_to - kv_tile * TR_TILE_TOKENS, seen_to - kv_tile * TR_TILE_TOKENS};
    softmax_step<WARP_TOKENS>(rows, scores, scale * LOG2_E, first, after);

    copies_wait<1>();
    __syncwarp();  // the values are there
    multiply_values<WARP_TOKENS>(rows, values, scores);
    __syncwarp();  // and no longer needed
    if (more) copy_rows<WARP_TOKENS, TR_WARP>(values, from + values_offset(kv_heads, D), held, lane);
    copies_commit();
  }

  copies_wait<0>();
  __syncthreads();  // no warp needs its keys and values any more
  float* sums = (float*)memory;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float total = row_total(rows, half);
    if (lane % 4 == 0) row_scales[warp][row_of(half)] = float2{rows.largest[half], total};
#pragma unroll
    for (int j = 0; j < D / 8; j++) {
      float2 two = {rows.sum[j][2 * half], rows.sum[j][2 * half + 1]};
      *(float2*)(sums + (warp * TR_ROWS + row_of(half)) * D + column_of(j)) = two;
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < head_count * D; i += THREADS) {
    int row = i / D;
    float largest = minus_infinity();
#pragma unroll
    for (int w = 0; w < WARPS; w++) largest = fmaxf(largest, row_scales[w][row].x);
    float sum = 0, total = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      float decay = exp2_approx(row_scales[w][row].x - largest);
      sum += sums[w * TR_ROWS * D + i] * decay;
      total += row_scales[w][row].y * decay;
    }
    int heads = kv_heads * group;
    int head = kv_head * group + first_head + row;
    if (splits == 1) {
      out[out_at(token, head, heads, D) + i % D] = to_T(sum / total);
    } else {
      long long at = partial_at(blockIdx.x, head, heads, split, splits);
      partial[at * D + i % D] = sum;
      if (i % D == 0) ((float2*)partial_scale)[at] = float2{largest, total};
    }
  }
}

extern "C" __global__ void __launch_bounds__(128)
attention_decode_reduce(const int* __restrict__ tokens, const int* __restrict__ positions, int window, int splits,
                        const float* __restrict__ partial, const float* __restrict__ partial_scale, T* __restrict__ out) {
  int token = tokens[blockIdx.x];
  int position = positions[token];
  int column = threadIdx.x;
  if (is_padding(position) || column >= D) return;
  int head = blockIdx.y;
  int heads = gridDim.y;
  long long at = partial_at(blockIdx.x, head, heads, 0, splits);
  const float2* scales = (const float2*)partial_scale + at;
  float largest = minus_infinity();
  float sum = 0, total = 0;
  for (int split = 0; split < splits; split++) {
    Range range = split_range(position, window, split, splits);
    if (range.first >= range.end) break;
    float2 scale = scales[split];
    float next = fmaxf(largest, scale.x);
    float base = next == minus_infinity() ? 0.0f : next;
    float decay = exp2_approx(largest - base);
    float weight = exp2_approx(scale.x - base);
    sum = sum * decay + partial[(at + split) * D + column] * weight;
    total = total * decay + scale.y * weight;
    largest = next;
  }
  out[out_at(token, head, heads, D) + column] = to_T(sum / total);
}
