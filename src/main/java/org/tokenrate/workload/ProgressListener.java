package org.tokenrate.workload;

/** Hears how far a run has come, a few times a second, on the thread that called it. */
@FunctionalInterface
public interface ProgressListener {
    ProgressListener NONE = (ended, failed, total) -> {};

    /**
     * @param ended requests that have ended, the failed ones among them
     * @param failed requests that have failed
     * @param total requests of the workload
     */
    void onProgress(int ended, int failed, int total);
}
