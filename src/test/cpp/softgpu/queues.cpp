// The driver's calls for streams, events and graphs.
#include "driver.h"
#include <algorithm>
#include <chrono>

using namespace softgpu;

static double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

extern "C" {

CUresult cuStreamCreate(void **handle, unsigned flags) {
    return call("cuStreamCreate", [&] {
        auto stream = std::make_unique<Stream>();
        stream->context = &currentContext();
        stream->blocking = (flags & CU_STREAM_NON_BLOCKING) == 0;
        stream->context->streams.push_back(stream.get());
        *handle = &add(streams, std::move(stream));
    });
}
CUresult cuStreamCreateWithPriority(void **handle, unsigned flags, int) { return cuStreamCreate(handle, flags); }

CUresult cuStreamDestroy_v2(void *handle) {
    return giveBack("cuStreamDestroy", [&] {
        Stream &stream = find(streams, handle, "stream");
        demand(stream.last); // the driver lets it finish
        stream.destroyed = true;
        auto &list = stream.context->streams;
        list.erase(std::remove(list.begin(), list.end(), &stream), list.end());
    });
}

CUresult cuStreamSynchronize(void *handle) {
    return call("cuStreamSynchronize", [&] {
        Stream &stream = streamOf(handle);
        forbidCapture(stream, "cuStreamSynchronize");
        demand(stream.last);
        finish(*stream.context);
    });
}

/** Does the work that a program asks about, so that one that polls gets on, but says so only the next time. */
static void query(const OpRef &op) {
    if (!op || op->done) return;
    demand(op);
    throw Refusal{CUDA_ERROR_NOT_READY};
}

CUresult cuStreamQuery(void *handle) {
    return call("cuStreamQuery", [&] {
        Stream &stream = streamOf(handle);
        forbidCapture(stream, "cuStreamQuery");
        query(stream.last);
    });
}

CUresult cuEventCreate(void **handle, unsigned flags) {
    return call("cuEventCreate", [&] {
        auto event = std::make_unique<Event>();
        event->context = &currentContext();
        event->timed = (flags & 2) == 0;
        *handle = &add(events, std::move(event));
    });
}

CUresult cuEventDestroy_v2(void *handle) {
    return giveBack("cuEventDestroy", [&] { find(events, handle, "event").destroyed = true; });
}

CUresult cuEventRecord(void *handle, void *streamHandle) {
    return call("cuEventRecord", [&] {
        Event &event = find(events, handle, "event");
        Stream &stream = streamOf(streamHandle);
        if (event.context != stream.context) {
            report("cuEventRecord of an event on a stream of another device");
            throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        }
        event.recorded = true;
        if (stream.capture.graph != nullptr) {
            event.captured = stream.capture;
            return;
        }
        event.captured = {};
        auto when = std::make_shared<double>(-1);
        event.when = when;
        enqueue(stream, "cuEventRecord", [when] { *when = seconds(); });
        event.op = stream.last;
    });
}

CUresult cuEventSynchronize(void *handle) {
    return call("cuEventSynchronize", [&] {
        Event &event = find(events, handle, "event");
        if (event.captured.graph != nullptr) throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
        demand(event.op);
        finish(*event.context);
    });
}

CUresult cuEventQuery(void *handle) {
    return call("cuEventQuery", [&] {
        Event &event = find(events, handle, "event");
        if (event.captured.graph != nullptr) throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
        query(event.op);
    });
}

CUresult cuEventElapsedTime_v2(float *milliseconds, void *from, void *to) {
    return call("cuEventElapsedTime", [&] {
        Event &a = find(events, from, "event"), &b = find(events, to, "event");
        if (!a.recorded || !b.recorded || !a.timed || !b.timed) throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        if (!a.op || !b.op || !a.op->done || !b.op->done) throw Refusal{CUDA_ERROR_NOT_READY};
        *milliseconds = static_cast<float>((*b.when - *a.when) * 1e3);
    });
}

CUresult cuStreamWaitEvent(void *handle, void *eventHandle, unsigned) {
    return call("cuStreamWaitEvent", [&] {
        Stream &stream = streamOf(handle);
        Event &event = find(events, eventHandle, "event");
        if (event.captured.graph != nullptr) {
            if (stream.capture.graph == nullptr) {
                if (event.captured.graph->destroyed || event.captured.origin->capture.graph != event.captured.graph) {
                    throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
                }
                stream.capture = {event.captured.graph, {}, event.captured.origin};
                event.captured.graph->joined.push_back(&stream);
            } else if (stream.capture.graph != event.captured.graph) {
                throw Refusal{CUDA_ERROR_CAPTURED_EVENT};
            }
            for (int leaf : event.captured.leaves) stream.capture.leaves.push_back(leaf);
            return;
        }
        if (stream.capture.graph != nullptr) {
            report("cuStreamWaitEvent, while captured, of an event recorded outside of the capture");
            throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
        }
        if (!event.op) return; // never recorded: nothing to wait for
        enqueue(stream, "cuStreamWaitEvent", {});
        if (!event.op->done) stream.last->after.push_back(event.op);
    });
}

CUresult cuLaunchHostFunc(void *handle, void (*function)(void *), void *data) {
    return call("cuLaunchHostFunc", [&] { enqueue(streamOf(handle), "cuLaunchHostFunc", [=] { function(data); }); });
}

// Graphs

CUresult cuStreamBeginCapture_v2(void *handle, int) {
    return call("cuStreamBeginCapture", [&] {
        Stream &stream = streamOf(handle);
        if (stream.isLegacy) throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
        forbidCapture(stream, "cuStreamBeginCapture");
        Graph &graph = add(graphs, std::make_unique<Graph>());
        stream.capture = {&graph, {}, &stream};
        graph.joined.push_back(&stream);
    });
}

CUresult cuStreamEndCapture(void *handle, void **result) {
    return call("cuStreamEndCapture", [&] {
        *result = nullptr;
        Stream &stream = streamOf(handle);
        Graph *graph = stream.capture.graph;
        if (graph == nullptr) {
            report("cuStreamEndCapture of a stream that is not being captured");
            throw Refusal{401};
        }
        if (stream.capture.origin != &stream) throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNMATCHED};
        std::vector<char> reached(graph->nodes.size(), 0);
        std::vector<int> stack = stream.capture.leaves;
        while (!stack.empty()) {
            int n = stack.back();
            stack.pop_back();
            if (reached[static_cast<size_t>(n)]) continue;
            reached[static_cast<size_t>(n)] = 1;
            for (int before : graph->nodes[static_cast<size_t>(n)].after) stack.push_back(before);
        }
        for (Stream *joined : graph->joined) joined->capture = {};
        if (std::find(reached.begin(), reached.end(), 0) != reached.end()) {
            report("cuStreamEndCapture before the other captured streams came back by an event");
            graph->destroyed = true;
            throw Refusal{CUDA_ERROR_STREAM_CAPTURE_UNJOINED};
        }
        *result = graph;
    });
}

