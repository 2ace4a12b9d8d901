package org.tokenrate.interleave;

import java.util.ArrayList;
import java.util.List;

/** Which side's fork runs when: A B B A A B B A …, so that a steady drift cancels out. */
final class Turns {
    private Turns() {}

    /** One of a pair: whose fork it is. */
    enum Who {
        BASE,
        CANDIDATE
    }

    /** As many pairs as each side has forks. */
    static List<List<Who>> pairs(int forks) {
        var pairs = new ArrayList<List<Who>>();
        for (int i = 0; i < forks; i++) {
            pairs.add(
                    i % 2 == 0
                            ? List.of(Who.BASE, Who.CANDIDATE)
                            : List.of(Who.CANDIDATE, Who.BASE));
        }
        return pairs;
    }
}
