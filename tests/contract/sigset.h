// tests/contract/sigset.h — what the cases about signals say of masks and pending signals.
#pragma once

#include "tests/contract/harness.h"

static inline sigset_t set_of(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static inline void block(int signal)
{
    sigset_t set = set_of(signal);
    REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
}

static inline void unblock(int signal)
{
    sigset_t set = set_of(signal);
    REQUIRE(sigprocmask(SIG_UNBLOCK, &set, nullptr) == 0);
}

static inline bool is_blocked(int signal)
{
    sigset_t set;
    sigprocmask(SIG_SETMASK, nullptr, &set);
    return sigismember(&set, signal);
}

static inline bool is_pending(int signal)
{
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signal);
}
