package org.tokenrate.history;

/**
 * Where the level of a line changed.
 *
 * @param point index of the first point of the new level
 * @param before median of the points since the change before it
 * @param after median of the points up to the next one
 * @param p of the search in this line alone
 * @param adjustedP corrected for the number of lines
 */
public record ChangePoint(int point, double before, double after, double p, double adjustedP) {

    /** Relative, e.g. -0.03. */
    public double change() {
        return after / before - 1;
    }
}
