// NCCL within one process: each rank brings an op, and the last of them to be ready does the work of all.
#include "half.h"
#include "softgpu.h"
#include <algorithm>
#include <chrono>
#include <cstring>

using namespace softgpu;

namespace {

enum { SUCCESS = 0, UNHANDLED_CUDA = 1, SYSTEM = 2, INTERNAL = 3, INVALID_ARGUMENT = 4, INVALID_USAGE = 5, REMOTE = 6 };
enum class Kind { allReduce, allGather, broadcast };

struct Status {
    int code;
};

struct Part {
    CUdeviceptr from, to;
    int device;
    OpRef op;
};

/** The n-th collective call of every rank. */
struct Round {
    Kind kind;
    size_t count;
    int type, reduction, root;
    std::vector<Part> parts; // by rank
    int arrived = 0;
    bool performed = false;
};

struct Clique {
    int ranks;
    std::vector<bool> joined;
    int arrived = 0;
    bool aborted = false;
    std::map<unsigned long, std::shared_ptr<Round>> rounds;
};

struct Comm {
    std::shared_ptr<Clique> clique;
    int rank, device;
    unsigned long next = 0;
    bool destroyed = false;
};

struct Id {
    char bytes[128];
};

std::map<std::string, std::shared_ptr<Clique>> &cliques() {
    static auto &cliques = *new std::map<std::string, std::shared_ptr<Clique>>;
    return cliques;
}
std::unordered_map<void *, std::unique_ptr<Comm>> &comms() {
    static auto &comms = *new std::unordered_map<void *, std::unique_ptr<Comm>>;
    return comms;
}

struct LeakedComms {
    ~LeakedComms() {
        size_t live = 0;
        for (auto &entry : comms()) live += !entry.second->destroyed;
        if (live != 0) report(format("leak: %zu NCCL communicators", live));
    }
} leakedComms;

thread_local int groups = 0;
thread_local std::vector<std::shared_ptr<Clique>> joining;

Comm &commOf(void *comm) {
    auto found = comms().find(comm);
    if (found == comms().end() || found->second->destroyed) {
        report("NCCL: a communicator that does not exist, or not any more");
        throw Status{INVALID_ARGUMENT};
    }
    return *found->second;
}

int status(const char *name, const std::function<void()> &body, bool needsContext = true) {
    int result = SUCCESS;
    CUresult code = softgpu::call(name, [&] {
        try {
            if (failsNow("nccl")) throw Status{UNHANDLED_CUDA};
            body();
        } catch (const Status &s) {
            result = s.code;
        }
    }, needsContext);
    return code == CUDA_SUCCESS ? result : UNHANDLED_CUDA;
}

size_t sizeOfType(int type) {
    switch (type) {
    case 0: case 1: return 1;
    case 2: case 3: case 7: return 4;
    case 4: case 5: case 8: return 8;
    case 6: case 9: return 2;
    default: throw Status{INVALID_ARGUMENT};
    }
}

Type floatType(int type) { return type == 7 ? Type::f32 : type == 6 ? Type::f16 : Type::bf16; }

float combine(int reduction, float a, float b) {
    switch (reduction) {
    case 1: return a * b;
    case 2: return std::max(a, b);
    case 3: return std::min(a, b);
    default: return a + b;
    }
}

void perform(Round &r) {
    const size_t bytes = r.count * sizeOfType(r.type);
    const size_t ranks = r.parts.size();
    for (const Part &p : r.parts) {
        requireRange("NCCL", p.from, bytes, p.device);
        requireRange("NCCL", p.to, r.kind == Kind::allGather ? bytes * ranks : bytes, p.device);
    }
    std::vector<std::vector<char>> sent; // all of it first: results may lie on what is sent
    for (const Part &p : r.parts) {
        const char *from = reinterpret_cast<const char *>(p.from);
        sent.emplace_back(from, from + (bytes));
    }
    auto to = [&](size_t rank) { return reinterpret_cast<char *>(r.parts[rank].to); };
    if (r.kind == Kind::allGather) {
        for (size_t d = 0; d < ranks; d++)
            for (size_t s = 0; s < ranks; s++) memcpy(to(d) + s * bytes, sent[s].data(), bytes);
        return;
    }
    if (r.kind == Kind::broadcast) {
        for (size_t d = 0; d < ranks; d++) memcpy(to(d), sent[static_cast<size_t>(r.root)].data(), bytes);
        return;
    }
    const Type type = floatType(r.type);
    std::vector<char> result(bytes);
    for (size_t i = 0; i < r.count; i++) {
        float x = load(sent[0].data(), type, i);
        for (size_t s = 1; s < ranks; s++) x = combine(r.reduction, x, load(sent[s].data(), type, i));
        store(r.reduction == 4 ? x / static_cast<float>(ranks) : x, result.data(), type, i);
    }
    for (size_t d = 0; d < ranks; d++) memcpy(to(d), result.data(), bytes);
}

void collective(const char *name, Kind kind, const void *from, void *to, size_t count, int type, int reduction, int root, void *handle, void *streamHandle) {
    Comm &comm = commOf(handle);
    sizeOfType(type);
    if (kind == Kind::allReduce && type != 6 && type != 7 && type != 9) throw Status{INVALID_ARGUMENT};
    Stream &stream = anyStream(streamHandle, comm.device);
    if (stream.context->device != comm.device) {
        report(format("%s: rank %d is on device %d, its stream on device %d", name, comm.rank, comm.device, stream.context->device));
        throw Status{INVALID_ARGUMENT};
    }
    if (count == 0) return;
    const size_t bytes = count * sizeOfType(type), ranks = static_cast<size_t>(comm.clique->ranks);
    requireRange(name, reinterpret_cast<uintptr_t>(from), bytes, comm.device);
    requireRange(name, reinterpret_cast<uintptr_t>(to), kind == Kind::allGather ? bytes * ranks : bytes, comm.device);
    Context *context = stream.context;
    Comm *c = &comm;
    enqueueOp(stream, [=] {
        auto clique = c->clique;
        auto &slot = clique->rounds[c->next];
        if (!slot) {
            slot = std::make_shared<Round>();
            *slot = {kind, count, type, reduction, root, std::vector<Part>(ranks), 0, false};
        }
        auto round = slot;
        const unsigned long number = c->next++;
        if (round->kind != kind || round->count != count || round->type != type || round->reduction != reduction || round->root != root) {
            report(format("NCCL: rank %d calls %s with %zu elements of type %d where another rank calls something else", c->rank, name, count, type));
        }
        auto op = std::make_shared<Op>();
        op->what = format("%s of rank %d", name, c->rank);
        op->context = context;
        round->parts[static_cast<size_t>(c->rank)] = {reinterpret_cast<CUdeviceptr>(from), reinterpret_cast<CUdeviceptr>(to), c->device, op};
        round->arrived++;
        op->meeting = [round, clique](std::vector<OpRef> &others) {
            if (clique->aborted || round->performed) return true;
            for (const Part &p : round->parts)
                if (p.op) others.insert(others.end(), p.op->after.begin(), p.op->after.end());
            return round->arrived == static_cast<int>(round->parts.size());
        };
        op->work = [round, clique, number] {
            if (round->performed || clique->aborted) return;
            round->performed = true;
            clique->rounds.erase(number);
            perform(*round);
            for (Part &p : round->parts) p.op = nullptr;
        };
        return op;
    });
}

/** Waits until every rank of the clique is there. */
void meet(const std::shared_ptr<Clique> &clique) {
    while (clique->arrived < clique->ranks) {
        if (changed.wait_for(lock, std::chrono::seconds(60)) == std::cv_status::timeout && clique->arrived < clique->ranks) {
            report(format("ncclCommInitRank: %d of %d ranks came", clique->arrived, clique->ranks));
            throw Status{INTERNAL};
        }
    }
}

Comm &join(const std::shared_ptr<Clique> &clique, int rank, int device) {
    if (rank < 0 || rank >= clique->ranks || clique->joined[static_cast<size_t>(rank)]) {
        report(format("NCCL: rank %d of %d joins twice or is none", rank, clique->ranks));
        throw Status{INVALID_ARGUMENT};
    }
    clique->joined[static_cast<size_t>(rank)] = true;
    clique->arrived++;
    changed.notify_all();
    auto comm = std::make_unique<Comm>();
    comm->clique = clique;
    comm->rank = rank;
    comm->device = device;
    Comm &reference = *comm;
    comms()[&reference] = std::move(comm);
    return reference;
}

std::shared_ptr<Clique> makeClique(int ranks) {
    auto clique = std::make_shared<Clique>();
    clique->ranks = ranks;
    clique->joined.assign(static_cast<size_t>(ranks), false);
    return clique;
}

} // namespace

