package org.tokenrate.checkpoint;

import java.io.IOException;
import java.util.Set;

/** A model's weights on disk, under the names that Hugging Face gives them. */
public interface Checkpoint extends AutoCloseable {
    /** Names of all tensors. */
    Set<String> names();

    /**
     * @throws IOException if there is no such tensor or its shape is another
     */
    TensorData tensor(String name, long... shape) throws IOException;

    /** SHA-256 over the model's files, in lower-case hex. */
    String sha256() throws IOException;

    @Override
    void close() throws IOException;
}
