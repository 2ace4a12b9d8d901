package org.tokenrate.model;

import com.fasterxml.jackson.databind.JsonNode;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.device.Rope;
import org.tokenrate.device.RopeScaling;

/**
 * The rotary embedding of a config.json. Three spellings: {@code rope_theta} and {@code
 * rope_scaling}; transformers 5's {@code rope_parameters}, which holds both; and the {@code rotary}
 * of InternLM's own code.
 */
final class RopeReader {
    private static final float DEFAULT_THETA = 10000f;
    private static final String KNOWN = "default, linear, dynamic, llama3";

    private final ConfigFields fields;
    private final int headDim;
    private final int trained;
    private final Rope rope;

    RopeReader(ConfigFields fields, int headDim) throws CheckpointException {
        this.fields = fields;
        this.headDim = headDim;
        trained = fields.size("max_position_embeddings");
        requireWholeHeads(fields);
        rope = read();
    }

    Rope rope() {
        return rope;
    }

    /**
     * The longest context: {@code max_position_embeddings}, times the factor where the scaling is
     * linear or dynamic, since those configurations keep the length that was trained on; Llama 3's
     * already say the stretched one. vLLM derives it alike.
     */
    int context() throws CheckpointException {
        double factor = 1;
        if (rope.scaling() instanceof RopeScaling.Linear linear) factor = linear.factor();
        if (rope.scaling() instanceof RopeScaling.DynamicNtk dynamic) factor = dynamic.factor();
        double context = trained * factor;
        if (context > ConfigFields.LARGEST) {
            throw fields.bad(
                    "max_position_embeddings=%d times a factor of %s is more than %d"
                            .formatted(trained, factor, ConfigFields.LARGEST));
        }
        return (int) context;
    }

    private Rope read() throws CheckpointException {
        JsonNode scaling = fields.get("rope_scaling");
        if (!fields.absent("rope_parameters")) {
            if (!fields.absent("rope_scaling") && !scaling.equals(fields.get("rope_parameters"))) {
                throw fields.bad("has both rope_parameters and another rope_scaling");
            }
            ConfigFields in = object("rope_parameters");
            requireWholeHeads(in);
            float theta = in.positive("rope_theta", fields.positive("rope_theta", DEFAULT_THETA));
            return new Rope(theta, scaling(in));
        }
        if (!fields.absent("rotary")) return rotary(object("rotary"));
        float theta = fields.positive("rope_theta", DEFAULT_THETA);
        if (fields.absent("rope_scaling")) return new Rope(theta, RopeScaling.NONE);
        return new Rope(theta, scaling(object("rope_scaling")));
    }

    private ConfigFields object(String field) throws CheckpointException {
        if (!fields.get(field).isObject()) {
            throw fields.bad(
                    "%s must be an object, but is %s"
                            .formatted(field, ConfigFields.shown(fields.get(field))));
        }
        return fields.in(field);
    }

    /** Only a part of each head is turned in other families. */
    private static void requireWholeHeads(ConfigFields in) throws CheckpointException {
        String field = "partial_rotary_factor";
        if (!in.absent(field) && in.positive(field) != 1) {
            throw in.bad(
                    "%s is not supported: %s"
                            .formatted(in.prefix() + field, ConfigFields.shown(in.get(field))));
        }
    }

    private RopeScaling scaling(ConfigFields in) throws CheckpointException {
        for (var entry : in.json().properties()) { // by layer type, or by kind of position
            if (entry.getValue().isContainerNode()) {
                throw in.bad(
                        "%s is not supported: %s"
                                .formatted(
                                        in.prefix() + entry.getKey(),
                                        ConfigFields.shown(entry.getValue())));
            }
        }
        String field = in.absent("rope_type") ? "type" : "rope_type";
        if (in.absent(field) && !in.absent("factor")) {
            throw in.bad("%srope_type is missing; supported: %s".formatted(in.prefix(), KNOWN));
        }
        String type = in.get(field).asText("default");
        return switch (type) {
            case "default" -> RopeScaling.NONE;
            case "linear" -> new RopeScaling.Linear(factor(in, "factor"));
            // Transformers takes the trained length from max_position_embeddings, whatever
            // original_max_position_embeddings says.
            case "dynamic" -> dynamic(factor(in, "factor"));
            case "llama3" -> llama3(in);
            default ->
                    throw in.bad(
                            "%s %s is not supported; supported: %s"
                                    .formatted(
                                            in.prefix() + field,
                                            ConfigFields.shown(in.get(field)),
                                            KNOWN));
        };
    }

    private static double factor(ConfigFields in, String field) throws CheckpointException {
        double factor = in.positive(field);
        if (factor < 1) {
            throw in.bad("%s must be at least 1, but is %s".formatted(in.prefix() + field, factor));
        }
        return factor;
    }

    private RopeScaling dynamic(double factor) throws CheckpointException {
        if (factor == 1) return RopeScaling.NONE; // differs only beyond this context
        if (headDim < 4) {
            throw fields.bad("dynamic rope scaling needs a head_dim of 4, but it is " + headDim);
        }
        return new RopeScaling.DynamicNtk(factor, trained);
    }

    private static RopeScaling llama3(ConfigFields in) throws CheckpointException {
        double low = in.positive("low_freq_factor");
        double high = in.positive("high_freq_factor");
        if (low >= high) {
            throw in.bad(
                    "%slow_freq_factor=%s must be below high_freq_factor=%s"
                            .formatted(in.prefix(), low, high));
        }
        return new RopeScaling.Llama3(
                factor(in, "factor"), low, high, in.size("original_max_position_embeddings"));
    }

    /**
     * InternLM's: a base, and {@code dynamic} (its default, with a factor of 1) or {@code origin}.
     */
    private Rope rotary(ConfigFields in) throws CheckpointException {
        if (!fields.absent("rope_scaling")) throw fields.bad("has both rotary and rope_scaling");
        float theta = in.positive("base", DEFAULT_THETA);
        String type = in.get("type").asText("dynamic");
        return switch (type) {
            case "origin" -> new Rope(theta, RopeScaling.NONE);
            case "dynamic" -> {
                boolean given = !in.absent("scaling_factor");
                yield new Rope(theta, dynamic(given ? factor(in, "scaling_factor") : 1));
            }
            default ->
                    throw in.bad(
                            "rotary.type %s is not supported; supported: origin, dynamic"
                                    .formatted(ConfigFields.shown(in.get("type"))));
        };
    }
}
