// kernel/proc/start.h — how boot makes the first process: pid 1.
#pragma once

// Makes the task that will be pid 1 and lets it run fn(arg) in kernel mode: the rest of boot, which ends with start_init_process().
void init_thread_start(void (*fn)(void *), void *arg);
// Makes the current task, a kernel thread until now, pid 1 by an execve of `path`. Returns only where that fails, with execve(2)'s -errno.
[[nodiscard]] int start_init_process(const char *path, const char *const argv[], const char *const envp[]);
