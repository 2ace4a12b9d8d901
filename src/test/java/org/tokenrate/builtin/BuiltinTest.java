package org.tokenrate.builtin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.checkpoint.ModelFormat;

class BuiltinTest {
    private static final byte[] CONTENT = "built in\n".getBytes();

    @TempDir Path root;

    @Test
    void everythingIsMadeWithTheBytesThatTheManifestPins() throws IOException {
        Path model = Builtin.modelFolder(root, ModelFormat.HF);
        Path meta = Builtin.modelFolder(root, ModelFormat.LLAMA);
        Path awq = Builtin.modelFolder(root, ModelFormat.AWQ);
        Path dialogues = Builtin.dialogues(root);
        assertEquals(
                Set.of(
                        "params.json",
                        "consolidated.00.pth",
                        "tokenizer.json",
                        "tokenizer_config.json"),
                names(meta));
        assertEquals(names(model), names(awq));
        assertEquals(
                Set.of(
                        "config.json",
                        "model.safetensors",
                        "tokenizer.json",
                        "tokenizer_config.json"),
                names(model));
        Path version = dialogues.getParent();
        List<Artifact> artifacts = Builtin.artifacts();
        assertEquals(13, artifacts.size());
        for (Artifact artifact : artifacts) {
            Path file = version.resolve(artifact.name());
            assertEquals(artifact.bytes(), Files.size(file), artifact.name());
            assertEquals(artifact.sha256(), Digests.sha256(file), artifact.name());
        }
    }

    @Test
    void theBytesDoNotDependOnTheFolderOrTheLocale() throws IOException {
        Path first = root.resolve("first.json");
        Path second = root.resolve("other folder").resolve("second.json");
        Files.createDirectories(second.getParent());
        DialogueGenerator.write(first);
        Locale before = Locale.getDefault();
        try {
            // Arabic digits, and a language in which upper-case i has a dot.
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            DialogueGenerator.write(second);
            assertEquals(-1, Files.mismatch(first, second));
            Locale.setDefault(Locale.forLanguageTag("tr"));
            DialogueGenerator.write(second);
            assertEquals(-1, Files.mismatch(first, second));
        } finally {
            Locale.setDefault(before);
        }
        RandomLlama.write(root.resolve("one"));
        RandomLlama.write(root.resolve("two"));
        assertEquals(-1, Files.mismatch(root.resolve("one"), root.resolve("two")));
    }

    @Test
    void theTokenizerAloneIsMadeWithoutTheModel() throws IOException {
        Path folder = Builtin.tokenizerFolder(root);
        assertEquals(Set.of("tokenizer.json", "tokenizer_config.json"), names(folder));
        assertEquals(folder, Builtin.modelFolder(root, ModelFormat.HF));
    }

    @Test
    void aFileThatIsThereIsNotMadeAgain() throws IOException {
        var made = new AtomicInteger();
        var cache = new Cache(root);
        Artifact artifact = counted(made);
        Path file = cache.file(artifact);
        assertEquals(file, cache.file(artifact));
        assertEquals(1, made.get());
    }

    @Test
    void aDamagedFileIsMadeAgain() throws IOException {
        var made = new AtomicInteger();
        var cache = new Cache(root);
        Artifact artifact = counted(made);
        Path file = cache.file(artifact);
        for (String damage : List.of("", "built", "built in!", "built in, and then some more\n")) {
            Files.writeString(file, damage);
            cache.file(artifact);
            assertEquals(new String(CONTENT), Files.readString(file));
        }
        assertEquals(5, made.get());
    }

    @Test
    void aMakerThatFailsHalfwayLeavesNothingBehind() throws IOException {
        var artifact =
                new Artifact(
                        "deep/file",
                        CONTENT.length,
                        Digests.sha256(CONTENT),
                        file -> {
                            Files.writeString(file, "built");
                            throw new IOException("no space left on device");
                        });
        var error = assertThrows(IOException.class, () -> new Cache(root).file(artifact));
        assertTrue(error.getMessage().contains("no space left on device"), error.getMessage());
        assertEquals(Set.of(), names(root.resolve("deep")));
    }

    @Test
    void contentThatDiffersFromItsDigestIsNeverPutInPlace() throws IOException {
        var artifact =
                new Artifact(
                        "file",
                        CONTENT.length,
                        Digests.sha256(CONTENT),
                        file -> Files.writeString(file, "built on"));
        assertThrows(IOException.class, () -> new Cache(root).file(artifact));
        assertEquals(Set.of(), names(root));
    }

    @Test
    void whatAKilledProcessLeftIsRemovedAndWhatIsBeingWrittenIsNot() throws IOException {
        Path old = Files.writeString(root.resolve("file.1.unfinished"), "b");
        Path fresh = Files.writeString(root.resolve("file.2.unfinished"), "b");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(86_400)));
        new Cache(root).file(counted(new AtomicInteger()));
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(fresh));
    }

    @Test
    void manyAtOnceAllGetTheWholeFile() throws Exception {
        int users = 8;
        var pool = Executors.newFixedThreadPool(users);
        try {
            for (int round = 0; round < 50; round++) {
                var cache = new Cache(root.resolve("round" + round));
                Callable<String> user =
                        () -> Files.readString(cache.file(counted(new AtomicInteger())));
                var results = new ArrayList<Future<String>>();
                for (int i = 0; i < users; i++) {
                    results.add(pool.submit(user));
                }
                for (Future<String> result : results) {
                    assertEquals(new String(CONTENT), result.get());
                }
                assertEquals(Set.of("file"), names(root.resolve("round" + round)));
            }
        } finally {
            pool.shutdown();
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsNamedWithTheRemedy() throws IOException {
        Path notAFolder = Files.writeString(root.resolve("occupied"), "a file");
        var error = assertThrows(IOException.class, () -> Builtin.dialogues(notAFolder));
        assertTrue(error.getMessage().contains(notAFolder.toString()), error.getMessage());
        assertTrue(error.getMessage().contains("-Dtokenrate.cache="), error.getMessage());
    }

    @Test
    void theSystemPropertyChoosesTheFolder() {
        String before = System.getProperty(Cache.PROPERTY, "");
        try {
            System.setProperty(Cache.PROPERTY, root.resolve("chosen").toString());
            assertEquals(root.resolve("chosen"), Cache.defaultRoot());
            System.setProperty(Cache.PROPERTY, "");
            assertEquals("tokenrate", Cache.defaultRoot().getFileName().toString());
        } finally {
            if (before.isEmpty()) {
                System.clearProperty(Cache.PROPERTY);
            } else {
                System.setProperty(Cache.PROPERTY, before);
            }
        }
    }

    private static Artifact counted(AtomicInteger made) {
        return new Artifact(
                "file",
                CONTENT.length,
                Digests.sha256(CONTENT),
                file -> {
                    made.incrementAndGet();
                    Files.write(file, CONTENT);
                });
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }
}
