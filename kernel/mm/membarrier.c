// kernel/mm/membarrier.c — membarrier(2): a full memory barrier on every CPU that runs the process's threads (or any
// registered process's), by interrupt.
//
// The interrupt is the barrier, and so is its return to user mode on x86 (IRET serialises), which makes the "sync core"
// forms the same here.
#include "kernel/abi/errno.h"
#include "kernel/abi/mman.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscall.h"

#define SUPPORTED                                                                                                      \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |              \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                    \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                \
     MEMBARRIER_CMD_GET_REGISTRATIONS)

static void barrier_here(void *arg)
{
    (void)arg;
    smp_mb();
}

static void barrier_on(const struct cpumask *mask)
{
    smp_mb();
    smp_call_function(mask, barrier_here, nullptr);
    smp_mb();
}

static long private_barrier(struct mm *mm, uint32_t needs)
{
    if (!(__atomic_load_n(&mm->membarrier, __ATOMIC_ACQUIRE) & needs))
        return -EPERM;
    smp_mb();
    struct cpumask mask = mm->cpus;
    barrier_on(&mask);
    return 0;
}

SYSCALL3(membarrier, int, cmd, unsigned, flags, int, cpu_id)
{
    (void)cpu_id;
    struct mm *mm = current_thread()->mm;
    if (flags)
        return -EINVAL; // only the RSEQ form takes one
    switch (cmd) {
    case MEMBARRIER_CMD_QUERY:
        return SUPPORTED;
    case MEMBARRIER_CMD_GLOBAL:
        synchronize_rcu();
        return 0;
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
        barrier_on(&cpu_online_mask);
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        return private_barrier(mm, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        return private_barrier(mm, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        __atomic_fetch_or(&mm->membarrier, (uint32_t)cmd, __ATOMIC_SEQ_CST);
        return 0;
    case MEMBARRIER_CMD_GET_REGISTRATIONS:
        return __atomic_load_n(&mm->membarrier, __ATOMIC_RELAXED);
    default:
        return -EINVAL;
    }
}
