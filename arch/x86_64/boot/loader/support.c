// arch/x86_64/boot/loader/support.c — memory primitives, messages on the first serial port, the random seed.
#include "arch/x86_64/boot/loader/loader.h"

struct boot_handoff handoff;

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    char *last_to = (char *)to + size - 1;
    const char *last_from = (const char *)from + size - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(size) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

static uint8_t port_in(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void port_out(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void serial_puts(const char *text)
{
    enum { COM1 = 0x3f8, LINE_STATUS = COM1 + 5, TRANSMIT_EMPTY = 0x20, PATIENCE = 100000 };
    for (; *text; text++) {
        for (int i = 0; i < PATIENCE && !(port_in(LINE_STATUS) & TRANSMIT_EMPTY); i++)
            ;
        port_out(COM1, (uint8_t)*text);
    }
}

void die(const char *why)
{
    serial_puts("kevlar: cannot boot: ");
    serial_puts(why);
    serial_puts("\r\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}

uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

// A finaliser with full avalanche (every input bit flips about half of the output). The kernel's own generator hashes
// the seed properly; here it only has to spread what we have over the slides and the 64 bytes.
static uint64_t scramble(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

void seed_mix(const void *bytes, size_t size, uint32_t bits)
{
    const uint8_t *p = bytes;
    uint64_t words[HANDOFF_SEED_SIZE / 8];
    memcpy(words, handoff.seed, sizeof words);
    uint64_t carry = size;
    for (size_t i = 0; i < size; i++) {
        size_t at = i % (sizeof words / sizeof words[0]);
        carry = scramble(carry ^ words[at] ^ (uint64_t)p[i] << 56);
        words[at] ^= carry;
    }
    memcpy(handoff.seed, words, sizeof words);
    handoff.seed_bits += bits;
}

static bool cpu_random(uint64_t *out)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c & 1u << 30))
        return false;
    for (int tries = 0; tries < 10; tries++) {
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}

void seed_from_cpu(void)
{
    uint64_t words[4] = {};
    uint32_t bits = 0;
    for (int i = 0; i < 4 && cpu_random(&words[i]); i++)
        bits += 64;
    seed_mix(words, sizeof words, bits);
    uint64_t tsc = read_tsc();
    seed_mix(&tsc, sizeof tsc, 8);
}

uint64_t seed_draw(uint64_t purpose)
{
    uint64_t words[HANDOFF_SEED_SIZE / 8];
    memcpy(words, handoff.seed, sizeof words);
    uint64_t drawn = scramble(purpose);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        drawn = scramble(drawn + words[i]);
    return drawn;
}

bool cmdline_has(const char *cmdline, const char *word)
{
    for (const char *p = cmdline; *p;) {
        while (*p == ' ')
            p++;
        const char *w = word;
        while (*p && *p == *w)
            p++, w++;
        if (!*w && (!*p || *p == ' '))
            return true;
        while (*p && *p != ' ')
            p++;
    }
    return false;
}

void handoff_add_range(uint64_t start, uint64_t size, uint32_t type)
{
    if (!size)
        return;
    if (handoff.nr_ranges) {
        struct handoff_range *last = &handoff.ranges[handoff.nr_ranges - 1];
        if (last->type == type && last->start + last->size == start) {
            last->size += size;
            return;
        }
    }
    if (handoff.nr_ranges == HANDOFF_MAX_RANGES)
        die("the memory map has too many entries");
    handoff.ranges[handoff.nr_ranges++] = (struct handoff_range){.start = start, .size = size, .type = type};
}

void handoff_set_cmdline(const char *text)
{
    size_t i = 0;
    for (; i < HANDOFF_CMDLINE_SIZE - 1 && text[i]; i++)
        handoff.cmdline[i] = text[i];
    handoff.cmdline[i] = 0;
}
