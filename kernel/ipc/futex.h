// kernel/ipc/futex.h — futexes: sleeping until a word of user memory changes: futex(2).
#pragma once

#include "kernel/base/types.h"

struct task;

// Wakes up to `nr` waiters on a word of the current address space, private or shared: for clear_child_tid. May sleep. Returns how many, or -EFAULT.
int futex_wake_user(int __user *addr, int nr);
// A thread ends, or leaves its address space by execve: marks the robust mutexes it still holds as orphaned and wakes a waiter of each, then
// forgets the list. The address space is still the current one. May sleep.
void futex_exit_robust(struct task *task);
void futex_exec_release(struct task *task);
