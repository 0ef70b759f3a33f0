// tests/unit/initramfs_test.c — kernel/fs/initramfs on the build host, over a flat table of names instead of the VFS: good archives give what is in
// them; cut, flipped and invented ones end in one line, with nothing open, held or allocated, and no access beside a buffer.
#include "kernel/fs/initramfs/initramfs.h"

#include "kernel/abi/errno.h"
#include "kernel/base/string.h"
#include "kernel/vfs/attr.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"
#include "tests/unit/kernel_double.h"
#include "tests/unit/tap.h"

// ---- the file system ------------------------------------------------------------------------------------------------------------------------------

struct node {
    struct inode inode;
    struct dentry dentry;
    char text[64]; // a symlink's target, or the first bytes of a file
    uint64_t size;
    unsigned links;
};
struct name {
    struct node *node;
    char *text;
};
struct open_node {
    struct file file;
    struct node *node;
};

enum { MAX_NAMES = 64 };
static struct name names[MAX_NAMES];
static unsigned nr_names, held_paths, open_files;
static uint64_t room = UINT64_MAX; // bytes that writes still find room for

static struct name *find(const char *text)
{
    while (*text == '/' || (text[0] == '.' && text[1] == '/'))
        text++;
    for (unsigned i = 0; i < nr_names; i++)
        if (tap_same_text(names[i].text, text))
            return &names[i];
    return nullptr;
}

static int add(const char *text, struct node *node)
{
    if (find(text))
        return -EEXIST;
    if (!*text || strlen(text) >= PATH_MAX)
        return *text ? -ENAMETOOLONG : -ENOENT;
    if (nr_names == MAX_NAMES)
        return -ENOSPC;
    while (*text == '/' || (text[0] == '.' && text[1] == '/'))
        text++;
    char *copy = tap_alloc(strlen(text) + 1);
    memcpy(copy, text, strlen(text));
    names[nr_names++] = (struct name){node, copy};
    node->links++;
    return 0;
}

static int add_new(const char *text, umode_t mode, const char *content)
{
    struct node *node = tap_alloc(sizeof *node);
    node->inode.mode = mode;
    node->dentry.inode = &node->inode;
    strlcpy(node->text, content, sizeof node->text);
    int err = add(text, node);
    if (err)
        tap_free(node);
    return err;
}

static void take_away(struct name *name)
{
    if (!--name->node->links)
        tap_free(name->node);
    tap_free(name->text);
    *name = names[--nr_names];
}

void pathname_from_kernel(struct pathname *name, const char *text)
{
    name->text = text;
    name->len = strlen(text);
}
void pathname_free(struct pathname *name)
{
    name->text = nullptr;
}
int path_lookup(const char *path, [[maybe_unused]] unsigned flags, struct path *out)
{
    struct name *name = find(path);
    if (!name)
        return -ENOENT;
    held_paths++;
    *out = (struct path){.dentry = &name->node->dentry};
    return 0;
}
void path_put([[maybe_unused]] const struct path *path)
{
    held_paths--;
}
int vfs_setattr(const struct path *path, struct iattr *attr)
{
    struct inode *inode = path->dentry->inode;
    if (attr->valid & ATTR_MODE)
        inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
    return 0;
}
int do_mkdir([[maybe_unused]] int dirfd, const struct pathname *name, umode_t mode)
{
    return add_new(name->text, S_IFDIR | mode, "");
}
int do_mknod([[maybe_unused]] int dirfd, const struct pathname *name, umode_t mode, [[maybe_unused]] dev_t rdev)
{
    return add_new(name->text, mode, "");
}
int do_symlink(const char *target, [[maybe_unused]] int dirfd, const struct pathname *name)
{
    return add_new(name->text, S_IFLNK | 0777, target);
}
int do_link([[maybe_unused]] int olddirfd, const struct pathname *old, [[maybe_unused]] int newdirfd, const struct pathname *name,
            [[maybe_unused]] unsigned flags)
{
    struct name *there = find(old->text);
    return there ? add(name->text, there->node) : -ENOENT;
}
int do_unlink([[maybe_unused]] int dirfd, const struct pathname *name)
{
    struct name *there = find(name->text);
    if (!there || S_ISDIR(there->node->inode.mode))
        return there ? -EISDIR : -ENOENT;
    take_away(there);
    return 0;
}
int do_rmdir([[maybe_unused]] int dirfd, const struct pathname *name)
{
    struct name *there = find(name->text);
    if (!there || !S_ISDIR(there->node->inode.mode))
        return there ? -ENOTDIR : -ENOENT;
    take_away(there);
    return 0;
}
int file_open(const char *path, unsigned flags, umode_t mode, struct file **out)
{
    int err = find(path) ? 0 : add_new(path, S_IFREG | mode, "");
    if (err)
        return err;
    struct open_node *o = tap_alloc(sizeof *o);
    o->node = find(path)->node;
    o->node->links++; // as an open file keeps it
    if (flags & O_TRUNC)
        o->node->size = 0;
    open_files++;
    *out = &o->file;
    return 0;
}
void file_put_sync(struct file *file)
{
    struct open_node *o = container_of(file, struct open_node, file);
    if (!--o->node->links)
        tap_free(o->node);
    open_files--;
    tap_free(o);
}
ssize_t file_write(struct file *file, const void *buf, size_t size, loff_t *pos)
{
    struct node *node = container_of(file, struct open_node, file)->node;
    if (size > room)
        return -ENOSPC;
    room -= size;
    for (size_t i = 0; i < size; i++, ++*pos) // each byte is touched
        if ((size_t)*pos < sizeof node->text - 1)
            node->text[*pos] = ((const char *)buf)[i];
    node->size = max(node->size, (uint64_t)*pos);
    return (ssize_t)size;
}

