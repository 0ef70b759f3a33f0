// kernel/sched/wchan.c — where in the kernel a thread sleeps, for those who look at it from outside.

#include "kernel/debug/backtrace.h"
#include "kernel/debug/symbols.h"
#include "kernel/sched/sched.h"

#define DEPTH 12u // frames between a switch and who waits

// Return addresses up from the switch; none unless the thread sleeps. While its wake_lock is held nobody wakes it, so its stack keeps still.
static size_t sleep_trace(struct thread *t, uintptr_t addresses[DEPTH])
{
    spin_irq_guard(&t->wake_lock);
    enum thread_state state = READ_ONCE(t->state);
    if (state == THREAD_RUNNING || state == THREAD_DEAD || load_acquire(&t->on_rq) || load_acquire(&t->on_cpu))
        return 0;
    return backtrace_collect(arch_thread_frame(t), (uintptr_t)t->stack + KERNEL_STACK_SIZE, addresses, DEPTH);
}

static bool is_scheduler(const struct symbol *s)
{
    return s->address == (uintptr_t)schedule || s->address == (uintptr_t)schedule_until || s->address == (uintptr_t)schedule_until_clock;
}

bool thread_wchan(struct thread *t, struct symbol *out)
{
    uintptr_t addresses[DEPTH];
    size_t n = sleep_trace(t, addresses);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        struct symbol s;
        if (symbol_lookup(addresses[i] - 1, &s)) // the call, not what comes after it
            break;
        if (is_scheduler(&s)) {
            found = false;
        } else if (!found && i && s.size) {
            *out = s;
            found = true;
        }
    }
    return found;
}
