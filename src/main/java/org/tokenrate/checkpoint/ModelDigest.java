package org.tokenrate.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.tokenrate.cache.CacheFolder;

/**
 * SHA-256 over a model's files, one behind the other, in lower-case hex. A digest is remembered in
 * the cache folder by its files' real paths, sizes and times of modification, since hashing takes
 * longer than loading; an entry that cannot be read or written costs time and nothing else.
 */
final class ModelDigest {
    /** Read while the buffer before is hashed. */
    private static final int BUFFER_BYTES = 4 << 20;

    /** A file changed this lately may change again without its time showing it. */
    private static final Duration SETTLED = Duration.ofSeconds(2);

    private static final int MAX_ENTRY_BYTES = 1 << 20;

    private final Path folder;

    /** Remembers in the cache folder. */
    ModelDigest() {
        this(CacheFolder.root().resolve("digests"));
    }

    /**
     * @param folder where entries are kept
     */
    ModelDigest(Path folder) {
        this.folder = folder;
    }

    /**
     * The digest of the files' contents in this order.
     *
     * @throws IOException if a file cannot be read
     */
    String of(List<Path> files) throws IOException {
        String state = state(files);
        Path entry = folder.resolve(HexFormat.of().formatHex(sha256(names(state))) + ".txt");
        Optional<String> remembered = read(entry, state);
        if (remembered.isPresent()) return remembered.get();
        Instant start = Instant.now();
        String digest = compute(files);
        if (state.equals(state(files)) && settled(files, start)) write(entry, state + digest);
        return digest;
    }

    /** A line a file: size, time of modification, real path. */
    private static String state(List<Path> files) throws IOException {
        StringBuilder state = new StringBuilder();
        for (Path file : files) {
            state.append(Files.size(file))
                    .append(' ')
                    .append(Files.getLastModifiedTime(file).toInstant())
                    .append(' ')
                    .append(file.toRealPath())
                    .append('\n');
        }
        return state.toString();
    }

    /** What stays when a file changes, so that a model has one entry. */
    private static byte[] names(String state) {
        return state.replaceAll("(?m)^\\S+ \\S+ ", "").getBytes(UTF_8);
    }

    private static boolean settled(List<Path> files, Instant at) throws IOException {
        for (Path file : files) {
            Instant changed = Files.getLastModifiedTime(file).toInstant();
            if (changed.isAfter(at.minus(SETTLED))) return false;
        }
        return true;
    }

    private static Optional<String> read(Path entry, String state) {
        try {
            if (!Files.isRegularFile(entry) || Files.size(entry) > MAX_ENTRY_BYTES) {
                return Optional.empty();
            }
            String text = Files.readString(entry);
            if (!text.startsWith(state)) return Optional.empty();
            String digest = text.substring(state.length());
            return digest.matches("[0-9a-f]{64}") ? Optional.of(digest) : Optional.empty();
        } catch (IOException e) { // damaged: as if it were not there
            return Optional.empty();
        }
    }

    private static void write(Path entry, String text) {
        Path unfinished = entry.resolveSibling(entry.getFileName() + "." + UUID.randomUUID());
        try {
            Files.createDirectories(entry.getParent());
            try {
                Files.writeString(unfinished, text);
                Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(unfinished);
            }
        } catch (IOException e) {
            // A cache that cannot be written must not keep a model from running.
            return;
        }
    }

    private static String compute(List<Path> files) throws IOException {
        MessageDigest digest = newDigest();
        ByteBuffer current = ByteBuffer.allocateDirect(BUFFER_BYTES);
        ByteBuffer next = ByteBuffer.allocateDirect(BUFFER_BYTES);
        for (Path file : files) {
            try (FileChannel channel = FileChannel.open(file)) {
                fill(channel, current);
                while (current.hasRemaining()) {
                    ByteBuffer ahead = next;
                    var reading = CompletableFuture.runAsync(() -> fillOrThrow(channel, ahead));
                    digest.update(current);
                    await(reading);
                    next = current;
                    current = ahead;
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void fill(FileChannel channel, ByteBuffer buffer) throws IOException {
        buffer.clear();
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {}
        buffer.flip();
    }

    private static void fillOrThrow(FileChannel channel, ByteBuffer buffer) {
        try {
            fill(channel, buffer);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private static void await(CompletableFuture<Void> reading) throws IOException {
        try {
            reading.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException cause) throw cause;
            throw e;
        }
    }

    private static byte[] sha256(byte[] bytes) {
        return newDigest().digest(bytes);
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
