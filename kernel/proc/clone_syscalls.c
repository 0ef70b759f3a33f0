// kernel/proc/clone_syscalls.c — fork(2), vfork(2), clone(2), clone3(2): from registers and user structures to a clone_request.

#include "kernel/abi/clone.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/internal.h"
#include "kernel/syscall/syscall.h"

SYSCALL0(fork)
{
    struct clone_request req = {.exit_signal = SIGCHLD};
    return do_clone(&req, current_regs());
}

SYSCALL0(vfork)
{
    struct clone_request req = {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD};
    return do_clone(&req, current_regs());
}

SYSCALL5(clone, unsigned long, flags, unsigned long, stack, int __user *, parent_tid, int __user *, child_tid, unsigned long, tls)
{
    // The pidfd goes where the parent's copy of the thread id would: both can not be asked for.
    if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
        return -EINVAL;
    struct clone_request req = {
        .flags = (flags & 0xffffffff) & ~CSIGNAL & ~(CLONE_PTRACE | CLONE_UNTRACED | CLONE_SYSVSEM | CLONE_IO),
        .exit_signal = (int)(flags & CSIGNAL),
        .stack = stack,
        .tls = tls,
        .pidfd = parent_tid,
        .parent_tid = parent_tid,
        .child_tid = child_tid,
    };
    if (req.exit_signal > NSIG)
        return -EINVAL;
    return do_clone(&req, current_regs());
}

SYSCALL2(clone3, const void __user *, uargs, size_t, size)
{
    struct abi_clone_args args = {};
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (copy_from_user(&args, uargs, min(size, sizeof args)))
        return -EFAULT;
    for (size_t at = sizeof args; at < size; at++) { // a newer structure is welcome as long as what we do not know is zero
        uint8_t byte;
        if (get_user(byte, user_ptr(uint8_t, user_addr(uargs) + at)))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    const uint64_t known = 0xffffffffUL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
    if ((args.flags & ~known) || (args.flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
        return -EINVAL;
    if (args.exit_signal > NSIG || ((args.flags & (CLONE_THREAD | CLONE_PARENT)) && args.exit_signal))
        return -EINVAL;
    if (!!args.stack != !!args.stack_size || !user_range_ok(args.stack, args.stack_size))
        return -EINVAL;
    if (args.set_tid_size > PID_NS_LEVELS || !!args.set_tid != !!args.set_tid_size)
        return -EINVAL;
    if ((args.flags & CLONE_INTO_CGROUP) && (args.cgroup > INT32_MAX || size < sizeof args))
        return -EINVAL;
    pid_t set_tid[PID_NS_LEVELS];
    if (args.set_tid_size) {
        if (copy_from_user(set_tid, user_ptr(pid_t, args.set_tid), args.set_tid_size * sizeof set_tid[0]))
            return -EFAULT;
        for (size_t i = 0; i < args.set_tid_size; i++)
            if (set_tid[i] < 1)
                return -EINVAL;
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
    }
    struct clone_request req = {
        .flags = args.flags & ~(CLONE_PTRACE | CLONE_UNTRACED | CLONE_SYSVSEM | CLONE_IO),
        .exit_signal = (int)args.exit_signal,
        .stack = args.stack ? args.stack + args.stack_size : 0,
        .tls = args.tls,
        .pidfd = user_ptr(int, args.pidfd),
        .child_tid = user_ptr(int, args.child_tid),
        .parent_tid = user_ptr(int, args.parent_tid),
        .set_tid = set_tid,
        .set_tid_size = (unsigned)args.set_tid_size,
        .cgroup_fd = (int)args.cgroup,
    };
    return do_clone(&req, current_regs());
}
