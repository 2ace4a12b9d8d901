package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelDigestTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-02T03:04:05Z"));

    @TempDir Path folder;
    private Path cache;
    private List<Path> files;

    @BeforeEach
    void twoFiles() throws IOException {
        cache = folder.resolve("cache");
        files = List.of(folder.resolve("config.json"), folder.resolve("model.safetensors"));
        byte[] bytes = new byte[9 << 20]; // more than two buffers
        new Random(5).nextBytes(bytes);
        write(files.get(0), "{}".getBytes());
        write(files.get(1), bytes);
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, LONG_AGO);
    }

    private String plain() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Path file : files) digest.update(Files.readAllBytes(file));
        return HexFormat.of().formatHex(digest.digest());
    }

    private String digest() throws IOException {
        return new ModelDigest(cache).of(files);
    }

    private List<Path> entries() throws IOException {
        if (!Files.exists(cache)) return List.of();
        try (var list = Files.list(cache)) {
            return list.toList();
        }
    }

    @Test
    void itIsTheDigestOfTheFilesInTheirOrder() throws Exception {
        assertEquals(plain(), digest());
    }

    @Test
    void aSecondTimeNothingIsHashed() throws IOException {
        String first = digest();
        // Other contents under the same size and time: only hashing would tell.
        write(files.get(0), "[]".getBytes());
        assertEquals(first, digest());
    }

    @Test
    void aFileOfAnotherTimeIsHashedAgainIntoTheSameEntry() throws Exception {
        digest();
        write(files.get(0), "[]".getBytes());
        Files.setLastModifiedTime(
                files.get(0), FileTime.from(Instant.parse("2021-01-01T00:00:00Z")));
        assertEquals(plain(), digest());
        assertEquals(1, entries().size());
    }

    @Test
    void aFileOfAnotherSizeIsHashedAgain() throws Exception {
        String first = digest();
        write(files.get(0), "{ }".getBytes());
        assertNotEquals(first, digest());
        assertEquals(plain(), digest());
    }

    @Test
    void aDamagedEntryIsIgnoredAndReplaced() throws Exception {
        digest();
        Path entry = entries().get(0);
        String good = Files.readString(entry);
        String cut = good.substring(0, good.length() - 1);
        for (String damaged : List.of("", "x", cut, good + "0", cut + "!", "\0" + good)) {
            Files.writeString(entry, damaged);
            assertEquals(plain(), digest(), damaged);
            assertEquals(good, Files.readString(entry));
        }
        Files.write(entry, new byte[] {(byte) 0xff, (byte) 0xfe});
        assertEquals(plain(), digest());
    }

    @Test
    void aFileThatHasJustBeenWrittenIsNotRemembered() throws Exception {
        Files.write(files.get(0), "{}".getBytes());
        assertEquals(plain(), digest());
        assertEquals(List.of(), entries());
    }

    @Test
    void aCacheThatCannotBeWrittenDoesNoHarm() throws Exception {
        Files.writeString(cache, "a file where a folder should be");
        assertEquals(plain(), digest());
    }

    @Test
    void aMissingFileIsAnError() {
        assertThrows(
                IOException.class,
                () -> new ModelDigest(cache).of(List.of(folder.resolve("missing"))));
    }
}
