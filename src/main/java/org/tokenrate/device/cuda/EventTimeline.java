package org.tokenrate.device.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.global.cudart;
import org.tokenrate.device.Timeline;

/** An event a mark, on the stream itself: between two of them lies what was queued in between. */
final class EventTimeline implements Timeline, AutoCloseable {
    private static final int FIRST_MARKS = 256;

    private final GpuContext context;
    private final List<CUevent_st> events = new ArrayList<>();
    private int[] labels = new int[FIRST_MARKS];
    private int marks;
    private boolean muted;
    private final float[] millis = new float[1];

    EventTimeline(GpuContext context) {
        this.context = context;
    }

    /**
     * While muted, marks are passed over: what is being recorded as a graph has none of its own.
     */
    void mute(boolean passedOver) {
        muted = passedOver;
    }

    @Override
    public void mark(int label) {
        if (muted) return;
        if (marks == 0) context.makeCurrent();
        if (marks == labels.length) labels = Arrays.copyOf(labels, 2 * marks);
        labels[marks] = label;
        record(marks++);
    }

    private void record(int index) {
        if (index == events.size()) {
            CUevent_st event = new CUevent_st();
            Status.driver(cudart.cuEventCreate(event, cudart.CU_EVENT_DEFAULT), "cuEventCreate");
            events.add(event);
        }
        Status.driver(cudart.cuEventRecord(events.get(index), context.stream()), "cuEventRecord");
    }

    @Override
    public void collect(long[] nanos) {
        if (marks == 0) return;
        record(marks);
        Status.driver(cudart.cuEventSynchronize(events.get(marks)), "cuEventSynchronize");
        for (int i = 0; i < marks; i++) {
            Status.driver(
                    cudart.cuEventElapsedTime(millis, events.get(i), events.get(i + 1)),
                    "cuEventElapsedTime");
            nanos[labels[i]] += Math.round(millis[0] * 1e6);
        }
        marks = 0;
    }

    @Override
    public void close() {
        for (CUevent_st e : events) GpuContext.warn(cudart.cuEventDestroy(e), "cuEventDestroy");
        events.clear();
    }
}
