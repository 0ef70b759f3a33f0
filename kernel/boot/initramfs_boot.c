// kernel/boot/initramfs_boot.c — unpacks what the boot loader brought, then gives its memory back.
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"
#include "kernel/fs/initramfs/initramfs.h"
#include "kernel/mm/init.h"
#include "kernel/mm/page.h"

static int initramfs_boot(void)
{
    if (!boot_info.initrd_size)
        return 0;
    (void)initramfs_unpack(phys_to_virt(boot_info.initrd_phys),
                           boot_info.initrd_size); // it has told what is wrong; what there is may do
    mm_release_boot_memory(boot_info.initrd_phys, boot_info.initrd_size, "initrd");
    return 0;
}
INITCALL(fs, initramfs_boot);
