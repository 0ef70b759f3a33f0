// kernel/base/xarray.c — a radix tree with 64 slots a node.
//
// A node of shift s covers 2^(s+6) indices; slot i holds what lies at i << s in it: a child node, or at shift 0 the
// entry itself. The tree is only as high as its largest index needs; an array with nothing but index 0 has no node at
// all. Invariants, outside of a writer:
//   * no node but the top one is without entries; the top node has more than slot 0, so the height is the smallest
//     possible;
//   * bit i of marks[m] is set exactly if something below slot i has mark m; bit i of `full` exactly if every index
//     below slot i is taken.
// Readers run beside one writer: a node is complete before it is linked, and freed only after a grace period. A reader
// that still stands on an unlinked node finds the old content, which is what it would have found a moment earlier.
#include "kernel/base/xarray.h"

#include "kernel/abi/errno.h"
#include "kernel/base/assert.h"
#include "kernel/base/panic.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/rcu.h"

enum { BITS = 6, SLOTS = 1 << BITS, MAX_SHIFT = 60 };

struct xa_node {
    uint8_t shift;
    uint8_t offset; // slot in the parent
    uint8_t count;  // slots in use
    struct xa_node *parent;
    void *slots[SLOTS];
    uint64_t marks[XA_MARKS];
    uint64_t full;
    struct rcu_head rcu;
};

static struct slab_cache *node_cache;

void xarray_boot(void)
{
    node_cache = slab_cache_create("xarray_node", sizeof(struct xa_node), 8, 0, nullptr);
    if (!node_cache)
        panic("no memory for the first slab caches");
}

static bool is_node(const void *root)
{
    return (uintptr_t)root & 1;
}

static struct xa_node *to_node(const void *root)
{
    return (struct xa_node *)((uintptr_t)root & ~(uintptr_t)1);
}

static void *from_node(struct xa_node *node)
{
    return (void *)((uintptr_t)node | 1);
}

static unsigned slot_of(const struct xa_node *node, uint64_t index)
{
    return index >> node->shift & (SLOTS - 1);
}

static uint64_t last_index(const struct xa_node *top)
{
    return top->shift >= MAX_SHIFT ? UINT64_MAX : (1ull << (top->shift + BITS)) - 1;
}

static void free_node_after_grace(struct rcu_head *head)
{
    slab_free(node_cache, container_of(head, struct xa_node, rcu));
}

static struct xa_node *new_node(unsigned shift)
{
    struct xa_node *node = slab_alloc(node_cache, ALLOC_ATOMIC | ALLOC_ZERO | ALLOC_NOWARN);
    if (node)
        node->shift = (uint8_t)shift;
    return node;
}

void xa_init(struct xarray *xa)
{
    *xa = (struct xarray){};
}

bool xa_empty(const struct xarray *xa)
{
    return !READ_ONCE(xa->root);
}

void *xa_load(const struct xarray *xa, uint64_t index)
{
    void *root = load_acquire(&xa->root);
    if (!is_node(root))
        return index == 0 ? root : nullptr;
    const struct xa_node *node = to_node(root);
    if (index > last_index(node))
        return nullptr;
    for (;;) {
        void *slot = load_acquire(&node->slots[slot_of(node, index)]);
        if (!slot || node->shift == 0)
            return slot;
        node = slot;
    }
}

// The leaf that holds `index`, for a writer; null if there is none.
static struct xa_node *find_leaf(const struct xarray *xa, uint64_t index)
{
    if (!is_node(xa->root) || index > last_index(to_node(xa->root)))
        return nullptr;
    struct xa_node *node = to_node(xa->root);
    while (node && node->shift)
        node = node->slots[slot_of(node, index)];
    return node;
}

// Slot `offset` of `node` has become full (or no longer is): tells the nodes above.
static void update_full(struct xa_node *node, unsigned offset, bool full)
{
    for (; node; node = node->parent) {
        bool was_full = node->full == UINT64_MAX;
        if (full)
            node->full |= 1ull << offset;
        else
            node->full &= ~(1ull << offset);
        if ((node->full == UINT64_MAX) == was_full)
            return;
        offset = node->offset;
        full = !was_full;
    }
}

static void set_mark_up(struct xa_node *node, unsigned offset, unsigned mark)
{
    for (; node; offset = node->offset, node = node->parent) {
        uint64_t was = node->marks[mark];
        WRITE_ONCE(node->marks[mark], was | 1ull << offset);
        if (was)
            return;
    }
}

static void clear_mark_up(struct xa_node *node, unsigned offset, unsigned mark)
{
    for (; node; offset = node->offset, node = node->parent) {
        uint64_t now = node->marks[mark] & ~(1ull << offset);
        if (now == node->marks[mark])
            return;
        WRITE_ONCE(node->marks[mark], now);
        if (now)
            return;
    }
}

static void link_slot(struct xa_node *node, unsigned offset, void *what)
{
    node->count++;
    store_release(&node->slots[offset], what);
}

