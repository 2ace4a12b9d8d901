package org.tokenrate.report.page;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import org.tokenrate.html.Table;

/** Where, when, with what and on what it was measured; several values where rows differ. */
final class Environment {
    private static final double GIB = 1 << 30;

    private final Map<String, Set<String>> facts = new LinkedHashMap<>();

    private Environment() {}

    static Table of(List<ResultRun> runs, List<ResultRow> rows) {
        var e = new Environment();
        for (ResultRun run : runs) e.addRun(run);
        for (ResultRow row : rows) e.addRow(row);
        var table = new ArrayList<List<String>>();
        e.facts.forEach((name, values) -> table.add(List.of(name, shown(values))));
        return Table.ofFacts("environment", table);
    }

    private static String shown(Set<String> values) {
        int most = 20;
        String first = values.stream().limit(most).collect(joining("\n"));
        return values.size() > most ? first + "\nand " + (values.size() - most) + " more" : first;
    }

    private void addRun(ResultRun run) {
        add("file", run.file().toString());
        JsonNode r = run.record();
        for (String name : List.of("status", "commit", "started", "finished")) {
            add(name, r.path(name).asText());
        }
        if (r.path("dirty").asBoolean()) add("work tree", "differed from the commit (dirty)");
        var arguments = new StringJoiner(" ");
        for (JsonNode a : r.path("arguments")) arguments.add(a.asText());
        add("arguments", arguments.toString());
        add("tokenrate", r.path("tokenrate").asText());
        JsonNode machine = r.path("machine");
        for (String name : List.of("cpu", "cores", "os", "arch")) {
            add("machine: " + name, machine.path(name).asText());
        }
        long bytes = machine.path("memoryBytes").asLong();
        if (bytes > 0) add("machine: memory", Words.number(bytes / GIB, 1) + " GiB");
        for (var e : r.path("jvm").properties()) add("JVM: " + e.getKey(), e.getValue().asText());
        for (var e : r.path("libraries").properties()) {
            add("library: " + e.getKey(), e.getValue().asText());
        }
    }

    private void addRow(ResultRow row) {
        row.params()
                .forEach(
                        (name, value) -> {
                            if (!name.equals(ResultRow.RUN)) add("parameter: " + name, value);
                        });
        row.result()
                .infos()
                .forEach(
                        (name, value) -> {
                            if (!name.equals("combination")) add("measured: " + name, value);
                        });
    }

    private void add(String name, String value) {
        if (!value.isEmpty()) facts.computeIfAbsent(name, n -> new LinkedHashSet<>()).add(value);
    }
}
