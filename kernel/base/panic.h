// kernel/base/panic.h — the end, and warnings on the way to it.
#pragma once

#include "kernel/base/types.h"

struct pt_regs;

// Prints the message, the CPU, registers and a symbolised backtrace, stops all other CPUs, then does what panic= says:
// 0 (the default) stays halted, n > 0 resets after n seconds, n < 0 resets at once. Under an emulator with a debug-exit
// port it ends with DEBUG_EXIT_PANIC instead of staying halted. Any context.
[[noreturn]] void panic(const char *format, ...) PRINTF_LIKE(1, 2) COLD;
// The same for an exception in the kernel: shows these registers and the stack they point to.
[[noreturn]] void panic_regs(const struct pt_regs *regs, const char *format, ...) PRINTF_LIKE(2, 3) COLD;

// panic=, /proc/sys/kernel/panic: seconds.
extern int panic_timeout;
// Counts WARN_ON()s that hit; tests look at it.
extern unsigned warn_count;

COLD void warn_at(const char *file, int line, const char *what); // WARN_ON()'s message and backtrace; counts it
// Complains once with a backtrace if the condition holds; the value of the condition.
#define WARN_ON(condition)                                                                                             \
    ({                                                                                                                 \
        bool warn_hit_ = !!(condition);                                                                                \
        if (unlikely(warn_hit_)) {                                                                                     \
            static bool warn_said_;                                                                                    \
            if (!__atomic_exchange_n(&warn_said_, true, __ATOMIC_RELAXED))                                             \
                warn_at(__FILE_NAME__, __LINE__, #condition);                                                          \
        }                                                                                                              \
        warn_hit_;                                                                                                     \
    })

// Ends an emulator that has a debug-exit device (QEMU's isa-debug-exit: its exit status is value << 1 | 1); returns
// where there is none.
void arch_debug_exit(uint32_t value);
#define DEBUG_EXIT_NO_INIT 0x10u // no init could be started: QEMU ends with 33
#define DEBUG_EXIT_PANIC 0x20u   // the kernel panicked: QEMU ends with 65

// Prints the registers of an exception, or of here.
void arch_show_regs(const struct pt_regs *regs);
