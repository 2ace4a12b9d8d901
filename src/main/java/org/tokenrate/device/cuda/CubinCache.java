package org.tokenrate.device.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled kernels on disk, named by the hash of all that they depend on. A file begins with the
 * hash of the rest, so that a damaged one is compiled anew. Where the folder cannot be written to,
 * every start compiles.
 */
final class CubinCache {
    private static final Logger LOG = LoggerFactory.getLogger(CubinCache.class);
    private static final int HASH_BYTES = 32;

    private final Path folder;

    /**
     * @param folder need not be there
     */
    CubinCache(Path folder) {
        this.folder = folder;
    }

    /**
     * The name of a kernel's file.
     *
     * @param gpu name of the GPU: what one machine's stand-in compiles must not reach another
     * @param compiler version of the compiler
     */
    static String key(
            KernelSource source,
            String gpu,
            String architecture,
            String compiler,
            List<String> options) {
        MessageDigest digest = sha256();
        add(digest, source.file());
        add(digest, source.text());
        source.headers()
                .forEach(
                        (name, text) -> {
                            add(digest, name);
                            add(digest, text);
                        });
        add(digest, gpu);
        add(digest, architecture);
        add(digest, compiler);
        for (String option : options) add(digest, option);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** With its length, so that no two lists of texts give the same bytes. */
    private static void add(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
        digest.update(bytes);
    }

    Optional<byte[]> get(String key) {
        try {
            byte[] file = Files.readAllBytes(path(key));
            if (file.length <= HASH_BYTES) return Optional.empty();
            byte[] cubin = Arrays.copyOfRange(file, HASH_BYTES, file.length);
            byte[] hash = Arrays.copyOf(file, HASH_BYTES);
            return MessageDigest.isEqual(hash, sha256().digest(cubin))
                    ? Optional.of(cubin)
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // not there yet, or not to be read: compiled anew
        }
    }

    void put(String key, byte[] cubin) {
        try {
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, key, ".part");
            try {
                byte[] hash = sha256().digest(cubin);
                byte[] file = Arrays.copyOf(hash, HASH_BYTES + cubin.length);
                System.arraycopy(cubin, 0, file, HASH_BYTES, cubin.length);
                Files.write(part, file);
                move(part, path(key));
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            LOG.warn("Compiled kernels cannot be kept in {}: {}", folder, e.getMessage());
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private Path path(String key) {
        return folder.resolve(key + ".cubin");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
