// arch/x86_64/signal/fpstate.h — the floating-point part of a signal frame; for frame.c.
#pragma once

#include "kernel/base/types.h"

// Bytes of the state on a user stack, without alignment.
size_t sigframe_fpstate_size(void);
// Writes the current thread's state to `address` (64-byte aligned), then gives the thread the initial state. -EFAULT.
[[nodiscard]] int sigframe_fpstate_push(unsigned long address);
// Loads the state at `address`; 0 means the initial state. -EFAULT: unreadable or not a state.
[[nodiscard]] int sigframe_fpstate_pop(unsigned long address);
