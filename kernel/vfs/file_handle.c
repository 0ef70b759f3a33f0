// kernel/vfs/file_handle.c — name_to_handle_at(2), for file systems none of which can find a file by number again: EOPNOTSUPP, after all other checks.
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/namei.h"

#define HANDLE_BYTES_MAX 128u

SYSCALL5(name_to_handle_at, int, dirfd, const char __user *, upath, void __user *, uhandle, int __user *, umount_id, int, flags)
{
    (void)umount_id; // written only with a handle
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    struct path p;
    if (!err)
        err = path_lookup_at(dirfd, &name, (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), &p);
    if (err)
        return err;
    path_put(&p);
    uint32_t bytes;
    if (get_user(bytes, user_ptr(uint32_t, user_addr(uhandle))))
        return -EFAULT;
    return bytes > HANDLE_BYTES_MAX ? -EINVAL : -EOPNOTSUPP;
}
