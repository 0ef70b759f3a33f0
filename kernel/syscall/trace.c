// kernel/syscall/trace.c — the built-in tracer: system calls in strace's form on the kernel log, for a process and all it starts.
//
// A task with WORK_TRACE comes here instead of going straight to the table. Children inherit it. It is switched on for pid 1 by kevlar.trace on the command
// line, and for any process by writing to /proc/PID/trace. The line is printed when the call returns; calls that do not return are printed before.

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/table.h"
#include "kernel/syscall/trace_names.h"

#define LINE_MAX 400
#define TEXT_MAX 48

struct line {
    size_t used;
    char text[LINE_MAX];
};

static void add(struct line *l, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    l->used += (size_t)vscnprintf(l->text + l->used, sizeof l->text - l->used, format, args);
    va_end(args);
}

// At most TEXT_MAX bytes of user memory, quoted.
static void add_text(struct line *l, unsigned long addr, size_t size, bool is_string)
{
    char buf[TEXT_MAX];
    size_t want = min(size, sizeof buf), got;
    if (!addr) {
        add(l, "NULL");
        return;
    }
    if (is_string) {
        ssize_t len = strncpy_from_user(buf, user_ptr(const char, addr), sizeof buf);
        if (len == -EFAULT) {
            add(l, "%#lx", addr);
            return;
        }
        got = len < 0 ? sizeof buf : (size_t)len;
        size = len < 0 ? sizeof buf + 1 : got;
    } else {
        got = want - copy_from_user(buf, user_ptr(void, addr), want);
    }
    add(l, "\"");
    for (size_t i = 0; i < got; i++) {
        unsigned char c = (unsigned char)buf[i];
        if (c == '\n')
            add(l, "\\n");
        else if (c == '"' || c == '\\')
            add(l, "\\%c", c);
        else if (c < ' ' || c >= 127)
            add(l, "\\%o", c);
        else
            add(l, "%c", c);
    }
    add(l, size > got ? "\"..." : "\"");
}

static void add_flags(struct line *l, const struct trace_flag *names, unsigned long value)
{
    bool first = true;
    for (; names->name; names++) {
        if (names->mask ? (value & names->mask) != names->value : (value & names->value) != names->value || !names->value)
            continue;
        add(l, first ? "%s" : "|%s", names->name);
        first = false;
        value &= ~(names->mask ? names->mask : names->value);
    }
    if (value || first)
        add(l, first ? "%#lx" : "|%#lx", value);
}

static void add_arg(struct line *l, enum syscall_arg kind, unsigned long value, unsigned long next)
{
    switch (kind) {
    case ARG_INT:
    case ARG_FD:
    case ARG_PID:
    case ARG_FCNTLCMD:
    case ARG_PRCTL:
    case ARG_RLIMIT:
        add(l, "%d", (int)value);
        break;
    case ARG_DIRFD:
        if ((int)value == -100)
            add(l, "AT_FDCWD");
        else
            add(l, "%d", (int)value);
        break;
    case ARG_UINT:
        add(l, "%u", (unsigned)value);
        break;
    case ARG_SIZE:
        add(l, "%lu", value);
        break;
    case ARG_OFF:
        add(l, "%ld", (long)value);
        break;
    case ARG_PTR:
        if (!value)
            add(l, "NULL");
        else
            add(l, "%#lx", value);
        break;
    case ARG_PATH:
    case ARG_STR:
        add_text(l, value, 0, true);
        break;
    case ARG_BUF:
        add_text(l, value, next, false);
        break;
    case ARG_MODE:
        add(l, "%#lo", value & 0177777);
        break;
    case ARG_SIG:
        if (value < 32 && trace_signals[value])
            add(l, "%s", trace_signals[value]);
        else
            add(l, "%lu", value);
        break;
    case ARG_OFLAGS:
        add_flags(l, trace_open_flags, value);
        break;
    case ARG_PROT:
        add_flags(l, trace_prot_flags, value);
        break;
    case ARG_MAPFLAGS:
        add_flags(l, trace_map_flags, value);
        break;
    default:
        add(l, "%#lx", value);
    }
}

