// kernel/net/unix_name.c — names of AF_UNIX sockets: pathname, abstract, automatic.

#include "kernel/base/hash.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/net/unix.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/namei.h"

#define NAME_BUCKETS 256u
#define PATH_OFFSET offsetof(struct abi_sockaddr_un, path)

static DEFINE_LOCK_CLASS(names_class, "unix names", RANK_FILES);
static struct spinlock names_lock = SPINLOCK_INIT(&names_class);
static struct hlist_head names[NAME_BUCKETS] GUARDED_BY(&names_lock);
static uint32_t next_auto;

void unix_address_put(struct unix_address *a)
{
    if (a && refcount_dec_and_test(&a->refs))
        kfree(a);
}

int unix_check_address(const void *addr, int len)
{
    const struct abi_sockaddr_un *un = addr;
    return len <= (int)PATH_OFFSET || len > (int)sizeof *un || un->family != AF_UNIX ? -EINVAL : 0;
}

static struct unix_address *make_address(const void *name, int len)
{
    struct unix_address *a = kzalloc(sizeof *a, ALLOC_KERNEL);
    if (a) {
        refcount_set(&a->refs, 1);
        a->len = len;
        memcpy(&a->name, name, (size_t)len);
    }
    return a;
}

static struct hlist_head *bucket_of(const struct unix_address *a)
{
    uint32_t h = 2166136261u;
    for (int i = 0; i < a->len; i++)
        h = (h ^ ((const uint8_t *)&a->name)[i]) * 16777619u;
    return &names[h % NAME_BUCKETS];
}

static struct unix_sock *find_abstract(const struct unix_address *a, int type) REQUIRES(names_lock)
{
    struct unix_sock *u;
    hlist_for_each_entry(u, bucket_of(a), hash)
    {
        if (u->s.type == type && u->address->len == a->len && !memcmp(&u->address->name, &a->name, (size_t)a->len))
            return u;
    }
    return nullptr;
}

static int insert_abstract(struct unix_sock *u, struct unix_address *a)
{
    spin_guard(&names_lock);
    if (find_abstract(a, u->s.type))
        return -EADDRINUSE;
    store_release(&u->address, a);
    hlist_add_head(&u->hash, bucket_of(a));
    return 0;
}

// An address of only the family asks for an automatic abstract name: five hexadecimal digits.
static int bind_automatic(struct unix_sock *u)
{
    for (unsigned tries = 0; tries < 1u << 20; tries++) {
        struct abi_sockaddr_un un = {.family = AF_UNIX};
        unsigned nr = __atomic_fetch_add(&next_auto, 1, __ATOMIC_RELAXED) & 0xfffff;
        snprintf(un.path + 1, sizeof un.path - 1, "%05x", nr);
        struct unix_address *a = make_address(&un, PATH_OFFSET + 6);
        if (!a)
            return -ENOMEM;
        int err = insert_abstract(u, a);
        if (err != -EADDRINUSE)
            return err;
        unix_address_put(a);
    }
    return -ENOSPC;
}

int unix_autobind(struct unix_sock *u)
{
    if (!u->s.passcred || READ_ONCE(u->address))
        return 0;
    mutex_guard(&u->s.lock);
    return u->address ? 0 : bind_automatic(u);
}

// A pathname: the node is made, and the socket is found through its inode from then on. The folder is locked before the socket.
static int bind_path(struct unix_sock *u, const struct abi_sockaddr_un *un, int len)
{
    char text[sizeof un->path + 1] = {};
    memcpy(text, un->path, (size_t)len - PATH_OFFSET);
    // The kept address ends with the NUL that is at the end of the text.
    struct unix_address *a = make_address(un, (int)(PATH_OFFSET + strlen(text) + 1 <= sizeof *un ? PATH_OFFSET + strlen(text) + 1 : sizeof *un));
    if (!a)
        return -ENOMEM;
    struct pathname name __attribute__((uninitialized));
    pathname_from_kernel(&name, text);
    struct path parent;
    struct dentry *d;
    int err = path_create(AT_FDCWD, &name, false, &parent, &d);
    if (!err) {
        umode_t mode = S_IFSOCK | (0777 & ~current_fs_context()->umask);
        mutex_lock(&u->s.lock);
        err = u->address ? -EINVAL : vfs_mknod(&parent, d, mode, 0); // an existing name is the more telling error
        if (!err) {
            u->path = (struct path){parent.mnt, d};
            path_get(&u->path);
            spin_guard(&names_lock);
            d->inode->sock = &u->s;
            store_release(&u->address, a);
        }
        mutex_unlock(&u->s.lock);
        path_create_done(&parent, d);
    }
    if (err)
        unix_address_put(a);
    return err == -EEXIST ? -EADDRINUSE : err;
}

int unix_bind(struct socket *s, const void *addr, int len)
{
    struct unix_sock *u = unix_of(s);
    const struct abi_sockaddr_un *un = addr;
    bool automatic = len == (int)PATH_OFFSET && un->family == AF_UNIX;
    int err = automatic ? 0 : unix_check_address(addr, len);
    if (err)
        return err;
    if (!automatic && un->path[0])
        return bind_path(u, un, len);
    mutex_guard(&s->lock);
    if (automatic)
        return u->address ? 0 : bind_automatic(u);
    if (u->address)
        return -EINVAL;
    struct unix_address *a = make_address(un, len);
    if (!a)
        return -ENOMEM;
    if ((err = insert_abstract(u, a)))
        unix_address_put(a);
    return err;
}

static int find_path(const struct abi_sockaddr_un *un, int len, int type, struct unix_sock **out)
{
    char text[sizeof un->path + 1] = {};
    memcpy(text, un->path, (size_t)len - PATH_OFFSET);
    struct path path;
    int err = path_lookup(text, LOOKUP_FOLLOW, &path);
    if (err)
        return err;
    struct inode *inode = path.dentry->inode;
    err = inode_permission(inode, MAY_WRITE);
    if (!err && !S_ISSOCK(inode->mode))
        err = -ECONNREFUSED;
    if (!err) {
        spin_guard(&names_lock);
        struct socket *s = inode->sock;
        if (!s || !refcount_inc_not_zero(&s->refs))
            err = -ECONNREFUSED;
        else
            *out = unix_of(s);
    }
    if (!err && (*out)->s.type != type) {
        unix_put(*out);
        *out = nullptr;
        err = -EPROTOTYPE;
    }
    if (!err)
        path_accessed(&path);
    path_put(&path);
    return err;
}

int unix_find(const struct abi_sockaddr_un *un, int len, int type, struct unix_sock **out)
{
    if (un->path[0])
        return find_path(un, len, type, out);
    struct unix_address key = {.len = len};
    memcpy(&key.name, un, (size_t)len);
    spin_guard(&names_lock);
    struct unix_sock *u = find_abstract(&key, type);
    if (!u || !refcount_inc_not_zero(&u->s.refs))
        return -ECONNREFUSED;
    *out = u;
    return 0;
}

void unix_unbind(struct unix_sock *u)
{
    struct path path = {};
    {
        spin_guard(&names_lock);
        hlist_del_init_rcu(&u->hash);
        if (u->path.dentry) {
            path = u->path;
            u->path = (struct path){};
            if (path.dentry->inode && path.dentry->inode->sock == &u->s)
                path.dentry->inode->sock = nullptr;
        }
    }
    if (path.dentry)
        path_put(&path);
}
