package org.tokenrate.history;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tokenrate.compare.Figure;
import org.tokenrate.compare.RowLabels;

/**
 * All results of a folder, in the order of the commits.
 *
 * @param results the folder
 * @param runs how many runs are in it
 * @param states what was measured, in order
 * @param rows a combination of parameters each
 * @param warnings what a reader should know
 */
public record History(
        Path results, int runs, List<State> states, List<Row> rows, List<String> warnings) {

    /** The share of lines called changed that may be so by chance. */
    public static final double LEVEL = Detection.LEVEL;

    /** A change with the line that it is in. */
    public record Found(Row row, Line line, ChangePoint change) {
        /** Index of the first state of the new level. */
        public int state() {
            return line.points().get(change.point()).state();
        }

        /** Index of the last state of the level before. */
        public int stateBefore() {
            return line.points().get(change.point() - 1).state();
        }
    }

    /**
     * @param repository a folder of the work tree whose commits give the order; where it is in
     *     none, the repository that the results are in
     * @param figures those to show
     * @param since name, or its beginning, of the first state to take; all if empty
     * @throws IOException if there is nothing to show, in a sentence
     */
    public static History of(
            Path results, Path repository, Set<Figure> figures, Optional<String> since)
            throws IOException {
        ResultsFolder folder = ResultsFolder.read(results, figures);
        var names = Order.commits(folder.runs());
        CommitLog log = CommitLog.read(repository, names);
        if (log.isEmpty()) log = CommitLog.read(results, names);
        List<Order.Placed> placed = Order.of(folder.runs(), log);
        if (since.isPresent()) placed = since(placed, since.get(), results);

        var warnings = new ArrayList<>(folder.warnings());
        for (String name : log.ambiguous()) {
            warnings.add(name + " may be several commits, and is placed by the time of its run");
        }
        warnings.addAll(notInOrder(placed));
        return of(results, placed, warnings);
    }

    /** Of all lines; the latest first, and of one state the greatest. */
    public List<Found> changes() {
        return rows.stream()
                .flatMap(r -> r.lines().stream().flatMap(l -> found(r, l)))
                .sorted(
                        Comparator.comparingInt(Found::state)
                                .thenComparingDouble(f -> Math.abs(Math.log(f.change.change() + 1)))
                                .reversed())
                .toList();
    }

    /** The lines in their rows' last setting of which the last change was for the worse. */
    public long slowerAtTheEnd() {
        return rows.stream()
                .flatMap(r -> r.lines().stream().filter(l -> l.setting() == r.lastSetting()))
                .filter(Line::endsSlower)
                .count();
    }

    /** How many lines there are, and so how many series are searched for changes. */
    public List<Line> lines() {
        return rows.stream().flatMap(r -> r.lines().stream()).toList();
    }

    private static Stream<Found> found(Row row, Line line) {
        return line.changes().stream().map(c -> new Found(row, line, c));
    }

    private static History of(Path results, List<Order.Placed> placed, List<String> warnings)
            throws IOException {
        Map<Map<String, String>, RowBuilder> builders = new TreeMap<>(RowLabels.BY_VALUES);
        int runs = 0;
        for (int state = 0; state < placed.size(); state++) {
            Map<Map<String, String>, List<MeasuredRun.Combination>> measured =
                    new LinkedHashMap<>();
            for (MeasuredRun run : placed.get(state).runs()) {
                runs++;
                for (MeasuredRun.Combination c : run.combinations()) {
                    measured.computeIfAbsent(c.parameters(), k -> new ArrayList<>()).add(c);
                }
            }
            for (var m : measured.entrySet()) {
                builders.computeIfAbsent(m.getKey(), k -> new RowBuilder())
                        .add(state, m.getValue());
            }
        }
        builders.values().removeIf(b -> b.series().isEmpty());
        if (builders.isEmpty()) {
            throw new IOException(
                    "no figure was measured in "
                            + results
                            + (warnings.isEmpty() ? "" : ", for example: " + warnings.get(0)));
        }
        return new History(
                results,
                runs,
                placed.stream().map(Order.Placed::state).toList(),
                rows(builders),
                List.copyOf(warnings));
    }

    private static List<Row> rows(Map<Map<String, String>, RowBuilder> builders) {
        List<double[]> values =
                builders.values().stream()
                        .flatMap(b -> b.series().stream())
                        .map(s -> Line.values(s.points()))
                        .toList();
        var detections = Detection.of(values, new NullDistribution()).iterator();
        Set<String> varying = RowLabels.varying(builders.keySet());
        var rows = new ArrayList<Row>();
        builders.forEach(
                (parameters, builder) -> {
                    var lines = new ArrayList<Line>();
                    for (RowBuilder.Series s : builder.series()) {
                        lines.add(Line.of(s.figure(), s.setting(), s.points(), detections.next()));
                    }
                    rows.add(
                            new Row(
                                    RowLabels.label(parameters, varying),
                                    parameters,
                                    builder.settings(),
                                    builder.breaks(),
                                    List.copyOf(lines)));
                });
        return List.copyOf(rows);
    }

    private static List<Order.Placed> since(List<Order.Placed> placed, String name, Path results)
            throws IOException {
        for (int i = 0; i < placed.size(); i++) {
            if (placed.get(i).state().name().startsWith(name)) {
                return placed.subList(i, placed.size());
            }
        }
        throw new IOException(
                "'%s' is no commit in %s; it has %s to %s"
                        .formatted(
                                name,
                                results,
                                placed.get(0).state().name(),
                                placed.get(placed.size() - 1).state().name()));
    }

    /** A sentence a kind of state that is not where its commit would put it. */
    private static List<String> notInOrder(List<Order.Placed> placed) {
        var sentences = new ArrayList<String>();
        for (State.Kind kind : State.Kind.values()) {
            if (kind == State.Kind.COMMIT) continue;
            List<String> names =
                    placed.stream()
                            .map(Order.Placed::state)
                            .filter(s -> s.kind() == kind)
                            .map(State::name)
                            .toList();
            if (names.isEmpty()) continue;
            String more = names.size() > 3 ? " and " + (names.size() - 3) + " more" : "";
            sentences.add(
                    String.join(", ", names.subList(0, Math.min(3, names.size())))
                            + more
                            + ": "
                            + kind.words());
        }
        return sentences;
    }
}
