// kernel/syscall/trace_names.h — names of flags, signals and errors for the tracer. Numbers are those of the x86-64 user interface.
#pragma once

#include "kernel/base/types.h"

struct trace_flag {
    const char *name;
    unsigned long value;
    unsigned long mask; // 0: the bits of value themselves
};

extern const struct trace_flag trace_open_flags[], trace_prot_flags[], trace_map_flags[]; // ended by a null name
extern const char *const trace_signals[32];
extern const char *const trace_errnos[];
extern const size_t trace_nr_errnos;
