// tests/contract/fuzz.c — nonsense in every system call: whatever a program asks, the kernel answers and goes on.
//
// Each case takes a share of the numbers and calls them with arguments from a list of awkward values, with random ones, and with commands that
// the call knows, in throw-away children inside PID, mount and UTS namespaces of their own. The sequence is the same each time, unless
// fuzz_seed says otherwise (tests/contract/fuzz.h). A case passes when the system still works.
#include "tests/contract/fuzz.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

enum { NUMBERS = 480, SHARES = 8, CHILD_MS = 1500 };

// Calls that end the machine, set its clock, or take the console away, when root makes them; and those with nothing to learn from.
static bool skipped(long number, bool root)
{
    switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_pause:
    case SYS_rt_sigreturn: // any frame at all: it is in a case of its own
        return true;
    case SYS_reboot:
    case SYS_kexec_load:
    case 320: // kexec_file_load
    case SYS_settimeofday:
    case SYS_clock_settime:
    case SYS_adjtimex:
    case SYS_clock_adjtime:
    case SYS_vhangup:
    case SYS_swapon:
    case SYS_swapoff:
    case SYS_init_module:
    case SYS_finit_module:
    case SYS_delete_module:
    case SYS_syslog:
    case SYS_iopl:
    case SYS_ioperm:
    case SYS_acct:
    case SYS_ptrace:
    case SYS_sync:
    case SYS_kill: // -1 is everybody in the namespace, its init too
    case SYS_sched_setscheduler: // a real-time loop on the only CPU
    case SYS_sched_setparam:
    case 314: // sched_setattr
        return root;
    default:
        return false;
    }
}

unsigned long fuzz_setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, nullptr, 10) : otherwise;
}

static uint64_t random_state;

void fuzz_begin(uint64_t number)
{
    random_state = (number * 2654435761u + fuzz_setting("fuzz_seed", 1)) | 1;
}

uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static unsigned char *area; // two pages of random bytes, one that can be read only, then nothing
enum { SOME_FDS = 16 };
static int some_fds[SOME_FDS];

static uint64_t argument(void)
{
    static const uint64_t awkward[] = {
        0,          1,           2,          3,          4,          7,          8,
        15,         63,          64,         255,        256,        4095,       4096,
        4097,       65535,       65536,      0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
        INT64_MAX,  1ul << 63,   -1ul,       -2ul,       -22ul,      -100ul,     -4096ul,
        0x7ffffffff000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffff80000000, 0xffffffff81000000, 0xfffffffffffff000,
    };
    uint64_t r = next_random();
    switch (r % 8) {
    case 0:
    case 1:
        return awkward[(r >> 8) % (sizeof awkward / sizeof awkward[0])];
    case 2:
        return (uint64_t)some_fds[(r >> 8) % SOME_FDS];
    case 3:
    case 4:
        return (uintptr_t)area + (r >> 8) % 64 * 8;
    case 5:
        return (uintptr_t)area + (size_t)(1 + (r >> 8) % 3) * PAGE - (r >> 16) % 16; // across an edge
    case 6:
        return 1ul << (r >> 8) % 64;
    default:
        return next_random();
    }
}

// Half of the commands are known ones, and half of the descriptors they are for are real.
static uint64_t argument_of(long number, int index)
{
    uint64_t value, r = next_random();
    if (r % 2 && known_argument(number, index, &value))
        return value;
    if (r % 2 && index == 0 && known_argument(number, 1, &value))
        return (uint64_t)some_fds[(r >> 8) % SOME_FDS];
    return argument();
}

static void wake_up([[maybe_unused]] int signal)
{
}

