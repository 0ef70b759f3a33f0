// kernel/fs/pseudo/inode.c — inodes and dentries over the tree: lookup, reading folders, attributes.
#include "kernel/abi/dirent.h"
#include "kernel/abi/statfs.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/fs/pseudo/internal.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/namei.h"

static struct slab_cache *inode_slab RO_AFTER_INIT;

struct inode *pseudo_alloc_inode(struct superblock *)
{
    struct pseudo_inode *pi = slab_alloc(inode_slab, ALLOC_ZERO);
    return pi ? &pi->vfs : nullptr;
}

void pseudo_free_inode(struct inode *inode)
{
    slab_free(inode_slab, pseudo_inode(inode));
}

void pseudo_evict_inode(struct inode *inode)
{
    pseudo_put(pseudo_inode(inode)->dir);
}

int pseudo_statfs(struct dentry *dentry, struct kstatfs *out)
{
    out->type = dentry->sb->magic;
    out->bsize = out->frsize = PAGE_SIZE;
    out->namelen = NAME_MAX;
    return 0;
}

// ---- making inodes --------------------------------------------------------------------------------------------------

static ino_t entry_ino(const struct pseudo_dir *dir, const struct pseudo_entry *entry)
{
    for (const struct pseudo_table *t = &dir->table; t; t = load_acquire(&t->next))
        for (const struct pseudo_entry *e = t->entries; e && e->name; e++)
            if (e == entry)
                return t->first_ino + (ino_t)(e - t->entries);
    return dir->ino;
}

static void fill_entry(struct inode *inode, struct pseudo_dir *dir, const struct pseudo_entry *entry)
{
    inode->ino = entry_ino(dir, entry);
    if (entry->target) {
        inode->mode = S_IFLNK | 0777;
        inode->ops = &pseudo_link_ops;
        inode->size = dir->file_size ? 0 : (loff_t)strlen(entry->target);
        return;
    }
    inode->mode = S_IFREG | entry->mode;
    inode->size = entry->size ? entry->size : dir->file_size;
    inode->uid = dir->file_uid;
    inode->gid = dir->file_gid;
    inode->ops = dir->file_inode_ops;
    inode->fops = entry->fops ? entry->fops : dir->file_fops;
    read_guard(&pseudo_tree_sem);
    for (const struct pseudo_changed *c = dir->changed; c; c = c->next)
        if (c->entry == entry) {
            inode->mode = S_IFREG | c->mode;
            inode->uid = c->uid;
            inode->gid = c->gid;
        }
}

static unsigned count_folders(const struct pseudo_dir *dir)
{
    unsigned n = 0;
    const struct pseudo_dir *child;
    read_guard(&pseudo_tree_sem);
    list_for_each_entry(child, &dir->children, sibling)
        n += !child->target;
    return n;
}

struct inode *pseudo_inode_make(struct superblock *sb, struct pseudo_dir *dir, const struct pseudo_entry *entry)
{
    struct inode *inode = inode_alloc(sb);
    if (!inode)
        return nullptr;
    pseudo_inode(inode)->dir = pseudo_get(dir);
    pseudo_inode(inode)->entry = entry;
    inode->atime = inode->mtime = inode->ctime = inode->btime = dir->born;
    if (entry) {
        fill_entry(inode, dir, entry);
        return inode;
    }
    inode->ino = dir->ino;
    inode->uid = dir->uid;
    inode->gid = dir->gid;
    if (dir->target) {
        inode->mode = S_IFLNK | 0777;
        inode->ops = &pseudo_link_ops;
        inode->size = dir->file_size ? 0 : (loff_t)strlen(dir->target);
    } else {
        inode->mode = S_IFDIR | dir->mode;
        inode->ops = dir->ops;
        inode->fops = &pseudo_dir_fops;
        inode->nlink = 2 + count_folders(dir);
    }
    return inode;
}

static const struct pseudo_entry *find_entry(const struct pseudo_dir *dir, const char *name, size_t len)
{
    for (const struct pseudo_table *t = &dir->table; t; t = load_acquire(&t->next))
        for (const struct pseudo_entry *e = t->entries; e && e->name; e++)
            if (!strncmp(e->name, name, len) && !e->name[len])
                return e->visible && !e->visible(dir->object) ? nullptr : e;
    return nullptr;
}

int pseudo_find_inode(struct superblock *sb, struct pseudo_dir *dir, const char *name, size_t len, struct inode **out)
{
    if (READ_ONCE(dir->dead))
        return -ENOENT;
    const struct pseudo_entry *entry = find_entry(dir, name, len);
    if (entry) {
        *out = pseudo_inode_make(sb, dir, entry);
        return *out ? 0 : -ENOMEM;
    }
    struct pseudo_dir *child = pseudo_find(dir, name, len);
    if (!child)
        return -ENOENT;
    *out = pseudo_inode_make(sb, child, nullptr);
    pseudo_put(child);
    return *out ? 0 : -ENOMEM;
}

int pseudo_lookup(struct inode *dir, struct dentry *dentry, unsigned)
{
    struct inode *inode;
    int err = pseudo_find_inode(dir->sb, pseudo_inode(dir)->dir, dentry->name.name, dentry->name.len, &inode);
    if (err && err != -ENOENT)
        return err;
    d_set_ops(dentry, &pseudo_dentry_ops);
    d_add(dentry, err ? nullptr : inode); // a negative entry serves whoever is about to create the name
    return 0;
}

// ---- dentries: good while what they stand for is in the tree --------------------------------------------------------

