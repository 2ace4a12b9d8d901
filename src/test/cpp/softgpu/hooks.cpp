// What g++ -fsanitize=thread,alignment,bounds makes a kernel call at every load and store, and our answer.
#include "block.h"
#include "shadow.h"
#include <cstring>

namespace softgpu {

namespace {

extern "C" void *__tls_get_addr(void *);

struct TlsIndex {
    unsigned long module, offset;
};

bool inStacks(const Block &b, uintptr_t a) {
    return a - reinterpret_cast<uintptr_t>(b.stacks) < (stackBytes + 4096) * mostThreads;
}

const char *verb(bool write) { return write ? "write" : "read"; }

void outOfBounds(uintptr_t address, unsigned bytes, bool write, const char *where, const void *pc) {
    Block &b = *block;
    b.fail(format("out of bounds: %s of %u bytes at 0x%zx, %s", verb(write), bytes, static_cast<size_t>(address), where),
           lineOf(*b.launch->function->module, pc), CUDA_ERROR_ILLEGAL_ADDRESS);
}

/** Shared memory of this block, or a stack, or a variable of the module; anything else is wrong. */
void checkElsewhere(uintptr_t a, unsigned bytes, bool write, const void *pc) {
    Block &b = *block;
    if (inStacks(b, a)) return;
    const uintptr_t dynamic = a - reinterpret_cast<uintptr_t>(b.dynamicShared);
    if (dynamic < (256 << 10)) {
        if (dynamic + bytes <= b.dynamicBytes) return;
        outOfBounds(a, bytes, write, format("%zu bytes after the %zu bytes of dynamic shared memory of the launch", static_cast<size_t>(dynamic) - b.dynamicBytes, b.dynamicBytes).c_str(), pc);
        return;
    }
    const uintptr_t fixed = a - reinterpret_cast<uintptr_t>(b.staticShared);
    if (fixed < b.staticBytes) {
        const SharedVariable *before = nullptr;
        for (const SharedVariable &v : b.launch->function->module->shared) {
            if (fixed >= v.offset && fixed + bytes <= v.offset + v.bytes) return;
            if (v.offset <= fixed && (before == nullptr || v.offset > before->offset)) before = &v;
        }
        outOfBounds(a, bytes, write, before == nullptr ? "in shared memory" : format("%zu bytes after the end of the shared %s of %zu bytes", static_cast<size_t>(fixed - before->offset - before->bytes), before->name.c_str(), before->bytes).c_str(), pc);
        return;
    }
    for (auto &segment : b.launch->function->module->segments)
        if (a >= segment.first && a + bytes <= segment.second) return;
    for (Records *r : b.allRecords)
        if (a - reinterpret_cast<uintptr_t>(r) < sizeof(Records)) return;
    outOfBounds(a, bytes, write, describe(a).c_str(), pc);
}

inline void check(const void *pointer, unsigned bytes, bool write, const void *pc) {
    const auto a = reinterpret_cast<uintptr_t>(pointer);
    if (block == nullptr) return;
    if (a - shadow.base < shadow.end - shadow.base) {
        if (!allocated(a, bytes)) outOfBounds(a, bytes, write, describe(a).c_str(), pc);
    } else {
        checkElsewhere(a, bytes, write, pc);
    }
}

} // namespace

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
}

void passBarrier(Block &) {}
void passWarp(Block &, Warp &, unsigned, const char *) {}

} // namespace softgpu

using namespace softgpu;

#define PC __builtin_return_address(0)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}

#define HOOKS(n)                                                                                                       \
    void __tsan_read##n(void *p) { check(p, n, false, PC); }                                                           \
    void __tsan_write##n(void *p) { check(p, n, true, PC); }                                                           \
    void __tsan_volatile_read##n(void *p) { check(p, n, false, PC); }                                                  \
    void __tsan_volatile_write##n(void *p) { check(p, n, true, PC); }                                                  \
    void __tsan_unaligned_read##n(void *p) { check(p, n, false, PC); }                                                 \
    void __tsan_unaligned_write##n(void *p) { check(p, n, true, PC); }
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

void __tsan_read_range(void *p, unsigned long n) {
    for (unsigned long i = 0; i < n; i++) check(static_cast<char *>(p) + i, 1, false, PC);
}
void __tsan_write_range(void *p, unsigned long n) {
    for (unsigned long i = 0; i < n; i++) check(static_cast<char *>(p) + i, 1, true, PC);
}

void softgpu_atomic_access(const void *p, int bytes, const char *, int) { check(p, static_cast<unsigned>(bytes), true, PC); }
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