// ---- archives -------------------------------------------------------------------------------------------------------------------------------------

struct image {
    uint8_t bytes[16384];
    size_t size;
};

static void put(struct image *image, const void *data, size_t size)
{
    memcpy(image->bytes + image->size, data, size);
    image->size += size;
}
static void put_padding(struct image *image)
{
    while (image->size & 3)
        image->bytes[image->size++] = 0;
}
static void put_hex(struct image *image, uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        image->bytes[image->size++] = (uint8_t)"0123456789ABCDEF"[value >> shift & 15];
}

struct header {
    uint32_t ino, mode, links, size, name_size;
};

static void put_header(struct image *image, const struct header *h)
{
    const uint32_t fields[] = {h->ino, h->mode, 0, 0, h->links, 0, h->size, 0, 0, 0, 0, h->name_size, 0};
    put(image, "070701", 6);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        put_hex(image, fields[i]);
}
static void put_entry(struct image *image, const char *name, umode_t mode, uint32_t ino, uint32_t links, const char *content)
{
    put_header(image, &(struct header){ino, mode, links, (uint32_t)strlen(content), (uint32_t)strlen(name) + 1});
    put(image, name, strlen(name) + 1);
    put_padding(image);
    put(image, content, strlen(content));
    put_padding(image);
}
static void put_trailer(struct image *image)
{
    put_entry(image, "TRAILER!!!", 0, 0, 1, "");
}
// One of each kind, two names of one file, and the end.
static void put_all_kinds(struct image *image, const char *prefix)
{
    static const struct {
        const char *name, *content;
        umode_t mode;
        uint32_t ino, links;
    } entries[] = {
        {"dir", "", S_IFDIR | 0755, 1, 2},       {"dir/file", "content\n", S_IFREG | 0640, 2, 1}, {"one", "", S_IFREG | 0600, 3, 2},
        {"two", "shared", S_IFREG | 0600, 3, 2}, {"link", "dir/file", S_IFLNK | 0777, 4, 1},      {"null", "", S_IFCHR | 0666, 5, 1},
        {"fifo", "", S_IFIFO | 0600, 6, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        char name[64] = {};
        strlcpy(name, prefix, sizeof name);
        strlcpy(name + strlen(name), entries[i].name, sizeof name - strlen(name));
        put_entry(image, name, entries[i].mode, entries[i].ino, entries[i].links, entries[i].content);
    }
    put_trailer(image);
}

static void put_little(struct image *image, uint64_t value, unsigned bytes)
{
    for (; bytes--; value >>= 8)
        image->bytes[image->size++] = (uint8_t)value;
}
static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}
// RFC 1952 and 1951: one stored block.
static void put_gzip(struct image *image, const struct image *content)
{
    put(image, "\x1f\x8b\x08\0\0\0\0\0\0\xff\1", 11);
    put_little(image, content->size, 2);
    put_little(image, ~content->size, 2);
    put(image, content->bytes, content->size);
    put_little(image, crc32(content->bytes, content->size), 4);
    put_little(image, content->size, 4);
}
// RFC 8878: a window of 64 KiB, one raw block, no checksum.
static void put_zstd(struct image *image, const struct image *content)
{
    put(image, "\x28\xb5\x2f\xfd\0\x30", 6);
    put_little(image, content->size << 3 | 1, 3);
    put(image, content->bytes, content->size);
}

