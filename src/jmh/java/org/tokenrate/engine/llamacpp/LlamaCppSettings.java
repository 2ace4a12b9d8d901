package org.tokenrate.engine.llamacpp;

import java.util.Arrays;
import java.util.List;
import org.tokenrate.model.ModelConfig;

/**
 * How llama.cpp is set up: what {@code llamacpp[:THREADS][:slots=N][:context=N]} says, and its best
 * settings otherwise.
 *
 * @param threads of prompts and of generation alike
 * @param slots sequences that it runs at once; the rest wait
 * @param context most tokens of a request, prompt and answer
 * @param wholeFloats whether keys and values are kept in 32 bits, as weights are with dtype=f32
 */
record LlamaCppSettings(int threads, int slots, int context, boolean wholeFloats) {
    static final String NAME = "llamacpp";

    /** Tokens of one call of llama.cpp at most, and of one pass over the weights: its defaults. */
    private static final int BATCH = 2048;

    private static final int PASS = 512;

    /**
     * More only cost: in this llama.cpp every token's attention walks over the cells of all
     * sequences, and each slot has a part of the context, used or not.
     */
    private static final int MOST_SLOTS = 64;

    private static final int LARGEST = 1 << 20;

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
    static LlamaCppSettings of(
            String engine, ModelConfig model, boolean wholeFloats, int inFlight, double kvMemory) {
        int cores = Runtime.getRuntime().availableProcessors();
        int threads = cores;
        int slots = 0;
        int context = Math.min(model.maxPositions(), CONTEXT);
        List<String> parts = Arrays.asList(engine.split(":", -1));
        for (int i = 1; i < parts.size(); i++) {
            String part = parts.get(i);
            String value = part.substring(part.indexOf('=') + 1);
            if (part.startsWith("slots=")) {
                slots = number(engine, "slots", value, LARGEST);
            } else if (part.startsWith("context=")) {
                context = number(engine, "context", value, model.maxPositions());
            } else if (i == 1) {
                threads = number(engine, "the number of threads", value, cores);
            } else {
                throw new IllegalArgumentException(
                        "engine=%s: %s is not known; known are slots=N and context=N, %s"
                                .formatted(engine, part, EXAMPLE));
            }
        }
        if (slots == 0) {
            long slotBytes = (long) (context + SPARE) * tokenBytes(model, wholeFloats);
            int fitting = (int) Math.max(1, Math.min(MOST_SLOTS, kvMemory / slotBytes));
            slots = Math.min(inFlight, fitting);
        }
        return new LlamaCppSettings(threads, slots, context, wholeFloats);
    }

    private static int number(String engine, String what, String value, int most) {
        boolean whole = value.matches("[1-9][0-9]{0,8}");
        if (!whole || Integer.parseInt(value) > most) {
            throw new IllegalArgumentException(
                    "engine=%s: %s must be from 1 to %d, %s"
                            .formatted(engine, what, most, EXAMPLE));
        }
        return Integer.parseInt(value);
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

    /** This llama.cpp's flash attention on a CPU reads 16-bit values only. */
    boolean flashAttention() {
        return !wholeFloats;
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
