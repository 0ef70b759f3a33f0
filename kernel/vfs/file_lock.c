// kernel/vfs/file_lock.c — advisory locks: flock(2), POSIX record locks and open-file-description locks of fcntl(2).
//
// An inode that was ever locked has a context with two lists: flock locks (owner: the description) and ranges (owner: the descriptor table for POSIX locks,
// the description for OFD locks), sorted by nothing: they are short. Ranges of one owner never overlap: setting one cuts or swallows what was there.
// Waiters sleep on the context's queue and try again whenever a lock goes. A POSIX waiter first follows the chain of who waits for whom; a circle is
// EDEADLK.
#include "kernel/vfs/file_lock.h"

#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

DEFINE_LOCK_CLASS(file_lock_class, "file locks", RANK_FILES);
DEFINE_LOCK_CLASS(lock_wait_class, "file lock waiters", (enum lock_rank)(RANK_FILES + 1));

enum lock_kind { KIND_FLOCK, KIND_POSIX, KIND_OFD };

struct file_lock {
    struct list_head link;
    enum lock_kind kind;
    bool exclusive;
    loff_t start, end; // end is in it
    const void *owner;
    struct pid *holder; // the process that asked for it; a reference
};

struct file_lock_context {
    struct spinlock lock;
    struct list_head flocks, ranges; // lock
    struct list_head waiting;        // of lock_wait, for /proc/locks: lock
    struct waitqueue wait;
    struct inode *inode;             // whose it is: lives as long
    struct list_head all;            // contexts_lock
};

struct lock_wait { // a request that sleeps
    struct list_head link;
    struct file_lock want;
};

struct lock_waiter { // POSIX requests that sleep
    struct list_head link;
    const void *owner, *blocker;
};
static struct spinlock waiters_lock = SPINLOCK_INIT(&lock_wait_class);
static LIST_HEAD(waiters);
static DEFINE_LOCK_CLASS(contexts_class, "file lock contexts", (enum lock_rank)(RANK_FILES - 1)); // outside each context's lock
static struct spinlock contexts_lock = SPINLOCK_INIT(&contexts_class);
static LIST_HEAD(contexts); // contexts_lock

static struct file_lock_context *context_of(struct inode *inode)
{
    struct file_lock_context *ctx = load_acquire(&inode->locks), *fresh;
    if (ctx)
        return ctx;
    fresh = kzalloc(sizeof *fresh, ALLOC_KERNEL);
    if (!fresh)
        return nullptr;
    spin_init(&fresh->lock, &file_lock_class);
    list_init(&fresh->flocks);
    list_init(&fresh->ranges);
    list_init(&fresh->waiting);
    waitqueue_init(&fresh->wait);
    fresh->inode = inode;
    spin_lock(&inode->lock);
    ctx = inode->locks;
    if (!ctx)
        store_release(&inode->locks, ctx = fresh);
    spin_unlock(&inode->lock);
    if (ctx != fresh) {
        kfree(fresh);
        return ctx;
    }
    spin_guard(&contexts_lock);
    list_add_tail(&ctx->all, &contexts);
    return ctx;
}

static void lock_free(struct file_lock *l)
{
    if (l)
        pid_put(l->holder);
    kfree(l);
}

static void free_list(struct list_head *list)
{
    while (!list_empty(list)) {
        struct file_lock *l = list_first_entry(list, struct file_lock, link);
        list_del(&l->link);
        lock_free(l);
    }
}

void file_lock_context_free(struct inode *inode)
{
    {
        spin_guard(&contexts_lock);
        list_del(&inode->locks->all);
    }
    free_list(&inode->locks->flocks);
    free_list(&inode->locks->ranges);
    kfree(inode->locks);
    inode->locks = nullptr;
}

static struct file_lock *conflict(struct list_head *list, const struct file_lock *want)
{
    struct file_lock *l;
    list_for_each_entry(l, list, link)
        if (l->owner != want->owner && (l->exclusive || want->exclusive) && l->start <= want->end && want->start <= l->end)
            return l;
    return nullptr;
}

// ---- flock ----------------------------------------------------------------------------------------------------------------------------------------------

static void flock_drop(struct file_lock_context *ctx, const struct file *owner)
{
    struct file_lock *l, *mine = nullptr;
    spin_lock(&ctx->lock);
    list_for_each_entry(l, &ctx->flocks, link)
        if (l->owner == owner)
            mine = l;
    if (mine)
        list_del(&mine->link);
    spin_unlock(&ctx->lock);
    if (mine)
        wake_up_all(&ctx->wait);
    lock_free(mine);
}

