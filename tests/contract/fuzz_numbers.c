// tests/contract/fuzz_numbers.c — commands and options that calls know, which random numbers hardly ever hit.
#include "tests/contract/fuzz.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#define LIST(...) (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)

static const struct {
    long call;
    int index;
    const uint32_t *values; // or, if null, all below `count`
    size_t count;
} known[] = {
    {SYS_ioctl, 1,
     LIST(TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETA, TCSETA, TCSBRK, TCSBRKP, TCXONC, TCFLSH, TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCNOTTY, TIOCGPGRP,
          TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ, TIOCSWINSZ, TIOCMGET, TIOCMSET, TIOCMBIS, TIOCMBIC, TIOCGSOFTCAR, TIOCSSOFTCAR, FIONREAD,
          TIOCPKT, FIONBIO, TIOCSETD, TIOCGETD, TIOCGSID, TIOCGPTN, TIOCSPTLCK, TIOCGDEV, 0x80045439, 0x5441, FIONCLEX, FIOCLEX, FIOASYNC, FIOQSIZE,
          0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d, 0x5480, SIOCGIFCONF, SIOCGIFNAME, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCGIFADDR, SIOCSIFADDR,
          SIOCGIFNETMASK, SIOCSIFNETMASK, SIOCGIFBRDADDR, SIOCGIFMTU, SIOCSIFMTU, SIOCGIFHWADDR, SIOCSIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN,
          SIOCSIFTXQLEN, SIOCGIFMAP, SIOCADDRT, SIOCDELRT, SIOCATMARK, SIOCGPGRP, SIOCSPGRP, 0x80086601, 0x40086602, 0x801c581f, 0x401c5820,
          0xb701, 0xb702, 0xb703, 0xb704)},
    {SYS_prctl, 0, nullptr, 80},
    {SYS_prctl, 0, LIST(0x53564d41, 0x59616d61)}, // PR_SET_VMA, PR_SET_PTRACER
    {SYS_fcntl, 1, nullptr, 17},
    {SYS_fcntl, 1, LIST(36, 37, 38, 1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031, 1032, 1033, 1034, 1035, 1036, 1037, 1038, 1039, 1040)},
    {SYS_setsockopt, 1, LIST(SOL_SOCKET, IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 255)},
    {SYS_setsockopt, 2, nullptr, 80},
    {SYS_getsockopt, 1, LIST(SOL_SOCKET, IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 255)},
    {SYS_getsockopt, 2, nullptr, 80},
    {SYS_socket, 0, LIST(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET)},
    {SYS_socket, 1, LIST(SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM | SOCK_CLOEXEC, SOCK_DGRAM | SOCK_NONBLOCK)},
    {SYS_socket, 2, LIST(0, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 255)},
    {SYS_socketpair, 0, LIST(AF_UNIX)},
    {SYS_socketpair, 1, LIST(SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET)},
    {SYS_sendto, 3, LIST(0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_OOB, MSG_CONFIRM, MSG_EOR)},
    {SYS_recvfrom, 3, LIST(MSG_DONTWAIT, MSG_PEEK | MSG_DONTWAIT, MSG_TRUNC | MSG_DONTWAIT, MSG_WAITALL, MSG_ERRQUEUE, MSG_OOB)},
    {SYS_futex, 1, nullptr, 14},
    {SYS_futex, 1, LIST(128, 129, 131, 132, 133, 137, 138, 256 + 9, 256 + 128 + 9)},
    {SYS_madvise, 2, nullptr, 26},
    {SYS_madvise, 2, LIST(100, 101)},
    {SYS_mmap, 2, nullptr, 8},
    {SYS_mmap, 3, LIST(0x21, 0x22, 0x01, 0x02, 0x03, 0x32, 0x122, 0x8022, 0x20022, 0x100022, 0x40022)},
    {SYS_mprotect, 2, nullptr, 8},
    {SYS_mremap, 3, nullptr, 8},
    {SYS_lseek, 2, nullptr, 6},
    {SYS_fallocate, 1, LIST(0, 1, 3, 8, 16, 17, 32, 64)},
    {SYS_epoll_ctl, 1, nullptr, 4},
    {SYS_timer_create, 0, nullptr, 12},
    {SYS_clock_gettime, 0, nullptr, 12},
    {SYS_clock_nanosleep, 0, nullptr, 12},
    {SYS_timerfd_create, 0, nullptr, 12},
    {SYS_rt_sigaction, 0, nullptr, 66},
    {SYS_rt_sigaction, 3, LIST(8)},
    {SYS_rt_sigprocmask, 0, nullptr, 3},
    {SYS_rt_sigprocmask, 3, LIST(8)},
    {SYS_waitid, 0, nullptr, 4},
    {SYS_prlimit64, 1, nullptr, 17},
    {SYS_getrlimit, 0, nullptr, 17},
    {SYS_setrlimit, 0, nullptr, 17},
    {SYS_arch_prctl, 0, LIST(0x1001, 0x1002, 0x1003, 0x1004, 0x1011, 0x1012, 0x1021, 0x1022, 0x1023, 0x1024, 0x1025)},
    {SYS_membarrier, 0, LIST(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512)},
    {SYS_mount, 3, LIST(0, 1, 32, 4096, 8192, 0x4000, 0x20000, 0x40000, 0x80000, 0x100000, 4096 | 0x4000)},
    {SYS_unshare, 0, LIST(0x20000, 0x4000000, 0x400, 0x200, 0x20000000, 0x2000000)},
    {SYS_flock, 1, nullptr, 12},
    {SYS_setpriority, 0, nullptr, 4},
    {SYS_personality, 0, nullptr, 8},
};

bool known_argument(long call, int index, uint64_t *value)
{
    size_t first = 0;
    while (first < sizeof known / sizeof known[0] && (known[first].call != call || known[first].index != index))
        first++;
    if (first == sizeof known / sizeof known[0])
        return false;
    size_t lists = first + 1 < sizeof known / sizeof known[0] && known[first + 1].call == call && known[first + 1].index == index ? 2 : 1;
    size_t chosen = first + next_random() % lists, at = next_random() % known[chosen].count;
    *value = known[chosen].values ? known[chosen].values[at] : at;
    return true;
}
