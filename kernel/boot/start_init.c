// kernel/boot/start_init.c — chooses init and runs it: bootparam(7), init= and rdinit=.
#include "kernel/boot/start_init.h"

#include "arch/include/cpu.h"
#include "kernel/abi/errno.h"
#include "kernel/abi/fcntl.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/cmdline.h"
#include "kernel/boot/init.h"
#include "kernel/proc/start.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/table.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"

enum { INIT_PATH_SIZE = 256 };

static char rdinit_path[INIT_PATH_SIZE] = "/init";
static char init_path[INIT_PATH_SIZE];

static int parse_rdinit(const char *value)
{
    return strlcpy(rdinit_path, value, sizeof rdinit_path) < sizeof rdinit_path ? 0 : -ENAMETOOLONG;
}
CMDLINE_PARAM("rdinit", parse_rdinit);

static int parse_init(const char *value)
{
    return strlcpy(init_path, value, sizeof init_path) < sizeof init_path ? 0 : -ENAMETOOLONG;
}
CMDLINE_PARAM("init", parse_init);

// Descriptors 0, 1 and 2. A system without /dev/console starts without them.
static void open_console(void)
{
    struct file *console;
    int err = file_open("/dev/console", O_RDWR, 0, &console);
    if (err) {
        pr_warn("init: no /dev/console (error %d)\n", -err);
        return;
    }
    for (int fd = 0; fd < 3; fd++) {
        int got = fd_install_new(file_get(console), 0);
        if (got != fd)
            panic("init: descriptor %d instead of %d for the console", got, fd);
    }
    file_put(console);
}

static bool is_there(const char *path)
{
    struct path p;
    if (path_lookup(path, 0, &p))
        return false;
    path_put(&p);
    return true;
}

// Returns only if the program can not be run. Quiet about a default that is not there; one whose interpreter is missing is told of.
static void try_to_run(const char *path, bool asked_for)
{
    static const char *argv[INIT_ARGS_MAX + 2];
    static const char *envp[INIT_ARGS_MAX + 3] = {"HOME=/", "TERM=linux"};
    argv[0] = path;
    for (unsigned i = 0; i < nr_init_args; i++)
        argv[i + 1] = init_args[i];
    for (unsigned i = 0; i < nr_init_env; i++)
        envp[i + 2] = init_env[i];
    int err = start_init_process(path, argv, envp);
    if (asked_for || err != -ENOENT || is_there(path))
        pr_err("init: %s can not be run (error %d)\n", path, -err);
}

[[noreturn]] static void stop(void)
{
    pr_emerg("no working init found: none of the programs can be run; init= and rdinit= name another\n");
    arch_debug_exit(DEBUG_EXIT_NO_INIT);
    panic("no init");
}

void start_init(void)
{
    open_console();
    if (syscall_trace_from_boot())
        syscall_trace_set(current_task(), true);
    try_to_run(rdinit_path, strcmp(rdinit_path, "/init") != 0);
    if (init_path[0]) {
        try_to_run(init_path, true);
        stop();
    }
    static const char *const usual[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
        try_to_run(usual[i], false);
    stop();
}
