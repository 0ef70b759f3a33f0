// kernel/ipc/pipe.c — pipes. States and invariants:
//   * head - tail is the number of filled slots; both only grow; a slot is found by value & (nr_slots - 1).
//   * A slot is a part of a page: [offset, offset + len), len > 0. Only a slot whose page is ours alone may be written behind its end (SLOT_MERGE).
//   * `readers == 0` makes writers fail (EPIPE); `writers == 0` is end of file once the ring is empty. FIFOs can come back from both.
// Locking: pipe->lock guards every field. Readers sleep on `readable`, writers on `writable`, both exclusively: one wake-up for one slot. Who leaves
// while there is still something to do for the next of its kind wakes that one, so no wake-up is lost.
#include "kernel/ipc/pipe.h"

#include "kernel/abi/statfs.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/ipc/pipe_internal.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/mount.h"

DEFINE_LOCK_CLASS_NESTED(pipe_class, "pipe", RANK_PIPE); // two, for splice and tee: by address

#define PIPE_DEFAULT_SLOTS 16u
#define PIPE_LEAST_SLOTS 2u // of one whose maker has too much in pipes already
unsigned long sysctl_pipe_max_size = 1024 * 1024;
uint64_t sysctl_pipe_user_pages_soft = PIPE_DEFAULT_SLOTS * 1024, sysctl_pipe_user_pages_hard = 0;

// ---- what a user may have in pipes: pipe(7) -------------------------------------------------------------------------------------------------------------

// Adds `pages` to the user's account, which may be negative. The sum.
static uint64_t charge(struct user_account *user, int64_t pages)
{
    return (uint64_t)atomic_add_return(&user->pipe_pages, pages);
}

