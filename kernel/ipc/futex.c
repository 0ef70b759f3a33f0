// kernel/ipc/futex.c — waiting on a word of user memory, and waking who waits there.
//
// The word is user space's; the kernel knows only who waits on it. Waiters hang in a hash table by key: (address space, address) for private words,
// (page cache, offset) for words in shared mappings, whoever maps them.
//
// No wake-up is lost: the waiter counts itself in, takes the bucket's lock, and compares the word with what the caller expects under that
// lock, before it enqueues. The waker has changed the word before its call, and takes the lock (if it sees anybody counted) afterwards. Either the
// waiter sees the new value, or the waker sees the waiter.
//
// Reading user memory under a spinlock can not wait for a page: it fails, the lock is dropped, the page is touched, and all begins anew.
//
// A waiter is woken by unlinking it and clearing its bucket pointer; it then touches neither lock nor list any more. Its frame may be gone right
// after, but its thread's memory is safe: the lock's holder has preemption off, which is an RCU reader.
// Locks: bucket lock (RANK_FUTEX); two of them in order of address.

#include "kernel/ipc/futex.h"

#include "kernel/abi/errno.h"
#include "kernel/base/hash.h"
#include "kernel/base/panic.h"
#include "kernel/boot/init.h"
#include "kernel/ipc/futex_internal.h"
#include "kernel/mm/slab.h"
#include "kernel/sched/sched.h"

#define BUCKETS_PER_CPU 256u

static DEFINE_LOCK_CLASS_NESTED(futex_class, "futex bucket", RANK_FUTEX);
static struct futex_bucket *buckets;
static unsigned bucket_bits;

int futex_key_get(const uint32_t __user *uaddr, bool private, bool write, struct mm_futex_key *key)
{
    vaddr_t addr = user_addr(uaddr);
    if (addr & 3)
        return -EINVAL;
    if (!user_range_ok(addr, sizeof(uint32_t)))
        return -EFAULT;
    if (!private)
        return mm_futex_key(current_thread()->mm, addr, write, key);
    *key = (struct mm_futex_key){.object = current_thread()->mm, .offset = addr};
    return 0;
}

struct futex_bucket *futex_bucket_of(const struct mm_futex_key *key)
{
    return &buckets[hash_u64((uintptr_t)key->object + key->offset * 0x9e3779b97f4a7c15ull, bucket_bits)];
}

// The word's value, without sleeping: -EFAULT where its page is not there.
static int read_word(uint32_t *value, const uint32_t __user *uaddr)
{
    pagefault_disable();
    int err = get_user(*value, uaddr);
    pagefault_enable();
    return err;
}

static void wake_waiter(struct futex_waiter *w) // bucket locked
{
    struct thread *thread = w->thread;
    list_del(&w->link);
    __atomic_sub_fetch(&w->bucket->nr, 1, __ATOMIC_RELAXED);
    store_release(&w->bucket, nullptr);
    thread_wake(thread, WAKE_NORMAL);
}

// -- waiting ------------------------------------------------------------------------------------------------------------------

// Takes the waiter off again; false: it was woken meanwhile. A requeue may move it while we try.
static bool unqueue(struct futex_waiter *w) NO_THREAD_SAFETY_ANALYSIS
{
    struct futex_bucket *bucket;
    while ((bucket = load_acquire(&w->bucket))) {
        spin_lock(&bucket->lock);
        bool here = w->bucket == bucket;
        if (here) {
            list_del(&w->link);
            __atomic_sub_fetch(&bucket->nr, 1, __ATOMIC_RELAXED);
            w->bucket = nullptr;
        }
        spin_unlock(&bucket->lock);
        if (here)
            return true;
    }
    return false;
}

// Compares and enqueues as one step. 0, -EAGAIN (another value), -EFAULT (not readable now: nothing happened).
static int enqueue_if(struct futex_waiter *w, const uint32_t __user *uaddr, uint32_t expected)
{
    struct futex_bucket *bucket = futex_bucket_of(&w->key);
    uint32_t value;
    __atomic_add_fetch(&bucket->nr, 1, __ATOMIC_SEQ_CST); // before the word is read: see futex_wake()
    spin_guard(&bucket->lock);
    int err = read_word(&value, uaddr);
    if (!err && value != expected)
        err = -EAGAIN;
    if (err) {
        __atomic_sub_fetch(&bucket->nr, 1, __ATOMIC_RELAXED);
        return err;
    }
    set_current_state(THREAD_INTERRUPTIBLE);
    w->bucket = bucket;
    list_add_tail(&w->link, &bucket->waiters);
    return 0;
}

