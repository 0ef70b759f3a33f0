// kernel/ipc/pipe_syscalls.c — pipe(2), pipe2(2).
#include "kernel/ipc/pipe.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"

// Both descriptors appear, or neither does.
static long pipe_fds(int __user *fds, int flags)
{
    struct file *files[2];
    int err = pipe_create_files(files, (unsigned)flags);
    if (err)
        return err;
    int pair[2] = {fd_reserve(0, (unsigned)flags), -1};
    if (pair[0] >= 0)
        pair[1] = fd_reserve(0, (unsigned)flags);
    err = pair[0] < 0 ? pair[0] : pair[1] < 0 ? pair[1] : 0;
    if (!err && copy_to_user(fds, pair, sizeof pair))
        err = -EFAULT;
    if (err) {
        for (unsigned i = 0; i < 2; i++) {
            if (pair[i] >= 0)
                fd_release(pair[i]);
            file_put_sync(files[i]);
        }
        return err;
    }
    fd_install(pair[0], files[0]);
    fd_install(pair[1], files[1]);
    return 0;
}

SYSCALL1(pipe, int __user *, fds)
{
    return pipe_fds(fds, 0);
}

SYSCALL2(pipe2, int __user *, fds, int, flags)
{
    return pipe_fds(fds, flags);
}
