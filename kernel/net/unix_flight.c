// kernel/net/unix_flight.c — descriptors in flight: how many a user may have on their way, and the collection of sockets that only hold each other. unix(7).
//
// A message that carries a socket keeps it open. If that message waits in the queue of a socket that is itself only held by messages, nobody can ever
// receive it: such circles have to be found. Every AF_UNIX socket knows how many times it is in flight (begin and end below). One whose open file has
// no other references is a candidate. From each candidate's count the collector takes off the references that lie in queues of candidates: what
// remains comes from outside. Candidates with some outside are alive, and so is all they carry; the messages of the rest are dropped, which closes
// them.
//
// flight_lock stands still what makes this true: nothing begins or ends being in flight under the collector, and a receiver passes through the lock
// between taking a message (or looking at it: the barrier) and giving its descriptors to user space. It is taken before the locks of sockets.

#include "kernel/mm/slab.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/file.h"

#define FLYING_MANY 16000u // a collection is due even if no socket is closed

static DEFINE_LOCK_CLASS(flight_class, "unix descriptors in flight", (enum lock_rank)(RANK_SOCKET - 1));
static struct mutex flight_lock = MUTEX_INIT(flight_lock, &flight_class);
static LIST_HEAD(flying);          // sockets that are in flight; flight_lock
static unsigned nr_flying;         // flight_lock for writing
static struct work_item collect_work;

static struct unix_sock *unix_of_file(struct file *file)
{
    struct socket *s = socket_of_file(file);
    return s && s->family == AF_UNIX ? unix_of(s) : nullptr;
}

// ---- beginning and ending -------------------------------------------------------------------------------------------

static bool too_many(const struct user_account *user)
{
    if ((uint64_t)atomic_read(&user->descriptors_in_flight) <= rlimit(RLIMIT_NOFILE))
        return false;
    return !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

int unix_flight_begin(struct scm *scm)
{
    struct user_account *user = current_cred()->user;
    if (too_many(user))
        return -ETOOMANYREFS;
    refcount_inc(&user->refs);
    scm->charged = user;
    mutex_guard(&flight_lock);
    atomic_add_relaxed(&user->descriptors_in_flight, (int)scm->nr_files);
    for (unsigned i = 0; i < scm->nr_files; i++) {
        struct unix_sock *u = unix_of_file(scm->files[i]);
        if (!u || u->in_flight++)
            continue;
        u->file = scm->files[i];
        list_add_tail(&u->flying, &flying);
        WRITE_ONCE(nr_flying, nr_flying + 1);
    }
    if (unlikely(nr_flying > FLYING_MANY))
        unix_flight_collect();
    return 0;
}

void unix_flight_end(struct scm *scm)
{
    {
        mutex_guard(&flight_lock);
        atomic_sub_relaxed(&scm->charged->descriptors_in_flight, (int)scm->nr_files);
        for (unsigned i = 0; i < scm->nr_files; i++) {
            struct unix_sock *u = unix_of_file(scm->files[i]);
            if (!u || --u->in_flight)
                continue;
            list_del_init(&u->flying);
            u->file = nullptr;
            WRITE_ONCE(nr_flying, nr_flying - 1);
        }
    }
    user_account_put(scm->charged);
    scm->charged = nullptr;
}

void unix_flight_barrier(void)
{
    mutex_guard(&flight_lock);
}

// ---- the collector --------------------------------------------------------------------------------------------------

static void scan_messages(struct unix_sock *u, struct list_head *list, void (*fn)(struct unix_sock *carried, struct list_head *list)) REQUIRES(u->s.lock)
{
    struct unix_msg *m;
    list_for_each_entry(m, &u->queue, link)
    {
        for (unsigned i = 0; i < m->scm.nr_files; i++) {
            struct unix_sock *carried = unix_of_file(m->scm.files[i]);
            if (carried && carried->candidate)
                fn(carried, list);
        }
    }
}

// Calls fn for every reference to a candidate that waits in u's queue; a listener's is those of the connections it has not accepted.
static void scan(struct unix_sock *u, struct list_head *list, void (*fn)(struct unix_sock *carried, struct list_head *list))
{
    struct unix_pending *pending;
    mutex_guard(&u->s.lock);
    if (u->state != UNIX_LISTENING) {
        scan_messages(u, list, fn);
        return;
    }
    list_for_each_entry(pending, &u->queue, link)
    {
        mutex_guard(&pending->server->s.lock);
        scan_messages(pending->server, list, fn);
    }
}

static void count_inside(struct unix_sock *carried, struct list_head *)
{
    carried->outside--;
}

static void revive(struct unix_sock *carried, struct list_head *alive)
{
    carried->candidate = false;
    list_move_tail(&carried->flying, alive);
}

// Takes the messages that carry descriptors off the queue.
static void take_messages(struct unix_sock *u, struct list_head *garbage) REQUIRES(u->s.lock)
{
    struct unix_msg *m, *next;
    list_for_each_entry_safe(m, next, &u->queue, link)
    {
        if (!m->scm.nr_files)
            continue;
        list_move_tail(&m->link, garbage);
        u->queued--;
        u->queued_bytes -= m->len - m->consumed;
    }
}

static void take_garbage(struct unix_sock *u, struct list_head *garbage)
{
    struct unix_pending *pending;
    mutex_guard(&u->s.lock);
    if (u->state != UNIX_LISTENING) {
        take_messages(u, garbage);
        return;
    }
    list_for_each_entry(pending, &u->queue, link)
    {
        mutex_guard(&pending->server->s.lock);
        take_messages(pending->server, garbage);
    }
}

static void find_garbage(struct list_head *garbage)
{
    LIST_HEAD(candidates);
    LIST_HEAD(alive);
    LIST_HEAD(done);
    struct unix_sock *u, *next;
    mutex_guard(&flight_lock);
    list_for_each_entry_safe(u, next, &flying, flying)
    {
        u->candidate = refcount_read(&u->file->refs) == u->in_flight;
        u->outside = u->in_flight;
        if (u->candidate)
            list_move_tail(&u->flying, &candidates);
    }
    list_for_each_entry(u, &candidates, flying) scan(u, nullptr, count_inside);
    list_for_each_entry_safe(u, next, &candidates, flying)
    {
        if (u->outside)
            revive(u, &alive);
    }
    while ((u = list_first_entry_or_null(&alive, struct unix_sock, flying))) {
        list_move_tail(&u->flying, &done);
        scan(u, &alive, revive);
    }
    list_for_each_entry(u, &candidates, flying)
    {
        u->candidate = false;
        take_garbage(u, garbage);
    }
    list_splice_tail_init(&done, &flying);
    list_splice_tail_init(&candidates, &flying);
}

static void collect(struct work_item *)
{
    LIST_HEAD(garbage);
    find_garbage(&garbage);
    while (!list_empty(&garbage)) {
        struct unix_msg *m = list_first_entry(&garbage, struct unix_msg, link);
        list_del(&m->link);
        unix_msg_free(m);
    }
}

void unix_flight_collect(void)
{
    if (unlikely(READ_ONCE(nr_flying)))
        work_queue(&collect_work, collect);
}
