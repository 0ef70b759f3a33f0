// kernel/syscall/table.h — what the generated system-call table looks like to the dispatcher and the tracer.
#pragma once

#include "kernel/syscall/syscall.h"

struct task;

#define SYSCALL_TABLE_SIZE 512 // a power of two: the index is masked, so that a mispredicted bound reads inside the table

// How an argument is printed; the same order as in gen_table.py.
enum syscall_arg {
    ARG_END, ARG_INT, ARG_UINT, ARG_HEX, ARG_PTR, ARG_SIZE, ARG_OFF, ARG_FD, ARG_DIRFD, ARG_PATH, ARG_STR, ARG_BUF, ARG_MODE, ARG_OFLAGS, ARG_PID,
    ARG_SIG, ARG_PROT, ARG_MAPFLAGS, ARG_RLIMIT, ARG_PRCTL, ARG_FCNTLCMD, ARG_FUTEXOP,
};

struct syscall_info {
    const char *name;
    uint8_t args[7]; // enum syscall_arg, ended by ARG_END
};

// Every slot is callable: absent calls answer -ENOSYS. The entry code indexes it with a number below SYSCALL_TABLE_SIZE.
extern const syscall_fn syscall_table[SYSCALL_TABLE_SIZE];
extern const struct syscall_info syscall_infos[SYSCALL_TABLE_SIZE]; // name null: no such number

// For the generated table: a call with flags or a command that it does not list. Returns -EBADF if `fd` is not open, else -error.
long syscall_refused(int fd, int error);

// As syscall_dispatch(), printing the call in strace's form; entered when the thread has WORK_TRACE.
void syscall_dispatch_traced(struct pt_regs *regs);
// Switches the tracer on or off for a task and the children it makes from then on.
void syscall_trace_set(struct task *task, bool on);
// Whether kevlar.trace on the command line asks for pid 1 to be traced.
bool syscall_trace_from_boot(void);
