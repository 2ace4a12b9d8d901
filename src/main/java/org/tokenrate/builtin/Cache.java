package org.tokenrate.builtin;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.tokenrate.cache.CacheFolder;

/**
 * Keeps artifacts on disk. A file stands in place either whole or not at all: it is written under
 * another name, checked, and renamed. Several processes may make the same file at once, since all
 * of them make the same bytes; the last rename wins.
 */
final class Cache {
    static final String PROPERTY = CacheFolder.PROPERTY;

    private static final String UNFINISHED = ".unfinished";

    /** An unfinished file this old belongs to a process that was killed. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    private final Path folder;

    Cache(Path folder) {
        this.folder = folder;
    }

    static Path defaultRoot() {
        return CacheFolder.root();
    }

    /** The artifact's file, made now if it is missing or is not what it should be. */
    Path file(Artifact artifact) throws IOException {
        Path file = folder.resolve(artifact.name());
        if (!intact(file, artifact)) {
            try {
                make(file, artifact);
            } catch (IOException e) {
                throw new IOException(
                        "Cannot write %s to the cache (%s: %s); -D%s=<folder> chooses another folder."
                                .formatted(
                                        file,
                                        e.getClass().getSimpleName(),
                                        e.getMessage(),
                                        PROPERTY),
                        e);
            }
        }
        return file;
    }

    private static boolean intact(Path file, Artifact artifact) throws IOException {
        return Files.isRegularFile(file)
                && Files.isReadable(file)
                && Files.size(file) == artifact.bytes()
                && Digests.sha256(file).equals(artifact.sha256());
    }

    private static void make(Path file, Artifact artifact) throws IOException {
        Files.createDirectories(file.getParent());
        deleteAbandoned(file.getParent());
        Path unfinished =
                file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
        try {
            artifact.maker().write(unfinished);
            if (!intact(unfinished, artifact)) {
                throw new IOException(
                        "what was made has SHA-256 %s instead of %s: this Java computes differently"
                                .formatted(Digests.sha256(unfinished), artifact.sha256()));
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // On Windows a file that another process has open cannot be replaced, nor need it be.
            if (!intact(file, artifact)) {
                throw e;
            }
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static void deleteAbandoned(Path folder) throws IOException {
        Instant limit = Instant.now().minus(ABANDONED);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + UNFINISHED)) {
            for (Path file : files) {
                try {
                    if (Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
                        Files.delete(file);
                    }
                } catch (NoSuchFileException e) {
                    // Another process finished or removed it in the meantime.
                    continue;
                }
            }
        }
    }
}
