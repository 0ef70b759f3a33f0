// kernel/sync/spinlock.c — what happens when a spinlock is not free.
//
// The lock is the low byte; whoever turns it from 0 to 1 holds it. Waiters stand in a queue whose tail is the upper half of the word: each
// spins on a flag in a node of its own CPU, so that 64 waiting CPUs do not fight for one cache line, and only the first one looks at the lock.
// The free path needs the whole word to be zero, so newcomers do not overtake a queue; but before it lines up a newcomer tries
// for a short while to take the byte. That is for virtual machines: the first in the queue may be a virtual CPU that does not run now, and
// then the lock would stand free with everybody waiting.
//
// A node is needed once per level of interruption: thread, interrupt, NMI. They are per CPU, taken and given back like a stack.

#include "kernel/sync/spinlock.h"

struct spin_node {
    struct spin_node *next;
    uint32_t first; // set by the predecessor: you are at the head of the queue now
};

#define SPIN_LEVELS 4
#define SPIN_TRIES 64 // attempts to overtake before lining up

static DEFINE_PER_CPU(struct spin_node, spin_nodes[SPIN_LEVELS]);
static DEFINE_PER_CPU(unsigned, spin_depth);

// Tail: node number + 1 in the upper half: CPU * SPIN_LEVELS + level.
static uint32_t tail_encode(unsigned cpu, unsigned level)
{
    return (cpu * SPIN_LEVELS + level + 1) << 16;
}

static struct spin_node *tail_decode(uint32_t val)
{
    unsigned nr = (val >> 16) - 1;
    return &per_cpu_ptr(&spin_nodes[0], nr / SPIN_LEVELS)[nr % SPIN_LEVELS];
}

static bool take_byte(struct spinlock *lock)
{
    uint8_t *byte = (uint8_t *)&lock->val;
    return __atomic_load_n(byte, __ATOMIC_RELAXED) == 0 && __atomic_exchange_n(byte, SPIN_TAKEN, __ATOMIC_ACQUIRE) == 0;
}

static uint32_t queue_swap_tail(struct spinlock *lock, uint32_t tail)
{
    uint32_t old = __atomic_load_n(&lock->val, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&lock->val, &old, (old & 0xffff) | tail, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
    return old;
}

static void queue_and_take(struct spinlock *lock, struct spin_node *node, uint32_t tail)
{
    node->next = nullptr;
    node->first = 0;
    uint32_t old = queue_swap_tail(lock, tail);
    if (old >> 16) {
        __atomic_store_n(&tail_decode(old)->next, node, __ATOMIC_RELEASE);
        while (!__atomic_load_n(&node->first, __ATOMIC_ACQUIRE))
            cpu_relax();
    }
    while (!take_byte(lock))
        cpu_relax();
    // Ours. If nobody stands behind, the queue is empty now; else the next one becomes the first.
    uint32_t mine = tail | SPIN_TAKEN;
    if (__atomic_compare_exchange_n(&lock->val, &mine, SPIN_TAKEN, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    struct spin_node *next;
    while (!(next = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE)))
        cpu_relax();
    __atomic_store_n(&next->first, 1, __ATOMIC_RELEASE);
}

void spin_lock_slow(struct spinlock *lock)
{
    for (unsigned i = 0; i < SPIN_TRIES; i++) {
        if (take_byte(lock))
            return;
        cpu_relax();
    }
    unsigned level = this_cpu_read(spin_depth);
    if (unlikely(level >= SPIN_LEVELS)) { // deeper than interrupts can nest: still right, only not in order
        while (!take_byte(lock))
            cpu_relax();
        return;
    }
    this_cpu_inc(spin_depth);
    compiler_barrier();
    queue_and_take(lock, &this_cpu_ptr(&spin_nodes[0])[level], tail_encode(this_cpu_id(), level));
    compiler_barrier();
    this_cpu_dec(spin_depth);
}
