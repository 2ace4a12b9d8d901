package org.tokenrate.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JmhResultTest {
    private static final List<List<Double>> ONCE_EACH = List.of(List.of(1.0, 1.0), List.of(1.0));

    @Test
    void textInALabelComesBackWhateverIsInIt() {
        String device = "AMD \"EPYC\" 9B14, 2 cores; a=b, 100 % {[<&>]} \\ µ\n";
        var r = result(Map.of(TextLabel.info("device", device), ONCE_EACH));
        assertEquals(device, r.info("device"));
    }

    @Test
    void forksThatDisagreeAreBothTold() {
        var r =
                result(
                        Map.of(
                                TextLabel.info("dtype", "bf16"), List.of(List.of(1.0, 1.0)),
                                TextLabel.info("dtype", "f32"), List.of(List.of(), List.of(1.0))));
        assertEquals(2, r.info("dtype").split("; ").length);
    }

    @Test
    void errorsAreCountedOverAllIterations() {
        var r =
                result(
                        Map.of(
                                TextLabel.error("out of blocks"),
                                List.of(List.of(2.0), List.of(1.0, 4.0))));
        assertEquals(Map.of("out of blocks", 7L), r.errors());
    }

    @Test
    void theFailedOfAllIterationsAreSummed() {
        var r = result(Map.of("failed", List.of(List.of(2.0, 0.0), List.of(1.0))));
        assertEquals(3, r.value(Metric.FAILED));
    }

    @Test
    void theIntervalOfOneIterationIsNotThere() {
        var r = result(Map.of("rpm", List.of(List.of(2.0))));
        assertEquals(Double.NaN, r.interval95(Metric.RPM));
    }

    /** By hand: mean 4, s = 2, t(0.975, 2) = 4.30265273, so 4.30265273 x 2 / sqrt(3). */
    @Test
    void theIntervalIsStudents() {
        var r = result(Map.of("rpm", List.of(List.of(2.0, 4.0), List.of(6.0))));
        assertEquals(4.96827542, r.interval95(Metric.RPM), 1e-7);
    }

    private static JmhResult result(Map<String, List<List<Double>>> metrics) {
        return new JmhResult("a.RequestThroughputBenchmark.requests", Map.of(), metrics);
    }
}
