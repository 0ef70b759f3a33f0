// kernel/drivers/tty/tty_job.c — controlling terminals and job control: credentials(7), "Sessions"; ioctl_tty(2).
//
// tty->session and tty->pgrp hold references and change under process_tree_lock only, as does process->tty, which is a plain pointer: whoever clears
// tty->session clears it in every process of the session first, so no process points at a terminal that is gone.
#include "kernel/base/string.h"
#include "kernel/drivers/tty/internal.h"
#include "kernel/syscall/syscall.h"

struct tty *current_tty_get(void)
{
    spin_irq_guard(&process_tree_lock);
    struct tty *tty = current_process()->tty;
    return tty ? tty_get(tty) : nullptr;
}

static struct pid *pgrp_get(struct tty *tty)
{
    spin_irq_guard(&process_tree_lock);
    return tty->pgrp ? pid_get(tty->pgrp) : nullptr;
}

void tty_signal_foreground(struct tty *tty, int sig)
{
    struct pid *pgrp = pgrp_get(tty);
    if (!pgrp)
        return;
    struct siginfo info;
    siginfo_init_kernel(&info, sig);
    (void)signal_send_pgrp(pgrp, sig, &info);
    pid_put(pgrp);
}

// Would the signal do nothing to the caller?
static bool signal_is_void(int sig)
{
    struct task *me = current_task();
    spin_irq_guard(&me->sighand->lock);
    return me->blocked & sigmask(sig) || me->sighand->action[sig - 1].handler == SIG_IGN;
}

int tty_check_change(struct tty *tty, int sig)
{
    struct process *me = current_process();
    if (READ_ONCE(me->tty) != tty || READ_ONCE(me->pgrp) == READ_ONCE(tty->pgrp))
        return 0;
    struct pid *group;
    bool orphaned;
    {
        spin_irq_guard(&process_tree_lock);
        if (me->tty != tty || !tty->pgrp || me->pgrp == tty->pgrp)
            return 0;
        orphaned = pgrp_is_orphaned(me->pgrp, nullptr);
        group = pid_get(me->pgrp);
    }
    int err;
    if (signal_is_void(sig)) {
        err = sig == SIGTTIN ? -EIO : 0;
    } else if (orphaned) {
        err = -EIO;
    } else {
        struct siginfo info;
        siginfo_init_kernel(&info, sig);
        (void)signal_send_pgrp(group, sig, &info);
        thread_set_work(current_thread(), WORK_SIGNAL); // another thread may take it: this call begins again all the same
        err = -ERESTARTSYS;
    }
    pid_put(group);
    return err;
}

// ---- whose terminal it is ----------------------------------------------------------------------------------------------------------------------------------

static void clear_session_ttys(struct pid *session) REQUIRES(process_tree_lock)
{
    struct task *t;
    list_for_each_entry(t, &session->tasks[PID_SESSION], pid_links[PID_SESSION])
        WRITE_ONCE(t->process->tty, nullptr);
}

static void drop_session(struct tty *tty) REQUIRES(process_tree_lock)
{
    if (tty->session) {
        clear_session_ttys(tty->session);
        pid_put(tty->session);
    }
    if (tty->pgrp)
        pid_put(tty->pgrp);
    tty->session = nullptr;
    WRITE_ONCE(tty->pgrp, nullptr);
}

static void become_ctty(struct tty *tty) REQUIRES(process_tree_lock)
{
    struct process *me = current_process();
    drop_session(tty);
    pid_put(me->hung_up_pgrp);
    me->hung_up_pgrp = nullptr;
    tty->session = pid_get(me->session);
    WRITE_ONCE(tty->pgrp, pid_get(me->pgrp));
    WRITE_ONCE(me->tty, tty);
}

void tty_open_ctty(struct tty *tty, struct file *file)
{
    struct process *me = current_process();
    if (!me->session_leader || !(file->mode & FMODE_READ))
        return;
    spin_irq_guard(&process_tree_lock);
    // A hangup marks the file before it takes the terminal from its session: after that it must not become anybody's again.
    if (me->session_leader && !me->tty && !tty->session && !tty_file_hung(file->private))
        become_ctty(tty);
}

// TIOCSCTTY: force takes it from another session (CAP_SYS_ADMIN).
static int set_ctty(struct tty *tty, struct file *file, bool force)
{
    struct process *me = current_process();
    bool admin = capable(CAP_SYS_ADMIN);
    spin_irq_guard(&process_tree_lock);
    if (tty_file_hung(file->private))
        return -EIO;
    if (me->session_leader && me->session == tty->session)
        return 0;
    if (!me->session_leader || me->tty)
        return -EPERM;
    if (tty->session && !(force && admin))
        return -EPERM;
    if (!(file->mode & FMODE_READ) && !admin)
        return -EPERM;
    become_ctty(tty);
    return 0;
}

static void signal_group(struct pid *pgrp, int sig)
{
    struct siginfo info;
    siginfo_init_kernel(&info, sig);
    (void)signal_send_pgrp(pgrp, sig, &info);
}

