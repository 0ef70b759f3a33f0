// kernel/vfs/acl.c — POSIX access control lists: checking, the attributes that stand for them, inheritance. acl(5), setxattr(2).
#include "kernel/vfs/acl.h"

#include "kernel/abi/posix_acl.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/fs_context.h"

struct posix_acl {
    struct rcu_head rcu;
    unsigned count;
    struct abi_acl_entry entries[]; // in the order of their tags
};

#define OWNER_BITS 0700u
#define GROUP_BITS 0070u
#define OTHER_BITS 0007u

static void free_rcu(struct rcu_head *head)
{
    kfree(container_of(head, struct posix_acl, rcu));
}

static struct posix_acl *acl_alloc(size_t count)
{
    struct posix_acl *acl = kmalloc(sizeof *acl + count * sizeof acl->entries[0], ALLOC_KERNEL);
    if (acl)
        acl->count = (unsigned)count;
    return acl;
}

static struct posix_acl *acl_copy(const struct posix_acl *from)
{
    struct posix_acl *acl = acl_alloc(from->count);
    if (acl)
        memcpy(acl->entries, from->entries, from->count * sizeof from->entries[0]);
    return acl;
}

static struct posix_acl **slot_of(struct inode *inode, bool is_default)
{
    return is_default ? &inode->default_acl : &inode->acl;
}

static void replace(struct inode *inode, bool is_default, struct posix_acl *acl)
{
    struct posix_acl **slot = slot_of(inode, is_default), *old = *slot;
    rcu_assign_pointer(*slot, acl);
    if (!is_default)
        inode->flags = (uint16_t)(acl ? inode->flags | I_ACL : inode->flags & ~I_ACL);
    if (old)
        call_rcu(&old->rcu, free_rcu);
}

void acl_free(struct inode *inode)
{
    kfree(inode->acl);
    kfree(inode->default_acl);
}

static struct abi_acl_entry *entry_of(struct posix_acl *acl, unsigned tag)
{
    for (unsigned i = 0; i < acl->count; i++)
        if (acl->entries[i].tag == tag)
            return &acl->entries[i];
    return nullptr;
}

// The entry that the group bits of the mode stand for.
static struct abi_acl_entry *group_class(struct posix_acl *acl)
{
    struct abi_acl_entry *mask = entry_of(acl, ACL_MASK);
    return mask ? mask : entry_of(acl, ACL_GROUP_OBJ);
}

// A list of only the three entries that a mode has: then it need not be kept.
static bool is_minimal(const struct posix_acl *acl)
{
    return acl->count == 3;
}

static umode_t mode_of(struct posix_acl *acl)
{
    return (umode_t)(entry_of(acl, ACL_USER_OBJ)->perm << 6 | group_class(acl)->perm << 3 | entry_of(acl, ACL_OTHER)->perm);
}

// ---- checking -------------------------------------------------------------------------------------------------------

// Every entry that must be there is there once, in order; a mask if there are named ones.
static bool acl_valid(const struct posix_acl *acl)
{
    unsigned next = ACL_USER_OBJ;
    bool named = false;
    for (unsigned i = 0; i < acl->count; i++) {
        const struct abi_acl_entry *e = &acl->entries[i];
        bool ok = false;
        if (e->perm & ~7u)
            return false;
        switch (e->tag) {
        case ACL_USER_OBJ:
            ok = next == ACL_USER_OBJ;
            next = ACL_USER;
            break;
        case ACL_USER:
            ok = next == ACL_USER && e->id != ACL_UNDEFINED_ID;
            named = true;
            break;
        case ACL_GROUP_OBJ:
            ok = next == ACL_USER;
            next = ACL_GROUP;
            break;
        case ACL_GROUP:
            ok = next == ACL_GROUP && e->id != ACL_UNDEFINED_ID;
            named = true;
            break;
        case ACL_MASK:
            ok = next == ACL_GROUP;
            next = ACL_OTHER;
            break;
        case ACL_OTHER:
            ok = next == ACL_OTHER || (next == ACL_GROUP && !named);
            next = 0;
            break;
        }
        if (!ok)
            return false;
    }
    return next == 0 && acl->count;
}

