// kernel/vfs/inode.c — in-core inodes: making and dropping them, times, the count of writers, locking two of them.
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/boot/init.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/vfs/acl.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file_lock.h"
#include "kernel/vfs/mount.h"

static DEFINE_LOCK_CLASS_NESTED(inode_sem_class, "inode", RANK_INODE);
static DEFINE_LOCK_CLASS(inode_invalidate_class, "inode invalidate", RANK_INVALIDATE);
static DEFINE_LOCK_CLASS(inode_lock_class, "inode parts", (enum lock_rank)(RANK_SUPERBLOCK + 1));

static struct slab_cache *inode_slab RO_AFTER_INIT;
static atomic64_t nr_inodes;

uint64_t inode_count(void)
{
    return (uint64_t)atomic_read(&nr_inodes);
}

void inode_init_once(struct inode *inode, struct superblock *sb)
{
    inode->sb = sb;
    inode->nlink = 1;
    refcount_set(&inode->refs, 1);
    inode->ino = __atomic_add_fetch(&sb->next_ino, 1, __ATOMIC_RELAXED);
    inode->atime = inode->mtime = inode->ctime = inode->btime = clock_now_ts();
    rwsem_init(&inode->sem, &inode_sem_class);
    rwsem_init(&inode->invalidate_sem, &inode_invalidate_class);
    spin_init(&inode->lock, &inode_lock_class);
    page_cache_init(&inode->cache, inode, nullptr, &inode->invalidate_sem);
    list_init(&inode->watches);
    list_init(&inode->sb_link);
}

struct inode *inode_alloc(struct superblock *sb)
{
    struct inode *inode = sb->ops && sb->ops->alloc_inode ? sb->ops->alloc_inode(sb) : slab_alloc(inode_slab, ALLOC_ZERO);
    if (!inode)
        return nullptr;
    inode_init_once(inode, sb);
    spin_lock(&sb->inodes_lock);
    list_add_tail(&inode->sb_link, &sb->inodes);
    spin_unlock(&sb->inodes_lock);
    atomic_add_relaxed(&nr_inodes, 1);
    return inode;
}

static void inode_free_rcu(struct rcu_head *head)
{
    struct inode *inode = container_of(head, struct inode, rcu);
    struct superblock *sb = inode->sb;
    kfree((void *)inode->link);
    acl_free(inode);
    if (sb->ops && sb->ops->free_inode)
        sb->ops->free_inode(inode);
    else
        slab_free(inode_slab, inode);
    sb_put_memory(sb);
}

void iput(struct inode *inode)
{
    if (!inode || !refcount_dec_and_test(&inode->refs))
        return;
    struct superblock *sb = inode->sb;
    if (sb->ops && sb->ops->evict_inode)
        sb->ops->evict_inode(inode);
    page_cache_destroy(&inode->cache);
    if (inode->locks)
        file_lock_context_free(inode);
    spin_lock(&sb->inodes_lock);
    list_del(&inode->sb_link);
    spin_unlock(&sb->inodes_lock);
    if (inode->flags & I_UNLINKED)
        atomic_sub_relaxed(&sb->unlinked, 1);
    atomic_sub_relaxed(&nr_inodes, 1);
    sb_get_memory(sb); // free_inode comes after a grace period, perhaps after the last unmount
    call_rcu(&inode->rcu, inode_free_rcu);
}

void inode_init_owner(struct inode *inode, const struct inode *dir, umode_t mode)
{
    const struct cred *cred = current_cred();
    inode->uid = cred->fsuid;
    if (dir && dir->mode & S_ISGID) {
        inode->gid = dir->gid;
        if (S_ISDIR(mode))
            mode |= S_ISGID;
        else if ((mode & (S_ISGID | 010)) == (S_ISGID | 010) && !in_group(cred, dir->gid) && !capable(CAP_FSETID))
            mode &= ~S_ISGID;
    } else {
        inode->gid = cred->fsgid;
    }
    inode->mode = mode;
}

