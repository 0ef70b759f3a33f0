// kernel/proc/oom.h — what the out-of-memory killer has done, for /proc/vmstat.
#pragma once

#include "kernel/base/types.h"

extern uint64_t oom_kills; // how many processes were killed for their memory
