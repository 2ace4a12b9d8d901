package org.tokenrate.workload;

/**
 * What was seen of one request. Times are nanoseconds since the workload's start.
 *
 * @param index position in the workload
 * @param promptTokens tokens of the prompt
 * @param requestedTokens tokens asked for
 * @param generatedTokens tokens that came
 * @param submitNanos when it was submitted
 * @param firstTokenNanos when its first token came; -1 if none came or the answer came whole
 * @param finishNanos when it finished or failed
 * @param stepNanos when each step's tokens came; empty if the answer came whole
 * @param stepTokens how many tokens each step brought
 * @param finishReason length, stop, cancelled or failed
 * @param error why it failed; empty if it did not
 */
public record RequestRecord(
        int index,
        int promptTokens,
        int requestedTokens,
        int generatedTokens,
        long submitNanos,
        long firstTokenNanos,
        long finishNanos,
        long[] stepNanos,
        int[] stepTokens,
        String finishReason,
        String error) {
    public boolean failed() {
        return !error.isEmpty();
    }
}
