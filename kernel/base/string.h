// kernel/base/string.h — memory and strings, bounded formatting, numbers from text. The usual C names mean the usual things.
#pragma once

#include <stdarg.h>

#include "kernel/base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
// A small constant size becomes a few moves in place; a freestanding compiler does that only for its own names. The
// address sanitiser's are functions that look at the whole range.
#ifndef KERNEL_ASAN
#define memcpy(to, from, size) __builtin_memcpy(to, from, size)
#define memset(to, byte, size) __builtin_memset(to, byte, size)
#define memcmp(a, b, size) __builtin_memcmp(a, b, size)
#endif
void *memchr(const void *s, int byte, size_t size);
// Finds a byte that differs from `byte`; null when all are equal.
void *memchr_inv(const void *s, int byte, size_t size);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
int strcasecmp(const char *a, const char *b);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strstr(const char *s, const char *what);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);
// Is `prefix` the beginning of `s`?
bool str_starts(const char *s, const char *prefix);

// Copies as much as fits and always terminates (size > 0). Returns strlen(from): a result >= size means that it was cut.
// strlcat() appends instead, and returns the length that it tried to make.
size_t strlcpy(char *to, const char *from, size_t size);
size_t strlcat(char *to, const char *from, size_t size);
// Fills the rest of `to` with zeros as well, so that nothing old is shown: for fixed fields that go to user space.
void strlcpy_pad(char *to, const char *from, size_t size);
// Cuts the next word that ends at one of `separators` off *s (and moves *s behind it); null at the end. Empty words are returned.
char *strsep(char **s, const char *separators);
// Removes white space at both ends, in place; returns the first character kept.
char *strstrip(char *s);

// Formatted output. Conversions: d i u x X o c s p % with flags - + space # 0, width, precision (also *) and lengths hh
// h l ll z t j.
//   %p    a hash of the pointer that is the same for the whole boot: tells two objects apart, and tells nothing else
//   %px   the address itself; only for what goes to the console at a crash
//   %pS   symbol+0xoffset/0xsize of a code address
// vsnprintf/snprintf return the length that would have been written; scnprintf what was written (without the NUL).
int vsnprintf(char *to, size_t size, const char *format, va_list args) PRINTF_LIKE(3, 0);
int snprintf(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int vscnprintf(char *to, size_t size, const char *format, va_list args) PRINTF_LIKE(3, 0);
int scnprintf(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

// Turns a whole string into a number. base 0: 0x.. is hexadecimal, 0.. octal, else decimal. One trailing newline is
// allowed. 0, -EINVAL (not a number, or something behind it), -ERANGE.
[[nodiscard]] int parse_u64(const char *s, unsigned base, uint64_t *out);
[[nodiscard]] int parse_i64(const char *s, unsigned base, int64_t *out);
[[nodiscard]] int parse_u32(const char *s, unsigned base, uint32_t *out);
[[nodiscard]] int parse_int(const char *s, unsigned base, int *out);
// A size with an optional K, M, G, T, P or E behind it (powers of 1024), as in mem=512M. Sets *end behind it. -EINVAL, -ERANGE.
[[nodiscard]] int parse_size(const char *s, const char **end, uint64_t *out);
// 1 y yes on true / 0 n no off false. -EINVAL.
[[nodiscard]] int parse_bool(const char *s, bool *out);

// Writes code addresses as symbols for %pS; set by kernel/debug at boot. Null: the offset in the kernel image is written.
extern int (*format_symbol)(char *to, size_t size, uintptr_t address);
// The key of %p; set once at boot from the random seed.
extern uint64_t format_pointer_key;
