// Streams, events and graphs: every call adds an op to a graph of dependencies, and nothing is done until a call asks for
// it. So a copy reads the host's memory as late as CUDA allows, and a wait that the program forgot shows.
#include "softgpu.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_set>

namespace softgpu {

std::recursive_mutex lock;
std::condition_variable_any changed;

namespace {

/** How long the other ranks of a meeting may keep away before this is called a deadlock. */
constexpr std::chrono::seconds patience{60};

void record(Stream &stream, const OpRef &op) {
    stream.last = op;
    changed.notify_all();
}

void linkLegacy(Stream &stream, Op &op) {
    Context &context = *stream.context;
    if (stream.isLegacy) {
        for (Stream *other : context.streams)
            if (other->blocking && other->last && !other->last->done) op.after.push_back(other->last);
    } else if (stream.blocking && context.legacy->last && !context.legacy->last->done) {
        op.after.push_back(context.legacy->last);
    }
}

} // namespace

void enqueueOp(Stream &stream, std::function<OpRef()> make) {
    if (stream.capture.graph != nullptr) {
        Graph &graph = *stream.capture.graph;
        graph.nodes.push_back({std::move(make), stream.capture.leaves});
        stream.capture.leaves = {static_cast<int>(graph.nodes.size()) - 1};
        return;
    }
    OpRef op = make();
    if (stream.last && !stream.last->done) op->after.push_back(stream.last);
    linkLegacy(stream, *op);
    record(stream, op);
}

void enqueue(Stream &stream, std::string what, std::function<void()> work) {
    Context *context = stream.context;
    enqueueOp(stream, [=] {
        auto op = std::make_shared<Op>();
        op->what = what;
        op->context = context;
        op->work = work;
        return op;
    });
}

/** Depth first, with a stack of our own, for the chains are long. */
void demand(const OpRef &target) {
    if (!target) return;
    std::vector<OpRef> stack{target};
    std::unordered_set<Op *> onStack; // of this call: others may be on their way at the same time
    while (!stack.empty()) {
        OpRef op = stack.back();
        if (op->done) {
            onStack.erase(op.get());
            stack.pop_back();
            continue;
        }
        onStack.insert(op.get());
        std::vector<OpRef> others;
        bool complete = !op->meeting || op->meeting(others);
        OpRef next;
        for (const auto *list : {&op->after, &others})
            for (const OpRef &o : *list)
                if (!o->done && o != op) next = next ? next : o;
        if (next) {
            if (onStack.count(next.get()) != 0) {
                report("deadlock: " + op->what + " and " + next->what + " wait for one another");
                op->context->sticky = CUDA_ERROR_LAUNCH_TIMEOUT;
                next->done = true;
                continue;
            }
            stack.push_back(next);
            continue;
        }
        if (!complete) {
            if (changed.wait_for(lock, patience) == std::cv_status::timeout && !op->done) {
                report("deadlock: " + op->what + " waits for ranks that do not come");
                op->context->sticky = CUDA_ERROR_LAUNCH_TIMEOUT;
                op->done = true;
            }
            continue;
        }
        if (op->context->sticky == CUDA_SUCCESS && op->work) {
            try {
                DeviceMemoryAccess access;
                op->work();
            } catch (const Refusal &refusal) {
                op->context->sticky = refusal.code;
            }
        }
        op->done = true;
        op->work = nullptr;
        op->meeting = nullptr;
        op->after.clear();
        changed.notify_all();
    }
}

void demandAll(Context &context) {
    for (size_t i = 0; i < context.streams.size(); i++) demand(context.streams[i]->last);
    demand(context.legacy->last);
}

} // namespace softgpu
