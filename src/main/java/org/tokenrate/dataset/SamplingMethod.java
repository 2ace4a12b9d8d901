package org.tokenrate.dataset;

import java.util.Locale;

/** Minimal local version until the dataset part lands. */
public enum SamplingMethod {
    SHUFFLE,
    PRESAMPLE;

    public static SamplingMethod of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
