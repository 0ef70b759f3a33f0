// kernel/fs/pseudo/pseudo.h — trees of folders and small files that the kernel makes itself: what proc, sysfs and cgroup2 have in common.
//
// A folder (struct pseudo_dir) stands for one object. Its files come from tables of struct pseudo_entry, its sub-folders and links are added and removed
// as the objects come and go. Dentries and inodes are made when a path walk asks for them and dropped when nobody uses them; what must last (owner and mode
// that someone changed) is kept in the folder. Inode numbers are given to a folder once, with one for each of its table's files, and never change.
//
// Locks: pseudo_tree_sem (below inode->sem) guards the shape of all trees. A removed folder stays in memory while an open file or a dentry holds it;
// `dead` tells, and reads and writes answer -ENODEV.
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/vfs/vfs.h"

struct pseudo_dir;

struct pseudo_entry {              // one file in a table; a null name ends it
    const char *name;
    umode_t mode;                  // permissions
    // The content, made when it is read. `object` is the folder's.
    int (*show)(struct seq_file *m, void *object);
    // What one write(2) brought: `text` is `len` bytes and a NUL, at file offset `pos`. Returns the bytes taken or -errno.
    ssize_t (*store)(struct file *file, void *object, char *text, size_t len, loff_t pos);
    uint32_t (*poll)(struct file *file, struct poll_table *pt);
    int (*opened)(struct file *file); // a check or note when it is opened, before show is prepared
    void (*closed)(struct file *file); // after an `opened` that succeeded
    const struct file_ops *fops;   // operations of its own instead of show and store
    const char *target;            // a symbolic link to this text
    const void *data;              // the table's own
    loff_t size;                   // st_size, of binary content with operations of its own; 0: as in the whole tree
    // Null: always. An open file that no longer is answers -ENODEV. May be asked under RCU after the folder's last reference went: the object's memory lasts
    // a grace period longer.
    bool (*visible)(const void *object);
};

struct pseudo_table {
    struct pseudo_table *next;
    const struct pseudo_entry *entries;
    ino_t first_ino;
};

struct pseudo_changed;             // owner and mode of an entry that someone changed

struct pseudo_dir {
    refcount_t refs;
    bool dead;
    struct pseudo_dir *parent;     // null for a root; holds a reference
    char *name;
    char *target;                  // not null: a symbolic link, not a folder
    ino_t ino;
    umode_t mode;                  // permissions
    uid_t uid;
    gid_t gid;
    uid_t file_uid;                // of its table's files, unless changed
    gid_t file_gid;
    struct pseudo_table table;     // the first; more by pseudo_table_add()
    void *object;
    void (*release)(void *object); // when the last reference goes
    const struct inode_ops *ops;   // of its inode
    const struct inode_ops *file_inode_ops; // of its files' inodes
    const struct file_ops *file_fops; // of its files, where their entry has none: pseudo_file_fops, or pseudo_sized_fops
    loff_t file_size;              // st_size of its files; with one, as in sysfs, links have none. Inherited, as the three above and the next
    bool lenient;                  // files open for what they cannot do, and fail then: procfs, cgroup2
    struct timespec_k born;
    uint64_t order;                // among its siblings
    struct list_head sibling, children; // in the order they were made: pseudo_tree_sem, as the next two
    struct rb_root by_name;        // the children again
    struct rb_node name_node;
    struct pseudo_changed *changed; // pseudo_tree_sem
    struct rcu_head rcu;
};

struct pseudo_inode {
    struct inode vfs;              // first
    struct pseudo_dir *dir;        // itself, or what its entry is in; holds a reference
    const struct pseudo_entry *entry; // null: a folder or a link of its own
};

// From what the VFS hands over to our own: `inode` is of a pseudo tree. The object is that of the folder the file is in.
static inline struct pseudo_inode *pseudo_inode(const struct inode *inode)
{
    return container_of((struct inode *)inode, struct pseudo_inode, vfs);
}
static inline const struct pseudo_entry *pseudo_entry(const struct file *file)
{
    return pseudo_inode(file->inode)->entry;
}
static inline void *pseudo_object(const struct file *file)
{
    return pseudo_inode(file->inode)->dir->object;
}

