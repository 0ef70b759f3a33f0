// kernel/debug/finding.c — panic_on_warn: what the kernel could survive, it does not.
#include "kernel/debug/finding.h"

#include "kernel/base/panic.h"
#include "kernel/boot/init.h"
#include "kernel/debug/backtrace.h"

static bool panic_on_warn;

static int parse_panic_on_warn(const char *value)
{
    panic_on_warn = value[0] != '0';
    return 0;
}
CMDLINE_PARAM("panic_on_warn", parse_panic_on_warn);

NOINLINE void finding_end(void)
{
    backtrace_print(LOG_FINDING, 0, (uintptr_t)__builtin_frame_address(0));
    if (panic_on_warn)
        panic("panic_on_warn is set");
}
