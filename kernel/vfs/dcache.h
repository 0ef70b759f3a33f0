// kernel/vfs/dcache.h — dentries and inodes: making, finding, publishing and dropping them; for file systems and the path walk.
#pragma once

#include "kernel/vfs/vfs.h"

// -- dentries
[[nodiscard]] struct dentry *d_alloc(struct dentry *parent, const char *name, size_t len); // unhashed, no inode, one reference; null: no memory
[[nodiscard]] struct dentry *d_alloc_root(struct inode *inode);                            // takes over the inode reference
[[nodiscard]] struct dentry *d_alloc_anon(struct inode *inode, const struct dentry_ops *ops); // for pipes, sockets …
void d_name_by_number(struct dentry *dentry);                   // of an O_TMPFILE, never hashed: "#" and its inode number, for who reads its path
void d_add(struct dentry *dentry, struct inode *inode);         // hashes it; inode null: negative. Takes over the inode reference
void d_instantiate(struct dentry *dentry, struct inode *inode); // a negative, hashed dentry becomes positive
struct dentry *d_lookup(struct dentry *parent, const char *name, size_t len); // cached entry with a reference, or null
void d_set_ops(struct dentry *dentry, const struct dentry_ops *ops); // before d_add()
// "." and ".." for ->iterate: positions 0 and 1. False: no room.
bool dir_emit_dots(struct file *file, struct dir_context *ctx);
void d_drop(struct dentry *dentry);                             // unhash: later lookups ask the file system again
void d_delete(struct dentry *dentry);                           // after unlink: becomes negative, or is unhashed while others use it
// `dentry` gets the name and place of `target`, which leaves the hash table or, with `exchange`, gets those of `dentry`. Both directories locked for write.
void d_move(struct dentry *dentry, struct dentry *target, bool exchange);
static inline struct dentry *dget(struct dentry *d)
{
    refcount_inc(&d->refs);
    return d;
}
void dput(struct dentry *dentry);                               // null allowed. May sleep: the last reference may free an inode
struct dentry *dget_parent(struct dentry *dentry);              // its parent now, with a reference
// Hash of a name below a parent; `len` ends it. The word-at-a-time form of the path walk gives the same value.
uint32_t d_name_hash(const struct dentry *parent, const char *name, size_t len);
// As d_lookup() with the hash known. The _rcu form returns a dentry without a reference and its sequence count: rcu_read_lock() held.
struct dentry *d_lookup_hashed(struct dentry *parent, const struct qstr *name);
struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, uint32_t *seq);
[[nodiscard]] static inline bool dget_rcu(struct dentry *d)     // false: it is dying
{
    return refcount_inc_not_zero(&d->refs);
}
static inline bool d_unhashed(const struct dentry *d)
{
    return READ_ONCE(d->flags) & DCACHE_UNHASHED;
}
static inline bool d_is_root(const struct dentry *d)
{
    return READ_ONCE(d->parent) == d;
}
extern seqcount_t rename_seq;   // odd while some dentry changes its place in the tree
// A look at the shape of the tree that moves may spoil: what was read between the two is right if the second says no. Where it says yes once, nothing moves
// in the next round, so that there is no third; a spinlock is held meanwhile.
struct tree_look { // {} at first
    uint32_t moves;
    bool alone;
};
void tree_look_begin(struct tree_look *look);
[[nodiscard]] bool tree_look_again(struct tree_look *look);
uint64_t dentry_count(void);        // /proc/sys/fs/dentry-state: all, and those only kept in case they are asked for again
uint64_t dentry_unused_count(void);
void d_invalidate_children(struct dentry *dentry);              // drops cached entries below (proc, on exit)
// Waits for the shrinker to be done with what it has taken of the superblock, from which nothing can be looked up any more.
void dcache_wait_for_shrinker(struct superblock *sb);
bool d_is_ancestor(const struct dentry *ancestor, const struct dentry *d); // or the same one
bool d_has_positive_children(struct dentry *dentry);                         // of a keep_dentries file system: is the directory not empty?
// Entries of a keep_dentries file system, for readdir: generic directory iterator, "." and ".." included. Shows what there was when the file was first read, or
// last from the beginning, without what has gone or got another name since.
int dcache_iterate(struct file *file, struct dir_context *ctx);