void tty_disown_session(struct tty *tty, bool hangup)
{
    struct pid *pgrp = nullptr;
    struct process *leader = nullptr;
    {
        spin_irq_guard(&process_tree_lock);
        struct task *t;
        if (tty->session) {
            list_for_each_entry(t, &tty->session->tasks[PID_SESSION], pid_links[PID_SESSION])
                if (t->process->session_leader)
                    leader = process_get(t->process);
        }
        if (leader && hangup && tty->pgrp) {
            pgrp = leader->hung_up_pgrp; // an older one
            leader->hung_up_pgrp = pid_get(tty->pgrp);
        }
        drop_session(tty);
    }
    struct siginfo info;
    if (leader && hangup) {
        siginfo_init_kernel(&info, SIGHUP);
        (void)signal_send_process(leader, SIGHUP, &info);
        siginfo_init_kernel(&info, SIGCONT);
        (void)signal_send_process(leader, SIGCONT, &info);
    }
    if (leader)
        process_put(leader);
    if (pgrp)
        pid_put(pgrp);
}

// The session leader exits, or gives its terminal up by TIOCNOTTY: the foreground group hears of it, also where the terminal went before. From a
// terminal that is no pty, the leader's exit also takes every open file of it away.
static void leader_gives_up(struct process *leader, bool exiting)
{
    struct tty *tty;
    struct pid *pgrp;
    {
        spin_irq_guard(&process_tree_lock);
        tty = leader->tty ? tty_get(leader->tty) : nullptr;
        pgrp = tty && tty->pgrp ? pid_get(tty->pgrp) : nullptr;
        if (!tty && exiting) {
            pgrp = leader->hung_up_pgrp;
            leader->hung_up_pgrp = nullptr;
        }
    }
    if (!tty) {
        if (pgrp) {
            signal_group(pgrp, SIGHUP);
            signal_group(pgrp, SIGCONT);
            pid_put(pgrp);
        }
        return;
    }
    if (exiting && tty->kind == TTY_SERIAL) {
        if (pgrp)
            signal_group(pgrp, SIGHUP);
        tty_hangup(tty);
    } else if (pgrp) {
        signal_group(pgrp, SIGHUP);
        if (!exiting)
            signal_group(pgrp, SIGCONT);
    }
    {
        spin_irq_guard(&process_tree_lock);
        if (tty->session == leader->session)
            drop_session(tty);
    }
    if (pgrp)
        pid_put(pgrp);
    tty_put(tty);
}

static void leader_exit(struct process *leader)
{
    leader_gives_up(leader, true);
}

void tty_job_init(void)
{
    tty_session_leader_exit = leader_exit;
}

// ---- ioctls ---------------------------------------------------------------------------------------------------------

static int get_pgrp(struct tty *tty, struct tty *real, pid_t __user *out)
{
    pid_t nr;
    {
        spin_irq_guard(&process_tree_lock);
        if (tty == real && current_process()->tty != real)
            return -ENOTTY;
        nr = real->pgrp ? pid_vnr(real->pgrp) : 0;
    }
    return put_user(nr, out);
}

static int set_pgrp(struct tty *tty, struct tty *real, pid_t __user *in)
{
    int err = tty_check_change(real, SIGTTOU);
    if (err)
        return err == -EIO ? -ENOTTY : err;
    pid_t nr;
    if (get_user(nr, in))
        return -EFAULT;
    struct process *me = current_process();
    spin_irq_guard(&process_tree_lock);
    if (me->tty != real || real->session != me->session)
        return -ENOTTY;
    if (nr < 0)
        return -EINVAL;
    struct pid *pgrp = pid_find(task_pid_ns(current_task()), nr);
    if (!pgrp)
        return -ESRCH;
    struct task *member = pid_task(pgrp, PID_PGRP);
    if (!member || member->process->session != me->session)
        return -EPERM;
    struct pid *old = real->pgrp;
    WRITE_ONCE(real->pgrp, pid_get(pgrp));
    if (old)
        pid_put(old);
    (void)tty;
    return 0;
}

static int get_sid(struct tty *tty, struct tty *real, pid_t __user *out)
{
    pid_t nr;
    {
        spin_irq_guard(&process_tree_lock);
        if ((tty == real && current_process()->tty != real) || !real->session)
            return -ENOTTY;
        nr = pid_vnr(real->session);
    }
    return put_user(nr, out);
}

static int give_up(struct tty *tty)
{
    struct process *me = current_process();
    if (READ_ONCE(me->tty) != tty)
        return -ENOTTY;
    if (me->session_leader) {
        leader_gives_up(me, false);
        return 0;
    }
    spin_irq_guard(&process_tree_lock);
    WRITE_ONCE(me->tty, nullptr);
    return 0;
}

long tty_ioctl_job(struct tty *tty, struct tty *real, struct file *file, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case TIOCSCTTY:
        return set_ctty(real, file, arg == 1);
    case TIOCNOTTY:
        return give_up(tty);
    case TIOCGPGRP:
        return get_pgrp(tty, real, user_ptr(pid_t, arg));
    case TIOCSPGRP:
        return set_pgrp(tty, real, user_ptr(pid_t, arg));
    case TIOCGSID:
        return get_sid(tty, real, user_ptr(pid_t, arg));
    }
    return -ENOTTY;
}

// vhangup(2)
SYSCALL0(vhangup)
{
    if (!capable(CAP_SYS_TTY_CONFIG))
        return -EPERM;
    struct tty *tty = current_tty_get();
    if (tty) {
        tty_hangup(tty);
        tty_put(tty);
    }
    return 0;
}
