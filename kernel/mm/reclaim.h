// kernel/mm/reclaim.h — getting memory back under pressure: clean cached pages, shrinkers, and at last the OOM killer.
#pragma once

#include "kernel/mm/page.h"

// Tries to free about `target` pages; returns how many were freed, or, where another thread was at it, whether it has
// come to an end of it. May sleep. Does nothing when called from within itself.
uint64_t reclaim_pages(uint64_t target);
// Nothing could be reclaimed: kills a process, or waits for one that is already dying. True: there is hope, try again; false: give up
// with -ENOMEM.
bool out_of_memory(void);
bool reclaim_dying(void); // the current process has been killed: it does not wait for memory
// A fault of user mode found no memory. Returns if the program may run into it again: somebody, it or another, dies to
// make room. Else this is the end: there is no error that a load or a store could return.
void fault_out_of_memory(void);

// A page that entered a cache whose content can be read again, or left it. The caller holds a reference.
void reclaim_page_add(struct page *page);
void reclaim_page_remove(struct page *page);
uint64_t reclaim_nr_pages(void); // pages on the list

// Memory under pressure: caches that can give pages back register here. `scan` frees about nr objects and returns how
// many. May sleep.
struct shrinker {
    struct list_head link;
    const char *name;
    unsigned long (*count)(struct shrinker *);
    unsigned long (*scan)(struct shrinker *, unsigned long nr);
};
void shrinker_register(struct shrinker *s); // for good. May sleep

// Provided by kernel/proc (set once at boot): chooses the process with the most resident memory, adjusted by
// oom_score_adj (-1000: never), sends it SIGKILL and logs who and why. Returns whether there is hope: some process was killed, or is still dying from an
// earlier kill, or pages have come free meanwhile. May sleep.
extern bool (*oom_kill_hook)(void);
