// kernel/time/hrtimer.h — high-resolution timers: a per-CPU tree by absolute deadline, one hardware event for the earliest.
#pragma once

#include "kernel/base/rbtree.h"
#include "kernel/time/clock.h"

enum hrtimer_clock { HRTIMER_MONOTONIC, HRTIMER_REALTIME };

struct hrtimer;
// Runs in interrupt context, interrupts off, no timer lock held. Returns the next absolute deadline to re-arm for, or KTIME_MAX to stay idle.
typedef ktime_t (*hrtimer_fn)(struct hrtimer *timer);

struct hrtimer {
    struct rb_node node;
    ktime_t deadline;        // on its clock
    hrtimer_fn fn;
    enum hrtimer_clock clock;
    unsigned cpu;            // whose tree it is in
    uint8_t state;           // owned by hrtimer.c
};

void hrtimer_init(struct hrtimer *timer, enum hrtimer_clock clock, hrtimer_fn fn);
// (Re-)arms for the absolute deadline; a deadline in the past fires at once. Any context.
void hrtimer_start(struct hrtimer *timer, ktime_t deadline);
// Disarms; if its callback is running on another CPU, waits for it to end. Returns whether it was armed. Not from its own callback.
bool hrtimer_cancel(struct hrtimer *timer);
// As cancel but never waits: 1 was armed, 0 was idle, -1 its callback is running now.
int hrtimer_try_cancel(struct hrtimer *timer);
bool hrtimer_active(const struct hrtimer *timer);
// Time left (ns, 0 when due or idle).
ktime_t hrtimer_remaining(const struct hrtimer *timer);

// From the arch timer interrupt, interrupts off.
void hrtimer_interrupt(void);
