// arch/include/context.h — threads as the CPU sees them: saved registers, switching, entry to and from user mode.
#pragma once

#include "kernel/base/types.h"

// struct pt_regs (user registers saved at every entry, Linux's order) and its accessors: regs_ip(), regs_sp(),
// regs_syscall_nr(), regs_syscall_arg(regs, i), regs_return(), regs_set_return(regs, v), regs_user_mode()
#include "cpu/ptrace.h"
// struct arch_thread, embedded in struct thread: kernel stack pointer, FPU area, TLS bases, fault fix-up state
#include "cpu/thread.h"

struct thread;
struct mm;
struct siginfo_k;
struct k_sigaction;
struct ksignal;

// The user registers of a thread: at the top of its kernel stack.
struct pt_regs *thread_user_regs(const struct thread *thread);

// Prepares the first switch to a new kernel thread: it will enter thread_start() (kernel/sched), which calls entry(arg).
void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *arg);
// Prepares a user thread as a copy of the current one at `regs` (fork, clone): it returns 0 from its system call.
// `stack` 0 keeps the parent's stack pointer; `tls` is taken where set_tls is true. Copies FPU state. -ENOMEM.
[[nodiscard]] int arch_thread_init_user(struct thread *child, const struct pt_regs *regs, unsigned long stack, bool set_tls,
                                        unsigned long tls);
// Frees what arch_thread_init_*() allocated. The thread will not run again.
void arch_thread_release(struct thread *thread);

// Switches stacks and registers from prev to next, interrupts off; returns, later, in prev's context, with the thread
// that ran before.
struct thread *arch_switch_to(struct thread *prev, struct thread *next);
// Frame pointer of a thread that is not running, where it called arch_switch_to(). The caller sees to it that it stays so.
uintptr_t arch_thread_frame(const struct thread *thread);
// Loads next's address space (null: a kernel thread; keeps the previous user one lazily). Interrupts off.
void arch_switch_mm(struct mm *prev, struct mm *next);

// After execve: resets registers, FPU, TLS, so that the return to user mode starts at `entry` with stack pointer `sp`.
void arch_exec_reset(struct pt_regs *regs, unsigned long entry, unsigned long sp);

// Leaves the kernel through `regs` (= thread_user_regs(current)) for the first time: the init thread after its first
// execve. Runs the exit path's work first.
[[noreturn]] void arch_return_to_user(struct pt_regs *regs);

// Puts Linux's exact rt_sigframe for `sig` on the user stack (or the alternate one) and points the registers at the
// handler. -EFAULT if the frame can not be written: the caller forces SIGSEGV. `oldmask` is the mask that sigreturn
// will restore.
[[nodiscard]] int arch_signal_frame_push(struct pt_regs *regs, struct ksignal *sig, uint64_t oldmask);
// rt_sigreturn(2): restores registers, FPU state and alternate stack from the frame at the stack pointer and stores the
// mask in *mask. -EFAULT for a bad frame.
[[nodiscard]] int arch_signal_frame_pop(struct pt_regs *regs, uint64_t *mask);
// For an interrupted system call: rewinds the instruction pointer so that the call is made again (number restored).
void arch_syscall_restart(struct pt_regs *regs);
// As above, but what is made again is restart_syscall(2).
void arch_syscall_restart_block(struct pt_regs *regs);
