// tests/contract/storm_descriptor.c — one descriptor table, used by several threads at once: open, dup, close_range, fcntl, fork.
#include "tests/contract/storm.h"

#include <sys/resource.h>

enum { HELD = 8, MOST = 1024, FIRST_SHARED = 100, NR_SHARED = 8 };

static atomic_int owners[MOST]; // number of the thread that holds a descriptor, plus 1
static ino_t inodes[STORM_THREADS];

static void make_files_of_threads(void)
{
    for (int i = 0; i < STORM_THREADS; i++) {
        char name[16];
        struct stat s;
        snprintf(name, sizeof name, "own.%d", i);
        make_file(name, name);
        REQUIRE(stat(name, &s) == 0);
        inodes[i] = s.st_ino;
    }
}

static int open_own(int number)
{
    char name[16];
    snprintf(name, sizeof name, "own.%d", number);
    int fd = open(name, O_RDONLY | (storm_random(2) ? O_CLOEXEC : 0));
    REQUIRE(fd >= 0);
    return fd;
}

static int count_open(void)
{
    int count = 0;
    for (int fd = 0; fd < MOST; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void take_and_give_back(int number)
{
    int fds[HELD];
    for (int i = 0; i < HELD; i++) {
        switch (i ? storm_random(4) : 0) {
        case 0:
            fds[i] = open_own(number);
            break;
        case 1:
            fds[i] = dup(fds[i - 1]);
            break;
        case 2:
            fds[i] = fcntl(fds[i - 1], F_DUPFD, 0);
            break;
        default:
            fds[i] = fcntl(fds[i - 1], F_DUPFD_CLOEXEC, 3);
            break;
        }
        REQUIRE(fds[i] >= 0);
        EXPECT(fds[i] < 16 + STORM_THREADS * HELD); // the lowest that is free, so never far up
        EXPECT_EQ(atomic_exchange(&owners[fds[i]], number + 1), 0);
    }
    for (int i = 0; i < HELD; i++) {
        struct stat s;
        REQUIRE(fstat(fds[i], &s) == 0);
        EXPECT_EQ(s.st_ino, inodes[number]);
        EXPECT_EQ(atomic_exchange(&owners[fds[i]], 0), number + 1);
        EXPECT_EQ(close(fds[i]), 0);
    }
}

CASE(storm_every_descriptor_has_one_owner)
{
    make_files_of_threads();
    int before = count_open();
    storm(take_and_give_back);
    EXPECT_EQ(count_open(), before);
}

static int pipes[STORM_THREADS][2];

static void fight_for_numbers(int number)
{
    struct stat s;
    int fd = FIRST_SHARED + (int)storm_random(NR_SHARED);
    switch (storm_random(7)) {
    case 0:
        EXPECT_EQ(dup2(pipes[number][1], fd), fd);
        break;
    case 1:
        EXPECT_EQ(dup3(pipes[number][1], fd, O_CLOEXEC), fd);
        break;
    case 2:
        EXPECT(close(fd) == 0 || errno == EBADF);
        break;
    case 3:
        EXPECT_EQ(syscall(SYS_close_range, FIRST_SHARED, FIRST_SHARED + NR_SHARED - 1, storm_random(2) ? 4 : 0), 0); // CLOSE_RANGE_CLOEXEC
        break;
    case 4:
        EXPECT(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 || errno == EBADF);
        break;
    case 5:
        EXPECT(write(fd, "x", 1) == 1 || errno == EBADF || errno == EAGAIN);
        break;
    default:
        EXPECT(fstat(fd, &s) == 0 ? S_ISFIFO(s.st_mode) : errno == EBADF);
        break;
    }
}

CASE(storm_dup2_and_close_range_at_the_same_numbers)
{
    static char drain[4096];
    for (int i = 0; i < STORM_THREADS; i++)
        REQUIRE(pipe2(pipes[i], O_NONBLOCK) == 0);
    storm(fight_for_numbers);
    EXPECT_EQ(syscall(SYS_close_range, FIRST_SHARED, FIRST_SHARED + NR_SHARED - 1, 0), 0);
    for (int i = 0; i < STORM_THREADS; i++) { // no reference is left behind: the last close is the end of the file
        EXPECT_EQ(close(pipes[i][1]), 0);
        ssize_t n;
        while ((n = read(pipes[i][0], drain, sizeof drain)) > 0)
            ;
        EXPECT_EQ(n, 0);
    }
}

static int flagged[STORM_THREADS];

static void set_and_look(int number)
{
    int wanted = storm_random(2) ? FD_CLOEXEC : 0;
    EXPECT_EQ(fcntl(flagged[number], F_SETFD, wanted), 0);
    int other = open_own(number); // its bits are neighbours of ours
    EXPECT_EQ(fcntl(flagged[number], F_GETFD), wanted);
    EXPECT_EQ(close(other), 0);
    EXPECT_EQ(fcntl(flagged[number], F_GETFD), wanted);
}

CASE(storm_close_on_exec_is_of_one_descriptor)
{
    make_files_of_threads();
    for (int i = 0; i < STORM_THREADS; i++)
        flagged[i] = open_own(i);
    storm(set_and_look);
}

enum { EARLY = 200, LATE = 201 };

// Thread 0 keeps EARLY open whenever LATE is; the others fork, and their children look.
static void fork_while_it_changes(int number)
{
    if (number == 0) {
        REQUIRE(dup2(0, EARLY) == EARLY && dup2(0, LATE) == LATE);
        REQUIRE(close(LATE) == 0 && close(EARLY) == 0);
        return;
    }
    IN_CHILD(child)
    {
        EXPECT(fcntl(LATE, F_GETFD) < 0 || fcntl(EARLY, F_GETFD) >= 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(storm_fork_copies_the_table_at_one_moment)
{
    storm(fork_while_it_changes);
}

static void open_to_the_limit(int number)
{
    struct rlimit limit = {.rlim_cur = storm_random(2) ? 64 : 32, .rlim_max = 64};
    if (number == 0) {
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        return;
    }
    int fds[40], count = 0;
    while (count < 40 && (fds[count] = dup(0)) >= 0)
        EXPECT(fds[count++] < 64);
    if (count < 40)
        EXPECT_EQ(errno, EMFILE);
    while (count > 0)
        EXPECT_EQ(close(fds[--count]), 0);
}

CASE(storm_opening_while_the_limit_changes)
{
    int before = count_open();
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    storm(open_to_the_limit);
    EXPECT_EQ(count_open(), before);
}