// ---- the tests ------------------------------------------------------------------------------------------------------------------------------------

static void forget_all(void)
{
    while (nr_names)
        take_away(&names[0]);
    room = UINT64_MAX;
    double_allocations_left = -1;
    double_errors = 0;
    double_error_text = nullptr;
}

// Unpacks a copy that ends where memory ends. Checks what holds for every input; the answer is initramfs_unpack()'s, or 1 if a check failed.
static int unpack(const void *data, size_t size)
{
    uint8_t *copy = tap_alloc_guarded(size, 1);
    memcpy(copy, data, size);
    unsigned errors = double_errors;
    int err = initramfs_unpack(copy, size);
    tap_free_guarded(copy);
    errors = double_errors - errors;
    if (held_paths || open_files || double_buffers) {
        tap_fail(__FILE__, __LINE__, "left over: %u paths, %u files, %u buffers", held_paths, open_files, double_buffers);
        return 1;
    }
    if (err == 0 ? errors != 0 : err == -EINVAL ? errors == 0 || !double_error_text : err != -ENOMEM) {
        tap_fail(__FILE__, __LINE__, "answer %d with %u lines", err, errors);
        return 1;
    }
    return err;
}

static struct image *new_image(void)
{
    forget_all();
    return tap_alloc(sizeof(struct image));
}

static bool has(const char *name, umode_t mode, const char *text)
{
    struct name *n = find(name);
    return n && n->node->inode.mode == mode && tap_same_text(n->node->text, text);
}

static bool has_all_kinds(void)
{
    return has("dir", S_IFDIR | 0755, "") && has("dir/file", S_IFREG | 0640, "content\n") && has("one", S_IFREG | 0600, "shared") &&
           has("two", S_IFREG | 0600, "shared") && find("one")->node == find("two")->node && has("link", S_IFLNK | 0777, "dir/file") &&
           has("null", S_IFCHR | 0666, "") && has("fifo", S_IFIFO | 0600, "");
}

TEST(every_kind_of_entry_is_made)
{
    struct image *image = new_image();
    put_all_kinds(image, "");
    CHECK_EQ(unpack(image->bytes, image->size), 0);
    CHECK(has_all_kinds());
    CHECK_EQ(nr_names, 7);
    CHECK_EQ(unpack(image->bytes, image->size), 0); // over what is there already
    CHECK(has_all_kinds());
    tap_free(image);
}

TEST(nothing_at_all_and_zeros_alone_are_no_error)
{
    struct image *image = new_image();
    CHECK_EQ(unpack(image->bytes, 0), 0);
    CHECK_EQ(unpack(image->bytes, 5000), 0);
    CHECK_EQ(nr_names, 0);
    tap_free(image);
}

// Each way to pack, in each order, with padding between: what a boot loader that adds a second initramfs hands over.
TEST(archives_follow_each_other_in_any_form)
{
    static void (*const forms[])(struct image *, const struct image *) = {put_gzip, put_zstd, nullptr};
    for (unsigned order = 0; order < 27; order++) {
        struct image *image = new_image(), *part = tap_alloc(sizeof *part);
        static const char *const prefixes[] = {"", "b", "c"};
        for (unsigned i = 0, o = order; i < 3; i++, o /= 3) {
            part->size = 0;
            put_all_kinds(part, prefixes[i]);
            if (forms[o % 3])
                forms[o % 3](image, part);
            else
                put(image, part->bytes, part->size);
            image->size += i * 3;
            put_padding(image);
        }
        CHECK_EQ(unpack(image->bytes, image->size), 0);
        CHECK(has_all_kinds());
        CHECK_EQ(nr_names, 21);
        tap_free(part);
        tap_free(image);
    }
}

// A cut is noticed wherever it is, but for between two entries: an archive need not have its trailer.
TEST(every_cut_is_noticed)
{
    struct image *plain = new_image(), *packed = tap_alloc(sizeof *packed);
    put_all_kinds(plain, "");
    unsigned whole = 0;
    for (size_t size = 1; size < plain->size; size++) {
        forget_all();
        int err = unpack(plain->bytes, size);
        CHECK(err == 0 || err == -EINVAL);
        whole += !err;
    }
    CHECK_EQ(whole, 7);
    for (int form = 0; form < 2; form++) {
        packed->size = 0;
        (form ? put_zstd : put_gzip)(packed, plain);
        for (size_t size = 1; size < packed->size; size += 1 + size / 64) {
            forget_all();
            CHECK_EQ(unpack(packed->bytes, size), -EINVAL);
        }
    }
    tap_free(packed);
    tap_free(plain);
}

