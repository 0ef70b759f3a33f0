// kernel/time/process_timers.h — what becomes of a process's interval and POSIX timers when it exits or executes a program.
#pragma once

struct process;

void process_timers_exit(struct process *p); // the last thread exits: stop everything
void process_timers_exec(struct process *p); // POSIX timers are deleted by exec; interval timers stay
void process_timers_free(struct process *p); // with the structure
