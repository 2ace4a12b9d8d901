package org.tokenrate.engine;

/**
 * Hears of one request. Called on the engine's thread, in order, and never after {@code onFinished}
 * or {@code onFailed}: be quick, and submit the next request from here if you like.
 */
public interface TokenListener {
    /**
     * New tokens: each step's when streaming, otherwise all of them once, before {@code
     * onFinished}.
     *
     * @param tokens valid only during the call, from 0 to {@code count}
     */
    void onTokens(int[] tokens, int count);

    void onFinished(FinishReason reason);

    void onFailed(Exception cause);
}
