// kernel/vfs/attr.h — attributes of what a path leads to: stat(2), chmod(2), chown(2), utimensat(2), truncate(2).
#pragma once

#include "kernel/vfs/vfs.h"

int vfs_getattr(const struct path *path, struct kstat *stat, uint32_t mask, unsigned flags);
int vfs_setattr(const struct path *path, struct iattr *attr); // takes inode->sem; permission and read-only checks
int vfs_truncate(const struct path *path, loff_t size);
