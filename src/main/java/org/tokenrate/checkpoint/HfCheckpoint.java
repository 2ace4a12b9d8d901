package org.tokenrate.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A Hugging Face model folder with safetensors weights: {@code model.safetensors}, or the shards
 * that {@code model.safetensors.index.json} names.
 */
public final class HfCheckpoint implements Checkpoint {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;
    private final List<Path> files = new ArrayList<>();
    private final List<Safetensors> shards = new ArrayList<>();
    private final Map<String, TensorData> tensors = new TreeMap<>();
    private final Map<String, Path> home = new TreeMap<>();

    /**
     * @throws CheckpointException if the folder holds no such weights or they are damaged
     */
    public static HfCheckpoint open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder, "is not a folder; give a Hugging Face model folder");
        }
        HfCheckpoint checkpoint = new HfCheckpoint(folder);
        try {
            checkpoint.readAll();
        } catch (IOException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
        return checkpoint;
    }

    private HfCheckpoint(Path folder) {
        this.folder = folder;
    }

    private void readAll() throws IOException {
        if (Files.exists(folder.resolve(SINGLE))) {
            add(folder.resolve(SINGLE));
        } else if (Files.exists(folder.resolve(INDEX))) {
            for (String shard : shardNames(folder.resolve(INDEX))) add(folder.resolve(shard));
        } else {
            throw new CheckpointException(
                    folder,
                    "holds neither %s nor %s, but %s".formatted(SINGLE, INDEX, listing(folder)));
        }
    }

    private static Set<String> shardNames(Path index) throws IOException {
        JsonNode map;
        try {
            map = JSON.readTree(index.toFile()).path("weight_map");
        } catch (JsonProcessingException e) {
            throw new CheckpointException(index, "is not JSON: " + e.getOriginalMessage());
        } catch (CharConversionException e) { // what looks like UTF-32 and is not
            throw new CheckpointException(index, "is not JSON: " + e.getMessage());
        }
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException(index, "has no weight_map");
        }
        Set<String> names = new TreeSet<>();
        for (var entry : map.properties()) {
            String name = entry.getValue().asText();
            // A shard is a plain file beside its index: an untrusted index may not point elsewhere.
            if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors")) {
                throw new CheckpointException(
                        index,
                        "names the shard '" + name + "', which is not a file name of this folder");
            }
            names.add(name);
        }
        return names;
    }

    private void add(Path file) throws IOException {
        Safetensors shard = Safetensors.open(file);
        shards.add(shard);
        files.add(file);
        for (var entry : shard.tensors().entrySet()) {
            Path other = home.put(entry.getKey(), file);
            if (other != null) {
                throw new CheckpointException(
                        file, "holds " + entry.getKey() + ", and so does " + other);
            }
            tensors.put(entry.getKey(), entry.getValue());
        }
    }

    private static String listing(Path folder) throws IOException {
        try (var list = Files.list(folder)) {
            List<String> names = list.map(p -> p.getFileName().toString()).sorted().toList();
            if (names.isEmpty()) return "is empty";
            return names.stream().limit(12).collect(Collectors.joining(", "))
                    + (names.size() > 12 ? " and " + (names.size() - 12) + " more" : "");
        }
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public TensorData tensor(String name, long... shape) throws IOException {
        TensorData tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException(folder, "has no tensor " + name);
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
    public String sha256() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 20];
            List<Path> all = new ArrayList<>(files);
            all.add(0, folder.resolve("config.json"));
            for (Path file : all) {
                try (InputStream in = Files.newInputStream(file)) {
                    for (int n; (n = in.read(buffer)) > 0; ) digest.update(buffer, 0, n);
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() throws IOException {
        for (Safetensors shard : shards) shard.close();
    }
}
