// What g++ -fsanitize=thread,alignment,bounds makes a kernel call at every load and store, and our answer.
#include "race.h"
#include <cstring>

namespace softgpu {

uint64_t launchStart[256];

namespace {

extern "C" void *__tls_get_addr(void *);

struct TlsIndex {
    unsigned long module, offset;
};

/** Where in the source: of an instruction, or known already. */
struct Place {
    const void *pc;
    const char *file = nullptr;
    int line = 0;

    std::string text() const {
        if (file == nullptr) return lineOf(*block->launch->function->module, pc);
        const char *slash = strrchr(file, '/');
        return format("%s:%d", slash != nullptr ? slash + 1 : file, line);
    }
};

bool inStacks(const Block &b, uintptr_t a) { return a - reinterpret_cast<uintptr_t>(b.stacks) < (stackBytes + 4096) * mostThreads; }

const char *verb(bool write) { return write ? "write" : "read"; }

std::string whereIs(const Block &b, uintptr_t a) {
    const uintptr_t dynamic = a - reinterpret_cast<uintptr_t>(b.dynamicShared);
    if (dynamic < mostShared) {
        if (dynamic < b.dynamicBytes) return format("byte %zu of the dynamic shared memory", static_cast<size_t>(dynamic));
        return format("%zu bytes after the %zu bytes of dynamic shared memory of the launch", static_cast<size_t>(dynamic) - b.dynamicBytes, b.dynamicBytes);
    }
    const uintptr_t fixed = a - reinterpret_cast<uintptr_t>(b.staticShared);
    if (fixed >= b.staticBytes) return describe(a);
    const SharedVariable *before = nullptr;
    for (const SharedVariable &v : b.launch->function->module->shared) {
        if (fixed >= v.offset && fixed < v.offset + v.bytes) return format("byte %zu of the shared %s", static_cast<size_t>(fixed - v.offset), v.name.c_str());
        if (v.offset <= fixed && (before == nullptr || v.offset > before->offset)) before = &v;
    }
    if (before == nullptr) return "before the shared memory";
    return format("%zu bytes after the end of the shared %s of %zu bytes", static_cast<size_t>(fixed - before->offset - before->bytes), before->name.c_str(), before->bytes);
}

__attribute__((noinline)) void outOfBounds(uintptr_t a, unsigned bytes, bool write, const Place &place) {
    block->fail(format("out of bounds: %s of %u bytes at 0x%zx, %s", verb(write), bytes, static_cast<size_t>(a), whereIs(*block, a).c_str()), place.text(),
                CUDA_ERROR_ILLEGAL_ADDRESS);
}

__attribute__((noinline)) void race(uintptr_t a, unsigned bytes, bool write, bool wasRead, Access other, const Place &place) {
    Block &b = *block;
    std::string who = "another block";
    if (other.worker() == b.worker && other.time() >= b.startTime) {
        const unsigned *i = b.thread[other.thread()].index;
        who = format("thread (%u,%u,%u)%s", i[0], i[1], i[2], wasRead && other.along() != Along::none ? " and others" : "");
    }
    b.fail(format("data race: %s of %u bytes at 0x%zx, %s, that %s %s with no barrier between", verb(write), bytes, static_cast<size_t>(a), whereIs(b, a).c_str(),
                  who.c_str(), wasRead ? "read" : "wrote"),
           place.text(), CUDA_ERROR_LAUNCH_FAILED);
}

__attribute__((noinline)) void uninitialised(uintptr_t a, unsigned bytes, const Place &place) {
    block->fail(format("uninitialised: read of %u bytes at 0x%zx, %s, that no thread of the block wrote", bytes, static_cast<size_t>(a), whereIs(*block, a).c_str()), place.text(),
                CUDA_ERROR_LAUNCH_FAILED);
}

template <bool shared> inline void watch(Accesses *cell, uintptr_t a, unsigned bytes, bool write, const Place &place) {
    Block &b = *block;
    const Thread &t = *b.running;
    const uint64_t time = b.warp[t.linear / warpSize].time;
    const Accesses *end = cell + (bytes + 1) / 2;
    for (; cell < end; cell++) {
        Access other;
        bool wasRead = false;
        if (!write && shared && (cell->write == 0 || Access{cell->write}.time() < b.startTime)) uninitialised(a, bytes, place);
        // Two bytes share a cell: what touches one of them says nothing of the other.
        if (bytes == 1) {
            if (write && shared && (cell->write == 0 || Access{cell->write}.time() < b.startTime)) cell->write = Access::of(b.startTime, t.linear, b.worker, Along::none).bits;
            continue;
        }
        if (write ? noteWrite<shared>(b, t, time, *cell, other, wasRead) : noteRead<shared>(b, t, time, *cell, other)) race(a, bytes, write, wasRead, other, place);
    }
}

/** Shared memory of this block, or a stack, or a variable of the module; anything else is wrong. */
void checkElsewhere(uintptr_t a, unsigned bytes, bool write, const Place &place, bool plain) {
    Block &b = *block;
    const uintptr_t dynamic = a - reinterpret_cast<uintptr_t>(b.dynamicShared);
    if (dynamic < mostShared) {
        if (dynamic + bytes > b.dynamicBytes) return outOfBounds(a, bytes, write, place);
        if (b.dynamicAccesses != nullptr && plain) watch<true>(b.dynamicAccesses + dynamic / 2, a, bytes, write, place);
        return;
    }
    const uintptr_t fixed = a - reinterpret_cast<uintptr_t>(b.staticShared);
    if (fixed < b.staticBytes) {
        // There is room between two variables: an access that begins and ends in one is within it.
        const std::vector<bool> &valid = b.launch->function->module->sharedBytes;
        if (!valid[fixed] || !valid[fixed + bytes - 1]) return outOfBounds(a, bytes, write, place);
        if (b.staticAccesses != nullptr && plain) watch<true>(b.staticAccesses + fixed / 2, a, bytes, write, place);
        return;
    }
    if (inStacks(b, a)) return;
    for (auto &segment : b.launch->function->module->segments)
        if (a >= segment.first && a + bytes <= segment.second) return;
    for (Records *r : b.allRecords)
        if (a - reinterpret_cast<uintptr_t>(r) < sizeof(Records)) return;
    outOfBounds(a, bytes, write, place);
}

inline void check(const void *pointer, unsigned bytes, bool write, const Place &place, bool plain = true) {
    const auto a = reinterpret_cast<uintptr_t>(pointer);
    if (block == nullptr) return;
    if (a - shadow.base >= shadow.end - shadow.base) return checkElsewhere(a, bytes, write, place, plain);
    if (!allocated(a, bytes)) return outOfBounds(a, bytes, write, place);
    if ((a - shadow.base) / arenaBytes != static_cast<size_t>(block->launch->context->device)) return outOfBounds(a, bytes, write, place);
    if (shadow.accesses != nullptr && plain && bytes > 1) watch<false>(shadow.accesses + (a - shadow.base) / 2, a, bytes, write, place);
}

/** A structure of any size. */
void checkRange(const void *p, size_t n, bool write, const Place &place) {
    auto *at = static_cast<const char *>(p);
    while (n > 0) {
        const unsigned step = n >= 4 && reinterpret_cast<uintptr_t>(at) % 4 == 0 ? 4 : n >= 2 && reinterpret_cast<uintptr_t>(at) % 2 == 0 ? 2 : 1;
        check(at, step, write, place);
        at += step;
        n -= step;
    }
}

} // namespace

void beginLaunch(Block &b) { launchStart[b.worker] = ++b.time; }

void beginShared(Block &b) {
    const Module &m = *b.launch->function->module;
    b.dynamicBytes = b.launch->sharedBytes;
    memset(b.dynamicShared, 0xff, b.dynamicBytes);
    b.staticShared = nullptr;
    b.staticBytes = 0;
    if (m.tlsModule != 0) {
        TlsIndex index{m.tlsModule, 0};
        b.staticShared = static_cast<unsigned char *>(__tls_get_addr(&index));
        b.staticBytes = m.tlsBytes;
        memset(b.staticShared, 0xff, b.staticBytes);
    }
    b.startTime = ++b.time;
    passBarrier(b);
}

void passBarrier(Block &b) {
    b.barrierTime = ++b.time;
    for (Warp &w : b.warp) w.time = b.time;
}

void passWarp(Block &b, Warp &w, const char *what) {
    if (strcmp(what, "__syncwarp") == 0) w.time = ++b.time;
}

void checkCopy(const AsyncCopy &c, bool done) {
    const Place place{nullptr, c.file, c.line};
    const auto alignment = static_cast<uintptr_t>(c.bytes);
    if ((reinterpret_cast<uintptr_t>(c.to) | reinterpret_cast<uintptr_t>(c.from)) % alignment != 0) {
        block->fail(format("misaligned: an asynchronous copy of %d bytes", c.bytes), place.text(), CUDA_ERROR_MISALIGNED_ADDRESS);
    }
    if (c.valid > 0) check(c.from, static_cast<unsigned>(c.valid), false, place, done);
    check(c.to, static_cast<unsigned>(c.bytes), true, place, done);
}

} // namespace softgpu

