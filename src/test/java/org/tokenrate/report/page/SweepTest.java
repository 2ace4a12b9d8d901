package org.tokenrate.report.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tokenrate.html.Axis;
import org.tokenrate.report.JmhResult;
import org.tokenrate.report.Metric;
import org.tokenrate.report.TextLabel;

class SweepTest {
    private static final double NONE = Double.NaN;

    /** Rows with these values of these parameters; the n-th has a token rate of n. */
    private static List<ResultRow> rows(List<String> names, String... values) {
        var results = new ArrayList<JmhResult>();
        for (String line : values) {
            String[] parts = line.split(" ");
            var params = new LinkedHashMap<String, String>();
            for (int i = 0; i < parts.length; i++) params.put(names.get(i), parts[i]);
            double rate = results.size();
            Map<String, List<List<Double>>> metrics =
                    Map.of(
                            Metric.OUTPUT_RATE.name(), List.of(List.of(rate)),
                            TextLabel.info("device", parts[0]), List.of(List.of(1.0)));
            results.add(new JmhResult("RequestThroughputBenchmark", params, metrics));
        }
        Path file = Path.of("jmh.json");
        return ResultRow.of(
                List.of(new ResultRun(file, MissingNode.getInstance(), "", results, List.of())));
    }

    private static double[] line(Sweep sweep, String name) {
        return sweep.values(name, r -> r.value(Metric.OUTPUT_RATE));
    }

    @Test
    void concurrencyIsTheAxisWhereverItStands() {
        var sweep = Sweep.of(rows(List.of("tp", "concurrency"), "1 1", "1 16", "2 4", "2 16"));
        assertEquals("concurrency", sweep.axis().label());
        assertEquals(Axis.Scale.LOG2, sweep.axis().scale());
        assertArrayEquals(new double[] {1, 4, 16}, sweep.xs());
        assertEquals(Set.of("tp=1", "tp=2"), sweep.lines().keySet());
        assertArrayEquals(new double[] {0, NONE, 1}, line(sweep, "tp=1"));
        assertArrayEquals(new double[] {NONE, 2, 3}, line(sweep, "tp=2"));
    }

    @Test
    void elseTheFirstNumberThatIsSwept() {
        var sweep = Sweep.of(rows(List.of("model", "topP"), "a 0.8", "a 0.5", "b 0.5"));
        assertEquals("topP", sweep.axis().label());
        assertArrayEquals(new double[] {1, 0}, line(sweep, "model=a"));
        assertArrayEquals(new double[] {2, NONE}, line(sweep, "model=b"));
    }

    @Test
    void elseRowsStandSideBySide() {
        var sweep = Sweep.of(rows(List.of("model", "concurrency"), "a 4", "b 4"));
        assertFalse(sweep.isNumeric());
        assertEquals(List.of("model=a", "model=b"), sweep.axis().labels());
        assertArrayEquals(new double[] {0, 1}, line(sweep, "all"));
    }

    @Test
    void aSingleRowIsAll() {
        var sweep = Sweep.of(rows(List.of("concurrency"), "4"));
        assertEquals(List.of("all"), sweep.axis().labels());
    }

    @Test
    void theSameRowTwiceIsTwoLines() {
        var sweep = Sweep.of(rows(List.of("concurrency"), "1", "1", "2"));
        assertEquals(List.of("all", "all (2)"), List.copyOf(sweep.lines().keySet()));
        assertArrayEquals(new double[] {1, NONE}, line(sweep, "all (2)"));
    }

    @Test
    void rowsOfNoRealDeviceSayItAmongRealOnes() {
        List<ResultRow> rows =
                rows(List.of("engine", "concurrency"), "rtx 1", "cpu 1", "simulated 1");
        assertEquals("engine=rtx", rows.get(0).label());
        assertEquals("engine=cpu", rows.get(1).label());
        assertEquals("engine=simulated (not a real device)", rows.get(2).label());
    }
}
