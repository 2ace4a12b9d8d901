package org.tokenrate.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.tokenrate.run.ParameterStyle;

class PlanTest {
    @Test
    void everyCombinationIsKnownBeforehand() throws CommandLineOptionException {
        Plan plan = plan("-p", "concurrency=1,16,64", "-p", "seed=0,1");
        assertEquals(6, plan.combinations().size());
        assertEquals(List.of("concurrency", "seed"), plan.swept());
        assertEquals("64", plan.combinations().get(5).params().get("concurrency"));
        assertEquals("5000", plan.combinations().get(5).params().get("numPrompts"));
    }

    @Test
    void aBadValueInTheLastCombinationStopsTheRun() {
        assertEquals(
                "concurrency=0 must be from 1 to 100000, e.g. -p concurrency=16",
                refusal("-p", "concurrency=1,16,0"));
    }

    @Test
    void anUnknownParameterIsRefusedWithTheKnownOnes() {
        String message = refusal("-p", "concurency=1");
        assertTrue(
                message.startsWith(
                        "-p concurency is no parameter of the chosen benchmarks; they have"
                                + " cacheCount, concurrency, cudaGraphs, dataset,"),
                message);
    }

    @Test
    void aValueGivenTwiceIsRefused() {
        assertEquals(
                "concurrency=8 is given twice; for more measurements use -i or -f",
                refusal("-p", "concurrency=8,8"));
    }

    @Test
    void moreThreadsThanOneAreRefused() {
        assertTrue(refusal("-t", "4").startsWith("-t 4 must be 1: "));
    }

    @Test
    void aBenchmarkThatIsNotThereIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> planOf("NoSuchBenchmark"));
        assertEquals(
                "no benchmark matches [NoSuchBenchmark]; -l lists them, -h the subcommands",
                e.getMessage());
    }

    @Test
    void aNumberOfAnotherBenchmarkMustBeOne() {
        for (String value : List.of("x", "1.5", "", "99999999999")) {
            var e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> planOf("LinearBenchmark", "-p", "rows=1," + value + "z"));
            assertEquals(
                    "rows=%sz must be a whole number of at most 9 digits, e.g. -p rows=1"
                            .formatted(value),
                    e.getMessage());
        }
    }

    private static String refusal(String... args) {
        return assertThrows(IllegalArgumentException.class, () -> plan(args)).getMessage();
    }

    private static Plan plan(String... args) throws CommandLineOptionException {
        var all = new ArrayList<>(List.of("RequestThroughput", "-p", "engine=simulated:1ms:1ms"));
        all.addAll(List.of(args));
        return planOf(all.toArray(String[]::new));
    }

    private static Plan planOf(String... args) throws CommandLineOptionException {
        Arguments arguments = Arguments.parse(List.of(args));
        return Plan.of(
                new CommandLineOptions(arguments.jmh().toArray(String[]::new)),
                arguments.parameterNames(),
                ParameterStyle.JMH);
    }
}
