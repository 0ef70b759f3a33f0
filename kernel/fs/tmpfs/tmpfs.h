// kernel/fs/tmpfs/tmpfs.h — memory file systems: tmpfs(5). Between the parts of this folder; memfd uses tmpfs_inode_create().
#pragma once

#include "kernel/sync/rwsem.h"
#include "kernel/vfs/dcache.h"

struct tmpfs_sb {
    uint64_t max_blocks, used_blocks; // pages; 0: no limit. used: atomic
    uint64_t max_inodes;              // what is used of them is counted in bytes, as extended attributes take of the same
    uint64_t used_inode_bytes;        // atomic: TMPFS_INODE_BYTES for an inode and for each further link, and all attributes
    umode_t mode;
    uid_t uid;
    gid_t gid;
    bool default_blocks, default_inodes;
};

struct tmpfs_xattr {
    struct list_head link;
    size_t size;
    char *value;
    char name[];
};

struct tmpfs_inode {
    struct inode vfs;         // first
    struct rwsem xattr_sem;
    struct list_head xattrs;  // xattr_sem
};

#define TMPFS_DIRENT_SIZE 20 // what a name adds to its directory's size
#define TMPFS_INODE_BYTES 1024u

static inline struct tmpfs_sb *tmpfs_sb(const struct superblock *sb)
{
    return sb->private;
}
static inline struct tmpfs_inode *tmpfs_inode(struct inode *inode)
{
    return container_of(inode, struct tmpfs_inode, vfs);
}

extern const struct inode_ops tmpfs_dir_ops, tmpfs_file_inode_ops, tmpfs_link_inode_ops, tmpfs_special_inode_ops;
extern const struct file_ops tmpfs_file_ops;
extern const struct page_cache_ops tmpfs_cache_ops;

// A new instance, with its root directory: file_system_type's get_super. options: tmpfs(5). -EINVAL, -ENOMEM.
[[nodiscard]] int tmpfs_get_super(const struct file_system_type *type, unsigned flags, const char *source, const char *options, struct superblock **out);
// A new inode, not yet linked anywhere. mode with its type. -ENOSPC (limit), -ENOMEM.
[[nodiscard]] int tmpfs_inode_create(struct superblock *sb, const struct inode *dir, umode_t mode, dev_t rdev, struct inode **out);
// superblock_ops: the memory of an inode (null: none left), and the end of one: what it was charged for and its attributes go.
struct inode *tmpfs_alloc_inode(struct superblock *sb);
void tmpfs_free_inode(struct inode *inode);
void tmpfs_evict_inode(struct inode *inode);
// Counts `bytes` of inodes, links or attributes against the instance's limit (nr_inodes).
[[nodiscard]] bool tmpfs_charge_inodes(struct tmpfs_sb *ts, uint64_t bytes); // false: ENOSPC
void tmpfs_uncharge_inodes(struct tmpfs_sb *ts, uint64_t bytes);

// inode_ops: user., trusted. and security. attributes, else -EOPNOTSUPP; the caller has checked name and permission. Size or 0; -ENODATA, -ERANGE, -EEXIST
// (XATTR_CREATE), -ENOSPC (the limit of inodes), -ENOMEM. Take xattr_sem.
ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *buf, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_listxattr(struct inode *inode, char *buf, size_t size);
int tmpfs_removexattr(struct inode *inode, const char *name);
void tmpfs_xattrs_free(struct tmpfs_inode *ti); // all of them, of an inode that nobody else has any more
