// kernel/debug/lock_check.h — the lock checker of the fortress profile: ranks, interrupt safety, locks held where none may be.
//
// The acquire and release hooks are declared beside the locks (kernel/sync/spinlock.h, mutex.h); this is for those who look.
#pragma once

#include "kernel/base/types.h"

#ifdef KERNEL_LOCK_CHECK
// The current thread holds no lock at all: at its end, on the way to user mode, after a work item. Complains otherwise; `where` names the place.
void lock_check_none_held(const char *where);
// The last thing before user mode, interrupts off (arch's entry code calls it): no lock held, and preemption on.
void lock_check_user_return(void);
// Prints what this CPU and the current thread hold; for panics.
void lock_check_show(void);
// Complaints so far.
extern unsigned lock_check_complaints;
#else
static inline void lock_check_none_held(const char *) {}
static inline void lock_check_show(void) {}
#endif
