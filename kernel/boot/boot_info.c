// kernel/boot/boot_info.c — the list of memory ranges during boot: sorted by address, not overlapping, neighbours of a kind merged.
#include "kernel/boot/boot_info.h"

#include "kernel/base/panic.h"
#include "kernel/base/string.h"

struct boot_info boot_info;

static void insert_at(unsigned index, struct memory_range range)
{
    if (boot_info.nr_ranges == BOOT_MAX_RANGES)
        panic("the memory map has more than %d ranges", BOOT_MAX_RANGES);
    memmove(&boot_info.ranges[index + 1], &boot_info.ranges[index],
            (boot_info.nr_ranges - index) * sizeof boot_info.ranges[0]);
    boot_info.ranges[index] = range;
    boot_info.nr_ranges++;
}

static void remove_at(unsigned index)
{
    boot_info.nr_ranges--;
    memmove(&boot_info.ranges[index], &boot_info.ranges[index + 1],
            (boot_info.nr_ranges - index) * sizeof boot_info.ranges[0]);
}

// Makes `at` a boundary between ranges if it lies inside one.
static void split(paddr_t at)
{
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        struct memory_range *r = &boot_info.ranges[i];
        if (at <= r->start || at >= r->start + r->size)
            continue;
        struct memory_range upper = {.start = at, .size = r->start + r->size - at, .kind = r->kind};
        r->size = at - r->start;
        insert_at(i + 1, upper);
        return;
    }
}

static void merge_neighbours(void)
{
    for (unsigned i = 0; i + 1 < boot_info.nr_ranges;) {
        struct memory_range *a = &boot_info.ranges[i], *b = a + 1;
        if (a->kind == b->kind && a->start + a->size == b->start) {
            a->size += b->size;
            remove_at(i + 1);
        } else {
            i++;
        }
    }
}

void boot_memory_add(paddr_t start, uint64_t size, enum memory_kind kind)
{
    // Whole pages only: RAM shrinks to them, everything else grows.
    paddr_t end;
    if (__builtin_add_overflow(start, size, &end))
        end = ALIGN_DOWN(UINT64_MAX, PAGE_SIZE);
    start = kind == MEM_USABLE ? ALIGN_UP(start, PAGE_SIZE) : ALIGN_DOWN(start, PAGE_SIZE);
    end = kind == MEM_USABLE ? ALIGN_DOWN(end, PAGE_SIZE) : ALIGN_UP(end, PAGE_SIZE);
    if (start >= end)
        return;
    split(start);
    split(end);
    // Fill the holes of [start, end), and raise the kind of what is there.
    for (unsigned i = 0; start < end;) {
        struct memory_range *r = i < boot_info.nr_ranges ? &boot_info.ranges[i] : nullptr;
        if (r && r->start + r->size <= start) {
            i++;
        } else if (!r || r->start > start) {
            paddr_t hole_end = r ? min(r->start, end) : end;
            insert_at(i, (struct memory_range){.start = start, .size = hole_end - start, .kind = kind});
            start = hole_end;
        } else {
            r->kind = max(r->kind, kind);
            start = r->start + r->size;
        }
    }
    merge_neighbours();
}

void boot_memory_mark(paddr_t start, uint64_t size, enum memory_kind kind)
{
    paddr_t end = ALIGN_UP(start + size, PAGE_SIZE);
    start = ALIGN_DOWN(start, PAGE_SIZE);
    if (size == 0)
        return;
    split(start);
    split(end);
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        struct memory_range *r = &boot_info.ranges[i];
        if (r->kind == MEM_USABLE && r->start >= start && r->start + r->size <= end)
            r->kind = kind;
    }
    merge_neighbours();
}

paddr_t boot_memory_take(uint64_t size, uint64_t align, paddr_t limit)
{
    for (unsigned i = boot_info.nr_ranges; i-- > 0;) {
        const struct memory_range *r = &boot_info.ranges[i];
        paddr_t end = min(r->start + r->size, limit);
        if (r->kind != MEM_USABLE || end < size)
            continue;
        paddr_t at = ALIGN_DOWN(end - size, align);
        if (at < r->start)
            continue;
        boot_memory_mark(at, size, MEM_BOOT_TABLES);
        return at;
    }
    return 0;
}

uint64_t boot_memory_total(void)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < boot_info.nr_ranges; i++)
        if (boot_info.ranges[i].kind <= MEM_ACPI)
            total += boot_info.ranges[i].size;
    return total;
}

// Firmware reports its own share of RAM as reserved. It lies inside or right behind RAM, so blocks of touching ranges
// that begin with RAM are counted whole, from and to multiples of a MiB (which closes the hole for adapters below 1 MiB).
uint64_t boot_memory_installed(void)
{
    const uint64_t mib = 1 << 20;
    uint64_t total = 0;
    paddr_t counted = 0; // up to here
    bool in_block = false;
    for (unsigned i = 0; i < boot_info.nr_ranges; i++) {
        const struct memory_range *r = &boot_info.ranges[i];
        in_block = r->kind == MEM_USABLE || (in_block && r->start <= counted) || r->start == 0;
        if (!in_block)
            continue;
        paddr_t start = max(ALIGN_DOWN(r->start, mib), counted), end = ALIGN_UP(r->start + r->size, mib);
        total += end > start ? end - start : 0;
        counted = max(counted, end);
    }
    return total;
}

const char *memory_kind_name(enum memory_kind kind)
{
    static const char *const names[NR_MEMORY_KINDS] = {
        [MEM_USABLE] = "usable",         [MEM_KERNEL] = "kernel",     [MEM_BOOT_TABLES] = "page tables",
        [MEM_INITRD] = "initrd",         [MEM_ACPI] = "ACPI tables",  [MEM_NVS] = "ACPI NVS",
        [MEM_PERSISTENT] = "persistent", [MEM_RESERVED] = "reserved", [MEM_BAD] = "bad",
    };
    return kind < NR_MEMORY_KINDS ? names[kind] : "?";
}
