// kernel/fs/proc/memory.c — a process's memory: maps, smaps, smaps_rollup, mem, cmdline, environ, auxv, clear_refs (proc_pid_maps(5) and its neighbours).
#include "arch/include/mmu.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/seq_file.h"

// The memory is that of the program which ran when the file was opened: after an execve the file reads as empty. -ESRCH where there is none.
static int open_mm(struct inode *inode, struct mm **out, bool attach)
{
    struct task *task = proc_task(inode);
    if (!task)
        return -ESRCH;
    struct mm *mm = nullptr;
    int err = task_mm_access(task, attach, &mm);
    task_put(task);
    if (mm) {
        mm_get(mm);
        mm_put_users(mm);
    }
    *out = mm;
    return err == -EPERM ? -EACCES : err;
}

// ---- maps and smaps -------------------------------------------------------------------------------------------------
// A record is a VMA; its position is the address that the search for it begins at.

#define REAPED ((void *)(intptr_t)-ESRCH)

static void *maps_start(struct seq_file *m, loff_t *pos) NO_THREAD_SAFETY_ANALYSIS
{
    struct mm *mm = m->private;
    struct task *task = proc_task(m->file->inode);
    if (!task)
        return REAPED;
    task_put(task);
    if (!mm || !mm_get_users_not_zero(mm))
        return nullptr;
    down_read(&mm->sem);
    struct vma *vma = vma_find(mm, (vaddr_t)*pos);
    if (!vma) {
        up_read(&mm->sem);
        mm_put_users(mm);
    }
    return vma;
}

static void *maps_next(struct seq_file *m, void *record, loff_t *pos) NO_THREAD_SAFETY_ANALYSIS
{
    struct vma *vma = record, *next = vma_next(vma);
    *pos = (loff_t)vma->end;
    if (!next) {
        struct mm *mm = m->private;
        up_read(&mm->sem);
        mm_put_users(mm);
    }
    return next;
}

static void maps_stop(struct seq_file *m, void *record) NO_THREAD_SAFETY_ANALYSIS
{
    struct mm *mm = m->private;
    if (!record || record == REAPED)
        return;
    up_read(&mm->sem);
    mm_put_users(mm);
}

static int maps_show(struct seq_file *m, void *record)
{
    vma_show(m, record, false);
    return 0;
}
static int smaps_show(struct seq_file *m, void *record)
{
    vma_show(m, record, true);
    return 0;
}
static const struct seq_ops maps_seq = {.start = maps_start, .next = maps_next, .stop = maps_stop, .show = maps_show};
static const struct seq_ops smaps_seq = {.start = maps_start, .next = maps_next, .stop = maps_stop, .show = smaps_show};

static int open_records(struct inode *inode, struct file *file, const struct seq_ops *ops)
{
    struct mm *mm = nullptr;
    int err = open_mm(inode, &mm, false);
    if (err && err != -ESRCH)
        return err; // without memory there is nothing to keep from anybody
    err = seq_open(file, ops, mm);
    if (err && mm)
        mm_put(mm);
    return err;
}
static int maps_open(struct inode *inode, struct file *file)
{
    return open_records(inode, file, &maps_seq);
}
static int smaps_open(struct inode *inode, struct file *file)
{
    return open_records(inode, file, &smaps_seq);
}

static void maps_release(struct file *file)
{
    if (file->private && seq_of(file)->private)
        mm_put(seq_of(file)->private);
    seq_release(file);
}

const struct file_ops proc_maps_fops = {.open = maps_open, .read_iter = seq_read_iter, .llseek = endless_llseek, .release = maps_release};
const struct file_ops proc_smaps_fops = {.open = smaps_open, .read_iter = seq_read_iter, .llseek = endless_llseek, .release = maps_release};

int proc_smaps_rollup(struct seq_file *m, struct task *task)
{
    struct mm *mm;
    int err = task_mm_access(task, false, &mm);
    if (err)
        return err == -EPERM ? -EACCES : err;
    mm_show_rollup(m, mm);
    mm_put_users(mm);
    return 0;
}

// ---- raw memory -----------------------------------------------------------------------------------------------------

static int mem_open_as(struct inode *inode, struct file *file, bool attach)
{
    struct mm *mm;
    int err = open_mm(inode, &mm, attach);
    if (!err)
        file->private = mm;
    return err;
}
static int mem_open(struct inode *inode, struct file *file)
{
    return mem_open_as(inode, file, true);
}
static int peek_open(struct inode *inode, struct file *file)
{
    return mem_open_as(inode, file, false);
}

static void mem_release(struct file *file)
{
    if (file->private)
        mm_put(file->private);
}

