// tests/contract/signal.c — delivery, masks, flags, siginfo, alternate stacks, queues, restart: signal(7), sigaction(2).
#include "tests/contract/sigset.h"

#include <poll.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>

static siginfo_t info_seen;
static ucontext_t context_seen;
static int depth, deepest;
static int order[16], order_used;

static void on_info(int signal, siginfo_t *info, void *context)
{
    info_seen = *info;
    memcpy(&context_seen, context, sizeof context_seen);
    handled_signals++;
    last_signal = signal;
}

static void on_nested(int signal)
{
    if (order_used < 16)
        order[order_used++] = signal;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (handled_signals++ == 0)
        raise(signal);
    depth--;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    REQUIRE(sigaction(signal, &action, nullptr) == 0);
}

static void skip_ud2(int, siginfo_t *, void *), block_after(int, siginfo_t *, void *);
static void look_at_frame(int, siginfo_t *, void *), look_at_layout(int, siginfo_t *, void *);

CASE(signal_handler_runs_and_returns)
{
    count_signal(SIGUSR1, 0);
    EXPECT_EQ(raise(SIGUSR1), 0);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(last_signal, SIGUSR1);
}

CASE(signal_is_blocked_while_its_handler_runs)
{
    signal(SIGUSR1, on_nested);
    raise(SIGUSR1);
    EXPECT_EQ(handled_signals, 2);
    EXPECT_EQ(deepest, 1);
    EXPECT(!is_blocked(SIGUSR1));
}

CASE(signal_nodefer_lets_it_nest)
{
    struct sigaction action = {.sa_handler = on_nested, .sa_flags = SA_NODEFER};
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    EXPECT_EQ(deepest, 2);
}

CASE(signal_resethand_restores_the_default)
{
    count_signal(SIGUSR1, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, nullptr, &now);
    EXPECT(now.sa_handler == SIG_DFL);
    IN_CHILD(child)
    {
        raise(SIGUSR1);
    }
    EXPECT_KILLED(child, SIGUSR1);
}

static bool other_was_blocked;

static void look_at_mask(int)
{
    other_was_blocked = is_blocked(SIGUSR2);
}

CASE(signal_sa_mask_is_blocked_during_the_handler)
{
    struct sigaction action = {.sa_handler = look_at_mask, .sa_mask = set_of(SIGUSR2)};
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    EXPECT(other_was_blocked);
    EXPECT(!is_blocked(SIGUSR2));
}

CASE(signal_blocked_stays_pending_once)
{
    count_signal(SIGUSR1, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    EXPECT(is_pending(SIGUSR1));
    EXPECT_EQ(handled_signals, 0);
    unblock(SIGUSR1);
    EXPECT_EQ(handled_signals, 1); // standard signals do not queue
    EXPECT(!is_pending(SIGUSR1));
}

CASE(signal_real_time_signals_queue_in_order)
{
    block(SIGRTMIN + 1);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}), 0);
    sigset_t set = set_of(SIGRTMIN + 1);
    for (int i = 0; i < 5; i++) {
        siginfo_t info = {};
        EXPECT_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 1);
        EXPECT_EQ(info.si_value.sival_int, i);
        EXPECT_EQ(info.si_code, SI_QUEUE);
        EXPECT_EQ(info.si_pid, getpid());
    }
    EXPECT(!is_pending(SIGRTMIN + 1));
}

CASE(signal_lower_numbers_are_taken_first)
{
    sigset_t set = set_of(SIGRTMIN);
    for (int s = SIGRTMIN + 3; s >= SIGRTMIN; s--) {
        sigaddset(&set, s);
        block(s);
        sigqueue(getpid(), s, (union sigval){});
    }
    for (int s = SIGRTMIN; s <= SIGRTMIN + 3; s++)
        EXPECT_EQ(sigwaitinfo(&set, nullptr), s);
}