// The shift of a top node that covers `index`.
static unsigned shift_for(uint64_t index)
{
    unsigned shift = 0;
    while (shift < MAX_SHIFT && index >> (shift + BITS))
        shift += BITS;
    return shift;
}

// Puts a node above the root, so that the tree reaches further; an empty array gets its top node for `index` at once. -ENOMEM.
static int grow(struct xarray *xa, uint64_t index)
{
    bool lone = !is_node(xa->root);
    struct xa_node *top = lone ? nullptr : to_node(xa->root);
    struct xa_node *node = new_node(!xa->root ? shift_for(index) : lone ? 0 : top->shift + BITS);
    if (!node)
        return -ENOMEM;
    node->count = xa->root != nullptr;
    node->slots[0] = lone ? xa->root : top;
    node->full = lone ? xa->root != nullptr : top->full == UINT64_MAX;
    for (unsigned m = 0; m < XA_MARKS; m++)
        node->marks[m] = lone ? xa->root_marks >> m & 1 : top->marks[m] != 0;
    if (top) {
        top->parent = node;
        top->offset = 0;
    }
    store_release(&xa->root, from_node(node));
    return 0;
}

// Takes nodes off the top while slot 0 is all that the top one has.
static void shrink(struct xarray *xa)
{
    while (is_node(xa->root)) {
        struct xa_node *top = to_node(xa->root);
        if (top->count > 1 || (top->count == 1 && !top->slots[0]))
            return;
        void *only = top->slots[0];
        xa->root_marks = 0;
        if (top->shift == 0) {
            for (unsigned m = 0; m < XA_MARKS; m++)
                xa->root_marks |= (uint8_t)((top->marks[m] & 1) << m);
        } else if (only) {
            ((struct xa_node *)only)->parent = nullptr;
            only = from_node(only);
        }
        store_release(&xa->root, only);
        call_rcu(&top->rcu, free_node_after_grace);
    }
}

// Takes nodes without entries away, from `node` upwards.
static void prune(struct xarray *xa, struct xa_node *node)
{
    while (node->count == 0 && node->parent) {
        struct xa_node *parent = node->parent;
        WRITE_ONCE(parent->slots[node->offset], nullptr);
        parent->count--;
        call_rcu(&node->rcu, free_node_after_grace);
        node = parent;
    }
    shrink(xa);
}

void *xa_erase(struct xarray *xa, uint64_t index)
{
    if (!is_node(xa->root)) {
        void *old = index == 0 ? xa->root : nullptr;
        if (old) {
            WRITE_ONCE(xa->root, nullptr);
            xa->root_marks = 0;
        }
        return old;
    }
    struct xa_node *leaf = find_leaf(xa, index);
    unsigned offset = index & (SLOTS - 1);
    void *old = leaf ? leaf->slots[offset] : nullptr;
    if (!old)
        return nullptr;
    for (unsigned m = 0; m < XA_MARKS; m++)
        clear_mark_up(leaf, offset, m);
    update_full(leaf, offset, false);
    WRITE_ONCE(leaf->slots[offset], nullptr);
    leaf->count--;
    prune(xa, leaf);
    return old;
}

// The leaf for `index`, made if necessary. Null: no memory; nodes made on the way are taken back.
static struct xa_node *make_leaf(struct xarray *xa, uint64_t index)
{
    while (!is_node(xa->root) || index > last_index(to_node(xa->root)))
        if (grow(xa, index) != 0) {
            shrink(xa);
            return nullptr;
        }
    struct xa_node *node = to_node(xa->root);
    while (node->shift) {
        unsigned offset = slot_of(node, index);
        struct xa_node *child = node->slots[offset];
        if (!child) {
            child = new_node(node->shift - BITS);
            if (!child) {
                prune(xa, node);
                return nullptr;
            }
            child->parent = node;
            child->offset = (uint8_t)offset;
            link_slot(node, offset, child);
        }
        node = child;
    }
    return node;
}

int xa_store(struct xarray *xa, uint64_t index, void *entry, void **old)
{
    ASSERT(!((uintptr_t)entry & 3));
    void *was = nullptr;
    if (!entry) {
        was = xa_erase(xa, index);
    } else if (index == 0 && !is_node(xa->root)) {
        was = xa->root;
        store_release(&xa->root, entry);
    } else {
        struct xa_node *leaf = make_leaf(xa, index);
        if (!leaf)
            return -ENOMEM;
        unsigned offset = index & (SLOTS - 1);
        was = leaf->slots[offset];
        if (was) {
            store_release(&leaf->slots[offset], entry);
        } else {
            link_slot(leaf, offset, entry);
            update_full(leaf, offset, true);
        }
    }
    if (old)
        *old = was;
    return 0;
}

void xa_set_mark(struct xarray *xa, uint64_t index, unsigned mark)
{
    if (!is_node(xa->root)) {
        if (index == 0 && xa->root)
            xa->root_marks |= (uint8_t)(1 << mark);
        return;
    }
    struct xa_node *leaf = find_leaf(xa, index);
    unsigned offset = index & (SLOTS - 1);
    if (leaf && leaf->slots[offset])
        set_mark_up(leaf, offset, mark);
}

