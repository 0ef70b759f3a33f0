// kernel/vfs/mount_internal.h — what the path walk and the parts of mount handling share.
#pragma once

#include "kernel/vfs/mount.h"

struct mount_namespace {
    refcount_t refs;
    struct mount *root;
    struct list_head mounts;    // ns_link; namespace_sem
    unsigned nr_mounts;
    uint64_t inum, event;       // event: counts changes of the tree
    struct waitqueue poll_wq;
};

extern struct rwsem namespace_sem;
extern seqcount_t mount_seq;           // odd while the hash of mounts changes
extern struct mount_namespace *init_mount_ns;
struct mount_namespace *current_mount_ns(void);

// The topmost-but-one: what is mounted on (parent, dentry), or null. The _rcu form under rcu_read_lock(), to be checked against mount_seq; the other returns a
// reference.
struct mount *mount_find_rcu(const struct mount *parent, const struct dentry *dentry);
struct mount *mount_find_get(struct mount *parent, struct dentry *dentry);
[[nodiscard]] static inline bool mnt_get_rcu(struct mount *mnt)
{
    return refcount_inc_not_zero(&mnt->refs);
}
// Follows (mnt, dentry) down through everything mounted on it; the path's references are exchanged on the way.
void path_descend_mounts(struct path *path);
// Whether `path` lies at or below `root`, mounts crossed.
bool path_is_under(const struct path *path, const struct path *root);

// mount_tree.c: all with namespace_sem held for write.
struct mount *mount_new(struct superblock *sb, struct dentry *root, const char *source); // takes its own references
struct mount *mount_clone(struct mount *from, struct dentry *root, unsigned clone_flags);
struct mount *mount_copy_tree(struct mount *from, struct dentry *root, unsigned clone_flags);
#define CLONE_MNT_PRIVATE 1u     // not a peer of the original
#define CLONE_MNT_SLAVE 2u       // a slave of the original's group
#define CLONE_MNT_SHARED 4u      // in a new group of its own
#define CLONE_MNT_UNBINDABLE 8u  // copies unbindable mounts too
void mount_attach(struct mount *mnt, struct mount *parent, struct dentry *mountpoint);
void mount_detach_one(struct mount *mnt); // from its parent
struct mount *mount_next(struct mount *m, struct mount *root); // depth first, the root first; null at the end
bool mount_is_below(const struct mount *m, const struct mount *root);
void mount_tree_adopt(struct mount *tree, struct mount_namespace *ns); // enters all of it into the namespace's list
void mount_ns_changed(struct mount_namespace *ns);
void mount_tree_release(struct mount *tree); // an unattached copy
// Takes the tree out of its namespace and its place; references are dropped after namespace_sem (see mounts_release_pending()).
void mount_tree_unmount(struct mount *tree, bool propagate);
void namespace_unlock(void) RELEASE(namespace_sem); // releases namespace_sem, then what was unmounted under it
bool mount_tree_busy(struct mount *mnt);

// mount_propagate.c
int group_id_take(struct mount *mnt);
void group_leave(struct mount *mnt); // becomes private; slaves go to a peer or to its master
int mount_set_propagation(struct mount *mnt, unsigned type);
// Mounts copies of `tree` wherever an attachment at (parent, dentry) is seen. 0 or -ENOMEM, with nothing done.
int propagate_mount(struct mount *parent, struct dentry *dentry, struct mount *tree, struct list_head *copies);
void propagate_umount(struct mount *mnt, struct list_head *unmounted);
struct mount *propagation_next(struct mount *m, const struct mount *origin);
