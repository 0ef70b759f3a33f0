// kernel/vfs/epoll_nest.c — epoll instances that watch instances: how deep, and along how many paths.
//
// One event runs a callback for every path from its file up to an instance that nobody watches, so instances have no circles, are at most EPOLL_NESTS_MAX deep,
// and a file has only so many paths of each length (path_limits). What adds paths longer than one link (an instance is added, or something to one that is
// watched) is checked under epoll_nest_mutex. Each walk looks at an instance once: what it found there is kept in it, marked with the number of the check.

#include "kernel/base/string.h"
#include "kernel/vfs/epoll_internal.h"

static DEFINE_LOCK_CLASS(epoll_nest_class, "epoll nesting", (enum lock_rank)(RANK_EPOLL - 1));
static DEFINE_LOCK_CLASS(epoll_links_class, "epoll links", RANK_FILES);

struct mutex epoll_nest_mutex = MUTEX_INIT(epoll_nest_mutex, &epoll_nest_class);
struct spinlock epoll_links_lock = SPINLOCK_INIT(&epoll_links_class);
static uint64_t check_number; // epoll_nest_mutex

// How deep instances hang below `ep`, itself counted; beyond the limit where `avoid` is among them.
static unsigned depth_below(struct epoll *ep, const struct epoll *avoid)
{
    if (ep == avoid)
        return EPOLL_NESTS_MAX + 1;
    if (ep->checked_below == check_number)
        return ep->depth;
    unsigned deepest = 0;
    mutex_guard(&ep->mutex);
    for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
        struct epoll *below = epoll_of(rb_entry(n, struct epoll_item, node)->file);
        if (below)
            deepest = max(deepest, depth_below(below, avoid));
    }
    ep->checked_below = check_number;
    return ep->depth = deepest + 1;
}

// Fills ep->paths. epoll_links_lock held.
static void count_paths(struct epoll *ep)
{
    if (ep->checked_above == check_number)
        return;
    ep->checked_above = check_number;
    memset(ep->paths, 0, sizeof ep->paths);
    ep->paths[0] = list_empty(&ep->file->epoll_links);
    struct epoll_item *item;
    list_for_each_entry(item, &ep->file->epoll_links, file_link)
    {
        count_paths(item->ep);
        for (unsigned n = 1; n < EPOLL_NESTS_MAX; n++)
            ep->paths[n] = (uint16_t)min(ep->paths[n] + item->ep->paths[n - 1], EPOLL_PATHS_MANY);
    }
}

static unsigned depth_above(struct epoll *ep)
{
    spin_guard(&epoll_links_lock);
    count_paths(ep);
    unsigned n = EPOLL_NESTS_MAX;
    while (n > 1 && !ep->paths[n - 1])
        n--;
    return n;
}

int epoll_check_nesting(struct epoll *ep, struct epoll *below)
{
    check_number++;
    return depth_below(below, ep) + depth_above(ep) > EPOLL_NESTS_MAX ? -ELOOP : 0;
}

// Whether one that is no instance has no more paths than it may. epoll_links_lock held.
static bool file_paths_fit(struct file *file)
{
    // By the number of links behind the first one. Any number of instances that nobody watches may watch a file.
    static const unsigned path_limits[EPOLL_NESTS_MAX] = {EPOLL_PATHS_MANY, 500, 100, 50, 10};
    unsigned paths[EPOLL_NESTS_MAX] = {};
    struct epoll_item *item;
    list_for_each_entry(item, &file->epoll_links, file_link)
    {
        count_paths(item->ep);
        for (unsigned n = 1; n < EPOLL_NESTS_MAX; n++)
            if ((paths[n] += item->ep->paths[n]) > path_limits[n])
                return false;
    }
    return true;
}

static bool paths_fit_below(struct epoll *ep)
{
    if (ep->checked_below == check_number)
        return true;
    ep->checked_below = check_number;
    mutex_guard(&ep->mutex);
    for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
        struct file *file = rb_entry(n, struct epoll_item, node)->file;
        if (epoll_of(file)) {
            if (!paths_fit_below(epoll_of(file)))
                return false;
            continue;
        }
        spin_guard(&epoll_links_lock);
        if (!file_paths_fit(file))
            return false;
    }
    return true;
}

bool epoll_paths_fit(struct file *file)
{
    check_number++;
    if (epoll_of(file))
        return paths_fit_below(epoll_of(file));
    spin_guard(&epoll_links_lock);
    return file_paths_fit(file);
}
