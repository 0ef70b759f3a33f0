// kernel/vfs/mount.h — mount trees and namespaces: mount_namespaces(7), mount(2), umount(2), pivot_root(2).
//
// A namespace owns a tree of mounts. namespace_sem (class mount namespace) guards all trees' shape and propagation groups; lookups cross mounts by a hash of
// (parent mount, dentry) read under RCU and mount_seq. A mount is busy while it has references beyond its own.
#pragma once

#include "kernel/vfs/vfs.h"

struct fs_context;
struct pathname;

struct mount {
    struct mount *parent;          // itself for the root
    struct dentry *mountpoint;     // in the parent
    struct dentry *root;           // of what is mounted
    struct superblock *sb;
    unsigned flags;                // MNT_*
    int id;
    struct hlist_node hash;        // by (parent, mountpoint)
    struct hlist_node point_hash;  // by mountpoint
    struct list_head child_link, children;
    struct list_head ns_link;
    struct list_head sb_link;      // sb->mounts
    struct mount_namespace *ns;    // null: detached
    refcount_t refs;
    atomic_t writers;
    char *source;                  // as given to mount(2)
    struct list_head share_link;   // ring of peers
    struct list_head work_link;    // lists made and used up under one hold of namespace_sem
    struct list_head umount_link;  // the same: of those that are unmounted along with another, which may be on a list of the first kind meanwhile
    struct mount *copy;            // the same: where its copy went, or how it was reached; null whenever namespace_sem is free
    struct list_head slave_link, slaves;
    struct mount *master;
    int group_id;                  // propagation group, 0: private
    bool unbindable, expire_mark;
    bool newly_shared;             // by the attach that is under way
    struct rcu_head rcu;
};
#define MNT_NOSUID 1u
#define MNT_NODEV 2u
#define MNT_NOEXEC 4u
#define MNT_NOATIME 8u
#define MNT_NODIRATIME 16u
#define MNT_RELATIME 32u
#define MNT_READONLY 64u
#define MNT_NOSYMFOLLOW 128u
#define MNT_INTERNAL 0x4000u // kernel's own, in no namespace
#define MNT_DETACHED 0x8000u

// The acting half of mount(2): flags are MS_*. Checks CAP_SYS_ADMIN.
[[nodiscard]] int do_mount(const char *source, const struct pathname *target, const char *type, unsigned long flags, const char *data);
// Those of umount2(2) and pivot_root(2): any errno of the manual page. Take namespace_sem.
[[nodiscard]] int do_umount(const struct pathname *target, unsigned flags);
[[nodiscard]] int do_pivot_root(const struct pathname *new_root, const struct pathname *put_old);
// A private mount of a file system for the kernel's own use.
[[nodiscard]] int mount_internal(const struct file_system_type *type, const char *options, struct mount **out);
extern uint32_t sysctl_mount_max; // mounts in a namespace: /proc/sys/fs/mount-max
// Boot: the root file system, empty, and the first namespace.
void mount_init_root(void);

// Whether something is mounted on `dentry` in the caller's namespace: it may not be removed or renamed then (EBUSY).
bool mounted_here(const struct dentry *dentry);
// Follows (mnt, dentry) down through everything mounted on it; the path's references are exchanged on the way.
void path_descend_mounts(struct path *path);
// The name is gone: what other namespaces have mounted on it is detached, each as a whole. No lock held. mount_namespaces(7).
void mounts_detach(struct dentry *dentry);

// No file below it is a program: the mount says so, or the file system.
static inline bool mnt_is_noexec(const struct mount *mnt)
{
    return mnt->flags & MNT_NOEXEC || mnt->sb->flags & SB_NOEXEC;
}

// References: one while attached (or in an unattached tree), one per path and file. Children do not count: see mount_tree.c.
static inline struct mount *mnt_get(struct mount *mnt)
{
    refcount_inc(&mnt->refs);
    return mnt;
}
void mnt_put_last(struct mount *mnt); // its references are gone: mnt_put() calls it
static inline void mnt_put_unused(struct mount *mnt) // of one who only looked at it: that is no use that MNT_EXPIRE would mind
{
    if (unlikely(refcount_dec_and_test(&mnt->refs)))
        mnt_put_last(mnt);
}
static inline void mnt_put(struct mount *mnt) // may sleep
{
    if (unlikely(mnt->expire_mark))
        mnt->expire_mark = false;
    mnt_put_unused(mnt);
}
// Around every change through a mount: it can not become read-only meanwhile. -EROFS.
[[nodiscard]] int mnt_want_write(struct mount *mnt);
void mnt_drop_write(struct mount *mnt);

struct mount_namespace *mount_ns_get(struct mount_namespace *ns);
void mount_ns_put(struct mount_namespace *ns); // null allowed. The last one takes the tree apart: may sleep
[[nodiscard]] int mount_ns_copy(struct mount_namespace *from, struct fs_context *fs, struct mount_namespace **out); // CLONE_NEWNS
// setns(2): root and working directory become the namespace's root.
void mount_ns_enter(struct mount_namespace *ns, struct fs_context *fs);
extern struct mount_namespace *init_mount_ns;
uint64_t mount_ns_inum(const struct mount_namespace *ns); // its number in /proc/PID/ns
// /proc/PID/mounts, mountinfo, mountstats; pollable: EPOLLERR | EPOLLPRI when the tree changed.
void mounts_show(struct seq_file *m, struct mount_namespace *ns, const struct path *root, int which);
// Where to wait for the next change; *event counts those so far.
struct waitqueue *mount_ns_waitqueue(struct mount_namespace *ns, uint64_t *event);
