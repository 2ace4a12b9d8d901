package org.tokenrate.model;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;

/** Hands out a checkpoint's tensors and notes which: what is left does not belong to the model. */
final class Weights {
    /** Ends of names of what old checkpoints carry and what follows from their configuration. */
    private static final List<String> DERIVED =
            List.of(
                    ".rotary_emb.inv_freq",
                    ".rotary_emb.cos_cached",
                    ".rotary_emb.sin_cached",
                    ".masked_bias");

    private final Checkpoint checkpoint;
    private final Set<String> taken = new HashSet<>();

    Weights(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    TensorData take(String name, long... shape) throws IOException {
        taken.add(name);
        return checkpoint.tensor(name, shape);
    }

    LinearData linear(String name, long outputs, long inputs) throws IOException {
        taken.add(name + ".weight");
        return checkpoint.linear(name, outputs, inputs);
    }

    TensorData bias(String name, long outputs) throws IOException {
        return take(name + ".bias", outputs);
    }

    /** Allows a tensor that is not needed. */
    void passOver(String name) {
        taken.add(name);
    }

    /**
     * @throws IOException if the checkpoint has a tensor that was not taken
     */
    void checkAllTaken() throws IOException {
        for (String name : checkpoint.names()) {
            if (!taken.contains(name) && DERIVED.stream().noneMatch(name::endsWith)) {
                throw new IOException(
                        "%s: has a tensor %s that its configuration has no place for"
                                .formatted(checkpoint.place(name), name));
            }
        }
    }
}
