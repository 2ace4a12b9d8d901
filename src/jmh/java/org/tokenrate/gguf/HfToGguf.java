package org.tokenrate.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.checkpoint.SafetensorsWriter;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.checkpoint.TensorFloats;

/**
 * Turns a model into a GGUF file for llama.cpp, one block of rows at a time, weights as they are
 * stored or in another type. Reads {@code config.json} by itself: what the engine makes of that
 * file is not taken for granted here.
 *
 * <p>Names and keys are llama.cpp's (https://github.com/ggml-org/llama.cpp,
 * gguf-py/gguf/constants.py). The vocabulary is {@link TokenText}, not the folder's.
 */
public final class HfToGguf {
    /** Bytes read at once from a matrix that needs no reordering. */
    private static final long CHUNK = 1 << 24;

    /** Half way from f16's largest number to what would be the next. */
    private static final float F16_OVERFLOW = 65520;

    private final JsonNode config;
    private final Checkpoint checkpoint;
    private final Architecture architecture;
    private final Optional<GgufType> matrices;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final List<Piece> pieces = new ArrayList<>();

    /**
     * What llama.cpp calls the model.
     *
     * @param interleaved whether it rotates neighbouring pairs, where Hugging Face rotates halves
     * @param firstToken llama.cpp's id of the token 0; those before it are never likely
     */
    private record Architecture(String name, boolean interleaved, int firstToken) {
        static final Architecture LLAMA = new Architecture("llama", true, 0);

        /** Never answers with tokens 4 to 8195, which it takes for images. */
        static final Architecture CHAMELEON = new Architecture("chameleon", true, 8196);

        static Architecture of(JsonNode config) {
            String theirs = config.path("architectures").path(0).asText();
            return switch (theirs) {
                case "LlamaForCausalLM", "InternLMForCausalLM" -> LLAMA;
                case "MistralForCausalLM" -> {
                    if (config.path("sliding_window").isNumber()) {
                        throw new IllegalArgumentException(
                                "llama.cpp's llama has no sliding window, but config.json has one");
                    }
                    yield LLAMA;
                }
                case "InternLM2ForCausalLM" -> new Architecture("internlm2", true, 0);
                case "Qwen2ForCausalLM" -> new Architecture("qwen2", false, 0);
                case "Qwen3ForCausalLM" -> new Architecture("qwen3", false, 0);
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

    private HfToGguf(
            JsonNode config,
            Architecture architecture,
            Checkpoint checkpoint,
            Optional<GgufType> matrices) {
        this.config = config;
        this.architecture = architecture;
        this.checkpoint = checkpoint;
        this.matrices = matrices;
        hidden = config.path("hidden_size").intValue();
        heads = config.path("num_attention_heads").intValue();
        kvHeads = config.path("num_key_value_heads").asInt(heads);
        headDim = config.path("head_dim").asInt(hidden / heads);
    }

    /** Writes {@code file} from {@code folder}'s {@code config.json} and weights. */
    public static TokenText convert(Path folder, Path file) throws IOException {
        JsonNode config = config(folder);
        return convert(folder, config, Architecture.of(config), file);
    }

    /**
     * Writes a Qwen3 for a llama.cpp that does not know Qwen3 yet: as Chameleon, the same decoder
     * but that it takes the mean off queries and keys before it scales them. So it is the same
     * model only if the queries' and keys' weights have a mean of zero within each head; the norms'
     * epsilon must be 1e-5.
     */
    public static TokenText convertCentredQwen3(Path folder, Path file) throws IOException {
        return convert(folder, config(folder), Architecture.CHAMELEON, file);
    }

    private static JsonNode config(Path folder) throws IOException {
        return new ObjectMapper().readTree(folder.resolve("config.json").toFile());
    }

    private static TokenText convert(
            Path folder, JsonNode config, Architecture architecture, Path file) throws IOException {
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder)) {
            return new HfToGguf(config, architecture, checkpoint, Optional.empty()).write(file);
        }
    }

    /**
     * Writes {@code file} from a checkpoint of any format whose weights are stored one by one.
     *
     * @param config as in {@code config.json}
     * @param matrices the type of the matrices' elements, rounded to it where they lose bits.
     *     Vectors are always of f32
     * @throws IllegalArgumentException as {@link #requireKnown}
     * @throws IOException if a file cannot be read or written, or a weight is too large for the
     *     type
     */
    public static TokenText convert(
            JsonNode config, Checkpoint checkpoint, GgufType matrices, Path file)
            throws IOException {
        requireKnown(config);
        return new HfToGguf(config, Architecture.of(config), checkpoint, Optional.of(matrices))
                .write(file);
    }

    /**
     * Whether the llama.cpp at hand can be given a model of this kind.
     *
     * @throws IllegalArgumentException if it cannot, and says what it lacks
     */
    public static void requireKnown(JsonNode config) {
        String family = config.path("architectures").path(0).asText();
        if (family.equals("Qwen3ForCausalLM")) {
            throw new IllegalArgumentException(
                    "the binding's llama.cpp is older than Qwen3ForCausalLM");
        }
        if (config.path("use_sliding_window").asBoolean()) {
            throw new IllegalArgumentException(
                    "llama.cpp's " + family + " has no sliding window, but config.json has one");
        }
        if (config.path("mlp_bias").asBoolean()) {
            throw new IllegalArgumentException("biases in the MLP are not written as GGUF");
        }
        Architecture.of(config);
        ropeType(config);
    }

    private TokenText text() {
        return new TokenText(architecture.firstToken(), size("vocab_size"));
    }

