package org.tokenrate.llamacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokenrate.gguf.HfToGguf;
import org.tokenrate.gguf.TokenText;

/**
 * Greedy answers of our engine and of llama.cpp to the same prompts, from the same random weights:
 * ours from a Hugging Face folder, theirs from GGUF, both in 32-bit floats.
 *
 * <p>Two likeliest tokens whose logits differ by less than rounding makes of them may come out
 * either way, and what follows is another text: there a comparison stops and says so.
 */
class LlamaCppTest {
    private static final long SEED = 20261124;

    /** Around the size of our KV blocks (64) and beyond our budget for prompts (256). */
    private static final List<Integer> LENGTHS =
            List.of(1, 2, 63, 64, 65, 127, 128, 129, 300, 512, 513, 700);

    private static final int PROMPTS = 32;
    private static final int LONGEST_OF_THE_OTHERS = 200;
    private static final int ANSWER = 32;
    private static final int CONTEXT = 1024;

    /** Share of the largest logit that rounding may move one by. */
    private static final double NEAR = 1e-4;

    private static final double LEAST_COMPARED = 0.9;

    /** Different tokens that an answer has on average: less would compare a stuck record. */
    private static final int VARIETY = ANSWER / 2;

    @TempDir Path scratch;

    @BeforeAll
    static void llamaCppIsHere() {
        Assumptions.assumeTrue(
                LlamaCpp.isHere(),
                () ->
                        "llama.cpp's binding has no native library for %s %s"
                                .formatted(
                                        System.getProperty("os.name"),
                                        System.getProperty("os.arch")));
    }

    /** As many key and value heads as query heads, an odd vocabulary. */
    private static ObjectNode config(String architecture) {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add(architecture);
        return config.put("hidden_size", 64)
                .put("num_hidden_layers", 3)
                .put("num_attention_heads", 4)
                .put("num_key_value_heads", 4)
                .put("intermediate_size", 128)
                .put("vocab_size", 509)
                .put("max_position_embeddings", CONTEXT)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("tie_word_embeddings", false)
                .put("hidden_act", "silu");
    }

    @Test
    void llamaAnswersAlike() throws Exception {
        compare(config("LlamaForCausalLM"));
    }

    @Test
    void llamaWithGroupedHeadsAndTiedEmbeddingsAnswersAlike() throws Exception {
        compare(
                config("LlamaForCausalLM")
                        .put("num_attention_heads", 6)
                        .put("num_key_value_heads", 2)
                        .put("head_dim", 16)
                        .put("rope_theta", 500000.0)
                        .put("tie_word_embeddings", true));
    }

    @Test
    void llamaWithLinearRopeScalingAnswersAlike() throws Exception {
        ObjectNode config = config("LlamaForCausalLM").put("num_key_value_heads", 2);
        config.putObject("rope_scaling").put("type", "linear").put("factor", 4.0);
        compare(config);
    }

    @Test
    void llama3RopeScalingAnswersAlike() throws Exception {
        ObjectNode config =
                config("LlamaForCausalLM")
                        .put("num_key_value_heads", 1)
                        .put("rope_theta", 500000.0);
        config.putObject("rope_scaling")
                .put("rope_type", "llama3")
                .put("factor", 8.0)
                .put("low_freq_factor", 1.0)
                .put("high_freq_factor", 4.0)
                .put("original_max_position_embeddings", 128);
        compare(config);
    }

    @Test
    void llamaWithBiasesInAttentionAnswersAlike() throws Exception {
        compare(config("LlamaForCausalLM").put("attention_bias", true));
    }

    @Test
    void internLmAnswersAlike() throws Exception {
        compare(config("InternLMForCausalLM").put("bias", true));
    }

    @Test
    void internLm2AnswersAlike() throws Exception {
        compare(config("InternLM2ForCausalLM").put("num_key_value_heads", 2).put("bias", false));
    }

    @Test
    void mistralAnswersAlike() throws Exception {
        compare(
                config("MistralForCausalLM")
                        .put("num_key_value_heads", 2)
                        .putNull("sliding_window"));
    }

    @Test
    void qwen2AnswersAlike() throws Exception {
        compare(
                config("Qwen2ForCausalLM")
                        .put("num_key_value_heads", 2)
                        .put("rope_theta", 1000000.0)
                        .put("rms_norm_eps", 1e-6));
    }

    /** The build of the binding is older than Qwen3, but has its norms in another family. */
    @Test
    void qwen3AnswersAsAChameleonDoes() throws Exception {
        compare(
                config("Qwen3ForCausalLM").put("num_key_value_heads", 2).put("head_dim", 16),
                HfToGguf::convertCentredQwen3);
    }

