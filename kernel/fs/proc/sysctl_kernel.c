// kernel/fs/proc/sysctl_kernel.c — /proc/sys/kernel and /proc/sys/kernel/random: proc_sys_kernel(5), random(4).
#include "kernel/abi/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/boot/version.h"
#include "kernel/drivers/log/log_stream.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/fs/proc/tables.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/system.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/seq_file.h"

#define NGROUPS_MAX 65536

// ---- host and domain name: of the reader's UTS namespace, pollable --------------------------------------------------

extern void (*uts_changed)(void); // kernel/proc: called after each change
static struct waitqueue uts_wq = WAITQUEUE_INIT(uts_wq);
static uint64_t uts_event;

static void note_uts_change(void)
{
    __atomic_fetch_add(&uts_event, 1, __ATOMIC_SEQ_CST);
    wake_up_all(&uts_wq);
}

static int uts_opened(struct file *file)
{
    file->version = load_acquire(&uts_event);
    return 0;
}

static uint32_t uts_poll(struct file *file, struct poll_table *pt)
{
    poll_wait(file, &uts_wq, pt);
    uint64_t now = load_acquire(&uts_event);
    if (__atomic_exchange_n(&file->version, now, __ATOMIC_RELAXED) != now)
        return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLPRI;
    return POLL_ALWAYS;
}

static void read_name(bool domain, char name[UTS_LEN])
{
    struct uts_namespace *uts = current_namespaces()->uts;
    read_guard(&uts->sem);
    memcpy(name, domain ? uts->name.domainname : uts->name.nodename, UTS_LEN);
}

static int name_show(struct seq_file *m, bool domain)
{
    char name[UTS_LEN];
    read_name(domain, name);
    seq_printf(m, "%s\n", name);
    return 0;
}

// A line replaces the name from the offset on; what is beyond 64 bytes is cut off.
static ssize_t name_store(char *text, size_t len, loff_t pos, bool domain)
{
    char name[UTS_LEN];
    read_name(domain, name);
    if (pos > (loff_t)strlen(name))
        return (ssize_t)len;
    size_t n = min(sysctl_line(text, len), (size_t)(UTS_LEN - 1 - pos));
    memcpy(name + pos, text, n);
    int err = domain ? uts_set_domainname(name, (size_t)pos + n) : uts_set_nodename(name, (size_t)pos + n);
    return err ? err : (ssize_t)len;
}

static int hostname_show(struct seq_file *m, void *)
{
    return name_show(m, false);
}
static int domainname_show(struct seq_file *m, void *)
{
    return name_show(m, true);
}
static ssize_t hostname_store(struct file *, void *, char *text, size_t len, loff_t pos)
{
    return name_store(text, len, pos, false);
}
static ssize_t domainname_store(struct file *, void *, char *text, size_t len, loff_t pos)
{
    return name_store(text, len, pos, true);
}

// ---- constants ------------------------------------------------------------------------------------------------------

static int text_show(struct seq_file *m, void *)
{
    seq_printf(m, "%s\n", (const char *)pseudo_entry(m->file)->data);
    return 0;
}
#define CONSTANT(text, value) {.name = (text), .mode = 0444, .show = text_show, .data = (value)}

// ---- limits and switches --------------------------------------------------------------------------------------------

static int64_t get_pid_max(const struct sysctl *)
{
    return (int64_t)pid_max_get();
}
static int set_pid_max(const struct sysctl *, int64_t value)
{
    return pid_max_set((uint64_t)value);
}
static int64_t get_threads_max(const struct sysctl *)
{
    return threads_limit_get();
}
static int set_threads_max(const struct sysctl *, int64_t value)
{
    threads_limit_set((int)value);
    return 0;
}
static int64_t get_ctrl_alt_del(const struct sysctl *)
{
    return ctrl_alt_del_enabled();
}
static int set_ctrl_alt_del(const struct sysctl *, int64_t value)
{
    ctrl_alt_del_set(value);
    return 0;
}

// How much of the time real-time threads may have while others wait: sched(7).
static int64_t get_rt_period(const struct sysctl *)
{
    int period, runtime;
    sched_rt_bandwidth(&period, &runtime);
    return period;
}
static int set_rt_period(const struct sysctl *, int64_t value)
{
    int period, runtime;
    sched_rt_bandwidth(&period, &runtime);
    return sched_rt_set_bandwidth((int)value, runtime);
}
static int64_t get_rt_runtime(const struct sysctl *)
{
    int period, runtime;
    sched_rt_bandwidth(&period, &runtime);
    return runtime;
}
static int set_rt_runtime(const struct sysctl *, int64_t value)
{
    int period, runtime;
    sched_rt_bandwidth(&period, &runtime);
    return sched_rt_set_bandwidth(period, (int)value);
}

// Who may see kernel addresses. This kernel shows none to anybody, so every setting is kept and all of them hold.
static int kptr_restrict;

// Restrictions are tightened and loosened by the administrator only: proc_sys_kernel(5).
static int set_restricted(const struct sysctl *s, int64_t value)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    WRITE_ONCE(*(int *)s->value, (int)value);
    return 0;
}

// Levels: up to which messages are shown on the console; given to messages without one; the least that syslog(2) sets the first to; what it was at first.
static int printk_show(struct seq_file *m, void *)
{
    seq_printf(m, "%d\t%d\t%d\t%d\n", console_loglevel, sysctl_printk[1], sysctl_printk[2], sysctl_printk[3]);
    return 0;
}

