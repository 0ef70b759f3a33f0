// kernel/fs/proc/tables.h — the tables of the global tree.
#pragma once

#include "kernel/fs/pseudo/pseudo.h"

extern const struct pseudo_entry proc_global_files[], proc_sys_kernel_files[], proc_sys_random_files[], proc_sys_vm_files[], proc_sys_fs_files[],
    proc_sys_fs_epoll_files[], proc_sys_fs_inotify_files[];
// The show functions of its files, each named after its file.
int meminfo_show(struct seq_file *m, void *), vmstat_show(struct seq_file *m, void *), slabinfo_show(struct seq_file *m, void *),
    buddyinfo_show(struct seq_file *m, void *), zoneinfo_show(struct seq_file *m, void *), iomem_show(struct seq_file *m, void *);
int kernel_stat_show(struct seq_file *m, void *);
extern const struct file_ops proc_kmsg_fops;
