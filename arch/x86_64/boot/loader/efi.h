// arch/x86_64/boot/loader/efi.h — the part of the UEFI interface the loader uses: UEFI specification 2.10.
//
// Tables are declared up to the last member in use; members not used are spelt as void pointers to keep the offsets.
#pragma once
#include <stdint.h>

#define EFIAPI __attribute__((ms_abi))
#define EFI_ERROR_BIT (1ull << 63)
#define EFI_SUCCESS 0ull
#define EFI_LOAD_ERROR (EFI_ERROR_BIT | 1)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)
#define EFI_NOT_FOUND (EFI_ERROR_BIT | 14)

typedef uint64_t efi_status;
typedef void *efi_handle;
typedef uint16_t efi_char;

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_table_header {
    uint64_t signature;
    uint32_t revision, size, crc, reserved;
};

enum efi_memory_type {
    EFI_RESERVED,
    EFI_LOADER_CODE,
    EFI_LOADER_DATA,
    EFI_BOOT_CODE,
    EFI_BOOT_DATA,
    EFI_RUNTIME_CODE,
    EFI_RUNTIME_DATA,
    EFI_CONVENTIONAL,
    EFI_UNUSABLE,
    EFI_ACPI_RECLAIM,
    EFI_ACPI_NVS,
    EFI_MMIO,
    EFI_MMIO_PORTS,
    EFI_PAL_CODE,
    EFI_PERSISTENT,
};

enum efi_allocate_type { EFI_ALLOCATE_ANY_PAGES, EFI_ALLOCATE_MAX_ADDRESS, EFI_ALLOCATE_ADDRESS };

#define EFI_MEMORY_WB 0x8ull
#define EFI_PAGE 4096ull

struct efi_memory_descriptor {
    uint32_t type, pad;
    uint64_t start, virt, pages, attributes;
};

struct efi_device_path {
    uint8_t type, subtype;
    uint16_t length;
};

struct efi_text_output {
    void *reset;
    efi_status(EFIAPI *output)(struct efi_text_output *self, const efi_char *text);
};

struct efi_load_file {
    efi_status(EFIAPI *load)(struct efi_load_file *self, const struct efi_device_path *path, uint8_t boot_policy,
                             uint64_t *size, void *buffer);
};

struct efi_rng {
    void *get_info;
    efi_status(EFIAPI *get)(struct efi_rng *self, const struct efi_guid *algorithm, uint64_t size, uint8_t *out);
};

struct efi_loaded_image {
    uint32_t revision;
    efi_handle parent;
    struct efi_system_table *system;
    efi_handle device;
    void *file_path, *reserved;
    uint32_t load_options_size;
    void *load_options;
    void *image_base;
    uint64_t image_size;
};

struct efi_boot_services {
    struct efi_table_header header;
    void *raise_tpl, *restore_tpl;
    efi_status(EFIAPI *allocate_pages)(enum efi_allocate_type how, enum efi_memory_type type, uint64_t pages,
                                       uint64_t *address);
    void *free_pages;
    efi_status(EFIAPI *get_memory_map)(uint64_t *size, void *map, uint64_t *key, uint64_t *entry_size,
                                       uint32_t *version);
    void *allocate_pool, *free_pool;
    void *create_event, *set_timer, *wait_for_event, *signal_event, *close_event, *check_event;
    void *install_protocol, *reinstall_protocol, *uninstall_protocol;
    efi_status(EFIAPI *handle_protocol)(efi_handle handle, const struct efi_guid *protocol, void **interface);
    void *reserved, *register_protocol_notify, *locate_handle;
    efi_status(EFIAPI *locate_device_path)(const struct efi_guid *protocol, struct efi_device_path **path,
                                           efi_handle *device);
    void *install_configuration_table, *load_image, *start_image, *exit, *unload_image;
    efi_status(EFIAPI *exit_boot_services)(efi_handle image, uint64_t key);
    void *get_next_monotonic_count, *stall, *set_watchdog_timer;
    void *connect_controller, *disconnect_controller;
    void *open_protocol, *close_protocol, *open_protocol_information, *protocols_per_handle, *locate_handle_buffer;
    efi_status(EFIAPI *locate_protocol)(const struct efi_guid *protocol, void *registration, void **interface);
};

struct efi_configuration_table {
    struct efi_guid guid;
    void *table;
};

struct efi_system_table {
    struct efi_table_header header;
    efi_char *vendor;
    uint32_t firmware_revision;
    efi_handle console_in_handle;
    void *console_in;
    efi_handle console_out_handle;
    struct efi_text_output *console_out;
    efi_handle standard_error_handle;
    void *standard_error;
    void *runtime;
    struct efi_boot_services *boot;
    uint64_t nr_tables;
    struct efi_configuration_table *tables;
};

static_assert(offsetof(struct efi_loaded_image, load_options) == 56);
static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232);
static_assert(offsetof(struct efi_boot_services, locate_protocol) == 320);
static_assert(offsetof(struct efi_system_table, tables) == 112);
