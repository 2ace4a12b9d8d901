package org.tokenrate.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.HalfSplitRows;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.ModelFormat;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.model.ModelTensors.Entry;

/**
 * A checkpoint without files, with weights from a seed. In llama format queries and keys lie in
 * Meta's order and are brought into ours as they are read, so the model is the one of hf; in awq
 * format every linear layer but the head is of 4 bits, as AutoAWQ leaves it.
 */
final class RandomCheckpoint implements Checkpoint {
    /** AutoAWQ's default group, and the smaller ones for layers that it does not divide. */
    private static final int[] GROUPS = {128, 64, 32};

    private final Map<String, Entry> entries = new TreeMap<>();
    private final RandomTensors tensors;
    private final ModelConfig config;
    private final ModelFormat format;
    private final String identity;

    /**
     * @param identity what tells this model from others: the text of its configuration
     */
    RandomCheckpoint(ModelConfig config, long seed, ModelFormat format, String identity) {
        for (Entry e : ModelTensors.of(config)) entries.put(e.name(), e);
        tensors = new RandomTensors(seed);
        this.config = config;
        this.format = format;
        this.identity = "random 1, seed " + seed + ", " + format.label() + "\n" + identity;
    }

    @Override
    public Set<String> names() {
        return entries.keySet();
    }

    @Override
    public TensorData tensor(String name, long... shape) {
        Entry entry = entry(name, shape);
        boolean turned = name.endsWith("q_proj.weight") || name.endsWith("k_proj.weight");
        if (format != ModelFormat.LLAMA || !turned) {
            return tensors.numbers(name, entry.kind(), shape);
        }
        int dim = config.headDim();
        TensorData meta =
                tensors.numbers(
                        name,
                        entry.kind(),
                        row -> row - row % dim + row % 2 * (dim / 2) + row % dim / 2,
                        shape);
        return new HalfSplitRows(meta, dim);
    }

    @Override
    public LinearData linear(String name, long outputs, long inputs) {
        if (format != ModelFormat.AWQ || isHead(name)) {
            return new DenseData(tensor(name + ".weight", outputs, inputs));
        }
        entry(name + ".weight", outputs, inputs);
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

    private Entry entry(String name, long... shape) {
        Entry entry = entries.get(name);
        if (entry == null || !Arrays.equals(entry.shape(), shape)) {
            throw new IllegalStateException(
                    "the model has no tensor %s of shape %s"
                            .formatted(name, Arrays.toString(shape)));
        }
        return entry;
    }

    /** Inputs of a layer that share a scale in awq format; 1 if no group size divides them. */
    static int groupSize(long inputs) {
        for (int group : GROUPS) {
            if (inputs % group == 0) return group;
        }
        return 1;
    }

    private static int group(String name, long outputs, long inputs) {
        int group = groupSize(inputs);
        if (group > 1 && outputs % 8 == 0) return group;
        throw new IllegalArgumentException(
                ("layer %s of %d outputs and %d inputs cannot be of 4 bits: awq needs outputs in"
                                + " eights and inputs in groups of 32, 64 or 128; use"
                                + " modelFormat=hf")
                        .formatted(name, outputs, inputs));
    }

    /** Of awq's packed layers a quarter, and a little for their groups. */
    @Override
    public long bytes() {
        double all = 0;
        for (Entry e : entries.values()) {
            boolean packed =
                    format == ModelFormat.AWQ
                            && e.kind() == ModelTensors.Kind.LINEAR
                            && !isHead(e.name().substring(0, e.name().lastIndexOf('.')));
            long values = Arrays.stream(e.shape()).reduce(1, (a, b) -> a * b);
            all += values * (packed ? 0.5 + 2.5 / GROUPS[0] : 2);
        }
        return (long) all;
    }

    private boolean isHead(String name) {
        return name.equals(config.architecture().names.head());
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