    private TokenText write(Path file) throws IOException {
        collect();
        List<GgufTensor> tensors = pieces.stream().map(Piece::tensor).toList();
        try (GgufWriter writer = GgufWriter.create(file, metadata(), tensors)) {
            for (Piece piece : pieces) piece.source().writeTo(writer);
        }
        return text();
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
        if (architecture == Architecture.CHAMELEON) metadata.put(name + ".swin_norm", false);
        text().describe(metadata);
        return metadata;
    }

    private int size(String field) {
        if (!config.path(field).isInt()) {
            throw new IllegalArgumentException("config.json has no whole number " + field);
        }
        return config.path(field).intValue();
    }

    private String ropeType() {
        return ropeType(config);
    }

    private static String ropeType(JsonNode config) {
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
        boolean internLm2 = architecture.name().equals("internlm2");
        byToken(
                "token_embd.weight",
                internLm2 ? "model.tok_embeddings.weight" : "model.embed_tokens.weight");
        for (int i = 0; i < size("num_hidden_layers"); i++) {
            if (internLm2) internLm2Layer("blk." + i + ".", "model.layers." + i + ".");
            else layer("blk." + i + ".", "model.layers." + i + ".");
        }
        vector("output_norm.weight", "model.norm.weight", hidden);
        if (!config.path("tie_word_embeddings").asBoolean(false)) {
            byToken("output.weight", internLm2 ? "output.weight" : "lm_head.weight");
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
        projection(to + "attn_q", q, heads, architecture.interleaved());
        projection(to + "attn_k", k, kvHeads, architecture.interleaved());
        projection(to + "attn_v", v, kvHeads, false);
        whole(to + "ffn_gate.weight", from + "mlp.gate_proj.weight", middle, hidden);
        whole(to + "ffn_up.weight", from + "mlp.up_proj.weight", middle, hidden);
        headNorm(to + "attn_q_norm.weight", from + "self_attn.q_norm.weight", heads);
        headNorm(to + "attn_k_norm.weight", from + "self_attn.k_norm.weight", kvHeads);
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
        GgufType type = type(from);
        add(
                new GgufTensor(to, type, (long) starts.size() * headDim, hidden),
                writer -> {
                    int rowBytes = hidden * type.stored.bytes();
                    for (long start : starts) {
                        ByteBuffer head = elements(from, start, start + headDim);
                        for (int i = 0; i < headDim; i++) {
                            int row = interleave ? halfSplit(i) : i;
                            writer.write(head.slice(row * rowBytes, rowBytes));
                        }
                    }
                });
    }

    /** Chameleon has one norm a head, in the order of its rotation; Qwen3 one for all heads. */
    private void headNorm(String to, String from, int heads) throws IOException {
        if (!has(from)) return;
        if (architecture != Architecture.CHAMELEON) {
            vector(to, from, headDim);
            return;
        }
        float[] norm = floats(checkpoint.tensor(from, headDim));
        float[] ordered = new float[heads * headDim];
        for (int i = 0; i < ordered.length; i++) ordered[i] = norm[halfSplit(i % headDim)];
        constant(to, ordered, heads, headDim);
    }

    private void whole(String to, String from, long rows, long columns) throws IOException {
        copy(to, checkpoint.tensor(from, rows, columns), 0);
    }

    private void byToken(String to, String from) throws IOException {
        copy(to, checkpoint.tensor(from, size("vocab_size"), hidden), architecture.firstToken());
    }

    /** All rows, below some of zeros. */
    private void copy(String to, TensorData from, int zeros) {
        GgufType type = type(from);
        int rowBytes = Math.toIntExact(from.rowLength() * type.stored.bytes());
        long step = Math.max(1, CHUNK / rowBytes);
        add(
                new GgufTensor(to, type, zeros + from.rowCount(), from.rowLength()),
                writer -> {
                    for (int i = 0; i < zeros; i++) writer.write(ByteBuffer.allocate(rowBytes));
                    for (long row = 0; row < from.rowCount(); row += step) {
                        writer.write(elements(from, row, Math.min(row + step, from.rowCount())));
                    }
                });
    }

    private GgufType type(TensorData matrix) {
        return matrices.orElseGet(() -> GgufType.of(matrix.type()));
    }

    /** Rows of a matrix as they are written; rounded to nearest even where they lose bits. */
    private ByteBuffer elements(TensorData from, long first, long end) throws IOException {
        GgufType type = type(from);
        if (type.stored == from.type()) return from.rows(first, end);
        float[] values = TensorFloats.rows(from, first, end);
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(values.length, type.stored.bytes()))
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (type) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(f16(from, value));
                case BF16 -> bytes.putShort(SafetensorsWriter.toBf16(value));
            }
        }
        return bytes.flip();
    }

    /** Never infinity for a number: one such weight makes every answer NaN. */
    private static short f16(TensorData from, float value) throws IOException {
        if (Float.isFinite(value) && Math.abs(value) >= F16_OVERFLOW) {
            throw new IOException(
                    "%s holds %s, and f16 ends at 65504; use dtype=bf16 or f32"
                            .formatted(from.name(), value));
        }
        return SafetensorsWriter.toF16(value);
    }

    /** A vector, always of f32: ggml adds and scales in nothing else. */
    private void vector(String to, String from, int length) throws IOException {
        constant(to, floats(checkpoint.tensor(from, length)));
    }

    private void constant(String to, float[] values) {
        constant(to, values, values.length);
    }

    private void constant(String to, float[] values, long... shape) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) bytes.putFloat(value);
        add(
                new GgufTensor(to, GgufType.F32, shape),
                writer -> writer.write(bytes.duplicate().flip()));
    }

    private void add(GgufTensor tensor, Source source) {
        pieces.add(new Piece(tensor, source));
    }

    private static float[] floats(TensorData vector) throws IOException {
        return TensorFloats.rows(vector, 0, 1);
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
