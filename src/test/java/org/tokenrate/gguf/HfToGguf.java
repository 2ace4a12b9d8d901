package org.tokenrate.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.checkpoint.TensorData;

/**
 * Turns a Hugging Face folder into a GGUF file for llama.cpp, weights as they are stored, one block
 * of rows at a time. Reads {@code config.json} by itself: what the engine makes of that file is not
 * taken for granted here.
 *
 * <p>Names and keys are llama.cpp's (https://github.com/ggml-org/llama.cpp,
 * gguf-py/gguf/constants.py). The vocabulary is {@link TokenText}, not the folder's.
 */
public final class HfToGguf {
    /** Bytes copied at once from a matrix that needs no reordering. */
    private static final long CHUNK = 1 << 26;

    private final JsonNode config;
    private final Checkpoint checkpoint;
    private final Architecture architecture;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final List<Piece> pieces = new ArrayList<>();

    /**
     * What llama.cpp calls the model.
     *
     * @param interleaved whether it rotates neighbouring pairs, where Hugging Face rotates halves
     */
    private record Architecture(String name, boolean interleaved) {
        static Architecture of(JsonNode config) {
            String theirs = config.path("architectures").path(0).asText();
            // llama.cpp's llama knows no sliding window; its phi3 does, and is the same decoder
            // otherwise, with fused projections.
            boolean window = config.path("sliding_window").isNumber();
            return switch (theirs) {
                case "MistralForCausalLM" ->
                        window ? new Architecture("phi3", false) : new Architecture("llama", true);
                case "LlamaForCausalLM", "InternLMForCausalLM" -> new Architecture("llama", true);
                case "InternLM2ForCausalLM" -> new Architecture("internlm2", true);
                case "Qwen2ForCausalLM" -> new Architecture("qwen2", false);
                case "Qwen3ForCausalLM" -> new Architecture("qwen3", false);
                default ->
                        throw new IllegalArgumentException(
                                "no llama.cpp architecture is known for " + theirs);
            };
        }
    }

    /** A tensor of the file and where its elements come from. */
    private record Piece(GgufTensor tensor, Source source) {}

    private interface Source {
        void writeTo(GgufWriter writer) throws IOException;
    }

    private HfToGguf(JsonNode config, Checkpoint checkpoint) {
        this.config = config;
        this.checkpoint = checkpoint;
        architecture = Architecture.of(config);
        hidden = config.path("hidden_size").intValue();
        heads = config.path("num_attention_heads").intValue();
        kvHeads = config.path("num_key_value_heads").asInt(heads);
        headDim = config.path("head_dim").asInt(hidden / heads);
    }

