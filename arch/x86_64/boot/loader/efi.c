// arch/x86_64/boot/loader/efi.c — started by UEFI firmware, directly or through a boot manager's LoadImage.
//
// The command line is our load options (UTF-16), the initrd comes from the LoadFile2 protocol on the vendor device path
// that Linux defined for it, memory map and ACPI tables from the firmware. The kernel's memory is allocated before boot
// services end, so that nothing can be in its way; then we leave the firmware for good. Until ExitBootServices every
// failure returns to the caller, which can try something else.
#include "arch/x86_64/boot/loader/loader.h"

#include "arch/x86_64/boot/loader/efi.h"

#define MEMORY_MAP_SLACK 16u // descriptors that may appear between asking for the size and for the map

static const struct efi_guid guid_loaded_image = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid guid_load_file2 = {
    0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
static const struct efi_guid guid_rng = {0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};
static const struct efi_guid guid_acpi20 = {
    0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
static const struct efi_guid guid_acpi10 = {
    0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

// The vendor media device path LINUX_EFI_INITRD_MEDIA_GUID, then the end node.
static const struct {
    struct efi_device_path vendor;
    struct efi_guid guid;
    struct efi_device_path end;
} __attribute__((packed)) initrd_path = {
    .vendor = {.type = 4, .subtype = 3, .length = sizeof(struct efi_device_path) + sizeof(struct efi_guid)},
    .guid = {0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}},
    .end = {.type = 0x7f, .subtype = 0xff, .length = sizeof(struct efi_device_path)},
};

static efi_status fail(struct efi_system_table *system, const char *why, efi_status status)
{
    efi_char wide[100];
    size_t n = 0;
    const char *parts[] = {"kevlar: ", why, "\r\n"};
    for (size_t i = 0; i < 3; i++)
        for (const char *p = parts[i]; *p && n < 99; p++)
            wide[n++] = (uint8_t)*p;
    wide[n] = 0;
    if (system->console_out)
        system->console_out->output(system->console_out, wide);
    return status;
}

static bool same_guid(const struct efi_guid *a, const struct efi_guid *b)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    for (size_t i = 0; i < sizeof *a; i++)
        if (x[i] != y[i])
            return false;
    return true;
}

static void *find_table(const struct efi_system_table *system, const struct efi_guid *guid)
{
    for (uint64_t i = 0; i < system->nr_tables; i++)
        if (same_guid(&system->tables[i].guid, guid))
            return system->tables[i].table;
    return nullptr;
}

uint64_t efi_find_rsdp(const struct efi_system_table *system)
{
    void *root = find_table(system, &guid_acpi20);
    return (uint64_t)(root ? root : find_table(system, &guid_acpi10));
}

// One code point from UTF-16; a lone surrogate becomes U+FFFD.
static uint32_t next_code_point(const efi_char *text, size_t count, size_t *at)
{
    uint32_t unit = text[(*at)++];
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit <= 0xdbff && *at < count && text[*at] >= 0xdc00 && text[*at] <= 0xdfff)
        return 0x10000 + ((unit - 0xd800) << 10) + (text[(*at)++] - 0xdc00u);
    return 0xfffd;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0) | c);
    return n;
}

static void read_load_options(const struct efi_loaded_image *image)
{
    const efi_char *text = image->load_options;
    size_t count = text ? image->load_options_size / sizeof *text : 0, used = 0;
    for (size_t i = 0; i < count && text[i];) {
        char bytes[4];
        size_t n = put_utf8(bytes, next_code_point(text, count, &i));
        if (used + n > HANDOFF_CMDLINE_SIZE - 1)
            break;
        memcpy(handoff.cmdline + used, bytes, n);
        used += n;
    }
    handoff.cmdline[used] = 0;
}

static efi_status read_initrd(struct efi_boot_services *boot)
{
    struct efi_device_path *path = (struct efi_device_path *)(uintptr_t)&initrd_path;
    efi_handle device;
    struct efi_load_file *loader;
    if (boot->locate_device_path(&guid_load_file2, &path, &device) != EFI_SUCCESS)
        return EFI_SUCCESS; // nobody offers one
    efi_status status = boot->handle_protocol(device, &guid_load_file2, (void **)&loader);
    if (status != EFI_SUCCESS)
        return status;
    uint64_t size = 0;
    status = loader->load(loader, path, 0, &size, nullptr);
    if (status != EFI_BUFFER_TOO_SMALL)
        return status == EFI_NOT_FOUND ? EFI_SUCCESS : status;
    uint64_t address = 0;
    status =
        boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES, EFI_LOADER_DATA, ROUND_UP(size, EFI_PAGE) / EFI_PAGE, &address);
    if (status != EFI_SUCCESS)
        return status;
    status = loader->load(loader, path, 0, &size, (void *)address);
    handoff.initrd_phys = address;
    handoff.initrd_size = size;
    return status;
}

