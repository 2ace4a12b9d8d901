package org.tokenrate.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.model.Architecture.WindowRule;

/** Makes a configuration of a config.json, or says why it is none that can be computed. */
final class ConfigReader {
    /** A configuration of a hundred layers, each with its type, has 10 KB. */
    private static final int MAX_BYTES = 1 << 20;

    private static final int MAX_DEPTH = 32;

    private static final JsonMapper JSON =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_DEPTH)
                                                    .build())
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    /** Fields that change the computation in a way that no family here has, unless they are off. */
    private static final List<String> UNSUPPORTED =
            List.of(
                    "clip_qkv",
                    "num_local_experts",
                    "num_experts",
                    "attn_logit_softcapping",
                    "final_logit_softcapping",
                    "attention_chunk_size",
                    "no_rope_layers",
                    "alibi");

    /** Mistral's window where config.json does not say; Qwen's too. */
    private static final int DEFAULT_WINDOW = 4096;

    /** Qwen's layers below the window where config.json does not say. */
    private static final int DEFAULT_WINDOW_LAYERS = 28;

    private static final float DEFAULT_EPS = 1e-6f;

    private final ConfigFields fields;

    private ConfigReader(ConfigFields fields) {
        this.fields = fields;
    }

    static ModelConfig read(Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(folder, "has no config.json; give a model folder");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return parse(file, in.readNBytes(MAX_BYTES + 1));
        }
    }

    static ModelConfig parse(Path file, byte[] text) throws IOException {
        if (text.length > MAX_BYTES) {
            throw new CheckpointException(
                    file, "has more than " + MAX_BYTES + " bytes; no model's configuration has");
        }
        JsonNode json;
        try {
            json = JSON.readTree(text);
        } catch (MismatchedInputException e) {
            throw new CheckpointException(file, "is not JSON: text follows its end");
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file, "is not JSON: " + e.getOriginalMessage());
        } catch (CharConversionException e) { // what looks like UTF-32 and is not
            throw new CheckpointException(file, "is not JSON: " + e.getMessage());
        }
        if (!json.isObject()) throw new CheckpointException(file, "is not a JSON object");
        return new ConfigReader(new ConfigFields(file, "", json)).config();
    }

    private ModelConfig config() throws CheckpointException {
        Architecture architecture = architecture();
        refuseUnsupported();
        int layers = fields.size("num_hidden_layers");
        AttentionConfig attention = attention(architecture, layers);
        var rope = new RopeReader(fields, attention.headDim());
        return new ModelConfig(
                architecture,
                fields.size("hidden_size"),
                layers,
                attention,
                fields.size("intermediate_size"),
                architecture.biases.mlp().in(fields),
                fields.size("vocab_size"),
                rope.context(),
                fields.positive("rms_norm_eps", DEFAULT_EPS),
                rope.rope(),
                fields.flag("tie_word_embeddings", false),
                eosTokens());
    }

    private Architecture architecture() throws CheckpointException {
        String name = fields.get("architectures").path(0).asText("(none)");
        return Architecture.named(name)
                .orElseThrow(
                        () ->
                                fields.bad(
                                        "architecture %s is not known; known: %s"
                                                .formatted(name, Architecture.known())));
    }

    private void refuseUnsupported() throws CheckpointException {
        for (String field : UNSUPPORTED) {
            JsonNode value = fields.get(field);
            boolean off =
                    fields.absent(field)
                            || value.isBoolean() && !value.booleanValue()
                            || value.isNumber() && value.doubleValue() == 0
                            || value.isArray() && value.isEmpty();
            if (!off) {
                throw fields.bad(field + " is not supported: " + ConfigFields.shown(value));
            }
        }
        String activation = fields.get("hidden_act").asText("silu");
        if (!activation.equals("silu")) {
            throw fields.bad("hidden_act " + activation + " is not silu");
        }
        if (!fields.absent("quantization_config")) {
            String method = fields.get("quantization_config").path("quant_method").asText("(none)");
            if (!method.equals("awq")) {
                throw fields.bad(
                        "quantization_config's quant_method %s is not known; known: awq"
                                .formatted(method));
            }
        }
    }

    private AttentionConfig attention(Architecture architecture, int layers)
            throws CheckpointException {
        int heads = fields.size("num_attention_heads");
        int kvHeads = kvHeads(architecture, heads);
        if (heads % kvHeads != 0) {
            throw fields.bad(
                    "num_key_value_heads=%d does not divide num_attention_heads=%d"
                            .formatted(kvHeads, heads));
        }
        int headDim = headDim(architecture, heads);
        if (headDim % 2 != 0) throw fields.bad("head_dim=" + headDim + " must be even");
        if ((long) heads * headDim > ConfigFields.LARGEST) {
            throw fields.bad("%d heads of %d are too wide".formatted(heads, headDim));
        }
        return new AttentionConfig(
                heads,
                kvHeads,
                headDim,
                architecture.biases.qkv().in(fields),
                architecture.biases.output().in(fields),
                architecture.headNorms.in(fields),
                window(architecture.windowRule, layers));
    }

    private int kvHeads(Architecture architecture, int heads) throws CheckpointException {
        String field = "num_key_value_heads";
        if (!fields.absent(field)) return fields.size(field);
        int otherwise = architecture.defaults.kvHeads();
        // An explicit null asks for as many as there are query heads in every family.
        return otherwise == 0 || !fields.missing(field) ? heads : otherwise;
    }

    private int headDim(Architecture architecture, int heads) throws CheckpointException {
        if (!fields.absent("head_dim")) return fields.size("head_dim");
        int otherwise = architecture.defaults.headDim();
        if (otherwise != 0 && fields.missing("head_dim")) return otherwise;
        int hidden = fields.size("hidden_size");
        if (hidden % heads != 0) {
            throw fields.bad(
                    "hidden_size=%d is not a multiple of num_attention_heads=%d"
                            .formatted(hidden, heads));
        }
        return hidden / heads;
    }

    private SlidingWindow window(WindowRule rule, int layers) throws CheckpointException {
        String field = "sliding_window";
        boolean none =
                switch (rule) {
                    case NONE -> true;
                    case ALL_LAYERS -> fields.get(field).isNull();
                    case UPPER_LAYERS ->
                            !fields.flag("use_sliding_window", false) || fields.get(field).isNull();
                };
        if (none) return SlidingWindow.NONE;
        int tokens = fields.missing(field) ? DEFAULT_WINDOW : fields.size(field);
        if (!fields.absent("layer_types")) {
            return new SlidingWindow(tokens, layersWithWindow(layers));
        }
        int first = 0;
        if (rule == WindowRule.UPPER_LAYERS) {
            boolean given = !fields.absent("max_window_layers");
            first = given ? fields.whole("max_window_layers", 0) : DEFAULT_WINDOW_LAYERS;
        }
        return SlidingWindow.of(tokens, first, layers);
    }

    private Set<Integer> layersWithWindow(int layers) throws CheckpointException {
        JsonNode types = fields.get("layer_types");
        if (!types.isArray() || types.size() != layers) {
            throw fields.bad(
                    "layer_types must be a list of num_hidden_layers=%d types, but is %s"
                            .formatted(layers, ConfigFields.shown(types)));
        }
        Set<Integer> windowed = new HashSet<>();
        for (int i = 0; i < layers; i++) {
            String type = types.get(i).asText();
            if (type.equals("sliding_attention")) {
                windowed.add(i);
            } else if (!type.equals("full_attention")) {
                throw fields.bad(
                        "layer_types has %s; known: full_attention, sliding_attention"
                                .formatted(ConfigFields.shown(types.get(i))));
            }
        }
        return windowed;
    }

    private List<Integer> eosTokens() throws CheckpointException {
        JsonNode eos = fields.get("eos_token_id");
        List<Integer> ids = new ArrayList<>();
        if (eos.isArray()) for (JsonNode id : eos) ids.add(eosToken(id));
        else if (!fields.absent("eos_token_id")) ids.add(eosToken(eos));
        return ids;
    }

    private int eosToken(JsonNode id) throws CheckpointException {
        if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
            throw fields.bad(
                    "eos_token_id must be a token id or a list of them, but has "
                            + ConfigFields.shown(id));
        }
        return id.intValue();
    }
}
