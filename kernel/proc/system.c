// kernel/proc/system.c — calls about the machine and about usage: uname(2), sethostname(2), sysinfo(2), getrusage(2), reboot(2).

#include "arch/include/cpu.h"
#include "kernel/abi/personality.h"
#include "kernel/abi/resource.h"
#include "kernel/base/printk.h"
#include "kernel/boot/version.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/system.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"

// personality(2): for programs that fear a version that does not begin with 2.6, or a machine of 64 bits. 6.x is 2.6.(60 + x).
static int uname_disguised(struct abi_utsname __user *ubuf, unsigned long persona)
{
    char release[UTS_LEN];
    uint64_t minor = 0;
    if ((persona & PER_MASK) == PER_LINUX32 && copy_to_user(ubuf->machine, "i686", sizeof "i686"))
        return -EFAULT;
    if (!(persona & UNAME26))
        return 0;
    const char *rest = KERNEL_RELEASE;
    while (*rest && *rest++ != '.')
        ;
    while (*rest >= '0' && *rest <= '9')
        minor = minor * 10 + (uint64_t)(*rest++ - '0');
    while (*rest == '.' || (*rest >= '0' && *rest <= '9'))
        rest++;
    int len = scnprintf(release, sizeof release, "2.6.%llu%s", (unsigned long long)minor + 60, rest);
    return copy_to_user(ubuf->release, release, (size_t)len + 1) ? -EFAULT : 0;
}

SYSCALL1(uname, struct abi_utsname __user *, ubuf)
{
    struct uts_namespace *uts = current_namespaces()->uts;
    uint32_t seq;
    do { // a name that is just being changed is written over before the caller sees it
        seq = seq_read_begin(&uts->seq);
        if (copy_to_user(ubuf, &uts->name, sizeof uts->name))
            return -EFAULT;
    } while (seq_read_retry(&uts->seq, seq));
    unsigned long persona = current_task()->personality;
    return unlikely(persona & (UNAME26 | PER_MASK)) ? uname_disguised(ubuf, persona) : 0;
}

static long set_uts(const char __user *uname, int len, int (*set)(const char *, size_t))
{
    char name[UTS_LEN];
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len >= UTS_LEN)
        return -EINVAL;
    if (copy_from_user(name, uname, (size_t)len))
        return -EFAULT;
    return set(name, (size_t)len);
}

SYSCALL2(sethostname, const char __user *, name, int, len)
{
    return set_uts(name, len, uts_set_nodename);
}

SYSCALL2(setdomainname, const char __user *, name, int, len)
{
    return set_uts(name, len, uts_set_domainname);
}

SYSCALL1(sysinfo, struct abi_sysinfo __user *, uinfo)
{
    struct mem_counts mem;
    mem_counts_read(&mem);
    unsigned long avg[3];
    sched_loadavg(avg);
    struct abi_sysinfo out = {
        .uptime = (clock_boottime() + NSEC_PER_SEC - 1) / NSEC_PER_SEC,
        .totalram = mem.total * PAGE_SIZE,
        .freeram = mem.free * PAGE_SIZE,
        .sharedram = mem.shmem * PAGE_SIZE,
        .procs = (uint16_t)min(threads_count(), 0xffff),
        .mem_unit = 1,
    };
    for (int i = 0; i < 3; i++)
        out.loads[i] = avg[i] << (16 - 11); // from the scheduler's 11 fraction bits to the call's 16
    return copy_to_user(uinfo, &out, sizeof out) ? -EFAULT : 0;
}

static void usage_of_threads(struct process *p, struct abi_rusage *u)
{
    struct task *t;
    spin_irq_guard(&process_tree_lock);
    u->minflt = (int64_t)p->dead_min_flt;
    u->majflt = (int64_t)p->dead_maj_flt;
    u->nvcsw = (int64_t)p->dead_nvcsw;
    u->nivcsw = (int64_t)p->dead_nivcsw;
    for_each_thread(t, p)
    {
        u->minflt += (int64_t)t->min_flt;
        u->majflt += (int64_t)t->maj_flt;
        u->nvcsw += (int64_t)t->thread.nvcsw;
        u->nivcsw += (int64_t)t->thread.nivcsw;
    }
}

