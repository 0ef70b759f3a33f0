// kernel/syscall/refuse.c — the answer to flags the table does not list, where Linux looks at the descriptor first.

#include "kernel/syscall/table.h"
#include "kernel/vfs/file.h"

long syscall_refused(int fd, int error)
{
    FD_REF(f, fd);
    return f.file ? -error : -EBADF;
}
