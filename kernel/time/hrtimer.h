// kernel/time/hrtimer.h — high-resolution timers: a per-CPU tree by absolute deadline, one hardware event for the earliest.
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/time/clock.h"

enum hrtimer_clock { HRTIMER_MONOTONIC, HRTIMER_REALTIME };

struct hrtimer;
// Runs in interrupt context, interrupts off, no timer lock held; it must not free the timer. Returns the next absolute deadline to re-arm for, or
// KTIME_MAX to stay idle.
typedef ktime_t (*hrtimer_fn)(struct hrtimer *timer);

struct hrtimer {
    struct rb_node node;
    ktime_t deadline;        // on its clock: not before
    ktime_t latest;          // and this is when the hardware is asked for; deadline plus slack
    hrtimer_fn fn;
    enum hrtimer_clock clock;
    unsigned cpu;            // whose tree it is in, or whose interrupt runs it
    bool armed;              // in the tree
};

// Idle; for good the timer of that clock and function.
void hrtimer_init(struct hrtimer *timer, enum hrtimer_clock clock, hrtimer_fn fn);
// (Re-)arms for the absolute deadline; a deadline in the past fires at once. Any context.
void hrtimer_start(struct hrtimer *timer, ktime_t deadline);
// The same, but it may fire up to `slack` ns late, together with another timer.
void hrtimer_start_slack(struct hrtimer *timer, ktime_t deadline, ktime_t slack);
// Disarms; if its callback is running on another CPU, waits for it to end. Returns whether it was armed. Not from its own callback.
bool hrtimer_cancel(struct hrtimer *timer);
// As cancel but never waits: 1 was armed, 0 was idle, -1 its callback is running now.
int hrtimer_try_cancel(struct hrtimer *timer);
// In a tree, not yet fired: a hint while others may arm it.
bool hrtimer_active(const struct hrtimer *timer);
// Time left (ns, 0 when due or idle).
ktime_t hrtimer_remaining(const struct hrtimer *timer);

// Real time has jumped: every CPU looks again at its timers on that clock. May sleep.
void hrtimer_clock_was_set(void);
// The earliest time this CPU's hardware timer is set to; for diagnosis.
ktime_t hrtimer_next_event(unsigned cpu);

// From the arch timer interrupt, interrupts off.
void hrtimer_interrupt(void);
