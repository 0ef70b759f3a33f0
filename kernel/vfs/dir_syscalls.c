// kernel/vfs/dir_syscalls.c — getdents(2), getdents64(2), getcwd(2), chdir(2), fchdir(2), chroot(2).
#include "kernel/abi/dirent.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/fs_context.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/path_text.h"
#include "kernel/vfs/rw.h"

// Entries go straight to user memory. The position that a record carries is that of the next entry: it is what seekdir(3) goes back to.
struct getdents {
    struct dir_context ctx;
    unsigned long buf;
    size_t left;
    bool old; // the layout of getdents: the type in the last byte
    int err;
};

static bool emit(struct dir_context *ctx, const char *name, size_t len, loff_t next, ino_t ino, unsigned type)
{
    struct getdents *g = container_of(ctx, struct getdents, ctx);
    size_t head = g->old ? offsetof(struct abi_dirent, d_name) : offsetof(struct abi_dirent64, d_name);
    size_t size = ALIGN_UP(head + len + 1 + g->old, 8);
    if (size > g->left) {
        g->err = -EINVAL; // not even one fits; counts only if there was none before
        return false;
    }
    char record[ALIGN_UP(offsetof(struct abi_dirent64, d_name) + NAME_MAX + 2, 8)] __attribute__((uninitialized));
    if (g->old) {
        struct abi_dirent *d = (void *)record;
        *d = (struct abi_dirent){.d_ino = ino, .d_off = (uint64_t)next, .d_reclen = (uint16_t)size};
    } else {
        struct abi_dirent64 *d = (void *)record;
        *d = (struct abi_dirent64){.d_ino = ino, .d_off = next, .d_reclen = (uint16_t)size, .d_type = (uint8_t)type};
    }
    memcpy(record + head, name, len);
    memset(record + head + len, 0, size - head - len);
    if (g->old)
        record[size - 1] = (char)type;
    if (copy_to_user(user_ptr(void, g->buf), record, size)) {
        g->err = -EFAULT;
        return false;
    }
    g->buf += size;
    g->left -= size;
    return true;
}

static long read_directory(int fd, unsigned long buf, unsigned size, bool old)
{
    FD_REF(f, fd);
    if (!f.file)
        return -EBADF;
    struct file *file = f.file;
    if (!file->ops->iterate)
        return -ENOTDIR;
    if (!user_range_ok(buf, size))
        return -EFAULT;
    struct getdents g = {.ctx = {.emit = emit}, .buf = buf, .left = size, .old = old};
    struct pos_ref pos;
    file_pos_begin(&pos, file, f.counted);
    int err;
    {
        read_guard(&file->inode->sem);
        g.ctx.pos = file->pos;
        err = file->inode->flags & I_DEAD ? -ENOENT : file->ops->iterate(file, &g.ctx);
        file->pos = g.ctx.pos;
    }
    if (!err)
        inode_accessed(file);
    file_pos_end(&pos);
    if (err != -ENOENT)
        inotify_file(file, IN_ACCESS);
    if (g.left < size)
        return (long)(size - g.left);
    return err ? err : g.err;
}

SYSCALL3(getdents64, int, fd, void __user *, buf, unsigned, size)
{
    return read_directory(fd, user_addr(buf), size, false);
}

SYSCALL3(getdents, int, fd, void __user *, buf, unsigned, size)
{
    return read_directory(fd, user_addr(buf), size, true);
}

SYSCALL2(getcwd, char __user *, buf, size_t, size)
{
    struct path cwd;
    fs_context_cwd(current_fs_context(), &cwd);
    char near[128] __attribute__((uninitialized)), *page = nullptr, *text = nullptr; // most are short
    long n = cwd_to_text(&cwd, near, sizeof near, &text);
    if (n == -ENAMETOOLONG) {
        page = kmalloc(PATH_MAX, ALLOC_KERNEL);
        n = page ? cwd_to_text(&cwd, page, PATH_MAX, &text) : -ENOMEM;
    }
    if (!n) {
        size_t len = strlen(text) + 1;
        n = len > size ? -ERANGE : copy_to_user(buf, text, len) ? -EFAULT : (long)len;
    }
    kfree(page);
    path_put(&cwd);
    return n;
}

SYSCALL1(chdir, const char __user *, upath)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    struct path p;
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (err)
        return err;
    err = inode_permission(p.dentry->inode, MAY_EXEC);
    if (!err)
        fs_context_set_cwd(current_fs_context(), &p);
    path_put(&p);
    return err;
}

SYSCALL1(fchdir, int, fd)
{
    FD_REF_RAW(f, fd);
    if (!f.file)
        return -EBADF;
    if (!S_ISDIR(f.file->inode->mode))
        return -ENOTDIR;
    int err = inode_permission(f.file->inode, MAY_EXEC);
    if (!err)
        fs_context_set_cwd(current_fs_context(), &f.file->path);
    return err;
}

SYSCALL1(chroot, const char __user *, upath)
{
    PATHNAME(name);
    int err = pathname_from_user(&name, upath, 0);
    struct path p;
    if (!err)
        err = path_lookup_at(AT_FDCWD, &name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (err)
        return err;
    err = inode_permission(p.dentry->inode, MAY_EXEC);
    if (!err && !capable(CAP_SYS_CHROOT))
        err = -EPERM;
    if (!err)
        fs_context_set_root(current_fs_context(), &p);
    path_put(&p);
    return err;
}