// Sleeps until woken. 0, -ETIMEDOUT, -EINTR; on the latter two the waiter is off the list.
static int sleep_until_woken(struct futex_waiter *w, const struct futex_deadline *deadline)
{
    const struct task *task = current_task();
    ktime_t slack = current_timer_slack();
    int err = 0;
    for (;; set_current_state(THREAD_INTERRUPTIBLE)) { // the first time under the lock, in enqueue_if()
        if (!load_acquire(&w->bucket)) {
            err = 0; // woken, and the waker counts on it, however late it is
            break;
        }
        if (err || (thread_signal_pending(&task->thread, false) && (err = -EINTR))) {
            if (unqueue(w))
                break;
            err = 0; // woken after all: that counts
            continue;
        }
        err = schedule_until_clock(deadline->clock, deadline->at, slack);
    }
    WRITE_ONCE(current_thread()->state, THREAD_RUNNING);
    return err;
}

static long futex_wait_restart(struct restart_block *block)
{
    struct futex_deadline deadline = {.at = block->deadline, .clock = (enum hrtimer_clock)block->clock};
    return futex_wait(user_ptr(uint32_t, block->arg[0]), block->arg[1], (uint32_t)block->arg[2], &deadline, (uint32_t)block->arg[3]);
}

// A signal ended the wait: without a deadline the call is simply made again, else it goes on to the same deadline.
static long wait_interrupted(uint32_t __user *uaddr, bool private, uint32_t expected, const struct futex_deadline *deadline, uint32_t bitset)
{
    if (deadline->at == KTIME_MAX)
        return -ERESTARTSYS;
    current_task()->restart = (struct restart_block){
        .fn = futex_wait_restart,
        .deadline = deadline->at,
        .clock = (int)deadline->clock,
        .arg = {user_addr(uaddr), private, expected, bitset},
    };
    return -ERESTART_RESTARTBLOCK;
}

long futex_wait(uint32_t __user *uaddr, bool private, uint32_t expected, const struct futex_deadline *deadline, uint32_t bitset)
{
    struct futex_waiter w = {.bitset = bitset, .thread = current_thread()};
    uint32_t value;
    if (!bitset)
        return -EINVAL;
    int err = futex_key_get(uaddr, private, false, &w.key);
    if (err)
        return err;
    while ((err = enqueue_if(&w, uaddr, expected)) == -EFAULT) {
        if (get_user(value, uaddr)) // brings the page in
            break;
    }
    if (!err)
        err = sleep_until_woken(&w, deadline);
    mm_futex_key_put(&w.key);
    return err == -EINTR ? wait_interrupted(uaddr, private, expected, deadline, bitset) : err;
}

// -- waking -------------------------------------------------------------------------------------------------------------------

// Wakes up to nr waiters on the key; its bucket is locked. Returns how many.
static int wake_matching(struct futex_bucket *bucket, const struct mm_futex_key *key, int nr, uint32_t bitset)
{
    int woken = 0;
    struct futex_waiter *w, *next;
    list_for_each_entry_safe(w, next, &bucket->waiters, link) {
        if (!futex_key_equal(&w->key, key) || !(w->bitset & bitset))
            continue;
        wake_waiter(w);
        if (++woken >= nr)
            break;
    }
    return woken;
}

long futex_wake(uint32_t __user *uaddr, bool private, int nr, uint32_t bitset)
{
    struct mm_futex_key key;
    if (!bitset)
        return -EINVAL;
    int err = futex_key_get(uaddr, private, false, &key);
    if (err)
        return err;
    struct futex_bucket *bucket = futex_bucket_of(&key);
    int woken = 0;
    smp_mb(); // the word was changed before: a waiter not yet counted will see that
    if (__atomic_load_n(&bucket->nr, __ATOMIC_RELAXED)) {
        spin_guard(&bucket->lock);
        woken = wake_matching(bucket, &key, nr, bitset);
    }
    mm_futex_key_put(&key);
    return woken;
}

int futex_wake_user(int __user *addr, int nr)
{
    return (int)futex_wake((uint32_t __user *)addr, false, nr, FUTEX_BITSET_MATCH_ANY);
}

// -- two words ----------------------------------------------------------------------------------------------------------------

static void lock_two(struct futex_bucket *a, struct futex_bucket *b) NO_THREAD_SAFETY_ANALYSIS
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b) NO_THREAD_SAFETY_ANALYSIS
{
    if (a != b)
        spin_unlock(&b->lock);
    spin_unlock(&a->lock);
}

// Both keys, or none and the error.
static int keys_get(uint32_t __user *uaddr, uint32_t __user *uaddr2, bool private, bool write2, struct mm_futex_key key[2])
{
    int err = futex_key_get(uaddr, private, false, &key[0]);
    if (err)
        return err;
    err = futex_key_get(uaddr2, private, write2, &key[1]);
    if (err)
        mm_futex_key_put(&key[0]);
    return err;
}

// From now on the waiter waits on the other word. What it waits on stays alive by its process's own mapping of it.
static void requeue_waiter(struct futex_waiter *w, struct futex_bucket *to, const struct mm_futex_key *key)
{
    w->key.object = key->object;
    w->key.offset = key->offset;
    if (w->bucket != to) {
        __atomic_add_fetch(&to->nr, 1, __ATOMIC_SEQ_CST);
        __atomic_sub_fetch(&w->bucket->nr, 1, __ATOMIC_RELAXED);
        store_release(&w->bucket, to);
    }
    list_move_tail(&w->link, &to->waiters);
}

