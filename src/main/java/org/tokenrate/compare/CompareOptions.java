package org.tokenrate.compare;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * How two sides are compared and shown.
 *
 * @param across parameters that are meant to differ between the sides
 * @param failOver the ratio, e.g. 0.03, that the candidate may be slower by; empty for no gate
 * @param force compare even what is not alike
 * @param markdown file for the table, or {@code -} for the screen instead of the usual table
 * @param json likewise
 * @param html file for the page
 */
public record CompareOptions(
        Set<String> across,
        OptionalDouble failOver,
        boolean force,
        Optional<String> markdown,
        Optional<String> json,
        Optional<String> html) {
    static final String SCREEN = "-";

    /** No gate, no files, no force. */
    public static final CompareOptions PLAIN =
            new CompareOptions(
                    Set.of(),
                    OptionalDouble.empty(),
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
}
