package org.tokenrate.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads Python's pickles as far as a checkpoint needs them: the opcodes that protocols 2 to 5 write
 * for dicts, lists, tuples, strings, numbers and calls of a few known functions. A pickle is a
 * program; this reader runs none of it but what {@link PickleTypes} offers, and refuses every other
 * name and every other opcode.
 *
 * <p>Values are {@link String}, {@link Long}, {@link Double}, {@link Boolean}, {@link None}, {@link
 * Tuple}, {@link Global}, {@link ArrayList} and {@link LinkedHashMap} (dict), and what the types
 * make. There is no recursion, here or over the values: a pickle may nest as deep as it likes, or
 * hold itself.
 *
 * @see <a href="https://github.com/python/cpython/blob/main/Lib/pickletools.py">the opcodes</a>
 */
final class PickleReader {
    /** Python's None. */
    enum None {
        NONE
    }

    /** Python's tuple. */
    record Tuple(List<Object> items) {}

    /** A known class or function, named in full. */
    record Global(String name) {}

    /** What stands on the stack for an opening bracket. */
    private enum Mark {
        MARK
    }

    /** About 60 bytes of heap each at most, and 25 a tensor. */
    private static final int MAX_VALUES = 4_000_000;

    /** Longest part of a name that a message quotes. */
    private static final int QUOTED = 80;

    private static final int HIGHEST_PROTOCOL = 5;

    private final CheckpointFile file;
    private final String entry;
    private final ByteBuffer in;
    private final PickleTypes types;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private int values;
    private int at; // where the current opcode stands

    private PickleReader(CheckpointFile file, String entry, ByteBuffer in, PickleTypes types) {
        this.file = file;
        this.entry = entry;
        this.in = in.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.types = types;
    }

    /**
     * The value that a pickle describes.
     *
     * @param file that holds it, and {@code entry}, its name there: both for errors
     * @throws CheckpointException if it names what is not known, or is damaged
     */
    static Object read(CheckpointFile file, String entry, ByteBuffer pickle, PickleTypes types)
            throws CheckpointException {
        return new PickleReader(file, entry, pickle, types).run();
    }

    private Object run() throws CheckpointException {
        while (true) {
            at = in.position();
            int opcode = u1();
            if (opcode == '.') break;
            step(opcode);
        }
        Object result = pop();
        if (!stack.isEmpty() || in.hasRemaining()) throw bad("ends with something left over");
        return result;
    }

