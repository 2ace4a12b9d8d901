package org.tokenrate.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The parameter combinations that a run was asked for and has not measured: those of its {@code
 * run.json} that have no entry in the {@code jmh.json} beside it.
 */
public final class MissingRows {
    private static final String RUN_JSON = "run.json";

    /** A run that was stopped too hard to say why. */
    private static final String UNKNOWN = "not measured";

    /** Of the parameters, those that a row otherwise has from the forks. */
    private static final Map<String, String> ASKED =
            Map.of(
                    "engine", "engine",
                    "model", "model",
                    "modelFormat", "model_format",
                    "dtype", "dtype");

    private MissingRows() {}

    /**
     * A row without figures.
     *
     * @param row its parameters; no metric but text
     * @param reason one line
     */
    public record Missing(JmhResult row, String reason) {}

    /**
     * @param folder of the run
     * @param measured what its {@code jmh.json} holds
     * @return in the run's order; none if there is no {@code run.json}, or it is another run's
     * @throws IOException if {@code run.json} is not JSON, in one sentence
     */
    public static List<Missing> of(Path folder, List<JmhResult> measured) throws IOException {
        Path file = folder.resolve(RUN_JSON);
        if (!Files.isRegularFile(file)) return List.of();
        JsonNode run = JmhJson.tree(file);
        var asked = new ArrayList<Key>();
        for (JsonNode c : run.path("combinations")) asked.add(key(c));
        List<Key> have = measured.stream().map(r -> new Key(r.benchmark(), r.params())).toList();
        if (!asked.containsAll(have)) return List.of();

        var reasons = new HashMap<Key, String>();
        for (JsonNode m : run.path("missing")) reasons.put(key(m), m.path("reason").asText());
        var rows = new ArrayList<Missing>();
        for (Key k : asked) {
            if (have.contains(k)) continue;
            var row = new JmhResult(k.benchmark(), k.params(), facts(k.params(), run));
            String reason = reasons.getOrDefault(k, UNKNOWN).replaceAll("\\p{Cntrl}+", " ");
            if (row.isRequestThroughput()) rows.add(new Missing(row, reason));
        }
        return rows;
    }

    private record Key(String benchmark, Map<String, String> params) {}

    private static Key key(JsonNode node) {
        var params = new LinkedHashMap<String, String>();
        for (var p : node.path("params").properties())
            params.put(p.getKey(), p.getValue().asText());
        return new Key(node.path("benchmark").asText(), params);
    }

    /** What tells the row from others; nothing that only a fork could have found. */
    private static Map<String, List<List<Double>>> facts(Map<String, String> params, JsonNode run) {
        var facts = new LinkedHashMap<String, List<List<Double>>>();
        ASKED.forEach(
                (param, fact) -> {
                    if (params.containsKey(param)) put(facts, fact, params.get(param));
                });
        String dirty = run.path("dirty").asBoolean() ? "-dirty" : "";
        put(facts, "commit", run.path("commit").asText() + dirty);
        put(facts, "tokenrate", run.path("tokenrate").asText());
        return facts;
    }

    private static void put(Map<String, List<List<Double>>> facts, String name, String text) {
        facts.put(TextLabel.info(name, text), List.of());
    }
}
