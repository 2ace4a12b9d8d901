package org.tokenrate.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** Versions of the libraries that the figures depend on, as the build pinned them. */
public final class Libraries {
    private Libraries() {}

    /** By name. */
    public static Map<String, String> versions() {
        Properties properties = new Properties();
        try (InputStream in = Libraries.class.getResourceAsStream("libraries.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, String> versions = new TreeMap<>();
        properties.forEach((name, version) -> versions.put((String) name, (String) version));
        return versions;
    }
}
