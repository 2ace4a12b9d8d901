package org.tokenrate.workload;

import java.util.List;

/**
 * What was seen of a whole workload.
 *
 * @param durationNanos from the first submit to the last finish
 * @param streamed whether tokens were heard of as they came
 * @param records one a request, in the workload's order
 */
public record WorkloadResult(long durationNanos, boolean streamed, List<RequestRecord> records) {}
