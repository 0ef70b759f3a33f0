// kernel/drivers/random/random_device.h — for drivers that gather randomness.
#pragma once

#include "kernel/base/types.h"

// As random_mix() (kernel/base/random.h), and wakes who waits for the generator to be seeded. Thread context.
void random_credit(const void *data, size_t size, unsigned bits);
