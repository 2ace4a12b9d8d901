package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** One file of a checkpoint, checked when it is opened; its tensors stay valid until it closes. */
interface TensorFile extends AutoCloseable {
    Path path();

    /** Its tensors by name. */
    Map<String, TensorData> tensors();

    @Override
    void close() throws IOException;
}