// Copies [at, at + what the iterator wants) between the space and the caller's memory, through a page of ours. Stops at what is not mapped.
static ssize_t mem_copy(struct mm *mm, struct iov_iter *it, vaddr_t at, size_t count, bool write, bool force)
{
    char *page = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    if (!page)
        return -ENOMEM;
    ssize_t done = 0, err = 0;
    while (count && !err) {
        size_t n = min(count, PAGE_SIZE - (at & ~PAGE_MASK));
        if (write && copy_from_iter(it, page, n) != n) {
            err = -EFAULT;
            break;
        }
        ssize_t got = mm_access(mm, at, page, n, write, force);
        if (got <= 0) {
            err = done ? 0 : -EIO;
            break;
        }
        if (!write && copy_to_iter(it, page, (size_t)got) != (size_t)got) {
            err = -EFAULT;
            break;
        }
        done += got;
        at += (size_t)got;
        count -= (size_t)got;
        if ((size_t)got < n)
            break;
    }
    kfree(page);
    return done ? done : err;
}

static ssize_t mem_rw(struct file *file, struct iov_iter *it, loff_t *pos, bool write)
{
    struct mm *mm = file->private;
    if (!mm || !mm_get_users_not_zero(mm))
        return 0;
    ssize_t done = mem_copy(mm, it, (vaddr_t)*pos, iov_iter_count(it), write, true);
    if (done > 0)
        *pos += done;
    mm_put_users(mm);
    return done;
}
static ssize_t mem_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    return mem_rw(file, to, pos, false);
}
static ssize_t mem_write(struct file *file, struct iov_iter *from, loff_t *pos, unsigned)
{
    return mem_rw(file, from, pos, true);
}

// Addresses may have the top bit set: offsets are numbers here, not distances.
static loff_t mem_llseek(struct file *file, loff_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += file->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

const struct file_ops proc_mem_fops = {.open = mem_open, .read_iter = mem_read, .write_iter = mem_write, .llseek = mem_llseek, .release = mem_release};

// [start, end) of the space as the content of a file.
static ssize_t read_span(struct mm *mm, struct iov_iter *to, loff_t *pos, vaddr_t start, vaddr_t end)
{
    if (end <= start || *pos < 0 || (uint64_t)*pos >= end - start)
        return 0;
    size_t count = min(iov_iter_count(to), end - start - (size_t)*pos);
    ssize_t done = mem_copy(mm, to, start + (size_t)*pos, count, false, true);
    if (done > 0)
        *pos += done;
    return done == -EIO ? 0 : done;
}

static ssize_t environ_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    struct mm *mm = file->private;
    if (!mm || !mm_get_users_not_zero(mm))
        return 0;
    ssize_t done = read_span(mm, to, pos, mm->env_start, mm->env_end);
    mm_put_users(mm);
    return done;
}
const struct file_ops proc_environ_fops = {.open = peek_open, .read_iter = environ_read, .llseek = generic_llseek, .release = mem_release};

// Programs that rename themselves write over their arguments, and on into the environment if they need the room: once the last argument's NUL is gone, it is
// one text, which goes to the first NUL from the first argument on, and a page at most.
static vaddr_t cmdline_end(struct mm *mm)
{
    char last = 0;
    vaddr_t start = mm->arg_start, end = mm->arg_end;
    if (end <= start || mm_access(mm, end - 1, &last, 1, false, true) != 1 || last == 0)
        return end;
    if (mm->env_start == end && mm->env_end > end)
        end = mm->env_end;
    end = min(end, start + PAGE_SIZE);
    char piece[128];
    for (vaddr_t at = start; at < end;) {
        ssize_t got = mm_access(mm, at, piece, min(sizeof piece, end - at), false, true);
        if (got <= 0)
            return at;
        char *nul = memchr(piece, 0, (size_t)got);
        if (nul)
            return at + (size_t)(nul - piece) + 1;
        at += (size_t)got;
    }
    return end;
}

static ssize_t cmdline_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    struct task *task = proc_task(file->inode);
    if (!task)
        return -ESRCH;
    struct mm *mm = task_mm_get(task);
    task_put(task);
    if (!mm)
        return 0;
    ssize_t done = read_span(mm, to, pos, mm->arg_start, cmdline_end(mm));
    mm_put_users(mm);
    return done;
}
const struct file_ops proc_cmdline_fops = {.read_iter = cmdline_read, .llseek = generic_llseek};

static ssize_t auxv_read(struct file *file, struct iov_iter *to, loff_t *pos, unsigned)
{
    struct mm *mm = file->private;
    if (!mm)
        return 0;
    size_t words = 0;
    while (words + 2 <= ARRAY_SIZE(mm->auxv) && mm->auxv[words])
        words += 2;
    size_t size = min(words + 2, ARRAY_SIZE(mm->auxv)) * sizeof(uint64_t);
    if (*pos < 0 || (uint64_t)*pos >= size)
        return 0;
    size_t n = copy_to_iter(to, (char *)mm->auxv + *pos, min(iov_iter_count(to), size - (size_t)*pos));
    *pos += (loff_t)n;
    return n ? (ssize_t)n : -EFAULT;
}
const struct file_ops proc_auxv_fops = {.open = peek_open, .read_iter = auxv_read, .llseek = generic_llseek, .release = mem_release};
