// kernel/vfs/file_lock_block.c — requests for file locks that wait: behind whom, until when, and the search for deadlocks.
//
// Requests hang on what blocks them as trees: on a held lock those that could be granted together once it goes, and on each of these the ones that conflict
// with it. So the end of a lock wakes who can have it next, in the order of coming, and not everybody. A request that is granted
// keeps those behind it: they wait for the lock now that it has become.
#include "kernel/base/hash.h"
#include "kernel/vfs/file_lock_internal.h"

static DEFINE_LOCK_CLASS(lock_wait_class, "file lock waiters", (enum lock_rank)(RANK_FILES + 1));

#define WAITING_BITS 7
#define MAX_CHAIN 64u // owners followed in the search for a circle

static struct spinlock waiters_lock = SPINLOCK_INIT(&lock_wait_class);
static struct hlist_head waiting[1 << WAITING_BITS]; // by owner: requests that have a blocker and `detect`

static struct hlist_head *bucket(const void *owner)
{
    return &waiting[hash_ptr(owner, WAITING_BITS)];
}

void file_lock_init(struct file_lock *l, const struct file_lock *what)
{
    *l = *what;
    l->blocker = nullptr;
    l->waiting = (struct hlist_node){};
    list_init(&l->link);
    list_init(&l->blocked);
    list_init(&l->blocked_link);
    waitqueue_init(&l->wait);
}

bool file_locks_conflict(const struct file_lock *a, const struct file_lock *b)
{
    return a->owner != b->owner && (a->exclusive || b->exclusive) && a->start <= b->end && b->start <= a->end;
}

// Who holds what `l` waits for, perhaps behind others; or holds `l`.
static const void *holder(const struct file_lock *l) REQUIRES(waiters_lock)
{
    while (l->blocker)
        l = l->blocker;
    return l->owner;
}

static bool closes_circle(const void *me, const struct file_lock *blocker) REQUIRES(waiters_lock)
{
    const void *owner = holder(blocker);
    for (unsigned depth = 0; depth < MAX_CHAIN; depth++) {
        if (owner == me)
            return true;
        struct file_lock *w, *found = nullptr;
        hlist_for_each_entry(w, bucket(owner), waiting)
        {
            if (w->owner == owner) {
                found = w;
                break;
            }
        }
        if (!found)
            return false;
        owner = holder(found);
    }
    return false;
}

static struct file_lock *last_in_the_way(struct file_lock *blocker, const struct file_lock *request) REQUIRES(waiters_lock)
{
    struct file_lock *w;
again:
    list_for_each_entry(w, &blocker->blocked, blocked_link) {
        if (file_locks_conflict(w, request)) {
            blocker = w;
            goto again;
        }
    }
    return blocker;
}

int file_lock_block(struct file_lock *request, struct file_lock *blocker)
{
    spin_guard(&waiters_lock);
    if (request->detect && closes_circle(request->owner, blocker))
        return -EDEADLK;
    request->blocker = last_in_the_way(blocker, request);
    list_add_tail(&request->blocked_link, &request->blocker->blocked);
    if (request->detect)
        hlist_add_head(&request->waiting, bucket(request->owner));
    return 0;
}

static void go_on(struct file_lock *request) REQUIRES(waiters_lock)
{
    list_del_init(&request->blocked_link);
    hlist_del_init_rcu(&request->waiting);
    WRITE_ONCE(request->blocker, nullptr);
    wake_up_all(&request->wait); // its thread takes the context's lock before it frees the request: not while we are here
}

void file_lock_unblock(struct file_lock *l)
{
    if (list_empty(&l->blocked))
        return;
    spin_guard(&waiters_lock);
    while (!list_empty(&l->blocked))
        go_on(list_first_entry(&l->blocked, struct file_lock, blocked_link));
}

void file_lock_give_up(struct file_lock *request)
{
    if (request->blocker) {
        spin_guard(&waiters_lock);
        go_on(request);
    }
    file_lock_unblock(request);
}
