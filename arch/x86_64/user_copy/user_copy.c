// arch/x86_64/user_copy/user_copy.c — user strings and atomic operations on user words.
#include "arch/include/user_copy.h"

#include "kernel/abi/errno.h"

ssize_t user_string_copy(char *to, const char __user *from, size_t size);
ssize_t user_string_length(const char __user *s, size_t max);

ssize_t strncpy_from_user(char *to, const char __user *from, size_t size)
{
    if (user_addr(from) >= USER_END)
        return -EFAULT;
    size_t room = min(size, USER_END - user_addr(from)); // a string may end right below the end of user memory
    ssize_t length = user_string_copy(to, from, room);
    if (length < 0 || (size_t)length < room)
        return length;
    return room < size ? -EFAULT : -ENAMETOOLONG;
}

size_t strnlen_user(const char __user *s, size_t max)
{
    if (user_addr(s) >= USER_END)
        return 0;
    size_t room = min(max, USER_END - user_addr(s));
    ssize_t length = user_string_length(s, room);
    if (length < 0)
        return 0;
    if ((size_t)length == room && room < max)
        return 0;
    return (size_t)length + 1;
}

int arch_cmpxchg_user_u32(uint32_t __user *uptr, uint32_t expected, uint32_t desired, uint32_t *old)
{
    if (!user_range_ok(user_addr(uptr), sizeof *uptr))
        return -EFAULT;
    uint32_t *word = (uint32_t *)user_addr(uptr);
    __asm__ goto(STAC "1: lock cmpxchgl %2, %1\n" CLAC EX_TABLE("1b", "%l[fault]")
                 : "+a"(expected), "+m"(*word)
                 : "r"(desired)
                 : "memory", "cc"
                 : fault);
    *old = expected;
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}

static int user_xchg(uint32_t *word, uint32_t arg, uint32_t *old)
{
    __asm__ goto(STAC "1: xchgl %0, %1\n" CLAC EX_TABLE("1b", "%l[fault]") : "+r"(arg), "+m"(*word)::"memory" : fault);
    *old = arg;
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}

static int user_xadd(uint32_t *word, uint32_t arg, uint32_t *old)
{
    __asm__ goto(STAC "1: lock xaddl %0, %1\n" CLAC EX_TABLE("1b", "%l[fault]")
                 : "+r"(arg), "+m"(*word)::"memory", "cc"
                 : fault);
    *old = arg;
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}

int arch_futex_op_user(uint32_t __user *uptr, int op, uint32_t arg, uint32_t *old)
{
    enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR };
    if (op < OP_SET || op > OP_XOR)
        return -ENOSYS;
    if (!user_range_ok(user_addr(uptr), sizeof *uptr))
        return -EFAULT;
    uint32_t *word = (uint32_t *)user_addr(uptr);
    if (op == OP_SET)
        return user_xchg(word, arg, old);
    if (op == OP_ADD)
        return user_xadd(word, arg, old);
    uint32_t seen;
    int err = get_user(seen, uptr);
    while (!err) {
        uint32_t wanted = op == OP_OR ? seen | arg : op == OP_ANDN ? seen & ~arg : seen ^ arg;
        uint32_t now;
        err = arch_cmpxchg_user_u32(uptr, seen, wanted, &now);
        if (err)
            break;
        if (now == seen) {
            *old = seen;
            return 0;
        }
        seen = now;
    }
    return err;
}
