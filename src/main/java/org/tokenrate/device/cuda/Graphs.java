package org.tokenrate.device.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.global.cudart;

/**
 * Recorded iterations by their form. The first of a form runs as it is, which also lets libraries
 * set up what they need; the second is recorded; from then on it is one launch.
 */
final class Graphs implements AutoCloseable {
    /** Decoding batches are filled up to one of these, then to multiples of the last step. */
    private static final int[] SIZES = {1, 2, 4, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128};

    /** Keeps what is added to a large batch below a fifth, and the number of graphs small. */
    private static final int STEP = 32;

    private final GpuContext context;

    /** Empty for a form seen once. */
    private final Map<Long, Optional<CUgraphExec_st>> recorded = new HashMap<>();

    private long played;

    Graphs(GpuContext context) {
        this.context = context;
    }

    /** The size that a batch of so many tokens is filled up to. */
    static int bucket(int tokens, int most) {
        for (int size : SIZES) {
            if (tokens <= size) return Math.min(size, most);
        }
        return Math.min((tokens + STEP - 1) / STEP * STEP, most);
    }

    /**
     * Runs operations of a form.
     *
     * @param form the same for operations that differ in nothing but the memory's contents
     */
    void run(long form, Runnable operations) {
        Optional<CUgraphExec_st> known = recorded.get(form);
        if (known == null) {
            operations.run();
            recorded.put(form, Optional.empty());
            return;
        }
        if (known.isEmpty()) {
            known = Optional.of(record(operations));
            recorded.put(form, known);
        }
        Status.driver(cudart.cuGraphLaunch(known.get(), context.stream()), "cuGraphLaunch");
        played++;
    }

    /** Graphs launched so far. */
    long played() {
        return played;
    }

    private CUgraphExec_st record(Runnable operations) {
        CUgraph_st graph = new CUgraph_st();
        // Other ranks' threads go on with their own calls meanwhile.
        Status.driver(
                cudart.cuStreamBeginCapture(
                        context.stream(), cudart.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture");
        try {
            operations.run();
        } catch (RuntimeException | Error e) {
            if (cudart.cuStreamEndCapture(context.stream(), graph) == cudart.CUDA_SUCCESS) {
                cudart.cuGraphDestroy(graph);
            }
            throw e;
        }
        Status.driver(cudart.cuStreamEndCapture(context.stream(), graph), "cuStreamEndCapture");
        CUgraphExec_st executable = new CUgraphExec_st();
        try {
            Status.driver(cudart.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate");
        } finally {
            GpuContext.warn(cudart.cuGraphDestroy(graph), "cuGraphDestroy");
        }
        return executable;
    }

    @Override
    public void close() {
        for (Optional<CUgraphExec_st> graph : recorded.values()) {
            graph.ifPresent(
                    g -> GpuContext.warn(cudart.cuGraphExecDestroy(g), "cuGraphExecDestroy"));
        }
        recorded.clear();
    }
}