static int requeue_matching(struct futex_bucket *from, struct futex_bucket *to, const struct mm_futex_key key[2], int nr)
{
    int moved = 0;
    LIST_HEAD(chosen); // so that those moved within one bucket are not met again
    struct futex_waiter *w, *next;
    list_for_each_entry_safe(w, next, &from->waiters, link) {
        if (moved >= nr)
            break;
        if (!futex_key_equal(&w->key, &key[0]))
            continue;
        list_move_tail(&w->link, &chosen);
        moved++;
    }
    list_for_each_entry_safe(w, next, &chosen, link)
        requeue_waiter(w, to, &key[1]);
    return moved;
}

long futex_requeue(uint32_t __user *uaddr, uint32_t __user *uaddr2, bool private, int nr_wake, int nr_requeue, const uint32_t *compare)
{
    struct mm_futex_key key[2];
    if (nr_wake < 0 || nr_requeue < 0)
        return -EINVAL;
    int err = keys_get(uaddr, uaddr2, private, false, key);
    if (err)
        return err;
    struct futex_bucket *from = futex_bucket_of(&key[0]), *to = futex_bucket_of(&key[1]);
    int done = 0;
    for (;;) {
        uint32_t value;
        lock_two(from, to);
        err = compare ? read_word(&value, uaddr) : 0;
        if (!err && compare && value != *compare)
            err = -EAGAIN;
        if (!err) {
            done = nr_wake ? wake_matching(from, &key[0], nr_wake, FUTEX_BITSET_MATCH_ANY) : 0;
            done += requeue_matching(from, to, key, nr_requeue);
        }
        unlock_two(from, to);
        if (err != -EFAULT || get_user(value, uaddr))
            break;
    }
    mm_futex_key_put(&key[0]);
    mm_futex_key_put(&key[1]);
    return err ? err : done;
}

static bool wake_op_compare(uint32_t old, unsigned comparison, int argument, bool *result)
{
    int value = (int)old;
    switch (comparison) {
    case FUTEX_OP_CMP_EQ: *result = value == argument; return true;
    case FUTEX_OP_CMP_NE: *result = value != argument; return true;
    case FUTEX_OP_CMP_LT: *result = value < argument; return true;
    case FUTEX_OP_CMP_LE: *result = value <= argument; return true;
    case FUTEX_OP_CMP_GT: *result = value > argument; return true;
    case FUTEX_OP_CMP_GE: *result = value >= argument; return true;
    default: return false;
    }
}

static int sign_extend_12(uint32_t value)
{
    return (int)(value << 20) >> 20;
}

// Does the operation on *uaddr2, wakes waiters on uaddr, and if the old value passes the comparison also waiters on uaddr2.
long futex_wake_op(uint32_t __user *uaddr, uint32_t __user *uaddr2, bool private, int nr_wake, int nr_wake2, uint32_t encoded)
{
    unsigned op = encoded >> 28 & 7, comparison = encoded >> 24 & 15;
    int op_arg = sign_extend_12(encoded >> 12 & 0xfff), compare_arg = sign_extend_12(encoded & 0xfff);
    if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
        op_arg = (int)(1u << (op_arg & 31));
    bool second;
    if (!wake_op_compare(0, comparison, 0, &second) || op > 4)
        return -ENOSYS;
    struct mm_futex_key key[2];
    int err = keys_get(uaddr, uaddr2, private, true, key);
    if (err)
        return err;
    struct futex_bucket *first = futex_bucket_of(&key[0]), *other = futex_bucket_of(&key[1]);
    int woken = 0;
    for (;;) {
        uint32_t old;
        lock_two(first, other);
        pagefault_disable();
        err = arch_futex_op_user(uaddr2, (int)op, (uint32_t)op_arg, &old);
        pagefault_enable();
        if (!err) {
            woken = wake_matching(first, &key[0], nr_wake, FUTEX_BITSET_MATCH_ANY);
            if (wake_op_compare(old, comparison, compare_arg, &second) && second)
                woken += wake_matching(other, &key[1], nr_wake2, FUTEX_BITSET_MATCH_ANY);
        }
        unlock_two(first, other);
        if (err != -EFAULT || arch_futex_op_user(uaddr2, 2, 0, &old)) // "or 0": writes the page into place, changes nothing
            break;
    }
    mm_futex_key_put(&key[0]);
    mm_futex_key_put(&key[1]);
    return err ? err : woken;
}

static int futex_init(void)
{
    bucket_bits = 8;
    while (1u << bucket_bits < nr_cpus * BUCKETS_PER_CPU)
        bucket_bits++;
    size_t n = 1ul << bucket_bits;
    buckets = kvmalloc(n * sizeof *buckets, ALLOC_KERNEL | ALLOC_ZERO);
    if (!buckets)
        panic("futex: no memory for %zu buckets", n);
    for (size_t i = 0; i < n; i++) {
        spin_init(&buckets[i].lock, &futex_class);
        list_init(&buckets[i].waiters);
    }
    return 0;
}
INITCALL(core, futex_init);
