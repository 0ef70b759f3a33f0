// kernel/debug/backtrace.h — who called whom: every kernel function keeps a frame pointer.
#pragma once

#include "kernel/base/printk.h"

// Stores up to `max` return addresses, innermost first, from the frame at `frame` (a frame pointer's value); returns
// how many. Stops at the first frame that is not above the last one, or not below `end`, the end of the stack (0: of the
// one we are on). Any context.
size_t backtrace_collect(uintptr_t frame, uintptr_t end, uintptr_t *addresses, size_t max);
// Prints them with symbols; `address` (if not 0) is where the innermost function stands.
void backtrace_print(enum log_level level, uintptr_t address, uintptr_t frame);
// From the caller on.
void backtrace_here(enum log_level level);