// -- inodes
[[nodiscard]] struct inode *inode_alloc(struct superblock *sb); // one reference, nlink 1, fresh ino, times now; null: no memory
static inline struct inode *iget(struct inode *inode)
{
    refcount_inc(&inode->refs);
    return inode;
}
void iput(struct inode *inode); // null allowed. May sleep: the last reference may free content
// Owner, group (set-group-ID directory rule) and mode (umask was applied by the caller) of a new inode in `dir`.
void inode_init_owner(struct inode *inode, const struct inode *dir, umode_t mode);
void inode_touch(struct inode *inode, bool mtime, bool ctime); // sets them to now; inode->sem
// The content of the file is changed by the current thread: set-id bits and file capabilities go, unless it may keep them, and the times are now. inode->sem
// held for write. 0, or what setattr answers.
[[nodiscard]] int file_modified(struct file *file);
void inode_accessed(struct file *file); // atime by mount policy (relatime)
void path_accessed(const struct path *path); // the same without an open file (readlink)
int inode_new_size_ok(struct inode *inode, loff_t size); // RLIMIT_FSIZE with SIGXFSZ, the file system's limit: 0 or -EFBIG
// As vfs_setattr() with inode->sem held for write and the mount's write access taken.
int setattr_locked(struct dentry *dentry, struct iattr *attr);
static inline loff_t inode_size(const struct inode *inode)
{
    return __atomic_load_n(&inode->size, __ATOMIC_RELAXED);
}
void inode_set_nlink_drop(struct inode *inode); // one link less, ctime is now; inode->sem for write
void inode_count_links(struct inode *inode); // nlink has changed: keeps I_UNLINKED and its superblock's count of them. inode->sem for write

uint64_t inode_count(void); // in memory, all file systems
// The open-for-writing count against execution: 0 or -ETXTBSY.
[[nodiscard]] int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);               // its reverse
[[nodiscard]] int inode_deny_write(struct inode *inode); // exec
void inode_allow_write(struct inode *inode);              // its reverse
// Whether writing by the current thread must take the set-id bits and capabilities away; as ATTR_KILL_* bits.
unsigned inode_privileges_to_kill(const struct inode *inode);
// Takes security.capability off (xattr.c); inode->sem held for write.
[[nodiscard]] int inode_drop_file_caps(struct inode *inode);
// Locks `a` then `b` for write (the same one twice is locked once). A directory goes before what is below it, unrelated inodes go by address.
void inode_lock_two(struct inode *a, struct inode *b);
void inode_unlock_two(struct inode *a, struct inode *b);

// Checks of the generic kind. 0 or -EACCES/-EPERM.
int generic_permission(struct inode *inode, unsigned mask);
bool inode_owner_or_capable(const struct inode *inode); // the current thread is its owner, or CAP_FOWNER makes it one
int inode_permission(struct inode *inode, unsigned mask); // with read-only file systems (-EROFS) and ops->permission
// The same for other credentials than the current ones, of an inode with neither ops->permission nor an access control list.
int inode_permission_of(const struct cred *cred, struct inode *inode, unsigned mask);
// For a file system's setattr, inode->sem held for write: may the current credentials change these? May take S_ISGID out of attr->mode. 0, -EPERM,
// -EFBIG (RLIMIT_FSIZE, with SIGXFSZ, or the file system's limit).
int setattr_prepare(struct dentry *dentry, struct iattr *attr);
// Then writes all but the size into the inode; ctime is now.
void setattr_copy(struct inode *inode, const struct iattr *attr);
// What stat(2) tells, from the inode: for a file system's getattr, which changes what it knows better. No lock.
void generic_getattr(struct inode *inode, struct kstat *stat);

// Generic file operations over the page cache. Writing takes inode->sem; -EFBIG, -ENOSPC and what the file system's page_cache_ops answer.
ssize_t generic_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
// What lies at `pos` without copying it: *page, with a reference (the zero page for a hole), the *offset in it, and how many bytes of it are the
// file's. 0 at the end of the file, -errno.
ssize_t generic_page_at(struct file *file, loff_t pos, struct page **page, size_t *offset);
ssize_t generic_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags);
loff_t generic_llseek(struct file *file, loff_t offset, int whence);
loff_t endless_llseek(struct file *file, loff_t offset, int whence); // for directories and text made when read: no SEEK_END
// The new size of a file in the page cache, with inode->sem held for write: drops and unmaps the pages beyond.
void inode_set_size(struct inode *inode, loff_t size);
int generic_mmap(struct file *file, struct vma *vma); // -EPERM: a sealed memory file, shared and writable
int noop_fsync(struct file *file, loff_t start, loff_t end, bool data_only); // 0: memory is all there is
extern const struct file_ops dcache_dir_ops; // open directories of keep_dentries file systems

// -- superblocks
static inline struct superblock *sb_get(struct superblock *sb)
{
    refcount_inc(&sb->refs);
    return sb;
}
[[nodiscard]] struct superblock *sb_alloc(const struct file_system_type *type, unsigned flags); // with an anonymous device number
// For file systems without names, of the kernel's own (pipes, sockets …): a superblock with an empty root directory. ops may be null. -ENOMEM.
[[nodiscard]] int sb_create_nameless(const struct file_system_type *type, unsigned flags, uint64_t magic, const struct superblock_ops *ops,
                                     struct superblock **out);
void sb_put(struct superblock *sb); // a mount less; the last one ends the instance. May sleep
void sb_get_memory(struct superblock *sb); // the structure only
void sb_put_memory(struct superblock *sb);
void sync_all_superblocks(bool wait); // sync(2)
// The next value of the "key=value,flag" list in *options; false at the end.
bool mount_option_next(const char **options, char *key, size_t key_size, char *value, size_t value_size);
