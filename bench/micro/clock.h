// bench/micro/clock.h — the clocks of the measuring programs.
#pragma once
#include <stdint.h>

// CLOCK_MONOTONIC in nanoseconds.
uint64_t now_ns(void);

// The time-stamp counter.
uint64_t now_tsc(void);
