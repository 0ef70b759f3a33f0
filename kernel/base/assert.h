// kernel/base/assert.h — assumptions that stop the kernel when they do not hold. Off in the performance profile.
#pragma once

#include "kernel/base/types.h"

[[noreturn]] COLD void assert_failed(const char *file, int line, const char *what); // ASSERT()'s end: panics

#ifndef KERNEL_NO_ASSERT
#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (unlikely(!(condition)))                                                                                    \
            assert_failed(__FILE_NAME__, __LINE__, #condition);                                                        \
    } while (0)
#else
#define ASSERT(condition) ((void)sizeof(!(condition)))
#endif

// Only in the fortress profile: too dear for others.
#ifdef KERNEL_FORTRESS
#define DEBUG_ASSERT(condition) ASSERT(condition)
#else
#define DEBUG_ASSERT(condition) ((void)sizeof(!(condition)))
#endif
