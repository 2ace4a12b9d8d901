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

    /**
     * The weights of a linear layer, {@code name + ".weight"} in {@link #names()} whatever form
     * they are stored in.
     *
     * @param name of the layer, e.g. {@code model.layers.0.mlp.up_proj}
     * @throws IOException if there is no such layer or its shape is another
     */
    default LinearData linear(String name, long outputs, long inputs) throws IOException {
        return new DenseData(tensor(name + ".weight", outputs, inputs));
    }

    /** Where a tensor lies, for errors: its file, or the folder of them all. */
    default String place(String tensor) {
        return "the checkpoint";
    }

    /** Bytes of all tensors, for the progress of loading; 0 if not known. */
    default long bytes() {
        return 0;
    }

    /** SHA-256 over the model's files, in lower-case hex. */
    String sha256() throws IOException;

    @Override
    void close() throws IOException;
}
