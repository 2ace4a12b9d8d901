package org.tokenrate.engine;

/** Why a request ended without failing. */
public enum FinishReason {
    /** It generated {@code maxNewTokens}. */
    LENGTH,
    /** It generated an end-of-sequence token. */
    STOP,
    /** {@link Generation#cancel()} was called. */
    CANCELLED
}
