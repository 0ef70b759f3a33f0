// kernel/boot/cmdline.h — the kernel command line: words, quotes, and what is left for init.
#pragma once

#include "kernel/base/types.h"

#define INIT_ARGS_MAX 32

// Splits one word off *text: `name`, `name=value` or `"name=a b"` / `name="a b"`, quotes removed. Copies both parts,
// cut to their sizes (value is "" for a bare word). False at the end.
bool cmdline_next(const char **text, char *name, size_t name_size, char *value, size_t value_size);

// Calls the handler of each parameter (CMDLINE_PARAM in init.h) in order. Words behind `--`, and words nobody knows
// that have no dot in their name, are init's: those with `=` go into its environment, the others are arguments. Boot, once.
void cmdline_parse(void);

// What init gets, in command-line order.
extern const char *init_args[INIT_ARGS_MAX], *init_env[INIT_ARGS_MAX];
extern unsigned nr_init_args, nr_init_env;
