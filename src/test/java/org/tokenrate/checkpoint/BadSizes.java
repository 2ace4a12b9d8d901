package org.tokenrate.checkpoint;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** JSON values that are no whole number from 1 to 1048576. */
public final class BadSizes {
    private static final List<String> VALUES =
            List.of(
                    "0",
                    "-8",
                    "1048577",
                    "4294967304", // 8, if only 32 bits were looked at
                    "18446744073709551624", // 8, if only 64 bits were
                    "8.5",
                    "\"8\"",
                    "true",
                    "[8]");

    private BadSizes() {}

    /** Each key with each value. */
    public static Stream<Arguments> of(String... keys) {
        return Stream.of(keys).flatMap(key -> VALUES.stream().map(v -> Arguments.of(key, v)));
    }
}
