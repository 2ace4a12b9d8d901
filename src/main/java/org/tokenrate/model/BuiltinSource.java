package org.tokenrate.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.IntUnaryOperator;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.Checkpoints;
import org.tokenrate.checkpoint.ModelFormat;

/** The built-in model, made on first use in the format that is asked for. */
record BuiltinSource(ModelFormat format) implements ModelSource {
    @Override
    public String label() {
        return BUILTIN;
    }

    /** The same in every format. */
    @Override
    public ModelConfig config() throws IOException {
        return ModelConfig.parse(Path.of(BUILTIN), Builtin.configJson());
    }

    @Override
    public IntUnaryOperator groupSize() {
        int group = format == ModelFormat.AWQ ? Builtin.AWQ_GROUP_SIZE : 1;
        return inputs -> group;
    }

    @Override
    public Checkpoint open() throws IOException {
        return Checkpoints.open(Builtin.modelFolder(format), format);
    }
}
