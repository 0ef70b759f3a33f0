// kernel/vfs/file_lock.c — advisory locks: flock(2), POSIX record locks and open-file-description locks of fcntl(2).
//
// An inode that was ever locked has a context with two lists: flock locks (owner: the description) and ranges (owner: the descriptor table for POSIX locks,
// the description for OFD locks); they are short. Ranges of one owner stand together, the lowest first: of several in the way it is the one that F_GETLK tells.
// They never overlap: setting one cuts or swallows what was there.
// A request that has to wait hangs on what blocks it, and tries again when that goes: file_lock_block.c.
#include "kernel/vfs/file_lock.h"

#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/file_lock_internal.h"
#include "kernel/vfs/seq_file.h"

static DEFINE_LOCK_CLASS(file_lock_class, "file locks", RANK_FILES);
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
        if (file_locks_conflict(l, want))
            return l;
    return nullptr;
}

static struct file_lock *request_new(const struct file_lock *what)
{
    struct file_lock *l = kmalloc(sizeof *l, ALLOC_KERNEL);
    if (l) {
        file_lock_init(l, what);
        pid_get(l->holder);
    }
    return l;
}

// Tries until it is decided. ctx->lock is held over `try`, which returns 1 if the request waits for another lock now, and else 0 or -errno.
static int request_decide(struct file_lock_context *ctx, struct file_lock *request, int (*try)(struct file_lock_context *, void *), void *arg)
{
    for (;;) {
        spin_lock(&ctx->lock);
        int done = try(ctx, arg);
        spin_unlock(&ctx->lock);
        if (done <= 0)
            return done;
        if (!wait_event_interruptible(&request->wait, !READ_ONCE(request->blocker)))
            continue;
        spin_lock(&ctx->lock);
        file_lock_give_up(request);
        spin_unlock(&ctx->lock);
        return -ERESTARTSYS;
    }
}

// ---- flock ----------------------------------------------------------------------------------------------------------

// With ctx->lock. There is one at most.
static void flock_drop_locked(struct file_lock_context *ctx, const void *owner)
{
    struct file_lock *l, *next;
    list_for_each_entry_safe(l, next, &ctx->flocks, link) {
        if (l->owner != owner)
            continue;
        file_lock_unblock(l);
        list_del(&l->link);
        lock_free(l);
    }
}

static void flock_drop(struct file_lock_context *ctx, const struct file *owner)
{
    spin_guard(&ctx->lock);
    flock_drop_locked(ctx, owner);
}

struct flock_request {
    struct file_lock *lock;
    bool wait;
};

static int flock_try(struct file_lock_context *ctx, void *arg)
{
    struct flock_request *r = arg;
    struct file_lock *other = conflict(&ctx->flocks, r->lock);
    if (other) {
        int err = r->wait ? file_lock_block(r->lock, other) : -EAGAIN;
        return err ? err : 1;
    }
    flock_drop_locked(ctx, r->lock->owner); // another thread may have got one for the same description meanwhile
    list_add_tail(&r->lock->link, &ctx->flocks);
    return 0;
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
    struct file_lock *want = request_new(&(struct file_lock){
        .kind = KIND_FLOCK, .exclusive = op & LOCK_EX, .end = INT64_MAX, .owner = file, .holder = current_process()->pid});
    struct file_lock *l;
    if (!want)
        return -ENOLCK;
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
    struct flock_request r = {want, !(op & LOCK_NB)};
    int err = request_decide(ctx, want, flock_try, &r);
    if (err)
        lock_free(want);
    return err;
}

// ---- ranges ---------------------------------------------------------------------------------------------------------

static struct file_lock *range_copy(struct file_lock *room, const struct file_lock *from, loff_t start, loff_t end)
{
    file_lock_init(room, from);
    pid_get(room->holder);
    room->start = start;
    room->end = end;
    return room;
}

// Cuts the owner's ranges out of [start, end]; `room` is memory for the second half of one that is split (taken: null afterwards).
static void cut(struct file_lock_context *ctx, const void *owner, loff_t start, loff_t end, struct file_lock **room)
{
    struct file_lock *l, *next;
    list_for_each_entry_safe(l, next, &ctx->ranges, link) {
        if (l->owner != owner || l->start > end || start > l->end)
            continue;
        file_lock_unblock(l);
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
}

// To its place among its owner's, of which none overlaps it; behind all others if it is the owner's first.
static void insert(struct file_lock_context *ctx, struct file_lock *mine)
{
    bool among = false;
    struct file_lock *l;
    list_for_each_entry(l, &ctx->ranges, link) {
        bool same = l->owner == mine->owner;
        if (same ? l->start > mine->start : among)
            break;
        among = same;
    }
    list_add_tail(&mine->link, &l->link);
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
        file_lock_unblock(l);
        list_del(&l->link);
        lock_free(l);
    }
}

