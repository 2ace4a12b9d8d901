package org.tokenrate.workload;

import java.util.List;

/** The requests of one run, in the order in which they are submitted. */
public record Workload(List<Request> requests) {
    /**
     * @param promptTokens token ids of the prompt
     * @param outputTokens tokens to generate: the length of the real answer
     */
    public record Request(int[] promptTokens, int outputTokens) {}
}
