// Runs a kernel: its blocks are spread over a few host threads, and within a block each thread runs until it waits.
#include "block.h"
#include "device_table.h"
#include "shadow.h"
#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <thread>

namespace softgpu {

thread_local __attribute__((tls_model("initial-exec"))) Block *block = nullptr;

namespace {

/** Whether a block of the present launch has failed. */
std::atomic<bool> launchFailed{false};

void *map(size_t bytes) {
    void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("softgpu: mmap");
        abort();
    }
    return p;
}

void leave(Thread &t) { softgpu_switch(&t.context, &block->scheduler); }

/** Where every thread of a block begins. */
void begin() {
    Block &b = *block;
    void *arguments[256];
    const auto &values = b.launch->arguments;
    for (size_t i = 0; i < values.size(); i++) arguments[i] = const_cast<unsigned char *>(values[i].data());
    b.launch->function->kernel->invoke(arguments);
    Thread &t = *b.running;
    t.state = State::ended;
    leave(t);
}

void releaseRecords(Thread &t) {
    if (t.records == nullptr) return;
    if (--t.records->users == 0) block->freeRecords.push_back(t.records);
    t.records = nullptr;
}

Records *takeRecords() {
    Block &b = *block;
    if (b.freeRecords.empty()) {
        b.allRecords.push_back(new Records);
        b.freeRecords.push_back(b.allRecords.back());
    }
    Records *r = b.freeRecords.back();
    b.freeRecords.pop_back();
    r->users = 0;
    return r;
}

std::string place(const Thread &t) { return t.state == State::ended ? "has ended" : format("waits in %s at %s:%d", t.what, t.file, t.line); }

/** Lets the lanes go if all are there that are to come. */
bool complete(Warp &w, int first, Meeting &m) {
    if ((m.arrived | w.ended) != (m.mask | w.ended)) return false;
    m.records->lanes = m.arrived;
    for (int l = 0; l < warpSize; l++) {
        if (!(m.arrived >> l & 1)) continue;
        Thread &t = block->thread[first + l];
        t.records = m.records;
        m.records->users++;
        t.state = State::ready;
    }
    m.open = false;
    return true;
}

} // namespace

Block::Block(unsigned worker) : worker(worker) {
    const size_t each = stackBytes + 4096;
    stacks = static_cast<char *>(map(each * mostThreads));
    for (size_t i = 0; i < mostThreads; i++) mprotect(stacks + i * each, 4096, PROT_NONE);
    dynamicShared = static_cast<unsigned char *>(map(mostShared));
    if (settings().check == Check::full) {
        dynamicAccesses = static_cast<Accesses *>(map(mostShared / 2 * sizeof(Accesses)));
        staticAccesses = static_cast<Accesses *>(map(mostShared / 2 * sizeof(Accesses)));
    }
}

std::string Block::who(const Thread &t) const {
    return format("kernel %s, block (%u,%u,%u), thread (%u,%u,%u)", launch->function->kernel->name, index[0], index[1], index[2],
                  t.index[0], t.index[1], t.index[2]);
}

void Block::fail(const std::string &what, const std::string &where, CUresult code) {
    if (failure == CUDA_SUCCESS) {
        failure = code;
        if (launchFailed.exchange(true)) { // another block told of the first mistake
            if (running != nullptr) {
                running->state = State::ended;
                leave(*running);
            }
            return;
        }
        std::string text = what;
        if (running != nullptr) text += "\n    in " + who(*running);
        if (!where.empty()) text += ", " + where;
        report(text);
    }
    if (running != nullptr) {
        running->state = State::ended;
        leave(*running);
    }
}

