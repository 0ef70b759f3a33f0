// kernel/boot/initramfs_list.h — shows what the initramfs holds, for kevlar.list_initramfs.
#pragma once

// Prints one line for each entry of the plain cpio archive (newc) that the boot loader left in memory, if the command line asks for it.
void initramfs_list(void);
