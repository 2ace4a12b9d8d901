package org.tokenrate.bench;

import java.io.IOException;
import java.util.List;
import org.tokenrate.model.ModelSource;

/** Models by what {@code -p model} and {@code -p modelFormat} say. */
final class Models {
    private Models() {}

    /**
     * @throws IllegalArgumentException if there is no such model or format
     */
    static ModelSource of(String model, String format) throws IOException {
        PartBenchmark.requireOneOf("modelFormat", format, List.of("hf", "llama", "awq", "auto"));
        return ModelSource.of(model, format);
    }
}
