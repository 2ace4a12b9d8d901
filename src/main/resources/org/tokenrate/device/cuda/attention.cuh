// One warp's share of attention, for prefill and decode: 16 query rows against keys and values in shared memory, by tensor
// cores, with online softmax (https://arxiv.org/abs/2205.14135, algorithm 1; the registers' reuse as in
// https://arxiv.org/abs/2307.08691). Scores never leave the registers: the product q k^T leaves them where p v wants them.
// -DTR_HEAD_DIM is needed.
#pragma once
#include "common.cuh"

#define D TR_HEAD_DIM

/* Query rows of a warp: the height of a tensor core's product. */
#define TR_ROWS 16

/* Elements between rows of keys or values in shared memory. 8 more than a head: 8 rows then start in 8 different groups of 4 banks. */
#define TR_PITCH (D + 8)

/* 16-byte pieces of a row. */
#define TR_ROW_PIECES (D / 8)

#define LOG2_E 1.4426950408889634f

/* A lane holds of rows lane / 4 and lane / 4 + 8 what multiply_16x8x16 says. */
struct Rows {
  unsigned query[D / 16][4];
  float sum[D / 8][4];  // of weighted values, relative to the largest score so far
  float largest[2];     // the largest score so far, in units of log 2; the same in the row's 4 lanes
  float total[2];       // of weights; this lane's part
};

/* Row of a lane: half 0 or 1. */
TR_INLINE int row_of(int half) { return lane_index() / 4 + 8 * half; }

/* First of the two adjacent columns that a lane holds of n-tile j. */
TR_INLINE int column_of(int j) { return 8 * j + 2 * (lane_index() % 4); }

/* Rows to begin with; the pointers are to the lane's two query rows, or 0 where there is none. */
TR_INLINE void start_rows(Rows& rows, const T* low, const T* high) {
#pragma unroll
  for (int k = 0; k < D / 16; k++) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
      int column = column_of(2 * k + i);
      rows.query[k][2 * i] = low ? *(const unsigned*)(low + column) : 0u;
      rows.query[k][2 * i + 1] = high ? *(const unsigned*)(high + column) : 0u;
    }
  }
#pragma unroll
  for (int j = 0; j < D / 8; j++) {
#pragma unroll
    for (int i = 0; i < 4; i++) rows.sum[j][i] = 0;
  }
#pragma unroll
  for (int half = 0; half < 2; half++) {
    rows.largest[half] = minus_infinity();
    rows.total[half] = 0;
  }
}

/* scores = q k^T. keys: [KEYS, TR_PITCH], KEYS a multiple of 16. */
template <int KEYS>
TR_INLINE void multiply_keys(const Rows& rows, const T* keys, float (&scores)[KEYS / 8][4]) {
  // Matrices of a load: keys 0-7 and 8-15 of a pair of n-tiles, each with inner elements 0-7 and 8-15.
  int lane = lane_index();
  const T* mine = keys + (lane / 16 * 8 + lane % 8) * TR_PITCH + lane / 8 % 2 * 8;
#pragma unroll
  for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
    for (int i = 0; i < 4; i++) scores[j][i] = 0;
  }
#pragma unroll
  for (int k = 0; k < D / 16; k++) {
#pragma unroll
    for (int j = 0; j < KEYS / 8; j += 2) {
      unsigned b[4];
      load_matrices(b, mine + 8 * j * TR_PITCH + 16 * k);
      multiply_16x8x16(scores[j], rows.query[k], b[0], b[1]);
      multiply_16x8x16(scores[j + 1], rows.query[k], b[2], b[3]);
    }
  }
}

/*
 * Turns scores into weights relative to the row's largest score, and rescales what was summed before. Row `half` sees the
 * keys first[half] to end[half] (exclusive) of these KEYS; scale is 1 / sqrt(head_dim) in units of log 2.
 */
template <int KEYS>
TR_INLINE void softmax_step(Rows& rows, float (&scores)[KEYS / 8][4], float scale, const int (&first)[2], const int (&end)[2]) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float largest = rows.largest[half];
#pragma unroll
    for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        int key = column_of(j) + i;
        float s = scores[j][2 * half + i] * scale;
        scores[j][2 * half + i] = key >= first[half] && key < end[half] ? s : minus_infinity();
        largest = fmaxf(largest, scores[j][2 * half + i]);
      }
    }
    largest = fmaxf(largest, __shfl_xor_sync(TR_ALL_LANES, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(TR_ALL_LANES, largest, 2));
    // A row that has seen nothing yet: any finite base gives weights of 0.
    float base = largest == minus_infinity() ? 0.0f : largest;
    float decay = exp2_approx(rows.largest[half] - base);
    rows.largest[half] = largest;
    float total = rows.total[half] * decay;
#pragma unroll
    for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        float weight = exp2_approx(scores[j][2 * half + i] - base);
        scores[j][2 * half + i] = weight;
        total += weight;
      }
    }
    rows.total[half] = total;
#pragma unroll
    for (int j = 0; j < D / 8; j++) {
      rows.sum[j][2 * half] *= decay;
      rows.sum[j][2 * half + 1] *= decay;
    }
  }
}

/* sum += weights v. values: [KEYS, TR_PITCH]. Weights are rounded to T. */
template <int KEYS>
TR_INLINE void multiply_values(Rows& rows, const T* values, const float (&weights)[KEYS / 8][4]) {
  // Matrices of a load: keys 0-7 and 8-15 of the first 8 columns, then of the next 8.
  int lane = lane_index();
  const T* mine = values + lane % 16 * TR_PITCH + lane / 16 * 8;
#pragma unroll
  for (int k = 0; k < KEYS / 16; k++) {
    unsigned a[4];
#pragma unroll
    for (int i = 0; i < 2; i++) {
      a[2 * i] = pack_pair(weights[2 * k + i][0], weights[2 * k + i][1]);
      a[2 * i + 1] = pack_pair(weights[2 * k + i][2], weights[2 * k + i][3]);
    }
#pragma unroll
    for (int j = 0; j < D / 8; j += 2) {
      unsigned b[4];
      load_matrices_transposed(b, mine + 16 * k * TR_PITCH + 8 * j);
      multiply_16x8x16(rows.sum[j], a, b[0], b[1]);
      multiply_16x8x16(rows.sum[j + 1], a, b[2], b[3]);
    }
  }
}

/* The row's whole sum of weights. */
TR_INLINE float row_total(const Rows& rows, int half) {
  float total = rows.total[half];
  total += __shfl_xor_sync(TR_ALL_LANES, total, 1);
  total += __shfl_xor_sync(TR_ALL_LANES, total, 2);
  return total;
}

/*
 * Copies TOKENS rows of keys or values, [TOKENS, head_dim] in a row, to shared memory [TOKENS, TR_PITCH]; rows from `held`
 * on become zeros, for what lies in the cache beyond the context may be anything. By THREADS threads, of which this is
 * `thread`.
 */
template <int TOKENS, int THREADS>
TR_INLINE void copy_rows(T* shared, const T* from, int held, unsigned thread) {
  static_assert(TOKENS * TR_ROW_PIECES % THREADS == 0, "each thread copies the same number of pieces");
#pragma unroll
  for (int i = 0; i < TOKENS * TR_ROW_PIECES / THREADS; i++) {
    unsigned piece = i * THREADS + thread;
    unsigned token = piece / TR_ROW_PIECES;
    unsigned column = piece % TR_ROW_PIECES * 8;
    copy_16_async(shared + token * TR_PITCH + column, from + 8 * piece, (int)token < held);
  }
}
