#include "fibre.h"

namespace softgpu {

#if !defined(SOFTGPU_PORTABLE)
asm(R"(
.text
.globl softgpu_switch
.hidden softgpu_switch
.type softgpu_switch, @function
softgpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size softgpu_switch, . - softgpu_switch
)");

void prepare(FibreContext &context, char *bottom, size_t bytes, void (*entry)()) {
    auto top = reinterpret_cast<uintptr_t>(bottom + bytes) & ~uintptr_t{15};
    auto **slots = reinterpret_cast<void **>(top) - 8; // six registers, the entry, a return address that is none
    for (int i = 0; i < 8; i++) slots[i] = nullptr;
    slots[6] = reinterpret_cast<void *>(entry);
    context.stack = slots;
}
#else
void prepare(FibreContext &context, char *bottom, size_t bytes, void (*entry)()) {
    getcontext(&context.context);
    context.context.uc_stack.ss_sp = bottom;
    context.context.uc_stack.ss_size = bytes;
    context.context.uc_link = nullptr;
    makecontext(&context.context, entry, 0);
}
#endif

} // namespace softgpu
