// tests/contract/fuzz.h — what the fuzzing families share: one sequence of random numbers, and how long it goes on.
#pragma once
#include "tests/contract/harness.h"

// From the environment, and so from the kernel's command line: fuzz_seed=NUMBER gives another sequence (1), fuzz_calls=NUMBER more calls of
// each number (60), fuzz_seconds=NUMBER more time for a child (a factor; 1), which wants more for its case (contract_patience).
unsigned long fuzz_setting(const char *name, unsigned long otherwise);

void fuzz_begin(uint64_t number); // the sequence of this seed and number
uint64_t next_random(void);

// Whether argument `index` of the call is one of a set that the call knows (a command, an option), and then one of them.
bool known_argument(long call, int index, uint64_t *value);

// Forks and pipes, maps and writes: each still does what it should.
void expect_system_works(void);
