// kernel/syscall/syscall.h — how a system call handler is written.
//
//     SYSCALL2(pipe2, int __user *, fds, int, flags) { ... }
//
// defines long sys_pipe2(six registers), which converts them and calls the body. Handlers run with interrupts on, in the calling thread;
// they return a value or a negative errno. The table (kernel/syscall/table.txt) names each, and its generated prototypes check these.
#pragma once

#include "arch/include/context.h"
#include "arch/include/user_copy.h"
#include "kernel/abi/errno.h"

typedef long (*syscall_fn)(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long, unsigned long);

#define SC_HEAD_(name)                                                                                                 \
    long sys_##name(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long, unsigned long);         \
    long sys_##name([[maybe_unused]] unsigned long a0, [[maybe_unused]] unsigned long a1, [[maybe_unused]] unsigned long a2, \
                    [[maybe_unused]] unsigned long a3, [[maybe_unused]] unsigned long a4, [[maybe_unused]] unsigned long a5)

#define SYSCALL0(name)                                                                                                 \
    static inline long body_##name(void);                                                                              \
    SC_HEAD_(name) { return body_##name(); }                                                                           \
    static inline long body_##name(void)
#define SYSCALL1(name, t0, n0)                                                                                         \
    static inline long body_##name(t0 n0);                                                                             \
    SC_HEAD_(name) { return body_##name((t0)a0); }                                                                     \
    static inline long body_##name(t0 n0)
#define SYSCALL2(name, t0, n0, t1, n1)                                                                                 \
    static inline long body_##name(t0 n0, t1 n1);                                                                      \
    SC_HEAD_(name) { return body_##name((t0)a0, (t1)a1); }                                                             \
    static inline long body_##name(t0 n0, t1 n1)
#define SYSCALL3(name, t0, n0, t1, n1, t2, n2)                                                                         \
    static inline long body_##name(t0 n0, t1 n1, t2 n2);                                                               \
    SC_HEAD_(name) { return body_##name((t0)a0, (t1)a1, (t2)a2); }                                                     \
    static inline long body_##name(t0 n0, t1 n1, t2 n2)
#define SYSCALL4(name, t0, n0, t1, n1, t2, n2, t3, n3)                                                                 \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3);                                                        \
    SC_HEAD_(name) { return body_##name((t0)a0, (t1)a1, (t2)a2, (t3)a3); }                                             \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3)
#define SYSCALL5(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                                         \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4);                                                 \
    SC_HEAD_(name) { return body_##name((t0)a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4); }                                     \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4)
#define SYSCALL6(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                                                 \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5);                                          \
    SC_HEAD_(name) { return body_##name((t0)a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4, (t5)a5); }                             \
    static inline long body_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5)

// The registers of the running system call.
static inline struct pt_regs *current_regs(void)
{
    return thread_user_regs(arch_current());
}
// From the entry code, interrupts on: dispatches regs' call and stores the result in regs.
void syscall_dispatch(struct pt_regs *regs);
