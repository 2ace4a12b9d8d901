package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/**
 * What config.json's {@code quantization_config} says, as far as it is known here: AutoAWQ's gemm
 * layout, 4 bits, with zero points.
 *
 * @param groupSize inputs that share a scale: 32, 64 or 128
 */
record AwqSettings(int groupSize) {
    /** Group sizes that AutoAWQ writes. */
    static final Set<Integer> GROUP_SIZES = Set.of(32, 64, 128);

    /**
     * @throws CheckpointException if the file cannot be read or says anything else
     */
    static AwqSettings read(Path config) throws IOException {
        JsonNode settings = JsonFile.object(config).path("quantization_config");
        if (!settings.isObject()) {
            throw new CheckpointException(
                    config, "has no quantization_config: these are not AWQ weights");
        }
        expect(config, "quant_method", "awq", settings.path("quant_method").asText());
        expect(config, "version", "gemm", settings.path("version").asText("gemm"));
        expect(config, "zero_point", "true", settings.path("zero_point").asText("true"));
        JsonNode bits = either(settings, "bits", "w_bit");
        if (!bits.isIntegralNumber() || bits.asLong() != 4) {
            throw unknown(
                    config, "bits", bits.isMissingNode() ? "(none)" : JsonFile.quote(bits), "4");
        }
        JsonNode size = either(settings, "group_size", "q_group_size");
        if (!size.isInt() || !GROUP_SIZES.contains(size.asInt())) {
            throw unknown(
                    config,
                    "group_size",
                    size.isMissingNode() ? "(none)" : JsonFile.quote(size),
                    "32, 64 and 128");
        }
        return new AwqSettings(size.asInt());
    }

    private static JsonNode either(JsonNode settings, String name, String other) {
        return settings.has(name) ? settings.path(name) : settings.path(other);
    }

    private static void expect(Path config, String name, String known, String found)
            throws CheckpointException {
        if (!found.toLowerCase(Locale.ROOT).equals(known)) {
            throw unknown(config, name, found.isEmpty() ? "(none)" : found, known);
        }
    }

    private static CheckpointException unknown(
            Path config, String name, String found, String known) {
        return new CheckpointException(
                config,
                "quantization_config has %s %s; known for AWQ: %s".formatted(name, found, known));
    }
}