CASE(signal_queue_limit_is_eagain)
{
    block(SIGRTMIN);
    struct rlimit limit = {.rlim_cur = 4, .rlim_max = 4};
    EXPECT_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
    int sent = 0;
    while (sent < 100 && sigqueue(getpid(), SIGRTMIN, (union sigval){}) == 0)
        sent++;
    EXPECT_EQ(errno, EAGAIN);
    EXPECT(sent <= 4);
    EXPECT_EQ(kill(getpid(), SIGRTMIN), 0); // kill is never refused for that
}

CASE(signal_siginfo_of_kill)
{
    handle(SIGUSR1, on_info, 0);
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(info_seen.si_signo, SIGUSR1);
    EXPECT_EQ(info_seen.si_code, SI_USER);
    EXPECT_EQ(info_seen.si_pid, getpid());
    EXPECT_EQ(info_seen.si_uid, getuid());
    syscall(SYS_tgkill, getpid(), own_tid(), SIGUSR1);
    EXPECT_EQ(info_seen.si_code, SI_TKILL);
}

static void until_handled(int64_t seconds)
{
    int64_t end = now_ns() + seconds * 1000000000;
    while (!handled_signals && now_ns() < end)
        ;
}

CASE(signal_siginfo_of_timers_and_limits_is_the_kernels)
{
    static const struct {
        int timer, signal;
    } timers[] = {{ITIMER_REAL, SIGALRM}, {ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
    const struct itimerval value = {.it_value.tv_usec = 1000};
    for (int i = 0; i < 3; i++) {
        handle(timers[i].signal, on_info, 0);
        handled_signals = 0;
        info_seen = (siginfo_t){.si_pid = 1};
        REQUIRE_EQ(setitimer(timers[i].timer, &value, nullptr), 0);
        until_handled(20);
        EXPECT_EQ(info_seen.si_signo, timers[i].signal);
        EXPECT_EQ(info_seen.si_code, SI_KERNEL);
        EXPECT_EQ(info_seen.si_pid, 0);
        EXPECT_EQ(info_seen.si_uid, 0);
    }
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 20};
    handle(SIGXCPU, on_info, 0);
    handled_signals = 0;
    REQUIRE_EQ(setrlimit(RLIMIT_CPU, &limit), 0);
    until_handled(25);
    EXPECT_EQ(info_seen.si_signo, SIGXCPU);
    EXPECT_EQ(info_seen.si_code, SI_KERNEL);
}

static sigjmp_buf escape;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    on_info(signal, info, context);
    siglongjmp(escape, 1);
}

CASE(signal_siginfo_of_unmapped_access)
{
    handle(SIGSEGV, on_fault, 0);
    char *p = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, PAGE);
    if (sigsetjmp(escape, 1) == 0)
        *(volatile char *)(p + 12) = 1;
    EXPECT_EQ(info_seen.si_signo, SIGSEGV);
    EXPECT_EQ(info_seen.si_code, SEGV_MAPERR);
    EXPECT(info_seen.si_addr == p + 12);
    EXPECT_EQ(context_seen.uc_mcontext.gregs[REG_TRAPNO], 14);
    EXPECT_EQ(context_seen.uc_mcontext.gregs[REG_ERR], 6); // a write, from user mode, to a page not there
    EXPECT_EQ(context_seen.uc_mcontext.gregs[REG_CR2], p + 12);
}

CASE(signal_siginfo_of_protected_access)
{
    handle(SIGSEGV, on_fault, 0);
    char *p = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sigsetjmp(escape, 1) == 0)
        *(volatile char *)p = 1;
    EXPECT_EQ(info_seen.si_code, SEGV_ACCERR);
    EXPECT(info_seen.si_addr == p);
}