using namespace softgpu;

#define PC __builtin_return_address(0)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}

#define HOOKS(n)                                                                                                       \
    void __tsan_read##n(void *p) { check(p, n, false, {PC}); }                                                           \
    void __tsan_write##n(void *p) { check(p, n, true, {PC}); }                                                           \
    void __tsan_volatile_read##n(void *p) { check(p, n, false, {PC}); }                                                  \
    void __tsan_volatile_write##n(void *p) { check(p, n, true, {PC}); }                                                  \
    void __tsan_unaligned_read##n(void *p) { check(p, n, false, {PC}); }                                                 \
    void __tsan_unaligned_write##n(void *p) { check(p, n, true, {PC}); }
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

void __tsan_read_range(void *p, unsigned long n) { checkRange(p, n, false, {PC}); }
void __tsan_write_range(void *p, unsigned long n) { checkRange(p, n, true, {PC}); }

/** An atomic operation is no race with another one; it reads what is there. */
void softgpu_atomic_access(const void *p, int bytes, const char *file, int line) {
    Block &b = *block;
    const auto a = reinterpret_cast<uintptr_t>(p);
    const Place place{nullptr, file, line};
    if (a % static_cast<unsigned>(bytes) != 0) {
        b.fail(format("misaligned: an atomic operation on %d bytes at 0x%zx", bytes, static_cast<size_t>(a)), place.text(), CUDA_ERROR_MISALIGNED_ADDRESS);
    }
    check(p, static_cast<unsigned>(bytes), true, place, false);
    if (inDeviceMemory(a)) b.acquired = true;
    Accesses *cell = a - reinterpret_cast<uintptr_t>(b.dynamicShared) < mostShared && b.dynamicAccesses != nullptr ? b.dynamicAccesses + (a - reinterpret_cast<uintptr_t>(b.dynamicShared)) / 2
                     : a - reinterpret_cast<uintptr_t>(b.staticShared) < b.staticBytes && b.staticAccesses != nullptr ? b.staticAccesses + (a - reinterpret_cast<uintptr_t>(b.staticShared)) / 2
                                                                                        : nullptr;
    if (cell != nullptr && (cell->write == 0 || Access{cell->write}.time() < b.startTime)) uninitialised(a, static_cast<unsigned>(bytes), place);
}
void softgpu_fence() {}

