// 16-bit floats on the host: f16 and bf16 to f32 and back, to nearest even.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace softgpu {

enum class Type { f32, f16, bf16 };

inline size_t sizeOf(Type type) { return type == Type::f32 ? 4 : 2; }

inline float floatOfBits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
inline uint32_t bitsOf(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

inline float fromBf16(uint16_t x) { return floatOfBits(static_cast<uint32_t>(x) << 16); }
inline uint16_t toBf16(float x) {
    const uint32_t bits = bitsOf(x);
    if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff; // NaN, as the device gives it
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float fromF16(uint16_t h) {
    const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 31) return floatOfBits(sign | 0x7f800000 | mantissa << 13);
    if (exponent != 0) return floatOfBits(sign | (exponent + 112) << 23 | mantissa << 13);
    const float tiny = static_cast<float>(mantissa) * 5.9604644775390625e-8f; // 2^-24
    return sign != 0 ? -tiny : tiny;
}
inline uint16_t toF16(float x) {
    const uint32_t bits = bitsOf(x), magnitude = bits & 0x7fffffff;
    const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
    if (magnitude > 0x7f800000) return 0x7fff;
    if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to infinity
    if (magnitude < 0x38800000) {                      // subnormal: adding 0.5 leaves the rounded multiple of 2^-24 below
        const float sum = floatOfBits(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign | (bitsOf(sum) - bitsOf(0.5f)));
    }
    return static_cast<uint16_t>(sign | ((magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13));
}

inline void toFloats(const void *from, Type type, float *to, size_t count) {
    if (type == Type::f32) {
        memcpy(to, from, count * 4);
        return;
    }
    auto *p = static_cast<const uint16_t *>(from);
    size_t i = 0;
    if (type == Type::bf16) {
        for (; i < count; i++) to[i] = fromBf16(p[i]);
        return;
    }
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8) _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p + i))));
#endif
    for (; i < count; i++) to[i] = fromF16(p[i]);
}

inline void store(float x, void *to, Type type, size_t index) {
    switch (type) {
    case Type::f32: static_cast<float *>(to)[index] = x; break;
    case Type::f16: static_cast<uint16_t *>(to)[index] = toF16(x); break;
    case Type::bf16: static_cast<uint16_t *>(to)[index] = toBf16(x); break;
    }
}

inline float load(const void *from, Type type, size_t index) {
    switch (type) {
    case Type::f32: return static_cast<const float *>(from)[index];
    case Type::f16: return fromF16(static_cast<const uint16_t *>(from)[index]);
    default: return fromBf16(static_cast<const uint16_t *>(from)[index]);
    }
}

} // namespace softgpu