CASE(signal_access_beyond_end_of_file_is_sigbus)
{
    handle(SIGBUS, on_fault, 0);
    make_file("f", "x");
    char *p = mmap(nullptr, 2 * PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
    REQUIRE(p != MAP_FAILED);
    EXPECT_EQ(p[0], 'x');
    EXPECT_EQ(p[PAGE - 1], 0);
    if (sigsetjmp(escape, 1) == 0)
        info_seen.si_signo = *(volatile char *)(p + PAGE);
    EXPECT_EQ(info_seen.si_signo, SIGBUS);
    EXPECT_EQ(info_seen.si_code, BUS_ADRERR);
    EXPECT(info_seen.si_addr == p + PAGE);
}

CASE(signal_divide_by_zero_is_sigfpe)
{
    handle(SIGFPE, on_fault, 0);
    if (sigsetjmp(escape, 1) == 0)
        __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idiv %%ecx" ::: "eax", "ecx", "edx", "cc");
    EXPECT_EQ(info_seen.si_signo, SIGFPE);
    EXPECT_EQ(info_seen.si_code, FPE_INTDIV);
}

CASE(signal_illegal_instruction_is_sigill)
{
    handle(SIGILL, on_fault, 0);
    if (sigsetjmp(escape, 1) == 0)
        __asm__ volatile("ud2");
    EXPECT_EQ(info_seen.si_signo, SIGILL);
    EXPECT_EQ(info_seen.si_code, ILL_ILLOPN);
    EXPECT_EQ((long)info_seen.si_addr, context_seen.uc_mcontext.gregs[REG_RIP]);
}

CASE(signal_breakpoint_is_sigtrap)
{
    handle(SIGTRAP, on_info, 0);
    __asm__ volatile("int3");
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(info_seen.si_code, SI_KERNEL);
}

CASE(signal_privileged_instruction_is_sigsegv)
{
    handle(SIGSEGV, on_fault, 0);
    if (sigsetjmp(escape, 1) == 0)
        __asm__ volatile("hlt");
    EXPECT_EQ(info_seen.si_signo, SIGSEGV);
    EXPECT_EQ(info_seen.si_code, SI_KERNEL);
    EXPECT_EQ(context_seen.uc_mcontext.gregs[REG_TRAPNO], 13);
}

CASE(signal_non_canonical_address_is_sigsegv)
{
    handle(SIGSEGV, on_fault, 0);
    if (sigsetjmp(escape, 1) == 0)
        *(volatile char *)0x8000000000000000 = 1;
    EXPECT_EQ(info_seen.si_code, SI_KERNEL);
    if (sigsetjmp(escape, 1) == 0)
        *(volatile char *)0xffff800000000000 = 1; // the kernel's half
    EXPECT_EQ(info_seen.si_code, SEGV_MAPERR);
}

CASE(signal_single_step_by_trap_flag)
{
    handle(SIGTRAP, on_info, 0);
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
    EXPECT(handled_signals >= 3);
    EXPECT_EQ(info_seen.si_code, TRAP_TRACE);
}

static char *stack_seen;

static void look_at_stack(int, siginfo_t *, void *)
{
    char here;
    stack_seen = &here;
    stack_t s;
    EXPECT_EQ(sigaltstack(nullptr, &s), 0);
    EXPECT_EQ(s.ss_flags, SS_ONSTACK);
    s.ss_flags = 0;
    EXPECT_ERRNO(sigaltstack(&s, nullptr), EPERM); // in use
    handled_signals++;
}

CASE(signal_alternate_stack_is_used)
{
    static char space[65536];
    stack_t s = {.ss_sp = space, .ss_size = sizeof space};
    EXPECT_EQ(sigaltstack(&s, nullptr), 0);
    handle(SIGUSR1, look_at_stack, SA_ONSTACK);
    raise(SIGUSR1);
    EXPECT(stack_seen >= space && stack_seen < space + sizeof space);
    stack_t now;
    EXPECT_EQ(sigaltstack(nullptr, &now), 0);
    EXPECT_EQ(now.ss_flags, 0);
    EXPECT(now.ss_sp == space);
    s.ss_flags = SS_DISABLE;
    EXPECT_EQ(sigaltstack(&s, nullptr), 0);
    EXPECT_EQ(sigaltstack(nullptr, &now), 0);
    EXPECT_EQ(now.ss_flags, SS_DISABLE);
}

CASE(signal_alternate_stack_is_checked)
{
    char space[1024];
    stack_t s = {.ss_sp = space, .ss_size = 1024};
    EXPECT_ERRNO(sigaltstack(&s, nullptr), ENOMEM);
    s.ss_size = 65536;
    s.ss_flags = 99;
    EXPECT_ERRNO(sigaltstack(&s, nullptr), EINVAL);
    EXPECT_ERRNO(syscall(SYS_sigaltstack, 8, 0), EFAULT);
}

static void leave(int, siginfo_t *, void *)
{
    _exit(33);
}

static int eat_stack(int n)
{
    volatile char block[4096];
    block[0] = (char)n;
    return n < 0 ? 0 : eat_stack(n + 1) + block[0];
}

CASE(signal_stack_overflow_is_handled_on_the_alternate_stack)
{
    IN_CHILD(child)
    {
        struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_STACK, &limit);
        static char space[65536];
        stack_t s = {.ss_sp = space, .ss_size = sizeof space};
        sigaltstack(&s, nullptr);
        handle(SIGSEGV, leave, SA_ONSTACK);
        eat_stack(0);
    }
    EXPECT_EXITED(child, 33);
}

