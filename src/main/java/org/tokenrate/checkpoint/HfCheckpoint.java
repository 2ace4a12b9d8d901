package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A Hugging Face model folder: safetensors, or the archives that torch saves, as one file or as the
 * shards that an index names. Where both are there, safetensors are read.
 */
public final class HfCheckpoint implements Checkpoint {
    private final Path folder;
    private final List<TensorFile> files;
    private final Map<String, TensorData> tensors = new TreeMap<>();
    private final Map<String, Path> home = new TreeMap<>();
    private final Map<String, String> unusable = new TreeMap<>();

    /**
     * @throws CheckpointException if the folder holds no such weights or they are damaged
     */
    public static HfCheckpoint open(Path folder) throws IOException {
        HfCheckpoint checkpoint = new HfCheckpoint(folder, HfFiles.open(folder));
        try {
            for (TensorFile file : checkpoint.files) checkpoint.add(file);
        } catch (IOException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
        return checkpoint;
    }

    private HfCheckpoint(Path folder, List<TensorFile> files) {
        this.folder = folder;
        this.files = files;
    }

    private void add(TensorFile file) throws IOException {
        for (String name : file.tensors().keySet()) {
            Path other = home.put(name, file.path());
            if (other != null) {
                throw new CheckpointException(
                        file.path(), "holds " + name + ", and so does " + other);
            }
        }
        tensors.putAll(file.tensors());
        file.unusable()
                .forEach(
                        (name, why) ->
                                unusable.put(
                                        name,
                                        "; what %s calls so %s"
                                                .formatted(file.path().getFileName(), why)));
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public String place(String tensor) {
        return home.getOrDefault(tensor, folder).toString();
    }

    @Override
    public TensorData tensor(String name, long... shape) throws IOException {
        TensorData tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException(
                    folder, "has no tensor " + name + unusable.getOrDefault(name, ""));
        }
        if (!Arrays.equals(tensor.shape(), shape)) {
            throw new CheckpointException(
                    home.get(name),
                    "tensor %s has shape %s, but config.json says %s"
                            .formatted(
                                    name, Arrays.toString(tensor.shape()), Arrays.toString(shape)));
        }
        if (tensor.type() == DType.I32) {
            throw new CheckpointException(
                    home.get(name), "tensor " + name + " holds integers where numbers belong");
        }
        return tensor;
    }

    /** A tensor that is among {@link #names()} as it is stored, packed integers too. */
    TensorData stored(String name) {
        return tensors.get(name);
    }

    /** The file that holds a tensor of {@link #names()}. */
    Path file(String name) {
        return home.get(name);
    }

    @Override
    public long bytes() {
        return tensors.values().stream().mapToLong(TensorData::byteSize).sum();
    }

    @Override
    public String sha256() throws IOException {
        List<Path> all = new ArrayList<>();
        all.add(folder.resolve("config.json"));
        for (TensorFile file : files) all.add(file.path());
        return new ModelDigest().of(all);
    }

    @Override
    public void close() throws IOException {
        for (TensorFile file : files) file.close();
    }
}
