// kernel/vfs/splice.c — moving data between descriptors inside the kernel: sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2).
//
// Pages change hands where they can: between pipes, and from the page cache of a file into a pipe, which then shows what is written to the file later. From
// the page cache to anything else the data is copied once. The rest goes through a buffer and the files' own read and write operations.
#include "kernel/ipc/pipe.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/signal.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
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

static void note_read(struct file *in, ssize_t done)
{
    if (done <= 0)
        return;
    inode_accessed(in);
    inotify_file(in, IN_ACCESS);
}

// From the page cache.
static ssize_t copy_pages(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos, size_t count)
{
    ssize_t done = 0, err = 0;
    while (!err && (size_t)done < count) {
        struct page *page;
        size_t offset;
        ssize_t n = generic_page_at(in, *in_pos, &page, &offset);
        if (n <= 0) {
            err = n;
            break;
        }
        n = min(n, (ssize_t)(count - (size_t)done));
        ssize_t w = write_buffer(out, (char *)page_address(page) + offset, (size_t)n, out_pos);
        page_put(page);
        if (w > 0) {
            *in_pos += w;
            done += w;
        }
        if (w < n) {
            err = w < 0 ? w : 0;
            break;
        }
        if (signal_pending())
            err = -ERESTARTSYS;
    }
    note_read(in, done);
    return done ? done : err;
}

// Copies up to `count` bytes. What was read and could not be written is as if it had not been read: *in_pos tells how far it came.
static ssize_t copy_loop(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos, size_t count)
{
    if (in->ops->page_cached)
        return in->mode & FMODE_READ ? copy_pages(in, in_pos, out, out_pos, count) : -EBADF;
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

// The next piece of `in` as a page with a reference. Bytes, 0 at the end of the file, -errno.
static ssize_t piece_of(struct file *in, loff_t *pos, size_t max, unsigned rw_flags, struct pipe_chunk *out)
{
    struct page *page;
    size_t offset = 0;
    ssize_t n;
    if (in->ops->page_cached) {
        n = generic_page_at(in, *pos, &page, &offset);
        if (n > 0) {
            n = min(n, (ssize_t)max);
            *pos += n;
        }
    } else {
        page = page_alloc(0, ALLOC_KERNEL);
        if (!page)
            return -ENOMEM;
        struct iov_iter it;
        iov_iter_init_kernel(&it, page_address(page), min(max, PAGE_SIZE));
        n = vfs_read_iter(in, &it, pos, rw_flags);
        if (n <= 0)
            page_put(page);
    }
    if (n > 0)
        *out = (struct pipe_chunk){page, (uint32_t)offset, (uint32_t)n};
    return n;
}

// Only the first room in the pipe, and the first piece of a stream, is waited for. A stream of which a piece did not fill its page gave what it had.
static ssize_t file_to_pipe(struct file *in, loff_t *pos, struct pipe *out, size_t len, bool nonblock)
{
    bool stream = !(in->mode & FMODE_LSEEK), is_socket = S_ISSOCK(in->inode->mode);
    ssize_t done = 0, n = 0;
    while ((size_t)done < len) {
        if ((n = pipe_room_reserve(out, nonblock || done)))
            break;
        struct pipe_chunk c;
        n = piece_of(in, pos, len - (size_t)done, (stream && done) || (is_socket && nonblock) ? RW_NOWAIT : 0, &c);
        if (n <= 0) {
            pipe_room_release(out);
            break;
        }
        pipe_room_fill(out, &c);
        done += n;
        if (stream && (n < (ssize_t)PAGE_SIZE || !(is_socket || in->ops->nowait)))
            break;
    }
    if (in->ops->page_cached)
        note_read(in, done);
    return done ? done : n;
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
    struct pipe *pipe = pipe_of(out.file);
    ssize_t n;
    count = min(count, MAX_RW_COUNT);
    if (pipe) {
        n = file_to_pipe(in.file, &in_pos, pipe, count, out.file->flags & O_NONBLOCK);
    } else {
        struct pos_ref out_pos;
        file_pos_begin(&out_pos, out.file, out.counted);
        n = copy_loop(in.file, &in_pos, out.file, out_pos.pos, count);
        file_pos_end(&out_pos);
    }
    if (n >= 0 && position_done(in.file, uoffset, in_pos))
        return -EFAULT;
    return n;
}

// ---- splice ---------------------------------------------------------------------------------------------------------

// What could not be written stays in the pipe.
static ssize_t pipe_to_file(struct pipe *in, struct file *out, loff_t *pos, size_t len, bool nonblock)
{
    ssize_t w = pipe_front_begin(in, nonblock), done = 0;
    if (w <= 0)
        return w;
    struct pipe_chunk c;
    while ((size_t)done < len && pipe_front(in, len - (size_t)done, &c)) {
        w = write_buffer(out, (char *)page_address(c.page) + c.offset, c.len, pos);
        if (w > 0) {
            pipe_front_taken(in, (size_t)w);
            done += w;
        }
        if (w < (ssize_t)c.len)
            break;
    }
    pipe_front_end(in);
    return done ? done : w;
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
        return ip == op ? -EINVAL : pipe_move(ip, op, len, nonblock || in.file->flags & O_NONBLOCK, nonblock || out.file->flags & O_NONBLOCK);
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
    return pipe_share(ip, op, min(len, MAX_RW_COUNT), nonblock || in.file->flags & O_NONBLOCK, nonblock || out.file->flags & O_NONBLOCK);
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
    loff_t in_pos = in.file->pos, out_pos = out.file->pos;
    if ((uin && get_user(in_pos, uin)) || (uout && get_user(out_pos, uout)))
        return -EFAULT;
    if ((uint64_t)in_pos + len < (uint64_t)in_pos || (uint64_t)out_pos + len < (uint64_t)out_pos)
        return -EOVERFLOW;
    if (in_pos < 0 || out_pos < 0)
        return -EINVAL;
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
