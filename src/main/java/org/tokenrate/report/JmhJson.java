package org.tokenrate.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the json that JMH writes ({@code -rf json}). */
public final class JmhJson {
    /** A hundred combinations of ten forks of ten iterations have a tenth of it. */
    private static final long LARGEST_BYTES = 128L << 20;

    private static final JsonMapper JSON =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                                    .build())
                    .build();

    private JmhJson() {}

    /**
     * All results of a file, in its order.
     *
     * @throws IOException if the file is missing, is not JMH's json or holds no result, in one
     *     sentence that names the place
     */
    public static List<JmhResult> read(Path file) throws IOException {
        return results(tree(file), file);
    }

    /**
     * A file's JSON as it is.
     *
     * @throws IOException if the file is missing, too large to be a result, or not JSON, in one
     *     sentence
     */
    public static JsonNode tree(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file; give the jmh.json of a run");
        }
        if (Files.size(file) > LARGEST_BYTES) {
            throw new IOException(
                    "%s has %,d MiB, over the limit of %d MiB; is it a result at all?"
                            .formatted(file, Files.size(file) >> 20, LARGEST_BYTES >> 20));
        }
        try {
            return JSON.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw BadJson.in(file, e);
        }
    }

    /**
     * The results that a file's {@link #tree} holds.
     *
     * @param file for errors
     */
    public static List<JmhResult> results(JsonNode root, Path file) throws IOException {
        if (!root.isArray()) {
            throw new IOException(file + " is not JMH's json: that is an array of results");
        }
        if (root.isEmpty()) throw new IOException(file + " holds no result");
        var results = new ArrayList<JmhResult>();
        for (JsonNode node : root) results.add(result(node, file, results.size()));
        return results;
    }

    private static JmhResult result(JsonNode node, Path file, int index) throws IOException {
        if (!node.path("benchmark").isTextual() || !node.path("primaryMetric").isObject()) {
            throw new IOException(
                    file
                            + " is not JMH's json: entry "
                            + index
                            + " has no benchmark name or no primaryMetric");
        }
        Map<String, String> params = new LinkedHashMap<>();
        for (var p : node.path("params").properties())
            params.put(p.getKey(), p.getValue().asText());
        Map<String, List<List<Double>>> metrics = new LinkedHashMap<>();
        for (var m : node.path("secondaryMetrics").properties()) {
            metrics.put(m.getKey(), rawData(m.getValue()));
        }
        return new JmhResult(node.get("benchmark").asText(), params, metrics);
    }

    private static List<List<Double>> rawData(JsonNode metric) {
        var forks = new ArrayList<List<Double>>();
        for (JsonNode fork : metric.path("rawData")) {
            var values = new ArrayList<Double>();
            // JMH writes "NaN" and "+INF" as strings: no number for us.
            for (JsonNode v : fork) values.add(v.isNumber() ? v.doubleValue() : Double.NaN);
            forks.add(values);
        }
        return forks;
    }
}
