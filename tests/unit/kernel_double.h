// tests/unit/kernel_double.h — looks into the stand-ins of kernel_double.c.
#pragma once

extern unsigned double_warnings;    // calls of warn_at()
extern unsigned double_objects;     // slab objects allocated and not freed
extern unsigned double_buffers;     // blocks of kmalloc() and kvmalloc() not freed
extern int double_allocations_left; // allocations fail after that many more; -1: never
extern unsigned double_errors;      // lines of level error or worse
extern const char *double_error_text; // of the last one: its first argument if that is a text, else its format
