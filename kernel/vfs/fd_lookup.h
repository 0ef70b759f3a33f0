// kernel/vfs/fd_lookup.h — descriptor tables from within, and fd_get() in place for calls that do little else.
#pragma once

#include "kernel/proc/task.h"
#include "kernel/vfs/file.h"

#define FD_EMBEDDED 64u

struct fd_array {
    unsigned max; // a multiple of 64
    struct file **file;
    unsigned long *open, *cloexec, *full;
    struct rcu_head rcu;
};

struct files {
    refcount_t users;       // tasks; the last one closes what is open
    refcount_t refs;        // of the memory: one of all users, one of each who only looks (/proc, pidfd_getfd)
    struct fd_array *table; // RCU
    struct spinlock lock;
    unsigned next;          // no free descriptor below; lock
    struct fd_array first;
    struct file *first_file[FD_EMBEDDED];
    unsigned long first_open, first_cloexec, first_full;
};

// System calls run in tasks: there is no need to ask whether this thread is one.
static ALWAYS_INLINE struct files *current_files(void)
{
    return container_of(current_thread(), struct task, thread)->files;
}

// With a reference; null where the slot is empty or the file has a mode bit of `refuse`.
struct file *fd_find_shared(struct files *f, unsigned fd, unsigned refuse);

static ALWAYS_INLINE struct fd_ref fd_find(int fd, unsigned refuse)
{
    struct files *f = current_files();
    if (unlikely(refcount_read(&f->users) != 1))
        return (struct fd_ref){fd_find_shared(f, (unsigned)fd, refuse), true};
    struct fd_array *t = f->table;
    struct file *file = likely((unsigned)fd < t->max) ? t->file[(unsigned)fd] : nullptr;
    if (unlikely(file && file->mode & refuse))
        file = nullptr;
    return (struct fd_ref){file, false};
}

// FD_REF and FD_REF_RAW, in place.
#define FD_REF_HERE(name, fd) struct fd_ref name CLEANUP(fd_put_cleanup_) = fd_find(fd, FMODE_PATH)
#define FD_REF_RAW_HERE(name, fd) struct fd_ref name CLEANUP(fd_put_cleanup_) = fd_find(fd, 0)
