// arch/x86_64/boot/setup.c — from the loader's handoff to boot_info: the first C code of the kernel.
#include "arch/x86_64/boot/early_paging.h"
#include "arch/x86_64/boot/handoff.h"
#include "kernel/abi/errno.h"
#include "kernel/base/hash.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"
#include "kernel/boot/kernel_main.h"
#include "kernel/drivers/serial/early_serial.h"

#include "cpu/io.h"

[[noreturn]] void arch_boot(const struct boot_handoff *handoff);
static_assert(offsetof(struct boot_handoff, seed) == 112, "head.S reads the seed");

static enum memory_kind kind_of(uint32_t e820_type)
{
    switch (e820_type) {
    case E820_RAM:
        return MEM_USABLE;
    case E820_ACPI:
        return MEM_ACPI;
    case E820_NVS:
        return MEM_NVS;
    case E820_UNUSABLE:
        return MEM_BAD;
    case E820_PMEM:
        return MEM_PERSISTENT;
    default:
        return MEM_RESERVED;
    }
}

// What the kernel needs behind its own image to start at all, with the smallest of user lands.
#define LEAST_MEMORY ((uint64_t)16 << 20)

static int parse_memory_limit(const char *value, uint64_t *limit)
{
    const char *end;
    int err = parse_size(value, &end, limit);
    return err || *end || *limit < boot_info.kernel_phys + boot_info.kernel_region_size + LEAST_MEMORY ? -EINVAL : 0;
}

// mem=SIZE[KMG]: RAM from that address on is left alone.
static uint64_t memory_limit(void)
{
    char value[32];
    uint64_t limit;
    return cmdline_find("mem", value, sizeof value) && parse_memory_limit(value, &limit) == 0 ? limit : UINT64_MAX;
}

// mem= and nokaslr are read before the command line is gone through; there they are words of the kernel, not of init.
static int check_mem(const char *value)
{
    uint64_t limit;
    return parse_memory_limit(value, &limit);
}
CMDLINE_PARAM("mem", check_mem);

static int check_nokaslr(const char *value)
{
    return *value ? -EINVAL : 0;
}
CMDLINE_PARAM("nokaslr", check_nokaslr);

static void read_memory_map(const struct boot_handoff *handoff)
{
    uint64_t limit = memory_limit();
    for (uint32_t i = 0; i < handoff->nr_ranges; i++) {
        const struct handoff_range *r = &handoff->ranges[i];
        enum memory_kind kind = kind_of(r->type);
        uint64_t size = r->size;
        if (kind == MEM_USABLE && r->start >= limit)
            continue;
        if (kind == MEM_USABLE)
            size = min(size, limit - r->start);
        boot_memory_add(r->start, size, kind);
    }
    // Address 0 is no page of ours (0 means "none" all over), and firmware keeps its data area there.
    boot_memory_mark(0, PAGE_SIZE, MEM_RESERVED);
    boot_memory_mark(handoff->kernel_phys, handoff->region_size, MEM_KERNEL);
    uint64_t initrd_end = handoff->initrd_phys + ALIGN_UP(handoff->initrd_size, PAGE_SIZE);
    if (handoff->initrd_size && initrd_end > limit) {
        pr_warn("the initramfs ends at %#llx, beyond mem=: it is not used\n", (unsigned long long)initrd_end);
        boot_info.initrd_size = 0;
        return;
    }
    boot_memory_mark(handoff->initrd_phys, initrd_end - handoff->initrd_phys, MEM_INITRD);
}

// A key from the seed that gives nothing of the seed away.
static uint64_t derive(const struct boot_handoff *handoff, uint64_t purpose)
{
    struct hash_key key = {purpose, 0x6b65766c61720000ull};
    return siphash(handoff->seed, sizeof handoff->seed, &key);
}

void arch_boot(const struct boot_handoff *handoff)
{
    early_serial_init();
    boot_info.path = handoff->path == HANDOFF_EFI ? "EFI" : "Linux boot protocol";
    strlcpy(boot_info.cmdline, handoff->cmdline, sizeof boot_info.cmdline);
    boot_info.initrd_phys = handoff->initrd_phys;
    boot_info.initrd_size = handoff->initrd_size;
    boot_info.acpi_rsdp = handoff->rsdp_phys;
    boot_info.efi_system_table = handoff->efi_system_table;
    boot_info.kernel_phys = handoff->kernel_phys;
    boot_info.kernel_virt = handoff->kernel_virt;
    boot_info.kernel_region_size = handoff->region_size;
    boot_info.symbols = (const void *)(handoff->kernel_virt + handoff->symbols_offset);
    boot_info.symbols_size = handoff->symbols_size;
    boot_info.entry_cycles = handoff->entry_tsc;
    memcpy(boot_info.seed, handoff->seed, sizeof boot_info.seed);
    boot_info.seed_bits = handoff->seed_bits;
    format_pointer_key = derive(handoff, 1);
    hash_boot_key = (struct hash_key){derive(handoff, 2), derive(handoff, 3)};
    if (handoff->magic != HANDOFF_MAGIC)
        panic("the loader and the kernel do not belong together");

    read_memory_map(handoff);
    char value[4];
    bool fixed = cmdline_find("nokaslr", value, sizeof value);
    early_paging_init(handoff, fixed ? 0 : derive(handoff, 4));
    kernel_main();
}

// Only an emulator has the device; a hypervisor says that it is there in CPUID, and on a real machine the port is left alone.
void arch_debug_exit(uint32_t value)
{
    enum { DEBUG_EXIT_PORT = 0xf4 };
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (c & 1u << 31)
        outl(DEBUG_EXIT_PORT, value);
}
