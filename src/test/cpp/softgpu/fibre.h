// A stack of its own for each thread of a block, and the switch between them.
#pragma once
#include <cstddef>
#include <cstdint>
#if !defined(__x86_64__) || defined(SOFTGPU_UCONTEXT)
#define SOFTGPU_PORTABLE 1
#include <ucontext.h>
#endif

namespace softgpu {

#if !defined(SOFTGPU_PORTABLE)
struct FibreContext {
    void *stack = nullptr;
};
/** Saves the callee's registers and the stack in `from`, goes on in `to`. */
extern "C" void softgpu_switch(FibreContext *from, FibreContext *to);
#else
struct FibreContext {
    ucontext_t context;
};
inline void softgpu_switch(FibreContext *from, FibreContext *to) { swapcontext(&from->context, &to->context); }
#endif

/** Makes `context` start in `entry`, which never returns, on the stack [bottom, bottom + bytes). */
void prepare(FibreContext &context, char *bottom, size_t bytes, void (*entry)());

} // namespace softgpu
