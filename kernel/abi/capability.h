// kernel/abi/capability.h — the attribute security.capability: capabilities(7) "File capabilities".
#pragma once

#include "kernel/base/types.h"

#define XATTR_SECURITY_CAPABILITY "security.capability"

#define VFS_CAP_REVISION_MASK 0xff000000u
#define VFS_CAP_REVISION_1 0x01000000u // 32 capabilities
#define VFS_CAP_REVISION_2 0x02000000u // 64
#define VFS_CAP_REVISION_3 0x03000000u // 64, and whose root may use them
#define VFS_CAP_FLAGS_EFFECTIVE 1u

struct abi_vfs_cap_data { // little-endian; revisions differ in how much of it there is
    uint32_t magic;
    struct {
        uint32_t permitted, inheritable;
    } data[2];
    uint32_t rootid;
};
static_assert(sizeof(struct abi_vfs_cap_data) == 24);

// The size of a value of that revision; 0: there is no such.
static inline size_t vfs_cap_size(uint32_t revision)
{
    return revision == VFS_CAP_REVISION_1 ? 12 : revision == VFS_CAP_REVISION_2 ? 20 : revision == VFS_CAP_REVISION_3 ? 24 : 0;
}
