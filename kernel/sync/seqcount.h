// kernel/sync/seqcount.h — readers that never write: they read, and read again if a writer was there meanwhile.
#pragma once

#include "kernel/base/atomic.h"
#include "arch/include/cpu.h"

// Even: steady; odd: a writer is at work. Writers exclude each other by a lock of their own and must not be preempted.
typedef struct {
    uint32_t seq;
} seqcount_t;

// Spins while a writer is at work.
static inline uint32_t seq_read_begin(const seqcount_t *s)
{
    uint32_t seq;
    while ((seq = load_acquire(&s->seq)) & 1)
        cpu_relax();
    return seq;
}

// True: what was read since `seq` may be torn; begin again.
[[nodiscard]] static inline bool seq_read_retry(const seqcount_t *s, uint32_t seq)
{
    smp_rmb();
    return unlikely(READ_ONCE(s->seq) != seq);
}

// Around the change. Readers of the same CPU, interrupts among them, would spin for ever: keep them out.
static inline void seq_write_begin(seqcount_t *s)
{
    WRITE_ONCE(s->seq, s->seq + 1);
    smp_wmb();
}

static inline void seq_write_end(seqcount_t *s)
{
    store_release(&s->seq, s->seq + 1);
}
