// tests/contract/mount.h — what the cases about mounts share.
#pragma once

#include "tests/contract/harness.h"

#include <sys/mount.h>

// A mount namespace of the case's own, nothing shared with the outside; folders a and b.
static inline void own_mounts(void)
{
    own_mount_namespace();
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
}

static inline void tmpfs_at(const char *path)
{
    REQUIRE(mount("test", path, "tmpfs", 0, nullptr) == 0);
}

static inline bool exists(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0;
}
