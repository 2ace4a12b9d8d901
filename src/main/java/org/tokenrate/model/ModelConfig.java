package org.tokenrate.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.CharConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.CheckpointException;

/**
 * A decoder's shape, as Hugging Face's {@code config.json} gives it.
 *
 * @param hiddenSize width of the residual stream
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim width of a head; even
 * @param intermediateSize width of the MLP
 * @param vocabularySize rows of the embedding
 * @param maxPositions longest context in tokens
 * @param rmsNormEps added to the mean square before its root
 * @param ropeTheta base of the rotary frequencies
 * @param tiedEmbeddings whether the output projection is the embedding
 * @param eosTokens ids that end a text
 */
public record ModelConfig(
        int hiddenSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int intermediateSize,
        int vocabularySize,
        int maxPositions,
        float rmsNormEps,
        float ropeTheta,
        boolean tiedEmbeddings,
        List<Integer> eosTokens) {

    private static final String ARCHITECTURE = "LlamaForCausalLM";
    private static final int LARGEST = 1 << 20;

    public int queryWidth() {
        return heads * headDim;
    }

    public int kvWidth() {
        return kvHeads * headDim;
    }

    /** Width of the fused query, key and value projection. */
    public int qkvWidth() {
        return queryWidth() + 2 * kvWidth();
    }

    /**
     * Reads {@code config.json} of a model folder.
     *
     * @throws CheckpointException if it is missing, broken, or of a model that is not supported
     */
    public static ModelConfig read(Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(folder, "has no config.json; give a model folder");
        }
        JsonNode json;
        try {
            json = JsonMapper.builder().build().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file, "is not JSON: " + e.getOriginalMessage());
        } catch (CharConversionException e) { // what looks like UTF-32 and is not
            throw new CheckpointException(file, "is not JSON: " + e.getMessage());
        }
        if (!json.isObject()) throw new CheckpointException(file, "is not a JSON object");
        return new Reader(file, json).config();
    }

    /** Reads one config.json, field by field, with errors that name the field. */
    private record Reader(Path file, JsonNode json) {
        ModelConfig config() throws CheckpointException {
            String architecture = json.path("architectures").path(0).asText("(none)");
            if (!architecture.equals(ARCHITECTURE)) {
                throw bad("architecture " + architecture + " is not known; known: " + ARCHITECTURE);
            }
            refuse("rope_scaling");
            refuse("rope_parameters");
            refuse("attention_bias");
            refuse("mlp_bias");
            refuse("quantization_config");
            String activation = json.path("hidden_act").asText("silu");
            if (!activation.equals("silu")) throw bad("hidden_act " + activation + " is not silu");
            int hidden = size("hidden_size");
            int heads = size("num_attention_heads");
            int kvHeads = absent("num_key_value_heads") ? heads : size("num_key_value_heads");
            if (heads % kvHeads != 0) {
                throw bad(
                        "num_key_value_heads=%d does not divide num_attention_heads=%d"
                                .formatted(kvHeads, heads));
            }
            int headDim;
            if (!absent("head_dim")) {
                headDim = size("head_dim");
            } else if (hidden % heads == 0) {
                headDim = hidden / heads;
            } else {
                throw bad(
                        "hidden_size=%d is not a multiple of num_attention_heads=%d"
                                .formatted(hidden, heads));
            }
            if (headDim % 2 != 0) throw bad("head_dim=" + headDim + " must be even");
            if ((long) heads * headDim > LARGEST) {
                throw bad("%d heads of %d are too wide".formatted(heads, headDim));
            }
            return new ModelConfig(
                    hidden,
                    size("num_hidden_layers"),
                    heads,
                    kvHeads,
                    headDim,
                    size("intermediate_size"),
                    size("vocab_size"),
                    size("max_position_embeddings"),
                    positive("rms_norm_eps", 1e-6f),
                    positive("rope_theta", 10000f),
                    json.path("tie_word_embeddings").asBoolean(false),
                    eosTokens());
        }

        /** Whether a field is missing or null: both mean its default. */
        private boolean absent(String field) {
            return json.path(field).isMissingNode() || json.path(field).isNull();
        }

        /** Refuses a field that changes the computation, unless it is off. */
        private void refuse(String field) throws CheckpointException {
            JsonNode value = json.path(field);
            boolean off = absent(field) || value.isBoolean() && !value.booleanValue();
            if (!off) throw bad(field + " is not supported: " + value);
        }

        private int size(String field) throws CheckpointException {
            JsonNode value = json.path(field);
            if (!value.isIntegralNumber()
                    || !value.canConvertToInt()
                    || value.intValue() < 1
                    || value.intValue() > LARGEST) {
                throw bad(
                        "%s must be a whole number from 1 to %d, but is %s"
                                .formatted(
                                        field, LARGEST, value.isMissingNode() ? "missing" : value));
            }
            return value.intValue();
        }

        private float positive(String field, float absent) throws CheckpointException {
            JsonNode value = json.path(field);
            if (absent(field)) return absent;
            if (!value.isNumber()
                    || !(value.floatValue() > 0)
                    || !Float.isFinite(value.floatValue())) {
                throw bad(field + " must be a finite number above 0, but is " + value);
            }
            return value.floatValue();
        }

        private List<Integer> eosTokens() throws CheckpointException {
            JsonNode eos = json.path("eos_token_id");
            List<Integer> ids = new ArrayList<>();
            if (eos.isArray()) for (JsonNode id : eos) ids.add(eosToken(id));
            else if (!absent("eos_token_id")) ids.add(eosToken(eos));
            return List.copyOf(ids);
        }

        private int eosToken(JsonNode id) throws CheckpointException {
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
                throw bad("eos_token_id must be a token id or a list of them, but has " + id);
            }
            return id.intValue();
        }

        private CheckpointException bad(String problem) {
            return new CheckpointException(file, problem);
        }
    }
}
