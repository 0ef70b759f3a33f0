// kernel/fs/pseudo/internal.h — between the parts of this folder.
#pragma once

#include "kernel/fs/pseudo/pseudo.h"
#include "kernel/sync/rwsem.h"

extern struct rwsem pseudo_tree_sem;

struct pseudo_changed {
    struct pseudo_changed *next;
    const struct pseudo_entry *entry;
    umode_t mode;
    uid_t uid;
    gid_t gid;
};
void pseudo_changed_free(struct pseudo_dir *dir); // its folder goes
