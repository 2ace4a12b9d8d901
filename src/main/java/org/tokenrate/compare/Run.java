package org.tokenrate.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tokenrate.report.JmhJson;
import org.tokenrate.report.JmhResult;

/**
 * The request-throughput results of one {@code jmh.json}.
 *
 * @param file it
 * @param hasRecord whether a {@code run.json} beside it told of machine and JVM
 */
public record Run(Path file, boolean hasRecord, List<Entry> entries) {

    /**
     * @param facts its {@link Circumstances}
     */
    public record Entry(JmhResult result, Map<String, String> facts) {}

    /**
     * @throws IOException if it is not JMH's json or holds other benchmarks only, in one sentence
     */
    public static Run read(Path jmhJson) throws IOException {
        JsonNode nodes = JmhJson.tree(jmhJson);
        List<JmhResult> results = JmhJson.results(nodes, jmhJson);
        Map<String, String> ofRun = Circumstances.ofRun(jmhJson);
        var entries = new ArrayList<Entry>();
        for (int i = 0; i < results.size(); i++) {
            JmhResult r = results.get(i);
            if (!r.isRequestThroughput()) continue;
            var facts = new TreeMap<>(ofRun);
            facts.putAll(Circumstances.of(r, nodes.path(i)));
            entries.add(new Entry(r, facts));
        }
        if (entries.isEmpty()) {
            throw new IOException(
                    jmhJson
                            + " holds no result of RequestThroughputBenchmark, only of "
                            + results.get(0).benchmark());
        }
        return new Run(jmhJson, !ofRun.isEmpty(), List.copyOf(entries));
    }
}
