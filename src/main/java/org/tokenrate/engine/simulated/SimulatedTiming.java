package org.tokenrate.engine.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
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
 * @param delayNanos added to the time before every token: a slowdown to be found
 * @param noise how all of these times scatter
 */
public record SimulatedTiming(
        long ttftNanos, long tpotNanos, double failRatio, long delayNanos, Noise noise) {
    /** Every token at once: what is left is the harness. */
    public static final SimulatedTiming ZERO = new SimulatedTiming(0, 0, 0);

    static final String NAME = "simulated";

    private static final long MAX_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final Pattern DURATION =
            Pattern.compile("(\\d{1,15}(?:\\.\\d{1,9})?)(ns|us|ms|s)");
    private static final String FAIL = "fail=";
    private static final String DELAY = "delay=";
    private static final String NOISE = "noise=";
    private static final String SEED = "seed=";

    /** Without delay and noise. */
    public SimulatedTiming(long ttftNanos, long tpotNanos, double failRatio) {
        this(ttftNanos, tpotNanos, failRatio, 0, Noise.NONE);
    }

    public SimulatedTiming {
        requireDuration("delay", delayNanos);
        requireDuration("first-token time", ttftNanos);
        requireDuration("per-token time", tpotNanos);
        if (!(failRatio >= 0 && failRatio <= 1)) {
            throw new IllegalArgumentException(FAIL + failRatio + " must be from 0 to 1");
        }
    }

    /**
     * Reads {@code simulated[:ttft[:tpot]][:fail=ratio][:delay=time][:noise=step[/iteration/fork]]
     * [:seed=number]}, e.g. {@code simulated:20ms:5ms:noise=0.05}; units are ns, us, ms and s, and
     * what is left out is 0, save that the noise of an iteration and of a fork is then a fifth of a
     * step's.
     *
     * @throws IllegalArgumentException with the value and an example
     */
    public static SimulatedTiming parse(String engine) {
        String[] parts = engine.split(":", -1);
        if (!parts[0].equals(NAME)) throw notUnderstood(engine, parts[0]);
        List<Long> durations = new ArrayList<>();
        double failRatio = 0;
        long delay = 0;
        double[] noise = {0, 0, 0};
        OptionalLong seed = OptionalLong.empty();
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i];
            if (part.startsWith(FAIL)) {
                failRatio = number(engine, part, part.substring(FAIL.length()));
            } else if (part.startsWith(DELAY)) {
                delay = nanos(engine, part.substring(DELAY.length()));
            } else if (part.startsWith(NOISE)) {
                noise = noise(engine, part);
            } else if (part.startsWith(SEED)) {
                seed = OptionalLong.of(seed(engine, part));
            } else if (durations.size() < 2) {
                durations.add(nanos(engine, part));
            } else {
                throw notUnderstood(engine, part);
            }
        }
        return new SimulatedTiming(
                durations.size() > 0 ? durations.get(0) : 0,
                durations.size() > 1 ? durations.get(1) : 0,
                failRatio,
                delay,
                new Noise(noise[0], noise[1], noise[2], seed));
    }

    /** As {@link #parse} reads it back. */
    String engineName() {
        var name = new StringBuilder(NAME);
        if (ttftNanos != 0 || tpotNanos != 0) {
            name.append(':').append(text(ttftNanos)).append(':').append(text(tpotNanos));
        }
        if (failRatio != 0) name.append(':').append(FAIL).append(failRatio);
        if (delayNanos != 0) name.append(':').append(DELAY).append(text(delayNanos));
        if (!noise.isNone()) {
            name.append(':').append(NOISE).append(noise.step());
            name.append('/').append(noise.iteration()).append('/').append(noise.fork());
        }
        noise.seed().ifPresent(seed -> name.append(':').append(SEED).append(seed));
        return name.toString();
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

    private static double number(String engine, String part, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw notUnderstood(engine, part);
        }
    }

    /** Of a step, an iteration and a fork. */
    private static double[] noise(String engine, String part) {
        String[] texts = part.substring(NOISE.length()).split("/", -1);
        double step = number(engine, part, texts[0]);
        if (texts.length == 1) return new double[] {step, step * Noise.SHARED, step * Noise.SHARED};
        if (texts.length != 3) throw notUnderstood(engine, part);
        return new double[] {step, number(engine, part, texts[1]), number(engine, part, texts[2])};
    }

    private static long seed(String engine, String part) {
        try {
            return Long.parseLong(part.substring(SEED.length()));
        } catch (NumberFormatException e) {
            throw notUnderstood(engine, part);
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
                "engine=%s: '%s' is not understood; the form is simulated[:ttft[:tpot]][:fail=ratio][:delay=time][:noise=step[/iteration/fork]][:seed=number] with times in ns, us, ms or s, e.g. simulated:20ms:5ms"
                        .formatted(engine, part));
    }
}