void xa_clear_mark(struct xarray *xa, uint64_t index, unsigned mark)
{
    if (!is_node(xa->root)) {
        if (index == 0)
            xa->root_marks &= (uint8_t) ~(1 << mark);
        return;
    }
    struct xa_node *leaf = find_leaf(xa, index);
    if (leaf)
        clear_mark_up(leaf, index & (SLOTS - 1), mark);
}

enum { ANY_MARK = -1 };

// The first slot from `offset` on that is in use (and has the mark); SLOTS when there is none.
static unsigned next_slot(const struct xa_node *node, unsigned offset, int mark)
{
    if (mark != ANY_MARK) {
        uint64_t rest = READ_ONCE(node->marks[mark]) & ~0ull << offset;
        return rest ? (unsigned)__builtin_ctzll(rest) : SLOTS;
    }
    while (offset < SLOTS && !READ_ONCE(node->slots[offset]))
        offset++;
    return offset;
}

// Moves *index to the first index of the slot behind the one of `node` that it is in. False: there is none.
static bool skip_node(const struct xa_node *node, uint64_t *index)
{
    unsigned shift = node->shift + BITS;
    if (shift >= 64 || *index >> shift == UINT64_MAX >> shift)
        return false;
    *index = ((*index >> shift) + 1) << shift;
    return true;
}

static void *find(const struct xarray *xa, uint64_t *index, uint64_t last, int mark)
{
    uint64_t at = *index;
    for (;;) {
        void *root = load_acquire(&xa->root);
        if (!is_node(root)) {
            bool wanted = root && at == 0 && (mark == ANY_MARK || READ_ONCE(xa->root_marks) >> mark & 1);
            if (wanted)
                *index = 0;
            return wanted ? root : nullptr;
        }
        const struct xa_node *node = to_node(root);
        if (at > last_index(node))
            return nullptr;
        for (;;) {
            unsigned offset = slot_of(node, at), found = next_slot(node, offset, mark);
            if (found == SLOTS) {
                if (!skip_node(node, &at) || at > last)
                    return nullptr;
                break; // from the top again
            }
            if (found > offset)
                at = ((at >> node->shift) - offset + found) << node->shift;
            if (at > last)
                return nullptr;
            void *slot = load_acquire(&node->slots[found]);
            if (slot && node->shift == 0) {
                *index = at;
                return slot;
            }
            if (!slot) { // it went away meanwhile
                if (at == UINT64_MAX)
                    return nullptr;
                at++;
                break;
            }
            node = slot;
        }
    }
}

void *xa_find(const struct xarray *xa, uint64_t *index, uint64_t last)
{
    return *index > last ? nullptr : find(xa, index, last, ANY_MARK);
}

void *xa_find_marked(const struct xarray *xa, uint64_t *index, uint64_t last, unsigned mark)
{
    return *index > last ? nullptr : find(xa, index, last, (int)mark);
}

// The lowest index from `at` on without an entry; false if there is none at all.
static bool find_free(const struct xarray *xa, uint64_t *at)
{
    if (!is_node(xa->root)) {
        if (xa->root && *at == 0)
            *at = 1;
        return true;
    }
    const struct xa_node *top = to_node(xa->root), *node = top;
    while (*at <= last_index(top)) {
        unsigned offset = slot_of(node, *at);
        uint64_t room = ~node->full & ~0ull << offset;
        if (!room) {
            if (!skip_node(node, at))
                return false;
            node = top;
            continue;
        }
        unsigned found = (unsigned)__builtin_ctzll(room);
        if (found > offset)
            *at = ((*at >> node->shift) - offset + found) << node->shift;
        if (node->shift == 0 || !node->slots[found])
            return true;
        node = node->slots[found];
    }
    return true; // beyond everything there is
}

int xa_alloc(struct xarray *xa, uint64_t first, uint64_t last, void *entry, uint64_t *index)
{
    uint64_t at = first;
    if (first > last || !find_free(xa, &at) || at > last)
        return -ENOSPC;
    int err = xa_store(xa, at, entry, nullptr);
    if (!err)
        *index = at;
    return err;
}

int xa_alloc_cyclic(struct xarray *xa, uint64_t first, uint64_t last, uint64_t *next, void *entry, uint64_t *index)
{
    uint64_t from = clamp(*next, first, last);
    int err = xa_alloc(xa, from, last, entry, index);
    if (err == -ENOSPC && from > first)
        err = xa_alloc(xa, first, from - 1, entry, index);
    if (!err)
        *next = *index == last ? first : *index + 1;
    return err;
}

static void destroy_below(struct xa_node *node)
{
    if (node->shift)
        for (unsigned i = 0; i < SLOTS; i++)
            if (node->slots[i])
                destroy_below(node->slots[i]);
    call_rcu(&node->rcu, free_node_after_grace);
}

void xa_destroy(struct xarray *xa)
{
    void *root = xa->root;
    WRITE_ONCE(xa->root, nullptr);
    xa->root_marks = 0;
    if (is_node(root))
        destroy_below(to_node(root));
}
