// kernel/vfs/inotify.h — telling those who watch: inotify(7). The VFS calls these after the thing has happened.
//
// An inode has a list of watches and the union of their masks. Nothing is looked at while there is no watch in the whole system: one test.
// May sleep; no spinlock may be held.
#pragma once

#include "kernel/abi/inotify.h"
#include "kernel/vfs/vfs.h"

extern unsigned inotify_watches_total; // atomic

// Limits: /proc/sys/fs/inotify.
extern int sysctl_inotify_max_queued_events, sysctl_inotify_max_user_instances, sysctl_inotify_max_user_watches;

// The forms with a trailing underscore are for the inline functions below, which tell what each is about.
void inotify_dentry_(struct dentry *dentry, uint32_t mask);
void inotify_name_(struct inode *dir, uint32_t mask, const struct qstr *name, uint32_t cookie);
void inotify_inode_(struct inode *inode, uint32_t mask);
void inotify_unlinked_(struct inode *inode);
void inotify_setattr_(struct dentry *dentry, unsigned valid);
void inotify_moved_(struct inode *old_dir, const struct qstr *old_name, struct inode *new_dir, const struct qstr *new_name, struct inode *moved,
                    struct inode *replaced);

#define INOTIFY_USED unlikely(READ_ONCE(inotify_watches_total))

// Something happened to what `dentry` names: its directory hears of it with the name, then it itself.
static inline void inotify_dentry(struct dentry *dentry, uint32_t mask)
{
    if (INOTIFY_USED)
        inotify_dentry_(dentry, mask);
}
// Something was done through an open file: IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CLOSE_*.
static inline void inotify_file(struct file *file, uint32_t mask)
{
    inotify_dentry(file->path.dentry, mask);
}
// A name appeared in or left `dir`: IN_CREATE, IN_DELETE, with IN_ISDIR.
static inline void inotify_name(struct inode *dir, uint32_t mask, const struct qstr *name)
{
    if (INOTIFY_USED)
        inotify_name_(dir, mask, name, 0);
}
// Only the inode itself hears of it.
static inline void inotify_inode(struct inode *inode, uint32_t mask)
{
    if (INOTIFY_USED)
        inotify_inode_(inode, mask);
}
// A name lets go of its inode, which is referenced: if that was the last one, IN_DELETE_SELF, and the watches end.
static inline void inotify_unlinked(struct inode *inode)
{
    if (unlikely(READ_ONCE(inode->watch_mask)) && READ_ONCE(inode->nlink) == 0)
        inotify_unlinked_(inode);
}
// Attributes ATTR_* were changed.
static inline void inotify_setattr(struct dentry *dentry, unsigned valid)
{
    if (INOTIFY_USED)
        inotify_setattr_(dentry, valid);
}
// rename(2): IN_MOVED_FROM, IN_MOVED_TO with one cookie, IN_MOVE_SELF; IN_ATTRIB for what was replaced, if anything.
static inline void inotify_moved(struct inode *old_dir, const struct qstr *old_name, struct inode *new_dir, const struct qstr *new_name, struct inode *moved,
                                struct inode *replaced)
{
    if (INOTIFY_USED)
        inotify_moved_(old_dir, old_name, new_dir, new_name, moved, replaced);
}
// The last mount of the superblock is gone: IN_UNMOUNT, and the watches end. Returns when no watch holds an inode of it.
void inotify_superblock_gone(struct superblock *sb);
