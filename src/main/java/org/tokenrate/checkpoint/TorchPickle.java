package org.tokenrate.checkpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tokenrate.checkpoint.PickleReader.Global;
import org.tokenrate.checkpoint.PickleReader.Tuple;

/**
 * What the pickle of a torch archive may make: dicts, and tensors that lie in storages beside it.
 *
 * @see <a href="https://github.com/pytorch/pytorch/blob/main/torch/_utils.py">the functions that
 *     rebuild tensors</a>
 */
final class TorchPickle implements PickleTypes {
    /**
     * What a storage's elements are.
     *
     * @param storageClass as torch calls it
     * @param bytes an element takes
     * @param type to us; empty if we have no use for it
     */
    record Elements(String storageClass, int bytes, Optional<DType> type) {}

    /**
     * Elements in a file of their own, beside the pickle.
     *
     * @param key the file's name
     */
    record Storage(Elements elements, String key, long size) {}

    /** A view of a storage; offset and strides count elements. Nothing about it is checked yet. */
    record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

    private static final String DICT = "collections.OrderedDict";
    private static final String TENSOR = "torch._utils._rebuild_tensor_v2";
    private static final String PARAMETER = "torch._utils._rebuild_parameter";

    /** A parameter that had Python attributes; they come fourth. */
    private static final String PARAMETER_WITH_STATE = "torch._utils._rebuild_parameter_with_state";

    private static final Map<String, Elements> STORAGES = storages();

    private static Map<String, Elements> storages() {
        Map<String, Elements> all = new LinkedHashMap<>();
        for (Elements elements :
                List.of(
                        elements("FloatStorage", DType.F32),
                        elements("HalfStorage", DType.F16),
                        elements("BFloat16Storage", DType.BF16),
                        elements("IntStorage", DType.I32),
                        elements("DoubleStorage", 8),
                        elements("LongStorage", 8),
                        elements("ShortStorage", 2),
                        elements("CharStorage", 1),
                        elements("ByteStorage", 1),
                        elements("BoolStorage", 1),
                        elements("ComplexFloatStorage", 8),
                        elements("ComplexDoubleStorage", 16))) {
            all.put("torch." + elements.storageClass, elements);
        }
        return Map.copyOf(all);
    }

    private static Elements elements(String storageClass, DType type) {
        return new Elements(storageClass, type.bytes(), Optional.of(type));
    }

    private static Elements elements(String storageClass, int bytes) {
        return new Elements(storageClass, bytes, Optional.empty());
    }

    @Override
    public boolean knows(String name) {
        return switch (name) {
            case DICT, TENSOR, PARAMETER, PARAMETER_WITH_STATE -> true;
            default -> STORAGES.containsKey(name);
        };
    }

    @Override
    public Object call(String name, List<Object> arguments) {
        return switch (name) {
            case DICT -> dict(arguments);
            case TENSOR -> tensor(arguments);
            case PARAMETER -> parameter(arguments, 3);
            case PARAMETER_WITH_STATE -> parameter(arguments, 4);
            default -> throw new IllegalArgumentException("a storage comes from a file");
        };
    }

    private static Object dict(List<Object> arguments) {
        if (!arguments.isEmpty()) {
            throw new IllegalArgumentException("a dict is made empty and filled later");
        }
        return new LinkedHashMap<Object, Object>(2);
    }

    /** Storage, offset, shape, strides, gradient wanted, hooks and, since torch 1.12, flags. */
    private static View tensor(List<Object> arguments) {
        if (arguments.size() != 6 && arguments.size() != 7) {
            throw new IllegalArgumentException("takes 6 or 7 arguments, not " + arguments.size());
        }
        if (!(arguments.get(0) instanceof Storage storage)) {
            throw new IllegalArgumentException("has no storage");
        }
        if (!(arguments.get(1) instanceof Long offset)) {
            throw new IllegalArgumentException("has no offset");
        }
        // Flags say that the elements are to be negated or conjugated when they are read.
        if (arguments.size() == 7 && !isEmptyDict(arguments.get(6))) {
            throw new IllegalArgumentException("has flags; save the tensor's clone() instead");
        }
        return new View(storage, offset, extents(arguments.get(2)), extents(arguments.get(3)));
    }

    private static boolean isEmptyDict(Object value) {
        return value instanceof Map<?, ?> map && map.isEmpty();
    }

    private static List<Long> extents(Object value) {
        if (!(value instanceof Tuple tuple)) {
            throw new IllegalArgumentException("has a shape or strides that are no tuple");
        }
        List<Long> extents = new ArrayList<>();
        for (Object item : tuple.items()) {
            if (!(item instanceof Long extent)) {
                throw new IllegalArgumentException("has a shape or strides that are no numbers");
            }
            extents.add(extent);
        }
        return List.copyOf(extents);
    }

    private static View parameter(List<Object> arguments, int count) {
        if (arguments.size() == count && arguments.get(0) instanceof View view) return view;
        throw new IllegalArgumentException("takes a tensor and " + (count - 1) + " more");
    }

    /** A storage: 'storage', its class, its file, the device that it was on, its size. */
    @Override
    public Object persistent(Object id) {
        if (id instanceof Tuple tuple
                && tuple.items().size() == 5
                && tuple.items().get(0).equals("storage")
                && tuple.items().get(1) instanceof Global type
                && STORAGES.containsKey(type.name())
                && tuple.items().get(2) instanceof String key
                && tuple.items().get(4) instanceof Long size) {
            return new Storage(STORAGES.get(type.name()), key, size);
        }
        throw new IllegalArgumentException("refers to what is not a storage");
    }
}
