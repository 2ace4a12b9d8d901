package org.tokenrate.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tokenrate.engine.EngineCounters;

class EngineSamplerTest {
    @Test
    void samplesStayEvenAndBoundedHoweverLongTheRunIs() {
        var sampler = new EngineSampler(true, () -> EngineCounters.NONE);
        for (long i = 0; i < 100_000; i++) {
            sampler.sample(i);
            assertTrue(sampler.samples().size() < EngineSampler.MOST_SAMPLES);
        }
        List<EngineSample> samples = sampler.samples();
        assertTrue(samples.size() >= EngineSampler.MOST_SAMPLES / 2);
        long apart = samples.get(1).nanos();
        for (int i = 0; i < samples.size(); i++) assertEquals(i * apart, samples.get(i).nanos());
        assertTrue(samples.get(samples.size() - 1).nanos() + apart > 99_999);
    }

    @Test
    void anEngineWithoutAPoolHasNone() {
        var sampler = new EngineSampler(false, () -> EngineCounters.NONE);
        sampler.sample(1);
        assertEquals(List.of(), sampler.samples());
    }
}
