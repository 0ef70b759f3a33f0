// kernel/drivers/mem/mem.h — the devices of major number 1 that need no hardware.
#pragma once

#include "kernel/drivers/base/device.h"
#include "kernel/sched/sched.h"

#define MEM_MAJOR 1u

extern const struct file_ops null_ops, zero_ops, full_ops, kmsg_ops;
extern const struct file_ops random_ops, urandom_ops; // kernel/drivers/random