struct range_request {
    struct file_lock *lock, *room; // null when they have become part of the context
    bool wait;
};

static int range_try(struct file_lock_context *ctx, void *arg)
{
    struct range_request *r = arg;
    struct file_lock *want = r->lock, *other = conflict(&ctx->ranges, want);
    if (other) {
        int err = r->wait ? file_lock_block(want, other) : -EAGAIN;
        if (err)
            file_lock_give_up(want); // behind it may be some from an earlier try
        return err ? err : 1;
    }
    cut(ctx, want->owner, want->start, want->end, &r->room);
    insert(ctx, want);
    join(ctx, want);
    r->lock = nullptr;
    return 0;
}

static int range_set(struct file_lock_context *ctx, const struct file_lock *want, bool wait)
{
    struct range_request r = {.lock = request_new(want), .room = kmalloc(sizeof *r.room, ALLOC_KERNEL), .wait = wait};
    int err = -ENOLCK;
    if (r.lock && r.room) {
        r.lock->detect = wait && want->kind == KIND_POSIX;
        err = request_decide(ctx, r.lock, range_try, &r);
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
    cut(ctx, owner, start, end, &room);
    spin_unlock(&ctx->lock);
    kfree(room);
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

// What its owner itself has in the range.
static struct file_lock *own(struct list_head *list, const struct file_lock *want)
{
    struct file_lock *l;
    list_for_each_entry(l, list, link)
        if (l->owner == want->owner && l->start <= want->end && want->start <= l->end)
            return l;
    return nullptr;
}

static void get_lock(struct file_lock_context *ctx, const struct file_lock *want, struct abi_flock *lock)
{
    spin_guard(&ctx->lock);
    struct file_lock *l = lock->l_type == F_UNLCK ? own(&ctx->ranges, want) : conflict(&ctx->ranges, want);
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

static void drop_all(struct file_lock_context *ctx, const void *owner)
{
    struct file_lock *l, *next;
    LIST_HEAD(gone);
    spin_lock(&ctx->lock);
    list_for_each_entry_safe(l, next, &ctx->ranges, link) {
        if (l->owner == owner) {
            file_lock_unblock(l);
            list_move_tail(&l->link, &gone);
        }
    }
    spin_unlock(&ctx->lock);
    free_list(&gone);
}

int file_posix_lock(int fd, struct file *file, int cmd, struct abi_flock *lock)
{
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW, get = cmd == F_GETLK || cmd == F_OFD_GETLK;
    if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && (lock->l_type != F_UNLCK || (get && !ofd)))
        return -EINVAL;
    struct file_lock want = {
        .kind = ofd ? KIND_OFD : KIND_POSIX, .exclusive = lock->l_type == F_WRLCK, .owner = ofd ? (const void *)file : current_task()->files,
        .holder = current_process()->pid};
    int err = to_range(file, lock, &want);
    if (err)
        return err;
    if (!get && ((lock->l_type == F_RDLCK && !(file->mode & FMODE_READ)) || (lock->l_type == F_WRLCK && !(file->mode & FMODE_WRITE))))
        return -EBADF;
    if (ofd && lock->l_pid != 0)
        return -EINVAL;
    struct file_lock_context *ctx = context_of(file->inode);
    if (!ctx)
        return -ENOLCK;
    if (get) {
        get_lock(ctx, &want, lock);
        return 0;
    }
    if (lock->l_type == F_UNLCK)
        return range_drop(ctx, want.owner, want.start, want.end);
    err = range_set(ctx, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
    // Another thread may have closed the descriptor since, and with it dropped the process's locks on the file before this one was there.
    if (!err && !ofd && !fd_refers_to(fd, file)) {
        drop_all(ctx, want.owner);
        err = -EBADF;
    }
    return err;
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

// ---- /proc/locks: proc_locks(5) -------------------------------------------------------------------------------------

// A record is a lock with those who wait for it. The locks are held from start to stop, for about a buffer's worth of records.

static struct file_lock_context *shown GUARDED_BY(&contexts_lock); // the one whose lock is held

static struct file_lock *first_of(struct file_lock_context *ctx, bool ranges)
{
    struct file_lock *l = ranges ? nullptr : list_first_entry_or_null(&ctx->flocks, struct file_lock, link);
    return l ? l : list_first_entry_or_null(&ctx->ranges, struct file_lock, link);
}

static struct file_lock *after(struct file_lock_context *ctx, struct file_lock *l)
{
    bool flock = l->kind == KIND_FLOCK;
    if (l->link.next != (flock ? &ctx->flocks : &ctx->ranges))
        return LIST_ENTRY(l->link.next, struct file_lock, link);
    return flock ? first_of(ctx, true) : nullptr;
}

// The first lock of the next context that has any.
static struct file_lock *next_context() REQUIRES(contexts_lock) NO_THREAD_SAFETY_ANALYSIS
{
    struct list_head *at = shown ? &shown->all : &contexts;
    if (shown)
        spin_unlock(&shown->lock);
    for (shown = nullptr; (at = at->next) != &contexts;) {
        struct file_lock_context *ctx = LIST_ENTRY(at, struct file_lock_context, all);
        spin_lock(&ctx->lock);
        struct file_lock *l = first_of(ctx, false);
        if (l) {
            shown = ctx;
            return l;
        }
        spin_unlock(&ctx->lock);
    }
    return nullptr;
}

static struct file_lock *next_lock(struct file_lock *l) REQUIRES(contexts_lock)
{
    l = after(shown, l);
    return l ? l : next_context();
}

static void *locks_start(struct seq_file *, loff_t *pos) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(&contexts_lock);
    struct file_lock *l = next_context();
    for (loff_t n = *pos; l && n > 0; n--)
        l = next_lock(l);
    return l;
}

static void *locks_next(struct seq_file *, void *record, loff_t *pos) NO_THREAD_SAFETY_ANALYSIS
{
    ++*pos;
    return next_lock(record);
}

static void locks_stop(struct seq_file *, void *) NO_THREAD_SAFETY_ANALYSIS
{
    if (shown)
        spin_unlock(&shown->lock);
    shown = nullptr;
    spin_unlock(&contexts_lock);
}

// The number by which `ns` knows who asked for it; 0: not at all.
static pid_t holder_nr(const struct file_lock *l, const struct pid_namespace *ns)
{
    return l->kind == KIND_OFD ? -1 : pid_nr_ns(l->holder, ns);
}

static void show_lock(struct seq_file *m, const struct inode *inode, const struct file_lock *l, pid_t holder)
{
    static const char *const kinds[] = {[KIND_FLOCK] = "FLOCK ", [KIND_POSIX] = "POSIX ", [KIND_OFD] = "OFDLCK"};
    seq_printf(m, "%s ADVISORY  %s %d %02x:%02x:%llu %lld ", kinds[l->kind], l->exclusive ? "WRITE" : "READ", holder, MAJOR(inode->sb->dev),
               MINOR(inode->sb->dev), (unsigned long long)inode->ino, (long long)l->start);
    if (l->end == INT64_MAX)
        seq_puts(m, "EOF\n");
    else
        seq_printf(m, "%lld\n", (long long)l->end);
}

// The next of those who wait for `root`, directly or behind each other; with the context's lock.
static const struct file_lock *next_blocked(const struct file_lock *l, const struct file_lock *root, int *depth)
{
    if (!list_empty(&l->blocked)) {
        ++*depth;
        return list_first_entry(&l->blocked, struct file_lock, blocked_link);
    }
    for (; l != root; l = l->blocker, --*depth)
        if (l->blocked_link.next != &l->blocker->blocked)
            return LIST_ENTRY(l->blocked_link.next, struct file_lock, blocked_link);
    return nullptr;
}

// The lock, and behind it with the same number those who wait for it.
static int locks_show(struct seq_file *m, void *record) NO_THREAD_SAFETY_ANALYSIS
{
    int depth = 0; // how many stand between it and the lock that is held, itself included
    for (const struct file_lock *l = record; l && !m->overflow; l = next_blocked(l, record, &depth)) {
        pid_t holder = holder_nr(l, m->private);
        if (!holder)
            continue; // of a process that is not to be seen from here
        seq_printf(m, "%lld: ", (long long)m->index + 1);
        if (depth)
            seq_printf(m, "%*s", depth + 2, "-> ");
        show_lock(m, shown->inode, l, holder);
    }
    return 0;
}

static const struct seq_ops locks_ops = {.start = locks_start, .next = locks_next, .stop = locks_stop, .show = locks_show};

int file_locks_open(struct file *file, const struct pid_namespace *ns)
{
    return seq_open(file, &locks_ops, (void *)ns);
}

void file_locks_show(struct seq_file *m, const struct file *file, const struct files *files, const struct pid_namespace *ns)
{
    struct file_lock_context *ctx = file->inode ? load_acquire(&file->inode->locks) : nullptr;
    if (!ctx)
        return;
    unsigned nr = 0;
    spin_guard(&ctx->lock);
    for (struct file_lock *l = first_of(ctx, false); l && !m->overflow; l = after(ctx, l)) {
        if (l->owner != file && l->owner != files)
            continue;
        seq_printf(m, "lock:\t%u: ", ++nr);
        show_lock(m, ctx->inode, l, holder_nr(l, ns));
    }
}
