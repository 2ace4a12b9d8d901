package org.tokenrate.cache;

import java.nio.file.Path;

/** The folder for what can be made again. */
public final class CacheFolder {
    /** The system property that names the folder. */
    public static final String PROPERTY = "tokenrate.cache";

    private CacheFolder() {}

    /** System property, else $XDG_CACHE_HOME/tokenrate, else ~/.cache/tokenrate. */
    public static Path root() {
        String property = System.getProperty(PROPERTY, "");
        if (!property.isEmpty()) {
            return Path.of(property).toAbsolutePath();
        }
        String xdg = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
        Path caches =
                xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return caches.resolve("tokenrate").toAbsolutePath();
    }
}
