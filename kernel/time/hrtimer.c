// kernel/time/hrtimer.c — high-resolution timers.
//
// Each CPU has two trees of armed timers by time, one for each clock, and programs its hardware for the earliest. A timer is armed on the CPU
// that starts it. While its callback runs, base->running names it, and starting it anew then puts it on that same CPU, whose interrupt
// looks at the trees once more before it ends: so a callback never runs twice at once, and no CPU ever has to program another's hardware.
//
// timer->cpu says which base's lock guards the timer; it changes only when the timer is neither armed nor running.
// Locks: base->lock, interrupts off; callbacks run without it.

#include "kernel/time/hrtimer.h"

#include "kernel/base/assert.h"
#include "kernel/base/percpu.h"
#include "kernel/sched/sched.h"

#define NR_CLOCKS 2

struct timer_base {
    struct spinlock lock;
    struct rb_root_cached trees[NR_CLOCKS];
    struct hrtimer *running;
    ktime_t programmed; // monotonic; 0: nothing
    bool in_interrupt;  // the interrupt programs the hardware when it is through
};

static DEFINE_LOCK_CLASS(hrtimer_class, "timers", RANK_HRTIMER);
static DEFINE_PER_CPU(struct timer_base, timer_bases) = {.lock = SPINLOCK_INIT(&hrtimer_class)};

static struct hrtimer *first_timer(const struct timer_base *base, unsigned clock)
{
    struct rb_node *node = base->trees[clock].leftmost;
    return node ? rb_entry(node, struct hrtimer, node) : nullptr;
}

static ktime_t clock_offset(unsigned clock)
{
    return clock == HRTIMER_REALTIME ? clock_realtime_offset() : 0;
}

