// kernel/debug/backtrace.c — walks frame pointers: each frame is the caller's frame pointer, then the return address.
#include "kernel/debug/backtrace.h"

#include "kernel/boot/boot_info.h"

enum { MAX_DEPTH = 40, STACK_SPAN = 64 * 1024 };

// A return address must lie in the kernel's text, and the chain only goes up, within one stack: no other memory is read
// than what is close above the frame we were given.
static bool is_text(uintptr_t address)
{
    extern char kernel_text_start[], kernel_text_end[];
    return address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
}

size_t backtrace_collect(uintptr_t frame, uintptr_t *addresses, size_t max)
{
    size_t n = 0;
    uintptr_t limit = frame + STACK_SPAN;
    while (n < max && frame % 8 == 0 && frame > (uintptr_t)INTPTR_MAX && frame < limit) {
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
    size_t n = backtrace_collect(frame, addresses, MAX_DEPTH);
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
