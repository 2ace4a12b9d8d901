package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.tokenrate.checkpoint.TorchPickle.Storage;
import org.tokenrate.checkpoint.TorchPickle.View;

/**
 * An archive that {@code torch.save} wrote of a state dict, since torch 1.6: a zip whose {@code
 * data.pkl} is a pickle of names and tensors, and whose {@code data/} holds the tensors' storages.
 *
 * <p>Tensors of floats and of 32-bit integers must be contiguous and of one or two dimensions.
 * Those of other types, and what is no tensor, do no harm until they are asked for: {@link
 * #unusable()}. A training checkpoint that holds the state dict under {@code state_dict}, {@code
 * model} or {@code module} is read too. Of the checksums, only the pickle's is verified.
 */
final class TorchArchive implements TensorFile {
    private static final String PICKLE = "data.pkl";

    /** About 200 bytes a tensor: room for 300,000. */
    private static final int MAX_PICKLE_BYTES = 64 << 20;

    /** Messages quote names, and so does everything downstream. */
    private static final int MAX_NAME_LENGTH = 512;

    /** Under which names training checkpoints keep the state dict. */
    private static final List<String> STATE_DICTS = List.of("state_dict", "model", "module");

    /** Largest entry that says which way round the bytes are. */
    private static final int MAX_ORDER_BYTES = 16;

    private final CheckpointFile file;
    private final Map<String, StoredZip.Entry> entries;
    private final String prefix;
    private final Map<String, TensorData> tensors = new TreeMap<>();
    private final Map<String, String> unusable = new TreeMap<>();

