// tests/contract/unix_socket.h — what the cases about AF_UNIX sockets share.
#pragma once

#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline void make_pair(int type, int fds[2])
{
    REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
}

static inline socklen_t address(struct sockaddr_un *a, const char *name)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(a->sun_path, name, length);
    if (name[0] == '@') { // abstract
        a->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static inline int bound(int type, const char *name)
{
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, type, 0);
    REQUIRE(fd >= 0);
    socklen_t length = address(&a, name);
    REQUIRE(bind(fd, (void *)&a, length) == 0);
    return fd;
}

static inline int connect_to(int fd, const char *name)
{
    struct sockaddr_un a;
    socklen_t length = address(&a, name);
    return connect(fd, (void *)&a, length);
}

static inline int listener(int type, const char *name)
{
    int fd = bound(type, name);
    REQUIRE(listen(fd, 5) == 0);
    return fd;
}
