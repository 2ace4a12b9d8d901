package org.tokenrate.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.tokenrate.engine.Stage;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;

/**
 * Where the engine's time went: of each combination a row for its iterations with prompts, one for
 * those without, and one for the time in which there was nothing to run. Stages that no row spent
 * time on are left out.
 */
final class StageTable {
    private static final String TITLE =
            "Where the time went: stages in % of the row's time (engine iterations, not JMH's)";

    private StageTable() {}

    /** Empty if no combination ran with {@code -prof stages}, or its engine takes no times. */
    static Optional<String> of(List<JmhResult> measured, List<String> swept) {
        List<JmhResult> results =
                measured.stream()
                        .filter(r -> !Double.isNaN(r.value(Metric.DECODE_ITERATIONS)))
                        .toList();
        if (results.isEmpty()) return Optional.empty();
        List<Stage> stages =
                Arrays.stream(Stage.values())
                        .filter(s -> s != Stage.IDLE)
                        .filter(s -> results.stream().anyMatch(r -> r.value(Metric.stage(s)) > 0))
                        .toList();
        var rows = new ArrayList<List<String>>();
        var heading = new ArrayList<>(swept);
        heading.addAll(List.of("", "% of time", "iterations", "ms each"));
        for (Stage s : stages) heading.add(s.label().replace('_', '-'));
        rows.add(heading);
        for (JmhResult r : results) {
            double all = 0;
            for (Stage s : Stage.values()) all += r.value(Metric.stage(s));
            rows.add(
                    row(
                            r,
                            swept,
                            "prefill",
                            Metric.PREFILL_ITERATIONS,
                            all,
                            stages,
                            s -> r.value(Metric.prefillStage(s))));
            rows.add(
                    row(
                            r,
                            swept,
                            "decode",
                            Metric.DECODE_ITERATIONS,
                            all,
                            stages,
                            s -> r.value(Metric.stage(s)) - r.value(Metric.prefillStage(s))));
            rows.add(idle(r, swept, all, stages.size()));
        }
        return Optional.of(TITLE + "\n\n" + ResultTable.aligned(rows));
    }

    private static List<String> row(
            JmhResult r,
            List<String> swept,
            String kind,
            Metric iterations,
            double all,
            List<Stage> stages,
            ToDoubleFunction<Stage> seconds) {
        double own = stages.stream().mapToDouble(seconds).sum();
        double count = r.value(iterations);
        List<String> row = start(r, swept, kind, own / all);
        row.add(Texts.number(count, 0));
        row.add(Texts.number(own / count * 1e3, 3));
        for (Stage s : stages) row.add(Texts.number(seconds.applyAsDouble(s) / own * 100, 1));
        return row;
    }

    private static List<String> idle(JmhResult r, List<String> swept, double all, int stages) {
        List<String> row = start(r, swept, "idle", r.value(Metric.stage(Stage.IDLE)) / all);
        for (int i = 0; i < stages + 2; i++) row.add("");
        return row;
    }

    private static List<String> start(JmhResult r, List<String> swept, String kind, double share) {
        var row = new ArrayList<String>();
        for (String p : swept) row.add(r.params().get(p));
        row.add(kind);
        row.add(Texts.number(share * 100, 1));
        return row;
    }
}
