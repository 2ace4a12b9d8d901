package org.tokenrate.html;

/**
 * A vertical line through a chart.
 *
 * @param x where
 * @param text what is there; shown when the pointer is at this x
 */
public record Mark(double x, String text) {}
