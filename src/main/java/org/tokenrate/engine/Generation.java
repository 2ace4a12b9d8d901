package org.tokenrate.engine;

/** A request in flight. */
public interface Generation {
    /**
     * Asks the engine to stop this request; its listener then hears {@link FinishReason#CANCELLED},
     * unless it finished first.
     */
    void cancel();
}
