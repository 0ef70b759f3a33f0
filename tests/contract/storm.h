// tests/contract/storm.h — several threads that do the same things at once, for the families storm_*.c.
#pragma once
#include "tests/contract/harness.h"

#include <stdatomic.h>

enum { STORM_THREADS = 4, STORM_MS = 250 };

// Calls round(number) again and again in STORM_THREADS threads, numbered from 0, which begin together, for STORM_MS; each at least
// once. What a round finds wrong it notes with EXPECT; the case looks at what is left afterwards.
void storm(void (*round)(int number));

// A random number below `bound`, from the calling thread's own sequence, which is the same each time.
unsigned storm_random(unsigned bound);