static bool above(uint64_t pages, const uint64_t *limit)
{
    uint64_t most = READ_ONCE(*limit);
    return most && pages > most && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

// The slots of a new pipe, charged. 0: none may be made.
static uint32_t charge_new(struct user_account *user)
{
    uint32_t nr = PIPE_DEFAULT_SLOTS;
    uint64_t pages = charge(user, nr);
    if (unlikely(above(pages, &sysctl_pipe_user_pages_soft))) {
        pages = charge(user, (int64_t)PIPE_LEAST_SLOTS - nr);
        nr = PIPE_LEAST_SLOTS;
    }
    if (likely(!above(pages, &sysctl_pipe_user_pages_hard)))
        return nr;
    charge(user, -(int64_t)nr);
    return 0;
}

static void uncharge(struct pipe *p)
{
    charge(p->user, -(int64_t)p->nr_slots);
    user_account_put(p->user);
}

struct pipe *pipe_alloc(void)
{
    struct pipe *p = kzalloc(sizeof *p, ALLOC_KERNEL);
    if (!p)
        return nullptr;
    struct user_account *user = current_cred()->user;
    p->nr_slots = charge_new(user);
    if (!p->nr_slots) {
        kfree(p);
        return nullptr;
    }
    refcount_inc(&user->refs);
    p->user = user;
    p->slots = kcalloc(p->nr_slots, sizeof *p->slots, ALLOC_KERNEL);
    if (!p->slots) {
        uncharge(p);
        kfree(p);
        return nullptr;
    }
    p->max_filled = p->nr_slots;
    mutex_init(&p->lock, &pipe_class);
    waitqueue_init(&p->readable);
    waitqueue_init(&p->writable);
    return p;
}

void pipe_free(struct pipe *p)
{
    for (; p->tail != p->head; p->tail++)
        page_put(pipe_slot(p, p->tail)->page);
    if (p->spare)
        page_put(p->spare);
    uncharge(p);
    kfree(p->slots);
    kfree(p);
}

void pipe_slot_drop(struct pipe *p, struct pipe_slot *s)
{
    if (!p->spare && s->flags & SLOT_MERGE && refcount_read(&s->page->refs) == 1)
        p->spare = s->page;
    else
        page_put(s->page);
    s->page = nullptr;
}

int pipe_sleep(struct pipe *p, struct waitqueue *wq, bool (*ready)(const struct pipe *)) NO_THREAD_SAFETY_ANALYSIS
{
    struct wait_entry entry;
    int err = 0;
    wait_entry_init(&entry);
    entry.flags |= WAIT_EXCLUSIVE;
    mutex_unlock(&p->lock);
    for (;;) {
        err = prepare_to_wait(wq, &entry, THREAD_INTERRUPTIBLE);
        if (ready(p))
            err = 0;
        else if (!err) {
            schedule();
            continue;
        }
        break;
    }
    finish_wait(wq, &entry);
    mutex_lock(&p->lock);
    return err ? -ERESTARTSYS : 0;
}

bool pipe_can_read(const struct pipe *p)
{
    bool empty = READ_ONCE(p->head) == READ_ONCE(p->tail);
    return empty ? !READ_ONCE(p->writers) : !READ_ONCE(p->front_claimed);
}

static bool is_unclaimed(const struct pipe *p)
{
    return !READ_ONCE(p->front_claimed);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
    if (!nonblock)
        return pipe_sleep(p, &p->readable, pipe_can_read);
    return p->front_claimed ? pipe_sleep(p, &p->readable, is_unclaimed) : -EAGAIN;
}

bool pipe_can_write(const struct pipe *p)
{
    return READ_ONCE(p->head) - READ_ONCE(p->tail) < READ_ONCE(p->max_filled) || !READ_ONCE(p->readers);
}

static ssize_t read_slot(struct pipe *p, struct iov_iter *to, bool *packet_end)
{
    struct pipe_slot *s = pipe_slot(p, p->tail);
    size_t n = min((size_t)s->len, iov_iter_count(to)), copied = copy_to_iter(to, (char *)page_address(s->page) + s->offset, n);
    if (copied < n && (copied == 0 || s->flags & SLOT_PACKET)) {
        iov_iter_revert(to, copied);
        return -EFAULT;
    }
    *packet_end = s->flags & SLOT_PACKET;
    s->offset += (uint32_t)copied;
    s->len = *packet_end ? 0 : s->len - (uint32_t)copied; // what of a packet was not asked for is lost: pipe(2)
    if (!s->len) {
        pipe_slot_drop(p, s);
        WRITE_ONCE(p->tail, p->tail + 1);
    }
    return (ssize_t)copied;
}

static ssize_t pipe_read_iter(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    struct pipe *p = file->private;
    bool nonblock = file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT, made_room = false;
    ssize_t done = 0;
    mutex_lock(&p->lock);
    for (;;) {
        if (p->head != p->tail && likely(!p->front_claimed)) {
            bool was_full = pipe_full(p), packet_end;
            ssize_t n = read_slot(p, to, &packet_end);
            if (n < 0) {
                done = done ? done : n;
                break;
            }
            done += n;
            made_room |= was_full && !pipe_full(p);
            if (packet_end || !iov_iter_count(to))
                break;
            continue;
        }
        if (done || (!p->writers && p->head == p->tail))
            break;
        done = pipe_wait_readable(p, nonblock);
        if (done)
            break;
    }
    bool more = p->head != p->tail || !p->writers;
    mutex_unlock(&p->lock);
    if (made_room)
        wake_up_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
    if (more)
        wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
    fasync_notify(&p->async_writers, POLL_OUT);
    if (done > 0 && S_ISFIFO(file->inode->mode))
        inode_accessed(file);
    return done;
}

static int raise_sigpipe(void)
{
    signal_send_thread(current_task(), SIGPIPE, nullptr);
    return -EPIPE;
}

// The tail of a write that fits behind what the last slot holds goes there. Bytes taken, or -EFAULT.
static ssize_t try_merge(struct pipe *p, struct iov_iter *from)
{
    size_t n = iov_iter_count(from) & ~PAGE_MASK;
    if (!n || p->head == p->tail)
        return 0;
    struct pipe_slot *s = pipe_slot(p, p->head - 1);
    if (!(s->flags & SLOT_MERGE) || s->offset + s->len + n > PAGE_SIZE)
        return 0;
    size_t copied = copy_from_iter(from, (char *)page_address(s->page) + s->offset + s->len, n);
    if (copied < n) { // all of it or nothing: a reader must never see a part of an atomic write
        iov_iter_revert(from, copied);
        return -EFAULT;
    }
    s->len += (uint32_t)n;
    return (ssize_t)n;
}

static ssize_t write_slot(struct pipe *p, struct iov_iter *from, bool packet)
{
    struct page *page = p->spare;
    p->spare = nullptr;
    if (!page && !(page = page_alloc(0, ALLOC_KERNEL)))
        return -ENOMEM;
    size_t n = min(iov_iter_count(from), PAGE_SIZE), copied = copy_from_iter(from, page_address(page), n);
    if (copied < n) {
        iov_iter_revert(from, copied);
        p->spare = page;
        return -EFAULT;
    }
    *pipe_slot(p, p->head) = (struct pipe_slot){.page = page, .len = (uint32_t)n, .flags = packet ? SLOT_PACKET : SLOT_MERGE};
    WRITE_ONCE(p->head, p->head + 1);
    return (ssize_t)n;
}

static ssize_t pipe_write_iter(struct file *file, struct iov_iter *from, loff_t *, unsigned rw_flags)
{
    struct pipe *p = file->private;
    bool nonblock = file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT, packet = file->flags & O_DIRECT, filled = false;
    ssize_t done = 0, n = 0;
    if (!iov_iter_count(from))
        return 0;
    mutex_lock(&p->lock);
    if (p->readers && !packet) {
        n = try_merge(p, from);
        done = n > 0 ? n : 0;
    }
    while (n >= 0 && iov_iter_count(from)) {
        if (!p->readers) {
            n = raise_sigpipe();
        } else if (!pipe_full(p)) {
            filled |= p->head == p->tail;
            n = write_slot(p, from, packet);
            done += n > 0 ? n : 0;
        } else if (nonblock) {
            n = -EAGAIN;
        } else {
            mutex_unlock(&p->lock); // readers first: they make the room
            wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
            fasync_notify(&p->async_readers, POLL_IN);
            mutex_lock(&p->lock);
            filled = false;
            n = pipe_full(p) && p->readers ? pipe_sleep(p, &p->writable, pipe_can_write) : 0;
        }
    }
    bool room = !pipe_full(p) || !p->readers;
    mutex_unlock(&p->lock);
    // Edge-triggered listeners hear of every write; sleeping readers only of the first into an empty pipe.
    if (filled || done > 0)
        wake_up_poll(&p->readable, EPOLLIN | EPOLLRDNORM);
    fasync_notify(&p->async_readers, POLL_IN);
    if (room)
        wake_up_poll(&p->writable, EPOLLOUT | EPOLLWRNORM);
    if (done > 0 && file->path.dentry->sb != pipe_sb)
        inode_touch(file->inode, true, true);
    return done ? done : n;
}

static uint32_t pipe_poll(struct file *file, struct poll_table *pt)
{
    struct pipe *p = file->private;
    uint32_t mask = 0;
    if (file->mode & FMODE_READ)
        poll_wait(file, &p->readable, pt);
    if (file->mode & FMODE_WRITE)
        poll_wait(file, &p->writable, pt);
    // The writers before the data: one that wrote, then left, between the two looks must not seem to have left nothing. A FIFO that was opened before
    // there ever was a writer has not lost one.
    bool writers_lost = !load_acquire(&p->writers) && file->version != load_acquire(&p->writers_seen);
    uint32_t head = READ_ONCE(p->head), tail = READ_ONCE(p->tail);
    if (file->mode & FMODE_READ)
        mask |= (head != tail ? EPOLLIN | EPOLLRDNORM : 0) | (writers_lost ? EPOLLHUP : 0);
    if (file->mode & FMODE_WRITE) {
        if (head - tail < READ_ONCE(p->max_filled))
            mask |= EPOLLOUT | EPOLLWRNORM;
        if (!READ_ONCE(p->readers))
            mask |= EPOLLERR;
    }
    return mask;
}

static long pipe_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
    struct pipe *p = file->private;
    if (cmd != FIONREAD)
        return -ENOTTY;
    int bytes = 0;
    mutex_lock(&p->lock);
    for (uint32_t i = p->tail; i != p->head; i++)
        bytes += (int)pipe_slot(p, i)->len;
    mutex_unlock(&p->lock);
    return put_user(bytes, user_ptr(int, arg));
}

