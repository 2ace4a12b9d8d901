package org.tokenrate.engine.simulated;

import java.util.List;
import org.tokenrate.engine.Diagnosis;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.EngineProvider;
import org.tokenrate.engine.InferenceEngine;

/**
 * {@code engine=simulated[:ttft[:tpot]][:options]}: see {@link SimulatedTiming#parse}. The other
 * options are of no account: there is no model.
 */
public final class SimulatedEngineProvider implements EngineProvider {
    @Override
    public String name() {
        return SimulatedTiming.NAME;
    }

    @Override
    public void validate(EngineOptions options) {
        SimulatedTiming.parse(options.engine());
    }

    @Override
    public Diagnosis diagnose() {
        return new Diagnosis(true, "set times, no model", List.of());
    }

    @Override
    public InferenceEngine open(EngineOptions options) {
        return new SimulatedEngine(SimulatedTiming.parse(options.engine()));
    }
}
