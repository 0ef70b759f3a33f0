// kernel/debug/asan/asan.h — the address sanitiser of the fortress profile: which bytes of kernel memory may be touched.
//
// The compiler calls __asan_loadN/__asan_storeN before each access (outline instrumentation), the runtime looks up one
// shadow byte for each 8 bytes: 0 all of them, 1..7 the first so many, negative none, and why. There is shadow for all RAM
// (through the direct map), for the kernel image, and for vmalloc areas, kernel stacks among them: local variables have
// redzones, and die with their block. Free pages are filled as well, and looked at before they are used again: writers that
// no instrumentation sees (user mappings that should be gone, devices) are found by that. What runs before asan_init() is not
// checked. A violation panics with the access, the state of the memory and both backtraces where they are known.
#pragma once

#include "kernel/base/types.h"

// Why bytes may not be touched.
#define ASAN_PAGE_FREE 0xffu
#define ASAN_PAGE_FILLED 0xfdu  // the same, and the page is filled with ASAN_FREE_FILL
#define ASAN_KMALLOC_TAIL 0xfeu // behind the size that was asked for
#define ASAN_SLAB_REDZONE 0xfcu // between objects, or in an object never handed out
#define ASAN_FREED 0xfbu        // a freed object
#define ASAN_GLOBAL 0xf9u       // behind a global variable
#define ASAN_STACK_SCOPE 0xf8u  // a local variable whose block has ended: this and the next four are the compiler's
#define ASAN_VMALLOC 0xf7u      // not in any vmalloc area, or behind its size
#define ASAN_VMALLOC_FREED 0xf6u
#define ASAN_STACK_FREED 0xf4u  // the stack of a thread that is gone
#define ASAN_STACK_RIGHT 0xf3u
#define ASAN_STACK_MID 0xf2u
#define ASAN_STACK_LEFT 0xf1u

#define ASAN_FREE_FILL 0x6b // what freed objects are filled with

#ifdef KERNEL_ASAN

#define ASAN_REDZONE 16u // bytes behind each slab object

// For the files that manage memory themselves: between these two lines nothing is instrumented. Before all includes.
#define ASAN_OFF                                                                                                       \
    _Pragma("clang attribute push(__attribute__((no_sanitize(\"kernel-address\", \"address\"))), apply_to = function)")
#define ASAN_ON _Pragma("clang attribute pop")

// Boot, one CPU: memory for the shadow of all RAM is taken from boot_memory_take(), global variables get their redzones,
// checking starts.
void asan_init(void);

// The bytes [addr, addr + size) may not be touched, because of `why` (ASAN_*); addr is a multiple of 8, what is left of the
// last 8 bytes is poisoned with them. Addresses without shadow are ignored.
void asan_poison(const void *addr, size_t size, uint8_t why);
// They may; addr is a multiple of 8, size any.
void asan_unpoison(const void *addr, size_t size);
// An object of `size` bytes in `room` bytes (both from an aligned address): the rest is its tail.
void asan_mark_object(const void *object, size_t size, size_t room);
// How many bytes from `object` on may be touched, at most `room`.
size_t asan_valid_size(const void *object, size_t room);
// Whether a byte may be touched; for the allocators' own checks.
uint8_t asan_state(const void *addr);

// Makes sure that there is shadow for a part of the vmalloc area; new shadow says ASAN_VMALLOC. May sleep. False: no memory.
[[nodiscard]] bool asan_cover_vmalloc(uintptr_t start, size_t size);

// Pages that nobody has any more: fills them, and poisons them. Pages that are about to be handed out: panics if they have been
// written since, and makes them good.
void asan_pages_freed(void *start, size_t size);
void asan_pages_allocated(void *start, size_t size);

// Frees late: `object` waits in a queue and another, which has waited long enough, comes out (or null, `*cache` unset).
struct slab_cache;
void *asan_quarantine(struct slab_cache **cache, void *object, uintptr_t frame);

// Reports an access and panics. `where`: the instruction, 0 if the backtrace tells.
[[noreturn]] void asan_report(const void *addr, size_t size, bool write, uintptr_t where);
// A free that can not be: `what` says why.
[[noreturn]] void asan_report_free(const void *object, const char *what);

#else

#define ASAN_REDZONE 0u
#define ASAN_OFF
#define ASAN_ON
static inline void asan_init(void) {}
static inline void asan_poison(const void *, size_t, uint8_t) {}
static inline void asan_unpoison(const void *, size_t) {}
static inline void asan_mark_object(const void *, size_t, size_t) {}
static inline bool asan_cover_vmalloc(uintptr_t, size_t)
{
    return true;
}
static inline void asan_pages_freed(void *, size_t) {}
static inline void asan_pages_allocated(void *, size_t) {}
static inline size_t asan_valid_size(const void *, size_t room)
{
    return room;
}

#endif