static void pipe_release(struct file *file)
{
    struct pipe *p = file->private;
    struct inode *inode = file->inode;
    mutex_lock(&p->lock);
    if (file->mode & FMODE_READ)
        p->readers--;
    if (file->mode & FMODE_WRITE)
        p->writers--;
    bool one_sided = !p->readers != !p->writers;
    mutex_unlock(&p->lock);
    if (one_sided) {
        wake_up_nr(&p->readable, EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP, ~0u);
        wake_up_nr(&p->writable, EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP, ~0u);
        fasync_notify(&p->async_readers, POLL_IN);
        fasync_notify(&p->async_writers, POLL_OUT);
    }
    pipe_put(inode);
}

static int pipe_fasync(struct file *file, int fd, bool on)
{
    struct pipe *p = file->private;
    mutex_guard(&p->lock); // O_ASYNC says whether the file is on the lists: on both that it belongs to, or on none
    int err = file->mode & FMODE_READ ? fasync_update(&p->async_readers, file, fd, on) : 0;
    if (err || !(file->mode & FMODE_WRITE))
        return err;
    err = fasync_update(&p->async_writers, file, fd, on);
    if (err && file->mode & FMODE_READ)
        (void)fasync_update(&p->async_readers, file, fd, false);
    return err;
}

const struct file_ops pipe_file_ops = {
    .read_iter = pipe_read_iter,
    .write_iter = pipe_write_iter,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
    .fasync = pipe_fasync,
    .nonseekable = true,
    .nowait = true,
};