extern "C" {

int ncclGetVersion(int *version) {
    *version = 22807;
    return SUCCESS;
}

const char *ncclGetErrorString(int code) {
    switch (code) {
    case SUCCESS: return "no error";
    case UNHANDLED_CUDA: return "unhandled cuda error";
    case SYSTEM: return "unhandled system error";
    case INVALID_ARGUMENT: return "invalid argument";
    case INVALID_USAGE: return "invalid usage";
    case REMOTE: return "remote process exited or there was a network error";
    default: return "internal error";
    }
}
const char *ncclGetLastError(void *) { return "see the report of the software GPU"; }

int ncclGetUniqueId(Id *id) {
    static int number = 0;
    return status("ncclGetUniqueId", [&] {
        memset(id, 0, sizeof *id);
        snprintf(id->bytes, sizeof id->bytes, "softgpu %d", ++number);
        cliques()[id->bytes] = nullptr;
    }, false);
}

int ncclCommInitRank(void **comm, int ranks, Id id, int rank) {
    return status("ncclCommInitRank", [&] {
        id.bytes[127] = 0;
        auto found = cliques().find(id.bytes);
        if (found == cliques().end() || ranks < 1) throw Status{INVALID_ARGUMENT};
        if (!found->second) found->second = makeClique(ranks);
        if (found->second->ranks != ranks) throw Status{INVALID_ARGUMENT};
        *comm = &join(found->second, rank, currentContext().device);
        if (groups > 0) joining.push_back(found->second);
        else meet(found->second);
    });
}

int ncclCommInitAll(void **result, int count, const int *devices) {
    return status("ncclCommInitAll", [&] {
        if (count < 1 || count > settings().devices) throw Status{INVALID_ARGUMENT};
        auto clique = makeClique(count);
        for (int r = 0; r < count; r++) result[r] = &join(clique, r, devices == nullptr ? r : devices[r]);
    }, false);
}

int ncclCommDestroy(void *comm) {
    std::lock_guard<std::recursive_mutex> guard(lock); // after a failure too
    try {
        commOf(comm).destroyed = true;
        return SUCCESS;
    } catch (const Status &s) {
        return s.code;
    }
}
int ncclCommFinalize(void *comm) {
    return status("ncclCommFinalize", [&] { commOf(comm); });
}
int ncclCommAbort(void *comm) {
    std::lock_guard<std::recursive_mutex> guard(lock);
    try {
        Comm &c = commOf(comm);
        c.clique->aborted = true;
        c.destroyed = true;
        changed.notify_all();
        return SUCCESS;
    } catch (const Status &s) {
        return s.code;
    }
}
int ncclCommCount(void *comm, int *count) {
    return status("ncclCommCount", [&] { *count = commOf(comm).clique->ranks; }, false);
}
int ncclCommUserRank(void *comm, int *rank) {
    return status("ncclCommUserRank", [&] { *rank = commOf(comm).rank; }, false);
}
int ncclCommCuDevice(void *comm, int *device) {
    return status("ncclCommCuDevice", [&] { *device = commOf(comm).device; }, false);
}
int ncclCommGetAsyncError(void *comm, int *error) {
    return status("ncclCommGetAsyncError", [&] { *error = commOf(comm).clique->aborted ? REMOTE : SUCCESS; }, false);
}

int ncclGroupStart() {
    groups++;
    return SUCCESS;
}
int ncclGroupEnd() {
    return status("ncclGroupEnd", [&] {
        if (groups == 0) throw Status{INVALID_USAGE};
        if (--groups > 0) return;
        auto waiting = std::move(joining);
        joining.clear();
        for (auto &clique : waiting) meet(clique);
    }, false);
}

int ncclAllReduce(const void *from, void *to, size_t count, int type, int reduction, void *comm, void *stream) {
    return status("ncclAllReduce", [&] { collective("ncclAllReduce", Kind::allReduce, from, to, count, type, reduction, 0, comm, stream); });
}
int ncclAllGather(const void *from, void *to, size_t count, int type, void *comm, void *stream) {
    return status("ncclAllGather", [&] { collective("ncclAllGather", Kind::allGather, from, to, count, type, 0, 0, comm, stream); });
}
int ncclBroadcast(const void *from, void *to, size_t count, int type, int root, void *comm, void *stream) {
    return status("ncclBroadcast", [&] { collective("ncclBroadcast", Kind::broadcast, from, to, count, type, 0, root, comm, stream); });
}

} // extern "C"