CASE(signal_stack_overflow_without_alternate_stack_kills)
{
    IN_CHILD(child)
    {
        struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_STACK, &limit);
        handle(SIGSEGV, leave, 0);
        eat_stack(0);
    }
    EXPECT_KILLED(child, SIGSEGV);
}

CASE(signal_blocked_or_ignored_fault_kills)
{
    for (int i = 0; i < 2; i++) {
        IN_CHILD(child)
        {
            if (i == 0)
                block(SIGSEGV);
            else
                signal(SIGSEGV, SIG_IGN);
            *(volatile char *)8 = 1;
        }
        EXPECT_KILLED(child, SIGSEGV);
    }
}

CASE(signal_handler_may_change_the_context)
{
    handle(SIGILL, skip_ud2, 0);
    long value = 1;
    __asm__ volatile("ud2" : "+a"(value));
    EXPECT_EQ(value, 99);
}

static void skip_ud2(int, siginfo_t *, void *context)
{
    ucontext_t *c = context;
    c->uc_mcontext.gregs[REG_RIP] += 2;
    c->uc_mcontext.gregs[REG_RAX] = 99;
}

CASE(signal_handler_may_change_the_mask_it_returns_to)
{
    handle(SIGUSR1, block_after, 0);
    raise(SIGUSR1);
    EXPECT(is_blocked(SIGUSR2));
}

