package org.tokenrate.html;

import java.util.List;

/**
 * One axis of a chart.
 *
 * @param label what it shows; may be empty
 * @param unit {@code s} for times in seconds, shown as µs, ms or s; {@code %} for ratios; else it
 *     stands behind the number; may be empty
 * @param fromZero of a linear y axis: whether it begins at zero, as that of a rate or a count
 *     should
 * @param labels of an x axis without numbers: what stands at 0, 1, 2, …; empty otherwise
 */
public record Axis(String label, String unit, Scale scale, boolean fromZero, List<String> labels) {

    /** How values lie along an axis. */
    public enum Scale {
        LINEAR,
        LOG2,
        LOG
    }

    /** From zero up. */
    public static Axis of(String label, String unit) {
        return new Axis(label, unit, Scale.LINEAR, true, List.of());
    }

    /** Names side by side, at x = 0, 1, 2, … */
    public static Axis ofNames(String label, List<String> names) {
        return new Axis(label, "", Scale.LINEAR, true, List.copyOf(names));
    }

    /** Values of 0 or less have no place on a logarithmic scale: leave them out. */
    public Axis log() {
        return new Axis(label, unit, Scale.LOG, fromZero, labels);
    }

    /** As {@link #log}, for values that double. */
    public Axis log2() {
        return new Axis(label, unit, Scale.LOG2, fromZero, labels);
    }

    /** Fits the values closely, for changes that are small beside them. */
    public Axis fitted() {
        return new Axis(label, unit, scale, false, labels);
    }
}
