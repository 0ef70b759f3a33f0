// kernel/mm/commit.h — how much memory has been promised: vm.overcommit_memory, overcommit_ratio, CommitLimit, Committed_AS (proc(5)).
#pragma once

#include "kernel/base/types.h"

extern int vm_overcommit_memory;      // 0 heuristic, 1 always, 2 strict
extern unsigned vm_overcommit_ratio;  // percent
extern uint64_t vm_overcommit_kbytes; // replaces the ratio when not 0
extern uint64_t vm_admin_reserve_kbytes, vm_user_reserve_kbytes;
extern unsigned vm_max_map_count; // VMAs of one process
extern uint64_t vm_mmap_min_addr; // bytes

// Promises `pages` more. -ENOMEM where the policy forbids it. commit_release() takes it back.
[[nodiscard]] int commit_charge(uint64_t pages);
void commit_release(uint64_t pages);
uint64_t commit_pages(void); // promised now
uint64_t commit_limit(void); // what may be promised where the policy is strict
uint64_t mem_total_pages(void); // of RAM that the allocator was given
