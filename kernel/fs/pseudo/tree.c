// kernel/fs/pseudo/tree.c — the folders behind the inodes: making, finding, removing.
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/pseudo/internal.h"
#include "kernel/mm/slab.h"

DEFINE_LOCK_CLASS(pseudo_tree_class, "pseudo tree", (enum lock_rank)(RANK_INODE + 2));
struct rwsem pseudo_tree_sem;

static uint64_t next_ino = 2; // 1 is left to roots that number themselves

static unsigned count_entries(const struct pseudo_entry *entries)
{
    unsigned n = 0;
    while (entries && entries[n].name)
        n++;
    return n;
}

static ino_t take_numbers(unsigned n)
{
    return __atomic_fetch_add(&next_ino, n, __ATOMIC_RELAXED);
}

struct pseudo_dir *pseudo_root(const struct pseudo_entry *entries, void *object)
{
    struct pseudo_dir *dir = kzalloc(sizeof *dir, ALLOC_KERNEL);
    if (!dir)
        return nullptr;
    refcount_set(&dir->refs, 1);
    dir->mode = 0755;
    dir->object = object;
    dir->ino = take_numbers(1);
    dir->table.entries = entries;
    dir->table.first_ino = take_numbers(count_entries(entries));
    dir->ops = &pseudo_dir_ops;
    dir->file_inode_ops = &pseudo_file_ops_inode;
    dir->file_fops = &pseudo_file_fops;
    dir->born = clock_now_ts();
    list_init(&dir->sibling);
    list_init(&dir->children);
    return dir;
}

void pseudo_put(struct pseudo_dir *dir)
{
    while (dir && refcount_dec_and_test(&dir->refs)) {
        struct pseudo_dir *parent = dir->parent;
        for (struct pseudo_table *t = dir->table.next, *next; t; t = next) {
            next = t->next;
            kfree(t);
        }
        pseudo_changed_free(dir);
        if (dir->release)
            dir->release(dir->object);
        kfree(dir->target);
        kfree(dir->name);
        kfree_rcu(dir, rcu);
        dir = parent;
    }
}

// Order of a name that is `len` bytes against a child's.
static int name_order(const char *name, size_t len, const struct pseudo_dir *d)
{
    int order = strncmp(name, d->name, len);
    return order ? order : d->name[len] ? -1 : 0;
}

static struct pseudo_dir *find_locked(struct pseudo_dir *parent, const char *name, size_t len)
{
    for (struct rb_node *n = parent->by_name.node; n;) {
        struct pseudo_dir *d = rb_entry(n, struct pseudo_dir, name_node);
        int order = name_order(name, len, d);
        if (!order)
            return d;
        n = order < 0 ? n->left : n->right;
    }
    return nullptr;
}

static void link_name(struct pseudo_dir *parent, struct pseudo_dir *dir)
{
    size_t len = strlen(dir->name);
    struct rb_node **link = &parent->by_name.node, *at = nullptr;
    while (*link) {
        at = *link;
        link = name_order(dir->name, len, rb_entry(at, struct pseudo_dir, name_node)) < 0 ? &at->left : &at->right;
    }
    rb_link_node(&dir->name_node, at, link);
    rb_insert(&parent->by_name, &dir->name_node, nullptr);
}

struct pseudo_dir *pseudo_find(struct pseudo_dir *parent, const char *name, size_t len)
{
    read_guard(&pseudo_tree_sem);
    struct pseudo_dir *d = find_locked(parent, name, len);
    return d ? pseudo_get(d) : nullptr;
}

static int attach(struct pseudo_dir *parent, const char *name, struct pseudo_dir *dir)
{
    if (!(dir->name = kstrdup(name, ALLOC_KERNEL)))
        return -ENOMEM;
    write_guard(&pseudo_tree_sem);
    if (parent->dead)
        return -ENOENT;
    if (find_locked(parent, name, strlen(name)))
        return -EEXIST;
    dir->parent = pseudo_get(parent);
    dir->ops = parent->ops;
    dir->file_inode_ops = parent->file_inode_ops;
    dir->file_fops = parent->file_fops;
    dir->file_size = parent->file_size;
    dir->lenient = parent->lenient;
    struct pseudo_dir *last = list_empty(&parent->children) ? nullptr : list_last_entry(&parent->children, struct pseudo_dir, sibling);
    dir->order = last ? last->order + 1 : 0;
    list_add_tail(&dir->sibling, &parent->children);
    link_name(parent, dir);
    return 0;
}

int pseudo_mkdir(struct pseudo_dir *parent, const char *name, const struct pseudo_entry *entries, void *object, struct pseudo_dir **out)
{
    struct pseudo_dir *dir = pseudo_root(entries, object);
    if (!dir)
        return -ENOMEM;
    int err = attach(parent, name, dir);
    if (err) {
        pseudo_put(dir);
        return err;
    }
    if (out)
        *out = pseudo_get(dir);
    return 0;
}

int pseudo_symlink(struct pseudo_dir *parent, const char *name, const char *target)
{
    struct pseudo_dir *dir = pseudo_root(nullptr, nullptr);
    if (!dir)
        return -ENOMEM;
    dir->mode = 0777;
    dir->target = kstrdup(target, ALLOC_KERNEL);
    int err = dir->target ? attach(parent, name, dir) : -ENOMEM;
    if (err)
        pseudo_put(dir);
    return err;
}

int pseudo_table_add(struct pseudo_dir *dir, const struct pseudo_entry *entries)
{
    struct pseudo_table *t = kzalloc(sizeof *t, ALLOC_KERNEL);
    if (!t)
        return -ENOMEM;
    t->entries = entries;
    t->first_ino = take_numbers(count_entries(entries));
    write_guard(&pseudo_tree_sem);
    struct pseudo_table *last = &dir->table;
    while (last->next)
        last = last->next;
    store_release(&last->next, t);
    return 0;
}

// Leaves first. The tree's references are dropped after the lock.
static void detach(struct pseudo_dir *dir, struct list_head *gone)
{
    struct pseudo_dir *child, *next;
    list_for_each_entry_safe(child, next, &dir->children, sibling)
        detach(child, gone);
    WRITE_ONCE(dir->dead, true);
    if (dir->parent)
        rb_erase(&dir->parent->by_name, &dir->name_node, nullptr);
    list_move_tail(&dir->sibling, gone);
}

static void remove_locked(struct pseudo_dir *dir, struct list_head *gone)
{
    if (!dir->dead)
        detach(dir, gone);
}

static void put_all(struct list_head *gone)
{
    while (!list_empty(gone)) {
        struct pseudo_dir *d = list_first_entry(gone, struct pseudo_dir, sibling);
        list_del_init(&d->sibling);
        pseudo_put(d);
    }
}

void pseudo_remove(struct pseudo_dir *dir)
{
    LIST_HEAD(gone);
    down_write(&pseudo_tree_sem);
    remove_locked(dir, &gone);
    up_write(&pseudo_tree_sem);
    put_all(&gone);
}

void pseudo_remove_named(struct pseudo_dir *parent, const char *name)
{
    LIST_HEAD(gone);
    down_write(&pseudo_tree_sem);
    struct pseudo_dir *dir = find_locked(parent, name, strlen(name));
    if (dir)
        remove_locked(dir, &gone);
    up_write(&pseudo_tree_sem);
    put_all(&gone);
}

static int pseudo_tree_init(void)
{
    rwsem_init(&pseudo_tree_sem, &pseudo_tree_class);
    return 0;
}
INITCALL(core, pseudo_tree_init);
