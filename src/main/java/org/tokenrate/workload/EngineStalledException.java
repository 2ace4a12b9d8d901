package org.tokenrate.workload;

/** The engine gave no sign of life for longer than a run waits; the message has the numbers. */
public final class EngineStalledException extends RuntimeException {
    EngineStalledException(String message) {
        super(message);
    }
}