// A request that is about to sleep is listed until it is over.
static void wait_begins(struct file_lock_context *ctx, struct lock_wait *w, const struct file_lock *want)
{
    w->want = *want;
    spin_guard(&ctx->lock);
    list_add_tail(&w->link, &ctx->waiting);
}
static void wait_ends(struct file_lock_context *ctx, struct lock_wait *w)
{
    spin_guard(&ctx->lock);
    list_del(&w->link);
}

static bool flock_try(struct file_lock_context *ctx, struct file_lock *want)
{
    spin_guard(&ctx->lock);
    if (conflict(&ctx->flocks, want))
        return false;
    list_add_tail(&want->link, &ctx->flocks);
    return true;
}

int file_flock(struct file *file, int op)
{
    struct file_lock_context *ctx = context_of(file->inode);
    if (!ctx)
        return -ENOMEM;
    if ((op & ~LOCK_NB) == LOCK_UN) {
        flock_drop(ctx, file);
        return 0;
    }
    struct file_lock *want = kmalloc(sizeof *want, ALLOC_KERNEL), *l;
    if (!want)
        return -ENOLCK;
    *want = (struct file_lock){
        .kind = KIND_FLOCK, .exclusive = op & LOCK_EX, .end = INT64_MAX, .owner = file, .holder = pid_get(current_process()->pid)};
    bool have = false;
    spin_lock(&ctx->lock);
    list_for_each_entry(l, &ctx->flocks, link)
        have |= l->owner == file && l->exclusive == want->exclusive;
    spin_unlock(&ctx->lock);
    if (have) {
        lock_free(want);
        return 0;
    }
    flock_drop(ctx, file); // converting is not atomic: flock(2)
    int err = 0;
    if (op & LOCK_NB) {
        err = flock_try(ctx, want) ? 0 : -EAGAIN;
    } else if (!flock_try(ctx, want)) {
        struct lock_wait w;
        wait_begins(ctx, &w, want);
        err = wait_event_interruptible(&ctx->wait, flock_try(ctx, want)) ? -ERESTARTSYS : 0;
        wait_ends(ctx, &w);
    }
    if (err)
        lock_free(want);
    return err;
}

// ---- ranges ------------------------------------------------------------------------------------------------------------------------------------------------

static struct file_lock *range_copy(struct file_lock *room, const struct file_lock *from, loff_t start, loff_t end)
{
    *room = *from;
    pid_get(room->holder);
    room->start = start;
    room->end = end;
    return room;
}

// Cuts the owner's ranges out of [start, end]; `room` is memory for the second half of one that is split (taken: null afterwards).
static bool cut(struct file_lock_context *ctx, const void *owner, loff_t start, loff_t end, struct file_lock **room)
{
    struct file_lock *l, *next;
    bool changed = false;
    list_for_each_entry_safe(l, next, &ctx->ranges, link) {
        if (l->owner != owner || l->start > end || start > l->end)
            continue;
        changed = true;
        if (l->start < start && l->end > end) {
            list_add(&range_copy(*room, l, end + 1, l->end)->link, &l->link);
            *room = nullptr;
            l->end = start - 1;
        } else if (l->start < start) {
            l->end = start - 1;
        } else if (l->end > end) {
            l->start = end + 1;
        } else {
            list_del(&l->link);
            lock_free(l);
        }
    }
    return changed;
}

// Joins the new range with neighbours of the same owner and type.
static void join(struct file_lock_context *ctx, struct file_lock *mine)
{
    struct file_lock *l, *next;
    list_for_each_entry_safe(l, next, &ctx->ranges, link) {
        if (l == mine || l->owner != mine->owner || l->kind != mine->kind || l->exclusive != mine->exclusive)
            continue;
        if (l->end != INT64_MAX && l->end + 1 == mine->start)
            mine->start = l->start;
        else if (mine->end != INT64_MAX && mine->end + 1 == l->start)
            mine->end = l->end;
        else
            continue;
        list_del(&l->link);
        lock_free(l);
    }
}

// Does waiting for `blocker` close a circle? Called with waiters_lock held.
static bool would_deadlock(const void *me, const void *blocker)
{
    for (unsigned depth = 0; depth < 64; depth++) {
        if (blocker == me)
            return true;
        struct lock_waiter *w, *found = nullptr;
        list_for_each_entry(w, &waiters, link)
            if (w->owner == blocker)
                found = w;
        if (!found)
            return false;
        blocker = found->blocker;
    }
    return false;
}

