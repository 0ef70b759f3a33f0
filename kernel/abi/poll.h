// kernel/abi/poll.h — poll, select and epoll as user space sees them: poll(2), select(2), epoll_ctl(2).
#pragma once

#include "kernel/base/types.h"

struct abi_pollfd {
    int32_t fd;
    int16_t events, revents;
};
static_assert(sizeof(struct abi_pollfd) == 8);

struct abi_epoll_event { // packed on x86-64 only
    uint32_t events;
    uint64_t data;
} PACKED;
static_assert(sizeof(struct abi_epoll_event) == 12 && offsetof(struct abi_epoll_event, data) == 4);

struct abi_sigset_arg { // the sixth argument of pselect6(2)
    uint64_t set;       // a user address
    uint64_t size;
};

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
