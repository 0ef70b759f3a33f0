// kernel/debug/symbols.h — from code addresses to names, for backtraces, %pS and /proc/kallsyms.
//
// tools/kimage packs every function's name and place behind the kernel image (tools/kimage/symbols.py says how).
// Addresses here are where the kernel runs now, slide included.
#pragma once

#include "kernel/base/types.h"

#define SYMBOL_NAME_SIZE 128

struct symbol {
    char name[SYMBOL_NAME_SIZE];
    uintptr_t address;
    size_t size;
};

// Finds the function that contains `address`. -ENOENT outside the kernel's text. Any context.
[[nodiscard]] int symbol_lookup(uintptr_t address, struct symbol *out);
// The symbol with that name: -ENOENT. Slow.
[[nodiscard]] int symbol_find(const char *name, struct symbol *out);
// Number of symbols, and the n-th in order of address. -ENOENT.
unsigned symbol_count(void);
[[nodiscard]] int symbol_get(unsigned n, struct symbol *out);

// Takes over the table of boot_info; before that addresses stay numbers.
void symbols_init(void);