void Block::run(const Launch &l, unsigned long long linearBlock) {
    launch = &l;
    linear = linearBlock;
    index[0] = static_cast<unsigned>(linearBlock % l.grid[0]);
    index[1] = static_cast<unsigned>(linearBlock / l.grid[0] % l.grid[1]);
    index[2] = static_cast<unsigned>(linearBlock / l.grid[0] / l.grid[1]);
    threads = static_cast<int>(l.block[0] * l.block[1] * l.block[2]);
    failure = CUDA_SUCCESS;
    ended = atBarrier = barrierCount = 0;
    running = nullptr;
    acquired = false;
    const int warps = (threads + warpSize - 1) / warpSize;
    for (int w = 0; w < warps; w++) {
        warp[w].exists = warp[w].ended = 0;
        for (Meeting &m : warp[w].meetings) m.open = false;
    }
    for (int i = 0; i < threads; i++) {
        Thread &t = thread[i];
        t.linear = static_cast<unsigned>(i);
        t.index[0] = t.linear % l.block[0];
        t.index[1] = t.linear / l.block[0] % l.block[1];
        t.index[2] = t.linear / l.block[0] / l.block[1];
        t.state = State::ready;
        t.records = nullptr;
        t.copies.clear();
        warp[i / warpSize].exists |= 1u << (i % warpSize);
        prepare(t.context, stacks + static_cast<size_t>(i) * (stackBytes + 4096) + 4096, stackBytes, begin);
    }
    freeRecords = allRecords;
    beginShared(*this);

    for (;;) {
        bool moved = false;
        for (int w = 0; w < warps && failure == CUDA_SUCCESS; w++) {
            bool again = true;
            while (again && failure == CUDA_SUCCESS) {
                again = false;
                for (int i = w * warpSize; i < threads && i < (w + 1) * warpSize && failure == CUDA_SUCCESS; i++) {
                    Thread &t = thread[i];
                    if (t.state != State::ready) continue;
                    running = &t;
                    softgpu_switch(&scheduler, &t.context);
                    running = nullptr;
                    moved = again = true;
                    if (t.state != State::ended) continue;
                    ended++;
                    releaseRecords(t);
                    warp[w].ended |= 1u << (i % warpSize);
                    for (Meeting &m : warp[w].meetings)
                        if (m.open) complete(warp[w], w * warpSize, m);
                }
            }
        }
        if (failure != CUDA_SUCCESS || ended == threads) break;
        if (moved) continue;
        // Nobody can go on. All at one barrier: open it. Else somebody waits for what does not come.
        const Thread *first = nullptr, *odd = nullptr;
        for (int i = 0; i < threads && odd == nullptr; i++) {
            const Thread &t = thread[i];
            if (t.state == State::warp) odd = &t;
            else if (first == nullptr && t.state == State::barrier) first = &t;
        }
        if (odd != nullptr) {
            const Warp &w = warp[odd->linear / warpSize];
            std::string missing;
            for (int l = 0; l < warpSize; l++) {
                if (!(odd->mask >> l & 1)) continue;
                if (!(w.exists >> l & 1)) {
                    missing = format("lane %d of its mask 0x%08x does not exist", l, odd->mask);
                    break;
                }
                const Thread &t = thread[odd->linear / warpSize * warpSize + static_cast<unsigned>(l)];
                if (t.state == State::ended || (t.state == State::warp && t.line == odd->line && t.mask == odd->mask && t.what == odd->what)) continue;
                missing = format("lane %d of its mask 0x%08x %s", l, odd->mask, place(t).c_str());
                break;
            }
            running = nullptr;
            fail(format("divergent warp: %s waits in vain: %s\n    in %s, %s:%d", odd->what, missing.c_str(), who(*odd).c_str(), odd->file, odd->line), "", CUDA_ERROR_LAUNCH_FAILED);
            break;
        }
        for (int i = 0; i < threads && odd == nullptr; i++) {
            const Thread &t = thread[i];
            if (t.state == State::ended || t.line != first->line || strcmp(t.file, first->file) != 0 || strcmp(t.what, first->what) != 0) odd = &t;
        }
        if (odd != nullptr) {
            fail(format("divergent barrier: %s is not reached by every thread: thread (%u,%u,%u) %s\n    in %s, %s:%d", first->what, odd->index[0], odd->index[1],
                        odd->index[2], place(*odd).c_str(), who(*first).c_str(), first->file, first->line), "", CUDA_ERROR_LAUNCH_FAILED);
            break;
        }
        barrierResult = barrierCount;
        barrierCount = 0;
        passBarrier(*this);
        for (int i = 0; i < threads; i++) thread[i].state = State::ready;
    }
    launch = nullptr;
}

namespace {

/** Host threads that run blocks, for as long as the process lives: none of them is the JVM's. */
class Workers {
  public:
    void run(const Launch &l) {
        std::unique_lock<std::mutex> guard(mutex);
        if (threads == 0) start();
        launch = &l;
        blocks = 1ull * l.grid[0] * l.grid[1] * l.grid[2];
        next = 0;
        failure = CUDA_SUCCESS;
        launchFailed = false;
        busy = participants = static_cast<int>(std::min<unsigned long long>(static_cast<unsigned>(threads), blocks));
        turn++;
        // All of them before the first of them runs: each looks at the times of the others.
        for (Block *b : their) beginLaunch(*b);
        wake.notify_all();
        finished.wait(guard, [&] { return busy == 0; });
        launch = nullptr;
        if (failure != CUDA_SUCCESS) throw Refusal{failure};
    }

  private:
    std::mutex mutex;
    std::condition_variable wake, finished;
    const Launch *launch = nullptr;
    unsigned long long blocks = 0;
    std::atomic<unsigned long long> next{0};
    std::atomic<int> failure{CUDA_SUCCESS};
    std::vector<Block *> their;
    int threads = 0, participants = 0, busy = 0;
    unsigned long turn = 0;

    void start() {
        threads = settings().threads;
        for (int i = 0; i < threads; i++) {
            their.push_back(new Block(static_cast<unsigned>(i)));
            std::thread([this, mine = their.back(), seen = turn] { work(mine, seen); }).detach();
        }
    }

