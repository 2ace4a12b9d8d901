package org.tokenrate.engine;

/**
 * How long an engine has spent on each {@link Stage}, apart for iterations with pieces of prompts
 * in them (prefill, with the tokens of those that decode beside them) and those in which every
 * sequence decodes. The times are of one thread, one after the other without a gap, so those
 * between two moments add up to the time between them.
 */
public final class StageTimes {
    private static final int STAGES = Stage.values().length;

    private final long[] prefill;
    private final long[] decode;
    private final long prefillIterations;
    private final long decodeIterations;

    /**
     * @param prefill nanoseconds by the stages' ordinals, of iterations with prompts; copied
     * @param decode likewise, of all others and of the time in which there was none
     */
    public StageTimes(
            long[] prefill, long[] decode, long prefillIterations, long decodeIterations) {
        if (prefill.length != STAGES || decode.length != STAGES) {
            throw new IllegalArgumentException(
                    "%d and %d times of %d stages"
                            .formatted(prefill.length, decode.length, STAGES));
        }
        this.prefill = prefill.clone();
        this.decode = decode.clone();
        this.prefillIterations = prefillIterations;
        this.decodeIterations = decodeIterations;
    }

    /** Nanoseconds in a stage, of iterations with prompts. */
    public long prefillNanos(Stage stage) {
        return prefill[stage.ordinal()];
    }

    /** Nanoseconds in a stage, of iterations without prompts; of {@link Stage#IDLE} all. */
    public long decodeNanos(Stage stage) {
        return decode[stage.ordinal()];
    }

    /** Nanoseconds in a stage. */
    public long nanos(Stage stage) {
        return prefillNanos(stage) + decodeNanos(stage);
    }

    /** Nanoseconds in all stages. */
    public long totalNanos() {
        long total = 0;
        for (Stage s : Stage.values()) total += nanos(s);
        return total;
    }

    /** Iterations with prompts in them. */
    public long prefillIterations() {
        return prefillIterations;
    }

    /** Iterations in which every sequence had one token. */
    public long decodeIterations() {
        return decodeIterations;
    }

    /** What came after an earlier moment. */
    public StageTimes since(StageTimes earlier) {
        return plus(earlier, -1);
    }

    public StageTimes plus(StageTimes other) {
        return plus(other, 1);
    }

    private StageTimes plus(StageTimes other, int sign) {
        long[] p = new long[STAGES];
        long[] d = new long[STAGES];
        for (int i = 0; i < STAGES; i++) {
            p[i] = prefill[i] + sign * other.prefill[i];
            d[i] = decode[i] + sign * other.decode[i];
        }
        return new StageTimes(
                p,
                d,
                prefillIterations + sign * other.prefillIterations,
                decodeIterations + sign * other.decodeIterations);
    }
}
