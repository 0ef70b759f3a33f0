// kernel/vfs/attr.h — attributes of what a path leads to: stat(2), chmod(2), chown(2), utimensat(2), truncate(2).
#pragma once

#include "kernel/vfs/vfs.h"

// statx(2): `mask` is what the caller wants to know (STATX_*). -ENOENT of a negative dentry, and what the file system answers. Takes no lock; under
// RCU only for an inode without an operation of its own.
int vfs_getattr(const struct path *path, struct kstat *stat, uint32_t mask, unsigned flags);
// chmod(2), chown(2), utimensat(2): takes inode->sem, and checks permission and that the mount may be written. -EPERM, -EACCES, -EROFS …
int vfs_setattr(const struct path *path, struct iattr *attr);
// truncate(2): takes inode->sem. -EISDIR, -EINVAL (not a regular file), -EACCES, -EPERM (append only), -ETXTBSY, -EROFS, -EFBIG. `size` is not negative.
int vfs_truncate(const struct path *path, loff_t size);
