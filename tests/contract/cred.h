// tests/contract/cred.h — what the cases about identities and capabilities share.
#pragma once

#include "tests/contract/harness.h"

#include <linux/capability.h>

struct caps {
    uint64_t effective, permitted, inheritable;
};

static inline struct caps get_caps(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2] = {};
    EXPECT_EQ(syscall(SYS_capget, &head, d), 0);
    return (struct caps){(uint64_t)d[1].effective << 32 | d[0].effective, (uint64_t)d[1].permitted << 32 | d[0].permitted,
                         (uint64_t)d[1].inheritable << 32 | d[0].inheritable};
}

static inline long set_caps(struct caps c)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2] = {
        {(uint32_t)c.effective, (uint32_t)c.permitted, (uint32_t)c.inheritable},
        {(uint32_t)(c.effective >> 32), (uint32_t)(c.permitted >> 32), (uint32_t)(c.inheritable >> 32)},
    };
    return syscall(SYS_capset, &head, d);
}

#define CAP(name) (UINT64_C(1) << CAP_##name)
#define ALL_CAPS ((UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1)

static inline void become(uid_t id)
{
    REQUIRE(setresgid(id, id, id) == 0);
    REQUIRE(setresuid(id, id, id) == 0);
}

#define EXPECT_UIDS(r, e, s)                                                                                           \
    do {                                                                                                               \
        uid_t ids_[3];                                                                                                 \
        EXPECT_EQ(getresuid(&ids_[0], &ids_[1], &ids_[2]), 0);                                                         \
        EXPECT_EQ(ids_[0], r);                                                                                         \
        EXPECT_EQ(ids_[1], e);                                                                                         \
        EXPECT_EQ(ids_[2], s);                                                                                         \
    } while (0)

// This program again, at `path`, with that owner, group and mode.
static inline void make_program(const char *path, uid_t owner, gid_t group, mode_t mode)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    static char buffer[65536];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        REQUIRE_EQ(write(to, buffer, (size_t)n), n);
    close(from);
    close(to);
    REQUIRE(chown(path, owner, group) == 0 && chmod(path, mode) == 0);
}
