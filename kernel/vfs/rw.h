// kernel/vfs/rw.h — reading and writing open files: the acting halves, for system calls, splice and the kernel itself.
#pragma once

#include "kernel/vfs/file.h"

// Checks access, counts, and calls the file's operation. *pos moves. Errors of read(2) and write(2).
[[nodiscard]] ssize_t vfs_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
[[nodiscard]] ssize_t vfs_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags);
// The file's own position for an operation on it; locked where another thread could move it meanwhile.
struct pos_ref {
    loff_t *pos;
    struct mutex *lock;
    loff_t none; // what a stream gets
};
// The position needs its lock only if another descriptor, thread or process can use this description at the same time. A directory's always has it: its
// file system keeps more there than a number, and pidfd_getfd(2) can bring another process in the midst of a call.
static ALWAYS_INLINE void file_pos_begin(struct pos_ref *ref, struct file *file, bool shared) NO_THREAD_SAFETY_ANALYSIS
{
    ref->lock = nullptr;
    if (file->ops->nonseekable) {
        ref->none = 0;
        ref->pos = &ref->none;
        return;
    }
    ref->pos = &file->pos;
    if (file->mode & FMODE_ATOMIC_POS && (shared || refcount_read(&file->refs) > 1 || file->ops->iterate)) {
        ref->lock = &file->pos_lock;
        mutex_lock(ref->lock);
    }
}
static ALWAYS_INLINE void file_pos_end(struct pos_ref *ref) NO_THREAD_SAFETY_ANALYSIS
{
    if (unlikely(ref->lock))
        mutex_unlock(ref->lock);
}
// lseek(2): the new position, or its errno. The caller holds the position (file_pos_begin()).
[[nodiscard]] loff_t vfs_llseek(struct file *file, loff_t offset, int whence);
