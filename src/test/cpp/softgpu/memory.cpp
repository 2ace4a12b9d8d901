// Device memory: a range of addresses a device, of which none is given twice, so that an address that was freed stays
// wrong. What is new reads as bytes of 0xff: NaN in every float type. Behind each allocation lies a page that is none.
#include "shadow.h"
#include "softgpu.h"
#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace softgpu {

namespace {

constexpr size_t page = 4096;
constexpr size_t patternBytes = size_t{16} << 20;

struct Arena {
    size_t used = 0;      // bytes of live allocations
    size_t next = page;   // offset of the next allocation
};

struct Memory {
    std::vector<Arena> arenas;
    std::map<uintptr_t, Allocation> allocations; // by their first address, freed ones too
    int pattern;
    int key = -1; // of the processor's protection keys, where it has them

    Memory() {
        key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
        const size_t bytes = arenaBytes * static_cast<size_t>(std::max(settings().devices, 1));
        arenas.resize(static_cast<size_t>(settings().devices));
        shadow.base = reinterpret_cast<uintptr_t>(reserve(bytes, PROT_NONE));
        shadow.end = shadow.base + bytes;
        shadow.addressable = static_cast<unsigned char *>(reserve(bytes / 8, PROT_READ | PROT_WRITE));
        if (settings().check == Check::full) {
            shadow.accesses = static_cast<Accesses *>(reserve(bytes / 2 * sizeof(Accesses), PROT_READ | PROT_WRITE));
        }
        pattern = memfd_create("softgpu-pattern", MFD_CLOEXEC);
        if (pattern < 0 || ftruncate(pattern, patternBytes) != 0) die("memfd_create");
        void *p = mmap(nullptr, patternBytes, PROT_READ | PROT_WRITE, MAP_SHARED, pattern, 0);
        if (p == MAP_FAILED) die("mmap");
        memset(p, 0xff, patternBytes);
        munmap(p, patternBytes);
    }

    static void *reserve(size_t bytes, int protection) {
        void *p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) die("mmap");
        return p;
    }

    [[noreturn]] static void die(const char *what) {
        perror(what);
        abort();
    }
};

Memory &memory() {
    static Memory &memory = *new Memory; // outlives every destructor
    return memory;
}

} // namespace

Shadow shadow;

DeviceMemoryAccess::DeviceMemoryAccess() {
    if (memory().key >= 0) pkey_set(memory().key, 0);
}
DeviceMemoryAccess::~DeviceMemoryAccess() {
    if (memory().key >= 0) pkey_set(memory().key, PKEY_DISABLE_ACCESS);
}

CUdeviceptr allocate(int device, size_t bytes) {
    Memory &m = memory();
    Arena &arena = m.arenas[static_cast<size_t>(device)];
    if (bytes == 0) throw Refusal{CUDA_ERROR_INVALID_VALUE};
    const size_t mapped = (bytes + page - 1) / page * page;
    if (bytes > settings().memory - arena.used || mapped + page > arenaBytes - arena.next) {
        throw Refusal{CUDA_ERROR_OUT_OF_MEMORY};
    }
    const uintptr_t begin = shadow.base + static_cast<size_t>(device) * arenaBytes + arena.next;
    for (size_t at = 0; at < mapped; at += patternBytes) {
        void *p = mmap(reinterpret_cast<void *>(begin + at), std::min(patternBytes, mapped - at), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, m.pattern, 0);
        if (p == MAP_FAILED) throw Refusal{CUDA_ERROR_OUT_OF_MEMORY};
    }
    if (m.key >= 0) pkey_mprotect(reinterpret_cast<void *>(begin), mapped, PROT_READ | PROT_WRITE, m.key);
    arena.next += mapped + page;
    arena.used += bytes;
    unsigned char *s = shadow.addressable + (begin - shadow.base) / 8;
    memset(s, 8, bytes / 8);
    if (bytes % 8 != 0) s[bytes / 8] = bytes % 8;
    m.allocations[begin] = {begin, bytes, device, false};
    return begin;
}

