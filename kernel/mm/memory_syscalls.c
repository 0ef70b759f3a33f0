// kernel/mm/memory_syscalls.c — the memory system calls: arguments in, the acting half, results out.
#include "kernel/abi/mman.h"
#include "kernel/mm/madvise.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/vfs/file.h"

static struct mm *current_mm(void)
{
    return current_thread()->mm;
}

SYSCALL6(mmap, unsigned long, addr, size_t, len, unsigned long, prot, unsigned long, flags, int, fd, uint64_t, offset)
{
    if (offset & ~PAGE_MASK)
        return -EINVAL;
    if (flags & MAP_ANONYMOUS)
        return mm_mmap(current_mm(), addr, len, (unsigned)prot, (unsigned)flags, nullptr, offset);
    FD_REF(f, fd);
    return f.file ? mm_mmap(current_mm(), addr, len, (unsigned)prot, (unsigned)flags, f.file, offset) : -EBADF;
}

SYSCALL2(munmap, unsigned long, addr, size_t, len)
{
    return mm_munmap(current_mm(), addr, len);
}

SYSCALL3(mprotect, unsigned long, addr, size_t, len, unsigned long, prot)
{
    return prot >> 32 ? -EINVAL : mm_mprotect(current_mm(), addr, len, (unsigned)prot);
}

// Protection keys: this kernel gives none out, which is what a CPU without them looks like to programs: pkeys(7).
SYSCALL4(pkey_mprotect, unsigned long, addr, size_t, len, unsigned long, prot, int, pkey)
{
    if (pkey != -1)
        return -EINVAL;
    return prot >> 32 ? -EINVAL : mm_mprotect(current_mm(), addr, len, (unsigned)prot);
}

SYSCALL2(pkey_alloc, unsigned long, flags, unsigned long, rights)
{
    return flags || rights & ~3ul ? -EINVAL : -ENOSPC;
}

SYSCALL1(pkey_free, int, pkey)
{
    (void)pkey;
    return -EINVAL;
}

SYSCALL5(mremap, unsigned long, old, size_t, old_len, size_t, new_len, unsigned long, flags, unsigned long, new_addr)
{
    return flags >> 32 ? -EINVAL : mm_mremap(current_mm(), old, old_len, new_len, (unsigned)flags, new_addr);
}

SYSCALL1(brk, unsigned long, brk)
{
    return (long)mm_brk(current_mm(), brk);
}

SYSCALL3(madvise, unsigned long, start, size_t, len, int, advice)
{
    return mm_madvise(current_mm(), start, len, advice);
}

SYSCALL3(msync, unsigned long, start, size_t, len, unsigned, flags)
{
    return mm_msync(current_mm(), start, len, flags);
}

SYSCALL3(mincore, unsigned long, start, size_t, len, uint8_t __user *, vec)
{
    if (start & ~PAGE_MASK)
        return -EINVAL;
    if (!user_range_ok(start, len))
        return -ENOMEM;
    size_t pages = (len >> PAGE_SHIFT) + !!(len & ~PAGE_MASK);
    if (!user_range_ok(user_addr(vec), pages))
        return -EFAULT;
    uint8_t *chunk = kmalloc(512, ALLOC_KERNEL);
    if (!chunk)
        return -EAGAIN;
    long result = 0;
    for (size_t done = 0; done < pages && !result;) {
        size_t n = min(pages - done, (size_t)512);
        result = mm_mincore(current_mm(), start + (done << PAGE_SHIFT), n, chunk);
        if (!result && copy_to_user(vec + done, chunk, n))
            result = -EFAULT;
        done += n;
    }
    kfree(chunk);
    return result;
}

SYSCALL2(mlock, unsigned long, start, size_t, len)
{
    return mm_mlock(current_mm(), start, len, VM_LOCKED);
}

SYSCALL3(mlock2, unsigned long, start, size_t, len, int, flags)
{
    if ((unsigned)flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return mm_mlock(current_mm(), start, len, VM_LOCKED | (flags ? VM_LOCKONFAULT : 0));
}

SYSCALL2(munlock, unsigned long, start, size_t, len)
{
    return mm_mlock(current_mm(), start, len, 0);
}

SYSCALL1(mlockall, int, flags)
{
    if (!flags || flags == MCL_ONFAULT)
        return -EINVAL;
    return mm_mlockall(current_mm(), (unsigned)flags);
}

SYSCALL0(munlockall)
{
    return mm_mlockall(current_mm(), 0);
}