    /**
     * @throws CheckpointException if the file is no such archive or is damaged, or its pickle names
     *     anything but tensors
     */
    static TorchArchive open(Path path) throws IOException {
        CheckpointFile file = CheckpointFile.open(path);
        try {
            return new TorchArchive(file);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private TorchArchive(CheckpointFile file) throws IOException {
        this.file = file;
        TorchFileKind.checkIsZip(file);
        entries = StoredZip.read(file).entries();
        prefix = prefix();
        checkByteOrder();
        for (var item : stateDict(readPickle()).entrySet()) {
            if (!(item.getKey() instanceof String name)) {
                throw file.bad("has the key " + item.getKey() + " where a tensor's name belongs");
            }
            if (name.length() > MAX_NAME_LENGTH) {
                throw file.bad(
                        "has a tensor's name of %d characters; the limit is %d"
                                .formatted(name.length(), MAX_NAME_LENGTH));
            }
            if (item.getValue() instanceof View view) {
                add(name, view);
            } else {
                unusable.put(name, "is " + PickleReader.kind(item.getValue()) + ", not a tensor");
            }
        }
    }

    /** The archive's one folder, with its slash. */
    private String prefix() throws CheckpointException {
        List<String> pickles =
                entries.keySet().stream()
                        .filter(name -> name.endsWith("/" + PICKLE))
                        .filter(name -> name.indexOf('/') == name.lastIndexOf('/'))
                        .toList();
        if (pickles.isEmpty()) {
            throw file.bad("is a zip archive, but not one of torch.save: it has no " + PICKLE);
        }
        if (pickles.size() > 1) throw file.bad("has two pickles: " + String.join(", ", pickles));
        return pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    }

    private void checkByteOrder() throws IOException {
        StoredZip.Entry order = entries.get(prefix + "byteorder");
        if (order == null) return; // before torch 2.1
        int length = (int) Math.min(order.size(), MAX_ORDER_BYTES);
        String text = StandardCharsets.UTF_8.decode(file.read(order.offset(), length)).toString();
        if (!text.equals("little")) {
            throw file.bad("was saved in the byte order '" + text + "'; only 'little' can be read");
        }
    }

    private Object readPickle() throws IOException {
        StoredZip.Entry entry = entries.get(prefix + PICKLE);
        if (entry.size() > MAX_PICKLE_BYTES) {
            throw file.bad(
                    "%s has %d bytes; the limit is %d"
                            .formatted(entry.name(), entry.size(), MAX_PICKLE_BYTES));
        }
        ByteBuffer bytes = file.read(entry.offset(), (int) entry.size());
        CRC32 crc = new CRC32();
        crc.update(bytes.duplicate());
        if ((int) crc.getValue() != entry.crc()) {
            throw file.bad(
                    ("%s does not match its checksum: damaged, or saved without checksums"
                                    + " (torch.serialization.set_crc32_options)")
                            .formatted(entry.name()));
        }
        return PickleReader.read(file, entry.name(), bytes, new TorchPickle());
    }

    private Map<?, ?> stateDict(Object root) throws CheckpointException {
        if (!(root instanceof Map<?, ?> dict)) {
            throw file.bad("holds " + PickleReader.kind(root) + ", not a dict of tensors");
        }
        if (hasTensors(dict)) return dict;
        for (String name : STATE_DICTS) {
            if (dict.get(name) instanceof Map<?, ?> inner && hasTensors(inner)) return inner;
        }
        throw file.bad(
                "holds a dict without tensors, and none under "
                        + String.join(", ", STATE_DICTS)
                        + "; save the model's state_dict()");
    }

    private static boolean hasTensors(Map<?, ?> dict) {
        return dict.values().stream().anyMatch(View.class::isInstance);
    }

    private void add(String name, View view) throws CheckpointException {
        Storage storage = view.storage();
        StoredZip.Entry entry = entry(name, storage);
        if (storage.elements().type().isEmpty()) {
            unusable.put(
                    name,
                    "is of a %s; known are F32, F16, BF16 and I32"
                            .formatted(storage.elements().storageClass()));
            return;
        }
        long[] shape = shape(name, view);
        checkContiguous(name, view);
        long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        if (view.offset() < 0 || view.offset() > storage.size() - count) {
            throw file.bad(
                    "tensor %s of shape %s starts at element %d, but its storage %s has %d"
                            .formatted(
                                    name,
                                    view.shape(),
                                    view.offset(),
                                    entry.name(),
                                    storage.size()));
        }
        tensors.put(
                name,
                file.tensor(
                        name,
                        storage.elements().type().get(),
                        shape,
                        entry.offset() + view.offset() * storage.elements().bytes()));
    }

    private StoredZip.Entry entry(String name, Storage storage) throws CheckpointException {
        String path = prefix + "data/" + storage.key();
        StoredZip.Entry entry = entries.get(path);
        if (entry == null) {
            throw file.bad(
                    "tensor %s lies in %s, which is missing"
                            .formatted(name, PickleReader.quote(path)));
        }
        if (storage.size() != entry.size() / storage.elements().bytes()) {
            throw file.bad(
                    "tensor %s lies in a %s of %d elements, but %s has %d bytes"
                            .formatted(
                                    name,
                                    storage.elements().storageClass(),
                                    storage.size(),
                                    path,
                                    entry.size()));
        }
        return entry;
    }

    private long[] shape(String name, View view) throws CheckpointException {
        List<Long> shape = view.shape();
        if (shape.isEmpty() || shape.size() > 2) {
            throw file.bad(
                    "tensor %s has %d dimensions; one or two fit".formatted(name, shape.size()));
        }
        long count = 1;
        for (long extent : shape) {
            if (extent < 1 || extent > view.storage().size() / count) {
                throw file.bad(
                        "tensor %s has shape %s, but its storage has %d elements"
                                .formatted(name, shape, view.storage().size()));
            }
            count *= extent;
        }
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    private void checkContiguous(String name, View view) throws CheckpointException {
        List<Long> shape = view.shape();
        long stride = 1;
        boolean contiguous = shape.size() == view.strides().size();
        for (int i = shape.size() - 1; i >= 0 && contiguous; i--) {
            contiguous = shape.get(i) == 1 || view.strides().get(i) == stride;
            stride *= shape.get(i);
        }
        if (!contiguous) {
            throw file.bad(
                    "tensor %s of shape %s is not contiguous; save its contiguous() instead"
                            .formatted(name, shape));
        }
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Map<String, TensorData> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public Map<String, String> unusable() {
        return Collections.unmodifiableMap(unusable);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
