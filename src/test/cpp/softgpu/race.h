// Who last wrote and read two bytes, and whether what comes now is ordered after it: by a barrier of the block, by
// __syncwarp within a warp, or by the launch. Time is a host thread's own count of barriers, blocks and launches.
#pragma once
#include "block.h"
#include "shadow.h"

namespace softgpu {

/** How many others read along with the thread that is named. */
enum class Along : unsigned { none, warp, block, blocks };

struct Access {
    uint64_t bits;

    static Access of(uint64_t time, unsigned thread, unsigned worker, Along along) {
        return {time << 20 | thread << 10 | worker << 2 | static_cast<unsigned>(along)};
    }
    uint64_t time() const { return bits >> 20; }
    unsigned thread() const { return bits >> 10 & 1023; }
    unsigned worker() const { return bits >> 2 & 255; }
    Along along() const { return static_cast<Along>(bits & 3); }
};

enum class Order { before, sameThread, sameWarp, sameBlock, otherBlock };

/** How an earlier access stands to one of `t` now: `before` if ordered, else who did it. Shared memory is a block's own. */
template <bool shared> inline Order orderOf(const Block &b, const Thread &t, uint64_t warpTime, Access a) {
    if (shared && a.time() < b.startTime) return Order::before;
    if (a.worker() != b.worker) return a.time() >= launchStart[a.worker()] ? Order::otherBlock : Order::before;
    if (a.time() < b.startTime) return a.time() >= launchStart[b.worker] ? Order::otherBlock : Order::before;
    if (a.time() < b.barrierTime) return Order::before;
    if (a.thread() / warpSize == t.linear / warpSize) {
        if (a.time() < warpTime) return Order::before;
        return a.thread() == t.linear ? Order::sameThread : Order::sameWarp;
    }
    return Order::sameBlock;
}

/** Notes a read; true, with the writer, if the write that it sees is not ordered before it. */
template <bool shared> inline bool noteRead(const Block &b, const Thread &t, uint64_t warpTime, Accesses &cell, Access &other) {
    const Access mine = Access::of(warpTime, t.linear, b.worker, Along::none);
    if (cell.read != mine.bits) {
        const Access read{cell.read};
        switch (read.bits == 0 ? Order::before : orderOf<shared>(b, t, warpTime, read)) {
        case Order::before: cell.read = mine.bits; break;
        case Order::sameThread: break;
        case Order::sameWarp:
            if (read.along() == Along::none) cell.read |= static_cast<uint64_t>(Along::warp);
            break;
        case Order::sameBlock:
            if (read.along() != Along::blocks) cell.read = (cell.read & ~uint64_t{3}) | static_cast<uint64_t>(Along::block);
            break;
        case Order::otherBlock: cell.read |= static_cast<uint64_t>(Along::blocks); break;
        }
    }
    if (cell.write == 0) return false;
    other = {cell.write};
    const Order order = orderOf<shared>(b, t, warpTime, other);
    if (order == Order::otherBlock) return !b.acquired;
    return order != Order::before && order != Order::sameThread;
}

/** Notes a write; true, with the other, if an access before is not ordered before it. */
template <bool shared> inline bool noteWrite(const Block &b, const Thread &t, uint64_t warpTime, Accesses &cell, Access &other, bool &wasRead) {
    const uint64_t before = cell.write;
    cell.write = Access::of(warpTime, t.linear, b.worker, Along::none).bits;
    if (before != 0 && before != cell.write) {
        other = {before};
        wasRead = false;
        const Order order = orderOf<shared>(b, t, warpTime, other);
        if (order == Order::otherBlock ? !b.acquired : order != Order::before && order != Order::sameThread) return true;
    }
    if (cell.read == 0) return false;
    other = {cell.read};
    wasRead = true;
    const Order order = orderOf<shared>(b, t, warpTime, other);
    if (order == Order::before) return false;
    if (order == Order::otherBlock || other.along() == Along::blocks) return !b.acquired;
    return order != Order::sameThread || other.along() != Along::none;
}

} // namespace softgpu
