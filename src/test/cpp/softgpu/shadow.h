// What is known of each byte of device memory, beside it: quick to reach from an address.
#pragma once
#include <cstddef>
#include <cstdint>

namespace softgpu {

/** Addresses of a device. */
constexpr size_t arenaBytes = size_t{1} << 37;

/** The last write and the last read of two bytes, as race.h packs them; 0 for none. */
struct Accesses {
    uint64_t write, read;
};

struct Shadow {
    uintptr_t base = 0, end = 0;
    unsigned char *addressable = nullptr; // of each 8 bytes, how many of the first ones
    Accesses *accesses = nullptr;         // of each 2 bytes
};
extern Shadow shadow;

/** Whether `bytes` (a power of two up to 16) from `address`, in the range of the shadow, are allocated. */
inline bool allocated(uintptr_t address, unsigned bytes) {
    const size_t offset = address - shadow.base;
    const unsigned char *s = shadow.addressable + offset / 8;
    const unsigned within = offset % 8;
    if (within + bytes <= 8) return within + bytes <= *s;
    if (*s != 8) return false;
    unsigned rest = within + bytes - 8;
    for (s++; rest > 8; rest -= 8, s++)
        if (*s != 8) return false;
    return rest <= *s;
}

} // namespace softgpu