static void tree_insert(struct timer_base *base, struct hrtimer *timer)
{
    struct rb_root_cached *tree = &base->trees[timer->clock];
    struct rb_node **link = &tree->root.node, *parent = nullptr;
    bool leftmost = true;
    while (*link) {
        parent = *link;
        if (timer->latest < rb_entry(parent, struct hrtimer, node)->latest) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_link_node(&timer->node, parent, link);
    rb_insert_cached(tree, &timer->node, leftmost, nullptr);
    timer->armed = true;
}

static void tree_remove(struct timer_base *base, struct hrtimer *timer)
{
    rb_erase_cached(&base->trees[timer->clock], &timer->node, nullptr);
    store_release(&timer->armed, false);
}

// The earliest time by which the hardware has to interrupt, monotonic; KTIME_MAX for none.
static ktime_t next_event(const struct timer_base *base)
{
    ktime_t next = KTIME_MAX;
    for (unsigned clock = 0; clock < NR_CLOCKS; clock++) {
        const struct hrtimer *timer = first_timer(base, clock);
        if (timer && timer->latest != KTIME_MAX)
            next = min(next, timer->latest - clock_offset(clock));
    }
    return next;
}

// This CPU's base, locked.
static void program(struct timer_base *base, ktime_t event)
{
    if (base->programmed == event)
        return;
    base->programmed = event;
    arch_timer_program(event);
}

static struct timer_base *lock_base(const struct hrtimer *timer) NO_THREAD_SAFETY_ANALYSIS
{
    for (;;) {
        unsigned cpu = READ_ONCE(timer->cpu);
        struct timer_base *base = per_cpu_ptr(&timer_bases, cpu);
        spin_lock_bare_(&base->lock);
        if (likely(timer->cpu == cpu))
            return base;
        spin_unlock_bare_(&base->lock);
    }
}

static void unlock_base(struct timer_base *base) NO_THREAD_SAFETY_ANALYSIS
{
    spin_unlock_bare_(&base->lock);
}

void hrtimer_init(struct hrtimer *timer, enum hrtimer_clock clock, hrtimer_fn fn)
{
    *timer = (struct hrtimer){.fn = fn, .clock = clock};
    preempt_disable();
    timer->cpu = this_cpu_id();
    preempt_enable();
}

// The base where a timer that is being started belongs, locked; the timer is in no tree.
static struct timer_base *base_for_start(struct hrtimer *timer)
{
    struct timer_base *base = lock_base(timer), *here = this_cpu_ptr(&timer_bases);
    if (timer->armed)
        tree_remove(base, timer);
    if (base == here || base->running == timer)
        return base;
    unlock_base(base);
    // In between another CPU may start the same timer; whoever owns it serialises that, as for every change of it.
    spin_lock_bare_(&here->lock);
    timer->cpu = this_cpu_id();
    return here;
}

void hrtimer_start_slack(struct hrtimer *timer, ktime_t deadline, ktime_t slack)
{
    ASSERT(slack >= 0); // the tree is ordered by `latest`: what is due stands behind nothing that is not
    irq_flags_t flags = arch_irq_save();
    struct timer_base *base = base_for_start(timer);
    timer->deadline = deadline;
    timer->latest = ktime_add_safe(deadline, slack);
    tree_insert(base, timer);
    if (base == this_cpu_ptr(&timer_bases) && !base->in_interrupt && base->trees[timer->clock].leftmost == &timer->node)
        program(base, next_event(base));
    unlock_base(base);
    arch_irq_restore(flags);
}

void hrtimer_start(struct hrtimer *timer, ktime_t deadline)
{
    hrtimer_start_slack(timer, deadline, 0);
}

int hrtimer_try_cancel(struct hrtimer *timer)
{
    irq_flags_t flags = arch_irq_save();
    struct timer_base *base = lock_base(timer);
    int result = timer->armed ? 1 : 0;
    if (timer->armed)
        tree_remove(base, timer); // the hardware stays as it is: an interrupt too many is cheaper than programming it now
    if (base->running == timer)
        result = -1;
    unlock_base(base);
    arch_irq_restore(flags);
    return result;
}

bool hrtimer_cancel(struct hrtimer *timer)
{
    if (!load_acquire(&timer->armed)) {
        // Fired or never started; it may still be in its callback on another CPU.
        struct timer_base *base = per_cpu_ptr(&timer_bases, READ_ONCE(timer->cpu));
        if (load_acquire(&base->running) != timer && !READ_ONCE(timer->armed))
            return false;
    }
    int result;
    while ((result = hrtimer_try_cancel(timer)) < 0)
        cpu_relax();
    return result;
}

bool hrtimer_active(const struct hrtimer *timer)
{
    return READ_ONCE(timer->armed);
}

ktime_t hrtimer_remaining(const struct hrtimer *timer)
{
    irq_flags_t flags = arch_irq_save();
    struct timer_base *base = lock_base(timer);
    ktime_t left = timer->armed ? timer->deadline - clock_offset(timer->clock) - clock_monotonic() : 0;
    unlock_base(base);
    arch_irq_restore(flags);
    return max(left, (ktime_t)0);
}

// Takes out and runs one timer that is due on the clock; the lock is dropped meanwhile. False: none is due.
static bool run_one(struct timer_base *base, unsigned clock, ktime_t now) NO_THREAD_SAFETY_ANALYSIS
{
    struct hrtimer *timer = first_timer(base, clock);
    if (!timer || timer->deadline > now + clock_offset(clock))
        return false;
    base->running = timer; // before it is disarmed: hrtimer_cancel() looks at the two in the other order
    tree_remove(base, timer);
    unlock_base(base);
    ktime_t again = timer->fn(timer);
    spin_lock_bare_(&base->lock);
    if (again != KTIME_MAX && !timer->armed) {
        timer->deadline = timer->latest = again;
        tree_insert(base, timer);
    }
    store_release(&base->running, nullptr);
    return true;
}

void hrtimer_interrupt(void)
{
    struct timer_base *base = this_cpu_ptr(&timer_bases);
    spin_lock_bare_(&base->lock);
    base->programmed = 0;
    base->in_interrupt = true;
    ktime_t now = clock_monotonic();
    for (unsigned clock = 0; clock < NR_CLOCKS; clock++)
        while (run_one(base, clock, now))
            ;
    base->in_interrupt = false;
    program(base, next_event(base));
    spin_unlock_bare_(&base->lock);
}

// Interrupts off, on each CPU.
static void look_again(void *)
{
    struct timer_base *base = this_cpu_ptr(&timer_bases);
    spin_lock_bare_(&base->lock);
    if (!base->in_interrupt)
        program(base, next_event(base));
    spin_unlock_bare_(&base->lock);
}

void hrtimer_clock_was_set(void)
{
    smp_call_function(&cpu_online_mask, look_again, nullptr);
}

ktime_t hrtimer_next_event(unsigned cpu)
{
    return READ_ONCE(per_cpu(timer_bases, cpu).programmed);
}
