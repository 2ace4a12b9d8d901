package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.MetaFolder;
import org.tokenrate.model.MetaFolder.Embedding;
import org.tokenrate.model.MetaFolder.Part;
import org.tokenrate.model.ModelConfig;
import org.tokenrate.model.RandomModel;

/** Meta's layout against Hugging Face's of the same model, and what is wrong in a folder. */
class MetaCheckpointTest {
    private static final long SEED = 11;
    private static final int DIM = 64;
    private static final int VOCABULARY = 40;

    /** Eight heads of 8, four of them for keys; an MLP 48 wide. */
    private static final ModelConfig CONFIG =
            RandomModel.llama(DIM, 2, 8, 4, 8, 48, VOCABULARY, false);

    @TempDir Path temporary;

    private static RandomModel model(ModelConfig config, DType stored) {
        return new RandomModel(config, stored, new Random(SEED));
    }

    static Stream<Arguments> layouts() {
        return Stream.of(1, 2, 4)
                .flatMap(
                        shards ->
                                Stream.of(Embedding.values())
                                        .flatMap(
                                                embedding ->
                                                        Stream.of(DType.F32, DType.BF16)
                                                                .map(
                                                                        type ->
                                                                                Arguments.of(
                                                                                        shards,
                                                                                        embedding,
                                                                                        type))));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void bothFormatsOfAModelHoldTheSameTensors(int shards, Embedding embedding, DType type)
            throws IOException {
        RandomModel model = model(CONFIG, type);
        HfFolder.write(temporary.resolve("hf"), model);
        MetaFolder.write(temporary.resolve("meta"), model, shards, embedding);
        try (Checkpoint hf = Checkpoints.open(temporary.resolve("hf"), ModelFormat.HF);
                Checkpoint meta = Checkpoints.open(temporary.resolve("meta"), ModelFormat.LLAMA)) {
            assertEquals(hf.names(), meta.names());
            for (String name : hf.names()) {
                TensorData expected = hf.tensor(name, model.shape(name));
                TensorData got = meta.tensor(name, model.shape(name));
                assertEquals(name, got.name());
                assertEquals(expected.type(), got.type());
                assertArrayEquals(
                        bytes(expected, 0, expected.rowCount()),
                        bytes(got, 0, got.rowCount()),
                        name);
                long from = expected.rowCount() / 3;
                long to = (expected.rowCount() * 2 + 2) / 3;
                assertArrayEquals(
                        bytes(expected, from, to),
                        bytes(got, from, to),
                        name + " rows " + from + " to " + to);
            }
        }
    }

    private static byte[] bytes(TensorData tensor, long from, long to) throws IOException {
        ByteBuffer rows = tensor.rows(from, to);
        byte[] bytes = new byte[rows.remaining()];
        rows.get(bytes);
        return bytes;
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void theVocabularyIsFoundFromTheEmbedding(int shards, Embedding embedding, DType type)
            throws IOException {
        Path folder = write(shards, embedding, type);
        for (String size : List.of("-1", "null")) {
            setParam(folder, "vocab_size", size);
            try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
                assertEquals(VOCABULARY, checkpoint.params().vocabularySize().getAsInt());
            }
        }
    }

    @Test
    void theDigestIsOfParametersAndShardsInOrder() throws IOException, GeneralSecurityException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String file : List.of("params.json", "consolidated.00.pth", "consolidated.01.pth")) {
            digest.update(Files.readAllBytes(folder.resolve(file)));
        }
        try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
            assertEquals(HexFormat.of().formatHex(digest.digest()), checkpoint.sha256());
        }
    }

    @Test
    void aShardMissingAmongOthersIsNamed() throws IOException {
        Path folder = write(4, Embedding.BY_ROWS, DType.F32);
        Files.delete(folder.resolve("consolidated.01.pth"));
        assertEquals(
                folder.resolve("consolidated.01.pth")
                        + ": is missing, but there is consolidated.03.pth",
                refused(folder));
    }

    @Test
    void aFolderWithoutShardsIsRefused() throws IOException {
        Path folder = write(1, Embedding.BY_ROWS, DType.F32);
        Files.delete(folder.resolve("consolidated.00.pth"));
        assertEquals(folder.resolve("consolidated.00.pth") + ": is missing", refused(folder));
    }

    @ParameterizedTest
    @CsvSource({
        "BY_ROWS, 40, '[10, 64]', '[20, 64]'",
        "BY_COLUMNS, 40, '[40, 16]', '[40, 32]'",
        "BY_COLUMNS, -1, '[40, 16]', '[40, 32]'",
    })
    void lastShardsThatAreMissingAreSeenByTheShapes(
            Embedding embedding, int vocabulary, String shape, String expected) throws IOException {
        Path folder = write(4, embedding, DType.F32);
        setParam(folder, "vocab_size", "" + vocabulary);
        Files.delete(folder.resolve("consolidated.02.pth"));
        Files.delete(folder.resolve("consolidated.03.pth"));
        assertEquals(
                folder.resolve("consolidated.00.pth")
                        + ": tensor tok_embeddings.weight has shape "
                        + shape
                        + ", but params.json and 2 shards make it "
                        + expected
                        + "; it is of a model of 4 shards, are all of them here?",
                refused(folder));
    }

    @Test
    void shardsThatDoNotDivideTheHeadsAreRefused() throws IOException {
        Path folder = write(4, Embedding.BY_ROWS, DType.F32);
        Files.delete(folder.resolve("consolidated.03.pth"));
        assertEquals(
                folder.resolve("params.json")
                        + ": n_heads=8 cannot be divided among the 3 shards of this folder",
                refused(folder));
        setParam(folder, "n_kv_heads", "1");
        Files.delete(folder.resolve("consolidated.02.pth"));
        assertEquals(
                folder.resolve("params.json")
                        + ": n_kv_heads=1 cannot be divided among the 2 shards of this folder",
                refused(folder));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dim | 128 | tok_embeddings.weight | [20, 64] | [40, 64]",
                "vocab_size | 42 | tok_embeddings.weight | [20, 64] | [21, 64]",
                "n_kv_heads | 8 | layers.0.attention.wk.weight | [16, 64] | [32, 64]",
                "multiple_of | 50 | layers.0.feed_forward.w1.weight | [24, 64] | [25, 64]",
            })
    void aShapeThatDisagreesWithTheParametersIsNamed(
            String key, String value, String tensor, String shape, String expected)
            throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        setParam(folder, key, value);
        String message = refused(folder);
        String problem =
                "%s: tensor %s has shape %s, but params.json and 2 shards make it %s"
                        .formatted(folder.resolve("consolidated.00.pth"), tensor, shape, expected);
        assertTrue(message.startsWith(problem), message);
    }

    @Test
    void aLayerTooFewOrTooManyIsNamed() throws IOException {
        Path folder = write(1, Embedding.BY_ROWS, DType.F32);
        Path shard = folder.resolve("consolidated.00.pth");
        setParam(folder, "n_layers", "1048576");
        assertEquals(shard + ": has no tensor layers.2.attention_norm.weight", refused(folder));
        setParam(folder, "n_layers", "1");
        assertEquals(
                shard
                        + ": holds a tensor layers.1.attention.wk.weight that params.json"
                        + " (n_layers=1) has no place for",
                refused(folder));
    }

    static Stream<String> names() {
        return MetaFolder.shard(model(CONFIG, DType.F32), 2, 1, Embedding.BY_ROWS).keySet().stream()
                .filter(name -> !name.equals("rope.freqs"));
    }

    @ParameterizedTest
    @MethodSource("names")
    void aTensorMissingFromOneShardIsNamedWithItsFile(String name) throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        Path shard = rewrite(folder, parts -> parts.remove(name), DType.F32);
        assertEquals(shard + ": has no tensor " + name, refused(folder));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "layers.0.attention.wq.bias",
                "layers.0.attention.wq.scales",
                "layers.2.attention_norm.weight",
                "model.norm.weight",
            })
    void aSurplusTensorInOneShardIsNamedWithItsFile(String name) throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        Path shard =
                rewrite(folder, parts -> parts.put(name, new Part(new float[1], 1)), DType.F32);
        assertEquals(
                shard
                        + ": holds a tensor %s that params.json (n_layers=2) has no place for"
                                .formatted(name),
                refused(folder));
    }

    @Test
    void rotaryFrequenciesMayBeMissing() throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        rewrite(folder, parts -> parts.remove("rope.freqs"), DType.F32);
        MetaCheckpoint.open(folder).close();
    }

    @Test
    void shardsOfDifferentTypesAreRefused() throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        Path shard = rewrite(folder, parts -> {}, DType.BF16);
        assertEquals(
                shard
                        + ": tensor tok_embeddings.weight is of BF16, but of F32 in"
                        + " consolidated.00.pth",
                refused(folder));
    }

    @Test
    void aNormThatTheShardsDoNotAgreeOnIsNamed() throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        String name = "layers.1.ffn_norm.weight";
        Path shard =
                rewrite(
                        folder,
                        parts -> {
                            Part norm = parts.get(name);
                            norm.values()[DIM - 1] += 1;
                        },
                        DType.F32);
        try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
            String hfName = "model.layers.1.post_attention_layernorm.weight";
            assertEquals(
                    shard
                            + ": tensor "
                            + name
                            + " is another than in consolidated.00.pth, but"
                            + " shards repeat it",
                    assertThrows(CheckpointException.class, () -> checkpoint.tensor(hfName, DIM))
                            .getMessage());
        }
    }

    @Test
    void aTensorThatIsAskedForInAnotherShapeIsNamedInBothFormats() throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
            assertEquals(
                    folder
                            + ": tensor lm_head.weight (output.weight) has shape [40, 64], but"
                            + " [64, 40] is asked for",
                    assertThrows(
                                    CheckpointException.class,
                                    () -> checkpoint.tensor("lm_head.weight", DIM, VOCABULARY))
                            .getMessage());
            assertEquals(
                    folder + ": has no tensor output.weight",
                    assertThrows(
                                    CheckpointException.class,
                                    () -> checkpoint.tensor("output.weight", VOCABULARY, DIM))
                            .getMessage());
        }
    }

    @Test
    void aShardThatIsNoArchiveIsNamed() throws IOException {
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        Path shard = Files.write(folder.resolve("consolidated.01.pth"), new byte[5]);
        assertTrue(refused(folder).startsWith(shard + ": "), refused(folder));
    }

    @Test
    void whatIsNoFolderIsRefused() {
        Path none = temporary.resolve("none");
        assertEquals(
                none + ": is not a folder; give a model folder in Meta's layout", refused(none));
    }

    /** Any value under any key: the folder opens as it is, or is refused by the file's name. */
    @Test
    void parametersThatAreChangedAtRandomOpenOrAreRefused() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Path folder = write(2, Embedding.BY_ROWS, DType.F32);
        List<String> keys = new ArrayList<>();
        MetaFolder.params(CONFIG).fieldNames().forEachRemaining(keys::add);
        String[] values = {
            "-1", "0", "1", "2", "4", "8", "24", "64", "1048576", "1e-5", "0.5", "1e300", "true",
            "null", "\"8\"", "[]", "{}",
        };
        int opened = 0;
        int tries = 300;
        for (int i = 0; i < tries; i++) {
            String key = keys.get(random.nextInt(keys.size()));
            String value = values[random.nextInt(values.length)];
            setParam(folder, key, value);
            String what = key + "=" + value + ", seed " + seed;
            try (MetaCheckpoint checkpoint = MetaCheckpoint.open(folder)) {
                opened++;
                assertEquals(DIM, checkpoint.params().dim(), what);
                assertEquals(VOCABULARY, checkpoint.params().vocabularySize().getAsInt(), what);
                assertEquals(48, checkpoint.params().ffnWidth(), what);
            } catch (CheckpointException e) {
                assertTrue(e.getMessage().startsWith(folder + "/"), what + ": " + e.getMessage());
            }
        }
        assertTrue(opened > 0 && opened < tries, opened + " opened, seed " + seed);
    }

    private Path write(int shards, Embedding embedding, DType type) throws IOException {
        Path folder = temporary.resolve("model");
        MetaFolder.write(folder, model(CONFIG, type), shards, embedding);
        return folder;
    }

    /** Changes the second of two shards. */
    private static Path rewrite(Path folder, Consumer<Map<String, Part>> change, DType stored)
            throws IOException {
        Map<String, Part> parts =
                MetaFolder.shard(model(CONFIG, DType.F32), 2, 1, Embedding.BY_ROWS);
        change.accept(parts);
        return MetaFolder.writeShard(folder, 1, parts, stored);
    }

    private static void setParam(Path folder, String key, String value) throws IOException {
        ObjectNode json = MetaFolder.params(CONFIG);
        Files.writeString(
                folder.resolve("params.json"),
                json.set(key, new ObjectMapper().readTree(value)).toString());
    }

    private static String refused(Path folder) {
        return assertThrows(CheckpointException.class, () -> MetaCheckpoint.open(folder).close())
                .getMessage();
    }
}
