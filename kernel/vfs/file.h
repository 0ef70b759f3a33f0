// kernel/vfs/file.h — open file descriptions and descriptor tables.
#pragma once

#include "kernel/vfs/vfs.h"

struct files;

// -- descriptions
// An open file on a place, with one reference: used by open and by file systems' anonymous objects. flags: O_*. -ENFILE, -ENOMEM.
[[nodiscard]] int file_alloc(const struct path *path, unsigned flags, const struct file_ops *ops, struct file **out);
// What open does once the place is known: ops by the kind of inode, the counts of writers, ops->open. On error the caller puts the file.
[[nodiscard]] int file_do_open(struct file *file);
uint64_t file_count(void);        // /proc/sys/fs/file-nr
extern uint64_t sysctl_file_max;  // /proc/sys/fs/file-max
extern uint32_t sysctl_nr_open;   // /proc/sys/fs/nr_open
// An anonymous file ("anon_inode:[name]") for eventfd, epoll, timerfd, signalfd, pidfd … on the shared anonymous inode.
[[nodiscard]] int file_anon(const char *name, const struct file_ops *ops, void *private, unsigned flags, struct file **out);
static inline struct file *file_get(struct file *file)
{
    refcount_inc(&file->refs);
    return file;
}
// Drops a reference; the last release runs on the way back to user mode (or in a worker from kernel threads), never under the caller's locks.
void file_put(struct file *file);
// The same, but the last release runs here and now. For callers that hold no lock: close(2).
void file_put_sync(struct file *file);
// What each close of a descriptor does: ->flush, record locks (not O_PATH's); then file_put_sync(). Its errno is close(2)'s.
int file_close(struct file *file, struct files *owner);

// Kernel-side I/O on open files: bytes, or an errno of read(2), write(2).
ssize_t file_read(struct file *file, void *buf, size_t size, loff_t *pos);
ssize_t file_write(struct file *file, const void *buf, size_t size, loff_t *pos);

// -- descriptor tables (struct files is shared by CLONE_FILES)
[[nodiscard]] struct files *files_create(void); // empty, one reference; null: no memory
[[nodiscard]] int files_copy(struct files *from, struct files **out); // fork: -ENOMEM
struct files *files_get(struct files *files);
void files_put(struct files *files); // null allowed. The last one closes what is open: may sleep
// For who only looks: keeps the memory, not what is open.
struct files *files_hold(struct files *files);
void files_release(struct files *files);
void files_close_on_exec(struct files *files); // of a table that is the current process's alone
[[nodiscard]] int files_unshare(struct files **slot);                 // a private copy if shared: -ENOMEM

// Lookup in the current process's table. fd_get returns a reference that fd_put drops (free of atomics when the table is not shared).
struct fd_ref {
    struct file *file; // null: EBADF
    bool counted;
};
struct fd_ref fd_get(int fd);         // not O_PATH descriptors
struct fd_ref fd_get_raw(int fd);     // any
void fd_put_counted(struct file *file); // fd_put() of a reference that was counted
static inline void fd_put(struct fd_ref ref)
{
    if (unlikely(ref.counted && ref.file))
        fd_put_counted(ref.file);
}
static inline void fd_put_cleanup_(struct fd_ref *ref)
{
    fd_put(*ref);
}
// Scoped: struct fd_ref CLEANUP(fd_put_cleanup_) f = fd_get(fd);
#define FD_REF(name, fd) struct fd_ref name CLEANUP(fd_put_cleanup_) = fd_get(fd)
#define FD_REF_RAW(name, fd) struct fd_ref name CLEANUP(fd_put_cleanup_) = fd_get_raw(fd)
// Many lookups in one call (poll, select): a table that nobody else can change is looked up once. Between fd_view() and the last fd_view_get() the caller
// opens and closes no descriptors. Each result is put with fd_put(), as fd_get()'s.
struct fd_view {
    struct file **files; // null: the table is shared, each lookup is fd_get()
    unsigned max;
};
struct fd_view fd_view(void);
static inline struct fd_ref fd_view_get(const struct fd_view *view, int fd)
{
    if (unlikely(!view->files))
        return fd_get(fd);
    struct file *file = likely((unsigned)fd < view->max) ? view->files[fd] : nullptr;
    if (unlikely(file && file->mode & FMODE_PATH))
        file = nullptr;
    return (struct fd_ref){file, false};
}
// Another process's descriptor (/proc/PID/fd, pidfd_getfd): a counted reference or null.
struct file *files_lookup(struct files *files, int fd);
// The lowest open descriptor >= fd, or -1 (for /proc/PID/fd).
int files_next(struct files *files, int fd);
bool fd_refers_to(int fd, const struct file *file); // in the current process's table, now

// Reserve the lowest free descriptor >= from, then install or give back. -EMFILE. flags: O_CLOEXEC.
[[nodiscard]] int fd_reserve(int from, unsigned flags);
void fd_install(int fd, struct file *file); // takes over the reference
void fd_release(int fd); // a reserved one is free again
// Both at once; on error the file is put.
[[nodiscard]] int fd_install_new(struct file *file, unsigned flags);
// close(2), in the current process's table: -EBADF, or what ->flush says.
[[nodiscard]] int fd_close(int fd);
unsigned files_count(struct files *files); // open or reserved
unsigned files_max(struct files *files); // descriptors the table has room for now: FDSize in /proc/PID/status
bool files_cloexec(struct files *files, int fd); // false also of one that is not open
[[nodiscard]] int fd_set_cloexec(int fd, bool on);                         // -EBADF
// Puts `file` (its own reference is taken) at `fd`, closing what was there: dup2(2). fd, -EBADF, -EBUSY, -EMFILE, -ENOMEM.
[[nodiscard]] int fd_replace(int fd, struct file *file, unsigned flags);
// close_range(2), both ends included: without a word about those that are not open.
void files_close_range(struct files *files, unsigned first, unsigned last);
void files_cloexec_range(struct files *files, unsigned first, unsigned last);
[[nodiscard]] int files_unshare_keeping(struct files **slot, unsigned keep); // only descriptors below `keep` come along
