// kernel/vfs/mount_internal.h — what the path walk and the parts of mount handling share.
#pragma once

#include "kernel/sync/rwsem.h"
#include "kernel/vfs/mount.h"

struct mount_namespace {
    refcount_t refs;
    struct mount *root;
    struct list_head mounts;    // ns_link; namespace_sem
    unsigned nr_mounts, coming; // coming: what an attach is about to add; 0 whenever namespace_sem is free
    uint64_t inum, event;       // event: counts changes of the tree
    struct waitqueue poll_wq;
    struct mount_namespace *next_ending; // mount_ns_put()
};

extern struct rwsem namespace_sem;
extern seqcount_t mount_seq;           // odd while the hash of mounts changes
struct mount_namespace *current_mount_ns(void); // borrowed

// The topmost-but-one: what is mounted on (parent, dentry), or null. The _rcu form under rcu_read_lock(), to be checked against mount_seq; the other returns a
// reference.
struct mount *mount_find_rcu(const struct mount *parent, const struct dentry *dentry);
struct mount *mount_find_get(struct mount *parent, struct dentry *dentry);
[[nodiscard]] static inline bool mnt_get_rcu(struct mount *mnt)
{
    return refcount_inc_not_zero(&mnt->refs);
}
// Whether `path` lies at or below `root`, mounts crossed. The second with namespace_sem held.
bool path_is_under(const struct path *path, const struct path *root);
bool path_is_under_locked(const struct path *path, const struct path *root);

// ---- mount_tree.c: shape. namespace_sem held for write, unless said otherwise ---------------------------------------
struct mount *mount_new(struct superblock *sb, struct dentry *root, const char *source); // takes its own references; no lock needed
#define CLONE_MNT_PRIVATE 1u    // not a peer of the original
#define CLONE_MNT_SLAVE 2u      // a slave of the original
#define CLONE_MNT_SHARED 4u     // in a new peer group of its own
#define CLONE_MNT_UNBINDABLE 8u // copies unbindable mounts too (new namespaces)
#define CLONE_MNT_NS_FILES 16u  // copies what may be bound only within one namespace too: the files of mount namespaces
// Whether a copy that shows `root` of m may be made.
bool mount_may_copy(const struct mount *m, const struct dentry *root, unsigned how);
// A mount of `root` with the flags of `from`, attached nowhere; `how` says what it is to the original's group. Null: no memory.
struct mount *mount_clone(struct mount *from, struct dentry *root, unsigned how);
// Copies the mounts below `root` of `from`. Null: no memory, or nothing of it may be copied.
struct mount *mount_copy_tree(struct mount *from, struct dentry *root, unsigned how);
// The same, and on success each original's `copy` says where its copy is, until mount_copy_forget(from) before namespace_sem is released.
struct mount *mount_copy_tree_noted(struct mount *from, struct dentry *root, unsigned how);
void mount_copy_forget(struct mount *from);
// Hangs `mnt`, which has no parent, on (parent, mountpoint), and that alone: no propagation, no namespace.
void mount_attach(struct mount *mnt, struct mount *parent, struct dentry *mountpoint);
// Where a mount is to be.
struct mount_place {
    struct mount *mount, *parent;
    struct dentry *point;
};
#define MOUNT_PLACES_MAX 2
// Puts each of up to MOUNT_PLACES_MAX mounts at its place, from another or from none, all at one moment: there is none at which a lookup could miss one.
void mounts_place(const struct mount_place *to, unsigned n);
void mount_detach(struct mount *mnt); // from its parent; keeps its references
struct mount *mount_next(struct mount *m, const struct mount *root); // depth first; null at the end
bool mount_is_below(const struct mount *m, const struct mount *root); // or the same one
void mount_tree_enter_ns(struct mount *tree, struct mount_namespace *ns); // those of the tree that are in none
void mount_ns_changed(struct mount_namespace *ns); // wakes pollers of its mounts file; null allowed
// Takes all of the tree out of its namespace and hands it to namespace_unlock(). connected: it stays a tree for those who are inside (mounts_detach()).
void mount_tree_drop(struct mount *tree, bool connected);
// Releases namespace_sem, then drops the references of what was unmounted under it.
void namespace_unlock(void) RELEASE(namespace_sem);

// ---- mount_propagate.c: shared subtrees. namespace_sem held for write -----------------------------------------------
// A mount that is in no group begins one, or becomes a peer; and one that has no master, a slave.
void group_assign_new(struct mount *mnt);
void group_join(struct mount *mnt, struct mount *peer);
void slave_of(struct mount *mnt, struct mount *master);
void propagation_leave(struct mount *mnt); // becomes private
int mount_set_type(struct mount *mnt, unsigned type); // MS_SHARED …
// Attaches `tree`, which may come from another place, at (parent, mountpoint) and copies of it wherever that is seen. 0, or with nothing done -ENOMEM,
// -ENOSPC (sysctl_mount_max), -EINVAL (it may not be copied).
int mount_attach_propagated(struct mount *tree, struct mount *parent, struct dentry *mountpoint);
// Adds the mounts that are unmounted along with mnt elsewhere to a list by umount_link; those that are on one already stay there.
void propagate_umount_collect(struct mount *mnt, struct list_head *out);

void mounts_detach_locked(struct dentry *dentry); // mounts_detach() with namespace_sem held for write

// ---- mount.c
struct mount *mount_on(const struct dentry *dentry); // any that is mounted on it; namespace_sem held
void mount_locks_init(void); // boot, once
// mounts_place() for lookups alone: parent, mountpoint and the hashes. Takes over a reference on each point.
void mount_hash_place(const struct mount_place *to, unsigned n);
void mount_hash_remove(struct mount *m); // it has no parent then
// A mount is in use when it carries others, or someone but its tree (and `known` callers) holds it.
bool mount_busy(const struct mount *m, unsigned known);
// Takes m, of which the caller holds one reference, and those of `also` (by umount_link) that carry nothing out of lookups' reach; or, if one of
// them is in use, none: false. There is no moment between in which a lookup could still come to one.
[[nodiscard]] bool mounts_unhash_unless_busy(struct mount *m, struct list_head *also);
bool sb_has_writers(struct superblock *sb); // through any mount, whether it is attached or not; or files without a name that are yet to be freed
[[nodiscard]] int mount_make_readonly(struct mount *m); // -EBUSY while there are writers
