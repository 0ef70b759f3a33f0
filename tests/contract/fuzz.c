// tests/contract/fuzz.c — nonsense in every system call: whatever a program asks, the kernel answers and goes on.
//
// Each case takes a share of the numbers and calls them with arguments from a list of awkward values and with random ones, in throw-away
// children inside a PID and a mount namespace of their own. The sequence is the same each time. A case passes when the system still works.
#include "tests/contract/harness.h"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { NUMBERS = 480, SHARES = 8, CHILD_MS = 1500 };

// Calls that end the machine, set its clock, or take the console away, when root makes them; and those with nothing to learn from.
static bool skipped(long number, bool root)
{
    switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_pause:
    case SYS_rt_sigreturn: // any frame at all: it is in a case of its own
    case SYS_fork:         // children of children outlive their watch
    case SYS_vfork:
    case SYS_clone:
    case 435: // clone3
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
    case SYS_sethostname:
    case SYS_setdomainname:
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

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static unsigned char *area; // two pages of random bytes, one that can be read only, then nothing
static int some_fds[8];

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
        return (uint64_t)some_fds[(r >> 8) % 8];
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

// One child: `calls` calls of one number.
[[noreturn]] static void abuse(long number, int calls, bool root)
{
    prepare_child(root);
    for (int i = 0; i < calls; i++)
        syscall(number, argument(), argument(), argument(), argument(), argument(), argument());
    _exit(0);
}

static void reap_with_limit(pid_t child)
{
    for (int ms = 0; ms < CHILD_MS; ms += 2) {
        if (waitpid(child, nullptr, WNOHANG) == child)
            return;
        sleep_ms(2);
    }
    kill(child, SIGCONT);
    kill(child, SIGKILL);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

static void expect_system_works(void)
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
        random_state = (uint64_t)number * 2654435761u + root + 1;
        pid_t child = fork_or_fail(__FILE_NAME__, __LINE__);
        if (child == 0)
            abuse(number, 60, root);
        reap_with_limit(child);
        while (waitpid(-1, nullptr, WNOHANG) > 0)
            ;
    }
}

static void fuzz_share(int share, bool root)
{
    IN_CHILD(outside)
    {
        REQUIRE(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS) == 0);
        REQUIRE(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
        mkdir("cell", 0777);
        REQUIRE(mount("cell", "cell", "tmpfs", 0, "size=4m,mode=777") == 0);
        REQUIRE(chdir("cell") == 0);
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
            random_state = round * 0x9e3779b97f4a7c15;
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
