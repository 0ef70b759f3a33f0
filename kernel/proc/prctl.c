// kernel/proc/prctl.c — prctl(2), personality(2): odds and ends of a task that have no call of their own.

#include "kernel/abi/resource.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/internal.h"
#include "kernel/syscall/syscall.h"

static long set_securebits(unsigned long bits)
{
    const struct cred *old = current_cred();
    unsigned long locked = (old->securebits & 0xaa) >> 1;
    if ((bits & ~(unsigned long)SECBIT_ALL) || (locked & (bits ^ old->securebits)) || ((old->securebits & 0xaa) & ~bits) ||
        !capable(CAP_SETPCAP))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    new->securebits = (uint32_t)bits;
    cred_commit(new);
    return 0;
}

static long set_keepcaps(unsigned long on)
{
    if (on > 1)
        return -EINVAL;
    if (current_cred()->securebits & (SECBIT_KEEP_CAPS << 1))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    new->securebits = on ? new->securebits | SECBIT_KEEP_CAPS : new->securebits & ~SECBIT_KEEP_CAPS;
    cred_commit(new);
    return 0;
}

static long drop_bounding(unsigned long cap)
{
    if (cap > CAP_LAST)
        return -EINVAL;
    if (!capable(CAP_SETPCAP))
        return -EPERM;
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    new->cap_bounding &= ~(1UL << cap);
    cred_commit(new);
    return 0;
}

