package org.tokenrate.dataset;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How prompts are chosen: the two ways of LMDeploy's {@code profile_throughput.py}. */
public enum SamplingMethod {
    /** From version 0.9.0 (June 2025): shuffle all, then take the usable in order. */
    SHUFFLE,
    /** Up to version 0.8: sample 1.2 times as many, drop the unusable, sample again. */
    PRESAMPLE;

    /**
     * @param name {@code shuffle} or {@code presample}
     * @throws IllegalArgumentException on any other name
     */
    public static SamplingMethod of(String name) {
        for (SamplingMethod method : values()) {
            if (method.toString().equals(name)) return method;
        }
        throw new IllegalArgumentException(
                "sampling="
                        + name
                        + " is not known; valid are "
                        + Arrays.stream(values())
                                .map(SamplingMethod::toString)
                                .collect(Collectors.joining(", "))
                        + ", e.g. -p sampling=shuffle");
    }

    /** The name that {@link #of} takes. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
