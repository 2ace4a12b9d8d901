package org.tokenrate.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/**
 * The comparison for programs: latencies in seconds, changes as ratios (0.03 is 3 %), null for what
 * does not exist.
 */
public final class ComparisonJson {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private ComparisonJson() {}

    public static String of(Comparison c) {
        ObjectNode root = JSON.createObjectNode();
        side(root.putObject("base"), c.base(), c.baseFiles());
        side(root.putObject("candidate"), c.candidate(), c.candidateFiles());
        texts(root.putArray("differences"), c.differences());
        texts(root.putArray("notes"), c.notes());
        texts(root.putArray("only_base"), c.onlyBase());
        texts(root.putArray("only_candidate"), c.onlyCandidate());
        root.put("level", Comparison.LEVEL);
        root.put("resamples", Bootstrap.RESAMPLES);
        ArrayNode rows = root.putArray("rows");
        for (Comparison.Row row : c.rows()) row(rows.addObject(), row);
        try {
            return JSON.writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of numbers and text is always writable", e);
        }
    }

    private static void side(ObjectNode node, String name, List<String> files) {
        node.put("name", name);
        texts(node.putArray("files"), files);
    }

    private static void row(ObjectNode node, Comparison.Row row) {
        node.put("row", row.label());
        node.put("base_forks", row.baseForks());
        node.put("base_iterations", row.baseIterations());
        node.put("candidate_forks", row.candidateForks());
        node.put("candidate_iterations", row.candidateIterations());
        ArrayNode figures = node.putArray("figures");
        for (Outcome o : row.outcomes()) figure(figures.addObject(), o);
    }

    private static void figure(ObjectNode node, Outcome o) {
        node.put("figure", o.figure().metric().name());
        number(node, "base", o.base());
        number(node, "candidate", o.candidate());
        number(node, "change", o.change());
        number(node, "low", o.interval().low());
        number(node, "high", o.interval().high());
        number(node, "p", o.p());
        number(node, "adjusted_p", o.adjustedP());
        node.put("verdict", o.verdict().name().toLowerCase(Locale.ROOT));
        number(node, "detectable", o.detectable());
        if (o.verdict() == Verdict.NOT_MEASURED) node.putNull("forks_needed");
        else node.put("forks_needed", o.needed());
    }

    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) node.put(name, value);
        else node.putNull(name);
    }

    private static void texts(ArrayNode array, List<String> texts) {
        texts.forEach(array::add);
    }
}
