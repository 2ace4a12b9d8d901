package org.tokenrate.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.tokenrate.report.JmhJson;
import org.tokenrate.report.JmhResult;
import org.tokenrate.run.RunRecord;

/**
 * What must be the same on both sides, besides the parameters, for a difference to be the commit's:
 * facts by name, from the labels in {@code jmh.json}, from its entries and from {@code run.json}.
 */
final class Circumstances {
    /** What names the run rather than what it ran on. */
    private static final Set<String> OF_THE_RUN = Set.of("combination", "commit", "tokenrate");

    private static final Set<String> OF_THE_ENGINE = Set.of("engine", "device", "dtype");
    private static final Set<String> OF_THE_MODEL =
            Set.of("model", "model_format", "model_sha256", "dtype");
    private static final String LIBRARY = "version.";
    private static final double GIB = 1 << 30;

    private Circumstances() {}

    /** Of one entry of a file. */
    static Map<String, String> of(JmhResult result, JsonNode entry) {
        var facts = new TreeMap<>(result.infos());
        facts.keySet().removeAll(OF_THE_RUN);
        facts.put("warm-up iterations", entry.path("warmupIterations").asText());
        facts.put("JVM arguments", jvmArguments(entry));
        return facts;
    }

    /** Of a whole run; empty if there is no {@code run.json} beside its {@code jmh.json}. */
    static Map<String, String> ofRun(Path jmhJson) throws IOException {
        Path file = jmhJson.toAbsolutePath().resolveSibling(RunRecord.FILE);
        var facts = new TreeMap<String, String>();
        if (!Files.isRegularFile(file)) return facts;
        JsonNode run = JmhJson.tree(file);
        JsonNode machine = run.path("machine");
        for (String name : new String[] {"os", "arch", "cpu", "cores"}) {
            if (machine.has(name)) facts.put(name, machine.get(name).asText());
        }
        if (machine.has("memoryBytes")) {
            double gib = machine.get("memoryBytes").asLong() / GIB;
            facts.put("memory", Format.number(gib, 1) + " GiB");
        }
        putAll(run.path("jvm"), name -> "JVM " + name, facts);
        putAll(run.path("libraries"), name -> "library " + name, facts);
        return facts;
    }

    /** The facts that follow from a parameter: they differ where it does. */
    static boolean followsFrom(String parameter, String fact) {
        return switch (parameter) {
            case "engine" -> OF_THE_ENGINE.contains(fact) || fact.startsWith(LIBRARY);
            case "model", "modelFormat" -> OF_THE_MODEL.contains(fact);
            case "dataset" -> fact.equals("dataset_sha256");
            case "dtype" -> fact.equals("dtype");
            default -> false;
        };
    }

    /** Those that may change what is measured: not where the run's files go. */
    private static String jvmArguments(JsonNode entry) {
        var text = new StringBuilder();
        for (JsonNode a : entry.path("jvmArgs")) {
            if (!a.asText().startsWith("-Dtokenrate.")) text.append(' ').append(a.asText());
        }
        return text.toString().strip();
    }

    private static void putAll(
            JsonNode object, UnaryOperator<String> name, Map<String, String> facts) {
        for (var e : object.properties()) {
            facts.put(name.apply(e.getKey()), e.getValue().asText());
        }
    }
}
