// kernel/fs/initramfs/initramfs.h — unpacking cpio archives into the root file system: cpio(5), "newc" format, as Linux takes them.
#pragma once

#include "kernel/base/types.h"

// Unpacks every archive in `image`: plain, gzip or Zstandard, one after another with any number of zero bytes between. Damage is reported in one
// line and ends the work: 0, or -EINVAL, with what came before it in place. Paths are relative to the current working directory. May sleep.
int initramfs_unpack(const void *image, size_t size);
