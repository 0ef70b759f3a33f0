// kernel/mm/reclaim_cache.h — what reclaim needs of the page cache, and its start.
#pragma once

#include "kernel/mm/page_cache.h"

// Takes the page out of its cache if only the cache and the caller hold it.
bool page_cache_try_evict(struct page_cache *cache, struct page *page);
// Writes one dirty page; its mappings fault again afterwards.
[[nodiscard]] int page_cache_write_page(struct page_cache *cache, struct page *page);
void page_cache_queues_init(void); // boot: where page_lock() waits
