// kernel/vfs/dcache_internal.h — between dcache.c and dcache_tree.c.
#pragma once

#include "kernel/vfs/vfs.h"

void d_copy_name(struct dentry *to, const struct dentry *from); // both locked
void d_swap_names(struct dentry *a, struct dentry *b);
void d_bucket_insert(struct dentry *d); // locked
void d_bucket_remove(struct dentry *d);