// How g++ tells the place and the type of a misaligned access or an index out of its array's bounds.
struct SourceLocation {
    const char *file;
    unsigned line, column;
};
struct TypeDescriptor {
    unsigned short kind, info;
    char name[1];
};
struct TypeMismatch {
    SourceLocation location;
    const TypeDescriptor *type;
    unsigned char logAlignment, kind;
};
struct OutOfBounds {
    SourceLocation location;
    const TypeDescriptor *array, *index;
};

static std::string at(const SourceLocation &l) {
    const char *slash = strrchr(l.file, '/');
    return format("%s:%u", slash ? slash + 1 : l.file, l.line);
}

void __ubsan_handle_type_mismatch_v1(const TypeMismatch *m, uintptr_t address) {
    if (block == nullptr) return;
    block->fail(format("misaligned: an access to %s at 0x%zx, which is not a multiple of %u", m->type->name, static_cast<size_t>(address), 1u << m->logAlignment),
                at(m->location), CUDA_ERROR_MISALIGNED_ADDRESS);
}

void __ubsan_handle_out_of_bounds(const OutOfBounds *m, uintptr_t index) {
    if (block == nullptr) return;
    block->fail(format("out of bounds: index %lld of %s", static_cast<long long>(static_cast<int64_t>(index)), m->array->name), at(m->location), CUDA_ERROR_ILLEGAL_ADDRESS);
}

} // extern "C"
