// arch/x86_64/boot/loader/linux.c — started by a Linux boot loader: the zero page becomes a handoff.
//
// Offsets are those of the Linux/x86 boot protocol, version 2.15, and its "zero page" table. Everything is read before
// the kernel is moved, because a boot loader may have put its setup_data right behind our file.
#include "arch/x86_64/boot/loader/loader.h"

enum zero_page {
    ZP_ACPI_RSDP = 0x070,         // u64
    ZP_EXT_RAMDISK_IMAGE = 0x0c0, // u32: upper halves
    ZP_EXT_RAMDISK_SIZE = 0x0c4,
    ZP_EXT_CMDLINE = 0x0c8,
    ZP_EFI_SIGNATURE = 0x1c0, // "EL64" or "EL32"
    ZP_EFI_SYSTAB = 0x1c4,
    ZP_EFI_MEMMAP = 0x1d0,
    ZP_EFI_SYSTAB_HIGH = 0x1d8,
    ZP_ALT_MEM_K = 0x1e0, // memory above 1 MiB in KiB, when there is no map
    ZP_E820_COUNT = 0x1e8,
    ZP_TYPE_OF_LOADER = 0x210,
    ZP_RAMDISK_IMAGE = 0x218,
    ZP_RAMDISK_SIZE = 0x21c,
    ZP_CMDLINE = 0x228,
    ZP_SETUP_DATA = 0x250,
    ZP_E820_TABLE = 0x2d0,
};

enum setup_data_type { SETUP_E820_EXT = 1, SETUP_RNG_SEED = 9 };

struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

struct setup_data {
    uint64_t next;
    uint32_t type, length;
    uint8_t data[];
};

#define GIB (1ull << 30)
#define EL64 0x34364c45u

extern uint64_t entry_tables[]; // entry.S: PML4, PDPT, four page directories

static uint32_t field32(const char *zero_page, enum zero_page at)
{
    uint32_t value;
    memcpy(&value, zero_page + at, sizeof value);
    return value;
}

static uint64_t field_split(const char *zero_page, enum zero_page low, enum zero_page high)
{
    return field32(zero_page, low) | (uint64_t)field32(zero_page, high) << 32;
}

static bool has_1gib_pages(void)
{
    uint32_t a = 0x80000001, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d & 1u << 26;
}

void map_everything(void)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80 };
    uint64_t *pml4 = entry_tables, *pdpt = pml4 + 512, *directories = pdpt + 512;
    bool huge = has_1gib_pages();
    if (!huge && (uint64_t)loader_end >= 4 * GIB)
        die("loaded above 4 GiB on a CPU without 1 GiB pages");
    pml4[0] = (uint64_t)pdpt | PRESENT_WRITABLE;
    for (uint64_t i = 0; i < 512; i++)
        pdpt[i] = huge    ? i * GIB | LARGE | PRESENT_WRITABLE
                  : i < 4 ? (uint64_t)(directories + i * 512) | PRESENT_WRITABLE
                          : 0;
    for (uint64_t i = 0; i < 4ull * 512; i++)
        directories[i] = i << 21 | LARGE | PRESENT_WRITABLE;
    __asm__ volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
}

static void add_e820(const struct e820_entry *table, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct e820_entry e;
        memcpy(&e, &table[i], sizeof e);
        handoff_add_range(e.start, e.size, e.type);
    }
}

static void read_setup_data(uint64_t at)
{
    for (int limit = 64; at && limit; limit--) {
        struct setup_data *item = (struct setup_data *)at;
        if (item->type == SETUP_E820_EXT)
            add_e820((const struct e820_entry *)item->data, item->length / sizeof(struct e820_entry));
        if (item->type == SETUP_RNG_SEED && item->length) {
            seed_mix(item->data, item->length, item->length * 8);
            memset(item->data, 0, item->length);
        }
        at = item->next;
    }
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

// Whether [at, at + size) is memory, and nothing of ours or of the boot loader's lies in it.
static bool place_is_free(uint64_t at, uint64_t size)
{
    if (overlaps(at, size, (uint64_t)image_base, (uint64_t)(loader_end - image_base)) ||
        overlaps(at, size, handoff.initrd_phys, handoff.initrd_size))
        return false;
    for (uint32_t i = 0; i < handoff.nr_ranges; i++) {
        const struct handoff_range *r = &handoff.ranges[i];
        if (r->type == E820_RAM && at >= r->start && at + size <= r->start + r->size)
            return true;
    }
    return false;
}

// The first aligned place behind the loader: within init_size of where we were put, so free by the protocol's promise.
// A boot loader that knows nothing of init_size may have put something there, so look further up if it is not.
static uint64_t choose_place(uint64_t size)
{
    uint64_t first = ROUND_UP((uint64_t)loader_end, KERNEL_ALIGN);
    for (uint64_t at = first; at < first + 2 * GIB; at += KERNEL_ALIGN)
        if (place_is_free(at, size))
            return at;
    die("not enough memory for the kernel");
}

[[noreturn]] void linux_entry(const char *zero_page)
{
    map_everything();
    handoff.entry_tsc = read_tsc();
    handoff.path = HANDOFF_LINUX_BOOT_PROTOCOL;
    handoff.loader_id = (uint8_t)zero_page[ZP_TYPE_OF_LOADER];
    memcpy(&handoff.rsdp_phys, zero_page + ZP_ACPI_RSDP, sizeof handoff.rsdp_phys);
    handoff.initrd_phys = field_split(zero_page, ZP_RAMDISK_IMAGE, ZP_EXT_RAMDISK_IMAGE);
    handoff.initrd_size = field_split(zero_page, ZP_RAMDISK_SIZE, ZP_EXT_RAMDISK_SIZE);
    if (!handoff.initrd_size)
        handoff.initrd_phys = 0;
    if (field32(zero_page, ZP_EFI_SIGNATURE) == EL64)
        handoff.efi_system_table = field_split(zero_page, ZP_EFI_SYSTAB, ZP_EFI_SYSTAB_HIGH);
    if (!handoff.rsdp_phys && handoff.efi_system_table)
        handoff.rsdp_phys = efi_find_rsdp((const struct efi_system_table *)handoff.efi_system_table);

    uint64_t cmdline = field_split(zero_page, ZP_CMDLINE, ZP_EXT_CMDLINE);
    if (cmdline)
        handoff_set_cmdline((const char *)cmdline);
    add_e820((const struct e820_entry *)(zero_page + ZP_E820_TABLE), (uint8_t)zero_page[ZP_E820_COUNT]);
    uint64_t setup_data;
    memcpy(&setup_data, zero_page + ZP_SETUP_DATA, sizeof setup_data);
    read_setup_data(setup_data);
    if (!handoff.nr_ranges && field32(zero_page, ZP_ALT_MEM_K)) {
        handoff_add_range(0, 0x9f000, E820_RAM);
        handoff_add_range(0x100000, field32(zero_page, ZP_ALT_MEM_K) * 1024ull, E820_RAM);
    }
    if (!handoff.nr_ranges)
        die("the boot loader gave no memory map");
    start_kernel(choose_place(kernel_layout().total));
}
