package org.tokenrate.workload;

import java.time.Duration;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.tokenizer.Tokenizer;

/**
 * How a workload is put to an engine.
 *
 * @param concurrency requests in flight, at least 1
 * @param sampling of every request; its seed is the run's, from which each request's own follows
 * @param stream hear of tokens as they come, otherwise of each answer at once
 * @param tokenizer that turns the answers back to text, which is part of a request's path
 * @param stallTimeout a run gives up after hearing nothing at all for so long; answers that come
 *     whole count only when they come
 * @param progress hears how far the run has come
 */
public record LoadOptions(
        int concurrency,
        SamplingParams sampling,
        boolean stream,
        Tokenizer tokenizer,
        Duration stallTimeout,
        ProgressListener progress) {
    public static final Duration DEFAULT_STALL_TIMEOUT = Duration.ofMinutes(10);

    public LoadOptions {
        if (concurrency < 1) {
            throw new IllegalArgumentException(
                    "concurrency=" + concurrency + " must be at least 1, e.g. 256");
        }
        if (stallTimeout.isNegative() || stallTimeout.isZero()) {
            throw new IllegalArgumentException(
                    "a stall timeout of "
                            + stallTimeout.toMillis()
                            + " ms must be above 0, e.g. 10 minutes");
        }
    }

    /** With the default stall timeout and nobody to hear of progress. */
    public LoadOptions(
            int concurrency, SamplingParams sampling, boolean stream, Tokenizer tokenizer) {
        this(
                concurrency,
                sampling,
                stream,
                tokenizer,
                DEFAULT_STALL_TIMEOUT,
                ProgressListener.NONE);
    }

    public LoadOptions withProgress(ProgressListener listener) {
        return new LoadOptions(concurrency, sampling, stream, tokenizer, stallTimeout, listener);
    }

    public LoadOptions withStallTimeout(Duration timeout) {
        return new LoadOptions(concurrency, sampling, stream, tokenizer, timeout, progress);
    }
}
