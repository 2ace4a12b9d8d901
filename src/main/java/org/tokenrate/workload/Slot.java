package org.tokenrate.workload;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.tokenrate.tokenizer.StreamingDetokenizer;

/** One of the requests that may be in flight at once, and what is reused from one to the next. */
final class Slot {
    private final LoadGenerator run;
    private final StreamingDetokenizer detokenizer;
    private final StringBuilder text = new StringBuilder();
    private final AtomicLong lastEventNanos = new AtomicLong();
    private long characters;

    Slot(LoadGenerator run, StreamingDetokenizer detokenizer) {
        this.run = run;
        this.detokenizer = detokenizer;
    }

    /**
     * Submits until a request stays in flight or none is left: a loop, so that an engine that ends
     * requests inside its submit does not grow the stack.
     */
    void submitUntilInFlight() {
        boolean free = true;
        while (free) free = submitNext();
    }

    /** Whether a request was taken and has ended already. */
    boolean submitNext() {
        Optional<Flight> flight = run.take();
        return flight.isPresent() && flight.get().submit(this);
    }

    /** A sign of life. Lazily written: only the check for a stall reads it. */
    void heard(long nanos) {
        lastEventNanos.lazySet(nanos);
    }

    long lastEventNanos() {
        return lastEventNanos.get();
    }

    void detokenize(int[] tokens, int count) {
        detokenizer.append(tokens, count, text);
    }

    /** Ends the answer's text and makes ready for the next. */
    void endText() {
        try {
            detokenizer.finish(text);
        } finally {
            characters += text.length();
            text.setLength(0);
        }
    }

    /** Characters of all answers so far: the use that the text is put to. */
    long characters() {
        return characters;
    }
}
