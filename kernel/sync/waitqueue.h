// kernel/sync/waitqueue.h — where threads sleep until something changes, and where poll, select and epoll listen for the same change.
//
// A waiter is a callback on a list. Sleeping threads use a callback that wakes them; epoll one that marks its item ready. The
// object changes its state first and wakes afterwards, with its own lock dropped or held (the queue's lock ranks inside all object locks).
#pragma once

#include "kernel/base/list.h"
#include "kernel/sched/thread_state.h"
#include "kernel/sync/spinlock.h"

struct thread;
struct wait_entry;

struct waitqueue {
    struct spinlock lock; // class waitqueue; taken with interrupts off
    struct list_head entries GUARDED_BY(&lock);
};

#define WAITQUEUE_INIT(name) {.lock = SPINLOCK_INIT(&waitqueue_lock_class), .entries = LIST_HEAD_INIT((name).entries)}
extern const struct lock_class waitqueue_lock_class;

// Called with the queue's lock held and interrupts off, with the poll(2) event bits that became true (0: unspecified, all).
// Returns whether it took the wake-up: counts against the limit of an exclusive wake.
typedef bool (*wait_callback)(struct wait_entry *entry, uint32_t events);

struct wait_entry {
    struct list_head link;
    wait_callback callback;
    struct thread *thread;   // for the default callback
    uint32_t flags;
    uint32_t events;         // only events that intersect are delivered; 0 means all
};

#define WAIT_EXCLUSIVE 1u // stop after `nr` of these were woken; they queue at the tail

void waitqueue_init(struct waitqueue *wq); // nobody on it

// Is anybody on the queue? For who has just changed the state that they wait for.
static inline bool waitqueue_active(struct waitqueue *wq) NO_THREAD_SAFETY_ANALYSIS
{
    smp_mb(); // the caller has changed the object's state: that must be visible before we look for sleepers
    return !list_empty(&wq->entries);
}

void wake_up_slow_(struct waitqueue *wq, uint32_t events, unsigned nr);

// Wakes all non-exclusive waiters and up to nr exclusive ones. Any context. Cheap when nobody waits.
static inline void wake_up_nr(struct waitqueue *wq, uint32_t events, unsigned nr)
{
    if (waitqueue_active(wq))
        wake_up_slow_(wq, events, nr);
}
#define wake_up(wq) wake_up_nr((wq), 0, 1)
#define wake_up_all(wq) wake_up_nr((wq), 0, ~0u)
#define wake_up_poll(wq, events) wake_up_nr((wq), (events), 1)

// The object that holds the queue ends, and entries of listeners that do not hold the object may be on it (an epoll item on the queue of signals of the
// task that added it). Each is taken off and told with WAIT_QUEUE_ENDS: its callback forgets the queue, by a release store that is its last access to the
// entry. A listener therefore reads its pointer to such a queue under rcu_read_lock(), and the queue's memory stays for a grace period.
#define WAIT_QUEUE_ENDS (1u << 16) // no bit of poll(2)
void waitqueue_end(struct waitqueue *wq);

void waitqueue_add(struct waitqueue *wq, struct wait_entry *entry);    // entry->callback set by the caller
void waitqueue_remove(struct waitqueue *wq, struct wait_entry *entry); // harmless if it was removed already

// The two halves of a sleep: enqueue and set the state under the queue's lock; then check the condition; then schedule(); then finish.
// With an interruptible state, -EINTR when a signal is already pending (still call finish_wait).
void wait_entry_init(struct wait_entry *entry); // current thread, default callback (removes itself when it wakes)
int prepare_to_wait(struct waitqueue *wq, struct wait_entry *entry, enum thread_state state);
// The same, but one of several waiters of which a wake-up for one wakes only one (WAIT_EXCLUSIVE).
int prepare_to_wait_exclusive(struct waitqueue *wq, struct wait_entry *entry, enum thread_state state);
// Ends it: the current thread runs, and the entry is off the queue.
void finish_wait(struct waitqueue *wq, struct wait_entry *entry);

// Sleeps until `condition` is true. The condition is evaluated without any lock of the queue. _interruptible forms return 0 or -EINTR
// (-ERESTARTSYS at the caller's choice); _timeout forms take an absolute deadline on the monotonic clock and return -ETIMEDOUT.
#define wait_event_state_(wq, condition, state, sleep_expr)                                                            \
    ({                                                                                                                 \
        int wait_ret_ = 0;                                                                                             \
        if (!(condition)) {                                                                                            \
            struct wait_entry wait_entry_;                                                                             \
            wait_entry_init(&wait_entry_);                                                                             \
            for (;;) {                                                                                                 \
                int wait_sig_ = prepare_to_wait((wq), &wait_entry_, (state));                                          \
                if (condition)                                                                                         \
                    break;                                                                                             \
                if ((wait_ret_ = wait_sig_))                                                                           \
                    break;                                                                                             \
                if ((wait_ret_ = (sleep_expr))) {                                                                      \
                    if (condition)                                                                                     \
                        wait_ret_ = 0;                                                                                 \
                    break;                                                                                             \
                }                                                                                                      \
            }                                                                                                          \
            finish_wait((wq), &wait_entry_);                                                                           \
        }                                                                                                              \
        wait_ret_;                                                                                                     \
    })
void schedule(void);
// Sleeps until woken or until the absolute monotonic deadline: 0 or -ETIMEDOUT. The state was set by prepare_to_wait().
int schedule_until(ktime_t deadline);
#define wait_event(wq, condition) ((void)wait_event_state_(wq, condition, THREAD_UNINTERRUPTIBLE, (schedule(), 0)))
// For a kernel thread with nothing to do: such a sleep is no load.
#define wait_event_parked(wq, condition) ((void)wait_event_state_(wq, condition, THREAD_PARKED, (schedule(), 0)))
#define wait_event_interruptible(wq, condition) wait_event_state_(wq, condition, THREAD_INTERRUPTIBLE, (schedule(), 0))
#define wait_event_killable(wq, condition) wait_event_state_(wq, condition, THREAD_KILLABLE, (schedule(), 0))
#define wait_event_timeout(wq, condition, deadline)                                                                    \
    wait_event_state_(wq, condition, THREAD_UNINTERRUPTIBLE, schedule_until(deadline))
#define wait_event_parked_timeout(wq, condition, deadline)                                                             \
    wait_event_state_(wq, condition, THREAD_PARKED, schedule_until(deadline))
#define wait_event_interruptible_timeout(wq, condition, deadline)                                                      \
    wait_event_state_(wq, condition, THREAD_INTERRUPTIBLE, schedule_until(deadline))

// One-shot event: done stays true once completed, and wakes all. It may stand on the waiter's stack. The killable wait returns 0 or -EINTR.
struct completion {
    bool done;
    struct waitqueue wait;
};
void completion_init(struct completion *c);
void complete(struct completion *c);
void wait_for_completion(struct completion *c);
[[nodiscard]] int wait_for_completion_killable(struct completion *c);
