// kernel/debug/finding.h — what the checkers of the fortress profile have to say.
//
// A finding is a fault of the kernel that it survives: a lock taken out of order, undefined behaviour, a misused reference count. In
// the fortress profile it is shown on every console whatever its level, so that no test misses it.
#pragma once

#include "kernel/base/printk.h"

#ifdef KERNEL_FORTRESS
#define LOG_FINDING LOG_EMERG
#else
#define LOG_FINDING LOG_WARNING
#endif

#define pr_finding(fmt, ...) printk(LOG_FINDING, fmt __VA_OPT__(, ) __VA_ARGS__)

// The end of each report: a backtrace, and the end of the kernel where the command line has panic_on_warn (and its value is not 0).
void finding_end(void);