TEST(every_flipped_bit_is_borne)
{
    struct image *plain = new_image(), *packed = tap_alloc(sizeof *packed);
    put_all_kinds(plain, "");
    for (int form = 0; form < 3; form++) {
        packed->size = 0;
        if (form)
            (form == 1 ? put_gzip : put_zstd)(packed, plain);
        else
            put(packed, plain->bytes, plain->size);
        for (size_t bit = 0; bit < packed->size * 8; bit += form ? 11 : 1) {
            forget_all();
            packed->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            int err = unpack(packed->bytes, packed->size);
            CHECK(err == 0 || err == -EINVAL);
            packed->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    tap_free(packed);
    tap_free(plain);
}

TEST(every_field_of_a_header_may_be_nonsense)
{
    static const char *const values[] = {"FFFFFFFF", "80000000", "7FFFFFFF", "00001000", "00001001", "00000000", "        ", "-0000001", "0x000001"};
    struct image *good = new_image(), *bad = tap_alloc(sizeof *bad);
    put_all_kinds(good, "");
    for (size_t field = 0; field < 13; field++)
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            forget_all();
            *bad = *good;
            memcpy(bad->bytes + 6 + 8 * field, values[v], 8);
            int err = unpack(bad->bytes, bad->size);
            CHECK(err == 0 || err == -EINVAL);
            CHECK(v < 6 || err == -EINVAL);
        }
    tap_free(bad);
    tap_free(good);
}

TEST(sizes_of_names_and_links_have_limits)
{
    static const struct {
        struct header h;
        int err;
        const char *why;
    } cases[] = {
        {{1, S_IFREG | 0644, 1, 0, 0}, -EINVAL, "bad name length"},
        {{1, S_IFREG | 0644, 1, 0, PATH_MAX}, 0, nullptr},
        {{1, S_IFREG | 0644, 1, 0, PATH_MAX + 1}, -EINVAL, "bad name length"},
        {{1, S_IFREG | 0644, 1, 0, UINT32_MAX}, -EINVAL, "bad name length"},
        {{1, S_IFLNK | 0777, 1, PATH_MAX, 2}, 0, nullptr},
        {{1, S_IFLNK | 0777, 1, PATH_MAX + 1, 2}, -EINVAL, "symbolic link too long"},
        {{1, S_IFLNK | 0777, 1, UINT32_MAX, 2}, -EINVAL, "symbolic link too long"},
        {{1, 0150644, 1, 0, 2}, -EINVAL, "unknown file type"},
        {{1, 0, 1, 0, 2}, -EINVAL, "unknown file type"},
        {{1, UINT32_MAX, 1, 0, 2}, -EINVAL, "unknown file type"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct image *image = new_image();
        const struct header *h = &cases[i].h;
        put_header(image, h);
        uint32_t name_size = min(h->name_size, (uint32_t)PATH_MAX + 1);
        memset(image->bytes + image->size, 'n', name_size);
        if (name_size) {
            image->size += name_size;
            image->bytes[image->size - 1] = 0;
        }
        put_padding(image);
        uint32_t size = min(h->size, (uint32_t)PATH_MAX + 1);
        memset(image->bytes + image->size, 't', size);
        image->size += size;
        put_padding(image);
        put_trailer(image);
        CHECK_EQ(unpack(image->bytes, image->size), cases[i].err);
        if (cases[i].why)
            CHECK_TEXT(double_error_text, cases[i].why);
        CHECK_EQ(nr_names, cases[i].err == 0);
        tap_free(image);
    }
}

// A name is looked up like any other, from the root: what it may be is the VFS's matter. These must only not confuse the reader.
TEST(names_of_every_shape_are_borne)
{
    static const char *const shapes[] = {"", "/", ".", "..", "../../up", "/abs", "//", "a//b", "TRAILER!!", "TRAILER!!!!", "dir/", "\xff\xfe", "\n"};
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        for (int kind = 0; kind < 3; kind++) {
            static const umode_t modes[] = {S_IFREG | 0644, S_IFDIR | 0755, S_IFLNK | 0777};
            struct image *image = new_image();
            put_entry(image, shapes[i], modes[kind], 1, 1, kind == 1 ? "" : "x");
            put_entry(image, "after", S_IFREG | 0644, 2, 1, "still here");
            put_trailer(image);
            CHECK_EQ(unpack(image->bytes, image->size), 0);
            CHECK(has("after", S_IFREG | 0644, "still here"));
            tap_free(image);
        }
}

TEST(links_of_every_shape_are_borne)
{
    struct image *image = new_image();
    put_entry(image, "self", S_IFREG | 0644, 1, 2, "kept");
    put_entry(image, "self", S_IFREG | 0644, 1, 2, ""); // a second link by the same name
    put_entry(image, "./self", S_IFREG | 0644, 1, 2, "");
    put_entry(image, "other", S_IFREG | 0644, 1, UINT32_MAX, "");
    put_entry(image, "gone", S_IFREG | 0644, 2, 2, "g");
    put_entry(image, "gone", S_IFLNK | 0777, 3, 1, "gone"); // in the place of the first link: a loop
    put_entry(image, "late", S_IFREG | 0644, 2, 2, "");
    put_entry(image, "kind", S_IFIFO | 0644, 1, 2, ""); // the same number, but no link
    put_trailer(image);
    put_entry(image, "next", S_IFREG | 0644, 1, 2, "numbers begin anew in the next archive");
    put_trailer(image);
    CHECK_EQ(unpack(image->bytes, image->size), 0);
    CHECK(has("self", S_IFREG | 0644, "kept"));
    CHECK(has("other", S_IFREG | 0644, "kept"));
    CHECK(find("self")->node == find("other")->node);
    CHECK(has("gone", S_IFLNK | 0777, "gone"));
    CHECK(has("kind", S_IFIFO | 0644, ""));
    CHECK(has("next", S_IFREG | 0644, "numbers begin anew in the next archive"));
    tap_free(image);
}

TEST(a_later_archive_replaces_what_an_earlier_one_brought)
{
    struct image *image = new_image();
    put_all_kinds(image, "");
    put_entry(image, "dir/file", S_IFREG | 0600, 2, 1, "new");
    put_entry(image, "link", S_IFDIR | 0700, 3, 1, "");
    put_entry(image, "null", S_IFLNK | 0777, 4, 1, "zero");
    put_trailer(image);
    CHECK_EQ(unpack(image->bytes, image->size), 0);
    CHECK_EQ(find("dir/file")->node->size, 3);
    CHECK(has("link", S_IFDIR | 0700, "") && has("null", S_IFLNK | 0777, "zero"));
    tap_free(image);
}

TEST(a_full_file_system_and_failing_allocations_are_borne)
{
    struct image *image = new_image();
    put_all_kinds(image, "");
    for (uint64_t bytes = 0; bytes < 16; bytes++) {
        forget_all();
        room = bytes;
        CHECK_EQ(unpack(image->bytes, image->size), bytes < 14 ? -EINVAL : 0);
    }
    struct image *packed = tap_alloc(sizeof *packed);
    put_gzip(packed, image);
    for (int left = 0; left < 8; left++) {
        forget_all();
        double_allocations_left = left;
        int err = unpack(packed->bytes, packed->size);
        CHECK(left ? err == 0 || err == -EINVAL : err == -ENOMEM);
    }
    forget_all();
    tap_free(packed);
    tap_free(image);
}

TEST(noise_is_borne)
{
    enum { ROUNDS = 1500 };
    struct image *good = new_image(), *bad = tap_alloc(sizeof *bad), *part = tap_alloc(sizeof *part);
    put_all_kinds(part, "");
    put_gzip(good, part);
    put(good, part->bytes, part->size);
    put_zstd(good, part);
    for (int round = 0; round < ROUNDS; round++) {
        forget_all();
        memcpy(bad->bytes, good->bytes, good->size);
        for (unsigned n = 1 + tap_random() % 8; n; n--) {
            size_t at = tap_random() % good->size, length = 1 + tap_random() % 12, from = tap_random() % good->size;
            for (size_t i = 0; i < length && at + i < good->size; i++)
                bad->bytes[at + i] = n & 1 ? good->bytes[(from + i) % good->size] : (uint8_t)tap_random();
        }
        int err = unpack(bad->bytes, 1 + tap_random() % good->size);
        CHECK(err == 0 || err == -EINVAL);
    }
    forget_all();
    tap_free(part);
    tap_free(bad);
    tap_free(good);
}
