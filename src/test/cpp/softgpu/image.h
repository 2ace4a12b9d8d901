// What the NVRTC stand-in gives for a cubin: this header, then a shared library.
#pragma once
#include <cstdint>

namespace softgpu {

constexpr char imageMagic[16] = "softgpu image 1";
/** Raised when device.h and the library that it calls no longer fit images made before. */
constexpr int imageAbi = 1;

struct ImageHeader {
    char magic[16];
    int abi;
    int architecture;
    uint64_t bytes;
};

} // namespace softgpu
