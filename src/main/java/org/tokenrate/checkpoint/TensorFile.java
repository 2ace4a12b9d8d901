package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** One file of a checkpoint, checked when it is opened; its tensors stay valid until it closes. */
interface TensorFile extends AutoCloseable {
    Path path();

    /** Its tensors by name. */
    Map<String, TensorData> tensors();

    /**
     * What else it holds under a name and cannot give: the reason, as "is a number, not a tensor".
     */
    default Map<String, String> unusable() {
        return Map.of();
    }

    @Override
    void close() throws IOException;
}
