// kernel/fs/sysfs/sysfs.h — sysfs: sysfs(5). The tree of devices, classes and buses, and the few other things that are true of this kernel.
//
//   devices/…           each device below its parent, or in virtual/CLASS      class/CLASS/NAME, bus/BUS/devices/NAME, dev/{char,block}/MAJ:MIN: links to them
//   kernel, fs          what the kernel itself says; fs/cgroup is where the control groups are mounted
#pragma once

#include "kernel/fs/pseudo/pseudo.h"

extern struct pseudo_dir *sysfs_root; // there after INITCALL(subsys)

// Adds files to a folder of the tree ("kernel", "firmware/efi" …), which is made where it is missing. `object` goes to their functions where the folder is
// new. Boot or thread context. -ENOMEM.
[[nodiscard]] int sysfs_register(const char *folder, const struct pseudo_entry *entries, void *object);
// A folder of the tree, made where it is missing, with a reference; null: no memory.
struct pseudo_dir *sysfs_folder(const char *path);
