// tests/bench/planted_loop.c — a regression planted on purpose: one loop more in every open(2).
//
// The linker puts this between open and file_do_open() (--wrap), so that the kernel's own sources stay as they are.
#include "kernel/vfs/file.h"

enum { TURNS = 40 };

int __real_file_do_open(struct file *file);
int __wrap_file_do_open(struct file *file);

int __wrap_file_do_open(struct file *file)
{
    for (volatile int turn = 0; turn < TURNS; turn++)
        ;
    return __real_file_do_open(file);
}
