// kernel/vfs/fs_context.h — from where a task looks at names: clone(2) CLONE_FS, chdir(2), chroot(2), umask(2).
#pragma once

#include "kernel/vfs/vfs.h"

// Working directory, root and umask: shared by CLONE_FS.
struct fs_context {
    refcount_t refs; // its tasks, and who looks at it for a moment
    atomic_t users;  // its tasks: more than the threads of one process after clone(CLONE_FS)
    struct spinlock lock;
    seqcount_t seq;
    struct path root, cwd;
    umode_t umask;
};
// A private copy (fork without CLONE_FS, unshare); from null: of the kernel's own, whose root is the first namespace's. Null: no memory.
[[nodiscard]] struct fs_context *fs_context_copy(struct fs_context *from);
void fs_context_put(struct fs_context *fs);
void fs_context_share(struct fs_context *fs); // one more task has it
void fs_context_leave(struct fs_context *fs); // one less
struct fs_context *current_fs_context(void);          // the current task's, or the kernel's own in kernel threads
void fs_context_root(struct fs_context *fs, struct path *out); // with references
void fs_context_cwd(struct fs_context *fs, struct path *out);
void fs_context_set_root(struct fs_context *fs, const struct path *path); // takes its own references
void fs_context_set_cwd(struct fs_context *fs, const struct path *path);
