package org.tokenrate.engine.simulated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SimulatedTimingTest {

    @Test
    void timesAreReadInTheirUnits() {
        assertEquals(SimulatedTiming.ZERO, SimulatedTiming.parse("simulated"));
        assertEquals(
                new SimulatedTiming(20_000_000, 0, 0), SimulatedTiming.parse("simulated:20ms"));
        assertEquals(
                new SimulatedTiming(1_500_000_000, 7_000, 0),
                SimulatedTiming.parse("simulated:1.5s:7us"));
        assertEquals(
                new SimulatedTiming(0, 13, 0.25),
                SimulatedTiming.parse("simulated:0:13ns:fail=0.25"));
        assertEquals(new SimulatedTiming(0, 0, 1), SimulatedTiming.parse("simulated:fail=1"));
    }

    @Test
    void delayNoiseAndSeedAreReadInAnyOrder() {
        var noise = new Noise(0.1, 0.02, 0.03, OptionalLong.of(-7));
        assertEquals(
                new SimulatedTiming(20_000_000, 1_000_000, 0, 30_000, noise),
                SimulatedTiming.parse("simulated:seed=-7:noise=0.1/0.02/0.03:20ms:delay=30us:1ms"));
    }

    @Test
    void iterationsAndForksScatterByAFifthOfAStepUnlessToldOtherwise() {
        assertEquals(
                new Noise(0.5, 0.1, 0.1, OptionalLong.empty()),
                SimulatedTiming.parse("simulated:noise=0.5").noise());
    }

    @Test
    void whatIsNotUnderstoodIsNamedWithAnExample() {
        for (String bad :
                new String[] {
                    "simulated:",
                    "simulated:20",
                    "simulated:-1ms",
                    "simulated:1m",
                    "simulated:1ms:2ms:3ms",
                    "simulated:fail=x",
                    "simulated:noise=x",
                    "simulated:noise=0.1/0.1",
                    "simulated:seed=1.5",
                    "simulated:delay=5",
                    "simulated:1e3ms",
                    "simulator:1ms"
                }) {
            var e = assertThrows(IllegalArgumentException.class, () -> SimulatedTiming.parse(bad));
            assertTrue(e.getMessage().startsWith("engine=" + bad + ": '"), e.getMessage());
            assertTrue(e.getMessage().endsWith("e.g. simulated:20ms:5ms"), e.getMessage());
        }
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> SimulatedTiming.parse("simulated:3601s"));
        assertThrows(
                IllegalArgumentException.class, () -> SimulatedTiming.parse("simulated:fail=1.1"));
        assertThrows(
                IllegalArgumentException.class, () -> SimulatedTiming.parse("simulated:fail=NaN"));
        assertThrows(
                IllegalArgumentException.class, () -> SimulatedTiming.parse("simulated:noise=1.1"));
        assertThrows(
                IllegalArgumentException.class,
                () -> SimulatedTiming.parse("simulated:delay=3601s"));
    }

    @Test
    void theEnginesNameReadsBackAsTheSameTiming() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        long[] units = {1, 1_000, 1_000_000, 1_000_000_000};
        for (int i = 0; i < 1_000; i++) {
            var timing =
                    new SimulatedTiming(
                            random.nextInt(3_600) * units[random.nextInt(4)],
                            random.nextInt(3_600) * units[random.nextInt(4)],
                            random.nextBoolean() ? 0 : random.nextDouble(),
                            random.nextInt(2) * 30_000L,
                            new Noise(
                                    random.nextDouble(),
                                    random.nextDouble(),
                                    random.nextDouble(),
                                    random.nextBoolean()
                                            ? OptionalLong.empty()
                                            : OptionalLong.of(random.nextLong())));
            assertEquals(timing, SimulatedTiming.parse(timing.engineName()), "seed " + seed);
        }
    }
}
