// kernel/proc/oom.h — the out-of-memory killer's view of a process, for /proc/PID/oom_score.
#pragma once

struct process;

// 0 .. 2000: how likely the process is chosen when memory runs out.
unsigned oom_score(struct process *p);
