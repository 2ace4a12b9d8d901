package org.tokenrate.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CubinCacheTest {
    private static final KernelSource SOURCE =
            new KernelSource("a.cu", "text", Map.of("a.cuh", "header"));

    @TempDir Path folder;

    private static String key(KernelSource source, String... rest) {
        return CubinCache.key(
                source, rest[0], rest[1], rest[2], List.of(rest).subList(3, rest.length));
    }

    @Test
    void whatWasPutIsFoundAgain() {
        CubinCache cache = new CubinCache(folder.resolve("not/yet"));
        assertEquals(Optional.empty(), cache.get("k"));
        cache.put("k", new byte[] {1, 2, 3});
        assertArrayEquals(new byte[] {1, 2, 3}, cache.get("k").orElseThrow());
    }

    @Test
    void theKeyDependsOnEverything() {
        Set<String> keys = new HashSet<>();
        keys.add(key(SOURCE, "gpu", "sm_80", "13.1", "-DA"));
        keys.add(key(SOURCE, "other", "sm_80", "13.1", "-DA"));
        keys.add(key(SOURCE, "gpu", "sm_90", "13.1", "-DA"));
        keys.add(key(SOURCE, "gpu", "sm_80", "13.2", "-DA"));
        keys.add(key(SOURCE, "gpu", "sm_80", "13.1", "-DB"));
        keys.add(key(SOURCE, "gpu", "sm_80", "13.1", "-D", "A"));
        keys.add(key(SOURCE, "gpu", "sm_80", "13.1"));
        keys.add(
                key(
                        new KernelSource("b.cu", "text", SOURCE.headers()),
                        "gpu",
                        "sm_80",
                        "13.1",
                        "-DA"));
        keys.add(
                key(
                        new KernelSource("a.cu", "tex", SOURCE.headers()),
                        "gpu",
                        "sm_80",
                        "13.1",
                        "-DA"));
        keys.add(
                key(
                        new KernelSource("a.cu", "text", Map.of("a.cuh", "h")),
                        "gpu",
                        "sm_80",
                        "13.1",
                        "-DA"));
        assertEquals(10, keys.size());
        assertTrue(keys.contains(key(SOURCE, "gpu", "sm_80", "13.1", "-DA")));
    }

    @Test
    void aDamagedFileIsAsIfItWereNotThere() throws IOException {
        CubinCache cache = new CubinCache(folder);
        cache.put("k", new byte[100]);
        Path file = folder.resolve("k.cubin");
        byte[] bytes = Files.readAllBytes(file);
        bytes[50] ^= 1;
        Files.write(file, bytes);
        assertEquals(Optional.empty(), cache.get("k"));
        Files.write(file, new byte[7]);
        assertEquals(Optional.empty(), cache.get("k"));
        cache.put("k", new byte[] {5});
        assertArrayEquals(new byte[] {5}, cache.get("k").orElseThrow());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsNoError() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        CubinCache cache = new CubinCache(file.resolve("below"));
        cache.put("k", new byte[] {1});
        assertEquals(Optional.empty(), cache.get("k"));
    }
}