struct pipe *pipe_of(struct file *file)
{
    return file->ops == &pipe_file_ops ? file->private : nullptr;
}

// ---- size ------------------------------------------------------------------------------------------------------------------------------------------------

long pipe_size(struct pipe *p)
{
    return (long)(READ_ONCE(p->nr_slots) * PAGE_SIZE);
}

long pipe_set_size(struct pipe *p, unsigned long size)
{
    if (size > 1ul << 31)
        return -EINVAL;
    uint32_t nr = 1;
    while (nr * PAGE_SIZE < size)
        nr *= 2;
    if (nr * PAGE_SIZE > sysctl_pipe_max_size && nr > p->nr_slots && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    struct pipe_slot *slots = kcalloc(nr, sizeof *slots, ALLOC_KERNEL);
    if (!slots)
        return -ENOMEM;
    mutex_lock(&p->lock);
    uint32_t used = p->head - p->tail, reserved = p->nr_slots - p->max_filled;
    bool fits = used + reserved <= nr;
    int64_t more = (int64_t)nr - p->nr_slots;
    uint64_t pages = charge(p->user, more);
    bool allowed = more <= 0 || !(above(pages, &sysctl_pipe_user_pages_soft) || above(pages, &sysctl_pipe_user_pages_hard));
    if (!fits || !allowed) {
        charge(p->user, -more);
    } else {
        for (uint32_t i = 0; i < used; i++)
            slots[i] = *pipe_slot(p, p->tail + i);
        struct pipe_slot *old = p->slots;
        p->slots = slots;
        slots = old;
        p->tail = 0;
        p->head = used;
        p->nr_slots = nr;
        p->max_filled = nr - reserved;
    }
    mutex_unlock(&p->lock);
    kfree(slots);
    wake_up_nr(&p->writable, EPOLLOUT | EPOLLWRNORM, ~0u);
    return !allowed ? -EPERM : fits ? (long)(nr * PAGE_SIZE) : -EBUSY;
}

// ---- anonymous pipes ----------------------------------------------------------------------------------------------------------------------------------------

static struct mount *pipe_mount RO_AFTER_INIT;
const struct superblock *pipe_sb RO_AFTER_INIT;

static int pipe_name(struct dentry *d, char *buf, size_t size)
{
    return scnprintf(buf, size, "pipe:[%llu]", (unsigned long long)d->inode->ino);
}
static const struct dentry_ops pipe_dentry_ops = {.dynamic_name = pipe_name};

static int pipe_inode(struct inode **out)
{
    struct inode *inode = inode_alloc(pipe_mount->sb);
    struct pipe *p = inode ? pipe_alloc() : nullptr;
    if (!p) {
        iput(inode);
        return -ENFILE;
    }
    inode_init_owner(inode, nullptr, S_IFIFO | 0600);
    p->users = 2;
    p->readers = p->writers = 1;
    p->readers_seen = p->writers_seen = 1;
    inode->pipe = p;
    *out = inode;
    return 0;
}

int pipe_create_files(struct file *files[2], unsigned flags)
{
    struct inode *inode;
    int err = pipe_inode(&inode);
    if (err)
        return err;
    struct pipe *p = inode->pipe;
    struct dentry *d = d_alloc_anon(inode, &pipe_dentry_ops);
    if (!d) {
        pipe_free(p);
        iput(inode);
        return -ENFILE;
    }
    struct path path = {pipe_mount, d};
    unsigned common = flags & (O_NONBLOCK | O_DIRECT);
    err = file_alloc(&path, O_RDONLY | (flags & O_NONBLOCK), &pipe_file_ops, &files[0]);
    if (!err) {
        files[0]->private = p;
        err = file_alloc(&path, O_WRONLY | common, &pipe_file_ops, &files[1]);
        if (err) {
            p->writers = 0;
            p->users = 1;
            file_put_sync(files[0]);
        } else {
            files[1]->private = p;
        }
    } else {
        pipe_free(p);
    }
    dput(d);
    return err;
}

static int pipefs_get_super(const struct file_system_type *type, unsigned flags, const char *, const char *, struct superblock **out)
{
    return sb_create_nameless(type, flags, PIPEFS_MAGIC, nullptr, out);
}
FILE_SYSTEM(pipefs_type) = {.name = "pipefs", .flags = FS_NO_USER_MOUNT, .get_super = pipefs_get_super};

static int pipe_init(void)
{
    int err = mount_internal(&pipefs_type, nullptr, &pipe_mount);
    ASSERT(!err);
    pipe_sb = pipe_mount->sb;
    return 0;
}
INITCALL(subsys, pipe_init);
