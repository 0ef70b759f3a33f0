// kernel/vfs/dcache.h — dentries and inodes: making, finding, publishing and dropping them; for file systems and the path walk.
#pragma once

#include "kernel/vfs/vfs.h"

// -- dentries
[[nodiscard]] struct dentry *d_alloc(struct dentry *parent, const char *name, size_t len); // unhashed, no inode, one reference; null: no memory
[[nodiscard]] struct dentry *d_alloc_root(struct inode *inode);                            // takes over the inode reference
[[nodiscard]] struct dentry *d_alloc_anon(struct inode *inode, const struct dentry_ops *ops); // for pipes, sockets …
void d_add(struct dentry *dentry, struct inode *inode);         // hashes it; inode null: negative. Takes over the inode reference
void d_instantiate(struct dentry *dentry, struct inode *inode); // a negative, hashed dentry becomes positive
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len); // cached entry with a reference, or null
void d_drop(struct dentry *dentry);                             // unhash: later lookups ask the file system again
void d_delete(struct dentry *dentry);                           // after unlink: becomes negative, or is unhashed while others use it
void d_move(struct dentry *dentry, struct dentry *target, bool exchange);
static inline struct dentry *dget(struct dentry *d)
{
    refcount_inc(&d->refs);
    return d;
}
void dput(struct dentry *dentry);                               // null allowed
void d_invalidate_children(struct dentry *dentry);              // drops cached entries below (proc, on exit)
bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *d);
bool d_has_positive_children(struct dentry *dentry);
// Entries of a keep_dentries file system, for readdir: generic directory iterator and seek, "." and ".." included.
int dcache_iterate(struct file *file, struct dir_context *ctx);
loff_t dcache_llseek(struct file *file, loff_t offset, int whence);

// -- inodes
[[nodiscard]] struct inode *inode_alloc(struct superblock *sb); // one reference, nlink 1, fresh ino, times now; null: no memory
static inline struct inode *iget(struct inode *inode)
{
    refcount_inc(&inode->refs);
    return inode;
}
void iput(struct inode *inode);
// Owner, group (set-group-ID directory rule) and mode (umask was applied by the caller) of a new inode in `dir`.
void inode_init_owner(struct inode *inode, const struct inode *dir, umode_t mode);
void inode_touch(struct inode *inode, bool mtime, bool ctime);
void inode_accessed(struct file *file); // atime by mount policy (relatime)
static inline loff_t inode_size(const struct inode *inode)
{
    return __atomic_load_n(&inode->size, __ATOMIC_RELAXED);
}
void inode_set_nlink_drop(struct inode *inode);

// Checks of the generic kind. 0 or -EACCES/-EPERM.
int generic_permission(struct inode *inode, unsigned mask);
int inode_permission(struct inode *inode, unsigned mask); // with read-only file systems (-EROFS) and ops->permission
int setattr_prepare(struct dentry *dentry, struct iattr *attr);
void setattr_copy(struct inode *inode, const struct iattr *attr);
void generic_getattr(struct inode *inode, struct kstat *stat);

// Generic file operations over the page cache.
ssize_t generic_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
ssize_t generic_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags);
loff_t generic_llseek(struct file *file, loff_t offset, int whence);
int generic_mmap(struct file *file, struct vma *vma);
int noop_fsync(struct file *file, loff_t start, loff_t end, bool data_only);
extern const struct file_ops dcache_dir_ops; // open directories of keep_dentries file systems

// -- superblocks
[[nodiscard]] struct superblock *sb_alloc(const struct file_system_type *type, unsigned flags); // with an anonymous device number
void sb_put(struct superblock *sb);
// The next value of the "key=value,flag" list in *options; false at the end.
bool mount_option_next(const char **options, char *key, size_t key_size, char *value, size_t value_size);
