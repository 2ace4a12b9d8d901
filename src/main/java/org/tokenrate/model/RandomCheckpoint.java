package org.tokenrate.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.checkpoint.TensorData;

/**
 * A checkpoint without files: whatever tensor is asked for, it has, with weights from a seed. In
 * awq format every linear layer but the head is of 4 bits, as AutoAWQ leaves it.
 */
final class RandomCheckpoint implements Checkpoint {
    private static final String HEAD = "lm_head";
    private static final String INTERN_HEAD = "output";

    /** AutoAWQ's default group, and the smaller ones for layers that it does not divide. */
    private static final int[] GROUPS = {128, 64, 32};

    private final RandomTensors tensors;
    private final ModelFormat format;
    private final String identity;

    /**
     * @param identity what tells this model from others: its configuration
     */
    RandomCheckpoint(long seed, ModelFormat format, String identity) {
        tensors = new RandomTensors(seed);
        this.format = format;
        this.identity = "random 1, seed " + seed + ", " + format.label() + "\n" + identity;
    }

    /** None: it has no tensor that the model does not ask for. */
    @Override
    public Set<String> names() {
        return Set.of();
    }

    @Override
    public TensorData tensor(String name, long... shape) {
        return tensors.numbers(name, shape);
    }

    @Override
    public LinearData linear(String name, long outputs, long inputs) {
        boolean head = name.equals(HEAD) || name.equals(INTERN_HEAD);
        if (format != ModelFormat.AWQ || head) {
            return new DenseData(tensor(name + ".weight", outputs, inputs));
        }
        int group = group(name, outputs, inputs);
        return new AwqData(
                name,
                tensors.packed(name + ".qweight", inputs, outputs / 8),
                tensors.packed(name + ".qzeros", inputs / group, outputs / 8),
                tensors.scales(name + ".scales", inputs, inputs / group, outputs),
                group,
                0,
                outputs);
    }

    private static int group(String name, long outputs, long inputs) {
        for (int group : GROUPS) {
            if (inputs % group == 0 && outputs % 8 == 0) return group;
        }
        throw new IllegalArgumentException(
                ("layer %s of %d outputs and %d inputs cannot be of 4 bits: awq needs outputs in"
                                + " eights and inputs in groups of 32, 64 or 128; use"
                                + " modelFormat=hf")
                        .formatted(name, outputs, inputs));
    }

    @Override
    public String sha256() {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(identity.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() {}
}