    void work(Block *mine, unsigned long seen) {
        DeviceMemoryAccess access;
        for (;;) {
            {
                std::unique_lock<std::mutex> guard(mutex);
                wake.wait(guard, [&] { return turn != seen && static_cast<int>(mine->worker) < participants; });
                seen = turn;
            }
            block = mine;
            for (;;) {
                unsigned long long b = next++;
                if (b >= blocks || failure != CUDA_SUCCESS) break;
                mine->run(*launch, b);
                if (mine->failure != CUDA_SUCCESS) failure = mine->failure;
            }
            block = nullptr;
            std::lock_guard<std::mutex> guard(mutex);
            if (--busy == 0) finished.notify_all();
        }
    }
};

Workers &workers() {
    static Workers &workers = *new Workers; // its threads outlive every destructor
    return workers;
}

} // namespace

void run(const Launch &launch) { workers().run(launch); }

} // namespace softgpu

using namespace softgpu;

// What device.h declares.
extern "C" {

struct Three {
    unsigned x, y, z;
};

Three softgpu_thread_index() {
    const unsigned *i = block->running->index;
    return {i[0], i[1], i[2]};
}
Three softgpu_block_index() { return {block->index[0], block->index[1], block->index[2]}; }
Three softgpu_block_shape() {
    const unsigned *s = block->launch->block;
    return {s[0], s[1], s[2]};
}
Three softgpu_grid_shape() {
    const unsigned *s = block->launch->grid;
    return {s[0], s[1], s[2]};
}
void *softgpu_dynamic_shared() { return block->dynamicShared; }

struct WarpView {
    const unsigned char *records;
    unsigned lanes;
};

WarpView softgpu_warp(const char *what, unsigned mask, const void *record, int bytes, const char *file, int line) {
    Block &b = *block;
    Thread &t = *b.running;
    const unsigned lane = t.linear % warpSize;
    Warp &w = b.warp[t.linear / warpSize];
    releaseRecords(t);
    t.what = what, t.file = file, t.line = line, t.mask = mask;
    if (!(mask >> lane & 1)) b.fail(format("%s with a mask of 0x%08x, which leaves out the lane that calls, %u", what, mask, lane), format("%s:%d", file, line), CUDA_ERROR_LAUNCH_FAILED);
    Meeting *meeting = nullptr, *room = nullptr;
    for (Meeting &m : w.meetings) {
        if (m.open && m.mask == mask && m.what == what && m.line == line && m.file == file) meeting = &m;
        if (!m.open) room = &m;
    }
    if (meeting == nullptr) {
        if (room == nullptr) {
            t.state = State::warp; // a fifth place: nobody will come
            leave(t);
        }
        meeting = room;
        *meeting = {true, mask, 0, what, file, line, takeRecords()};
    }
    memcpy(meeting->records->bytes + lane * recordBytes, record, static_cast<size_t>(bytes));
    meeting->arrived |= 1u << lane;
    t.state = State::warp;
    if (complete(w, static_cast<int>(t.linear / warpSize * warpSize), *meeting)) passWarp(b, w, what);
    else leave(t);
    return {t.records->bytes, t.records->lanes};
}

int softgpu_barrier(const char *what, int value, const char *file, int line) {
    Block &b = *block;
    Thread &t = *b.running;
    releaseRecords(t);
    t.what = what, t.file = file, t.line = line;
    t.state = State::barrier;
    b.barrierCount += value;
    leave(t);
    return b.barrierResult;
}

void softgpu_fail(const char *what, const char *file, int line) {
    block->fail(what, format("%s:%d", file, line), CUDA_ERROR_LAUNCH_FAILED);
    abort();
}

void softgpu_async_copy(void *to, const void *from, int bytes, int valid, const char *file, int line) {
    Thread &t = *block->running;
    if (t.copies.empty()) t.copies.emplace_back();
    t.copies.back().push_back({to, from, bytes, valid, file, line});
    checkCopy(t.copies.back().back(), false);
}

void softgpu_async_commit() {
    Thread &t = *block->running;
    if (t.copies.empty()) t.copies.emplace_back();
    t.copies.emplace_back();
}

void softgpu_async_wait(int pending) {
    Thread &t = *block->running;
    while (static_cast<int>(t.copies.size()) - 1 > pending) {
        for (const AsyncCopy &c : t.copies.front()) {
            checkCopy(c, true);
            memcpy(c.to, c.from, static_cast<size_t>(c.valid));
            memset(static_cast<char *>(c.to) + c.valid, 0, static_cast<size_t>(c.bytes - c.valid));
        }
        t.copies.erase(t.copies.begin());
    }
}

long long softgpu_clock() {
    static std::atomic<long long> ticks{0};
    return ticks++;
}

} // extern "C"