// A folder without a parent yet, of one reference. `entries` may be null. Null: no memory. Thread context.
[[nodiscard]] struct pseudo_dir *pseudo_root(const struct pseudo_entry *entries, void *object);
// A new folder in `parent`, mode 0755, owned by root, with the caller's reference in *out (out null: the tree's only). -EEXIST, -ENOENT (parent
// removed), -ENOMEM.
[[nodiscard]] int pseudo_mkdir(struct pseudo_dir *parent, const char *name, const struct pseudo_entry *entries, void *object, struct pseudo_dir **out);
// A link with that text. -EEXIST, -ENOENT, -ENOMEM.
[[nodiscard]] int pseudo_symlink(struct pseudo_dir *parent, const char *name, const char *target);
// Another table of files for a folder. -ENOMEM.
[[nodiscard]] int pseudo_table_add(struct pseudo_dir *dir, const struct pseudo_entry *entries);
// Takes a folder (with all below it) or a link out of its tree.
void pseudo_remove(struct pseudo_dir *dir);
void pseudo_remove_named(struct pseudo_dir *parent, const char *name); // the same by name, if it is there
// The child of that name with a reference, or null.
struct pseudo_dir *pseudo_find(struct pseudo_dir *parent, const char *name, size_t len);
static inline struct pseudo_dir *pseudo_get(struct pseudo_dir *dir)
{
    refcount_inc(&dir->refs);
    return dir;
}
void pseudo_put(struct pseudo_dir *dir); // null allowed. The last one calls ->release

// -- between the library and a file system
// The inode of a folder or link (`entry` null), or of an entry of it. Null: no memory.
[[nodiscard]] struct inode *pseudo_inode_make(struct superblock *sb, struct pseudo_dir *dir, const struct pseudo_entry *entry);
// The inode that stands for `name` in a folder: 0, -ENOENT, -ENOMEM.
[[nodiscard]] int pseudo_find_inode(struct superblock *sb, struct pseudo_dir *dir, const char *name, size_t len, struct inode **out);
// Emits what is in the folder; positions count from `base`. False: no room.
bool pseudo_emit(struct pseudo_dir *dir, struct dir_context *ctx, loff_t base);
// The entries of superblock_ops and inode_ops that all pseudo trees have; a mode or owner that was set is kept in the folder.
void pseudo_evict_inode(struct inode *inode);
struct inode *pseudo_alloc_inode(struct superblock *sb);
void pseudo_free_inode(struct inode *inode);
int pseudo_setattr(struct dentry *dentry, struct iattr *attr);
int pseudo_statfs(struct dentry *dentry, struct kstatfs *out);
// A superblock whose root is `root`. No file of it is a program, whatever mode someone gives it.
[[nodiscard]] int pseudo_super_make(const struct file_system_type *type, unsigned flags, uint64_t magic, const struct superblock_ops *ops,
                                    struct pseudo_dir *root, struct superblock **out);
int pseudo_lookup(struct inode *dir, struct dentry *dentry, unsigned flags); // inode_ops->lookup of a folder: the name may be a negative entry

extern const struct inode_ops pseudo_dir_ops, pseudo_file_ops_inode, pseudo_link_ops;
extern const struct dentry_ops pseudo_dentry_ops;
extern const struct file_ops pseudo_dir_fops;
// Of files with an entry's show and store. A file of procfs has no end to seek from, and a write that it does not take is -EIO; of one that is sized the end
// is at st_size, though that says nothing of its content, and such a write is -EINVAL.
extern const struct file_ops pseudo_file_fops, pseudo_sized_fops;
loff_t pseudo_sized_llseek(struct file *file, loff_t offset, int whence); // of the latter, for a file with other operations
