// kernel/vfs/namei.h — path walk and the operations on names: the acting halves of open, mkdir, rename …, for system calls and for the kernel itself.
#pragma once

#include "kernel/vfs/vfs.h"

#define LOOKUP_FOLLOW 1u        // follow a symlink in the last component
#define LOOKUP_DIRECTORY 2u     // the result must be a directory
#define LOOKUP_PARENT 4u        // stop before the last component
#define LOOKUP_EMPTY 8u         // AT_EMPTY_PATH
#define LOOKUP_CREATE 16u
#define LOOKUP_EXCL 32u
#define LOOKUP_NO_SYMLINKS 64u  // openat2 RESOLVE_*
#define LOOKUP_NO_MAGICLINKS 128u
#define LOOKUP_NO_XDEV 256u
#define LOOKUP_BENEATH 512u
#define LOOKUP_IN_ROOT 1024u
#define LOOKUP_CACHED 2048u
#define LOOKUP_NO_AUTOMOUNT 4096u

#define LOOKUP_OPEN 8192u        // the last component is being opened
#define LOOKUP_REVAL 16384u      // trust no cached entry that has a revalidate operation

#define LOOKUP_RCU 32768u        // to ->revalidate: must not sleep, -ECHILD asks to be called again outside

extern int sysctl_protected_symlinks, sysctl_protected_hardlinks, sysctl_protected_fifos, sysctl_protected_regular; // /proc/sys/fs: proc_sys_fs(5)

#define MAX_SYMLINKS 40

#define PATHNAME_INLINE 112
// A path copied in from user space (or made by the kernel), at most PATH_MAX with its NUL.
struct pathname {
    const char *text;
    size_t len;
    char *heap; // to be freed, or null
    char inline_text[PATHNAME_INLINE];
};
// -EFAULT, -ENAMETOOLONG, -ENOENT for an empty one unless LOOKUP_EMPTY.
[[nodiscard]] int pathname_from_user(struct pathname *name, const char __user *upath, unsigned lookup_flags);
void pathname_free(struct pathname *name); // an empty one, too
// Declares one, empty, for the rest of the block. The text buffer is not cleared: every system call that takes a path comes through here.
#define PATHNAME(var)                                                                                                  \
    struct pathname var CLEANUP(pathname_free) __attribute__((uninitialized));                                        \
    (var).heap = nullptr;                                                                                              \
    (var).text = nullptr;                                                                                              \
    (var).len = 0
void pathname_from_kernel(struct pathname *name, const char *text); // borrows the text

// Where a path leads, from the directory descriptor (or AT_FDCWD): *out with references (path_put). Any errno of path_resolution(7).
[[nodiscard]] int path_lookup_at(int dirfd, const struct pathname *name, unsigned flags, struct path *out);
// Looks at what a path leads to without taking references, where that is possible: `visit` is called with `rcu`, must not sleep then, and answers
// -ECHILD if it has to; it is called again with references. What it found counts only if nothing was moved or removed meanwhile: it may be called
// again for that reason too. `inode` is the path's. Returns the walk's error or what `visit` returned.
typedef int (*path_visitor)(const struct path *path, struct inode *inode, bool rcu, void *arg);
[[nodiscard]] int path_visit_at(int dirfd, const struct pathname *name, unsigned flags, path_visitor visit, void *arg);
// The same as path_lookup_at() for the kernel's own paths, from the current process's root.
[[nodiscard]] int path_lookup(const char *path, unsigned flags, struct path *out);
void path_get(const struct path *path);
void path_put(const struct path *path);

struct open_how_k {
    uint64_t flags; // O_*, checked
    umode_t mode;
    uint64_t resolve;
};
// The acting halves of the calls of the same names. They check permission for the current credentials, take the inode locks of the directories they
// change (so the caller holds none), may sleep, and answer any errno of the manual page.
//
// openat2(2): *out with one reference. -EAGAIN where the walk would have to sleep and LOOKUP_CACHED (RESOLVE_CACHED) forbids it.
[[nodiscard]] int do_open(int dirfd, const struct pathname *name, const struct open_how_k *how, struct file **out);
[[nodiscard]] int file_open(const char *path, unsigned flags, umode_t mode, struct file **out); // the same for a path of the kernel's own
// mkdirat(2), mknodat(2), symlinkat(2): `mode` is as the program gave it, the umask or the directory's default access control list is applied here.
[[nodiscard]] int do_mkdir(int dirfd, const struct pathname *name, umode_t mode);
[[nodiscard]] int do_mknod(int dirfd, const struct pathname *name, umode_t mode, dev_t rdev);
[[nodiscard]] int do_symlink(const char *target, int dirfd, const struct pathname *name);
// linkat(2): flags AT_*. unlinkat(2) without and with AT_REMOVEDIR; renameat2(2): flags RENAME_*.
[[nodiscard]] int do_link(int olddirfd, const struct pathname *old, int newdirfd, const struct pathname *name, unsigned flags);
[[nodiscard]] int do_unlink(int dirfd, const struct pathname *name);
[[nodiscard]] int do_rmdir(int dirfd, const struct pathname *name);
[[nodiscard]] int do_rename(int olddirfd, const struct pathname *old, int newdirfd, const struct pathname *name, unsigned flags);
// Makes a dentry for a node the kernel creates itself (unix sockets' bind): locked parent, negative dentry; finish with path_create_done().
[[nodiscard]] int path_create(int dirfd, const struct pathname *name, bool is_dir, struct path *parent, struct dentry **out);
// Unlocks the parent and drops the references to both.
void path_create_done(struct path *parent, struct dentry *dentry);
// Makes a node at what path_create() gave; mode with its type and the umask applied. Permission is checked here: -EACCES, -EPERM, -EROFS, -ENOSPC …
int vfs_mknod(const struct path *parent, struct dentry *dentry, umode_t mode, dev_t rdev);
