package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * What Meta's {@code params.json} says of a Llama model.
 *
 * @param dim width of the residual stream; a multiple of {@code heads}
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param vocabularySize rows of the embedding; empty in Llama 1 and 2, which leave it to the
 *     tokenizer
 * @param multipleOf the MLP's width is rounded up to a multiple of this
 * @param ffnMultiplier widens the MLP
 * @param normEps added to the mean square before its root
 * @param ropeTheta base of the rotary frequencies
 * @param scaledRope whether the rotary frequencies are scaled as from Llama 3.1 on
 * @param maxSequence longest context in tokens, where the file says one; Meta's own do not
 * @see <a href="https://github.com/meta-llama/llama-models/blob/main/models/llama3/args.py">Meta's
 *     ModelArgs</a>
 */
public record MetaParams(
        int dim,
        int layers,
        int heads,
        int kvHeads,
        OptionalInt vocabularySize,
        int multipleOf,
        OptionalDouble ffnMultiplier,
        float normEps,
        float ropeTheta,
        boolean scaledRope,
        OptionalInt maxSequence) {

    static final String FILE = "params.json";

    /** Sizes above this are not believed. */
    private static final int LARGEST = 1 << 20;

    /** Meta's defaults, for what the files of Llama 1 and 2 leave out. */
    private static final int DEFAULT_MULTIPLE = 256;

    private static final float DEFAULT_EPS = 1e-5f;
    private static final float DEFAULT_THETA = 10000;

    /** Keys that are read, and one (a batch size) that says nothing of the model. */
    private static final Set<String> KNOWN =
            Set.of(
                    "dim",
                    "n_layers",
                    "n_heads",
                    "n_kv_heads",
                    "vocab_size",
                    "multiple_of",
                    "ffn_dim_multiplier",
                    "norm_eps",
                    "rope_theta",
                    "use_scaled_rope",
                    "max_seq_len",
                    "max_batch_size");

    /** Keys of models that are not this decoder, and what they stand for. */
    private static final Map<String, String> OTHER_MODELS =
            Map.of(
                    "moe", "a mixture of experts",
                    "moe_args", "a mixture of experts",
                    "quantization_args", "quantised weights",
                    "lora_args", "LoRA adapters",
                    "vision_chunk_size", "a vision model",
                    "vision_model", "a vision model",
                    "sliding_window", "Mistral's window; give its Hugging Face folder",
                    "head_dim", "Mistral's layout; give its Hugging Face folder",
                    "hidden_dim", "Mistral's layout; give its Hugging Face folder");

    /** Width of a head. */
    public int headDim() {
        return dim / heads;
    }

    /**
     * Width of the MLP: two thirds of four times {@code dim}, so that three matrices have the
     * parameters of two, widened by the multiplier and rounded up.
     */
    public int ffnWidth() {
        return Math.toIntExact(ffnWidth(dim, multipleOf, ffnMultiplier));
    }

    /** Meta's formula, with its truncations to whole numbers. */
    private static long ffnWidth(int dim, int multipleOf, OptionalDouble multiplier) {
        long width = 8L * dim / 3;
        if (multiplier.isPresent()) width = (long) (multiplier.getAsDouble() * width);
        if (width > LARGEST) return width; // refused anyway, and rounding might overflow
        return (width + multipleOf - 1) / multipleOf * multipleOf;
    }

    /** The same with the vocabulary that the embedding has. */
    MetaParams withVocabularySize(int size) {
        return new MetaParams(
                dim,
                layers,
                heads,
                kvHeads,
                OptionalInt.of(size),
                multipleOf,
                ffnMultiplier,
                normEps,
                ropeTheta,
                scaledRope,
                maxSequence);
    }

    /**
     * Reads {@code params.json} of a model folder.
     *
     * @throws CheckpointException if it is missing, broken, or of a model that is not supported
     */
    public static MetaParams read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    folder, "has no params.json; give a folder in Meta's layout");
        }
        return new Reader(file, JsonFile.object(file)).params();
    }

    /** Reads one params.json, key by key, with errors that name the key. */
    private record Reader(Path file, JsonNode json) {
        MetaParams params() throws CheckpointException {
            refuseUnknown();
            int dim = size("dim");
            int heads = size("n_heads");
            int kvHeads = absent("n_kv_heads") ? heads : size("n_kv_heads");
            if (dim % heads != 0) {
                throw bad("dim=%d is not a multiple of n_heads=%d".formatted(dim, heads));
            }
            if (dim / heads % 2 != 0) {
                throw bad(
                        "dim=%d and n_heads=%d make heads of %d, but their width must be even"
                                .formatted(dim, heads, dim / heads));
            }
            if (heads % kvHeads != 0) {
                throw bad("n_kv_heads=%d does not divide n_heads=%d".formatted(kvHeads, heads));
            }
            int multipleOf = absent("multiple_of") ? DEFAULT_MULTIPLE : size("multiple_of");
            OptionalDouble multiplier = multiplier();
            long width = ffnWidth(dim, multipleOf, multiplier);
            if (width < 1 || width > LARGEST) {
                throw bad(
                        ("dim=%d, multiple_of=%d and ffn_dim_multiplier=%s make an MLP %d"
                                        + " wide, but it may have 1 to %d")
                                .formatted(
                                        dim,
                                        multipleOf,
                                        JsonFile.quote(json.path("ffn_dim_multiplier")),
                                        width,
                                        LARGEST));
            }
            return new MetaParams(
                    dim,
                    size("n_layers"),
                    heads,
                    kvHeads,
                    vocabularySize(),
                    multipleOf,
                    multiplier,
                    positive("norm_eps", DEFAULT_EPS),
                    positive("rope_theta", DEFAULT_THETA),
                    flag("use_scaled_rope"),
                    absent("max_seq_len")
                            ? OptionalInt.empty()
                            : OptionalInt.of(size("max_seq_len")));
        }

        /** A key that is not known may change the computation, unless it is null. */
        private void refuseUnknown() throws CheckpointException {
            for (var entry : json.properties()) {
                String key = entry.getKey();
                if (KNOWN.contains(key) || entry.getValue().isNull()) continue;
                String meaning = OTHER_MODELS.get(key);
                throw bad(
                        "%s is not supported: %s%s"
                                .formatted(
                                        key.length() <= 40 ? key : key.substring(0, 40) + "...",
                                        JsonFile.quote(entry.getValue()),
                                        meaning != null
                                                ? " (" + meaning + ")"
                                                : "; known keys: "
                                                        + String.join(", ", new TreeSet<>(KNOWN))));
            }
        }

        private boolean absent(String key) {
            return json.path(key).isMissingNode() || json.path(key).isNull();
        }

        private int size(String key) throws CheckpointException {
            JsonNode value = json.path(key);
            if (!value.isIntegralNumber()
                    || !value.canConvertToInt()
                    || value.intValue() < 1
                    || value.intValue() > LARGEST) {
                throw bad(
                        "%s must be a whole number from 1 to %d, but is %s"
                                .formatted(key, LARGEST, JsonFile.quote(value)));
            }
            return value.intValue();
        }

        /** -1 is how Llama 1 and 2 leave it to the tokenizer. */
        private OptionalInt vocabularySize() throws CheckpointException {
            JsonNode value = json.path("vocab_size");
            boolean open = value.isIntegralNumber() && value.canConvertToInt();
            if (absent("vocab_size") || open && value.intValue() == -1) return OptionalInt.empty();
            return OptionalInt.of(size("vocab_size"));
        }

        private OptionalDouble multiplier() throws CheckpointException {
            String key = "ffn_dim_multiplier";
            if (absent(key)) return OptionalDouble.empty();
            positive(key, 1);
            return OptionalDouble.of(json.path(key).doubleValue());
        }

        private float positive(String key, float otherwise) throws CheckpointException {
            if (absent(key)) return otherwise;
            JsonNode value = json.path(key);
            if (!value.isNumber()
                    || !(value.floatValue() > 0)
                    || !Float.isFinite(value.floatValue())) {
                throw bad(
                        "%s must be a finite number above 0, but is %s"
                                .formatted(key, JsonFile.quote(value)));
            }
            return value.floatValue();
        }

        private boolean flag(String key) throws CheckpointException {
            if (absent(key)) return false;
            if (!json.path(key).isBoolean()) {
                throw bad(
                        "%s must be true or false, but is %s"
                                .formatted(key, JsonFile.quote(json.path(key))));
            }
            return json.path(key).booleanValue();
        }

        private CheckpointException bad(String problem) {
            return new CheckpointException(file, problem);
        }
    }
}
