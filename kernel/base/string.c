// kernel/base/string.c — strings. Moving, filling and comparing memory is the CPU's: arch/.
#include "kernel/base/string.h"

void *memchr(const void *s, int byte, size_t size)
{
    const uint8_t *p = s;
    for (size_t i = 0; i < size; i++)
        if (p[i] == (uint8_t)byte)
            return (void *)(p + i);
    return nullptr;
}

void *memchr_inv(const void *s, int byte, size_t size)
{
    const uint8_t *p = s;
    size_t i = 0;
    // Whole words that are as they should be are passed over eight bytes at a time.
    for (uint64_t word, want = (uint8_t)byte * 0x0101010101010101UL; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (word != want)
            break;
    }
    for (; i < size; i++)
        if (p[i] != (uint8_t)byte)
            return (void *)(p + i);
    return nullptr;
}

// Eight bytes at a time once aligned: a word has a zero byte exactly if (w - 01..01) & ~w & 80..80 is not zero. An
// aligned word never crosses into another page, so reading past the end of the string is harmless.
__attribute__((no_sanitize("address"))) size_t strlen(const char *s)
{
    const char *p = s;
    for (; (uintptr_t)p % 8; p++)
        if (!*p)
            return (size_t)(p - s);
    const uint64_t ones = 0x0101010101010101ull;
    typedef uint64_t __attribute__((may_alias)) word;
    const word *w = (const word *)p;
    while (!((*w - ones) & ~*w & ones << 7))
        w++;
    for (p = (const char *)w; *p; p++)
        ;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (; max; a++, b++, max--)
        if (!*a || *a != *b)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (uint8_t)c;
}

int strcasecmp(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return lower(*a) - lower(*b);
}

char *strchrnul(const char *s, int c)
{
    while (*s && *s != (char)c)
        s++;
    return (char *)s;
}

char *strchr(const char *s, int c)
{
    s = strchrnul(s, c);
    return *s == (char)c ? (char *)s : nullptr;
}

char *strrchr(const char *s, int c)
{
    const char *found = nullptr;
    do {
        if (*s == (char)c)
            found = s;
    } while (*s++);
    return (char *)found;
}

char *strstr(const char *s, const char *what)
{
    size_t n = strlen(what);
    for (; *s || !n; s++)
        if (strncmp(s, what, n) == 0)
            return (char *)s;
    return nullptr;
}

size_t strspn(const char *s, const char *accept)
{
    size_t n = 0;
    while (s[n] && strchr(accept, s[n]))
        n++;
    return n;
}

size_t strcspn(const char *s, const char *reject)
{
    size_t n = 0;
    while (s[n] && !strchr(reject, s[n]))
        n++;
    return n;
}

bool str_starts(const char *s, const char *prefix)
{
    while (*prefix && *s == *prefix)
        s++, prefix++;
    return !*prefix;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    if (size) {
        size_t n = min(length, size - 1);
        memcpy(to, from, n);
        to[n] = 0;
    }
    return length;
}

size_t strlcat(char *to, const char *from, size_t size)
{
    size_t used = strnlen(to, size);
    return used + strlcpy(to + used, from, size - used);
}

void strlcpy_pad(char *to, const char *from, size_t size)
{
    size_t n = strnlen(from, size - 1);
    memcpy(to, from, n);
    memset(to + n, 0, size - n);
}

char *strsep(char **s, const char *separators)
{
    char *word = *s;
    if (!word)
        return nullptr;
    char *end = word + strcspn(word, separators);
    *s = *end ? end + 1 : nullptr;
    *end = 0;
    return word;
}

char *strstrip(char *s)
{
    static const char white[] = " \t\n\r\v\f";
    s += strspn(s, white);
    size_t n = strlen(s);
    while (n && strchr(white, s[n - 1]))
        n--;
    s[n] = 0;
    return s;
}
