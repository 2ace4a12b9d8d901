package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tokenrate.checkpoint.MetaTensor.Split;

/**
 * A Llama model in Meta's layout: {@code params.json}, and the model-parallel shards {@code
 * consolidated.00.pth}, {@code consolidated.01.pth}, ... It has the tensors that Hugging Face's
 * Llama has, under its names and in its order of rotary rows: shards are joined, and the rows of
 * queries and keys brought from Meta's order to Hugging Face's, as they are read.
 *
 * <p>The output projection is a tensor of its own in every Llama of this layout, those whose
 * embeddings are tied (3.2 1B and 3B) included.
 */
public final class MetaCheckpoint implements Checkpoint {
    private static final String SHARD = "consolidated.%02d.pth";
    private static final String SHARD_PATTERN = "consolidated\\.[0-9]{2}\\.pth";

    private final Path folder;
    private final List<TensorFile> shards = new ArrayList<>();
    private final Map<String, Home> tensors = new TreeMap<>();
    private MetaParams params;

    /** A tensor, and what each shard holds of it. */
    private record Home(MetaTensor tensor, List<TensorData> parts) {}

    /**
     * Opens every shard and checks that it holds the tensors that {@code params.json} tells of, in
     * their shapes, and nothing else.
     *
     * @throws CheckpointException if it does not
     */
    public static MetaCheckpoint open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException(
                    folder, "is not a folder; give a model folder in Meta's layout");
        }
        MetaCheckpoint checkpoint = new MetaCheckpoint(folder, MetaParams.read(folder));
        try {
            for (Path file : shardFiles(folder)) checkpoint.shards.add(openShard(file));
            checkpoint.readAll();
        } catch (IOException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
        return checkpoint;
    }

    private static TensorFile openShard(Path file) throws IOException {
        return TorchArchive.open(file);
    }

    private MetaCheckpoint(Path folder, MetaParams params) {
        this.folder = folder;
        this.params = params;
    }

    /** Whether a file is a shard by its name. */
    static boolean isShard(Path file) {
        return file.getFileName().toString().matches(SHARD_PATTERN);
    }

    private static List<Path> shardFiles(Path folder) throws IOException {
        List<Path> files;
        try (var list = Files.list(folder)) {
            files = list.filter(MetaCheckpoint::isShard).sorted().toList();
        }
        for (int i = 0; i < Math.max(1, files.size()); i++) {
            Path expected = folder.resolve(SHARD.formatted(i));
            if (files.contains(expected)) continue;
            throw new CheckpointException(
                    expected,
                    files.isEmpty()
                            ? "is missing"
                            : "is missing, but there is "
                                    + files.get(files.size() - 1).getFileName());
        }
        return files;
    }

    private void readAll() throws IOException {
        requireDivisible("n_heads", params.heads());
        requireDivisible("n_kv_heads", params.kvHeads());
        requireDivisible("the MLP's width", params.ffnWidth());
        Set<String> taken = new HashSet<>();
        MetaTensor embedding = embedding();
        int vocabulary = params.vocabularySize().orElseThrow();
        requireDivisible("vocab_size", vocabulary);
        take(embedding, taken);
        for (int i = 0; i < params.layers(); i++) {
            for (MetaTensor tensor : MetaTensor.layer(i, params)) take(tensor, taken);
        }
        for (MetaTensor tensor : MetaTensor.last(vocabulary, params.dim())) take(tensor, taken);
        for (TensorFile shard : shards) requireNoOther(shard, taken);
    }

    private void requireDivisible(String what, int value) throws CheckpointException {
        if (value % shards.size() != 0) {
            throw new CheckpointException(
                    folder.resolve(MetaParams.FILE),
                    "%s=%d cannot be divided among the %s of this folder"
                            .formatted(what, value, shardCount()));
        }
    }

    private String shardCount() {
        return shards.size() == 1 ? "1 shard" : shards.size() + " shards";
    }

    /**
     * The embedding as its shape shows it: divided by rows if a shard's rows are as long as {@code
     * dim}. Settles the size of the vocabulary where params.json leaves it open.
     */
    private MetaTensor embedding() throws CheckpointException {
        TensorData part = part(shards.get(0), MetaTensor.EMBEDDING);
        Split split = part.rowLength() == params.dim() ? Split.ROWS : Split.COLUMNS;
        long rows = part.rowCount() * (split == Split.ROWS ? shards.size() : 1);
        if (part.shape().length != 2 || rows > Integer.MAX_VALUE) {
            throw new CheckpointException(
                    shards.get(0).path(),
                    "tensor %s has shape %s, which is no embedding's"
                            .formatted(part.name(), Arrays.toString(part.shape())));
        }
        if (params.vocabularySize().isEmpty()) params = params.withVocabularySize((int) rows);
        return MetaTensor.embedding(params.vocabularySize().getAsInt(), params.dim(), split);
    }

    private TensorData part(TensorFile shard, String name) throws CheckpointException {
        TensorData part = shard.tensors().get(name);
        if (part != null) return part;
        String reason = shard.unusable().get(name);
        throw new CheckpointException(
                shard.path(),
                reason == null ? "has no tensor " + name : "its " + name + " " + reason);
    }

    private void take(MetaTensor tensor, Set<String> taken) throws CheckpointException {
        List<TensorData> parts = new ArrayList<>();
        for (TensorFile shard : shards) {
            TensorData part = part(shard, tensor.name());
            requireShape(shard, tensor, part);
            requireType(shard, part, parts.isEmpty() ? part : parts.get(0));
            parts.add(part);
        }
        taken.add(tensor.name());
        tensors.put(tensor.hfName(), new Home(tensor, parts));
    }

    private void requireShape(TensorFile shard, MetaTensor tensor, TensorData part)
            throws CheckpointException {
        List<Long> shape = Arrays.stream(part.shape()).boxed().toList();
        if (shape.equals(tensor.shardShape(shards.size()))) return;
        String hint = "";
        for (int count = 1; count <= 64; count *= 2) {
            if (count != shards.size() && shape.equals(tensor.shardShape(count))) {
                hint = "; it is of a model of %d shards, are all of them here?".formatted(count);
            }
        }
        throw new CheckpointException(
                shard.path(),
                "tensor %s has shape %s, but params.json and %s make it %s%s"
                        .formatted(
                                tensor.name(),
                                shape,
                                shardCount(),
                                tensor.shardShape(shards.size()),
                                hint));
    }

    private void requireType(TensorFile shard, TensorData part, TensorData first)
            throws CheckpointException {
        if (part.type() == DType.I32) {
            throw new CheckpointException(
                    shard.path(), "tensor " + part.name() + " holds integers where numbers belong");
        }
        if (part.type() != first.type()) {
            throw new CheckpointException(
                    shard.path(),
                    "tensor %s is of %s, but of %s in %s"
                            .formatted(
                                    part.name(),
                                    part.type(),
                                    first.type(),
                                    shards.get(0).path().getFileName()));
        }
    }

    private void requireNoOther(TensorFile shard, Set<String> taken) throws CheckpointException {
        Set<String> names = new TreeSet<>(shard.tensors().keySet());
        names.addAll(shard.unusable().keySet());
        for (String name : names) {
            if (taken.contains(name) || name.equals(MetaTensor.FREQUENCIES)) continue;
            throw new CheckpointException(
                    shard.path(),
                    "holds a tensor %s that params.json (n_layers=%d) has no place for"
                            .formatted(name, params.layers()));
        }
    }

    /** What {@code params.json} says, with the size of the vocabulary. */
    public MetaParams params() {
        return params;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public String place(String tensor) {
        return folder.toString();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IOException as well, if a tensor that every shard repeats (a norm) is not the same in
     *     all of them
     */
    @Override
    public TensorData tensor(String name, long... shape) throws IOException {
        Home home = tensors.get(name);
        if (home == null) throw new CheckpointException(folder, "has no tensor " + name);
        TensorData whole = home.tensor.join(home.parts, params.headDim());
        if (!Arrays.equals(whole.shape(), shape)) {
            throw new CheckpointException(
                    folder,
                    "tensor %s (%s) has shape %s, but %s is asked for"
                            .formatted(
                                    name,
                                    home.tensor.name(),
                                    Arrays.toString(whole.shape()),
                                    Arrays.toString(shape)));
        }
        if (home.tensor.split() == Split.NONE) requireSame(home);
        return whole;
    }

    private void requireSame(Home home) throws IOException {
        TensorData first = home.parts.get(0);
        for (int i = 1; i < home.parts.size(); i++) {
            TensorData other = home.parts.get(i);
            if (other.rows(0, other.rowCount()).equals(first.rows(0, first.rowCount()))) continue;
            throw new CheckpointException(
                    shards.get(i).path(),
                    "tensor %s is another than in %s, but shards repeat it"
                            .formatted(home.tensor.name(), shards.get(0).path().getFileName()));
        }
    }

    @Override
    public long bytes() {
        return tensors.values().stream()
                .flatMap(home -> home.parts.stream())
                .mapToLong(TensorData::byteSize)
                .sum();
    }

    @Override
    public String sha256() throws IOException {
        List<Path> files = new ArrayList<>();
        files.add(folder.resolve(MetaParams.FILE));
        for (TensorFile shard : shards) files.add(shard.path());
        return new ModelDigest().of(files);
    }

    @Override
    public void close() throws IOException {
        for (TensorFile shard : shards) shard.close();
    }
}
