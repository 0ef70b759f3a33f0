// kernel/vfs/file_lock.h — advisory locks on files: flock(2), fcntl(2) record locks and open-file-description locks.
#pragma once

#include "kernel/vfs/vfs.h"

struct files;
struct pid_namespace;

// flock(2): op is LOCK_SH, LOCK_EX or LOCK_UN, perhaps with LOCK_NB. -EWOULDBLOCK, -EINTR, -ENOMEM.
[[nodiscard]] int file_flock(struct file *file, int op);
// fcntl(2) F_GETLK, F_SETLK, F_SETLKW and the F_OFD_ forms; *lock is read and, for the GET forms, written. fd: the descriptor
// that stands for the file; if it does not any more when a POSIX lock has been got, the process has no lock on the file: -EBADF. -EAGAIN,
// -EDEADLK, -EINVAL, -EBADF …
[[nodiscard]] int file_posix_lock(int fd, struct file *file, int cmd, struct abi_flock *lock);
// Each close of a descriptor: drops the record locks that the closing process holds on the inode.
void file_locks_close(struct file *file, struct files *owner);
// The last reference of a description: drops its flock and OFD locks.
void file_locks_release(struct file *file);
void file_lock_context_free(struct inode *inode); // the inode goes, and with it what locks it still has
// Opens /proc/locks, with the numbers that holders have in `ns`, which lives as long.
[[nodiscard]] int file_locks_open(struct file *file, const struct pid_namespace *ns);
// The lines of /proc/PID/fdinfo about the locks that the description has, and the record locks on its file of those who share the table `files`.
void file_locks_show(struct seq_file *m, const struct file *file, const struct files *files, const struct pid_namespace *ns);
