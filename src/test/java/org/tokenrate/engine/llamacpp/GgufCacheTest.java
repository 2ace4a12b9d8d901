package org.tokenrate.engine.llamacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.gguf.ConfigJson;
import org.tokenrate.gguf.GgufType;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.ModelSource;
import org.tokenrate.model.RandomModel;

class GgufCacheTest {
    @TempDir Path folder;

    private Path file(int seed, GgufType type) throws IOException {
        Path config = folder.resolve("config.json");
        var tiny = RandomModel.llama(64, 1, 4, 2, 16, 96, 300, false);
        Files.writeString(config, HfFolder.config(tiny).toString());
        ModelSource source = ModelSource.of("random:" + config + "@" + seed, "hf");
        ObjectNode json = ConfigJson.of(source.config());
        try (Checkpoint checkpoint = source.open()) {
            return new GgufCache(folder).file(json, checkpoint, type);
        }
    }

    @Test
    void aModelIsWrittenOnceForEachTypeOfItsWeights() throws IOException {
        Path first = file(0, GgufType.BF16);
        Object key =
                Files.readAttributes(first, java.nio.file.attribute.BasicFileAttributes.class)
                        .creationTime();
        assertEquals(first, file(0, GgufType.BF16));
        assertEquals(
                key,
                Files.readAttributes(first, java.nio.file.attribute.BasicFileAttributes.class)
                        .creationTime());
        Path wide = file(0, GgufType.F32);
        assertNotEquals(first, wide);
        assertNotEquals(first, file(1, GgufType.BF16));
        assertTrue(Files.size(wide) > 1.5 * Files.size(first));
    }

    @Test
    void onlyTheFilesUsedLastStay() throws IOException {
        Path first = file(0, GgufType.BF16);
        Path second = file(1, GgufType.BF16);
        Files.setLastModifiedTime(first, FileTime.fromMillis(2000));
        Files.setLastModifiedTime(second, FileTime.fromMillis(1000));
        for (int seed = 2; seed < 5; seed++) file(seed, GgufType.BF16);
        assertTrue(Files.exists(first));
        assertFalse(Files.exists(second));
        try (Stream<Path> files = Files.list(folder.resolve("gguf"))) {
            List<Path> all = files.toList();
            assertEquals(4, all.size(), all.toString());
        }
    }
}
