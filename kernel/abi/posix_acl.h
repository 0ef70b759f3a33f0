// kernel/abi/posix_acl.h — access control lists as the attributes system.posix_acl_access and system.posix_acl_default carry them: acl(5).
#pragma once

#include "kernel/base/types.h"

#define ACL_XATTR_ACCESS "system.posix_acl_access"
#define ACL_XATTR_DEFAULT "system.posix_acl_default"
#define ACL_XATTR_VERSION 2u

enum { ACL_USER_OBJ = 0x01, ACL_USER = 0x02, ACL_GROUP_OBJ = 0x04, ACL_GROUP = 0x08, ACL_MASK = 0x10, ACL_OTHER = 0x20 };
#define ACL_UNDEFINED_ID ((uint32_t)-1)

struct abi_acl_header { // little endian, as are the entries that follow
    uint32_t version;
};
struct abi_acl_entry {
    uint16_t tag, perm;
    uint32_t id;
};
static_assert(sizeof(struct abi_acl_header) == 4 && sizeof(struct abi_acl_entry) == 8);
