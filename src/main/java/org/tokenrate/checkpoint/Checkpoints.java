package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** Opens checkpoints of every format. */
public final class Checkpoints {
    private Checkpoints() {}

    /**
     * Opens a model folder's weights.
     *
     * @throws IllegalArgumentException if the folder holds a model of another format
     * @throws CheckpointException if it holds none, or one that is damaged or not supported
     */
    public static Checkpoint open(Path folder, ModelFormat format) throws IOException {
        format.requireIn(folder);
        return switch (format) {
            case HF -> HfCheckpoint.open(folder);
            case LLAMA -> MetaCheckpoint.open(folder);
            case AWQ -> AwqCheckpoint.open(folder);
        };
    }
}