    private void step(int opcode) throws CheckpointException {
        switch (opcode) {
            case 0x80 -> protocol();
            case 0x95 -> frame();
            case '(' -> push(Mark.MARK);
            case '0' -> pop();
            case '1' -> popToMark();
            case 'N' -> push(None.NONE);
            case 0x88 -> push(Boolean.TRUE);
            case 0x89 -> push(Boolean.FALSE);
            case 'J' -> push((long) i4());
            case 'K' -> push((long) u1());
            case 'M' -> push((long) u2());
            case 0x8a -> push(integer(u1()));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(i8())));
            case 'X' -> push(string(Integer.toUnsignedLong(i4())));
            case 0x8c -> push(string(u1()));
            case 0x8d -> push(string(i8()));
            case '}' -> push(new LinkedHashMap<Object, Object>(2));
            case ']' -> push(new ArrayList<>(0));
            case ')' -> push(new Tuple(List.of()));
            case 0x85 -> push(tuple(1));
            case 0x86 -> push(tuple(2));
            case 0x87 -> push(tuple(3));
            case 't' -> push(new Tuple(popToMark()));
            case 'a' -> append(popMany(1));
            case 'e' -> append(popToMark());
            case 's' -> setItems(popMany(2));
            case 'u' -> setItems(popToMark());
            case 'q' -> remember(u1());
            case 'r' -> remember(i4());
            case 0x94 -> remember(memo.size());
            case 'h' -> push(recall(u1()));
            case 'j' -> push(recall(i4()));
            case 'c' -> push(global(line(), line()));
            case 0x93 -> stackGlobal();
            case 'R' -> reduce();
            case 'b' -> build();
            case 'Q' -> persistent();
            default -> throw refused(opcode);
        }
    }

    private void protocol() throws CheckpointException {
        int protocol = u1();
        if (protocol > HIGHEST_PROTOCOL) {
            throw bad(
                    "is of protocol %d; those up to %d are known"
                            .formatted(protocol, HIGHEST_PROTOCOL));
        }
    }

    /** A frame only says how much may be read at once. */
    private void frame() throws CheckpointException {
        long length = i8();
        if (length < 0 || length > in.remaining()) throw tooLong("a frame", length);
    }

    private void append(List<Object> items) throws CheckpointException {
        if (!(peek() instanceof ArrayList)) throw bad("appends to " + kind(peek()));
        @SuppressWarnings("unchecked") // lists are ours alone, and of Objects
        List<Object> list = (List<Object>) peek();
        list.addAll(items);
    }

    private void setItems(List<Object> items) throws CheckpointException {
        if (!(peek() instanceof LinkedHashMap)) throw bad("sets items of " + kind(peek()));
        if (items.size() % 2 != 0) throw bad("sets a key without a value");
        @SuppressWarnings("unchecked") // dicts are ours alone, and of Objects
        Map<Object, Object> dict = (Map<Object, Object>) peek();
        for (int i = 0; i < items.size(); i += 2) {
            Object key = items.get(i);
            // Only what hashes without looking inside: a key that holds itself would never end.
            if (!(key instanceof String || key instanceof Long || key instanceof Boolean)) {
                throw bad("has " + kind(key) + " for a key");
            }
            if (dict.put(key, items.get(i + 1)) != null) {
                throw bad("sets the key " + quote(key.toString()) + " twice");
            }
        }
    }

    private void remember(int index) throws CheckpointException {
        count();
        memo.put(index, peek());
    }

    private Object recall(int index) throws CheckpointException {
        Object value = memo.get(index);
        if (value == null)
            throw bad("recalls " + Integer.toUnsignedString(index) + ", never memoized");
        return value;
    }

    private void stackGlobal() throws CheckpointException {
        List<Object> names = popMany(2);
        if (names.get(0) instanceof String module && names.get(1) instanceof String name) {
            push(global(module, name));
        } else {
            throw bad("has a class without a name");
        }
    }

    private Global global(String module, String name) throws CheckpointException {
        String full = module + "." + name;
        if (!types.knows(full)) throw bad("names " + quote(full) + ", which no checkpoint needs");
        return new Global(full);
    }

    private void reduce() throws CheckpointException {
        List<Object> call = popMany(2);
        if (!(call.get(0) instanceof Global function)) throw bad("calls " + kind(call.get(0)));
        if (!(call.get(1) instanceof Tuple arguments)) {
            throw bad("calls " + function.name + " with " + kind(call.get(1)));
        }
        try {
            push(types.call(function.name, arguments.items));
        } catch (IllegalArgumentException e) {
            throw bad("calls " + function.name + ": " + e.getMessage());
        }
    }

    /** Attributes of a dict, as those that PyTorch hangs on a state dict: nothing is to be done. */
    private void build() throws CheckpointException {
        Object state = pop();
        if (!(peek() instanceof LinkedHashMap && state instanceof LinkedHashMap)) {
            throw bad("sets the state of %s to %s".formatted(kind(peek()), kind(state)));
        }
    }

    private void persistent() throws CheckpointException {
        try {
            push(types.persistent(pop()));
        } catch (IllegalArgumentException e) {
            throw bad(e.getMessage());
        }
    }

    /** The error for an opcode that has no place here, with the class that it is about. */
    private CheckpointException refused(int opcode) throws CheckpointException {
        return switch (opcode) {
            case 'i' -> bad("makes %s by INST".formatted(global(line(), line()).name));
            case 'o' -> bad("makes %s by OBJ".formatted(kind(first(popToMark()))));
            case 0x81 -> bad("makes %s by NEWOBJ".formatted(kind(popMany(2).get(0))));
            case 0x92 -> bad("makes %s by NEWOBJ_EX".formatted(kind(popMany(3).get(0))));
            case 0x82 -> bad("uses the extension code " + u1());
            case 0x83 -> bad("uses the extension code " + u2());
            case 0x84 -> bad("uses the extension code " + Integer.toUnsignedString(i4()));
            case 'P' -> bad("refers to %s by PERSID".formatted(quote(line())));
            default -> bad("has the opcode 0x%02x, which no checkpoint needs".formatted(opcode));
        };
    }

    private static Object first(List<Object> items) {
        return items.isEmpty() ? None.NONE : items.get(0);
    }

    /** What a value is, in a few words; never what it holds. */
    static String kind(Object value) {
        if (value instanceof Global global) return global.name;
        if (value instanceof String) return "a string";
        if (value instanceof Boolean) return "a truth value";
        if (value instanceof Long || value instanceof Double) return "a number";
        if (value instanceof Tuple) return "a tuple";
        if (value instanceof ArrayList) return "a list";
        if (value instanceof LinkedHashMap) return "a dict";
        return value == None.NONE ? "None" : "a tensor or its storage";
    }

    private void push(Object value) throws CheckpointException {
        count();
        stack.add(value);
    }

    private void count() throws CheckpointException {
        if (++values > MAX_VALUES) throw bad("makes more than " + MAX_VALUES + " values");
    }

    private Object peek() throws CheckpointException {
        Object top = stack.isEmpty() ? Mark.MARK : stack.get(stack.size() - 1);
        if (top == Mark.MARK) throw bad("takes a value where there is none");
        return top;
    }

    private Object pop() throws CheckpointException {
        Object top = peek();
        stack.remove(stack.size() - 1);
        return top;
    }

    private Tuple tuple(int size) throws CheckpointException {
        return new Tuple(popMany(size));
    }

    private List<Object> popMany(int count) throws CheckpointException {
        Object[] items = new Object[count];
        for (int i = count - 1; i >= 0; i--) items[i] = pop();
        return List.of(items);
    }

    private List<Object> popToMark() throws CheckpointException {
        int mark = stack.lastIndexOf(Mark.MARK);
        if (mark < 0) throw bad("closes a bracket that none opened");
        List<Object> above = stack.subList(mark + 1, stack.size());
        List<Object> items = List.copyOf(above);
        stack.subList(mark, stack.size()).clear();
        return items;
    }

    private long integer(int bytes) throws CheckpointException {
        if (bytes > Long.BYTES) throw bad("has an integer of " + bytes + " bytes");
        long value = 0;
        for (int i = 0; i < bytes; i++) value |= (long) u1() << 8 * i;
        int unused = Long.SIZE - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    private String string(long length) throws CheckpointException {
        if (length < 0 || length > in.remaining()) throw tooLong("a string", length);
        byte[] bytes = new byte[(int) length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private CheckpointException tooLong(String what, long length) {
        return bad(
                "claims %s of %s bytes, but %d are left"
                        .formatted(what, Long.toUnsignedString(length), in.remaining()));
    }

    private String line() throws CheckpointException {
        int start = in.position();
        while (u1() != '\n') continue;
        byte[] bytes = new byte[in.position() - 1 - start];
        in.get(start, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private int u1() throws CheckpointException {
        need(1);
        return Byte.toUnsignedInt(in.get());
    }

    private int u2() throws CheckpointException {
        need(2);
        return Short.toUnsignedInt(in.getShort());
    }

    private int i4() throws CheckpointException {
        need(4);
        return in.getInt();
    }

    private long i8() throws CheckpointException {
        need(8);
        return in.getLong();
    }

    private void need(int bytes) throws CheckpointException {
        if (in.remaining() < bytes) throw bad("ends early");
    }

    /** A text of the file, fit for a message. */
    static String quote(String text) {
        String safe = text.replaceAll("\\p{Cntrl}", "?");
        return safe.length() <= QUOTED ? safe : safe.substring(0, QUOTED) + "...";
    }

    private CheckpointException bad(String problem) {
        return file.bad("%s, byte %d: the pickle %s".formatted(entry, at, problem));
    }
}