static void block_after(int, siginfo_t *, void *context)
{
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void spoil_floating_point(int, siginfo_t *, void *context)
{
    const ucontext_t *c = context;
    EXPECT(c->uc_mcontext.fpregs != nullptr);
    EXPECT_EQ((uintptr_t)c->uc_mcontext.fpregs % 64, 0);
    __asm__ volatile("pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm8, %%xmm8" ::: "xmm7", "xmm8");
    handled_signals++;
}

CASE(signal_floating_point_state_is_kept)
{
    handle(SIGUSR1, spoil_floating_point, 0);
    long number = SYS_tgkill, result, back = 0, value = 0x1122334455667788;
    __asm__ volatile("movq %[value], %%xmm7; syscall; movq %%xmm7, %[back]"
                     : "=a"(result), [back] "=&r"(back)
                     : "a"(number), "D"((long)getpid()), "S"((long)own_tid()), "d"((long)SIGUSR1), [value] "r"(value)
                     : "rcx", "r11", "xmm7", "xmm8", "memory");
    EXPECT_EQ(result, 0);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_EQ(back, value);
}

CASE(signal_frame_lies_below_the_red_zone_and_is_aligned)
{
    handle(SIGUSR1, look_at_frame, 0);
    raise(SIGUSR1);
    EXPECT_EQ(handled_signals, 1);
}

static void look_at_frame(int, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    uintptr_t interrupted = (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
    EXPECT((uintptr_t)info + sizeof *info <= interrupted - 128);
    EXPECT((uintptr_t)__builtin_frame_address(0) % 16 == 0);
    EXPECT_EQ(c->uc_mcontext.gregs[REG_CSGSFS] & 0xffff, 0x33);
    handled_signals++;
}

CASE(signal_rt_sigframe_says_where_ucontext_is)
{
    handle(SIGUSR1, look_at_layout, 0);
    raise(SIGUSR1);
    EXPECT_EQ(handled_signals, 1);
}

static void look_at_layout(int, siginfo_t *info, void *context)
{
    // struct rt_sigframe: return address, ucontext, siginfo.
    EXPECT((uintptr_t)info > (uintptr_t)context);
    EXPECT(((ucontext_t *)context)->uc_link == nullptr);
    EXPECT(((ucontext_t *)context)->uc_flags & 1); // UC_FP_XSTATE
    EXPECT(((ucontext_t *)context)->uc_stack.ss_flags & SS_DISABLE);
    handled_signals++;
}

CASE(signal_kill_and_stop_cannot_be_changed)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    EXPECT_ERRNO(sigaction(SIGKILL, &action, nullptr), EINVAL);
    EXPECT_ERRNO(sigaction(SIGSTOP, &action, nullptr), EINVAL);
    EXPECT_EQ(sigaction(SIGKILL, nullptr, &action), 0);
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } raw = {};
    EXPECT_ERRNO(syscall(SYS_rt_sigaction, 65, nullptr, &raw, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_sigaction, 0, nullptr, &raw, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, &raw, 4), EINVAL);
    sigset_t all, now;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    sigprocmask(SIG_SETMASK, nullptr, &now);
    EXPECT(!sigismember(&now, SIGKILL));
    EXPECT(!sigismember(&now, SIGSTOP));
    EXPECT(sigismember(&now, SIGTERM));
    EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, 77, &all, nullptr, 8), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, nullptr, 4), EINVAL);
    EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, nullptr, 8), EFAULT);
}

CASE(signal_defaults_terminate_ignore_or_stop)
{
    static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF,
                                SIGXCPU, SIGXFSZ, SIGIO, SIGPWR, SIGSTKFLT, SIGSYS, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        IN_CHILD(child)
        {
            signal(fatal[i], SIG_DFL);
            kill(getpid(), fatal[i]);
        }
        EXPECT_KILLED(child, fatal[i]);
    }
    static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        signal(harmless[i], SIG_DFL);
        raise(harmless[i]);
    }
}

CASE(signal_ignored_signal_does_not_interrupt)
{
    signal(SIGUSR1, SIG_IGN);
    thread_t killer = after_ms(10, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_EQ(poll(nullptr, 0, 40), 0);
    join(killer);
}

CASE(signal_ignoring_discards_pending)
{
    block(SIGUSR1);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    EXPECT(!is_pending(SIGUSR1));
    block(SIGCHLD);
    raise(SIGCHLD);
    EXPECT(is_pending(SIGCHLD)); // ignored by default, but blocked: stays
    signal(SIGCHLD, SIG_DFL);
    EXPECT(!is_pending(SIGCHLD));
}

CASE(signal_continue_discards_stops_and_back)
{
    block(SIGTSTP);
    block(SIGCONT);
    raise(SIGTSTP);
    EXPECT(is_pending(SIGTSTP));
    raise(SIGCONT);
    EXPECT(!is_pending(SIGTSTP));
    EXPECT(is_pending(SIGCONT));
    raise(SIGTSTP);
    EXPECT(!is_pending(SIGCONT));
    raise(SIGCONT); // so that nothing stops us at the end
}

CASE(signal_of_an_instruction_is_taken_before_any_other)
{
    sigset_t set = set_of(SIGINT);
    struct timespec now = {};
    sigaddset(&set, SIGSEGV);
    block(SIGINT);
    block(SIGSEGV);
    raise(SIGINT);
    raise(SIGSEGV);
    EXPECT_EQ(sigtimedwait(&set, nullptr, &now), SIGSEGV);
    EXPECT_EQ(sigtimedwait(&set, nullptr, &now), SIGINT);
}
