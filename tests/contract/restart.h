// tests/contract/restart.h — calls that a signal interrupts: the ways signal(7) knows, for the families restart*.c.
#pragma once
#include "tests/contract/harness.h"

// SIGUSR1 comes as soon as the calling thread sleeps, with a handler that has SA_RESTART or not; when the handler has run and the thread
// sleeps again, release(arg), unless it is null, lets the call end by itself.
void begin_interruption(bool restarts, void (*release)(long), long arg);
void end_interruption(void);

// Without SA_RESTART the call ends with EINTR; with it, it goes on and gives `wanted` after the release.
#define RESTARTABLE(call, wanted, release, arg)                                                                        \
    do {                                                                                                               \
        INTERRUPTED(false, call);                                                                                      \
        begin_interruption(true, release, arg);                                                                        \
        EXPECT_EQ(call, wanted);                                                                                       \
        end_interruption();                                                                                            \
    } while (0)

// Ends with EINTR whatever the handler's flags are.
#define NEVER_RESTARTED(call)                                                                                          \
    do {                                                                                                               \
        INTERRUPTED(true, call);                                                                                       \
        INTERRUPTED(false, call);                                                                                      \
    } while (0)

#define INTERRUPTED(with_restart, call)                                                                                \
    do {                                                                                                               \
        begin_interruption(with_restart, nullptr, 0);                                                                  \
        EXPECT_ERRNO(call, EINTR);                                                                                     \
        end_interruption();                                                                                            \
    } while (0)
