package org.tokenrate.engine.llamacpp;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tokenrate.device.cpu.CpuDevice;
import org.tokenrate.model.ModelConfig;

/**
 * How llama.cpp is set up: what {@code llamacpp[:THREADS][:slots=N][:context=N][:kv=f32]} says, and
 * its best settings otherwise.
 *
 * @param threads of prompts and of generation alike
 * @param slots sequences that it runs at once; the rest wait
 * @param context most tokens of a request, prompt and answer
 * @param wholeFloats whether keys and values are kept in 32 bits, not 16
 */
record LlamaCppSettings(int threads, int slots, int context, boolean wholeFloats) {
    static final String NAME = "llamacpp";

    /** Tokens of one call of llama.cpp at most, and of one pass over the weights: its defaults. */
    private static final int BATCH = 2048;

    private static final int PASS = 512;

    /**
     * Fewer than are in flight, since more only cost: in this llama.cpp every token's attention
     * walks over the cells of all sequences. Eight were best with one thread and with two; more
     * threads read the weights no faster, so there it pays to share a reading among more.
     */
    private static final int LEAST_SLOTS = 8;

    private static final int SLOTS_A_THREAD = 4;

    private static final int MOST_SLOTS = 64;

    /** As many sequences as the other engines run at once; each is a thread here. */
    private static final int LARGEST_SLOTS = 512;

    private static final long LARGEST_CONTEXT = Integer.MAX_VALUE;

    private static final double GIB = 1L << 30;

    private static final String THREADS = "the number of threads";

    /** The longest request that LMDeploy's filter lets through. */
    private static final int CONTEXT = 2048;

    /** llama.cpp stops a sequence a token or two before its part of the context is full. */
    private static final int SPARE = 8;

    private static final String EXAMPLE = "e.g. -p engine=llamacpp:2:slots=16:context=4096";

    /**
     * @param engine llamacpp, perhaps with values
     * @param inFlight most requests in flight at once
     * @param kvMemory bytes that keys and values may take
     * @throws IllegalArgumentException with the value, its range and an example
     */
    static LlamaCppSettings of(String engine, ModelConfig model, int inFlight, double kvMemory) {
        int cores = Runtime.getRuntime().availableProcessors();
        int threads = cores;
        int slots = 0;
        int context = Math.min(model.maxPositions(), CONTEXT);
        boolean wholeFloats = false;
        Set<String> given = new HashSet<>();
        List<String> parts = Arrays.asList(engine.split(":", -1));
        for (int i = 1; i < parts.size(); i++) {
            String part = parts.get(i);
            int equals = part.indexOf('=');
            String key = equals < 0 && i == 1 ? THREADS : part.substring(0, Math.max(0, equals));
            String value = part.substring(equals + 1);
            if (!given.add(key)) throw bad(engine, key + " is given twice");
            switch (key) {
                case THREADS -> threads = number(engine, key, value, 1, cores);
                case "slots" -> slots = number(engine, key, value, 1, LARGEST_SLOTS);
                case "context" -> context = number(engine, key, value, 2, model.maxPositions());
                case "kv" -> wholeFloats = wholeFloats(engine, value);
                default ->
                        throw bad(
                                engine,
                                "'%s' is not known; known are slots=N, context=N and kv=f16 or f32"
                                        .formatted(part));
            }
        }
        double slotBytes = (double) (context + SPARE) * tokenBytes(model, wholeFloats);
        if (slots == 0) {
            int best = Math.min(Math.max(LEAST_SLOTS, SLOTS_A_THREAD * threads), MOST_SLOTS);
            slots = (int) Math.max(1, Math.min(Math.min(inFlight, best), kvMemory / slotBytes));
        }
        if (slots * slotBytes > kvMemory || (long) slots * (context + SPARE) > LARGEST_CONTEXT) {
            throw bad(
                    engine,
                    "keys and values of slots=%d with context=%d take %.1f GiB, but cacheCount leaves them %.1f; give less, or a larger cacheCount"
                            .formatted(slots, context, slots * slotBytes / GIB, kvMemory / GIB));
        }
        return new LlamaCppSettings(threads, slots, context, wholeFloats);
    }

    private static boolean wholeFloats(String engine, String value) {
        return switch (value) {
            case "f16" -> false;
            case "f32" -> true;
            default -> throw bad(engine, "kv must be f16 or f32");
        };
    }

    private static IllegalArgumentException bad(String engine, String why) {
        return new IllegalArgumentException("engine=%s: %s, %s".formatted(engine, why, EXAMPLE));
    }

    private static int number(String engine, String what, String value, int least, int most) {
        int number = value.matches("[0-9]{1,9}") ? Integer.parseInt(value) : -1;
        if (number < least || number > most) {
            throw bad(engine, "%s must be from %d to %d".formatted(what, least, most));
        }
        return number;
    }

    private static long tokenBytes(ModelConfig model, boolean wholeFloats) {
        int bytes = wholeFloats ? Float.BYTES : Short.BYTES;
        return 2L * model.layers() * model.kvWidth() * bytes;
    }

    /** The context of all slots. */
    int totalContext() {
        return Math.multiplyExact(slots, context + SPARE);
    }

    int batch() {
        return Math.max(BATCH, slots);
    }

    int pass() {
        return PASS;
    }

    /** This llama.cpp's flash attention on a CPU ends the process where values have 32 bits. */
    boolean flashAttention() {
        return !wholeFloats;
    }

    /** The processor and what of it is used, for a table's row. */
    String device() {
        return "%s, %d threads, %d slots".formatted(CpuDevice.model(), threads, slots);
    }

    @Override
    public String toString() {
        return "threads=%d slots=%d context=%d batch=%d ubatch=%d flash-attn=%s kv=%s"
                .formatted(
                        threads,
                        slots,
                        context,
                        batch(),
                        pass(),
                        flashAttention() ? "on" : "off",
                        wholeFloats ? "f32" : "f16");
    }
}
