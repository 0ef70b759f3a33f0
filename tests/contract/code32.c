// tests/contract/code32.c — a 64-bit program that goes through the 32-bit code segment, which every process has: there is nothing to be gained by it.
#include "tests/contract/harness.h"

#include <sys/time.h>

enum { CODE32 = 0x100, BACK = 0x200, SAVED_STACK = 0x800, FAR_POINTER = 0x810, FLAG = 0x820, SIZE = 0x10000 }; // offsets in low memory, whose end is the stack

static unsigned char *low;

static void put(unsigned at, const void *code, size_t size)
{
    memcpy(low + at, code, size);
}

static void put_address(unsigned at, unsigned offset)
{
    uint32_t address = (uint32_t)(uintptr_t)low + offset;
    memcpy(low + at, &address, sizeof address);
}

// Lays out a function that runs `code32` of the given length in the 32-bit segment and returns its eax.
static int (*through_32_bits(const unsigned char *code32, size_t size))(void)
{
    // push rbx, rbp, r12 .. r15; mov %rsp,saved; mov $stack,%esp; ljmp *far_pointer
    static const unsigned char enter[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x48, 0x89, 0x24, 0x25, 0, 0,
                                          0,    0,    0xbc, 0,    0,    0,    0,    0xff, 0x2c, 0x25, 0,    0,    0,    0};
    static const unsigned char leave[] = {0xea, 0, 0, 0, 0, 0x33, 0}; // ljmp $0x33,$back
    // mov saved,%rsp; pop r15 .. rbx; ret
    static const unsigned char back[] = {0x48, 0x8b, 0x24, 0x25, 0, 0, 0, 0, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};
    low = mmap(nullptr, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    REQUIRE(low != MAP_FAILED);
    put(0, enter, sizeof enter);
    put_address(14, SAVED_STACK);
    put_address(19, SIZE - 64);
    put_address(26, FAR_POINTER);
    put_address(FAR_POINTER, CODE32);
    low[FAR_POINTER + 4] = 0x23;
    put(CODE32, code32, size);
    put(CODE32 + (unsigned)size, leave, sizeof leave);
    put_address(CODE32 + (unsigned)size + 1, BACK);
    put(BACK, back, sizeof back);
    put_address(BACK + 4, SAVED_STACK);
    return (int (*)(void))(uintptr_t)low;
}

CASE(code32_runs_in_64_bit_programs)
{
    static const unsigned char code[] = {0xb8, 7, 0, 0, 0}; // mov $7,%eax
    EXPECT_EQ(through_32_bits(code, sizeof code)(), 7);
}

// What becomes of the program depends on the CPU and the kernel's support of such programs; the machine goes on in any case.
CASE(code32_system_calls_hurt_nobody_else)
{
    static const unsigned char calls[][2] = {{0x0f, 0x05}, {0x0f, 0x34}, {0xcd, 0x80}}; // syscall, sysenter, int $0x80
    for (int i = 0; i < 3; i++) {
        unsigned char code[] = {0xb8, 0xff, 0xff, 0, 0, calls[i][0], calls[i][1]}; // mov $0xffff,%eax
        IN_CHILD(child)
        {
            signal(SIGALRM, SIG_DFL);
            alarm(5);
            through_32_bits(code, sizeof code)();
        }
        EXPECT_EQ(waitpid(child, nullptr, 0), child);
    }
}

static void set_flag(int)
{
    low[FLAG] = 1;
}

CASE(code32_is_returned_to_from_a_handler)
{
    unsigned char code[] = {0x80, 0x3d, 0, 0, 0, 0, 0, 0x74, 0xf7}; // 1: cmpb $0,flag; je 1b
    int (*run)(void) = through_32_bits(code, sizeof code);
    put_address(CODE32 + 2, FLAG);
    signal(SIGALRM, set_flag);
    struct itimerval soon = {.it_value.tv_usec = 20000};
    REQUIRE(setitimer(ITIMER_REAL, &soon, nullptr) == 0);
    run();
    EXPECT_EQ(low[FLAG], 1);
}
