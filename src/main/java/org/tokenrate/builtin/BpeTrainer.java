package org.tokenrate.builtin;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Learns byte-pair merges (Sennrich, Haddow and Birch, 2016): again and again, the neighbouring
 * pair that occurs most often becomes a token. Of pairs that occur equally often the one with the
 * smaller ids wins, so the result does not depend on any map's order.
 */
final class BpeTrainer {
    /** Token ids, of which the second stood right of the first. */
    record Pair(int left, int right) {}

    private record Candidate(long count, Pair pair) {
        static final Comparator<Candidate> BEST_FIRST =
                Comparator.comparingLong((Candidate c) -> -c.count)
                        .thenComparingInt(c -> c.pair.left)
                        .thenComparingInt(c -> c.pair.right);
    }

    private static final class Occurrences {
        long count;
        final Set<Integer> words = new LinkedHashSet<>();
    }

    private final int[][] words;
    private final long[] counts;
    private final Map<Pair, Occurrences> pairs = new HashMap<>();

    /**
     * @param words token ids of each distinct word
     * @param counts how often each word occurs
     */
    BpeTrainer(List<int[]> words, long[] counts) {
        this.words = words.toArray(int[][]::new);
        this.counts = counts;
        for (int w = 0; w < this.words.length; w++) {
            for (int i = 0; i + 1 < this.words[w].length; i++) {
                count(w, this.words[w][i], this.words[w][i + 1], 1);
            }
        }
    }

    /**
     * @param firstId id of the token that the first merge makes; the next makes the next id
     * @return the merges in the order in which they were learned
     * @throws IllegalStateException if the words are too few for so many merges
     */
    List<Pair> learn(int firstId, int merges) {
        var queue = new PriorityQueue<>(Candidate.BEST_FIRST);
        pairs.forEach((pair, seen) -> queue.add(new Candidate(seen.count, pair)));
        var learned = new ArrayList<Pair>();
        while (learned.size() < merges) {
            Candidate best = queue.poll();
            if (best == null) {
                throw new IllegalStateException(
                        "The text yields only %d merges of %d; give more text."
                                .formatted(learned.size(), merges));
            }
            long count = pairs.get(best.pair).count;
            if (count != best.count) { // counted before a later merge took some of its occurrences
                if (count > 0) {
                    queue.add(new Candidate(count, best.pair));
                }
                continue;
            }
            int id = firstId + learned.size();
            learned.add(best.pair);
            for (Pair fresh : merge(best.pair, id)) {
                queue.add(new Candidate(pairs.get(fresh).count, fresh));
            }
        }
        return learned;
    }

    /** Replaces the pair by the token wherever it stands; returns the pairs that this brought. */
    private Set<Pair> merge(Pair pair, int id) {
        var fresh = new LinkedHashSet<Pair>();
        for (int w : List.copyOf(pairs.get(pair).words)) {
            int[] old = words[w];
            int[] merged = replace(old, pair, id);
            if (merged.length == old.length) {
                continue;
            }
            for (int i = 0; i + 1 < old.length; i++) {
                count(w, old[i], old[i + 1], -1);
            }
            for (int i = 0; i + 1 < merged.length; i++) {
                count(w, merged[i], merged[i + 1], 1);
                if (merged[i] == id || merged[i + 1] == id) {
                    fresh.add(new Pair(merged[i], merged[i + 1]));
                }
            }
            words[w] = merged;
        }
        return fresh;
    }

    private static int[] replace(int[] word, Pair pair, int id) {
        var merged = new int[word.length];
        int length = 0;
        for (int i = 0; i < word.length; i++) {
            boolean here = i + 1 < word.length && word[i] == pair.left && word[i + 1] == pair.right;
            merged[length++] = here ? id : word[i];
            if (here) {
                i++;
            }
        }
        return java.util.Arrays.copyOf(merged, length);
    }

    private void count(int word, int left, int right, int sign) {
        Occurrences seen = pairs.computeIfAbsent(new Pair(left, right), pair -> new Occurrences());
        seen.count += sign * counts[word];
        if (sign > 0) {
            seen.words.add(word);
        }
    }
}
