// kernel/debug/panic.c — panic, failed assertions, warnings, and the stack protector's alarm.
#include "kernel/base/panic.h"

#include "arch/include/context.h"
#include "arch/include/cpu.h"
#include "kernel/base/assert.h"
#include "kernel/base/percpu.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/debug/backtrace.h"
#include "kernel/debug/finding.h"

int panic_timeout;
unsigned warn_count;

static int parse_panic(const char *value)
{
    return parse_int(value, 10, &panic_timeout);
}
CMDLINE_PARAM("panic", parse_panic);

static int panicking_cpu = -1;

// Only the first CPU reports; others that panic meanwhile stop. A panic inside the report (the same CPU again) goes
// straight to the end.
static bool enter_panic(void)
{
    int nobody = -1, me = (int)this_cpu_id();
    if (__atomic_compare_exchange_n(&panicking_cpu, &nobody, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        console_bust_locks();
        return true;
    }
    if (nobody != me)
        arch_halt();
    return false;
}

static void wait_seconds(int seconds)
{
    ktime_t start = arch_clock_ns(), end = start + seconds * NSEC_PER_SEC;
    while (arch_clock_ns() < end)
        cpu_relax();
}

[[noreturn]] static void finish(void)
{
    if (panic_timeout == 0) {
        pr_emerg("---[ end of panic: halted ]---\n");
        arch_debug_exit(DEBUG_EXIT_PANIC);
        arch_halt();
    }
    if (panic_timeout > 0) {
        pr_emerg("---[ end of panic: reset in %d seconds ]---\n", panic_timeout);
        wait_seconds(panic_timeout);
    }
    arch_reset();
    arch_debug_exit(DEBUG_EXIT_PANIC);
    arch_halt();
}

[[noreturn]] static void report(const struct pt_regs *regs, uintptr_t frame, const char *format, va_list args)
{
    (void)arch_irq_save();
    if (!enter_panic())
        finish();
    char text[256];
    vscnprintf(text, sizeof text, format, args);
    pr_emerg("Kernel panic on CPU %u: %s\n", this_cpu_id(), text);
    arch_show_regs(regs);
    if (regs)
        backtrace_print(LOG_EMERG, regs_ip(regs), regs_bp(regs));
    else
        backtrace_print(LOG_EMERG, 0, frame);
    arch_send_stop();
    finish();
}

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(nullptr, (uintptr_t)__builtin_frame_address(0), format, args);
}

void panic_regs(const struct pt_regs *regs, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(regs, 0, format, args);
}

void assert_failed(const char *file, int line, const char *what)
{
    panic("%s:%d: assertion failed: %s", file, line, what);
}

void warn_at(const char *file, int line, const char *what)
{
    __atomic_fetch_add(&warn_count, 1, __ATOMIC_RELAXED);
    pr_finding("WARNING: %s:%d on CPU %u: %s\n", file, line, this_cpu_id(), what);
    finding_end();
}

// Called by code that the compiler has put into functions with buffers, when the canary above the buffer has changed.
[[noreturn]] void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    panic("stack overflow in %pS", __builtin_return_address(0));
}