static bool still_there(const struct dentry *d)
{
    const struct inode *inode = READ_ONCE(d->inode);
    if (!inode)
        return false;
    const struct pseudo_inode *pi = pseudo_inode(inode);
    return !READ_ONCE(pi->dir->dead) && !(pi->entry && pi->entry->visible && !pi->entry->visible(pi->dir->object));
}

static int revalidate(struct dentry *d, unsigned flags)
{
    if (still_there(d))
        return 1;
    return flags & LOOKUP_RCU ? -ECHILD : 0;
}

static bool keep(const struct dentry *d)
{
    return still_there(d);
}

const struct dentry_ops pseudo_dentry_ops = {.revalidate = revalidate, .keep = keep};

// ---- reading folders ------------------------------------------------------------------------------------------------

// Positions: base + n for the n-th table file, base + CHILDREN + order for sub-folders and links.
#define CHILDREN (1l << 20)

static bool emit_tables(const struct pseudo_dir *dir, struct dir_context *ctx, loff_t base)
{
    loff_t at = base;
    for (const struct pseudo_table *t = &dir->table; t; t = load_acquire(&t->next))
        for (const struct pseudo_entry *e = t->entries; e && e->name; e++, at++) {
            if (at < ctx->pos || (e->visible && !e->visible(dir->object)))
                continue;
            if (!ctx->emit(ctx, e->name, strlen(e->name), at + 1, t->first_ino + (ino_t)(e - t->entries), e->target ? DT_LNK : DT_REG))
                return false;
            ctx->pos = at + 1;
        }
    return true;
}

bool pseudo_emit(struct pseudo_dir *dir, struct dir_context *ctx, loff_t base)
{
    loff_t children = base + CHILDREN;
    if (ctx->pos < children) {
        if (!emit_tables(dir, ctx, base))
            return false;
        ctx->pos = children;
    }
    read_guard(&pseudo_tree_sem);
    struct pseudo_dir *child;
    list_for_each_entry(child, &dir->children, sibling) {
        loff_t at = children + (loff_t)child->order;
        if (at < ctx->pos)
            continue;
        if (!ctx->emit(ctx, child->name, strlen(child->name), at + 1, child->ino, child->target ? DT_LNK : DT_DIR))
            return false;
        ctx->pos = at + 1;
    }
    return true;
}

static int iterate(struct file *file, struct dir_context *ctx)
{
    struct pseudo_dir *dir = pseudo_inode(file->inode)->dir;
    if (dir_emit_dots(file, ctx) && !READ_ONCE(dir->dead))
        pseudo_emit(dir, ctx, 2);
    return 0;
}

const struct file_ops pseudo_dir_fops = {.iterate = iterate, .llseek = generic_llseek, .fsync = noop_fsync};

// ---- attributes: kept in the tree -----------------------------------------------------------------------------------

void pseudo_changed_free(struct pseudo_dir *dir)
{
    for (struct pseudo_changed *c = dir->changed, *next; c; c = next) {
        next = c->next;
        kfree(c);
    }
}

static int remember(const struct inode *inode)
{
    struct pseudo_dir *dir = pseudo_inode(inode)->dir;
    const struct pseudo_entry *entry = pseudo_inode(inode)->entry;
    struct pseudo_changed *fresh = entry ? kmalloc(sizeof *fresh, ALLOC_KERNEL) : nullptr;
    if (entry && !fresh)
        return -ENOMEM;
    write_guard(&pseudo_tree_sem);
    if (!entry) {
        dir->mode = inode->mode & 07777;
        dir->uid = inode->uid;
        dir->gid = inode->gid;
        return 0;
    }
    struct pseudo_changed *c = dir->changed;
    while (c && c->entry != entry)
        c = c->next;
    if (c) {
        kfree(fresh);
        fresh = c;
    } else {
        fresh->next = dir->changed;
        dir->changed = fresh;
    }
    fresh->entry = entry;
    fresh->mode = inode->mode & 07777;
    fresh->uid = inode->uid;
    fresh->gid = inode->gid;
    return 0;
}

int pseudo_setattr(struct dentry *dentry, struct iattr *attr)
{
    int err = setattr_prepare(dentry, attr);
    if (err)
        return err;
    attr->valid &= ~ATTR_SIZE; // what is written replaces what was there: cutting it first means nothing
    setattr_copy(dentry->inode, attr);
    return attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? remember(dentry->inode) : 0;
}

static const char *get_link(struct dentry *, struct inode *inode, char **)
{
    const struct pseudo_inode *pi = pseudo_inode(inode);
    return pi->entry ? pi->entry->target : pi->dir->target;
}

const struct inode_ops pseudo_dir_ops = {.lookup = pseudo_lookup, .setattr = pseudo_setattr};
const struct inode_ops pseudo_file_ops_inode = {.setattr = pseudo_setattr};
const struct inode_ops pseudo_link_ops = {.get_link = get_link};

int pseudo_super_make(const struct file_system_type *type, unsigned flags, uint64_t magic, const struct superblock_ops *ops, struct pseudo_dir *root,
                      struct superblock **out)
{
    struct superblock *sb = sb_alloc(type, flags | SB_NOEXEC);
    if (!sb)
        return -ENOMEM;
    sb->ops = ops;
    sb->magic = magic;
    struct inode *inode = pseudo_inode_make(sb, root, nullptr);
    sb->root = inode ? d_alloc_root(inode) : nullptr;
    if (!sb->root) {
        sb_put(sb);
        return -ENOMEM;
    }
    *out = sb;
    return 0;
}

static int pseudo_init(void)
{
    inode_slab = slab_cache_create("pseudo_inode", sizeof(struct pseudo_inode), 64, 0, nullptr);
    ASSERT(inode_slab);
    return 0;
}
INITCALL(core, pseudo_init);
