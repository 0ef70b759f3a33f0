// kernel/vfs/acl.h — POSIX access control lists: acl(5). For file systems whose superblock says SB_POSIXACL.
//
// An inode has at most two lists: the access list, when it says more than the mode bits, and, for a directory, the default list that new inodes in it
// get. A list is freed after a grace period; only the permissions in its entries change in place (chmod). Changing needs inode->sem for write.
#pragma once

#include "kernel/vfs/vfs.h"

struct posix_acl;

// Whether `name` is one of the two attributes that stand for the lists.
bool acl_is_xattr(const char *name);
// The lists as attributes: setxattr(2) and removexattr(2) (value null) with inode->sem held for write; getxattr(2) and listxattr(2).
// -EOPNOTSUPP (no lists here; unknown version), -EINVAL, -EPERM, -EACCES (a default list on what is no directory), -ENODATA, -ERANGE, -ENOMEM.
[[nodiscard]] int acl_xattr_set(struct inode *inode, const char *name, const void *value, size_t size);
[[nodiscard]] ssize_t acl_xattr_get(struct inode *inode, const char *name, void *buf, size_t size);
// Names with their NULs; the bytes they take. size 0: only counts. -ERANGE.
[[nodiscard]] ssize_t acl_xattr_list(const struct inode *inode, char *buf, size_t size);

// What the access list of `inode` (there is one, and the caller is not the owner) says to MAY_* `mask`. 0 or -EACCES.
[[nodiscard]] int acl_permission(const struct inode *inode, unsigned mask);
// chmod(2) changed inode->mode.
void acl_chmod(struct inode *inode);
// The umask for a new name in `dir`: none where a default list takes its place.
umode_t acl_umask(const struct inode *dir);
// A new inode, of the mode asked for, gets what its directory's default list says: lists, and a mode limited by them. -ENOMEM.
[[nodiscard]] int acl_inherit(const struct inode *dir, struct inode *inode);
void acl_free(struct inode *inode); // the inode's memory is about to go