SYSCALL2(getrusage, int, who, struct abi_rusage __user *, uusage)
{
    struct process *p = current_process();
    struct task *task = current_task();
    struct mm *mm = task->thread.mm;
    struct abi_rusage u = {};
    uint64_t utime, stime, rss = max(p->max_rss, mm_hiwater_rss(mm));
    switch (who) {
    case RUSAGE_SELF:
        process_times(p, &utime, &stime);
        usage_of_threads(p, &u);
        break;
    case RUSAGE_THREAD:
        thread_times(&task->thread, &utime, &stime);
        u.minflt = (int64_t)task->min_flt;
        u.majflt = (int64_t)task->maj_flt;
        u.nvcsw = (int64_t)task->thread.nvcsw;
        u.nivcsw = (int64_t)task->thread.nivcsw;
        break;
    case RUSAGE_CHILDREN:
        utime = p->children_utime;
        stime = p->children_stime;
        u.minflt = (int64_t)p->children_min_flt;
        u.majflt = (int64_t)p->children_maj_flt;
        u.nvcsw = (int64_t)p->children_nvcsw;
        u.nivcsw = (int64_t)p->children_nivcsw;
        rss = p->children_max_rss;
        break;
    default:
        return -EINVAL;
    }
    set_timeval(&u.utime, utime);
    set_timeval(&u.stime, stime);
    u.maxrss = (int64_t)(rss * (PAGE_SIZE / 1024));
    return copy_to_user(uusage, &u, sizeof u) ? -EFAULT : 0;
}

// -- reboot(2)
#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_CMD_RESTART 0x01234567u
#define REBOOT_CMD_HALT 0xcdef0123u
#define REBOOT_CMD_CAD_ON 0x89abcdefu
#define REBOOT_CMD_CAD_OFF 0x00000000u
#define REBOOT_CMD_POWER_OFF 0x4321fedcu
#define REBOOT_CMD_RESTART2 0xa1b2c3d4u

static bool ctrl_alt_del_restarts = true;

bool ctrl_alt_del_enabled(void)
{
    return READ_ONCE(ctrl_alt_del_restarts);
}

void ctrl_alt_del_set(bool restarts)
{
    WRITE_ONCE(ctrl_alt_del_restarts, restarts);
}

[[noreturn]] static void machine_stop(void (*how)(void), const char *text)
{
    sync_all_superblocks(true);
    console_drain();
    pr_emerg("reboot: %s\n", text);
    if (how)
        how();
    arch_send_stop();
    arch_halt();
}

SYSCALL4(reboot, unsigned, magic1, unsigned, magic2, unsigned, cmd, const char __user *, arg)
{
    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (magic1 != REBOOT_MAGIC1 || (magic2 != 672274793 && magic2 != 85072278 && magic2 != 369367448 && magic2 != 537993216))
        return -EINVAL;
    // In a nested PID namespace this is a signal to its init, as reboot(2) says.
    struct pid_namespace *ns = task_pid_ns(current_task());
    if (ns != &init_pid_ns) {
        if (cmd != REBOOT_CMD_RESTART && cmd != REBOOT_CMD_RESTART2 && cmd != REBOOT_CMD_HALT && cmd != REBOOT_CMD_POWER_OFF)
            return -EINVAL;
        struct process *init = ns->reaper;
        bool restart = cmd == REBOOT_CMD_RESTART || cmd == REBOOT_CMD_RESTART2;
        init->reboot_status = restart ? SIGHUP : SIGINT;
        signal_send_process(init, SIGKILL, &(struct siginfo){.si_signo = SIGKILL, .si_code = SI_KERNEL});
        do_group_exit(0);
    }
    char command[256];
    switch (cmd) {
    case REBOOT_CMD_RESTART:
        machine_stop(arch_reset, "Restarting system");
    case REBOOT_CMD_RESTART2:
        if (strncpy_from_user(command, arg, sizeof command) == -EFAULT)
            return -EFAULT;
        machine_stop(arch_reset, "Restarting system");
    case REBOOT_CMD_HALT:
        machine_stop(nullptr, "System halted");
    case REBOOT_CMD_POWER_OFF:
        machine_stop(arch_poweroff, "Power down");
    case REBOOT_CMD_CAD_ON:
    case REBOOT_CMD_CAD_OFF:
        WRITE_ONCE(ctrl_alt_del_restarts, cmd == REBOOT_CMD_CAD_ON);
        return 0;
    default:
        return -EINVAL;
    }
}
