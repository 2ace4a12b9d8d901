package org.tokenrate.device;

/**
 * Times of operations by the device's own clock, for a device that queues them. Used by the thread
 * that queues.
 */
public interface Timeline {
    /** What is queued from here on has this label, up to the next mark. */
    void mark(int label);

    /**
     * Waits for everything that is queued and begins anew.
     *
     * @param nanos to the label's entry is added, for each mark, the time from there to the next,
     *     and for the last mark to the end
     */
    void collect(long[] nanos);
}
