// kernel/fs/devpts/devpts.h — instances of devpts, for the pty driver. Each mount(2) of devpts makes one: pts(4), mount(8).
#pragma once

#include "kernel/vfs/vfs.h"

// The instance that opening `file` (a ptmx node) means: the one the node is in, or what is mounted on "pts" beside it. *out: the place of its root, with
// references (path_put). -ENOENT: there is no "pts"; -ENODEV: nothing of that kind is mounted on it.
[[nodiscard]] int devpts_find(struct file *file, struct path *out);
// The lowest free number of the instance, to be given back by devpts_number_free(). -ENOSPC at the limit (max=, kernel.pty.max), -ENOMEM.
[[nodiscard]] int devpts_number_alloc(struct superblock *sb, unsigned *number);
void devpts_number_free(struct superblock *sb, unsigned number);
// Makes the node of a terminal, with the instance's mode and owner. `tty` is found again by devpts_lookup() until the node is removed.
[[nodiscard]] int devpts_node_add(struct superblock *sb, unsigned number, dev_t devt, void *tty, struct dentry **out);
void devpts_node_remove(struct dentry *node); // and drops the reference that devpts_node_add() gave
// Calls get(tty) for the terminal of a node in a devpts instance, if it is still there; null: none.
void *devpts_lookup(struct inode *inode, void *(*get)(void *tty));

extern int sysctl_pty_max;      // /proc/sys/kernel/pty/max
int devpts_pty_count(void);     // /proc/sys/kernel/pty/nr