CUresult cuStreamIsCapturing(void *handle, int *status) {
    return call("cuStreamIsCapturing", [&] { *status = streamOf(handle).capture.graph != nullptr; });
}

CUresult cuGraphInstantiateWithFlags(void **exec, void *handle, unsigned long long) {
    return call("cuGraphInstantiate", [&] {
        auto made = std::make_unique<GraphExec>();
        made->context = &currentContext();
        made->nodes = find(graphs, handle, "graph").nodes;
        *exec = &add(execs, std::move(made));
    });
}

CUresult cuGraphGetNodes(void *handle, void **nodes, size_t *count) {
    return call("cuGraphGetNodes", [&] {
        Graph &graph = find(graphs, handle, "graph");
        if (nodes != nullptr) throw Refusal{CUDA_ERROR_NOT_SUPPORTED};
        *count = graph.nodes.size();
    });
}

CUresult cuGraphUpload(void *exec, void *) {
    return call("cuGraphUpload", [&] { find(execs, exec, "graph exec"); });
}

CUresult cuGraphLaunch(void *handle, void *streamHandle) {
    return call("cuGraphLaunch", [&] {
        GraphExec &exec = find(execs, handle, "graph exec");
        Stream &stream = streamOf(streamHandle);
        forbidCapture(stream, "cuGraphLaunch");
        if (exec.context != stream.context) {
            report("cuGraphLaunch on a stream of another device");
            throw Refusal{CUDA_ERROR_INVALID_HANDLE};
        }
        if (failsNow("launch")) throw Refusal{CUDA_ERROR_LAUNCH_FAILED};
        enqueue(stream, "graph begins", {});
        OpRef begin = stream.last;
        std::vector<OpRef> ops;
        std::vector<OpRef> ends;
        for (const Node &node : exec.nodes) {
            OpRef op = node.make();
            op->after.push_back(begin);
            for (int before : node.after) op->after.push_back(ops[static_cast<size_t>(before)]);
            ops.push_back(op);
        }
        enqueue(stream, "graph ends", {});
        for (const OpRef &op : ops) stream.last->after.push_back(op);
        changed.notify_all();
    });
}

CUresult cuGraphExecDestroy(void *handle) {
    return giveBack("cuGraphExecDestroy", [&] { find(execs, handle, "graph exec").destroyed = true; });
}

CUresult cuGraphDestroy(void *handle) {
    return giveBack("cuGraphDestroy", [&] { find(graphs, handle, "graph").destroyed = true; });
}

} // extern "C"
