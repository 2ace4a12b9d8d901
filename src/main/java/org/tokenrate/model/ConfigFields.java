package org.tokenrate.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.tokenrate.checkpoint.CheckpointException;

/** The fields of a config.json, or of an object in it, with errors that name the field. */
record ConfigFields(Path file, String prefix, JsonNode json) {
    /** Larger sizes are taken for damage: no model comes near. */
    static final int LARGEST = 1 << 20;

    /** The fields of an object in this one. */
    ConfigFields in(String field) {
        return new ConfigFields(file, prefix + field + ".", json.path(field));
    }

    JsonNode get(String field) {
        return json.path(field);
    }

    boolean missing(String field) {
        return json.path(field).isMissingNode();
    }

    /** Whether a field is missing or null: with most, both mean the default. */
    boolean absent(String field) {
        return missing(field) || json.path(field).isNull();
    }

    int size(String field) throws CheckpointException {
        return whole(field, 1);
    }

    int whole(String field, int least) throws CheckpointException {
        JsonNode value = json.path(field);
        if (!value.isIntegralNumber()
                || !value.canConvertToInt()
                || value.intValue() < least
                || value.intValue() > LARGEST) {
            throw bad(
                    "%s must be a whole number from %d to %d, but is %s"
                            .formatted(prefix + field, least, LARGEST, shown(value)));
        }
        return value.intValue();
    }

    float positive(String field, float otherwise) throws CheckpointException {
        return absent(field) ? otherwise : (float) positive(field);
    }

    /** A number above 0 that a float can hold. */
    double positive(String field) throws CheckpointException {
        JsonNode value = json.path(field);
        if (!value.isNumber() || !(value.floatValue() > 0) || !Float.isFinite(value.floatValue())) {
            throw bad(
                    "%s must be a finite number above 0, but is %s"
                            .formatted(prefix + field, shown(value)));
        }
        return value.doubleValue();
    }

    boolean flag(String field, boolean otherwise) throws CheckpointException {
        if (absent(field)) return otherwise;
        JsonNode value = json.path(field);
        if (!value.isBoolean()) {
            throw bad(prefix + field + " must be true or false, but is " + shown(value));
        }
        return value.booleanValue();
    }

    CheckpointException bad(String problem) {
        return new CheckpointException(file, problem);
    }

    /** A value for an error: what an untrusted file says may be of any length. */
    static String shown(JsonNode value) {
        if (value.isMissingNode()) return "missing";
        String text = value.toString();
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }
}
