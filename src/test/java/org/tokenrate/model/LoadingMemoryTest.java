package org.tokenrate.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokenrate.checkpoint.DType;

/** Loading takes the model's size on the device, the largest tensor and 256 MB at most. */
class LoadingMemoryTest {
    private static final long SPARE_BYTES = 256_000_000;
    private static final int HIDDEN = 1024;
    private static final int MIDDLE = 4096;
    private static final int LAYERS = 8;
    private static final int VOCABULARY = 40_000;

    @TempDir Path folder;

    /** f32 files are twice the model's size in bf16: were they kept, the limit would break. */
    @ParameterizedTest
    @CsvSource({"F32, true, 1", "F32, false, 1", "BF16, false, 1", "BF16, false, 4"})
    void thePeakStaysBelowTheModelTheLargestTensorAndAQuarterGigabyte(
            DType stored, boolean tied, int ranks) throws IOException, InterruptedException {
        assumeTrue(
                Files.exists(Path.of("/proc/self/status")), "the system tells no peak: no /proc");
        write(stored, tied);
        String[] numbers = run(ranks).strip().split(" ");
        assertEquals(2, numbers.length, "the JVM printed " + String.join(" ", numbers));
        long weights = Long.parseLong(numbers[0]);
        long peak = Long.parseLong(numbers[1]);
        long largest = (long) VOCABULARY * HIDDEN * stored.bytes();
        String what = "peak %d, weights %d, largest tensor %d".formatted(peak, weights, largest);
        assertTrue(peak > weights, what);
        assertTrue(peak <= weights + largest + SPARE_BYTES, what);
    }

    private String run(int ranks) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(
                List.of(
                        "--add-modules=jdk.incubator.vector",
                        "-Xmx128m",
                        "-XX:+UseParallelGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LoadsInLittleMemory.class.getName(),
                        folder.toString(),
                        "" + ranks));
        Process process =
                new ProcessBuilder(command)
                        .redirectError(folder.resolve("errors").toFile())
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), () -> output + errors());
        return output;
    }

    private String errors() {
        try {
            return Files.readString(folder.resolve("errors"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** A model of zeros, in a file that is a hole but for its header. */
    private void write(DType stored, boolean tied) throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                 "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
                 "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": %d,
                 "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                 "tie_word_embeddings": %s, "eos_token_id": 2}
                """
                        .formatted(HIDDEN, MIDDLE, LAYERS, VOCABULARY, tied));
        Header header = new Header(stored);
        header.add("model.embed_tokens.weight", VOCABULARY, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            String layer = "model.layers." + i + ".";
            header.add(layer + "input_layernorm.weight", HIDDEN);
            header.add(layer + "self_attn.q_proj.weight", HIDDEN, HIDDEN);
            header.add(layer + "self_attn.k_proj.weight", HIDDEN / 2, HIDDEN);
            header.add(layer + "self_attn.v_proj.weight", HIDDEN / 2, HIDDEN);
            header.add(layer + "self_attn.o_proj.weight", HIDDEN, HIDDEN);
            header.add(layer + "post_attention_layernorm.weight", HIDDEN);
            header.add(layer + "mlp.gate_proj.weight", MIDDLE, HIDDEN);
            header.add(layer + "mlp.up_proj.weight", MIDDLE, HIDDEN);
            header.add(layer + "mlp.down_proj.weight", HIDDEN, MIDDLE);
        }
        header.add("model.norm.weight", HIDDEN);
        if (!tied) header.add("lm_head.weight", VOCABULARY, HIDDEN);
        header.write(folder.resolve("model.safetensors"));
    }

    private static final class Header {
        private final DType type;
        private final StringJoiner entries = new StringJoiner(",", "{", "}");
        private long offset;

        Header(DType type) {
            this.type = type;
        }

        void add(String name, long... shape) {
            StringJoiner extents = new StringJoiner(",", "[", "]");
            long size = type.bytes();
            for (long extent : shape) {
                extents.add("" + extent);
                size *= extent;
            }
            long end = offset + size;
            entries.add(
                    "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                            .formatted(name, type, extents, offset, end));
            offset = end;
        }

        void write(Path file) throws IOException {
            byte[] text = entries.toString().getBytes(UTF_8);
            ByteBuffer start = ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN);
            start.putLong(text.length).put(text).flip();
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                long size = start.remaining() + offset;
                channel.write(start, 0);
                channel.write(ByteBuffer.allocate(1), size - 1);
            }
        }
    }
}
