package org.tokenrate.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntUnaryOperator;
import org.tokenrate.checkpoint.AwqCheckpoint;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.CheckpointException;
import org.tokenrate.checkpoint.Checkpoints;
import org.tokenrate.checkpoint.ModelFormat;

/** A model folder. */
record FolderSource(Path folder, String label, ModelFormat format) implements ModelSource {
    static FolderSource of(Path folder, String format) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder,
                    "is not a folder; give builtin, random:SHAPE (such as random:llama2-7b), or a"
                            + " model's folder");
        }
        String label = folder.toRealPath().getFileName().toString();
        if (format.equals(AUTO)) return new FolderSource(folder, label, ModelFormat.detect(folder));
        ModelFormat named = ModelSource.named(format);
        named.requireIn(folder);
        return new FolderSource(folder, label, named);
    }

    @Override
    public ModelConfig config() throws IOException {
        return format == ModelFormat.LLAMA ? MetaConfig.read(folder) : ModelConfig.read(folder);
    }

    @Override
    public IntUnaryOperator groupSize() throws IOException {
        int group = format == ModelFormat.AWQ ? AwqCheckpoint.groupSize(folder) : 1;
        return inputs -> group;
    }

    @Override
    public Checkpoint open() throws IOException {
        return Checkpoints.open(folder, format);
    }
}
