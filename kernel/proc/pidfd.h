// kernel/proc/pidfd.h — descriptors that refer to a process: pidfd_open(2).
#pragma once

struct file;
struct pid;

// An open file that stands for `pid` and takes its own reference. -ENFILE, -ENOMEM.
[[nodiscard]] int pidfd_create(struct pid *pid, unsigned flags, struct file **out);
struct pid *pidfd_pid(struct file *file); // borrowed; null: not a pidfd
// Whose folder in a procfs an open file is: borrowed; null: none. pidfd_send_signal(2) takes one for a pidfd. Set by procfs.
extern struct pid *(*pid_of_folder)(struct file *file);
// The leader of the process that a pidfd stands for, or the thread; with a reference, null when it is gone.
struct task *pidfd_task_get(struct pid *pid);
