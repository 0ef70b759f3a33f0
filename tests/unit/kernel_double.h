// tests/unit/kernel_double.h — looks into the stand-ins of kernel_double.c.
#pragma once

extern unsigned double_warnings;    // calls of warn_at()
extern unsigned double_objects;     // slab objects allocated and not freed
extern int double_allocations_left; // slab_alloc() fails after that many more; -1: never
