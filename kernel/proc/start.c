// kernel/proc/start.c — the first process: a task made by hand, which becomes a user process by its first execve.

#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/stat.h"
#include "kernel/proc/cgroup.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/namespaces.h"
#include "kernel/proc/start.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"

static DEFINE_LOCK_CLASS(init_alloc_class, "task", RANK_FILES);
static DEFINE_LOCK_CLASS(init_work_class, "task work", RANK_FILES);

static void set_default_limits(struct process *p)
{
    for (int i = 0; i < RLIM_NLIMITS; i++)
        p->rlimits[i] = (struct rlimit_k){RLIM_INFINITY, RLIM_INFINITY};
    uint64_t threads = mem_available_pages() / 32; // an eighth of memory in kernel stacks, at most
    p->rlimits[RLIMIT_STACK].cur = STACK_LIMIT_DEFAULT;
    p->rlimits[RLIMIT_CORE].cur = 0;
    p->rlimits[RLIMIT_NPROC] = p->rlimits[RLIMIT_SIGPENDING] = (struct rlimit_k){threads / 2, threads / 2};
    p->rlimits[RLIMIT_NOFILE] = (struct rlimit_k){1024, 4096};
    p->rlimits[RLIMIT_MEMLOCK] = (struct rlimit_k){STACK_LIMIT_DEFAULT, STACK_LIMIT_DEFAULT};
    p->rlimits[RLIMIT_MSGQUEUE] = (struct rlimit_k){819200, 819200};
    p->rlimits[RLIMIT_NICE] = p->rlimits[RLIMIT_RTPRIO] = (struct rlimit_k){0, 0};
    threads_limit_set((int)min(threads, (uint64_t)PID_MAX_LIMIT));
}

// The session and group that init is in until it makes its own: number 0, in no table.
static struct pid *kernel_pid(void)
{
    struct pid *pid = kzalloc(sizeof *pid + sizeof pid->numbers[0], ALLOC_KERNEL);
    if (!pid)
        panic("no memory for the first process");
    refcount_set(&pid->refs, 1); // never dropped
    for (int type = 0; type < PID_TYPES; type++)
        list_init(&pid->tasks[type]);
    waitqueue_init(&pid->poll_wq);
    pid->numbers[0].ns = &init_pid_ns;
    return pid;
}

static struct task *make_init(void)
{
    struct task *task = task_alloc();
    struct process *p = process_alloc();
    if (!task || !p || thread_init(&task->thread, "init"))
        panic("no memory for the first process");
    task->thread.affinity = cpu_possible_mask;
    spin_init(&task->alloc_lock, &init_alloc_class);
    spin_init(&task->work_lock, &init_work_class);
    list_init(&task->pending.queue);
    list_init(&task->task_work);
    list_init(&task->cgroup_link);
    task->altstack_flags = 2; // SS_DISABLE
    task->timer_slack = task->default_timer_slack = 50000;
    task->cred = cred_get(&init_cred);
    task->process = p;
    task->sighand = sighand_alloc();
    task->files = files_create();
    task->ns = namespaces_get(&init_namespaces);
    task->fs = fs_context_copy(nullptr);
    if (!task->sighand || !task->files || !task->fs || pid_alloc(&init_pid_ns, nullptr, 0, &task->pid))
        panic("no memory for the first process");
    atomic_inc(&init_cred.user->processes);
    threads_count_init();

    p->pid = pid_get(task->pid);
    struct pid *group = kernel_pid();
    p->pgrp = pid_get(group);
    p->session = pid_get(group);
    p->leader = task;
    p->nr_threads = 1;
    process_get(p); // the tree's reference
    p->parent = process_get(p); // its own: getppid() of init is 0 by namespace
    p->exit_signal = SIGCHLD;
    p->start_boottime = clock_boottime();
    set_default_limits(p);
    init_process = p;
    init_pid_ns.reaper = p;
    spin_irq_guard(&process_tree_lock);
    list_add_tail_rcu(&task_get(task)->thread_link, &p->threads); // never dropped: init does not end
    pid_attach(task, PID_THREAD, task->pid);
    pid_attach(task, PID_PROCESS, p->pid);
    pid_attach(task, PID_PGRP, p->pgrp);
    pid_attach(task, PID_SESSION, p->session);
    return task;
}

void init_thread_start(void (*fn)(void *), void *arg)
{
    struct task *task = make_init();
    arch_thread_init_kernel(&task->thread, fn, arg);
    if (cgroup_can_fork(task, -1))
        panic("no control group for the first process");
    cgroup_post_fork(task, -1);
    thread_wake_new(&task->thread);
}

int start_init_process(const char *path, const char *const argv[], const char *const envp[])
{
    struct pathname name __attribute__((uninitialized));
    pathname_from_kernel(&name, path);
    struct file *file;
    int err = exec_open(AT_FDCWD, &name, LOOKUP_FOLLOW, &file);
    if (err)
        return err;
    struct exec_request req = {.file = file, .path = path, .argv = (unsigned long)argv, .envp = (unsigned long)envp, .from_kernel = true};
    struct pt_regs *regs = thread_user_regs(current_thread());
    if ((err = do_execve(&req, regs)))
        return err;
    arch_return_to_user(regs);
}

static int proc_init(void)
{
    proc_init_caches();
    signals_init();
    signal_hooks_init();
    namespaces_init();
    return 0;
}
INITCALL(core, proc_init);
