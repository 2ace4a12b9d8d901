// chosen[i] = the first of the largest logits[i, :], or a draw from their top-k, top-p, temperature distribution; -1 if a
// logit is not a number or the largest is infinite.      logits: [rows, vocabulary] f32 (or by shards, see below)
// Draws follow the same rules and generator as the CPU's: tokens from the likeliest down (equals: the smaller id first), the
// first top_k of them (0: all), of these the fewest whose probability reaches top_p of theirs, one of these by inversion.
// Without sorting: a token's place in the order is a 32-bit key that falls with its logit, and each of the three steps asks
// for the first key at which a running sum, of tokens or of probability, reaches a goal. A histogram over the key's upper 10
// bits, then over the next 11 of one bin, then over the last 11, finds it; equal logits are told apart by counting ids.
// Sums are of integers (probabilities relative to the largest, times 2^44), so that no order of additions changes a draw.
// One block a row.
//
// kernel   arguments                                                                                    grid   block
// sample   const float* logits, int vocabulary, int shards, long long shard_elements,                   rows   1024
//          const int* top_k, const float* top_p, const float* temperature, const int* seed [rows, 2],
//          const int* position, int* chosen
//
// top_k 1 or temperature 0 is greedy. seed: 64 bits, the lower half first. position: the generator's counter, the position of
// the token to be chosen. Logits whose vocabulary is split over tensor-parallel ranks lie as an all-gather leaves them: shards
// matrices [rows, ceil(vocabulary / shards)], shard_elements apart; 1 shard is the plain matrix (shard_elements is not used).
// 1024 threads: a row of 152k logits is 600 KB, and one multiprocessor must read it by itself.
#include "common.cuh"

#define THREADS 1024
#define WARPS (THREADS / TR_WARP)
#define UPPER_BITS 10
#define LOWER_BITS 11
#define UPPER_BINS (1 << UPPER_BITS)
#define LOWER_BINS (1 << LOWER_BITS)

typedef unsigned long long u64;

/* One row of logits. */
struct Row {
  const float* first;
  int vocabulary, shards, columns;
  long long shard_elements;
};

/* Calls see(logit, id) for every token of the row: each thread some of them, in rising order. */
template <class See>
TR_INLINE void for_each(const Row& row, See see) {
  for (int s = 0; s < row.shards; s++) {
    const float* shard = row.first + s * row.shard_elements;
    int base = s * row.columns;
    int count = min(row.columns, row.vocabulary - base);
    for (int i = threadIdx.x; i < count; i += THREADS) see(shard[i], base + i);
  }
}

TR_INLINE float logit_at(const Row& row, int id) {
  return row.first[id / row.columns * row.shard_elements + id % row.columns];
}

/* Orders by falling logit. */
TR_INLINE unsigned key_of(float logit) {
  unsigned bits = float_bits(logit);
  return bits & 0x80000000u ? bits : 0x7fffffffu - bits;
}

/* Probability relative to the largest one's, times 2^44: a sum of 2^19 of them fits 63 bits. */
TR_INLINE u64 mass_of(float logit, float largest, float temperature) {
  return (u64)(expf((logit - largest) / temperature) * 0x1p44f);
}

