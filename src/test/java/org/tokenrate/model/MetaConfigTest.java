package org.tokenrate.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.MetaParams;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;
import org.tokenrate.model.MetaFolder.Embedding;

class MetaConfigTest {
    @TempDir Path folder;

    @Test
    void aModelOfMetasIsOneOfTheLlamaFamily() {
        var params =
                new MetaParams(
                        4096,
                        32,
                        32,
                        8,
                        OptionalInt.of(128256),
                        1024,
                        OptionalDouble.of(1.3),
                        1e-5f,
                        500000f,
                        true,
                        OptionalInt.empty());
        assertEquals( // config.json of Llama 3.1 8B Instruct
                new ModelConfig(
                        Architecture.LLAMA,
                        4096,
                        32,
                        AttentionConfig.plain(32, 8, 128),
                        14336,
                        false,
                        128256,
                        131072,
                        1e-5f,
                        new Rope(500000f, new RopeScaling.Llama3(8, 1, 4, 8192)),
                        false,
                        List.of(128001, 128008, 128009)),
                MetaConfig.of(params, true));
    }

    /** What the models' config.json files say, or what they were trained with. */
    @ParameterizedTest
    @CsvSource({
        "Llama 1 7B, 4096, 32, 32, 1e-6, 10000, false, false, 2048",
        "Llama 1 65B, 8192, 64, 64, 1e-5, 10000, false, false, 2048",
        "Llama 2 7B, 4096, 32, 32, 1e-5, 10000, false, false, 4096",
        "Llama 2 70B, 8192, 64, 8, 1e-5, 10000, false, false, 4096",
        "Code Llama 7B, 4096, 32, 32, 1e-5, 1000000, false, false, 16384",
        "Llama 3 8B, 4096, 32, 8, 1e-5, 500000, false, true, 8192",
        "Llama 3.1 70B, 8192, 64, 8, 1e-5, 500000, true, true, 131072",
    })
    void theContextFollowsFromWhatIsThere(
            String model,
            int dim,
            int heads,
            int kvHeads,
            float eps,
            float theta,
            boolean scaled,
            boolean llama3,
            int context) {
        var params = params(dim, heads, kvHeads, eps, theta, scaled, OptionalInt.empty());
        assertEquals(context, MetaConfig.of(params, llama3).maxPositions(), model);
        var given = params(dim, heads, kvHeads, eps, theta, scaled, OptionalInt.of(300));
        assertEquals(300, MetaConfig.of(given, llama3).maxPositions(), model);
    }

    /** The factors in the models' config.json. */
    @ParameterizedTest
    @CsvSource({
        "Llama 3.1 8B, 4096, 32, 8",
        "Llama 3.1 405B, 16384, 128, 8",
        "Llama 3.2 1B, 2048, 32, 32",
        "Llama 3.2 3B, 3072, 24, 32",
    })
    void scaledFrequenciesHaveTheFactorOfThePublishedModel(
            String model, int dim, int heads, double factor) {
        var params = params(dim, heads, 8, 1e-5f, 500000f, true, OptionalInt.empty());
        assertEquals(
                new RopeScaling.Llama3(factor, 1, 4, 8192),
                MetaConfig.of(params, true).rope().scaling(),
                model);
    }

    private static MetaParams params(
            int dim,
            int heads,
            int kvHeads,
            float eps,
            float theta,
            boolean scaled,
            OptionalInt maxSequence) {
        return new MetaParams(
                dim,
                2,
                heads,
                kvHeads,
                OptionalInt.of(32000),
                256,
                OptionalDouble.empty(),
                eps,
                theta,
                scaled,
                maxSequence);
    }

    @Test
    void aFolderIsReadWithTheVocabularyOfItsEmbedding() throws IOException {
        ModelConfig config = write(300);
        ObjectNode params = MetaFolder.params(config);
        params.put("vocab_size", -1);
        Files.writeString(folder.resolve("params.json"), params.toString());
        ModelConfig read = MetaConfig.read(folder);
        assertEquals(300, read.vocabularySize());
        assertEquals(config.intermediateSize(), read.intermediateSize());
        assertEquals(config.attention(), read.attention());
        assertEquals(config.rope(), read.rope());
        assertEquals(config.maxPositions(), read.maxPositions());
        assertEquals(config.rmsNormEps(), read.rmsNormEps());
    }

    @Test
    void aTextEndsWithTheTokenOfSentencePiece() throws IOException {
        write(300);
        assertEquals(List.of(2), MetaConfig.read(folder).eosTokens());
        tokenizer(new byte[] {0x0a, 0x0e, 0x0a, 0x05, 0x3c, 0x75, 0x6e, 0x6b, 0x3e, 0x15});
        assertEquals(List.of(2), MetaConfig.read(folder).eosTokens());
    }

    @ParameterizedTest
    @ValueSource(strings = {"IQ== 0\nIg== 1\n", "IQ== 0\r\nIg== 1\r\n", "aGFsbG8gd2Vs 0\nIg== 1"})
    void aTextEndsWithTheTokensOfLlama3IfTheTokenizerIsARankFile(String ranks) throws IOException {
        write(300);
        tokenizer(ranks.getBytes());
        assertEquals(List.of(45, 52, 53), MetaConfig.read(folder).eosTokens());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "IQ==", "IQ== \n", "!! 0\n", "IQ==  0\n"})
    void whatIsNoRankFileIsNone(String text) throws IOException {
        write(300);
        tokenizer(text.getBytes());
        assertEquals(List.of(2), MetaConfig.read(folder).eosTokens());
    }

    @Test
    void aVocabularyWithoutRoomForSpecialTokensIsRefused() throws IOException {
        write(200);
        tokenizer("IQ== 0\n".getBytes());
        assertEquals(
                folder.resolve("tokenizer.model")
                        + ": is a rank file, whose tokens and Llama 3's 256 special ones do not fit"
                        + " a vocabulary of 200",
                assertThrows(CheckpointException.class, () -> MetaConfig.read(folder))
                        .getMessage());
    }

    private ModelConfig write(int vocabulary) throws IOException {
        ModelConfig config = RandomModel.llama(32, 1, 4, 2, 8, 40, vocabulary, false);
        MetaFolder.write(
                folder, new RandomModel(config, DType.F32, new Random(3)), 2, Embedding.BY_COLUMNS);
        return config;
    }

    private void tokenizer(byte[] bytes) throws IOException {
        Files.write(folder.resolve("tokenizer.model"), bytes);
    }
}
