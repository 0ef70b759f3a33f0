// kernel/sched/smp_call.c — running a function on other CPUs.
//
// The caller posts one request per target CPU on that CPU's lock-free stack, interrupts the targets, and waits until the last has answered.
// The requests are the caller CPU's own, so preemption is off meanwhile; interrupts stay on, so that two CPUs can call each other.

#include "kernel/base/assert.h"
#include "kernel/sched/run_queue.h"

struct call_request {
    struct call_request *next;
    void (*fn)(void *);
    void *arg;
    uint32_t *left; // how many CPUs have not answered yet
};

static DEFINE_PER_CPU(struct call_request, call_requests[MAX_CPUS]); // [target], of the calling CPU
static DEFINE_PER_CPU(struct call_request *, call_pending);
static DEFINE_PER_CPU(bool, call_busy);

void smp_call_prepare(unsigned cpu)
{
    per_cpu(call_pending, cpu) = nullptr;
}

void smp_call_function_interrupt(void)
{
    struct call_request *request = xchg(this_cpu_ptr(&call_pending), nullptr);
    while (request) {
        struct call_request *next = request->next;
        uint32_t *left = request->left;
        request->fn(request->arg);
        __atomic_sub_fetch(left, 1, __ATOMIC_RELEASE); // request and caller's frame may be gone from here on
        request = next;
    }
    rcu_check_interrupt();
}

static void post(unsigned cpu, struct call_request *request)
{
    struct call_request **head = &per_cpu(call_pending, cpu);
    request->next = __atomic_load_n(head, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(head, &request->next, request, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void smp_call_function(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
    unsigned cpu;
    preempt_disable();
    unsigned self = this_cpu_id();
    struct cpumask others = {{mask->bits[0] & READ_ONCE(cpu_online_mask.bits[0]) & ~BIT(self)}};
    uint32_t left = (uint32_t)__builtin_popcountl(others.bits[0]);
    if (left) {
        ASSERT(arch_irqs_enabled() && !in_interrupt() && !this_cpu_read(call_busy));
        this_cpu_write(call_busy, true);
        for_each_cpu(cpu, &others) {
            struct call_request *request = &this_cpu_ptr(&call_requests[0])[cpu];
            *request = (struct call_request){.fn = fn, .arg = arg, .left = &left};
            post(cpu, request);
        }
        arch_send_call(others.bits);
    }
    if (cpumask_test(self, mask)) {
        irq_flags_t flags = arch_irq_save();
        fn(arg);
        arch_irq_restore(flags);
    }
    if (others.bits[0]) {
        while (__atomic_load_n(&left, __ATOMIC_ACQUIRE))
            cpu_relax();
        this_cpu_write(call_busy, false);
    }
    preempt_enable();
}