static void read_rng(struct efi_boot_services *boot)
{
    struct efi_rng *rng;
    uint8_t bytes[32];
    if (boot->locate_protocol(&guid_rng, nullptr, (void **)&rng) != EFI_SUCCESS ||
        rng->get(rng, nullptr, sizeof bytes, bytes) != EFI_SUCCESS)
        return;
    seed_mix(bytes, sizeof bytes, 8 * sizeof bytes);
    memset(bytes, 0, sizeof bytes);
}

static uint32_t e820_type_of(const struct efi_memory_descriptor *d)
{
    switch (d->type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_CODE:
    case EFI_BOOT_DATA:
    case EFI_CONVENTIONAL:
        return d->attributes & EFI_MEMORY_WB ? E820_RAM : E820_RESERVED;
    case EFI_ACPI_RECLAIM:
        return E820_ACPI;
    case EFI_ACPI_NVS:
        return E820_NVS;
    case EFI_UNUSABLE:
        return E820_UNUSABLE;
    case EFI_PERSISTENT:
        return E820_PMEM;
    default:
        return E820_RESERVED;
    }
}

// The map is only final when ExitBootServices accepts its key; each try starts the ranges afresh.
static efi_status leave_firmware(struct efi_boot_services *boot, efi_handle image)
{
    uint64_t size = 0, key, entry_size, capacity, buffer = 0;
    uint32_t version;
    efi_status status = boot->get_memory_map(&size, nullptr, &key, &entry_size, &version);
    if (status != EFI_BUFFER_TOO_SMALL)
        return status;
    capacity = size + MEMORY_MAP_SLACK * entry_size;
    status =
        boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES, EFI_LOADER_DATA, ROUND_UP(capacity, EFI_PAGE) / EFI_PAGE, &buffer);
    if (status != EFI_SUCCESS)
        return status;
    for (int tries = 0; tries < 4; tries++) {
        size = capacity;
        status = boot->get_memory_map(&size, (void *)buffer, &key, &entry_size, &version);
        if (status != EFI_SUCCESS)
            return status;
        status = boot->exit_boot_services(image, key);
        if (status == EFI_SUCCESS)
            break;
    }
    if (status != EFI_SUCCESS)
        return status;
    for (uint64_t at = 0; at < size; at += entry_size) {
        const struct efi_memory_descriptor *d = (const void *)(buffer + at);
        handoff_add_range(d->start, d->pages * EFI_PAGE, e820_type_of(d));
    }
    return EFI_SUCCESS;
}

EFIAPI efi_status efi_main(efi_handle image_handle, struct efi_system_table *system)
{
    struct efi_boot_services *boot = system->boot;
    handoff.entry_tsc = read_tsc();
    handoff.path = HANDOFF_EFI;
    handoff.efi_system_table = (uint64_t)system;

    struct efi_loaded_image *image;
    efi_status status = boot->handle_protocol(image_handle, &guid_loaded_image, (void **)&image);
    if (status != EFI_SUCCESS)
        return fail(system, "the firmware does not say how we were loaded", status);
    read_load_options(image);
    status = read_initrd(boot);
    if (status != EFI_SUCCESS)
        return fail(system, "the initrd cannot be read", status);
    read_rng(boot);
    handoff.rsdp_phys = efi_find_rsdp(system);

    uint64_t size = kernel_layout().total, place = 0;
    status = boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES, EFI_LOADER_DATA, (size + KERNEL_ALIGN) / EFI_PAGE, &place);
    if (status != EFI_SUCCESS)
        return fail(system, "not enough memory for the kernel", status);
    status = leave_firmware(boot, image_handle);
    if (status != EFI_SUCCESS)
        return fail(system, "the firmware does not let go", status);
    start_kernel(ROUND_UP(place, KERNEL_ALIGN));
}
