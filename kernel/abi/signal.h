// kernel/abi/signal.h — signals as user space sees them: signal(7), sigaction(2). The same on every 64-bit CPU; frames are in arch/.
#pragma once

#include "kernel/base/types.h"

enum {
    SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT,
    SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS,
    SIGRTMIN = 32, SIGRTMAX = 64,
};

#define SIG_DFL 0UL
#define SIG_IGN 1UL

#define SA_NOCLDSTOP 0x00000001UL
#define SA_NOCLDWAIT 0x00000002UL
#define SA_SIGINFO 0x00000004UL
#define SA_UNSUPPORTED 0x00000400UL // always cleared by sigaction, so that programs can probe
#define SA_EXPOSE_TAGBITS 0x00000800UL
#define SA_RESTORER 0x04000000UL
#define SA_ONSTACK 0x08000000UL
#define SA_RESTART 0x10000000UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

// si_code
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_MESGQ (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO (-5)
#define SI_TKILL (-6)
enum { ILL_ILLOPC = 1, ILL_ILLOPN, ILL_ILLADR, ILL_ILLTRP, ILL_PRVOPC, ILL_PRVREG, ILL_COPROC, ILL_BADSTK };
enum { FPE_INTDIV = 1, FPE_INTOVF, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV, FPE_FLTSUB };
enum { SEGV_MAPERR = 1, SEGV_ACCERR, SEGV_BNDERR, SEGV_PKUERR };
enum { BUS_ADRALN = 1, BUS_ADRERR, BUS_OBJERR };
enum { TRAP_BRKPT = 1, TRAP_TRACE };
enum { CLD_EXITED = 1, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED };
enum { POLL_IN = 1, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP };
#define SYS_SECCOMP 1

union sigval {
    int sival_int;
    unsigned long sival_ptr;
};

// siginfo_t: 128 bytes.
struct siginfo {
    int si_signo;
    int si_errno;
    int si_code;
    int pad_;
    union {
        char space[112];
        struct { // kill, sigqueue, tkill
            pid_t pid;
            uid_t uid;
            union sigval value;
        } rt;
        struct {
            int id;
            int overrun;
            union sigval value;
        } timer;
        struct {
            pid_t pid;
            uid_t uid;
            int status;
            int64_t utime, stime; // clock ticks (100 Hz)
        } child;
        struct {
            unsigned long addr;
            int16_t addr_lsb;
        } fault;
        struct {
            int64_t band;
            int fd;
        } poll;
        struct {
            unsigned long call_addr;
            int syscall;
            unsigned arch;
        } sys;
    };
};
static_assert(sizeof(struct siginfo) == 128);
static_assert(offsetof(struct siginfo, rt.value) == 24);
static_assert(offsetof(struct siginfo, child.utime) == 32);

// struct kernel_sigaction of rt_sigaction(2) where SA_RESTORER exists (x86-64).
struct abi_sigaction {
    unsigned long handler;
    unsigned long flags;
    unsigned long restorer;
    uint64_t mask;
};
static_assert(sizeof(struct abi_sigaction) == 32);

// stack_t of sigaltstack(2).
struct abi_stack {
    unsigned long sp;
    int flags;
    size_t size;
};
static_assert(sizeof(struct abi_stack) == 24);
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1u << 31)
#define MINSIGSTKSZ 2048

// struct signalfd_siginfo: what signalfd(2) reads give.
struct abi_signalfd_siginfo {
    uint32_t ssi_signo;
    int32_t ssi_errno, ssi_code;
    uint32_t ssi_pid, ssi_uid;
    int32_t ssi_fd;
    uint32_t ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
    int32_t ssi_status, ssi_int;
    uint64_t ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
    uint16_t ssi_addr_lsb, pad2_;
    int32_t ssi_syscall;
    uint64_t ssi_call_addr;
    uint32_t ssi_arch;
    uint8_t pad_[28];
};
static_assert(sizeof(struct abi_signalfd_siginfo) == 128);
