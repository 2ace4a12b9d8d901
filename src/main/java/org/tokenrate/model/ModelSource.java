package org.tokenrate.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.IntUnaryOperator;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.ModelFormat;

/**
 * Where a model comes from: what {@code -p model} and {@code -p modelFormat} mean. Nothing is read
 * before it is asked for, but a folder's names.
 */
public interface ModelSource {
    /** The model that comes with the benchmark. */
    String BUILTIN = "builtin";

    /** What a model of random weights begins with: {@code random:SHAPE[@SEED]}. */
    String RANDOM = "random:";

    /** What {@code -p modelFormat} calls finding the format from the files. */
    String AUTO = "auto";

    /**
     * @param model {@code builtin}, {@code random:SHAPE[@SEED]} or a model folder
     * @param format hf, llama, awq or auto
     * @throws IOException if there is no such model, or it is of another format; the message says
     *     what there is
     */
    static ModelSource of(String model, String format) throws IOException {
        if (model.equals(BUILTIN)) return new BuiltinSource(named(format));
        if (model.startsWith(RANDOM)) return RandomSource.of(model, named(format));
        return FolderSource.of(Path.of(model), format);
    }

    static ModelFormat named(String format) {
        return format.equals(AUTO)
                ? ModelFormat.HF
                : ModelFormat.valueOf(format.toUpperCase(Locale.ROOT));
    }

    /** The model's name in reports. */
    String label();

    ModelFormat format();

    ModelConfig config() throws IOException;

    /**
     * For the inputs of a linear layer, how many of them share a scale; 1 if the weights are dense.
     */
    IntUnaryOperator groupSize() throws IOException;

    /**
     * What each of so many ranks holds of the model.
     *
     * @throws IOException if the configuration cannot be read
     * @throws IllegalArgumentException if the model cannot be divided so, with the numbers
     */
    default List<Shard> shards(int ranks) throws IOException {
        return Shard.of(config(), ranks, groupSize());
    }

    /** The weights; the caller closes them. */
    Checkpoint open() throws IOException;

    /**
     * The folder that holds a model's tokenizer; one of random weights without a tokenizer beside
     * its config.json takes the built-in one.
     */
    static Path tokenizerFolder(String model) throws IOException {
        if (model.equals(BUILTIN)) return Builtin.tokenizerFolder();
        if (model.startsWith(RANDOM)) return RandomSource.tokenizerFolder(model);
        return Path.of(model);
    }
}