static void prepare_child(bool root)
{
    area = mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < 3 * PAGE; i += 8) {
        uint64_t value = next_random() % 3 == 0 ? argument() : 0;
        memcpy(area + i, &value, 8);
    }
    mprotect(area + 2 * PAGE, PAGE, PROT_READ);
    munmap(area + 3 * PAGE, PAGE);
    int pair[2];
    some_fds[0] = open("file", O_RDWR | O_CREAT, 0666);
    some_fds[1] = open(".", O_RDONLY | O_DIRECTORY);
    pipe2(pair, O_NONBLOCK);
    some_fds[2] = pair[0];
    some_fds[3] = pair[1];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    some_fds[4] = pair[0];
    some_fds[5] = open("/dev/null", O_RDWR);
    some_fds[6] = open("/proc/self/status", O_RDONLY);
    some_fds[7] = -1;
    some_fds[8] = open("pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    int zero = 0;
    ioctl(some_fds[8], TIOCSPTLCK, &zero);
    some_fds[9] = ioctl(some_fds[8], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
    some_fds[10] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    some_fds[11] = root ? socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP) : -1;
    some_fds[12] = eventfd(0, EFD_NONBLOCK);
    some_fds[13] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    some_fds[14] = (int)syscall(SYS_pidfd_open, getpid(), 0);
    some_fds[15] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    dup2(some_fds[5], 0); // the console is not for random writes
    dup2(some_fds[5], 1);
    dup2(some_fds[5], 2);
    struct rlimit none = {0, 0}, memory = {256 << 20, 256 << 20}, processor = {2, 2}, file = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CPU, &processor);
    setrlimit(RLIMIT_FSIZE, &file);
    if (!root) {
        syscall(SYS_setresgid, 65534, 65534, 65534);
        syscall(SYS_setresuid, 65534, 65534, 65534);
    }
    struct sigaction action = {.sa_handler = wake_up};
    sigaction(SIGALRM, &action, nullptr);
    struct itimerval beat = {{0, 3000}, {0, 3000}}; // what sleeps is woken
    setitimer(ITIMER_REAL, &beat, nullptr);
}

// One call that may come back twice: in the new process or thread, whatever its stack and its memory are, it ends at once.
static void call_and_end_the_child(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%edi, %%edi\n\t"
                     "mov $60, %%eax\n\t" // exit(2), of one thread
                     "syscall\n"
                     "1:"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
}

static bool makes_children(long number)
{
    return number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3;
}

// Flags and a signal that clone(2) may take, in any combination.
static uint64_t clone_flags(void)
{
    uint64_t flags = next_random() & next_random() & 0xffffff00;
    if (next_random() % 4 == 0)
        flags |= CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    return flags | (next_random() % 2 ? SIGCHLD : next_random() % 70);
}

static void make_a_child(long number)
{
    uint64_t first = argument(), second = argument();
    if (number == SYS_clone && next_random() % 4) {
        first = clone_flags();
        second = next_random() % 2 ? 0 : (uintptr_t)area + PAGE;
    }
    if (number == SYS_clone3 && next_random() % 4) { // flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls …
        uint64_t values[] = {clone_flags() & ~0xfful, (uintptr_t)area, argument(), argument(), next_random() % 2 ? SIGCHLD : next_random() % 70,
                             0, 0, argument(), 0, 0, 0};
        if (next_random() % 2)
            values[5 + next_random() % 6] = argument();
        memcpy(area + 512, values, sizeof values);
        first = (uintptr_t)area + 512;
        second = next_random() % 2 ? sizeof values : next_random() % 100;
    }
    call_and_end_the_child(number, first, second, argument(), argument(), argument());
}

// One child: `calls` calls of one number.
[[noreturn]] static void abuse(long number, unsigned long calls, bool root)
{
    prepare_child(root);
    for (unsigned long i = 0; i < calls; i++) {
        if (makes_children(number)) {
            make_a_child(number);
            continue;
        }
        syscall(number, argument_of(number, 0), argument_of(number, 1), argument_of(number, 2), argument_of(number, 3), argument_of(number, 4),
                argument_of(number, 5));
    }
    _exit(0);
}