// *out null: no entries, which means no list.
static int acl_parse(const void *value, size_t size, struct posix_acl **out)
{
    const struct abi_acl_header *head = value;
    *out = nullptr;
    if (!value)
        return 0;
    if (size < sizeof *head)
        return -EINVAL;
    if (head->version != ACL_XATTR_VERSION)
        return -EOPNOTSUPP;
    size_t bytes = size - sizeof *head;
    if (bytes % sizeof(struct abi_acl_entry))
        return -EINVAL;
    if (!bytes)
        return 0;
    struct posix_acl *acl = acl_alloc(bytes / sizeof(struct abi_acl_entry));
    if (!acl)
        return -ENOMEM;
    memcpy(acl->entries, head + 1, bytes);
    for (unsigned i = 0; i < acl->count; i++) {
        unsigned tag = acl->entries[i].tag;
        if (tag != ACL_USER && tag != ACL_GROUP)
            acl->entries[i].id = ACL_UNDEFINED_ID;
    }
    *out = acl;
    return 0;
}

static unsigned mask_of(const struct posix_acl *acl)
{
    for (unsigned i = 0; i < acl->count; i++)
        if (acl->entries[i].tag == ACL_MASK)
            return READ_ONCE(acl->entries[i].perm);
    return 7; // only needed, and there, with named entries
}

// The caller is not the owner. An entry for the user decides; else one of the groups has to grant all that is wanted; only who is in none of them is
// among the others. The mask limits all but the last.
static int check_entries(const struct posix_acl *acl, const struct inode *inode, unsigned want)
{
    const struct cred *cred = current_cred();
    bool in_some_group = false;
    for (unsigned i = 0; i < acl->count; i++) {
        const struct abi_acl_entry *e = &acl->entries[i];
        unsigned perm = READ_ONCE(e->perm);
        switch (e->tag) {
        case ACL_USER:
            if (e->id == cred->fsuid)
                return want & ~(perm & mask_of(acl)) ? -EACCES : 0;
            break;
        case ACL_GROUP_OBJ:
        case ACL_GROUP:
            if (!in_group(cred, e->tag == ACL_GROUP ? e->id : inode->gid))
                break;
            in_some_group = true;
            if (!(want & ~perm))
                return want & ~mask_of(acl) ? -EACCES : 0;
            break;
        case ACL_OTHER:
            return in_some_group || want & ~perm ? -EACCES : 0;
        }
    }
    return -EACCES;
}

int acl_permission(const struct inode *inode, unsigned mask)
{
    rcu_read_lock();
    const struct posix_acl *acl = rcu_dereference(inode->acl);
    int err = acl ? check_entries(acl, inode, mask & (MAY_READ | MAY_WRITE | MAY_EXEC)) : -EAGAIN;
    rcu_read_unlock();
    return err;
}

// ---- attributes -----------------------------------------------------------------------------------------------------

bool acl_is_xattr(const char *name)
{
    return !strcmp(name, ACL_XATTR_ACCESS) || !strcmp(name, ACL_XATTR_DEFAULT);
}

static bool has_lists(const struct inode *inode)
{
    return inode->sb->flags & SB_POSIXACL && !S_ISLNK(inode->mode);
}