void release(CUdeviceptr address, int device) {
    Memory &m = memory();
    auto found = m.allocations.find(address);
    if (found == m.allocations.end()) {
        report(format("cuMemFree of 0x%llx, which is %s", address, describe(address).c_str()));
        throw Refusal{CUDA_ERROR_INVALID_VALUE};
    }
    Allocation &a = found->second;
    if (a.freed) {
        report(format("cuMemFree of 0x%llx, which was freed before", address));
        throw Refusal{CUDA_ERROR_INVALID_VALUE};
    }
    if (a.device != device) {
        report(format("cuMemFree of 0x%llx, which is %s, in a context of device %d", address, describe(address).c_str(), device));
        throw Refusal{CUDA_ERROR_INVALID_VALUE};
    }
    const size_t mapped = (a.bytes + page - 1) / page * page;
    mmap(reinterpret_cast<void *>(a.begin), mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    memset(shadow.addressable + (a.begin - shadow.base) / 8, 0, (a.bytes + 7) / 8);
    if (shadow.accesses != nullptr) {
        madvise(shadow.accesses + (a.begin - shadow.base) / 2, mapped / 2 * sizeof(Accesses), MADV_DONTNEED);
    }
    a.freed = true;
    m.arenas[static_cast<size_t>(a.device)].used -= a.bytes;
}

size_t freeBytes(int device) { return settings().memory - memory().arenas[static_cast<size_t>(device)].used; }

const Allocation *allocationAt(uintptr_t address) {
    auto &all = memory().allocations;
    auto after = all.upper_bound(address);
    if (after == all.begin()) return nullptr;
    const Allocation &a = std::prev(after)->second;
    const size_t mapped = (a.bytes + page - 1) / page * page + page;
    return address < a.begin + mapped ? &a : nullptr;
}

bool inDeviceMemory(uintptr_t address) { return address - shadow.base < shadow.end - shadow.base; }

std::string describe(uintptr_t address) {
    if (!inDeviceMemory(address)) return address < 65536 ? "a null pointer or close to it" : "no device memory";
    const int device = static_cast<int>((address - shadow.base) / arenaBytes);
    const Allocation *a = allocationAt(address);
    const Allocation *next = allocationAt(address + page);
    const bool inside = a != nullptr && address - a->begin < a->bytes;
    if (!inside && next != nullptr && next->begin > address && !next->freed) {
        return format("%zu bytes before an allocation of %zu bytes of device %d", static_cast<size_t>(next->begin - address), next->bytes, device);
    }
    if (a == nullptr) return format("in no allocation of device %d", device);
    const size_t offset = address - a->begin;
    if (offset >= a->bytes) {
        return format("%zu bytes after the end of an allocation of %zu bytes of device %d%s", offset - a->bytes, a->bytes, device,
                      a->freed ? ", freed by now" : "");
    }
    return format("at %zu of %s of %zu bytes of device %d", offset, a->freed ? "a freed allocation" : "an allocation", a->bytes, device);
}

void requireRange(const char *call, uintptr_t address, size_t bytes, int device) {
    if (bytes == 0) return;
    const Allocation *a = inDeviceMemory(address) ? allocationAt(address) : nullptr;
    const bool inside = a != nullptr && !a->freed && address - a->begin < a->bytes && bytes <= a->bytes - (address - a->begin);
    if (inside && a->device == device) return;
    std::string text = format("%s touches %zu bytes from 0x%zx, which is %s", call, bytes, static_cast<size_t>(address), describe(address).c_str());
    if (inside) text += format(", for device %d", device);
    report(text);
    throw Refusal{CUDA_ERROR_INVALID_VALUE};
}

std::vector<Allocation> liveAllocations() {
    std::vector<Allocation> live;
    for (auto &entry : memory().allocations)
        if (!entry.second.freed) live.push_back(entry.second);
    return live;
}

} // namespace softgpu
