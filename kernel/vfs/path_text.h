// kernel/vfs/path_text.h — the path of a place as text: getcwd(2), links in /proc, mount lists.
#pragma once

#include "kernel/vfs/vfs.h"

// All write the text into buf's end; *start points at it. -ENAMETOOLONG.
//
// The path as seen from the current root, or of what is not below that, from the top of its tree of mounts. " (deleted)" behind what has no name any more.
[[nodiscard]] int path_to_text(const struct path *path, char *buf, size_t size, char **start);
// The same from `root`, and nothing said of deletion: mount points.
[[nodiscard]] int path_to_text_root(const struct path *path, const struct path *root, char *buf, size_t size, char **start);
// getcwd(2): "(unreachable)" before what is not below the current root. -ENOENT: it is deleted.
[[nodiscard]] int cwd_to_text(const struct path *cwd, char *buf, size_t size, char **start);
[[nodiscard]] int dentry_to_text(struct dentry *dentry, char *buf, size_t size, char **start); // from its superblock's root; "//deleted" behind it