static void reap_with_limit(pid_t child)
{
    int limit = CHILD_MS * (int)fuzz_setting("fuzz_seconds", 1);
    for (int ms = 0; ms < limit; ms += 2) {
        if (waitpid(child, nullptr, WNOHANG) == child)
            return;
        sleep_ms(2);
    }
    kill(child, SIGCONT);
    kill(child, SIGKILL);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

void expect_system_works(void)
{
    int fds[2];
    char c = 0;
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        write(fds[1], "w", 1);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(c, 'w');
    void *p = mmap(nullptr, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED);
    make_file("/tmp/after", "fuzz");
    EXPECT_STR(file_text("/tmp/after"), "fuzz");
    unlink("/tmp/after");
}

static void abuse_share(int share, bool root)
{
    for (long number = share; number < NUMBERS; number += SHARES) {
        if (skipped(number, root))
            continue;
        fuzz_begin((uint64_t)number * 2 + root);
        pid_t child = fork_or_fail(__FILE_NAME__, __LINE__);
        if (child == 0)
            abuse(number, fuzz_setting("fuzz_calls", 60), root);
        reap_with_limit(child);
        while (waitpid(-1, nullptr, WNOHANG) > 0)
            ;
    }
}

static void fuzz_share(int share, bool root)
{
    IN_CHILD(outside)
    {
        own_mount_namespace();
        REQUIRE(unshare(CLONE_NEWPID | CLONE_NEWUTS) == 0);
        mkdir("cell", 0777);
        REQUIRE(mount("cell", "cell", "tmpfs", 0, "size=4m,mode=777") == 0);
        REQUIRE(chdir("cell") == 0);
        REQUIRE(mkdir("pts", 0755) == 0 && mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=666") == 0);
        IN_CHILD(keeper) // the namespace's init: what is left behind in it dies with it
        {
            abuse_share(share, root);
        }
        EXPECT_EXITED(keeper, 0);
    }
    EXPECT_EXITED(outside, 0);
    expect_system_works();
}

#define FUZZ_SHARE(n)                                                                                                  \
    CASE_WITHIN(90, fuzz_calls_of_a_user_##n)                                                                          \
    {                                                                                                                  \
        fuzz_share(n, false);                                                                                          \
    }                                                                                                                  \
    CASE_WITHIN(90, fuzz_calls_of_root_##n)                                                                            \
    {                                                                                                                  \
        fuzz_share(n, true);                                                                                           \
    }

FUZZ_SHARE(0)
FUZZ_SHARE(1)
FUZZ_SHARE(2)
FUZZ_SHARE(3)
FUZZ_SHARE(4)
FUZZ_SHARE(5)
FUZZ_SHARE(6)
FUZZ_SHARE(7)

CASE(fuzz_numbers_that_are_no_calls_are_enosys)
{
    static const long numbers[] = {480, 511, 1000, 4096, 65536, 0x3fffffff, 0x7fffffff, -2, -4096, INT_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        errno = 0;
        EXPECT_EQ(syscall(numbers[i], 0, 0, 0, 0, 0, 0), -1);
        EXPECT_EQ(errno, ENOSYS);
    }
    for (long number = 336; number < 424; number++) // the hole
        EXPECT_ERRNO(syscall(number, 0, 0, 0, 0, 0, 0), ENOSYS);
}

CASE(fuzz_number_has_32_bits)
{
    EXPECT_EQ(syscall(0x7fffffff00000000 | SYS_getpid), getpid());
    EXPECT_EQ(syscall(LONG_MIN | SYS_getppid), getppid());
}

// rt_sigreturn(2) from a frame of rubbish either runs on somewhere or is SIGSEGV; never with privileges, never at the kernel's cost.
CASE_WITHIN(60, fuzz_signal_frames)
{
    for (uint64_t round = 1; round <= 300; round++) {
        IN_CHILD(child)
        {
            fuzz_begin(round * 0x9e3779b9);
            struct rlimit none = {0, 0}, second = {1, 1};
            setrlimit(RLIMIT_CORE, &none);
            setrlimit(RLIMIT_CPU, &second);
            alarm(1);
            unsigned char *stack = mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            prepare_child(false);
            for (size_t i = 0; i < 2 * PAGE; i += 8) {
                uint64_t value = argument();
                memcpy(stack + i, &value, 8);
            }
            __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::"r"(stack + 64 + round % 4 * 8) : "memory");
        }
        reap_with_limit(child);
    }
    expect_system_works();
}

// Rubbish in every register at the call itself: only rax and the flags are the kernel's to read.
CASE_WITHIN(60, fuzz_flags_and_stack_pointer_at_entry)
{
    static const uint64_t stacks[] = {0, 8, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffff80000000, -8ul};
    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        IN_CHILD(child)
        {
            // Direction, alignment and trap bits set, the stack nowhere: getpid, and exit with whether it worked.
            __asm__ volatile("pushf\n\torq $0x40400, (%%rsp)\n\tpopf\n\tmov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\t"
                             "xor %%edi, %%edi\n\ttest %%eax, %%eax\n\tsetle %%dil\n\tmov $60, %%eax\n\tsyscall" ::"r"(stacks[i])
                             : "memory");
        }
        EXPECT_EXITED(child, 0);
    }
}
