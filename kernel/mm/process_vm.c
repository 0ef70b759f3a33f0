// kernel/mm/process_vm.c — process_vm_readv(2), process_vm_writev(2): from one process's memory to another's, page by page through a bounce page.
#include "kernel/abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/iov.h"

// Moves up to `count` bytes between the local iterator and remote address; returns how many, or -errno if none.
static ssize_t move_range(struct mm *mm, struct iov_iter *local, vaddr_t remote, size_t count, bool write, void *bounce)
{
    size_t done = 0;
    while (done < count && iov_iter_count(local)) {
        size_t part = min(count - done, PAGE_SIZE - ((remote + done) & (PAGE_SIZE - 1)));
        part = min(part, iov_iter_count(local));
        ssize_t n;
        if (write) {
            size_t got = copy_from_iter(local, bounce, part);
            if (!got)
                return done ? (ssize_t)done : -EFAULT;
            n = mm_access(mm, remote + done, bounce, got, true, false);
        } else {
            n = mm_access(mm, remote + done, bounce, part, false, false);
            if (n > 0)
                n = (ssize_t)copy_to_iter(local, bounce, (size_t)n);
        }
        if (n <= 0)
            return done ? (ssize_t)done : -EFAULT;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static ssize_t move_all(struct mm *mm, struct iov_iter *local, const struct iovec_k *remote, unsigned long nr,
                        bool write)
{
    void *bounce = kmalloc(PAGE_SIZE, ALLOC_KERNEL);
    if (!bounce)
        return -ENOMEM;
    ssize_t total = 0, n = 0;
    for (unsigned long i = 0; i < nr && iov_iter_count(local); i++) {
        n = move_range(mm, local, remote[i].base, remote[i].len, write, bounce);
        if (n < 0)
            break;
        total += n;
        if ((size_t)n < remote[i].len)
            break;
    }
    kfree(bounce);
    return total ? total : n;
}

static long transfer(pid_t pid, const void __user *lvec, unsigned long lcnt, const void __user *rvec,
                     unsigned long rcnt, unsigned long flags, bool write)
{
    if (flags)
        return -EINVAL;
    struct iovec_k local_fast[IOV_FAST], remote_fast[IOV_FAST], *local_heap = nullptr, *remote_heap = nullptr;
    struct iov_iter local, remote;
    int err = iov_iter_import(&local, lvec, lcnt, local_fast, &local_heap);
    if (err)
        return err;
    long result = iov_iter_import(&remote, rvec, rcnt, remote_fast, &remote_heap);
    if (!result && iov_iter_count(&local) && iov_iter_count(&remote)) {
        struct task *task = task_find_get(pid);
        struct mm *mm;
        result = task ? task_mm_access(task, true, &mm) : -ESRCH;
        if (!result) {
            result = move_all(mm, &local, remote.iov, remote.nr, write);
            mm_put_users(mm);
        }
        if (task)
            task_put(task);
    }
    kfree(remote_heap);
    kfree(local_heap);
    return result;
}

SYSCALL6(process_vm_readv, pid_t, pid, const void __user *, lvec, unsigned long, lcnt, const void __user *, rvec,
         unsigned long, rcnt, unsigned long, flags)
{
    return transfer(pid, lvec, lcnt, rvec, rcnt, flags, false);
}

SYSCALL6(process_vm_writev, pid_t, pid, const void __user *, lvec, unsigned long, lcnt, const void __user *, rvec,
         unsigned long, rcnt, unsigned long, flags)
{
    return transfer(pid, lvec, lcnt, rvec, rcnt, flags, true);
}
