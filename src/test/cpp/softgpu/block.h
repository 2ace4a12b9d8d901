// A block as it runs: its threads, their stacks, what they wait for. One host thread runs one block at a time.
#pragma once
#include "fibre.h"
#include "softgpu.h"

namespace softgpu {

constexpr int warpSize = 32;
constexpr int recordBytes = 128;       // as device.h has it
constexpr size_t stackBytes = 256 << 10;
constexpr int mostThreads = 1024;
constexpr size_t mostShared = 256 << 10;

enum class State : unsigned char { ready, warp, barrier, ended };

/** Records of the lanes that met, kept until each of them goes on to something else. */
struct Records {
    alignas(16) unsigned char bytes[warpSize * recordBytes];
    unsigned lanes = 0;
    int users = 0;
};

struct AsyncCopy {
    void *to;
    const void *from;
    int bytes, valid;
    const char *file;
    int line;
};

struct Thread {
    FibreContext context;
    unsigned index[3];
    unsigned linear;
    State state;
    const char *what, *file; // that it waits in
    int line;
    unsigned mask;
    Records *records;
    std::vector<std::vector<AsyncCopy>> copies; // committed groups, the last one open
};

/** Lanes of a warp on their way to a warp intrinsic. */
struct Meeting {
    bool open = false;
    unsigned mask, arrived;
    const char *what, *file;
    int line;
    Records *records;
};

struct Warp {
    unsigned exists = 0, ended = 0;
    Meeting meetings[4];
    uint64_t time = 0; // of race.h
};

struct Block {
    const Launch *launch = nullptr;
    unsigned index[3];
    unsigned long long linear;
    int threads = 0;
    int ready = 0, atBarrier = 0, ended = 0;
    int barrierCount = 0, barrierResult = 0;
    Thread thread[mostThreads];
    Warp warp[mostThreads / warpSize];
    FibreContext scheduler;
    Thread *running = nullptr;
    CUresult failure = CUDA_SUCCESS;

    char *stacks = nullptr;           // one a thread, a page that is none below each
    unsigned char *dynamicShared = nullptr;
    size_t dynamicBytes = 0;
    unsigned char *staticShared = nullptr;
    size_t staticBytes = 0;
    std::vector<Records *> freeRecords, allRecords;
    // Of race.h: now, at the last barrier, at the block's start; and what is known of shared memory.
    uint64_t time = 1, barrierTime = 1, startTime = 1;
    unsigned worker;
    bool acquired = false; // did an atomic operation on global memory
    struct Accesses *dynamicAccesses = nullptr, *staticAccesses = nullptr;

    explicit Block(unsigned worker);
    void run(const Launch &launch, unsigned long long linearBlock);

    /** Ends the block after a report; does not come back when a thread of the block calls it. */
    void fail(const std::string &what, const std::string &where, CUresult code);
    std::string who(const Thread &thread) const;
};

/** By host thread: its time when the launch began. */
extern uint64_t launchStart[256];

// hooks.cpp
/** A new launch on this host thread. */
void beginLaunch(Block &block);
/** A new block: its shared memory is nobody's yet. */
void beginShared(Block &block);
/** Every thread of the block has come to a barrier. */
void passBarrier(Block &block);
/** Reports a copy to shared memory that may not be; `done` when it is carried out, else when it is asked for. */
void checkCopy(const AsyncCopy &copy, bool done);
/** Lanes of a warp have met: __syncwarp orders what they did before. */
void passWarp(Block &block, Warp &warp, const char *what);

/** Of the calling host thread; null outside of a kernel. */
extern thread_local __attribute__((tls_model("initial-exec"))) Block *block;

} // namespace softgpu
