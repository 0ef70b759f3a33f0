// bench/micro/console.h — lines, words and mounts of a measuring program that may be process 1.
#pragma once

// Writes one line in one write; then the machine is left alone until the serial port has sent it, so that its
// interrupts disturb no measurement. Ends the process if there is no console: the missing end marker fails the run.
[[gnu::format(printf, 1, 2)]] void say(const char *format, ...);

// A word of the kernel's command line (by init's environment), or `fallback`.
const char *word(const char *name, const char *fallback);

// Whether a comma-separated list holds a name; an empty list holds all.
bool listed(const char *list, const char *name);

// Mounts /proc, /sys, /dev and a tmpfs on /tmp. One that cannot be mounted is reported by `skip` (a line's beginning,
// e.g. BENCH_SKIP).
void mount_all(const char *skip);
