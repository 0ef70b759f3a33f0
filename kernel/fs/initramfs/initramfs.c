// kernel/fs/initramfs/initramfs.c — a parser of cpio archives that is fed pieces of any size, so that a decompressor can push its output into it.
//
// Formats: 070701 (newc) and 070702 (the same with a sum of each file's bytes). An archive is a row of entries: header, name, content, each padded to four
// bytes counted from the archive's start; the entry TRAILER!!! ends it. A file with several links has its content with one of them, mostly the last.
// Directories get their times at the end, when nothing is created in them any more.
#define PR_FMT(fmt) "initramfs: " fmt
#include "kernel/fs/initramfs/initramfs.h"

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/decompress/decompress.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/attr.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"

#define HEADER_SIZE 110u

enum state { BETWEEN, HEADER, NAME, NAME_PAD, DATA, DATA_PAD };

struct entry {
    uint32_t ino, mode, uid, gid, nlink, mtime, size, dev_major, dev_minor, rdev_major, rdev_minor, name_size, sum;
    bool summed;
};

struct known_link { // a file of several links, by its first name
    struct list_head link;
    uint32_t ino, dev_major, dev_minor, type;
    char name[];
};

struct dir_time {
    struct list_head link;
    uint32_t mtime;
    char name[];
};

struct unpacker {
    enum state state;
    bool trailer_seen;
    uint64_t offset;         // in the archive, for padding and messages
    size_t have;             // bytes of the header or name that are there
    uint64_t left;           // bytes of content to come
    uint32_t sum;
    struct entry e;
    struct file *out;        // null: content is skipped
    loff_t pos;
    unsigned entries;
    const char *wrong;       // what is wrong with the archive
    struct list_head links, dirs;
    char header[HEADER_SIZE + 1];
    char name[PATH_MAX + 1];
    char target[PATH_MAX + 1];
};

static struct timespec_k when(uint32_t mtime)
{
    return (struct timespec_k){mtime, 0};
}

static void set_attributes(const char *name, const struct entry *e)
{
    struct path p;
    if (path_lookup(name, 0, &p))
        return;
    struct iattr attr = {
        .valid = ATTR_UID | ATTR_GID | ATTR_MTIME | ATTR_MTIME_SET | ATTR_ATIME | ATTR_ATIME_SET,
        .uid = e->uid, .gid = e->gid, .atime = when(e->mtime), .mtime = when(e->mtime)};
    int err = vfs_setattr(&p, &attr);
    // Changing the owner takes set-id bits away, so the mode comes last.
    struct iattr mode = {.valid = ATTR_MODE, .mode = e->mode};
    if (!err && !S_ISLNK(e->mode))
        err = vfs_setattr(&p, &mode);
    if (err)
        pr_warn("%s: attributes could not be set (error %d)\n", name, -err);
    path_put(&p);
}

static void remember_dir(struct unpacker *u)
{
    size_t len = strlen(u->name) + 1;
    struct dir_time *d = kmalloc(sizeof *d + len, ALLOC_KERNEL);
    if (!d)
        return;
    memcpy(d->name, u->name, len);
    d->mtime = u->e.mtime;
    list_add_tail(&d->link, &u->dirs);
}

static void set_dir_times(struct unpacker *u)
{
    while (!list_empty(&u->dirs)) {
        struct dir_time *d = list_first_entry(&u->dirs, struct dir_time, link);
        struct path p;
        if (!path_lookup(d->name, 0, &p)) {
            struct iattr attr = {.valid = ATTR_MTIME | ATTR_MTIME_SET | ATTR_ATIME | ATTR_ATIME_SET, .atime = when(d->mtime), .mtime = when(d->mtime)};
            if (vfs_setattr(&p, &attr))
                pr_warn("%s: time could not be set\n", d->name);
            path_put(&p);
        }
        list_del(&d->link);
        kfree(d);
    }
}

