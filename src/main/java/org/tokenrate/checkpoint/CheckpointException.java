package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint that cannot be used; the message names the file and what is wrong in it. */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1;

    public CheckpointException(Path file, String problem) {
        super(file + ": " + problem);
    }
}
