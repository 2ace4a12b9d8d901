package org.tokenrate.dataset;

/** How long a sampled request's prompt and answer are, in tokens. */
public sealed interface RequestLengths {
    /** As long as the dialogue's own. */
    record Own() implements RequestLengths {}

    /**
     * The dialogue's prompt, and this many tokens to generate; LMDeploy's {@code
     * --sharegpt-output-len}.
     *
     * @param output at least 4
     */
    record FixedOutput(int output) implements RequestLengths {}

    /**
     * Both uniform from {@code ratio} times the length to the length; LMDeploy's {@code
     * --dataset-name random}. A prompt is cut, or repeated until it is long enough.
     *
     * @param input at least 1
     * @param output at least 1
     * @param ratio in [0, 1]; 1 is exactly the length
     */
    record Drawn(int input, int output, double ratio) implements RequestLengths {}

    /** What {@code dataset=builtin} means. */
    RequestLengths OWN = new Own();
}