    /** What the comparison is worth: little is changed on our side, and it is seen. */
    @Test
    void aSlightlyDifferentModelIsNotTakenForTheSame() throws Exception {
        ObjectNode config = config("LlamaForCausalLM").put("num_key_value_heads", 2);
        Random random = new Random(SEED);
        Path folder = scratch.resolve("model");
        RandomFolder.write(folder, config, random);
        Path gguf = scratch.resolve("model.gguf");
        TokenText text = HfToGguf.convert(folder, gguf);
        int[][] prompts = prompts(random, config.path("vocab_size").intValue());
        int[][] theirs = LlamaCpp.answers(gguf, CONTEXT, prompts, ANSWER, text, scratch);
        for (ObjectNode other :
                List.of(
                        config.deepCopy().put("rope_theta", 10100.0),
                        config.deepCopy().put("rms_norm_eps", 1e-3))) {
            new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), other);
            int[][] ours = OurEngine.answers(folder, prompts, ANSWER);
            assertThrows(
                    AssertionError.class,
                    () -> assertAlike(folder, prompts, ours, theirs),
                    other::toString);
        }
    }

    @Test
    void aModelThatLlamaCppRefusesIsAnErrorWithItsReason() throws Exception {
        RandomFolder.write(scratch.resolve("model"), config("LlamaForCausalLM"), new Random(SEED));
        Path gguf = scratch.resolve("model.gguf");
        TokenText text = HfToGguf.convert(scratch.resolve("model"), gguf);
        try (FileChannel file = FileChannel.open(gguf, StandardOpenOption.WRITE)) {
            file.truncate(file.size() / 2);
        }
        String message =
                assertThrows(
                                IOException.class,
                                () ->
                                        LlamaCpp.answers(
                                                gguf, CONTEXT, new int[][] {{1}}, 1, text, scratch))
                        .getMessage();
        assertTrue(message.contains("llama.cpp ended with 1"), message);
        assertTrue(message.contains("not within the file bounds"), message);
    }

    private interface Conversion {
        TokenText convert(Path folder, Path gguf) throws IOException;
    }

    private void compare(ObjectNode config) throws Exception {
        compare(config, HfToGguf::convert);
    }

    private void compare(ObjectNode config, Conversion conversion) throws Exception {
        Random random = new Random(SEED);
        Path folder = scratch.resolve("model");
        RandomFolder.write(folder, config, random);
        Path gguf = scratch.resolve("model.gguf");
        TokenText text = conversion.convert(folder, gguf);
        int[][] prompts = prompts(random, config.path("vocab_size").intValue());
        int[][] theirs = LlamaCpp.answers(gguf, CONTEXT, prompts, ANSWER, text, scratch);
        int[][] ours = OurEngine.answers(folder, prompts, ANSWER);
        assertVaried(theirs);
        assertAlike(folder, prompts, ours, theirs);
    }

    private static int[][] prompts(Random random, int vocabulary) {
        List<Integer> lengths = new ArrayList<>(LENGTHS);
        while (lengths.size() < PROMPTS) lengths.add(1 + random.nextInt(LONGEST_OF_THE_OTHERS));
        return lengths.stream()
                .map(length -> random.ints(length, 0, vocabulary).toArray())
                .toArray(int[][]::new);
    }

    private static void assertVaried(int[][] answers) {
        double different =
                Arrays.stream(answers)
                        .mapToLong(answer -> Arrays.stream(answer).distinct().count())
                        .average()
                        .orElseThrow();
        assertTrue(different >= VARIETY, "an answer has only " + different + " different tokens");
    }

    private static void assertAlike(Path folder, int[][] prompts, int[][] ours, int[][] theirs)
            throws IOException {
        assertEquals(prompts.length, theirs.length);
        int compared = 0;
        int stopped = 0;
        for (int i = 0; i < prompts.length; i++) {
            assertEquals(ANSWER, theirs[i].length, "tokens of llama.cpp's answer " + i);
            int differs = Arrays.mismatch(ours[i], theirs[i]);
            compared += differs < 0 ? ANSWER : differs;
            if (differs < 0) continue;
            stopped++;
            assertNearTie(folder, i, prompts[i], ours[i], theirs[i], differs);
        }
        int all = prompts.length * ANSWER;
        if (stopped > 0) {
            System.out.printf(
                    "llama.cpp: %d of %d tokens compared; %d of %d prompts stopped at a near tie%n",
                    compared, all, stopped, prompts.length);
        }
        assertTrue(
                compared >= LEAST_COMPARED * all,
                "only %d of %d tokens were compared".formatted(compared, all));
    }

    private static void assertNearTie(
            Path folder, int i, int[] prompt, int[] ours, int[] theirs, int differs)
            throws IOException {
        int[] before = Arrays.copyOf(prompt, prompt.length + differs);
        System.arraycopy(ours, 0, before, prompt.length, differs);
        float[] logits = OurEngine.logits(folder, before, prompt.length);
        double largest = 0;
        for (float logit : logits) largest = Math.max(largest, Math.abs(logit));
        double gap = Math.abs(logits[ours[differs]] - logits[theirs[differs]]) / largest;
        assertTrue(
                gap < NEAR,
                "seed %d, prompt %d of %d tokens, answer's token %d: ours is %d, llama.cpp's %d, %.2e apart"
                        .formatted(
                                SEED,
                                i,
                                prompt.length,
                                differs,
                                ours[differs],
                                theirs[differs],
                                gap));
    }
}
