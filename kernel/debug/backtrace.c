// kernel/debug/backtrace.c — walks frame pointers: each frame is the caller's frame pointer, then the return address.
#include "kernel/debug/backtrace.h"

#include "kernel/boot/boot_info.h"
#include "kernel/sched/thread.h"

enum { MAX_DEPTH = 40, STACK_SPAN = 64 * 1024 };

// A return address must lie in the kernel's text, and the chain only goes up, within one stack. Where it leaves the kernel
// it is the user's: the frame pointer of a system call's outermost function is what the program had there.
static bool is_text(uintptr_t address)
{
    extern char kernel_text_start[], kernel_text_end[];
    return address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
}

// Of the current thread's stack, if the frame lies there. Interrupts and the boot have others, which are not asked where they end.
static uintptr_t end_of_stack(uintptr_t frame)
{
    const struct thread *t = current_thread();
    bool own = t && t->stack && frame - (uintptr_t)t->stack < KERNEL_STACK_SIZE;
    return own ? (uintptr_t)t->stack + KERNEL_STACK_SIZE : frame + STACK_SPAN;
}

size_t backtrace_collect(uintptr_t frame, uintptr_t end, uintptr_t *addresses, size_t max)
{
    size_t n = 0;
    if (!end)
        end = end_of_stack(frame);
    while (n < max && frame % 8 == 0 && frame > (uintptr_t)INTPTR_MAX && frame <= end - 2 * sizeof(uintptr_t)) {
        const uintptr_t *pair = (const uintptr_t *)frame;
        if (!is_text(pair[1]))
            break;
        addresses[n++] = pair[1];
        if (pair[0] <= frame)
            break;
        frame = pair[0];
    }
    return n;
}

void backtrace_print(enum log_level level, uintptr_t address, uintptr_t frame)
{
    uintptr_t addresses[MAX_DEPTH];
    size_t n = backtrace_collect(frame, 0, addresses, MAX_DEPTH);
    printk(level, "Call trace:\n");
    if (address)
        printk(level, "  %pS\n", (void *)address);
    for (size_t i = 0; i < n; i++)
        printk(level, "  %pS\n", (void *)(addresses[i] - 1)); // the call, not what comes after it
}

void backtrace_here(enum log_level level)
{
    backtrace_print(level, 0, (uintptr_t)__builtin_frame_address(0));
}
