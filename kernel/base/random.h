// kernel/base/random.h — the kernel's random generator: ChaCha20 with fast key erasure, one key for each CPU.
//
// Seeded once at boot from what the loader, the firmware and the CPU give; drivers and user space (RNDADDENTROPY) may mix in more. Output never repeats a
// key: each request overwrites the key it used. Specification of the cipher: RFC 8439.
#pragma once

#include "kernel/base/types.h"

// Takes over boot_info's seed; wipes nothing itself. Boot, one CPU, per-CPU data ready. `bits` is the entropy believed to be in it.
void random_init(const void *seed, size_t size, unsigned bits);
// Fills `buf` with unpredictable bytes. Any context; fast.
void random_bytes(void *buf, size_t size);
uint64_t random_u64(void); // eight of random_bytes()
// A number in [0, limit), limit > 0; the bias is below 2^-32 for limits below 2^32.
uint64_t random_below(uint64_t limit);
// Stirs `data` into all later output; `bits` of credit count towards random_ready(). Any context, interrupts off for its time.
void random_mix(const void *data, size_t size, unsigned bits);
// Whether at least 256 bits were credited: getrandom(2) waits for it.
bool random_ready(void);
// Bits credited so far, at most 256: /proc/sys/kernel/random/entropy_avail.
unsigned random_entropy(void);