void inode_touch(struct inode *inode, bool mtime, bool ctime)
{
    struct timespec_k now = clock_now_ts();
    if (mtime)
        inode->mtime = now;
    if (ctime)
        inode->ctime = now;
}

static bool not_after(struct timespec_k a, struct timespec_k b)
{
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec);
}

void path_accessed(const struct path *path)
{
    struct inode *inode = path->dentry->inode;
    struct mount *mnt = path->mnt;
    if (!mnt || mnt->flags & (MNT_NOATIME | MNT_READONLY) || inode->sb->flags & (SB_NOATIME | SB_RDONLY))
        return;
    if (mnt->flags & MNT_NODIRATIME && S_ISDIR(inode->mode))
        return;
    if (mnt->flags & MNT_RELATIME && !not_after(inode->atime, inode->mtime) && !not_after(inode->atime, inode->ctime)) {
        struct timespec_k now = clock_now_ts();
        if (now.tv_sec - inode->atime.tv_sec >= 24 * 60 * 60)
            inode->atime = now;
        return;
    }
    inode->atime = clock_now_ts();
}

void inode_accessed(struct file *file)
{
    if (!(file->flags & O_NOATIME) && !(file->inode->flags & I_NO_CMTIME))
        path_accessed(&file->path);
}

void inode_set_nlink_drop(struct inode *inode)
{
    WARN_ON(inode->nlink == 0);
    if (inode->nlink)
        inode->nlink--;
    inode_touch(inode, false, true);
}

void inode_count_links(struct inode *inode)
{
    bool none = inode->nlink == 0, counted = inode->flags & I_UNLINKED;
    if (none == counted)
        return;
    inode->flags ^= I_UNLINKED;
    atomic_add_relaxed(&inode->sb->unlinked, none ? 1 : -1);
}

int inode_get_write(struct inode *inode)
{
    int old = atomic_read(&inode->write_count);
    do {
        if (old < 0)
            return -ETXTBSY;
    } while (!atomic_try_cmpxchg(&inode->write_count, &old, old + 1));
    return 0;
}

void inode_put_write(struct inode *inode)
{
    atomic_dec(&inode->write_count);
}

int inode_deny_write(struct inode *inode)
{
    int old = atomic_read(&inode->write_count);
    do {
        if (old > 0)
            return -ETXTBSY;
    } while (!atomic_try_cmpxchg(&inode->write_count, &old, old - 1));
    return 0;
}

void inode_allow_write(struct inode *inode)
{
    atomic_inc(&inode->write_count);
}

unsigned inode_privileges_to_kill(const struct inode *inode)
{
    if (likely(!(inode->mode & (S_ISUID | S_ISGID)) && !(inode->flags & I_FILE_CAPS)) || !S_ISREG(inode->mode))
        return 0;
    unsigned caps = inode->flags & I_FILE_CAPS ? ATTR_KILL_CAPS : 0; // whoever writes
    unsigned kill = inode->mode & S_ISUID ? ATTR_KILL_SUID : 0;
    if ((inode->mode & (S_ISGID | 010)) == (S_ISGID | 010))
        kill |= ATTR_KILL_SGID;
    return caps | (kill && !capable(CAP_FSETID) ? kill : 0);
}

// The order is the caller's: a directory goes before what is in or below it; unrelated ones by address.
void inode_lock_two(struct inode *a, struct inode *b) NO_THREAD_SAFETY_ANALYSIS
{
    down_write(&a->sem);
    if (a != b)
        down_write(&b->sem);
}

void inode_unlock_two(struct inode *a, struct inode *b) NO_THREAD_SAFETY_ANALYSIS
{
    up_write(&a->sem);
    if (a != b)
        up_write(&b->sem);
}

static int inode_cache_init(void)
{
    inode_slab = slab_cache_create("inode", sizeof(struct inode), 64, SLAB_RECLAIMABLE, nullptr);
    ASSERT(inode_slab);
    return 0;
}
INITCALL(core, inode_cache_init);