static int check_set(const struct inode *inode, bool is_default, const struct posix_acl *acl)
{
    if (!has_lists(inode))
        return -EOPNOTSUPP;
    if (is_default && !S_ISDIR(inode->mode))
        return acl ? -EACCES : 0;
    if (current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
        return -EPERM;
    return acl && !acl_valid(acl) ? -EINVAL : 0;
}

// The mode says what the list says of the owner, the group class and others.
static void update_mode(struct inode *inode, struct posix_acl *acl)
{
    umode_t mode = (umode_t)((inode->mode & ~0777u) | mode_of(acl));
    if (mode & S_ISGID && !in_group(current_cred(), inode->gid) && !capable(CAP_FSETID))
        mode &= (umode_t)~S_ISGID;
    inode->mode = mode;
}

int acl_xattr_set(struct inode *inode, const char *name, const void *value, size_t size)
{
    bool is_default = !strcmp(name, ACL_XATTR_DEFAULT);
    struct posix_acl *acl;
    int err = inode->flags & (I_IMMUTABLE | I_APPEND) ? -EPERM : acl_parse(size ? value : nullptr, size, &acl);
    if (err)
        return err;
    err = check_set(inode, is_default, acl);
    if (err || (is_default && !S_ISDIR(inode->mode))) {
        kfree(acl);
        return err;
    }
    if (acl && !is_default) {
        update_mode(inode, acl);
        if (is_minimal(acl)) {
            kfree(acl);
            acl = nullptr;
        }
    }
    replace(inode, is_default, acl);
    inode_touch(inode, false, true);
    return 0;
}

ssize_t acl_xattr_get(struct inode *inode, const char *name, void *buf, size_t size)
{
    if (!has_lists(inode))
        return -EOPNOTSUPP;
    ssize_t result = -ENODATA;
    rcu_read_lock();
    const struct posix_acl *acl = rcu_dereference(*slot_of(inode, !strcmp(name, ACL_XATTR_DEFAULT)));
    if (acl) {
        struct abi_acl_header *head = buf;
        size_t need = sizeof *head + acl->count * sizeof acl->entries[0];
        result = !size || size >= need ? (ssize_t)need : -ERANGE;
        if (size && result > 0) {
            head->version = ACL_XATTR_VERSION;
            memcpy(head + 1, acl->entries, acl->count * sizeof acl->entries[0]);
        }
    }
    rcu_read_unlock();
    return result;
}

ssize_t acl_xattr_list(const struct inode *inode, char *buf, size_t size)
{
    size_t used = 0;
    const struct { const struct posix_acl *acl; const char *name; } lists[] = {{inode->acl, ACL_XATTR_ACCESS}, {inode->default_acl, ACL_XATTR_DEFAULT}};
    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t len = strlen(lists[i].name) + 1;
        if (!lists[i].acl)
            continue;
        if (size && used + len > size)
            return -ERANGE;
        if (size)
            memcpy(buf + used, lists[i].name, len);
        used += len;
    }
    return (ssize_t)used;
}

// ---- modes ----------------------------------------------------------------------------------------------------------

void acl_chmod(struct inode *inode)
{
    struct posix_acl *acl = inode->acl;
    if (likely(!acl))
        return;
    WRITE_ONCE(entry_of(acl, ACL_USER_OBJ)->perm, (uint16_t)((inode->mode & OWNER_BITS) >> 6));
    WRITE_ONCE(group_class(acl)->perm, (uint16_t)((inode->mode & GROUP_BITS) >> 3));
    WRITE_ONCE(entry_of(acl, ACL_OTHER)->perm, (uint16_t)(inode->mode & OTHER_BITS));
}

umode_t acl_umask(const struct inode *dir)
{
    return unlikely(READ_ONCE(dir->default_acl)) ? 0 : current_fs_context()->umask;
}

int acl_inherit(const struct inode *dir, struct inode *inode)
{
    const struct posix_acl *from = dir->default_acl;
    if (likely(!from) || S_ISLNK(inode->mode))
        return 0;
    struct posix_acl *acl = acl_copy(from), *for_children = S_ISDIR(inode->mode) ? acl_copy(from) : nullptr;
    if (!acl || (S_ISDIR(inode->mode) && !for_children)) {
        kfree(acl);
        kfree(for_children);
        return -ENOMEM;
    }
    // Both the list and what the creator asked for limit each other.
    entry_of(acl, ACL_USER_OBJ)->perm &= (inode->mode & OWNER_BITS) >> 6;
    group_class(acl)->perm &= (inode->mode & GROUP_BITS) >> 3;
    entry_of(acl, ACL_OTHER)->perm &= inode->mode & OTHER_BITS;
    inode->mode = (umode_t)((inode->mode & ~0777u) | mode_of(acl));
    inode->default_acl = for_children;
    if (is_minimal(acl))
        kfree(acl);
    else
        replace(inode, false, acl);
    return 0;
}
