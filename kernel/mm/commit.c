// kernel/mm/commit.c — overcommit accounting. The sum of promises is one atomic counter; each private writable mapping holds its size of it.
#include "kernel/mm/commit.h"
#include "kernel/abi/errno.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/page.h"
#include "kernel/proc/cred.h"

int vm_overcommit_memory;
unsigned vm_overcommit_ratio = 50;
uint64_t vm_overcommit_kbytes;
uint64_t vm_admin_reserve_kbytes = 8192, vm_user_reserve_kbytes = 131072;
unsigned vm_max_map_count = 65530;
uint64_t vm_mmap_min_addr = 65536;

static atomic64_t committed;

uint64_t commit_pages(void)
{
    int64_t pages = atomic_read(&committed);
    return pages > 0 ? (uint64_t)pages : 0;
}

uint64_t commit_limit(void)
{
    return vm_overcommit_kbytes ? vm_overcommit_kbytes / (PAGE_SIZE / 1024)
                                : mem_total_pages() * vm_overcommit_ratio / 100;
}

int commit_charge(uint64_t pages)
{
    uint64_t sum = (uint64_t)atomic_add_return(&committed, (int64_t)pages);
    if (vm_overcommit_memory == 1)
        return 0;
    if (vm_overcommit_memory == 0) {
        // The heuristic refuses only what could never be: one request above all memory there is.
        if (pages <= mem_total_pages())
            return 0;
    } else {
        uint64_t allowed = commit_limit();
        if (!capable(CAP_SYS_ADMIN))
            allowed -= min(allowed, vm_admin_reserve_kbytes / (PAGE_SIZE / 1024));
        if (sum <= allowed)
            return 0;
    }
    commit_release(pages);
    return -ENOMEM;
}

void commit_release(uint64_t pages)
{
    atomic_sub_relaxed(&committed, (int64_t)pages);
}