/* A 64-bit mix of SplitMix64. */
TR_INLINE u64 mix(u64 z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

/* In [0, 1), from the request's seed and the token's position. */
TR_INLINE double uniform(u64 seed, int position) {
  u64 z = mix(seed + 0x9e3779b97f4a7c15ull) + (u64)(long long)position * 0x9e3779b97f4a7c15ull;
  return (double)(mix(z) >> 11) * 0x1p-53;
}

/* The largest logit and its first id. */
struct Largest {
  float logit;
  int id;
  bool broken;  // one is not a number
};

TR_INLINE Largest larger(Largest a, Largest b) {
  bool first = a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  Largest c = {first ? a.logit : b.logit, first ? a.id : b.id, a.broken || b.broken};
  return c;
}

TR_INLINE Largest warp_largest(Largest x) {
#pragma unroll
  for (int offset = TR_WARP / 2; offset > 0; offset /= 2) {
    Largest other = {__shfl_xor_sync(TR_ALL_LANES, x.logit, offset), __shfl_xor_sync(TR_ALL_LANES, x.id, offset),
                     __shfl_xor_sync(TR_ALL_LANES, (int)x.broken, offset) != 0};
    x = larger(x, other);
  }
  return x;
}

/* What the block shares; 37 KiB. */
struct Shared {
  u64 upper_mass[UPPER_BINS];
  u64 lower_mass[LOWER_BINS];
  unsigned upper_count[UPPER_BINS];
  unsigned lower_count[LOWER_BINS];
  Largest largest[WARPS];
  u64 before_mass, before_count;  // of what comes before the bin found
  unsigned bin;
  unsigned equal[THREADS];
  int id;
};

/* Where a running sum reached its goal: `ties` tokens of the key and all before it. */
struct Cut {
  unsigned key;
  u64 mass;        // up to here
  unsigned ties;   // 1 is the first of the key
  unsigned equal;  // tokens that have the key
};

/* For a thread of the first warp: finds the first bin at which before + the bins' weights reach the goal. */
TR_INLINE void find_bin(Shared& s, const u64* mass, const unsigned* count, int bins, bool by_mass, u64 goal) {
  int lane = lane_index();
  int each = bins / TR_WARP;
  u64 my_mass = 0, my_count = 0;
  for (int i = lane * each; i < (lane + 1) * each; i++) {
    my_mass += mass[i];
    my_count += count[i];
  }
  u64 mass_to = my_mass, count_to = my_count;  // sums of all lanes up to this one
#pragma unroll
  for (int offset = 1; offset < TR_WARP; offset *= 2) {
    u64 m = __shfl_up_sync(TR_ALL_LANES, mass_to, offset);
    u64 c = __shfl_up_sync(TR_ALL_LANES, count_to, offset);
    if (lane >= offset) {
      mass_to += m;
      count_to += c;
    }
  }
  mass_to += s.before_mass;
  count_to += s.before_count;
  unsigned reached = __ballot_sync(TR_ALL_LANES, (by_mass ? mass_to : count_to) >= goal);
  // Every lane has read what was before; rounding may leave a goal a little beyond the last: then the last bin that has any.
  int owner = reached ? __ffs(reached) - 1 : TR_WARP - 1;
  __syncwarp();
  if (lane == owner) {
    u64 m = mass_to - my_mass, c = count_to - my_count;
    int bin = lane * each;
    while (bin + 1 < (lane + 1) * each && (by_mass ? m + mass[bin] : c + count[bin]) < goal) {
      m += mass[bin];
      c += count[bin++];
    }
    s.bin = bin;
    s.before_mass = m;
    s.before_count = c;
  }
}

/* A histogram of the keys whose upper bits are `prefix`, by their next 11; then the bin that reaches the goal. */
TR_INLINE unsigned find_lower_bin(Shared& s, const Row& row, float largest, float temperature, unsigned prefix, int shift,
                                  bool by_mass, u64 goal) {
  for (int i = threadIdx.x; i < LOWER_BINS; i += THREADS) {
    s.lower_mass[i] = 0;
    s.lower_count[i] = 0;
  }
  __syncthreads();
  for_each(row, [&](float logit, int) {
    unsigned key = key_of(logit);
    if (key >> (shift + LOWER_BITS) != prefix) return;
    unsigned bin = key >> shift & (LOWER_BINS - 1);
    atomicAdd(&s.lower_mass[bin], mass_of(logit, largest, temperature));
    atomicAdd(&s.lower_count[bin], 1u);
  });
  __syncthreads();
  if (warp_index() == 0) find_bin(s, s.lower_mass, s.lower_count, LOWER_BINS, by_mass, goal);
  __syncthreads();
  return prefix << LOWER_BITS | s.bin;
}

/* Where the sum of mass, or the number of tokens, first reaches the goal, from the likeliest token down. */
TR_INLINE Cut find_cut(Shared& s, const Row& row, float largest, float temperature, bool by_mass, u64 goal) {
  if (threadIdx.x == 0) {
    s.before_mass = 0;
    s.before_count = 0;
  }
  __syncthreads();
  if (warp_index() == 0) find_bin(s, s.upper_mass, s.upper_count, UPPER_BINS, by_mass, goal);
  __syncthreads();
  unsigned prefix = find_lower_bin(s, row, largest, temperature, s.bin, LOWER_BITS, by_mass, goal);
  unsigned key = find_lower_bin(s, row, largest, temperature, prefix, 0, by_mass, goal);
  Cut cut;
  cut.key = key;
  cut.equal = s.lower_count[s.bin];
  u64 one = s.lower_mass[s.bin] / max(1u, cut.equal);  // tokens of one logit have the same mass
  u64 missing = goal - (by_mass ? s.before_mass : s.before_count);
  u64 ties = by_mass ? (missing + one - 1) / max((u64)1, one) : missing;
  cut.ties = (unsigned)max((u64)1, min(ties, (u64)cut.equal));
  cut.mass = s.before_mass + cut.ties * one;
  __syncthreads();  // before the next search writes what was read here
  return cut;
}

/* The id of the cut's last token. */
TR_INLINE int id_of(Shared& s, const Row& row, Cut cut) {
  // Ids by count: a thread looks at adjacent ones.
  int each = (row.vocabulary + THREADS - 1) / THREADS;
  int from = min(row.vocabulary, (int)threadIdx.x * each);
  int to = min(row.vocabulary, from + each);
  unsigned mine = 0;
  if (cut.equal > 1) {
    for (int id = from; id < to; id++) mine += key_of(logit_at(row, id)) == cut.key;
    s.equal[threadIdx.x] = mine;
    __syncthreads();
    unsigned before = 0;
    for (int i = 0; i < (int)threadIdx.x; i++) before += s.equal[i];
    for (int id = from; mine > 0 && before < cut.ties && id < to; id++) {
      if (key_of(logit_at(row, id)) == cut.key && ++before == cut.ties) s.id = id;
    }
  } else {
    for_each(row, [&](float logit, int id) {
      if (key_of(logit) == cut.key) s.id = id;
    });
  }
  __syncthreads();
  return s.id;
}

TR_INLINE int draw(Shared& s, const Row& row, float largest, int top_k, float top_p, float temperature, double u) {
  for (int i = threadIdx.x; i < UPPER_BINS; i += THREADS) {
    s.upper_mass[i] = 0;
    s.upper_count[i] = 0;
  }
  __syncthreads();
  for_each(row, [&](float logit, int) {
    unsigned bin = key_of(logit) >> (32 - UPPER_BITS);
    atomicAdd(&s.upper_mass[bin], mass_of(logit, largest, temperature));
    atomicAdd(&s.upper_count[bin], 1u);
  });
  __syncthreads();
  u64 k = (u64)(top_k == 0 ? row.vocabulary : min(top_k, row.vocabulary));
  Cut kept = find_cut(s, row, largest, temperature, false, k);
  // A double holds 53 bits of a sum: its rounding must not lead beyond what is kept.
  u64 nucleus_goal = min((u64)max(1.0, ceil((double)top_p * (double)kept.mass)), kept.mass);
  Cut nucleus = find_cut(s, row, largest, temperature, true, nucleus_goal);
  u64 goal = min((u64)(u * (double)nucleus.mass) + 1, nucleus.mass);
  Cut cut = find_cut(s, row, largest, temperature, true, goal);
  return id_of(s, row, cut);
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
sample(const float* __restrict__ logits, int vocabulary, int shards, long long shard_elements, const int* __restrict__ top_k,
       const float* __restrict__ top_p, const float* __restrict__ temperature, const int* __restrict__ seed,
       const int* __restrict__ position, int* __restrict__ chosen) {
  __shared__ Shared s;
  int i = blockIdx.x;
  int columns = (vocabulary + shards - 1) / shards;
  Row row = {logits + (long long)i * columns, vocabulary, shards, columns, shard_elements};

  Largest largest = {minus_infinity(), vocabulary, false};
  for_each(row, [&](float logit, int id) {
    Largest next = {logit, id, logit != logit};
    largest = larger(largest, next);
  });
  largest = warp_largest(largest);
  if (lane_index() == 0) s.largest[warp_index()] = largest;
  __syncthreads();
  largest = warp_largest(s.largest[lane_index()]);  // as many warps as lanes

  int id;
  if (largest.broken || fabsf(largest.logit) > 3.402823466e38f) {
    id = -1;
  } else if (top_k[i] == 1 || temperature[i] == 0) {
    id = largest.id;
  } else {
    u64 whole_seed = (u64)(unsigned)seed[2 * i] | (u64)(unsigned)seed[2 * i + 1] << 32;
    id = draw(s, row, largest.logit, top_k[i], top_p[i], temperature[i], uniform(whole_seed, position[i]));
  }
  if (threadIdx.x == 0) chosen[i] = id;
}
