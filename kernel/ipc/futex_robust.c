// kernel/ipc/futex_robust.c — robust mutexes: what a thread still held when it ended is handed on: set_robust_list(2), get_robust_list(2).
//
// The list is in user memory and may be anything: every step is a user access that can fail, and the number of steps is bounded.

#include "kernel/ipc/futex.h"

#include "kernel/ipc/futex_internal.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"

SYSCALL2(set_robust_list, struct abi_robust_list_head __user *, head, size_t, len)
{
    if (len != sizeof(struct abi_robust_list_head))
        return -EINVAL;
    struct task *task = current_task();
    task->robust_list = head;
    task->robust_list_len = len;
    return 0;
}

SYSCALL3(get_robust_list, int, tid, uint64_t __user *, uhead, uint64_t __user *, ulen)
{
    struct task *task = tid ? task_find_get(tid) : task_get(current_task());
    if (!task)
        return -ESRCH;
    uint64_t head = user_addr(task->robust_list);
    int err = task_may_access(task, false);
    task_put(task);
    if (err)
        return -EPERM;
    return put_user(sizeof(struct abi_robust_list_head), ulen) || put_user(head, uhead) ? -EFAULT : 0;
}

// One mutex of the dying thread. `pending`: it was about to lock or unlock it. -EFAULT.
static int mutex_orphaned(uint32_t __user *word, pid_t tid, bool pi, bool pending)
{
    uint32_t value, seen;
    if (user_addr(word) & 3)
        return -EFAULT;
    int err = get_user(value, word);
    if (err)
        return err;
    // Nobody's: it was unlocked, or its owner died, and who dies now was to wake the next or was woken itself, to take it.
    if (pending && !pi && !(value & FUTEX_TID_MASK)) {
        (void)futex_wake_user((int __user *)word, 1);
        return 0;
    }
    do {
        if ((value & FUTEX_TID_MASK) != (uint32_t)tid)
            return 0;
        seen = value;
        err = arch_cmpxchg_user_u32(word, seen, (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &value);
        if (err)
            return err;
    } while (value != seen);
    if (!pi && seen & FUTEX_WAITERS)
        (void)futex_wake_user((int __user *)word, 1);
    return 0;
}

static uint32_t __user *mutex_word(uint64_t entry, int64_t offset)
{
    return user_ptr(uint32_t, (entry & ~1ul) + (uint64_t)offset);
}

static void walk(uint64_t head_addr, pid_t tid)
{
    struct abi_robust_list_head head;
    if (copy_from_user(&head, user_ptr(const void, head_addr), sizeof head))
        return;
    uint64_t entry = head.next;
    for (unsigned steps = 0; (entry & ~1ul) != head_addr && steps < ROBUST_LIST_LIMIT; steps++) {
        uint64_t next;
        int err = get_user(next, user_ptr(const uint64_t, entry & ~1ul)); // before the word: a waiter may free the entry once it has the mutex
        if ((entry & ~1ul) != (head.pending & ~1ul) && mutex_orphaned(mutex_word(entry, head.futex_offset), tid, entry & 1, false))
            return;
        if (err)
            return;
        entry = next;
        cond_resched();
    }
    if (head.pending & ~1ul)
        (void)mutex_orphaned(mutex_word(head.pending, head.futex_offset), tid, head.pending & 1, true);
}

void futex_exit_robust(struct task *task)
{
    uint64_t head = user_addr(task->robust_list);
    task->robust_list = nullptr;
    if (head)
        walk(head, pid_vnr(task->pid));
}

void futex_exec_release(struct task *task)
{
    futex_exit_robust(task);
}
