// tests/contract/namespace.h — what the cases about namespaces share.
#pragma once

#include "tests/contract/harness.h"

#include <sys/ioctl.h>
#include <sys/utsname.h>

#define NS_GET_PARENT _IO(0xb7, 2)
#define NS_GET_NSTYPE _IO(0xb7, 3)

static inline int open_ns(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static inline const char *host_name(void)
{
    static struct utsname names;
    EXPECT_EQ(uname(&names), 0);
    return names.nodename;
}
