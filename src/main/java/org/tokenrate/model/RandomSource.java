package org.tokenrate.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.tokenizer.Tokenizers;

/**
 * {@code random:SHAPE[@SEED]}: weights from a seed in the shape of a well-known model or of any
 * config.json. How fast a model runs does not depend on what its weights say.
 *
 * @param configFile the config.json, for errors and for the tokenizer beside it
 */
record RandomSource(String label, ModelFormat format, Path configFile, byte[] configJson, long seed)
        implements ModelSource {
    /** Shapes by name, from the models' published config.json; a resource each. */
    static final List<String> SHAPES =
            List.of(
                    "llama-110m",
                    "tinyllama-1.1b",
                    "llama2-7b",
                    "llama3-8b",
                    "internlm-7b",
                    "internlm2-7b",
                    "qwen2-7b",
                    "qwen3-8b");

    /** More than any config.json may have. */
    private static final int MAX_CONFIG_BYTES = 2 << 20;

    static RandomSource of(String model, ModelFormat format) throws IOException {
        String shape = model.substring(RANDOM.length());
        long seed = 0;
        int at = shape.lastIndexOf('@');
        if (at >= 0 && shape.substring(at + 1).matches("-?[0-9]{1,18}")) {
            seed = Long.parseLong(shape.substring(at + 1));
            shape = shape.substring(0, at);
        }
        if (shape.equals(BUILTIN)) {
            return new RandomSource(model, format, Path.of("builtin"), Builtin.configJson(), seed);
        }
        if (SHAPES.contains(shape)) {
            String name = shape + ".json";
            try (InputStream in = RandomSource.class.getResourceAsStream("shapes/" + name)) {
                return new RandomSource(model, format, Path.of(name), in.readAllBytes(), seed);
            }
        }
        Path file = Path.of(shape);
        if (Files.isDirectory(file)) file = file.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    Path.of(model),
                    "is neither a known shape nor a config.json; known are %s, %s"
                            .formatted(BUILTIN, String.join(", ", SHAPES)));
        }
        try (InputStream in = Files.newInputStream(file)) {
            return new RandomSource(model, format, file, in.readNBytes(MAX_CONFIG_BYTES), seed);
        }
    }

    @Override
    public ModelConfig config() throws IOException {
        ModelConfig config = ModelConfig.parse(configFile, configJson);
        if (format == ModelFormat.LLAMA && config.architecture() != Architecture.LLAMA) {
            throw new CheckpointException(
                    configFile,
                    "is of the architecture %s, but modelFormat=llama holds Llama's only; use hf"
                            .formatted(config.architecture().label()));
        }
        return config;
    }

    @Override
    public IntUnaryOperator groupSize() {
        return format == ModelFormat.AWQ ? RandomCheckpoint::groupSize : inputs -> 1;
    }

    @Override
    public Checkpoint open() throws IOException {
        return new RandomCheckpoint(
                config(), seed, format, new String(configJson, StandardCharsets.UTF_8));
    }

    /** Beside the config.json if there is one; else the built-in tokenizer. */
    static Path tokenizerFolder(String model) throws IOException {
        RandomSource source = of(model, ModelFormat.HF);
        Path beside = source.configFile.toAbsolutePath().getParent();
        boolean own = Files.isRegularFile(source.configFile) && Tokenizers.holdsOne(beside);
        return own ? beside : Builtin.tokenizerFolder();
    }
}