static void forget_links(struct unpacker *u)
{
    while (!list_empty(&u->links)) {
        struct known_link *l = list_first_entry(&u->links, struct known_link, link);
        list_del(&l->link);
        kfree(l);
    }
}

// The first name of the file that this entry is another link to, or null; the entry is remembered as the first one then.
static const char *first_name(struct unpacker *u)
{
    struct entry *e = &u->e;
    struct known_link *l;
    if (e->nlink < 2)
        return nullptr;
    list_for_each_entry(l, &u->links, link)
        if (l->ino == e->ino && l->dev_major == e->dev_major && l->dev_minor == e->dev_minor && l->type == (e->mode & S_IFMT))
            return l->name;
    size_t len = strlen(u->name) + 1;
    l = kmalloc(sizeof *l + len, ALLOC_KERNEL);
    if (l) {
        *l = (struct known_link){.ino = e->ino, .dev_major = e->dev_major, .dev_minor = e->dev_minor, .type = e->mode & S_IFMT};
        memcpy(l->name, u->name, len);
        list_add(&l->link, &u->links);
    }
    return nullptr;
}

// What is in the way and of another kind is removed, as a later archive may replace what an earlier one brought.
static void clear_way(const char *name, umode_t mode)
{
    struct path p;
    if (path_lookup(name, 0, &p))
        return;
    umode_t there = p.dentry->inode->mode;
    path_put(&p);
    if ((there & S_IFMT) == (mode & S_IFMT) && !S_ISLNK(mode))
        return;
    PATHNAME(n);
    pathname_from_kernel(&n, name);
    (void)(S_ISDIR(there) ? do_rmdir(AT_FDCWD, &n) : do_unlink(AT_FDCWD, &n));
}

static bool same_file(const char *a, const char *b)
{
    struct path pa, pb;
    if (path_lookup(a, 0, &pa))
        return false;
    bool same = false;
    if (!path_lookup(b, 0, &pb)) {
        same = pa.dentry->inode == pb.dentry->inode;
        path_put(&pb);
    }
    path_put(&pa);
    return same;
}

static int link_to(const char *old, const char *name)
{
    if (same_file(old, name)) // one name twice: what is there must not be removed
        return 0;
    PATHNAME(o);
    PATHNAME(n);
    pathname_from_kernel(&o, old);
    pathname_from_kernel(&n, name);
    (void)do_unlink(AT_FDCWD, &n);
    return do_link(AT_FDCWD, &o, AT_FDCWD, &n, 0);
}

static int begin_file(struct unpacker *u)
{
    struct entry *e = &u->e;
    const char *first = first_name(u);
    if (first) {
        int err = link_to(first, u->name);
        if (err || !e->size)
            return err;
    }
    int err = file_open(u->name, O_WRONLY | O_CREAT | O_NOFOLLOW | (first && !e->size ? 0 : O_TRUNC), e->mode & 07777, &u->out);
    u->pos = 0;
    return err;
}

static int make_node(struct unpacker *u)
{
    struct entry *e = &u->e;
    PATHNAME(n);
    pathname_from_kernel(&n, u->name);
    int err;
    if (S_ISDIR(e->mode)) {
        err = do_mkdir(AT_FDCWD, &n, e->mode & 07777);
        remember_dir(u);
    } else {
        const char *first = first_name(u);
        err = first ? link_to(first, u->name) : do_mknod(AT_FDCWD, &n, e->mode, MKDEV(e->rdev_major, e->rdev_minor));
    }
    return err == -EEXIST ? 0 : err;
}

static bool list_entries;

// kevlar.list_initramfs: one line for each entry.
static int parse_list([[maybe_unused]] const char *value)
{
    list_entries = true;
    return 0;
}
CMDLINE_PARAM("kevlar.list_initramfs", parse_list);

