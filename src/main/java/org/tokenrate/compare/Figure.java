package org.tokenrate.compare;

import org.tokenrate.report.Metric;

/** A figure that is compared, and in which direction it is better. */
public enum Figure {
    OUTPUT_RATE("out tok/s", Metric.OUTPUT_RATE, true),
    RPM("RPM", Metric.RPM, true),
    TTFT_P50("TTFT p50", Metric.latency("ttft", "p50"), false),
    TTFT_P99("TTFT p99", Metric.latency("ttft", "p99"), false),
    ITL_P50("ITL p50", Metric.latency("itl", "p50"), false),
    ITL_P99("ITL p99", Metric.latency("itl", "p99"), false),
    E2E_P50("E2E p50", Metric.latency("e2e", "p50"), false),
    E2E_P99("E2E p99", Metric.latency("e2e", "p99"), false);

    private final String label;
    private final Metric metric;
    private final boolean higherIsBetter;

    Figure(String label, Metric metric, boolean higherIsBetter) {
        this.label = label;
        this.metric = metric;
        this.higherIsBetter = higherIsBetter;
    }

    /** As tables show it. */
    public String label() {
        return label;
    }

    /** Where it comes from; latencies are in seconds. */
    public Metric metric() {
        return metric;
    }

    /** True of rates, false of latencies. */
    public boolean higherIsBetter() {
        return higherIsBetter;
    }

    /** By how much a relative change is for the worse; negative if it is for the better. */
    public double worsening(double change) {
        return higherIsBetter ? -change : change;
    }
}
