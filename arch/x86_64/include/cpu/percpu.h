// arch/x86_64/include/cpu/percpu.h — per-CPU variables through the GS segment, one instruction each.
//
// The GS base of CPU n, in the kernel, is percpu_offset[n]: the distance from the linked copy of a per-CPU variable to
// that CPU's own. %gs:name(%rip) is therefore CPU n's copy, and an instruction that does it can not be split by a migration.
#pragma once

#include "kernel/base/types.h"

struct thread;

#define arch_this_cpu_read(name)                                                                                       \
    ({                                                                                                                 \
        typeof_unqual(name) percpu_value_;                                                                             \
        __asm__ volatile("mov %%gs:%1, %0" : "=q"(percpu_value_) : "m"(name));                                         \
        percpu_value_;                                                                                                 \
    })

#define arch_this_cpu_write(name, value)                                                                               \
    ({                                                                                                                 \
        typeof_unqual(name) percpu_value_ = (value);                                                                   \
        __asm__ volatile("mov %1, %%gs:%0" : "=m"(name) : "q"(percpu_value_));                                         \
    })

#define ARCH_PERCPU_ADD_(suffix, type, name, value)                                                                    \
    __asm__ volatile("add" suffix " %1, %%gs:%0" : "+m"(name) : "ri"((type)(value)) : "cc")

#define arch_this_cpu_add(name, value)                                                                                 \
    ({                                                                                                                 \
        static_assert(sizeof(name) == 4 || sizeof(name) == 8);                                                         \
        if (sizeof(name) == 4)                                                                                         \
            ARCH_PERCPU_ADD_("l", int32_t, name, value);                                                               \
        else if (__builtin_constant_p(value))                                                                          \
            ARCH_PERCPU_ADD_("q", int32_t, name, value);                                                               \
        else                                                                                                           \
            __asm__ volatile("addq %1, %%gs:%0" : "+m"(name) : "r"((int64_t)(value)) : "cc");                          \
    })

// A copy of the GS base for code that needs addresses.
extern uintptr_t arch_percpu_self;
static ALWAYS_INLINE uintptr_t arch_percpu_base(void)
{
    return arch_this_cpu_read(arch_percpu_self);
}

// The running thread. It never changes under the thread's own feet, so the compiler may keep the value.
extern struct thread *arch_current_thread;
static ALWAYS_INLINE struct thread *arch_current(void)
{
    struct thread *thread;
    __asm__("mov %%gs:%1, %0" : "=r"(thread) : "m"(arch_current_thread));
    return thread;
}