static int begin_entry(struct unpacker *u)
{
    struct entry *e = &u->e;
    u->entries++;
    if (unlikely(list_entries))
        pr_info("%06o %8u %s\n", e->mode, e->size, u->name);
    u->left = e->size;
    u->sum = 0;
    u->out = nullptr;
    clear_way(u->name, e->mode);
    int err = 0;
    switch (e->mode & S_IFMT) {
    case S_IFREG:
        err = begin_file(u);
        break;
    case S_IFLNK:
        if (e->size > PATH_MAX) {
            u->wrong = "symbolic link too long";
            return -EINVAL;
        }
        break;
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        err = make_node(u);
        if (!err)
            set_attributes(u->name, e);
        break;
    default:
        u->wrong = "unknown file type";
        return -EINVAL;
    }
    if (err)
        pr_warn("%s: could not be made (error %d)\n", u->name, -err);
    return 0;
}

static int end_entry(struct unpacker *u)
{
    struct entry *e = &u->e;
    if (S_ISLNK(e->mode)) {
        PATHNAME(n);
        pathname_from_kernel(&n, u->name);
        u->target[e->size] = 0;
        int err = do_symlink(u->target, AT_FDCWD, &n);
        if (err)
            pr_warn("%s: could not be made (error %d)\n", u->name, -err);
        else
            set_attributes(u->name, e);
    }
    if (u->out) {
        file_put_sync(u->out);
        u->out = nullptr;
        set_attributes(u->name, e);
    }
    if (e->summed && S_ISREG(e->mode) && u->sum != e->sum) {
        u->wrong = "wrong sum";
        return -EINVAL;
    }
    return 0;
}

static int take_content(struct unpacker *u, const uint8_t *data, size_t n)
{
    if (S_ISLNK(u->e.mode))
        memcpy(u->target + (u->e.size - u->left), data, n);
    if (u->e.summed)
        for (size_t i = 0; i < n; i++)
            u->sum += data[i];
    if (u->out) {
        ssize_t written = file_write(u->out, data, n, &u->pos);
        if (written != (ssize_t)n) {
            pr_err("%s: no room\n", u->name);
            file_put_sync(u->out);
            u->out = nullptr;
            u->wrong = "out of memory";
            return -ENOMEM;
        }
    }
    return 0;
}

// Eight hexadecimal digits and nothing else: no sign, no blank, no prefix.
static bool read_hex(const char *at, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 8; i++) {
        char c = at[i];
        unsigned digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : 16;
        if (digit > 15)
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static int parse_header(struct unpacker *u)
{
    struct entry *e = &u->e;
    uint32_t *fields[] = {&e->ino, &e->mode, &e->uid, &e->gid, &e->nlink, &e->mtime, &e->size, &e->dev_major, &e->dev_minor, &e->rdev_major,
                          &e->rdev_minor, &e->name_size, &e->sum};
    if (memcmp(u->header, "07070", 5) || (u->header[5] != '1' && u->header[5] != '2')) {
        u->wrong = memcmp(u->header, "070707", 6) ? "no cpio header" : "old cpio format, not newc";
        return -EINVAL;
    }
    e->summed = u->header[5] == '2';
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!read_hex(u->header + 6 + 8 * i, fields[i])) {
            u->wrong = "bad number in a header";
            return -EINVAL;
        }
    }
    if (e->name_size == 0 || e->name_size > PATH_MAX) {
        u->wrong = "bad name length";
        return -EINVAL;
    }
    return 0;
}

static int name_complete(struct unpacker *u)
{
    if (u->name[u->e.name_size - 1]) {
        u->wrong = "name without its end";
        return -EINVAL;
    }
    if (!strcmp(u->name, "TRAILER!!!")) {
        u->trailer_seen = true;
        forget_links(u);
        u->e.mode = 0;
        u->left = u->e.size;
        u->out = nullptr;
        return 0;
    }
    return begin_entry(u);
}

