package org.tokenrate.compare;

/**
 * A range of relative changes, e.g. from -0.03 to 0.01.
 *
 * @param low NaN, as high is, where there is too little to tell
 */
public record Interval(double low, double high) {
    static final Interval UNKNOWN = new Interval(Double.NaN, Double.NaN);

    /** Whether there is one. */
    public boolean isKnown() {
        return !Double.isNaN(low);
    }
}
