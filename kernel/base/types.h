// kernel/base/types.h — the integer types, pointer annotations and small macros that every file may assume.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/compiler.h"

typedef int64_t ssize_t;
typedef int64_t loff_t;       // a byte offset in a file; negative only as an error
typedef uint32_t dev_t;       // a device number as the kernel keeps it: major << 20 | minor (see kernel/abi for user forms)
typedef uint32_t umode_t;     // file type and permission bits, as in inode(7)
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef int32_t pid_t;
typedef uint64_t ino_t;
typedef uint64_t paddr_t;     // a physical address
typedef uint64_t pfn_t;       // a physical page frame number
typedef uintptr_t vaddr_t;    // a virtual address as a number, user or kernel
typedef int64_t ktime_t;      // nanoseconds; a point on a clock or a span, by context

#define KTIME_MAX INT64_MAX
#define NSEC_PER_USEC 1000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_SEC 1000000000LL

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define ALIGN_UP(x, a) (((x) + ((typeof(x))(a) - 1)) & ~((typeof(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1UL << (n))
#define GENMASK(hi, lo) ((~0UL >> (63 - (hi))) & (~0UL << (lo)))

#define min(a, b)                                                                                                      \
    ({                                                                                                                 \
        typeof(a) min_a_ = (a);                                                                                        \
        typeof(b) min_b_ = (b);                                                                                        \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                                             \
    })
#define max(a, b)                                                                                                      \
    ({                                                                                                                 \
        typeof(a) max_a_ = (a);                                                                                        \
        typeof(b) max_b_ = (b);                                                                                        \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                                             \
    })
#define clamp(x, lo, hi) min(max((x), (lo)), (hi))

// The structure of type `type` whose field `member` is at `ptr`.
#define container_of(ptr, type, member)                                                                                \
    ({                                                                                                                 \
        static_assert(__builtin_types_compatible_p(typeof(*(ptr)), typeof(((type *)0)->member)) ||                     \
                          __builtin_types_compatible_p(typeof(*(ptr)), void),                                          \
                      "container_of: the pointer does not point at that field");                                       \
        (type *)((char *)(ptr) - offsetof(type, member));                                                              \
    })
