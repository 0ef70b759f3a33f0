// arch/x86_64/boot/loader/load.c — moves the kernel to its place, applies its relocations, maps it and enters it.
//
// The kernel is linked at KERNEL_LINK_BASE as a position-independent image. It runs at that address plus a random
// slide, a multiple of 2 MiB, so the only relocations are "add the slide": packed as RELR (System V ABI, generic part),
// and as RELA where a packed structure has a pointer at an odd address. Behind the image come, each page aligned:
// symbol table, handoff, page tables. The kernel sees the whole region mapped at its virtual place, every segment with
// the rights it asks for and no more, and the one page of enter_kernel() at its physical address.
#include "arch/x86_64/boot/loader/loader.h"

// In its own section kimage finds it by symbol; volatile because the compiler must not believe the zeros.
const volatile struct payload payload __attribute__((section(".data.payload"))) = {.tag = "payload"};

enum {
    PTE_PRESENT = 1 << 0,
    PTE_WRITE = 1 << 1,
    PTE_LARGE = 1 << 7,
};
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

struct tables {
    uint64_t next, end; // physical addresses: pages still free for tables
    uint64_t *pml4;
    uint64_t nx;
};

struct layout kernel_layout(void)
{
    struct layout l;
    l.symbols = ROUND_UP(payload.mem_size, PAGE);
    l.handoff = l.symbols + ROUND_UP(payload.symbols_size, PAGE);
    l.tables = l.handoff + ROUND_UP(sizeof(struct boot_handoff), PAGE);
    // For the region: one table per 2 MiB and three levels above; the same three and one table for enter_kernel()'s page.
    uint64_t nr_tables = l.tables / KERNEL_ALIGN + 3 + 8;
    l.total = ROUND_UP(l.tables + nr_tables * PAGE, PAGE);
    return l;
}

static uint64_t *table_page(struct tables *t)
{
    if (t->next >= t->end)
        die("no room for the first page tables");
    uint64_t *page = (uint64_t *)t->next;
    t->next += PAGE;
    memset(page, 0, PAGE);
    return page;
}

static uint64_t *next_level(struct tables *t, uint64_t *table, unsigned index)
{
    if (!table[index])
        table[index] = (uint64_t)table_page(t) | PTE_PRESENT | PTE_WRITE;
    return (uint64_t *)(table[index] & PTE_ADDRESS);
}

static void map_page(struct tables *t, uint64_t virt, uint64_t phys, uint64_t flags)
{
    uint64_t *table = t->pml4;
    for (int shift = 39; shift > 12; shift -= 9)
        table = next_level(t, table, virt >> shift & 511);
    table[virt >> 12 & 511] = phys | flags | PTE_PRESENT;
}

static void map_range(struct tables *t, uint64_t virt, uint64_t phys, uint64_t size, uint64_t flags)
{
    for (uint64_t at = 0; at < size; at += PAGE)
        map_page(t, virt + at, phys + at, flags);
}

// A RELR list is words: an even one is the offset of the next place to adjust, an odd one a bitmap of the 63 words
// after it.
static void relocate(uint64_t phys, uint64_t slide)
{
    const uint64_t *entry = (const uint64_t *)(phys + payload.relr);
    const uint64_t *end = entry + payload.relr_size / sizeof *entry;
    uint64_t *place = nullptr;
    for (; entry < end; entry++) {
        if (!(*entry & 1)) {
            place = (uint64_t *)(phys + (*entry - KERNEL_LINK_BASE));
            *place++ += slide;
            continue;
        }
        for (unsigned i = 0; i < 63; i++)
            if (*entry >> (i + 1) & 1)
                place[i] += slide;
        place += 63;
    }
    struct {
        uint64_t offset, info, addend;
    } const *rela = (const void *)(phys + payload.rela);
    for (uint32_t i = 0; i < payload.rela_size / sizeof *rela; i++) {
        uint64_t value = rela[i].addend + slide;
        memcpy((void *)(phys + (rela[i].offset - KERNEL_LINK_BASE)), &value, sizeof value);
    }
}

// Allows no-execute entries if the CPU has them; returns the bit to use.
static uint64_t enable_nx(void)
{
    uint32_t a = 0x80000001, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(d & 1u << 20))
        return 0;
    const uint32_t efer = 0xc0000080, nxe = 1u << 11;
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(efer));
    __asm__ volatile("wrmsr" : : "a"(low | nxe), "d"(high), "c"(efer));
    return PTE_NX;
}

static uint64_t choose_slide(uint64_t size)
{
    if (cmdline_has(handoff.cmdline, "nokaslr"))
        return 0;
    uint64_t slots = (KERNEL_VIRT_SPAN - ROUND_UP(size, KERNEL_ALIGN)) / KERNEL_ALIGN;
    return seed_draw(1) % slots * KERNEL_ALIGN;
}

static uint64_t build_tables(const struct layout *l, uint64_t phys, uint64_t virt)
{
    struct tables t = {.next = phys + l->tables, .end = phys + l->total, .nx = enable_nx()};
    t.pml4 = table_page(&t);
    uint64_t mapped = 0;
    for (unsigned i = 0; i < payload.nr_segments; i++) {
        uint64_t start = payload.segments[i].start & ~(PAGE - 1);
        uint64_t end = ROUND_UP(payload.segments[i].end, PAGE);
        uint32_t flags = payload.segments[i].flags;
        map_range(&t, virt + start, phys + start, end - start, (flags & 2 ? PTE_WRITE : 0) | (flags & 1 ? 0 : t.nx));
        mapped = end;
    }
    map_range(&t, virt + mapped, phys + mapped, l->total - mapped, PTE_WRITE | t.nx);
    uint64_t bridge = (uint64_t)enter_kernel & ~(PAGE - 1);
    map_page(&t, bridge, bridge, 0);
    return (uint64_t)t.pml4;
}

void start_kernel(uint64_t phys)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (cr4 & 1u << 12)
        die("started with five-level paging; boot with four levels");

    struct layout l = kernel_layout();
    seed_from_cpu();
    uint64_t virt = KERNEL_LINK_BASE + choose_slide(l.total);

    // Image and symbols are one piece in the file. Source and destination may overlap: a boot loader may have put us
    // right below the place. Only then may the zeros and the tables be written over where the file was.
    uint64_t symbols_size = payload.symbols_size;
    memmove((void *)phys, image_base + payload.file_offset, payload.file_size + symbols_size);
    if (symbols_size)
        memmove((void *)(phys + l.symbols), (void *)(phys + payload.file_size), symbols_size);
    memset((void *)(phys + payload.file_size), 0, l.symbols - payload.file_size);
    relocate(phys, virt - KERNEL_LINK_BASE);

    handoff.magic = HANDOFF_MAGIC;
    handoff.kernel_phys = phys;
    handoff.kernel_virt = virt;
    handoff.region_size = l.total;
    handoff.symbols_offset = l.symbols;
    handoff.symbols_size = symbols_size;
    handoff.pml4_phys = build_tables(&l, phys, virt);
    memcpy((void *)(phys + l.handoff), &handoff, sizeof handoff);
    enter_kernel(handoff.pml4_phys, virt + payload.entry, virt + l.handoff);
}
