package org.tokenrate.builtin;

import java.io.IOException;
import java.io.InputStream;

/** Files that travel in the jar beside this package's classes. */
final class Resources {
    private Resources() {}

    static byte[] bytes(String name) throws IOException {
        try (InputStream in = Resources.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException(
                        "Resource %s is missing beside %s; build the jar again."
                                .formatted(name, Resources.class.getPackageName()));
            }
            return in.readAllBytes();
        }
    }
}
