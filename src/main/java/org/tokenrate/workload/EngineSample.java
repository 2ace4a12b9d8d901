package org.tokenrate.workload;

import org.tokenrate.engine.EngineCounters;

/**
 * An engine's counters at one time.
 *
 * @param nanos since the workload's start
 */
public record EngineSample(long nanos, EngineCounters counters) {}
