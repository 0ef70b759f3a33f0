// kernel/vfs/path_text.h — the path of a place as text: getcwd(2), links in /proc, mount lists.
#pragma once

#include "kernel/vfs/vfs.h"

// Writes the path as seen from the current root into buf's end; *start points at it. "(unreachable)" and " (deleted)" as Linux does. -ENAMETOOLONG.
[[nodiscard]] int path_to_text(const struct path *path, char *buf, size_t size, char **start);
[[nodiscard]] int path_to_text_root(const struct path *path, const struct path *root, char *buf, size_t size, char **start);
[[nodiscard]] int dentry_to_text(struct dentry *dentry, char *buf, size_t size, char **start); // from its superblock's root
