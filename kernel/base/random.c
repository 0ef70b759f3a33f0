// kernel/base/random.c — ChaCha20 (RFC 8439) with fast key erasure.
//
// The base key is guarded by base_lock; each CPU's key is used with interrupts off and remembers the generation of the base key it came from. random_mix()
// makes a new base key and the next generation; a CPU that finds itself behind derives a fresh key first.

#include "kernel/base/random.h"

#include "arch/include/cpu.h"
#include "kernel/base/atomic.h"
#include "kernel/base/percpu.h"
#include "kernel/base/string.h"

#define KEY_WORDS 8
#define BLOCK_BYTES 64

struct random_cpu {
    uint32_t key[KEY_WORDS];
    uint64_t generation; // of the base key; 0: none yet
};

static DEFINE_PER_CPU(struct random_cpu, random_cpu);
static uint32_t base_key[KEY_WORDS];
static uint64_t base_generation = 1;
static uint32_t base_lock;
static unsigned credited_bits;

static inline uint32_t rotl(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

#define QUARTER(a, b, c, d)                                                                                            \
    (a += b, d = rotl(d ^ a, 16), c += d, b = rotl(b ^ c, 12), a += b, d = rotl(d ^ a, 8), c += d, b = rotl(b ^ c, 7))

// One block of key stream: RFC 8439 section 2.3, with the counter and nonce given as four words.
static void chacha20_block(const uint32_t key[KEY_WORDS], uint64_t counter, uint64_t nonce, uint32_t out[16])
{
    const uint32_t in[16] = {
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
        (uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)nonce, (uint32_t)(nonce >> 32),
    };
    uint32_t x[16];
    memcpy(x, in, sizeof x);
    for (int round = 0; round < 10; round++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++)
        out[i] = x[i] + in[i];
}

static irq_flags_t base_take(void)
{
    irq_flags_t flags = arch_irq_save();
    while (xchg(&base_lock, 1))
        cpu_relax();
    return flags;
}

static void base_drop(irq_flags_t flags)
{
    store_release(&base_lock, 0);
    arch_irq_restore(flags);
}

void random_mix(const void *data, size_t size, unsigned bits)
{
    irq_flags_t flags = base_take();
    // Absorb 32 bytes at a time: the key is xored with the data and run through the cipher.
    const uint8_t *at = data;
    do {
        uint32_t block[16], chunk[KEY_WORDS] = {};
        size_t part = min(size, sizeof chunk);
        memcpy(chunk, at, part);
        for (int i = 0; i < KEY_WORDS; i++)
            base_key[i] ^= chunk[i];
        chacha20_block(base_key, base_generation, (uint64_t)arch_cycles(), block);
        memcpy(base_key, block, sizeof base_key);
        at += part;
        size -= part;
    } while (size);
    base_generation++;
    credited_bits = min(credited_bits + min(bits, 256u), 256u);
    base_drop(flags);
}

static void refresh(struct random_cpu *cpu)
{
    irq_flags_t flags = base_take();
    uint32_t block[16];
    chacha20_block(base_key, this_cpu_id(), base_generation, block);
    memcpy(cpu->key, block, sizeof cpu->key);
    cpu->generation = base_generation;
    chacha20_block(base_key, ~0UL, base_generation, block); // the base key is never used twice either
    memcpy(base_key, block, sizeof base_key);
    base_drop(flags);
}

void random_bytes(void *buf, size_t size)
{
    uint8_t *to = buf;
    while (size) {
        irq_flags_t flags = arch_irq_save();
        struct random_cpu *cpu = this_cpu_ptr(&random_cpu);
        if (unlikely(cpu->generation != READ_ONCE(base_generation)))
            refresh(cpu);
        uint32_t block[16];
        chacha20_block(cpu->key, 0, 0, block);
        memcpy(cpu->key, block, sizeof cpu->key); // erased: what was handed out can not be computed again
        size_t part = min(size, (size_t)(BLOCK_BYTES - sizeof cpu->key));
        memcpy(to, &block[KEY_WORDS], part);
        memset(block, 0, sizeof block);
        compiler_barrier();
        arch_irq_restore(flags);
        to += part;
        size -= part;
    }
}

uint64_t random_u64(void)
{
    uint64_t x;
    random_bytes(&x, sizeof x);
    return x;
}

uint64_t random_below(uint64_t limit)
{
    return (uint64_t)((unsigned __int128)random_u64() * limit >> 64);
}

bool random_ready(void)
{
    return READ_ONCE(credited_bits) >= 256;
}

unsigned random_entropy(void)
{
    return READ_ONCE(credited_bits);
}

void random_init(const void *seed, size_t size, unsigned bits)
{
    uint8_t own[64];
    size_t got = arch_random(own, sizeof own);
    random_mix(own, sizeof own, (unsigned)got * 4); // half a bit a bit: the CPU's word is not taken for all of it
    uint64_t cycles = (uint64_t)arch_cycles();
    random_mix(&cycles, sizeof cycles, 0);
    random_mix(seed, size, bits);
    memset(own, 0, sizeof own);
}
