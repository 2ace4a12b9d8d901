package org.tokenrate.history;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.tokenrate.compare.Figure;

/**
 * What a run measured.
 *
 * @param folder name of the commit's folder, e.g. {@code 1a2b3c4-dirty}
 * @param file its {@code jmh.json}
 * @param started when
 */
record MeasuredRun(String folder, Path file, Instant started, List<Combination> combinations) {

    /**
     * What it measured with one combination of parameters.
     *
     * @param setting what must be the same for figures to be compared: machine, JVM, model, dataset
     * @param forks of each figure that was measured, the median of each fork
     */
    record Combination(
            Map<String, String> parameters,
            Map<String, String> setting,
            Map<Figure, double[]> forks) {}
}
