// kernel/debug/asan/stack.c — local variables. A function that hands out addresses of its variables keeps them in one block, with
// redzones between them; the compiler's code writes the block's shadow when the function begins, when a variable's block begins
// or ends, and when the function returns.
//
// The compiler is told (kernel/defs.bzl) that shadow starts at address 0, and to write it by calls only: what they get is the
// address of the block divided by eight, whatever place the shadow really has.
#ifdef KERNEL_ASAN

#include "kernel/debug/asan/internal.h"

ASAN_OFF

#include "arch/include/context.h"
#include "kernel/base/printk.h"
#include "kernel/sched/thread.h"

#define SET_SHADOW(hex)                                                                                                \
    void __asan_set_shadow_##hex(uintptr_t shadow, size_t size);                                                       \
    void __asan_set_shadow_##hex(uintptr_t shadow, size_t size)                                                        \
    {                                                                                                                  \
        asan_write_shadow(shadow * ASAN_SCALE, size, 0x##hex);                                                         \
    }

SET_SHADOW(00)
SET_SHADOW(01)
SET_SHADOW(02)
SET_SHADOW(03)
SET_SHADOW(04)
SET_SHADOW(05)
SET_SHADOW(06)
SET_SHADOW(07)
SET_SHADOW(f1)
SET_SHADOW(f2)
SET_SHADOW(f3)
SET_SHADOW(f5)
SET_SHADOW(f8)

// Where the compiler does not lay out the block itself.
void __asan_poison_stack_memory(uintptr_t addr, size_t size);
void __asan_unpoison_stack_memory(uintptr_t addr, size_t size);

void __asan_poison_stack_memory(uintptr_t addr, size_t size)
{
    asan_poison((const void *)addr, size, ASAN_STACK_SCOPE);
}

void __asan_unpoison_stack_memory(uintptr_t addr, size_t size)
{
    asan_unpoison((const void *)addr, size);
}

// Called before each call that does not return: the functions above on the stack end without cleaning up behind them.
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
    const struct thread *t = asan_ready ? current_thread() : nullptr;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (t && t->stack && here - (uintptr_t)t->stack < KERNEL_STACK_SIZE)
        asan_write_shadow(here, ((uintptr_t)t->stack + KERNEL_STACK_SIZE - here) / ASAN_SCALE, 0);
}

// What the compiler puts at the block's low end.
struct frame {
    uint64_t magic;
    const char *variables; // number, then for each: offset, size, length of the name, name:line
    const void *function;
};
#define FRAME_MAGIC 0x41b58ab3u
#define FRAME_ALIGN 32u
#define FRAME_MAX 4096u

void asan_show_frame(uintptr_t addr)
{
    const struct thread *t = current_thread();
    if (!t || addr - (uintptr_t)t->stack >= KERNEL_STACK_SIZE)
        return;
    uintptr_t low = max((uintptr_t)t->stack, addr - min(addr, (uintptr_t)FRAME_MAX));
    for (uintptr_t at = ALIGN_DOWN(addr, (uintptr_t)FRAME_ALIGN); at >= low; at -= FRAME_ALIGN) {
        const struct frame *frame = (const struct frame *)at;
        if (frame->magic != FRAME_MAGIC)
            continue;
        pr_emerg("Local variables of %pS, byte %lu of: %s\n", frame->function, (unsigned long)(addr - at), frame->variables);
        return;
    }
}

ASAN_ON

#endif