    /** Writes {@code file} from {@code folder}'s {@code config.json} and weights. */
    public static void convert(Path folder, Path file) throws IOException {
        JsonNode config = new ObjectMapper().readTree(folder.resolve("config.json").toFile());
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            HfToGguf conversion = new HfToGguf(config, checkpoint);
            conversion.collect();
            conversion.write(file);
        }
    }

    private void write(Path file) throws IOException {
        List<GgufTensor> tensors = pieces.stream().map(Piece::tensor).toList();
        try (GgufWriter writer = GgufWriter.create(file, metadata(), tensors)) {
            for (Piece piece : pieces) piece.source().writeTo(writer);
        }
    }

    private GgufMetadata metadata() {
        String name = architecture.name();
        GgufMetadata metadata =
                new GgufMetadata()
                        .put("general.architecture", name)
                        .put(name + ".context_length", size("max_position_embeddings"))
                        .put(name + ".embedding_length", hidden)
                        .put(name + ".block_count", size("num_hidden_layers"))
                        .put(name + ".feed_forward_length", size("intermediate_size"))
                        .put(name + ".attention.head_count", heads)
                        .put(name + ".attention.head_count_kv", kvHeads)
                        .put(name + ".attention.key_length", headDim)
                        .put(name + ".attention.value_length", headDim)
                        .put(
                                name + ".attention.layer_norm_rms_epsilon",
                                (float) config.path("rms_norm_eps").asDouble(1e-6))
                        .put(name + ".rope.dimension_count", headDim)
                        .put(
                                name + ".rope.freq_base",
                                (float) config.path("rope_theta").asDouble(10000));
        if (ropeType().equals("linear")) {
            metadata.put(name + ".rope.scaling.type", "linear")
                    .put(name + ".rope.scaling.factor", (float) rope("factor"));
        }
        if (name.equals("phi3")) {
            metadata.put(name + ".attention.sliding_window", size("sliding_window"));
        }
        new TokenText(size("vocab_size")).describe(metadata);
        return metadata;
    }

    private int size(String field) {
        if (!config.path(field).isInt()) {
            throw new IllegalArgumentException("config.json has no whole number " + field);
        }
        return config.path(field).intValue();
    }

    private String ropeType() {
        JsonNode scaling = config.path("rope_scaling");
        String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
        if (!List.of("default", "linear", "llama3").contains(type)) {
            throw new IllegalArgumentException("llama.cpp has no rope scaling like " + type);
        }
        return type;
    }

    private double rope(String field) {
        return config.path("rope_scaling").path(field).doubleValue();
    }

    private void collect() throws IOException {
        int vocabulary = size("vocab_size");
        boolean internLm2 = architecture.name().equals("internlm2");
        whole(
                "token_embd.weight",
                internLm2 ? "model.tok_embeddings.weight" : "model.embed_tokens.weight",
                vocabulary,
                hidden);
        for (int i = 0; i < size("num_hidden_layers"); i++) {
            if (internLm2) internLm2Layer("blk." + i + ".", "model.layers." + i + ".");
            else layer("blk." + i + ".", "model.layers." + i + ".");
        }
        vector("output_norm.weight", "model.norm.weight", hidden);
        if (!config.path("tie_word_embeddings").asBoolean(false)) {
            whole(
                    "output.weight",
                    internLm2 ? "output.weight" : "lm_head.weight",
                    vocabulary,
                    hidden);
        } else if (architecture.name().equals("phi3")) {
            whole("output.weight", "model.embed_tokens.weight", vocabulary, hidden);
        }
        if (ropeType().equals("llama3")) ropeFactors();
    }

    private void layer(String to, String from) throws IOException {
        int middle = size("intermediate_size");
        vector(to + "attn_norm.weight", from + "input_layernorm.weight", hidden);
        vector(to + "ffn_norm.weight", from + "post_attention_layernorm.weight", hidden);
        String q = from + "self_attn.q_proj";
        String k = from + "self_attn.k_proj";
        String v = from + "self_attn.v_proj";
        if (architecture.name().equals("phi3")) {
            stacked(
                    to + "attn_qkv.weight",
                    List.of(matrix(q, heads), matrix(k, kvHeads), matrix(v, kvHeads)));
            TensorData gate = checkpoint.tensor(from + "mlp.gate_proj.weight", middle, hidden);
            TensorData up = checkpoint.tensor(from + "mlp.up_proj.weight", middle, hidden);
            stacked(to + "ffn_up.weight", List.of(gate, up));
        } else {
            projection(to + "attn_q", q, heads, architecture.interleaved());
            projection(to + "attn_k", k, kvHeads, architecture.interleaved());
            projection(to + "attn_v", v, kvHeads, false);
            whole(to + "ffn_gate.weight", from + "mlp.gate_proj.weight", middle, hidden);
            whole(to + "ffn_up.weight", from + "mlp.up_proj.weight", middle, hidden);
        }
        if (architecture.name().equals("qwen3")) {
            vector(to + "attn_q_norm.weight", from + "self_attn.q_norm.weight", headDim);
            vector(to + "attn_k_norm.weight", from + "self_attn.k_norm.weight", headDim);
        }
        String output = from + "self_attn.o_proj";
        whole(to + "attn_output.weight", output + ".weight", hidden, (long) heads * headDim);
        if (has(output + ".bias")) vector(to + "attn_output.bias", output + ".bias", hidden);
        whole(to + "ffn_down.weight", from + "mlp.down_proj.weight", hidden, middle);
    }

    /** Its fused projection holds, for each KV head, the queries, the key and the value. */
    private void internLm2Layer(String to, String from) throws IOException {
        int middle = size("intermediate_size");
        int group = heads / kvHeads;
        vector(to + "attn_norm.weight", from + "attention_norm.weight", hidden);
        vector(to + "ffn_norm.weight", from + "ffn_norm.weight", hidden);
        TensorData fused =
                checkpoint.tensor(
                        from + "attention.wqkv.weight",
                        (long) kvHeads * (group + 2) * headDim,
                        hidden);
        List<Long> q = new ArrayList<>();
        List<Long> k = new ArrayList<>();
        List<Long> v = new ArrayList<>();
        for (long h = 0; h < kvHeads; h++) {
            long start = h * (group + 2) * headDim;
            for (int i = 0; i < group; i++) q.add(start + (long) i * headDim);
            k.add(start + (long) group * headDim);
            v.add(start + (long) (group + 1) * headDim);
        }
        byHead(to + "attn_q.weight", fused, q, true);
        byHead(to + "attn_k.weight", fused, k, true);
        byHead(to + "attn_v.weight", fused, v, false);
        whole(
                to + "attn_output.weight",
                from + "attention.wo.weight",
                hidden,
                (long) heads * headDim);
        whole(to + "ffn_gate.weight", from + "feed_forward.w1.weight", middle, hidden);
        whole(to + "ffn_up.weight", from + "feed_forward.w3.weight", middle, hidden);
        whole(to + "ffn_down.weight", from + "feed_forward.w2.weight", hidden, middle);
    }

    private boolean has(String name) {
        return checkpoint.names().contains(name);
    }

    private TensorData matrix(String name, int heads) throws IOException {
        return checkpoint.tensor(name + ".weight", (long) heads * headDim, hidden);
    }

    private void projection(String to, String from, int heads, boolean interleave)
            throws IOException {
        List<Long> starts = new ArrayList<>();
        for (int h = 0; h < heads; h++) starts.add((long) h * headDim);
        byHead(to + ".weight", matrix(from, heads), starts, interleave);
        if (!has(from + ".bias")) return;
        float[] bias = floats(checkpoint.tensor(from + ".bias", (long) heads * headDim));
        float[] ordered = new float[bias.length];
        for (int i = 0; i < bias.length; i++) {
            int head = i / headDim * headDim;
            ordered[i] = bias[head + (interleave ? halfSplit(i % headDim) : i % headDim)];
        }
        constant(to + ".bias", ordered);
    }

    /** Where Hugging Face keeps what an interleaved rotation wants at place {@code i} of a head. */
    private int halfSplit(int i) {
        return i % 2 * (headDim / 2) + i / 2;
    }

    /** The heads that start at these rows, one below the other. */
    private void byHead(String to, TensorData from, List<Long> starts, boolean interleave) {
        GgufType type = GgufType.of(from.type());
        add(
                new GgufTensor(to, type, (long) starts.size() * headDim, hidden),
                writer -> {
                    int rowBytes = hidden * from.type().bytes();
                    for (long start : starts) {
                        ByteBuffer head = from.rows(start, start + headDim);
                        for (int i = 0; i < headDim; i++) {
                            int row = interleave ? halfSplit(i) : i;
                            writer.write(head.slice(row * rowBytes, rowBytes));
                        }
                    }
                });
    }

    private void whole(String to, String from, long rows, long columns) throws IOException {
        stacked(to, List.of(checkpoint.tensor(from, rows, columns)));
    }

    private void stacked(String to, List<TensorData> parts) {
        TensorData first = parts.get(0);
        long rows = parts.stream().mapToLong(TensorData::rowCount).sum();
        long rowBytes = first.rowLength() * first.type().bytes();
        long step = Math.max(1, CHUNK / rowBytes);
        add(
                new GgufTensor(to, GgufType.of(first.type()), rows, first.rowLength()),
                writer -> {
                    for (TensorData part : parts) {
                        for (long row = 0; row < part.rowCount(); row += step) {
                            writer.write(part.rows(row, Math.min(row + step, part.rowCount())));
                        }
                    }
                });
    }

    /** A vector, always of f32: ggml adds and scales in nothing else. */
    private void vector(String to, String from, int length) throws IOException {
        constant(to, floats(checkpoint.tensor(from, length)));
    }

    private void constant(String to, float[] values) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) bytes.putFloat(value);
        add(
                new GgufTensor(to, GgufType.F32, values.length),
                writer -> writer.write(bytes.duplicate().flip()));
    }

    private void add(GgufTensor tensor, Source source) {
        pieces.add(new Piece(tensor, source));
    }

    private static float[] floats(TensorData vector) throws IOException {
        ByteBuffer bytes = vector.rows(0, 1).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[Math.toIntExact(vector.rowLength())];
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    switch (GgufType.of(vector.type())) {
                        case F32 -> bytes.getFloat();
                        case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                        case F16 -> half(bytes.getShort());
                    };
        }
        return values;
    }

    /** IEEE 754 binary16; Float.float16ToFloat is Java 20's. */
    private static float half(short bits) {
        int exponent = bits >>> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        float magnitude =
                exponent == 0
                        ? fraction * 0x1p-24f
                        : exponent == 0x1f
                                ? fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN
                                : Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
        return bits < 0 ? -magnitude : magnitude;
    }

    /**
     * Llama 3's scaling, as divisors of the frequencies: none for wavelengths that the original
     * context holds often, {@code factor} for those it holds seldom, and between them by the share.
     * From Hugging Face's documentation of {@code rope_type=llama3}.
     */
    private void ropeFactors() {
        double low = rope("low_freq_factor");
        double high = rope("high_freq_factor");
        double theta = config.path("rope_theta").asDouble(10000);
        float[] divisors = new float[headDim / 2];
        for (int i = 0; i < divisors.length; i++) {
            double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headDim);
            double turns = rope("original_max_position_embeddings") / wavelength;
            double kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
            divisors[i] = (float) (1 / ((1 - kept) / rope("factor") + kept));
        }
        constant("rope_freqs.weight", divisors);
    }
}
