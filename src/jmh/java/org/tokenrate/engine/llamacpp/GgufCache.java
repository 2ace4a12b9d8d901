package org.tokenrate.engine.llamacpp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.tokenrate.cache.CacheFolder;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.gguf.GgufType;
import org.tokenrate.gguf.HfToGguf;

/**
 * Models as GGUF, each written once: a file's name follows from the configuration, the weights and
 * their type. It stands in place whole or not at all, and only the files used last are kept.
 */
final class GgufCache {
    /** Changes with what {@link HfToGguf} makes of a model. */
    private static final String VERSION = "1";

    private static final int FILES_KEPT = 4;
    private static final int NAME_BYTES = 16;
    private static final String UNFINISHED = ".unfinished";

    /** An unfinished file this old belongs to a process that was killed. */
    private static final Duration ABANDONED = Duration.ofHours(6);

    private final Path folder;

    GgufCache(Path root) {
        folder = root.resolve("gguf");
    }

    /** In the default cache folder. */
    static GgufCache ofUser() {
        return new GgufCache(CacheFolder.root());
    }

    /**
     * The model's file, written now if it is not there.
     *
     * @param matrices as in {@link HfToGguf#convert}
     */
    Path file(JsonNode config, Checkpoint checkpoint, GgufType matrices) throws IOException {
        String identity =
                String.join("\n", VERSION, matrices.name(), checkpoint.sha256(), config.toString());
        Path file = folder.resolve(digest(identity) + ".gguf");
        if (!Files.isRegularFile(file)) write(file, config, checkpoint, matrices);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        return file;
    }

    private void write(Path file, JsonNode config, Checkpoint checkpoint, GgufType matrices)
            throws IOException {
        try {
            Files.createDirectories(folder);
            deleteAbandoned();
            deleteAllBut(FILES_KEPT - 1);
            Path unfinished =
                    file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
            try {
                HfToGguf.convert(config, checkpoint, matrices, unfinished);
                Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(unfinished);
            }
        } catch (FileSystemException e) {
            throw new IOException(
                    "Cannot write %s to the cache (%s: %s); -D%s=<folder> chooses another folder."
                            .formatted(
                                    file,
                                    e.getClass().getSimpleName(),
                                    e.getMessage(),
                                    CacheFolder.PROPERTY),
                    e);
        }
    }

    private void deleteAbandoned() throws IOException {
        Instant limit = Instant.now().minus(ABANDONED);
        for (Map.Entry<Path, FileTime> file : files(UNFINISHED).entrySet()) {
            if (file.getValue().toInstant().isBefore(limit)) Files.deleteIfExists(file.getKey());
        }
    }

    private void deleteAllBut(int kept) throws IOException {
        List<Path> newestFirst =
                files(".gguf").entrySet().stream()
                        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                        .map(Map.Entry::getKey)
                        .toList();
        for (int i = kept; i < newestFirst.size(); i++) Files.deleteIfExists(newestFirst.get(i));
    }

    private Map<Path, FileTime> files(String end) throws IOException {
        Map<Path, FileTime> found = new HashMap<>();
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.filter(f -> f.toString().endsWith(end)).toList()) {
                if (Files.exists(file)) found.put(file, Files.getLastModifiedTime(file));
            }
        }
        return found;
    }

    private static String digest(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, NAME_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
