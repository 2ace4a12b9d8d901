package org.tokenrate.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Finds and opens the files that hold the weights of a Hugging Face model folder. */
final class HfFiles {
    /** What the folder may hold, the better form first. */
    private enum Form {
        SAFETENSORS("model.safetensors", ".safetensors"),
        TORCH("pytorch_model.bin", ".bin");

        private final String single;
        private final String suffix;

        Form(String single, String suffix) {
            this.single = single;
            this.suffix = suffix;
        }

        private String index() {
            return single + ".index.json";
        }

        private TensorFile open(Path file) throws IOException {
            return this == SAFETENSORS ? Safetensors.open(file) : TorchArchive.open(file);
        }
    }

    /** About 100 bytes a tensor. */
    private static final int MAX_INDEX_BYTES = 64 << 20;

    private HfFiles() {}

    /**
     * Opens {@code model.safetensors}, the shards of {@code model.safetensors.index.json}, {@code
     * pytorch_model.bin} or the shards of {@code pytorch_model.bin.index.json}: the first of these
     * that is there.
     *
     * @throws CheckpointException if none is there, or what is there is damaged
     */
    static List<TensorFile> open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder, "is not a folder; give a Hugging Face model folder");
        }
        for (Form form : Form.values()) {
            if (Files.exists(folder.resolve(form.single))) {
                return open(form, List.of(folder.resolve(form.single)));
            }
            if (Files.exists(folder.resolve(form.index()))) return open(form, shards(folder, form));
        }
        throw new CheckpointException(
                folder,
                "holds none of %s, but %s"
                        .formatted(
                                Arrays.stream(Form.values())
                                        .map(form -> form.single + ", " + form.index())
                                        .collect(Collectors.joining(", ")),
                                listing(folder)));
    }

    private static List<TensorFile> open(Form form, List<Path> paths) throws IOException {
        List<TensorFile> files = new ArrayList<>();
        try {
            for (Path path : paths) files.add(form.open(path));
            return files;
        } catch (IOException | RuntimeException e) {
            for (TensorFile file : files) file.close();
            throw e;
        }
    }

    private static List<Path> shards(Path folder, Form form) throws IOException {
        Path index = folder.resolve(form.index());
        List<Path> shards = new ArrayList<>();
        for (String name : shardNames(index, form)) {
            Path shard = folder.resolve(name);
            if (!Files.exists(shard)) {
                throw new CheckpointException(
                        shard, "is missing; the folder holds " + listing(folder));
            }
            shards.add(shard);
        }
        return shards;
    }

    private static Set<String> shardNames(Path index, Form form) throws IOException {
        JsonNode map = JsonFile.read(index, MAX_INDEX_BYTES).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException(index, "has no weight_map");
        }
        Set<String> names = new TreeSet<>();
        for (var entry : map.properties()) {
            String name = entry.getValue().asText();
            // A shard is a plain file beside its index: an untrusted index may not point elsewhere.
            if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*") || !name.endsWith(form.suffix)) {
                throw new CheckpointException(
                        index,
                        "names the shard '%s', which is not the name of a %s file of this folder"
                                .formatted(name, form.suffix));
            }
            names.add(name);
        }
        return names;
    }

    private static String listing(Path folder) throws IOException {
        try (var list = Files.list(folder)) {
            List<String> names = list.map(p -> p.getFileName().toString()).sorted().toList();
            if (names.isEmpty()) return "is empty";
            return ModelFolder.shortened(names);
        }
    }
}
