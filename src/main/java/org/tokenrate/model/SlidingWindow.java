package org.tokenrate.model;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Layers whose tokens see only the last few tokens: one at position p sees {@code p - tokens + 1}
 * to p.
 *
 * @param tokens width of the window, the token itself included
 * @param layers the layers that have it; the others see everything
 */
public record SlidingWindow(int tokens, Set<Integer> layers) {
    /** Every layer sees everything. */
    public static final SlidingWindow NONE = new SlidingWindow(Integer.MAX_VALUE, Set.of());

    public SlidingWindow {
        if (tokens < 1) throw new IllegalArgumentException("a window of " + tokens + " tokens");
        layers = Set.copyOf(layers);
        if (layers.isEmpty()) tokens = Integer.MAX_VALUE; // so that no window equals NONE
    }

    /** A window in layers {@code first} to {@code end} (exclusive). */
    public static SlidingWindow of(int tokens, int first, int end) {
        return new SlidingWindow(
                tokens, IntStream.range(first, end).boxed().collect(Collectors.toSet()));
    }

    /** Tokens that a layer's tokens see at most. */
    public int tokens(int layer) {
        return layers.contains(layer) ? tokens : Integer.MAX_VALUE;
    }
}
