package org.tokenrate.model;

import org.tokenrate.checkpoint.CheckpointException;

/**
 * A yes or no of a family: always the same, or by a field of config.json.
 *
 * @param field empty if the family leaves no choice
 * @param otherwise the answer without the field
 */
record Switch(String field, boolean otherwise) {
    static final Switch ON = new Switch("", true);
    static final Switch OFF = new Switch("", false);

    boolean in(ConfigFields fields) throws CheckpointException {
        return field.isEmpty() ? otherwise : fields.flag(field, otherwise);
    }
}
