package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A Hugging Face folder whose linear layers AutoAWQ packed into 4 bits: {@code X.qweight}, {@code
 * X.qzeros} and {@code X.scales} stand where {@code X.weight} stood. A layer that has its {@code
 * X.weight} still (the head, the modules that were not to be converted) is dense.
 */
public final class AwqCheckpoint implements Checkpoint {
    private static final String WEIGHT = ".weight";
    private static final String QWEIGHT = ".qweight";
    private static final String QZEROS = ".qzeros";
    private static final String SCALES = ".scales";

    /** Nibbles of an I32. */
    private static final int PER_INT = 8;

    private final HfCheckpoint files;
    private final Path config;
    private final int groupSize;
    private final Set<String> packed = new TreeSet<>();
    private final Set<String> names = new TreeSet<>();

    /**
     * @throws CheckpointException if config.json asks for another quantisation than AutoAWQ's 4
     *     bits in gemm layout, a layer has not exactly its three tensors, or files are damaged
     */
    public static AwqCheckpoint open(Path folder) throws IOException {
        Path config = folder.resolve("config.json");
        AwqSettings settings = AwqSettings.read(config);
        HfCheckpoint files = HfCheckpoint.open(folder);
        try {
            return new AwqCheckpoint(files, config, settings);
        } catch (IOException | RuntimeException e) {
            files.close();
            throw e;
        }
    }

    /**
     * Inputs that share a scale in a folder's layers.
     *
     * @throws CheckpointException as {@link #open} does because of config.json
     */
    public static int groupSize(Path folder) throws IOException {
        return AwqSettings.read(folder.resolve("config.json")).groupSize();
    }

    private AwqCheckpoint(HfCheckpoint files, Path config, AwqSettings settings)
            throws IOException {
        this.files = files;
        this.config = config;
        groupSize = settings.groupSize();
        for (String name : files.names()) {
            String layer = layer(name);
            if (layer.isEmpty()) {
                names.add(name);
                continue;
            }
            checkComplete(layer, name);
            packed.add(layer);
            names.add(layer + WEIGHT);
        }
        if (packed.isEmpty()) {
            throw new CheckpointException(
                    config, "speaks of AWQ, but no tensor's name ends in " + QWEIGHT);
        }
    }

    /** The layer of which a tensor is one of the three parts; empty if it is none. */
    private static String layer(String name) {
        for (String part : List.of(QWEIGHT, QZEROS, SCALES)) {
            if (name.endsWith(part)) return name.substring(0, name.length() - part.length());
        }
        return "";
    }

    private void checkComplete(String layer, String present) throws IOException {
        for (String part : List.of(QWEIGHT, QZEROS, SCALES)) {
            if (!files.names().contains(layer + part)) {
                throw new CheckpointException(
                        files.file(present),
                        "has %s, but no file has %s%s".formatted(present, layer, part));
            }
        }
        if (files.names().contains(layer + WEIGHT)) {
            throw new CheckpointException(
                    files.file(layer + WEIGHT),
                    "has %s%s, but there is %s%s too: one of them is surplus"
                            .formatted(layer, WEIGHT, layer, QWEIGHT));
        }
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(names);
    }

    @Override
    public TensorData tensor(String name, long... shape) throws IOException {
        if (name.endsWith(WEIGHT)
                && packed.contains(name.substring(0, name.length() - WEIGHT.length()))) {
            throw new CheckpointException(
                    config, name + " is wanted as it is, but was packed into 4 bits");
        }
        return files.tensor(name, shape);
    }

    @Override
    public LinearData linear(String name, long outputs, long inputs) throws IOException {
        if (!packed.contains(name)) return Checkpoint.super.linear(name, outputs, inputs);
        if (inputs % groupSize != 0 || outputs % PER_INT != 0) {
            throw new CheckpointException(
                    config,
                    "%s has %d inputs and %d outputs; groups of %d inputs and of %d outputs do not fill them"
                            .formatted(name, inputs, outputs, groupSize, PER_INT));
        }
        long groups = inputs / groupSize;
        return new AwqData(
                name,
                part(name + QWEIGHT, DType.I32, inputs, outputs / PER_INT),
                part(name + QZEROS, DType.I32, groups, outputs / PER_INT),
                part(name + SCALES, DType.F16, groups, outputs),
                groupSize,
                0,
                outputs);
    }

    private TensorData part(String name, DType type, long rows, long columns) throws IOException {
        TensorData tensor = files.stored(name);
        long[] shape = {rows, columns};
        if (!Arrays.equals(tensor.shape(), shape)) {
            throw new CheckpointException(
                    files.file(name),
                    "tensor %s has shape %s, but config.json, with groups of %d, says %s"
                            .formatted(
                                    name,
                                    Arrays.toString(tensor.shape()),
                                    groupSize,
                                    Arrays.toString(shape)));
        }
        if (tensor.type() != type) {
            throw new CheckpointException(
                    files.file(name),
                    "tensor %s is of type %s; AutoAWQ's is %s"
                            .formatted(name, tensor.type(), type));
        }
        return tensor;
    }

    @Override
    public String place(String tensor) {
        String layer =
                tensor.endsWith(WEIGHT)
                        ? tensor.substring(0, tensor.length() - WEIGHT.length())
                        : tensor;
        return files.place(packed.contains(layer) ? layer + QWEIGHT : tensor);
    }

    @Override
    public long bytes() {
        return files.bytes();
    }

    @Override
    public String sha256() throws IOException {
        return files.sha256();
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