// One step with what is there; *used of it was consumed.
static int step(struct unpacker *u, const uint8_t *data, size_t size, size_t *used)
{
    size_t n = 0;
    switch (u->state) {
    case BETWEEN:
        while (n < size && !data[n])
            n++;
        *used = n;
        if (n < size) {
            u->state = HEADER;
            u->offset = 0;
            u->have = 0;
        }
        return 0;
    case HEADER:
        n = min(size, HEADER_SIZE - u->have);
        memcpy(u->header + u->have, data, n);
        u->have += n;
        break;
    case NAME:
        n = min(size, u->e.name_size - u->have);
        memcpy(u->name + u->have, data, n);
        u->have += n;
        break;
    case NAME_PAD:
    case DATA_PAD:
        n = min(size, (size_t)(-u->offset & 3));
        break;
    case DATA:
        n = (size_t)min((uint64_t)size, u->left);
        if (n && !u->trailer_seen) {
            int err = take_content(u, data, n);
            if (err)
                return err;
        }
        u->left -= n;
        break;
    }
    u->offset += n;
    *used = n;
    int err = 0;
    if (u->state == HEADER && u->have == HEADER_SIZE) {
        err = parse_header(u);
        u->state = NAME;
        u->have = 0;
    } else if (u->state == NAME && u->have == u->e.name_size) {
        err = name_complete(u);
        u->state = NAME_PAD;
    }
    if (u->state == NAME_PAD && !(u->offset & 3))
        u->state = DATA;
    if (!err && u->state == DATA && !u->left) {
        err = u->trailer_seen ? 0 : end_entry(u);
        u->state = DATA_PAD;
    }
    if (u->state == DATA_PAD && !(u->offset & 3)) {
        u->state = u->trailer_seen ? BETWEEN : HEADER;
        u->have = 0;
        u->trailer_seen = false;
    }
    return err;
}

static int feed(void *arg, const void *data, size_t size)
{
    struct unpacker *u = arg;
    const uint8_t *at = data;
    while (size) {
        size_t used;
        int err = step(u, at, size, &used);
        if (err)
            return err;
        at += used;
        size -= used;
    }
    return 0;
}

// A plain archive: up to its trailer, for what follows may be of another form.
static int feed_plain(struct unpacker *u, const uint8_t *data, size_t size, size_t *used)
{
    size_t done = 0;
    do {
        size_t n;
        int err = step(u, data + done, size - done, &n);
        if (err)
            return err;
        done += n;
    } while (done < size && u->state != BETWEEN);
    *used = done;
    return 0;
}

static int unpack_all(struct unpacker *u, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t used = 0;
        int err;
        if (u->state == BETWEEN && !data[at]) {
            at++;
            continue;
        }
        if (u->state == BETWEEN && compression_detect(data + at, size - at) != COMPRESSION_NONE) {
            err = decompress(data + at, size - at, &used, feed, u);
            if (err && !u->wrong)
                u->wrong = err == -ENOMEM ? "out of memory" : "damaged compressed data";
        } else {
            err = feed_plain(u, data + at, size - at, &used);
        }
        if (err) {
            pr_err("%s, at byte %zu of %zu (byte %llu of the archive); the rest is left out\n", u->wrong, at + used, size, (unsigned long long)u->offset);
            return -EINVAL;
        }
        at += used;
    }
    if (u->state != BETWEEN && !(u->state == HEADER && u->have == 0)) {
        pr_err("the archive is cut short after %u entries\n", u->entries);
        return -EINVAL;
    }
    return 0;
}

int initramfs_unpack(const void *image, size_t size)
{
    struct unpacker *u = kzalloc(sizeof *u, ALLOC_KERNEL);
    if (!u)
        return -ENOMEM;
    list_init(&u->links);
    list_init(&u->dirs);
    int err = unpack_all(u, image, size);
    if (u->out)
        file_put_sync(u->out);
    forget_links(u);
    set_dir_times(u);
    if (!err)
        pr_info("%u entries\n", u->entries);
    kfree(u);
    return err;
}
