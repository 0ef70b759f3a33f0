// kernel/drivers/random/random_device.c — /dev/random, /dev/urandom, getrandom(2): random(4), random(7).
#include "kernel/abi/fcntl.h"
#include "kernel/abi/ioctl.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"
#include "kernel/drivers/mem/mem.h"
#include "kernel/drivers/random/random_device.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/sync/waitqueue.h"
#include "kernel/syscall/syscall.h"

#define RNDGETENTCNT IOR_('R', 0x00, int)
#define RNDADDTOENTCNT IOW_('R', 0x01, int)
#define RNDADDENTROPY IOW_('R', 0x03, int[2])
#define RNDZAPENTCNT IO_('R', 0x04)
#define RNDCLEARPOOL IO_('R', 0x06)
#define RNDRESEEDCRNG IO_('R', 0x07)

static struct waitqueue ready_wq = WAITQUEUE_INIT(ready_wq);

void random_credit(const void *data, size_t size, unsigned bits)
{
    random_mix(data, size, bits);
    if (random_ready())
        wake_up_all(&ready_wq);
}

// Waits until the generator has been seeded. Where nothing else seeds it, the time at which this thread wakes up does, a bit for each millisecond.
static int wait_ready(void)
{
    while (!random_ready()) {
        int err = sleep_until_interruptible(clock_monotonic() + NSEC_PER_MSEC);
        if (err)
            return -ERESTARTSYS;
        uint64_t cycles = (uint64_t)arch_cycles();
        random_credit(&cycles, sizeof cycles, 1);
    }
    return 0;
}

// Whole pages can be interrupted, what is smaller can not.
static ssize_t give(struct iov_iter *to)
{
    uint8_t chunk[256];
    size_t total = 0, since_check = 0;
    while (iov_iter_count(to)) {
        size_t n = min(iov_iter_count(to), sizeof chunk);
        random_bytes(chunk, n);
        size_t done = copy_to_iter(to, chunk, n);
        total += done;
        since_check += done;
        if (done < n)
            break;
        if (since_check >= PAGE_SIZE) {
            since_check = 0;
            if (signal_pending())
                break;
            cond_resched();
        }
    }
    bool fault = !total && iov_iter_count(to);
    memset(chunk, 0, sizeof chunk);
    compiler_barrier();
    return fault ? -EFAULT : (ssize_t)total;
}

SYSCALL3(getrandom, unsigned long, buf, size_t, size, unsigned, flags)
{
    if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if (!(flags & GRND_INSECURE) && !random_ready()) {
        if (flags & GRND_NONBLOCK)
            return -EAGAIN;
        int err = wait_ready();
        if (err)
            return err;
    }
    size = min(size, (size_t)MAX_RW_COUNT);
    if (!user_range_ok(buf, size))
        return -EFAULT;
    struct iov_iter to;
    iov_iter_init_user(&to, buf, size);
    return give(&to);
}

static ssize_t random_read(struct file *file, struct iov_iter *to, loff_t *, unsigned rw_flags)
{
    if (!random_ready()) {
        if (file->flags & O_NONBLOCK || rw_flags & RW_NOWAIT)
            return -EAGAIN;
        int err = wait_ready();
        if (err)
            return err;
    }
    return give(to);
}

static ssize_t urandom_read(struct file *, struct iov_iter *to, loff_t *, unsigned)
{
    return give(to);
}

static ssize_t mix_from(struct iov_iter *from)
{
    uint8_t chunk[256];
    size_t total = 0;
    while (iov_iter_count(from)) {
        size_t want = min(iov_iter_count(from), sizeof chunk), n = copy_from_iter(from, chunk, want);
        if (n)
            random_mix(chunk, n, 0);
        total += n;
        if (n < want)
            return total ? (ssize_t)total : -EFAULT;
        if (signal_pending() && total >= PAGE_SIZE)
            break;
    }
    return (ssize_t)total;
}

static ssize_t random_write(struct file *, struct iov_iter *from, loff_t *, unsigned)
{
    return mix_from(from);
}

static int credit_from_user(int bits)
{
    if (bits < 0)
        return -EINVAL;
    random_credit("", 0, (unsigned)bits);
    return 0;
}

// struct rand_pool_info: bits, bytes, then the bytes.
static int add_entropy(unsigned long arg)
{
    int head[2];
    if (copy_from_user(head, user_ptr(void, arg), sizeof head))
        return -EFAULT;
    if (head[0] < 0 || head[1] < 0)
        return -EINVAL;
    struct iov_iter from;
    iov_iter_init_user(&from, arg + sizeof head, (size_t)head[1]);
    ssize_t n = mix_from(&from);
    if (n < 0)
        return (int)n;
    if (n != head[1])
        return -EFAULT;
    return credit_from_user(head[0]);
}

static long random_ioctl(struct file *, unsigned cmd, unsigned long arg)
{
    int bits;
    switch (cmd) {
    case RNDGETENTCNT:
        return put_user(random_entropy(), user_ptr(int, arg));
    case RNDADDTOENTCNT:
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        return get_user(bits, user_ptr(int, arg)) ?: credit_from_user(bits);
    case RNDADDENTROPY:
        return capable(CAP_SYS_ADMIN) ? add_entropy(arg) : -EPERM;
    case RNDZAPENTCNT:
    case RNDCLEARPOOL: // documented to do nothing since there is no pool to be emptied
        return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
    case RNDRESEEDCRNG: {
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        if (!random_ready())
            return -ENODATA;
        uint8_t fresh[32];
        random_mix(fresh, arch_random(fresh, sizeof fresh), 0);
        return 0;
    }
    }
    return -EINVAL;
}

static uint32_t random_poll(struct file *file, struct poll_table *pt)
{
    poll_wait(file, &ready_wq, pt);
    return (random_ready() ? EPOLLIN | EPOLLRDNORM : 0) | EPOLLOUT | EPOLLWRNORM;
}

static loff_t random_llseek(struct file *, loff_t, int)
{
    return 0;
}

const struct file_ops random_ops = {
    .read_iter = random_read, .write_iter = random_write, .ioctl = random_ioctl, .poll = random_poll, .llseek = random_llseek};
const struct file_ops urandom_ops = {.read_iter = urandom_read, .write_iter = random_write, .ioctl = random_ioctl, .llseek = random_llseek};
