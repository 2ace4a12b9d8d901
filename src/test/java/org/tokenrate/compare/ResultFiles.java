package org.tokenrate.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.tokenrate.report.TextLabel;

/** Writes folders of runs as the benchmark leaves them, with figures of our choice. */
public final class ResultFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArrayNode entries = JSON.createArrayNode();
    private String benchmark = "org.tokenrate.bench.RequestThroughputBenchmark.requests";

    public ResultFiles ofBenchmark(String name) {
        benchmark = name;
        return this;
    }

    /**
     * A row whose every figure has these values, a fork each.
     *
     * @param facts e.g. {@code dataset_sha256}
     */
    public ResultFiles row(Map<String, String> params, Map<String, String> facts, double... forks) {
        double[][] values = new double[forks.length][];
        for (int i = 0; i < forks.length; i++) values[i] = new double[] {forks[i]};
        return row(params, facts, values);
    }

    public ResultFiles row(
            Map<String, String> params, Map<String, String> facts, double[][] forks) {
        ObjectNode entry = entries.addObject();
        entry.put("benchmark", benchmark);
        entry.put("warmupIterations", 1);
        entry.putArray("jvmArgs").add("-Xmx1g").add("-Dtokenrate.run.folder=" + hashCode());
        params.forEach(entry.putObject("params")::put);
        entry.putObject("primaryMetric");
        ObjectNode metrics = entry.putObject("secondaryMetrics");
        for (Figure f : Figure.values()) metric(metrics, f.metric().name(), forks);
        double[][] none = new double[forks.length][];
        for (int i = 0; i < none.length; i++) none[i] = new double[forks[i].length];
        metric(metrics, "failed", none);
        metric(metrics, "duration_s", forks);
        facts.forEach((name, text) -> metric(metrics, TextLabel.info(name, text), forks));
        return this;
    }

    /** Changes one metric of the last row. */
    public ResultFiles with(String metric, double[][] forks) {
        var last = entries.get(entries.size() - 1);
        metric((ObjectNode) last.get("secondaryMetrics"), metric, forks);
        return this;
    }

    public Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve("jmh.json");
        Files.writeString(file, entries.toString());
        return file;
    }

    private static void metric(ObjectNode metrics, String name, double[][] forks) {
        ArrayNode raw = metrics.putObject(name).putArray("rawData");
        for (double[] fork : forks) {
            ArrayNode values = raw.addArray();
            for (double v : fork) {
                // As JMH does.
                if (Double.isNaN(v)) values.add("NaN");
                else values.add(v);
            }
        }
    }
}
