package org.tokenrate.engine.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When a simulated engine sends what.
 *
 * @param ttftNanos from a request's submit to its first token
 * @param tpotNanos between a request's tokens after the first
 * @param failRatio share of requests, in [0, 1], that fail after half of their tokens; which ones
 *     follows from their sampling seeds, so that the same ones fail in every run
 */
public record SimulatedTiming(long ttftNanos, long tpotNanos, double failRatio) {
    /** Every token at once: what is left is the harness. */
    public static final SimulatedTiming ZERO = new SimulatedTiming(0, 0, 0);

    static final String NAME = "simulated";

    private static final long MAX_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final Pattern DURATION =
            Pattern.compile("(\\d{1,15}(?:\\.\\d{1,9})?)(ns|us|ms|s)");
    private static final String FAIL = "fail=";

    public SimulatedTiming {
        requireDuration("first-token time", ttftNanos);
        requireDuration("per-token time", tpotNanos);
        if (!(failRatio >= 0 && failRatio <= 1)) {
            throw new IllegalArgumentException(FAIL + failRatio + " must be from 0 to 1");
        }
    }

    /**
     * Reads {@code simulated[:ttft[:tpot]][:fail=ratio]}, e.g. {@code simulated:20ms:5ms}; units
     * are ns, us, ms and s, and what is left out is 0.
     *
     * @throws IllegalArgumentException with the value and an example
     */
    public static SimulatedTiming parse(String engine) {
        String[] parts = engine.split(":", -1);
        if (!parts[0].equals(NAME)) throw notUnderstood(engine, parts[0]);
        List<Long> durations = new ArrayList<>();
        double failRatio = 0;
        for (int i = 1; i < parts.length; i++) {
            if (parts[i].startsWith(FAIL)) {
                failRatio = ratio(engine, parts[i]);
            } else if (durations.size() < 2) {
                durations.add(nanos(engine, parts[i]));
            } else {
                throw notUnderstood(engine, parts[i]);
            }
        }
        return new SimulatedTiming(
                durations.size() > 0 ? durations.get(0) : 0,
                durations.size() > 1 ? durations.get(1) : 0,
                failRatio);
    }

    /** As {@link #parse} reads it back. */
    String engineName() {
        String fail = failRatio == 0 ? "" : ":" + FAIL + failRatio;
        if (ttftNanos == 0 && tpotNanos == 0) return NAME + fail;
        return NAME + ":" + text(ttftNanos) + ":" + text(tpotNanos) + fail;
    }

    private static long nanos(String engine, String text) {
        if (text.equals("0")) return 0;
        Matcher m = DURATION.matcher(text);
        if (!m.matches()) throw notUnderstood(engine, text);
        double value = Double.parseDouble(m.group(1));
        return switch (m.group(2)) {
            case "ns" -> Math.round(value);
            case "us" -> Math.round(value * 1e3);
            case "ms" -> Math.round(value * 1e6);
            default -> Math.round(value * 1e9);
        };
    }

    private static double ratio(String engine, String text) {
        try {
            return Double.parseDouble(text.substring(FAIL.length()));
        } catch (NumberFormatException e) {
            throw notUnderstood(engine, text);
        }
    }

    private static String text(long nanos) {
        if (nanos == 0) return "0";
        if (nanos % 1_000_000_000 == 0) return nanos / 1_000_000_000 + "s";
        if (nanos % 1_000_000 == 0) return nanos / 1_000_000 + "ms";
        if (nanos % 1_000 == 0) return nanos / 1_000 + "us";
        return nanos + "ns";
    }

    private static void requireDuration(String what, long nanos) {
        if (nanos < 0 || nanos > MAX_NANOS) {
            throw new IllegalArgumentException(
                    what + " of " + nanos / 1e9 + " s must be from 0 to 1 hour (3600s)");
        }
    }

    private static IllegalArgumentException notUnderstood(String engine, String part) {
        return new IllegalArgumentException(
                "engine=%s: '%s' is not understood; the form is simulated[:ttft[:tpot]][:fail=ratio] with times in ns, us, ms or s, e.g. simulated:20ms:5ms"
                        .formatted(engine, part));
    }
}