struct range_request {
    struct file_lock_context *ctx;
    struct file_lock *lock, *room;
    struct lock_waiter waiter;
    bool detect;
    int err;
};

// One try. True: done, one way or the other (r->err). False: somebody has it.
static bool range_try(struct range_request *r)
{
    struct file_lock_context *ctx = r->ctx;
    struct file_lock *want = r->lock;
    bool changed = false;
    r->err = 0;
    spin_lock(&ctx->lock);
    struct file_lock *other = conflict(&ctx->ranges, want);
    if (other) {
        bool done = false;
        if (r->detect && other->kind == KIND_POSIX) {
            spin_lock(&waiters_lock);
            if (would_deadlock(want->owner, other->owner)) {
                r->err = -EDEADLK;
                done = true;
            } else {
                r->waiter.blocker = other->owner;
                if (list_empty(&r->waiter.link))
                    list_add_tail(&r->waiter.link, &waiters);
            }
            spin_unlock(&waiters_lock);
        }
        spin_unlock(&ctx->lock);
        return done;
    }
    changed = cut(ctx, want->owner, want->start, want->end, &r->room);
    list_add_tail(&want->link, &ctx->ranges);
    join(ctx, want);
    r->lock = nullptr;
    spin_unlock(&ctx->lock);
    if (changed) // an exclusive one may have become shared
        wake_up_all(&ctx->wait);
    return true;
}

static int range_set(struct file_lock_context *ctx, const struct file_lock *want, bool wait)
{
    struct range_request r = {.ctx = ctx, .detect = wait && want->kind == KIND_POSIX, .waiter.owner = want->owner};
    list_init(&r.waiter.link);
    r.lock = kmalloc(sizeof *r.lock, ALLOC_KERNEL);
    r.room = kmalloc(sizeof *r.room, ALLOC_KERNEL);
    if (r.lock)
        r.lock->holder = nullptr;
    int err = r.lock && r.room ? 0 : -ENOLCK;
    if (!err) {
        *r.lock = *want;
        pid_get(want->holder);
        if (range_try(&r)) {
            err = r.err;
        } else if (!wait) {
            err = -EAGAIN;
        } else {
            struct lock_wait w;
            wait_begins(ctx, &w, want);
            err = wait_event_interruptible(&ctx->wait, range_try(&r)) ? -ERESTARTSYS : r.err;
            wait_ends(ctx, &w);
        }
    }
    if (!list_empty(&r.waiter.link)) {
        spin_lock(&waiters_lock);
        list_del(&r.waiter.link);
        spin_unlock(&waiters_lock);
    }
    lock_free(r.lock);
    kfree(r.room); // never filled
    return err;
}

static int range_drop(struct file_lock_context *ctx, const void *owner, loff_t start, loff_t end)
{
    struct file_lock *room = kmalloc(sizeof *room, ALLOC_KERNEL);
    if (!room)
        return -ENOLCK;
    spin_lock(&ctx->lock);
    bool changed = cut(ctx, owner, start, end, &room);
    spin_unlock(&ctx->lock);
    kfree(room);
    if (changed)
        wake_up_all(&ctx->wait);
    return 0;
}

