package org.tokenrate.cli;

import java.util.List;
import java.util.Optional;

/** Guesses what a mistyped word was meant to be. */
final class Spelling {
    private static final int MOST_SLIPS = 2;
    private static final int SHORTEST_BEGINNING = 3;

    private Spelling() {}

    /** The one known word that is near; empty if none or several are as near. */
    static Optional<String> nearest(String word, List<String> known) {
        List<String> longer =
                known.stream()
                        .filter(k -> word.length() >= SHORTEST_BEGINNING && k.startsWith(word))
                        .toList();
        if (longer.size() == 1) return Optional.of(longer.get(0));
        for (int slips = 1; slips <= MOST_SLIPS; slips++) {
            int allowed = slips;
            List<String> near =
                    known.stream()
                            // Half of a short word is another word.
                            .filter(k -> 2 * allowed < Math.min(k.length(), word.length()))
                            .filter(k -> slips(word, k) == allowed)
                            .toList();
            if (near.size() == 1) return Optional.of(near.get(0));
            if (near.size() > 1) return Optional.empty();
        }
        return Optional.empty();
    }

    /** Optimal string alignment: letters to insert, drop, replace or swap with their neighbour. */
    static int slips(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped =
                        i > 1
                                && j > 1
                                && a.charAt(i - 1) == b.charAt(j - 2)
                                && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
        return d[a.length()][b.length()];
    }
}
