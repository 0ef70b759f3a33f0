// kernel/vfs/splice.c — moving data between descriptors inside the kernel: sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2).
//
// Between pipes whole pages change hands. Everything else goes through a page at a time and the files' own read and write operations.
#include "kernel/ipc/pipe.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/rw.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)
#define COPY_CHUNK (16 * PAGE_SIZE)

static ssize_t write_buffer(struct file *out, void *buf, size_t n, loff_t *pos)
{
    size_t done = 0;
    while (done < n) {
        ssize_t w = file_write(out, (char *)buf + done, n - done, pos);
        if (w <= 0)
            return done ? (ssize_t)done : w;
        done += (size_t)w;
    }
    return (ssize_t)done;
}

// Copies up to `count` bytes. What was read and could not be written is as if it had not been read: *in_pos tells how far it came.
static ssize_t copy_loop(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos, size_t count)
{
    size_t chunk = min(count, (size_t)COPY_CHUNK);
    void *buf = kvmalloc(chunk ? chunk : 1, ALLOC_KERNEL);
    if (!buf)
        return -ENOMEM;
    ssize_t done = 0, n = 0;
    while ((size_t)done < count) {
        loff_t from = *in_pos;
        n = file_read(in, buf, min(chunk, count - (size_t)done), in_pos);
        if (n <= 0)
            break;
        ssize_t w = write_buffer(out, buf, (size_t)n, out_pos);
        *in_pos = from + max(w, (ssize_t)0);
        if (w > 0)
            done += w;
        if (w < n) {
            n = w < 0 ? w : 0;
            break;
        }
        if (signal_pending()) {
            n = -ERESTARTSYS;
            break;
        }
    }
    kvfree(buf);
    return done ? done : n;
}

// A position argument: *upos if given, else the file's own.
static int position(struct file *file, const loff_t __user *upos, loff_t *pos)
{
    if (!upos) {
        *pos = file->pos;
        return 0;
    }
    if (get_user(*pos, upos))
        return -EFAULT;
    return *pos < 0 ? -EINVAL : 0;
}

static int position_done(struct file *file, loff_t __user *upos, loff_t pos)
{
    if (!upos) {
        file->pos = pos;
        return 0;
    }
    return put_user(pos, upos);
}

SYSCALL4(sendfile, int, out_fd, int, in_fd, loff_t __user *, uoffset, size_t, count)
{
    FD_REF(in, in_fd);
    FD_REF(out, out_fd);
    if (!in.file || !out.file || !(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE))
        return -EBADF;
    if (uoffset && !(in.file->mode & FMODE_PREAD))
        return -ESPIPE;
    if (S_ISDIR(in.file->inode->mode) || in.file->ops->nonseekable || !in.file->ops->read_iter || out.file->flags & O_APPEND)
        return -EINVAL;
    loff_t in_pos;
    int err = position(in.file, uoffset, &in_pos);
    if (err)
        return err;
    struct pos_ref out_pos;
    file_pos_begin(&out_pos, out.file, out.counted);
    ssize_t n = copy_loop(in.file, &in_pos, out.file, out_pos.pos, min(count, MAX_RW_COUNT));
    file_pos_end(&out_pos);
    if (n >= 0 && position_done(in.file, uoffset, in_pos))
        return -EFAULT;
    return n;
}

// ---- splice --------------------------------------------------------------------------------------------------------------------------------------------------

static ssize_t pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len, bool nonblock_in, bool nonblock_out)
{
    ssize_t done = 0;
    while ((size_t)done < len) {
        // Only the first chunk is waited for.
        int err = pipe_wait_room(out, nonblock_out || done);
        struct pipe_chunk c;
        ssize_t n = err ? err : pipe_take_chunk(in, len - (size_t)done, nonblock_in || done, &c);
        if (n <= 0)
            return done ? done : n;
        err = pipe_put_chunk(out, &c, false);
        if (err) {
            pipe_unget_chunk(in, &c);
            return done ? done : err;
        }
        done += n;
    }
    return done;
}

static ssize_t pipe_to_file(struct pipe *in, struct file *out, loff_t *pos, size_t len, bool nonblock)
{
    ssize_t done = 0;
    while ((size_t)done < len) {
        struct pipe_chunk c;
        ssize_t n = pipe_take_chunk(in, len - (size_t)done, nonblock || done, &c);
        if (n <= 0)
            return done ? done : n;
        ssize_t w = write_buffer(out, (char *)page_address(c.page) + c.offset, (size_t)n, pos);
        if (w < n) {
            uint32_t taken = w > 0 ? (uint32_t)w : 0;
            struct pipe_chunk rest = {c.page, c.offset + taken, c.len - taken};
            pipe_unget_chunk(in, &rest);
            done += taken;
            return done ? done : w;
        }
        page_put(c.page);
        done += n;
    }
    return done;
}

static ssize_t file_to_pipe(struct file *in, loff_t *pos, struct pipe *out, size_t len, bool nonblock)
{
    ssize_t done = 0;
    while ((size_t)done < len) {
        int err = pipe_wait_room(out, nonblock || done);
        if (err)
            return done ? done : err;
        struct page *page = page_alloc(0, ALLOC_KERNEL);
        if (!page)
            return done ? done : -ENOMEM;
        loff_t from = *pos;
        ssize_t n = file_read(in, page_address(page), min(len - (size_t)done, PAGE_SIZE), pos);
        err = n > 0 ? pipe_put_chunk(out, &(struct pipe_chunk){page, 0, (uint32_t)n}, false) : 0;
        if (n <= 0 || err) {
            page_put(page);
            *pos = err ? from : *pos;
            return done ? done : n > 0 ? err : n;
        }
        done += n;
        if (n < (ssize_t)PAGE_SIZE && !(in->mode & FMODE_LSEEK))
            break; // a stream gave what it had
    }
    return done;
}