static long change_ambient(unsigned long op, unsigned long cap, unsigned long arg4, unsigned long arg5)
{
    const struct cred *old = current_cred();
    if (arg4 || arg5 || (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : cap > CAP_LAST))
        return -EINVAL;
    uint64_t bit = 1UL << cap, ambient = old->cap_ambient;
    switch (op) {
    case PR_CAP_AMBIENT_IS_SET:
        return !!(ambient & bit);
    case PR_CAP_AMBIENT_RAISE:
        if (!(old->cap_permitted & bit) || !(old->cap_inheritable & bit) || (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
            return -EPERM;
        ambient |= bit;
        break;
    case PR_CAP_AMBIENT_LOWER:
        ambient &= ~bit;
        break;
    case PR_CAP_AMBIENT_CLEAR_ALL:
        ambient = 0;
        break;
    default:
        return -EINVAL;
    }
    struct cred *new = cred_prepare();
    if (!new)
        return -ENOMEM;
    new->cap_ambient = ambient;
    cred_commit(new);
    return 0;
}

static long set_name(unsigned long addr)
{
    char name[THREAD_NAME_SIZE] = {};
    ssize_t len = strncpy_from_user(name, user_ptr(const char, addr), sizeof name - 1);
    if (len == -EFAULT)
        return -EFAULT;
    strlcpy_pad(current_thread()->name, name, THREAD_NAME_SIZE);
    return 0;
}

static long get_name(unsigned long addr)
{
    char name[THREAD_NAME_SIZE];
    strlcpy_pad(name, current_thread()->name, sizeof name);
    return copy_to_user(user_ptr(char, addr), name, sizeof name) ? -EFAULT : 0;
}

static long set_subreaper(unsigned long on)
{
    // New descendants inherit has_child_subreaper at fork; those that are alive already learn it here.
    struct process *me = current_process();
    me->is_subreaper = on;
    if (!on)
        return 0;
    spin_irq_guard(&process_tree_lock);
    struct process *at = me;
    for (;;) {
        if (!list_empty(&at->children) && !(at != me && at->has_child_subreaper && at->is_subreaper)) {
            at = list_first_entry(&at->children, struct process, sibling);
            at->has_child_subreaper = true;
            continue;
        }
        while (at != me && at->sibling.next == &at->parent->children)
            at = at->parent;
        if (at == me)
            return 0;
        at = list_next_entry(at, sibling);
        at->has_child_subreaper = true;
    }
}

// PR_SET_VMA_ANON_NAME: a name of at most 79 printable characters for anonymous memory in /proc/PID/maps.
static long set_vma_name(unsigned long what, unsigned long addr, unsigned long len, unsigned long uname)
{
    char name[80];
    if (what != 0)
        return -EINVAL;
    if (uname) {
        ssize_t size = strncpy_from_user(name, user_ptr(const char, uname), sizeof name);
        if (size < 0)
            return size == -EFAULT ? -EFAULT : -EINVAL;
        for (const char *p = name; *p; p++)
            if (*p < ' ' || *p > '~' || strchr("\\`$[]", *p))
                return -EINVAL;
    }
    return mm_set_anon_name(current_thread()->mm, addr, len, uname ? name : nullptr);
}

SYSCALL5(prctl, int, option, unsigned long, arg2, unsigned long, arg3, unsigned long, arg4, unsigned long, arg5)
{
    struct task *task = current_task();
    switch (option) {
    case PR_SET_PDEATHSIG:
        if (arg2 > NSIG)
            return -EINVAL;
        task->pdeath_signal = (int)arg2;
        return 0;
    case PR_GET_PDEATHSIG:
        return put_user(task->pdeath_signal, user_ptr(int, arg2)) ? -EFAULT : 0;
    case PR_GET_DUMPABLE:
        return task->thread.mm->dumpable;
    case PR_SET_DUMPABLE:
        if (arg2 > 1)
            return -EINVAL;
        task->thread.mm->dumpable = (uint8_t)arg2;
        return 0;
    case PR_GET_KEEPCAPS:
        return !!(current_cred()->securebits & SECBIT_KEEP_CAPS);
    case PR_SET_KEEPCAPS:
        return set_keepcaps(arg2);
    case PR_GET_TIMING: // by the clock, never by ticks alone: there is nothing to choose
        return 0;
    case PR_SET_TIMING:
        return arg2 ? -EINVAL : 0;
    case PR_SET_NAME:
        return set_name(arg2);
    case PR_GET_NAME:
        return get_name(arg2);
    case PR_CAPBSET_READ:
        return arg2 > CAP_LAST ? -EINVAL : (long)(current_cred()->cap_bounding >> arg2 & 1);
    case PR_CAPBSET_DROP:
        return drop_bounding(arg2);
    case PR_GET_SECUREBITS:
        return current_cred()->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(arg2);
    case PR_SET_TIMERSLACK:
        task->timer_slack = (long)arg2 <= 0 ? task->default_timer_slack : arg2;
        return 0;
    case PR_GET_TIMERSLACK:
        return (long)task->timer_slack;
    case PR_SET_CHILD_SUBREAPER:
        return set_subreaper(arg2);
    case PR_GET_CHILD_SUBREAPER:
        return put_user(current_process()->is_subreaper, user_ptr(int, arg2)) ? -EFAULT : 0;
    case PR_SET_NO_NEW_PRIVS:
        if (arg2 != 1 || arg3 || arg4 || arg5)
            return -EINVAL;
        task->no_new_privs = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return arg2 || arg3 || arg4 || arg5 ? -EINVAL : task->no_new_privs;
    case PR_GET_TID_ADDRESS:
        return put_user(user_addr(task->clear_child_tid), user_ptr(unsigned long, arg2)) ? -EFAULT : 0;
    case PR_SET_VMA:
        return set_vma_name(arg2, arg3, arg4, arg5);
    case PR_CAP_AMBIENT:
        return change_ambient(arg2, arg3, arg4, arg5);
    default:
        return -EINVAL;
    }
}

// personality(2). Any value is kept; kernel/abi/personality.h names the bits that mean something to a 64-bit program.
SYSCALL1(personality, unsigned, persona)
{
    struct task *task = current_task();
    unsigned old = (unsigned)task->personality;
    if (persona != 0xffffffff)
        task->personality = persona;
    return old;
}
