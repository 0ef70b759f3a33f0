// kernel/boot/start_init.h — the last step of boot: the first program.
#pragma once

// In the task that becomes pid 1, in a thread that may sleep: gives it the console, then becomes the first of these
// programs that can be run:
// rdinit= (default /init); init=, or if that is not given /sbin/init, /etc/init, /bin/init, /bin/sh. Where none can, it
// says so and stops the machine.
[[noreturn]] void start_init(void);