static ssize_t printk_store(struct file *file, void *object, char *text, size_t len, loff_t pos)
{
    int level = READ_ONCE(console_loglevel);
    WRITE_ONCE(sysctl_printk[0], level);
    ssize_t n = sysctl_int_store(file, object, text, len, pos);
    if (sysctl_printk[0] != level) // else it is left to who may have changed it meanwhile
        WRITE_ONCE(console_loglevel, sysctl_printk[0]);
    WRITE_ONCE(default_message_loglevel, sysctl_printk[1] & LOG_DEBUG); // a message has one of eight levels
    return n;
}

// ---- what the kernel tells of itself --------------------------------------------------------------------------------

static int64_t get_tainted(const struct sysctl *)
{
    return READ_ONCE(warn_count) ? 1 << 9 : 0; // of the reasons there can be, only that it has warned of itself
}

static int64_t get_last_pid(const struct sysctl *)
{
    return (int64_t)READ_ONCE(task_pid_ns(current_task())->next) - 1;
}

const struct pseudo_entry proc_sys_kernel_files[] = {
    CONSTANT("cap_last_cap", STRINGIFY(40)),
    SYSCTL_CALL("ctrl-alt-del", 0644, get_ctrl_alt_del, set_ctrl_alt_del, 0, 1),
    {.name = "dmesg_restrict", .mode = 0644, .show = sysctl_int_show, .store = sysctl_int_store,
     .data = &(const struct sysctl){.value = &sysctl_dmesg_restrict, .max = 1, .set = set_restricted}},
    {.name = "domainname", .mode = 0644, .show = domainname_show, .store = domainname_store, .poll = uts_poll, .opened = uts_opened},
    {.name = "hostname", .mode = 0644, .show = hostname_show, .store = hostname_store, .poll = uts_poll, .opened = uts_opened},
    {.name = "kptr_restrict", .mode = 0644, .show = sysctl_int_show, .store = sysctl_int_store,
     .data = &(const struct sysctl){.value = &kptr_restrict, .max = 2, .set = set_restricted}},
    CONSTANT("ngroups_max", STRINGIFY(NGROUPS_MAX)),
    {.name = "ns_last_pid", .mode = 0444, .show = sysctl_u64_show, .data = &(const struct sysctl){.get = get_last_pid}},
    CONSTANT("osrelease", KERNEL_RELEASE),
    CONSTANT("ostype", KERNEL_SYSNAME),
    CONSTANT("overflowgid", "65534"),
    CONSTANT("overflowuid", "65534"),
    SYSCTL_INT("panic", 0644, &panic_timeout, INT32_MIN, INT32_MAX),
    SYSCTL_CALL("pid_max", 0644, get_pid_max, set_pid_max, 301, PID_MAX_LIMIT),
    {.name = "printk", .mode = 0644, .show = printk_show, .store = printk_store,
     .data = &(const struct sysctl){.value = sysctl_printk, .min = INT32_MIN, .max = INT32_MAX, .count = 4}},
    SYSCTL_INT("randomize_va_space", 0644, &sysctl_randomize_va_space, INT32_MIN, INT32_MAX),
    SYSCTL_CALL("sched_rt_period_us", 0644, get_rt_period, set_rt_period, 1, INT32_MAX),
    SYSCTL_CALL("sched_rt_runtime_us", 0644, get_rt_runtime, set_rt_runtime, -1, INT32_MAX),
    {.name = "tainted", .mode = 0444, .show = sysctl_u64_show, .data = &(const struct sysctl){.get = get_tainted}},
    SYSCTL_CALL("threads-max", 0644, get_threads_max, set_threads_max, 20, PID_MAX_LIMIT),
    CONSTANT("version", KERNEL_VERSION),
    {},
};
static_assert(CAP_LAST == 40);

// ---- random ---------------------------------------------------------------------------------------------------------

static void make_uuid(uint8_t id[16])
{
    random_bytes(id, 16);
    id[6] = (id[6] & 0x0f) | 0x40; // version 4: random; RFC 9562
    id[8] = (id[8] & 0x3f) | 0x80;
}

static void put_uuid(struct seq_file *m, const uint8_t id[16])
{
    for (unsigned i = 0; i < 16; i++)
        seq_printf(m, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    seq_putc(m, '\n');
}

static uint8_t boot_id[16]; // one for each boot

static int boot_id_show(struct seq_file *m, void *)
{
    put_uuid(m, boot_id);
    return 0;
}

static int uuid_show(struct seq_file *m, void *)
{
    uint8_t id[16];
    make_uuid(id);
    put_uuid(m, id);
    return 0;
}

static int64_t get_entropy(const struct sysctl *)
{
    return random_entropy();
}

const struct pseudo_entry proc_sys_random_files[] = {
    {.name = "boot_id", .mode = 0444, .show = boot_id_show},
    {.name = "entropy_avail", .mode = 0444, .show = sysctl_u64_show, .data = &(const struct sysctl){.get = get_entropy}},
    CONSTANT("poolsize", "256"),
    {.name = "uuid", .mode = 0444, .show = uuid_show},
    {},
};

static int sysctl_kernel_init(void)
{
    make_uuid(boot_id);
    uts_changed = note_uts_change;
    return 0;
}
INITCALL(subsys, sysctl_kernel_init);
