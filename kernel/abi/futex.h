// kernel/abi/futex.h — futex(2), futex_waitv(2) and robust lists as user space sees them.
#pragma once

#include "kernel/base/types.h"

enum {
    FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_FD = 2, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5, FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7,
    FUTEX_TRYLOCK_PI = 8, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI = 12, FUTEX_LOCK_PI2 = 13,
};
#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_CMD_MASK (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
#define FUTEX_BITSET_MATCH_ANY 0xffffffffu

#define FUTEX2_SIZE_MASK 3u
#define FUTEX2_SIZE_U32 2u
#define FUTEX2_NUMA 4u
#define FUTEX2_PRIVATE 128u

// The word of a robust mutex.
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu

// FUTEX_WAKE_OP's argument: op and comparison, with two 12-bit signed arguments.
#define FUTEX_OP_OPARG_SHIFT 8
enum { FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_NE, FUTEX_OP_CMP_LT, FUTEX_OP_CMP_LE, FUTEX_OP_CMP_GT, FUTEX_OP_CMP_GE };

// set_robust_list(2): a circular list through user memory; bit 0 of a pointer: a priority-inheriting mutex.
struct abi_robust_list_head {
    uint64_t next;
    int64_t futex_offset;
    uint64_t pending;
};
static_assert(sizeof(struct abi_robust_list_head) == 24);
#define ROBUST_LIST_LIMIT 2048
