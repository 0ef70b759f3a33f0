// kernel/base/compiler.h — what we ask of clang: attributes, user pointers, lock annotations, scoped cleanup.
//
// Lock annotations are clang's thread-safety analysis (-Wthread-safety): a field says its lock with GUARDED_BY, a function
// says what its caller must hold with REQUIRES. They cost nothing at run time.
#pragma once

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define COLD __attribute__((cold))
#define PACKED __attribute__((packed))
#define ALIGNED(n) __attribute__((aligned(n)))
#define SECTION(name) __attribute__((section(name)))
#define USED __attribute__((used))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CACHELINE_ALIGNED __attribute__((aligned(64)))

// Code and data needed only until init starts; the pages are given back afterwards.
#define INIT_TEXT SECTION(".init.text") COLD
#define INIT_DATA SECTION(".init.data")
// Data that is written during boot and constant afterwards.
#define RO_AFTER_INIT SECTION(".data.ro_after_init")

// A pointer into user memory. Only the copy routines of arch/ may follow it.
#define __user __attribute__((noderef, address_space(1)))
// Turns a user address in a register into a user pointer, and back.
#define user_ptr(type, addr) ((type __user *)(addr))
#define user_addr(ptr) ((unsigned long)(ptr))

#define CAPABILITY(name) __attribute__((capability(name)))
#define GUARDED_BY(lock) __attribute__((guarded_by(lock)))
#define PT_GUARDED_BY(lock) __attribute__((pt_guarded_by(lock)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define REQUIRES_SHARED(...) __attribute__((requires_shared_capability(__VA_ARGS__)))
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define ACQUIRE_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define RELEASE_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
#define TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define ASSERT_CAPABILITY(...) __attribute__((assert_capability(__VA_ARGS__)))
#define NO_THREAD_SAFETY_ANALYSIS __attribute__((no_thread_safety_analysis))

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define UNIQUE(name) CONCAT(name##_, __COUNTER__)
#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

// Calls fn(&variable) when the variable leaves its scope.
#define CLEANUP(fn) __attribute__((cleanup(fn)))

// One untorn access that the compiler may neither repeat, split nor drop. Ordering is the caller's business.
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define compiler_barrier() __asm__ volatile("" ::: "memory")