static int to_range(struct file *file, const struct abi_flock *lock, struct file_lock *out)
{
    loff_t start, len = lock->l_len;
    switch (lock->l_whence) {
    case SEEK_SET:
        start = 0;
        break;
    case SEEK_CUR:
        start = file->pos;
        break;
    case SEEK_END:
        start = inode_size(file->inode);
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(start, lock->l_start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    loff_t end = INT64_MAX;
    if (len > 0 && __builtin_add_overflow(start, len - 1, &end))
        return -EOVERFLOW;
    if (len < 0) {
        end = start - 1;
        start += len;
        if (start < 0)
            return -EINVAL;
    }
    out->start = start;
    out->end = end;
    return 0;
}

static void get_lock(struct file_lock_context *ctx, const struct file_lock *want, struct abi_flock *lock)
{
    spin_guard(&ctx->lock);
    struct file_lock *l = conflict(&ctx->ranges, want);
    if (!l) {
        lock->l_type = F_UNLCK;
        return;
    }
    lock->l_type = l->exclusive ? F_WRLCK : F_RDLCK;
    lock->l_whence = SEEK_SET;
    lock->l_start = l->start;
    lock->l_len = l->end == INT64_MAX ? 0 : l->end - l->start + 1;
    lock->l_pid = l->kind == KIND_OFD ? -1 : pid_vnr(l->holder);
}

int file_posix_lock(struct file *file, int cmd, struct abi_flock *lock)
{
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW, get = cmd == F_GETLK || cmd == F_OFD_GETLK;
    if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && (lock->l_type != F_UNLCK || (get && !ofd)))
        return -EINVAL;
    if (ofd && lock->l_pid != 0)
        return -EINVAL;
    struct file_lock want = {
        .kind = ofd ? KIND_OFD : KIND_POSIX, .exclusive = lock->l_type == F_WRLCK, .owner = ofd ? (const void *)file : current_task()->files,
        .holder = current_process()->pid};
    int err = to_range(file, lock, &want);
    if (err)
        return err;
    if (!get && ((lock->l_type == F_RDLCK && !(file->mode & FMODE_READ)) || (lock->l_type == F_WRLCK && !(file->mode & FMODE_WRITE))))
        return -EBADF;
    struct file_lock_context *ctx = context_of(file->inode);
    if (!ctx)
        return -ENOLCK;
    if (get) {
        get_lock(ctx, &want, lock);
        return 0;
    }
    if (lock->l_type == F_UNLCK)
        return range_drop(ctx, want.owner, want.start, want.end);
    return range_set(ctx, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

static void drop_all(struct file_lock_context *ctx, const void *owner)
{
    struct file_lock *l, *next;
    LIST_HEAD(gone);
    spin_lock(&ctx->lock);
    list_for_each_entry_safe(l, next, &ctx->ranges, link)
        if (l->owner == owner)
            list_move_tail(&l->link, &gone);
    spin_unlock(&ctx->lock);
    if (!list_empty(&gone))
        wake_up_all(&ctx->wait);
    free_list(&gone);
}

void file_locks_close(struct file *file, struct files *owner)
{
    if (owner)
        drop_all(file->inode->locks, owner);
}

void file_locks_release(struct file *file)
{
    struct file_lock_context *ctx = file->inode->locks;
    flock_drop(ctx, file);
    drop_all(ctx, file);
}

// ---- /proc/locks: proc_locks(5) ---------------------------------------------------------------------------------------------------------------------------

static void show_lock(struct seq_file *m, const struct pid_namespace *ns, const struct inode *inode, unsigned id, const struct file_lock *l, bool waits)
{
    static const char *const kinds[] = {[KIND_FLOCK] = "FLOCK ", [KIND_POSIX] = "POSIX ", [KIND_OFD] = "OFDLCK"};
    pid_t nr = l->kind == KIND_OFD ? -1 : pid_nr_ns(l->holder, ns);
    if (!nr)
        return; // of a process that is not to be seen from here
    seq_printf(m, "%u: %s%s ADVISORY  %s %d %02x:%02x:%llu %lld ", id, waits ? "-> " : "", kinds[l->kind], l->exclusive ? "WRITE" : "READ", nr,
               MAJOR(inode->sb->dev), MINOR(inode->sb->dev), (unsigned long long)inode->ino, (long long)l->start);
    if (l->end == INT64_MAX)
        seq_puts(m, "EOF\n");
    else
        seq_printf(m, "%lld\n", (long long)l->end);
}

// Each lock, and behind it with the same number those who wait for it.
static void show_list(struct seq_file *m, const struct pid_namespace *ns, struct file_lock_context *ctx, struct list_head *list, unsigned *id)
{
    struct file_lock *l;
    struct lock_wait *w;
    list_for_each_entry(l, list, link) {
        show_lock(m, ns, ctx->inode, ++*id, l, false);
        list_for_each_entry(w, &ctx->waiting, link)
            if ((w->want.kind == KIND_FLOCK) == (l->kind == KIND_FLOCK) && conflict(list, &w->want) == l)
                show_lock(m, ns, ctx->inode, *id, &w->want, true);
    }
}

void file_locks_show(struct seq_file *m, const struct pid_namespace *ns)
{
    unsigned id = 0;
    struct file_lock_context *ctx;
    spin_guard(&contexts_lock);
    list_for_each_entry(ctx, &contexts, all) {
        spin_guard(&ctx->lock);
        show_list(m, ns, ctx, &ctx->flocks, &id);
        show_list(m, ns, ctx, &ctx->ranges, &id);
    }
}
