// kernel/proc/start.h — how boot makes the first process: pid 1.
#pragma once

// Makes the task that will be pid 1 and lets it run fn(arg) in kernel mode: the rest of boot, which ends with start_init_process().
void init_thread_start(void (*fn)(void *), void *arg);
// PID 1 from the initramfs or root= ; called by the init thread.
[[nodiscard]] int start_init_process(const char *path, const char *const argv[], const char *const envp[]);
