package org.tokenrate.dataset;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;

/**
 * The numbers of CPython's {@code random.Random(seed)} (3.11 and 3.12) for an integer seed, bit for
 * bit: the Mersenne Twister MT19937 of M. Matsumoto and T. Nishimura, ACM TOMACS 8(1), 1998, seeded
 * by their {@code init_by_array} with the 32-bit limbs of the seed's absolute value. Not
 * thread-safe.
 */
public final class PythonRandom {
    private static final int N = 624;
    private static final int M = 397;
    private static final int TWIST = 0x9908b0df;

    private final int[] state = new int[N];
    private int next = N;

    public PythonRandom(long seed) {
        // Long.MIN_VALUE is its own absolute value, and right when read as unsigned.
        long magnitude = Math.abs(seed);
        int high = (int) (magnitude >>> 32);
        seed(high == 0 ? new int[] {(int) magnitude} : new int[] {(int) magnitude, high});
    }

    private void seed(int[] key) {
        state[0] = 19650218;
        for (int i = 1; i < N; i++) state[i] = 1812433253 * mixed(i - 1) + i;
        int i = 1;
        int j = 0;
        for (int k = Math.max(N, key.length); k > 0; k--) {
            state[i] = (state[i] ^ (mixed(i - 1) * 1664525)) + key[j] + j;
            j = (j + 1) % key.length;
            i = advance(i);
        }
        for (int k = N - 1; k > 0; k--) {
            state[i] = (state[i] ^ (mixed(i - 1) * 1566083941)) - i;
            i = advance(i);
        }
        state[0] = 0x80000000;
    }

    private int mixed(int i) {
        return state[i] ^ (state[i] >>> 30);
    }

    private int advance(int i) {
        if (i < N - 1) return i + 1;
        state[0] = state[N - 1];
        return 1;
    }

    /** The next 32 random bits. */
    private int nextWord() {
        if (next == N) {
            for (int i = 0; i < N; i++) {
                int y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
                state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) * TWIST);
            }
            next = 0;
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    /** {@code random.random()}: a multiple of 2^-53 in [0, 1). */
    public double random() {
        long a = nextWord() >>> 5;
        long b = nextWord() >>> 6;
        return (a * 0x1p26 + b) * 0x1p-53;
    }

    /**
     * {@code random.getrandbits(k)}.
     *
     * @param k bits, from 0 to 64; with 64 read the result as unsigned
     */
    public long getrandbits(int k) {
        if (k < 0 || k > 64) {
            throw new IllegalArgumentException("getrandbits(" + k + "): k must be from 0 to 64");
        }
        if (k == 0) return 0;
        if (k <= 32) return Integer.toUnsignedLong(nextWord()) >>> (32 - k);
        long low = Integer.toUnsignedLong(nextWord());
        return low | (Integer.toUnsignedLong(nextWord()) >>> (64 - k)) << 32;
    }

    /** {@code random.randrange(n)}: uniform from 0 to n - 1; {@code n} is at least 1. */
    public int randrange(int n) {
        if (n < 1) throw new IllegalArgumentException("randrange(" + n + "): n must be at least 1");
        int bits = 32 - Integer.numberOfLeadingZeros(n);
        long r = getrandbits(bits);
        while (r >= n) r = getrandbits(bits);
        return (int) r;
    }

    /** {@code random.shuffle(list)}, in place. */
    public void shuffle(List<?> list) {
        for (int i = list.size() - 1; i > 0; i--) Collections.swap(list, i, randrange(i + 1));
    }

    /**
     * {@code random.sample(population, k)}: {@code k} of its elements, in random order.
     *
     * @throws IllegalArgumentException if the population has fewer
     */
    public <T> List<T> sample(List<T> population, int k) {
        int n = population.size();
        if (k < 0 || k > n) {
            throw new IllegalArgumentException(
                    "cannot sample " + k + " of a population of " + n + " without repeats");
        }
        return n <= setSize(k) ? sampleByPool(population, k) : sampleBySet(population, k);
    }

    /** CPython's guess of when a set of the chosen takes less memory than a copied list. */
    private static long setSize(int k) {
        if (k <= 5) return 21;
        long power = 1; // 4 ** ceil(log(3 k, 4))
        while (power < 3L * k) power *= 4;
        return 21 + power;
    }

    private <T> List<T> sampleByPool(List<T> population, int k) {
        var pool = new ArrayList<>(population);
        var chosen = new ArrayList<T>(k);
        for (int left = pool.size(); chosen.size() < k; left--) {
            int j = randrange(left);
            chosen.add(pool.get(j));
            pool.set(j, pool.get(left - 1));
        }
        return chosen;
    }

    private <T> List<T> sampleBySet(List<T> population, int k) {
        var seen = new HashSet<Integer>();
        var chosen = new ArrayList<T>(k);
        while (chosen.size() < k) {
            int j = randrange(population.size());
            if (seen.add(j)) chosen.add(population.get(j));
        }
        return chosen;
    }
}