static void add_call(struct line *l, const struct pt_regs *regs)
{
    long nr = regs_syscall_nr(regs);
    const struct syscall_info *info = nr >= 0 && nr < SYSCALL_TABLE_SIZE ? &syscall_infos[nr] : nullptr;
    add(l, "[%d] ", pid_nr_ns(current_task()->pid, &init_pid_ns));
    if (!info || !info->name) {
        add(l, "syscall_%#lx(", nr);
        for (unsigned i = 0; i < 6; i++)
            add(l, i ? ", %#lx" : "%#lx", regs_syscall_arg(regs, i));
    } else {
        add(l, "%s(", info->name);
        for (unsigned i = 0; info->args[i] != ARG_END; i++) {
            if (i)
                add(l, ", ");
            add_arg(l, info->args[i], regs_syscall_arg(regs, i), i < 5 ? regs_syscall_arg(regs, i + 1) : 0);
        }
    }
    add(l, ")");
}

static void add_result(struct line *l, long result)
{
    if (result < 0 && result > -4096) {
        const char *name = (size_t)-result < trace_nr_errnos ? trace_errnos[-result] : nullptr;
        if (result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK)
            add(l, " = ? ERESTART");
        else
            add(l, " = -1 %s", name ? name : "?");
    } else if ((unsigned long)result > 0xffffffff) {
        add(l, " = %#lx", (unsigned long)result);
    } else {
        add(l, " = %ld", result);
    }
}

static bool returns(long nr)
{
    const char *name = nr >= 0 && nr < SYSCALL_TABLE_SIZE ? syscall_infos[nr].name : nullptr;
    return !name || (strcmp(name, "exit") && strcmp(name, "exit_group") && strncmp(name, "exec", 4) && strcmp(name, "rt_sigreturn"));
}

void syscall_dispatch_traced(struct pt_regs *regs)
{
    struct line *line = kmalloc(sizeof *line, ALLOC_KERNEL);
    if (!line) {
        syscall_dispatch(regs);
        return;
    }
    line->used = 0;
    bool at_entry = !returns(regs_syscall_nr(regs));
    add_call(line, regs);
    if (at_entry)
        printk(LOG_INFO, "%s\n", line->text);
    size_t called = line->used;
    if (!returns(regs_syscall_nr(regs))) {
        kfree(line);
        syscall_dispatch(regs);
        return;
    }
    syscall_dispatch(regs);
    line->used = called;
    add_result(line, regs_return(regs));
    printk(LOG_INFO, "%s\n", line->text);
    kfree(line);
}

void syscall_dispatch(struct pt_regs *regs)
{
    unsigned long nr = (unsigned long)regs_syscall_nr(regs);
    long result = -ENOSYS;
    if (nr < SYSCALL_TABLE_SIZE)
        result = syscall_table[nr](regs_syscall_arg(regs, 0), regs_syscall_arg(regs, 1), regs_syscall_arg(regs, 2), regs_syscall_arg(regs, 3),
                                   regs_syscall_arg(regs, 4), regs_syscall_arg(regs, 5));
    regs_set_return(regs, result);
}

void syscall_trace_set(struct task *task, bool on)
{
    WRITE_ONCE(task->trace_syscalls, on);
    if (on)
        thread_set_work(&task->thread, WORK_TRACE);
    else
        thread_clear_work(&task->thread, WORK_TRACE);
}

static bool trace_init_process;

static int parse_trace(const char *value)
{
    return *value ? parse_bool(value, &trace_init_process) : (trace_init_process = true, 0);
}
CMDLINE_PARAM("kevlar.trace", parse_trace);

bool syscall_trace_from_boot(void)
{
    return trace_init_process;
}
