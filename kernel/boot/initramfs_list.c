// kernel/boot/initramfs_list.c — walks a cpio archive in the "new ASCII" format (magic 070701): cpio(5).
//
// The archive may be followed by zeros and by further archives. Sizes are checked against the image before anything is read.
#include "kernel/boot/initramfs_list.h"

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"
#include "kernel/mm/page.h"

enum {
    HEADER_SIZE = 110,
    FIELD_MODE = 1,
    FIELD_SIZE = 6,
    FIELD_NAME_SIZE = 11,
    MAGIC_SIZE = 6,
};

static bool wanted;

static int parse_list([[maybe_unused]] const char *value)
{
    wanted = true;
    return 0;
}
CMDLINE_PARAM("kevlar.list_initramfs", parse_list);

// The n-th of the eight-digit hexadecimal fields behind the magic.
static bool read_field(const char *header, unsigned n, uint32_t *out)
{
    char digits[9];
    memcpy(digits, header + MAGIC_SIZE + 8 * n, 8);
    digits[8] = 0;
    return parse_u32(digits, 16, out) == 0;
}

// Prints the entry at `at` and returns the offset behind it; 0 if it is damaged.
static size_t list_entry(const char *image, size_t size, size_t at, bool *trailer)
{
    uint32_t mode, file_size, name_size;
    if (size - at < HEADER_SIZE || !read_field(image + at, FIELD_MODE, &mode) ||
        !read_field(image + at, FIELD_SIZE, &file_size) || !read_field(image + at, FIELD_NAME_SIZE, &name_size))
        return 0;
    const char *name = image + at + HEADER_SIZE;
    size_t data = ALIGN_UP(at + HEADER_SIZE + name_size, 4);
    if (name_size == 0 || data > size || file_size > size - data || name[name_size - 1] != 0)
        return 0;
    *trailer = strcmp(name, "TRAILER!!!") == 0;
    if (!*trailer)
        pr_info("initramfs: %06o %8u %s\n", mode, file_size, name);
    return min(ALIGN_UP(data + file_size, 4), size);
}

void initramfs_list(void)
{
    if (!wanted || !boot_info.initrd_size)
        return;
    const char *image = phys_to_virt(boot_info.initrd_phys);
    size_t size = boot_info.initrd_size, at = 0;
    unsigned entries = 0;
    while (at < size) {
        if (image[at] == 0) {
            at++;
            continue;
        }
        bool trailer = false;
        size_t next = memcmp(image + at, "070701", min((size_t)MAGIC_SIZE, size - at)) == 0 ? list_entry(image, size, at, &trailer) : 0;
        if (!next) {
            pr_warn("initramfs: no cpio entry at offset %zu\n", at);
            break;
        }
        entries += !trailer;
        at = next;
    }
    pr_info("initramfs: %u entries\n", entries);
}