SYSCALL6(splice, int, in_fd, loff_t __user *, uin, int, out_fd, loff_t __user *, uout, size_t, len, unsigned, flags)
{
    if (!len)
        return 0;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    FD_REF(in, in_fd);
    FD_REF(out, out_fd);
    if (!in.file || !out.file || !(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE))
        return -EBADF;
    struct pipe *ip = pipe_of(in.file), *op = pipe_of(out.file);
    bool nonblock = flags & SPLICE_F_NONBLOCK;
    if ((ip && uin) || (op && uout))
        return -ESPIPE;
    len = min(len, MAX_RW_COUNT);
    if (ip && op)
        return ip == op ? -EINVAL : pipe_to_pipe(ip, op, len, nonblock || in.file->flags & O_NONBLOCK, nonblock || out.file->flags & O_NONBLOCK);
    loff_t pos;
    ssize_t n;
    if (ip) {
        if ((uout && !(out.file->mode & FMODE_PWRITE)) || out.file->flags & O_APPEND || !out.file->ops->write_iter)
            return -EINVAL;
        int err = position(out.file, uout, &pos);
        n = err ? err : pipe_to_file(ip, out.file, &pos, len, nonblock || in.file->flags & O_NONBLOCK);
        return n > 0 && position_done(out.file, uout, pos) ? -EFAULT : n;
    }
    if (op) {
        if ((uin && !(in.file->mode & FMODE_PREAD)) || !in.file->ops->read_iter)
            return -EINVAL;
        int err = position(in.file, uin, &pos);
        n = err ? err : file_to_pipe(in.file, &pos, op, len, nonblock || out.file->flags & O_NONBLOCK);
        return n > 0 && position_done(in.file, uin, pos) ? -EFAULT : n;
    }
    return -EINVAL;
}

SYSCALL4(tee, int, in_fd, int, out_fd, size_t, len, unsigned, flags)
{
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!len)
        return 0;
    FD_REF(in, in_fd);
    FD_REF(out, out_fd);
    if (!in.file || !out.file || !(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE))
        return -EBADF;
    struct pipe *ip = pipe_of(in.file), *op = pipe_of(out.file);
    if (!ip || !op || ip == op)
        return -EINVAL;
    bool nonblock = flags & SPLICE_F_NONBLOCK;
    ssize_t done = 0;
    while ((size_t)done < len) {
        int err = pipe_wait_room(op, nonblock || out.file->flags & O_NONBLOCK || done);
        struct pipe_chunk c;
        ssize_t n = err ? err : pipe_peek_chunk(ip, (size_t)done, len - (size_t)done, nonblock || in.file->flags & O_NONBLOCK, &c);
        if (n > 0) {
            err = pipe_put_chunk(op, &c, false);
            if (err) {
                page_put(c.page);
                n = err;
            }
        }
        if (n <= 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

// Pages are copied, not lent: the caller may change its memory at once.
SYSCALL4(vmsplice, int, fd, const void __user *, uvec, unsigned long, nr, unsigned, flags)
{
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    FD_REF(f, fd);
    if (!f.file || !pipe_of(f.file))
        return -EBADF;
    struct iov_iter it;
    struct iovec_k fast[IOV_FAST], *to_free;
    int err = iov_iter_import(&it, uvec, nr, fast, &to_free);
    if (err)
        return err;
    loff_t pos = 0;
    unsigned rw = flags & SPLICE_F_NONBLOCK ? RW_NOWAIT : 0;
    ssize_t n = 0;
    if (iov_iter_count(&it))
        n = f.file->mode & FMODE_WRITE ? vfs_write_iter(f.file, &it, &pos, rw) : vfs_read_iter(f.file, &it, &pos, rw);
    kfree(to_free);
    return n;
}

SYSCALL6(copy_file_range, int, in_fd, loff_t __user *, uin, int, out_fd, loff_t __user *, uout, size_t, len, unsigned, flags)
{
    if (flags)
        return -EINVAL;
    FD_REF(in, in_fd);
    FD_REF(out, out_fd);
    if (!in.file || !out.file)
        return -EBADF;
    struct inode *ii = in.file->inode, *oi = out.file->inode;
    if (S_ISDIR(ii->mode) || S_ISDIR(oi->mode))
        return -EISDIR;
    if (!S_ISREG(ii->mode) || !S_ISREG(oi->mode))
        return -EINVAL;
    if (!(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE) || out.file->flags & O_APPEND)
        return -EBADF;
    if (ii->sb != oi->sb && ii->sb->type != oi->sb->type)
        return -EXDEV;
    loff_t in_pos, out_pos, end;
    int err = position(in.file, uin, &in_pos);
    if (!err)
        err = position(out.file, uout, &out_pos);
    if (err)
        return err;
    if (__builtin_add_overflow(in_pos, (loff_t)min(len, (size_t)INT64_MAX), &end) || __builtin_add_overflow(out_pos, (loff_t)min(len, (size_t)INT64_MAX), &end))
        return -EOVERFLOW;
    len = min(len, MAX_RW_COUNT);
    loff_t size = inode_size(ii);
    len = in_pos >= size ? 0 : min(len, (size_t)(size - in_pos));
    if (ii == oi && out_pos < in_pos + (loff_t)len && in_pos < out_pos + (loff_t)len)
        return -EINVAL; // overlapping
    ssize_t n = len ? copy_loop(in.file, &in_pos, out.file, &out_pos, len) : 0;
    if (n > 0 && (position_done(in.file, uin, in_pos) || position_done(out.file, uout, out_pos)))
        return -EFAULT;
    return n;
}
