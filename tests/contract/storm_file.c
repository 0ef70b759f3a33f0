// tests/contract/storm_file.c — names, locks, attributes and the working directory, used by several threads or processes at once.
#include "tests/contract/storm.h"

#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/xattr.h>

// --- Locks: whoever has one is alone. ---

static int files[STORM_THREADS];
static atomic_int inside;

static void enter_and_leave(int number)
{
    EXPECT_EQ(atomic_exchange(&inside, number + 1), 0);
    sched_yield();
    EXPECT_EQ(atomic_exchange(&inside, 0), number + 1);
}

static void open_of_each_thread(void)
{
    make_file("f", "0123456789");
    for (int i = 0; i < STORM_THREADS; i++) {
        files[i] = open("f", O_RDWR);
        REQUIRE(files[i] >= 0);
    }
}

static void lock_by_flock(int number)
{
    if (storm_random(2)) {
        EXPECT_EQ(flock(files[number], LOCK_EX), 0);
    } else if (flock(files[number], LOCK_EX | LOCK_NB) != 0) {
        EXPECT_EQ(errno, EWOULDBLOCK);
        return;
    }
    enter_and_leave(number);
    EXPECT_EQ(flock(files[number], storm_random(2) ? LOCK_UN : LOCK_SH), 0);
    EXPECT_EQ(flock(files[number], LOCK_UN), 0);
}

CASE(storm_flock_lets_one_in)
{
    open_of_each_thread();
    storm(lock_by_flock);
    EXPECT_EQ(flock(files[0], LOCK_EX | LOCK_NB), 0); // nobody has left one behind
}

static void lock_the_open_file(int number)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = (off_t)storm_random(3), .l_len = 4};
    EXPECT_EQ(fcntl(files[number], F_OFD_SETLKW, &lock), 0); // all of them hold byte 3
    enter_and_leave(number);
    lock = (struct flock){.l_type = F_UNLCK};
    EXPECT_EQ(fcntl(files[number], F_OFD_SETLK, &lock), 0);
}

CASE(storm_locks_of_open_files_let_one_in)
{
    open_of_each_thread();
    storm(lock_the_open_file);
    struct flock lock = {.l_type = F_WRLCK};
    EXPECT_EQ(fcntl(files[0], F_OFD_SETLK, &lock), 0);
}

// Locks of processes: each child takes two neighbouring bytes of a ring, in ascending order.
CASE(storm_record_locks_of_processes)
{
    open_of_each_thread();
    atomic_int *held = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(held != MAP_FAILED);
    pid_t children[STORM_THREADS];
    for (int i = 0; i < STORM_THREADS; i++) {
        IN_CHILD(child)
        {
            for (int round = 0; round < 60; round++) {
                int at = (i + round) % 4;
                struct flock lock = {.l_type = F_WRLCK, .l_start = at, .l_len = 2};
                EXPECT_EQ(fcntl(files[i], F_SETLKW, &lock), 0);
                EXPECT_EQ(atomic_fetch_add(&held[at], 1), 0);
                EXPECT_EQ(atomic_fetch_add(&held[at + 1], 1), 0);
                sched_yield();
                atomic_fetch_sub(&held[at], 1);
                lock.l_type = F_UNLCK;
                lock.l_len = 1;
                EXPECT_EQ(fcntl(files[i], F_SETLK, &lock), 0); // half of it, which splits or shrinks what there is
                sched_yield();
                atomic_fetch_sub(&held[at + 1], 1);
                lock.l_len = 2;
                EXPECT_EQ(fcntl(files[i], F_SETLK, &lock), 0);
            }
        }
        children[i] = child;
    }
    for (int i = 0; i < STORM_THREADS; i++)
        EXPECT_EXITED(children[i], 0);
}

// --- Names. ---

static void change_or_use_directory(int number)
{
    char text[8] = {}, path[PATH_MAX];
    static char home[PATH_MAX];
    if (number == 0) {
        if (!*home)
            REQUIRE(getcwd(home, sizeof home) != nullptr && strlen(home) > 2);
        static bool second;
        home[strlen(home) - 1] = second ? 'a' : 'b';
        second = !second;
        EXPECT_EQ(chdir(home), 0);
        return;
    }
    int fd = open("name", O_RDONLY);
    REQUIRE(fd >= 0);
    EXPECT_EQ(read(fd, text, sizeof text), 1);
    EXPECT(*text == 'a' || *text == 'b');
    close(fd);
    REQUIRE(getcwd(path, sizeof path) != nullptr);
    EXPECT(path[strlen(path) - 2] == '/' && strchr("ab", path[strlen(path) - 1]));
}

CASE(storm_relative_names_while_the_directory_changes)
{
    REQUIRE(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
    make_file("a/name", "a");
    make_file("b/name", "b");
    REQUIRE(chdir("a") == 0);
    storm(change_or_use_directory);
}

static void create_or_remove(int number)
{
    bool directory = storm_random(2);
    static atomic_int owner_of_file, owner_of_directory;
    atomic_int *owner = directory ? &owner_of_directory : &owner_of_file;
    int fd = directory ? mkdir("dir", 0700) : open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        EXPECT_EQ(errno, EEXIST);
        return;
    }
    EXPECT_EQ(atomic_exchange(owner, number + 1), 0);
    EXPECT_EQ(atomic_exchange(owner, 0), number + 1);
    if (!directory)
        EXPECT_EQ(close(fd), 0);
    EXPECT_EQ(directory ? rmdir("dir") : unlink("file"), 0);
}

CASE(storm_one_creates_exclusively)
{
    storm(create_or_remove);
    EXPECT_ERRNO(access("file", F_OK), ENOENT);
    EXPECT_ERRNO(access("dir", F_OK), ENOENT);
}

static void rename_or_look(int number)
{
    char name[16], text[8] = {};
    snprintf(name, sizeof name, "new.%d", number);
    switch (number) {
    case 0:
        EXPECT_EQ(syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 2), 0); // RENAME_EXCHANGE
        return;
    case 1:
        make_file(name, "n");
        EXPECT_EQ(rename(name, "replaced"), 0);
        return;
    }
    static const char *const always[] = {"one", "two", "replaced"};
    int fd = open(always[storm_random(3)], O_RDONLY);
    REQUIRE(fd >= 0); // there is no moment without the name
    EXPECT_EQ(read(fd, text, sizeof text), 1);
    close(fd);
}

CASE(storm_names_are_there_while_others_take_their_place)
{
    make_file("one", "1");
    make_file("two", "2");
    make_file("replaced", "o");
    storm(rename_or_look);
    struct stat s;
    EXPECT_EQ(stat("replaced", &s), 0);
    EXPECT_EQ(s.st_nlink, 1);
}

// Directories that two threads move into each other never become a ring.
static void move_directories(int number)
{
    const char *from[] = {"d1", "d2", "d1/d2", "d2/d1"}, *to[] = {"d2/d1", "d1/d2", "d2", "d1"};
    EXPECT(rename(from[number], to[number]) == 0 || errno == ENOENT || errno == EINVAL || errno == ENOTEMPTY);
}

CASE(storm_directories_moved_into_each_other)
{
    REQUIRE(mkdir("d1", 0700) == 0 && mkdir("d2", 0700) == 0);
    storm(move_directories);
    bool first = access("d1", F_OK) == 0, second = access("d2", F_OK) == 0;
    EXPECT(first || second); // at least one is reached from here
    EXPECT(first || access("d2/d1", F_OK) == 0);
    EXPECT(second || access("d1/d2", F_OK) == 0);
}

// --- Extended attributes. ---

static atomic_int created, removed;

static void use_attributes(int number)
{
    char value[256], list[256];
    size_t length = 1 + storm_random(sizeof value);
    memset(value, (int)('a' + length % 26), length);
    switch (storm_random(5)) {
    case 0:
        EXPECT_EQ(setxattr("f", "user.shared", value, length, 0), 0);
        return;
    case 1:
        if (setxattr("f", "user.exclusive", value, length, XATTR_CREATE) == 0)
            atomic_fetch_add(&created, 1);
        else
            EXPECT_EQ(errno, EEXIST);
        return;
    case 2:
        if (removexattr("f", "user.exclusive") == 0)
            atomic_fetch_add(&removed, 1);
        else
            EXPECT_EQ(errno, ENODATA);
        return;
    case 3: {
        ssize_t n = listxattr("f", list, sizeof list);
        REQUIRE(n > 0);
        for (char *name = list; name < list + n; name += strlen(name) + 1)
            EXPECT(strcmp(name, "user.shared") == 0 || strcmp(name, "user.exclusive") == 0 || strncmp(name, "security.", 9) == 0);
        return;
    }
    }
    ssize_t got = getxattr("f", number % 2 ? "user.shared" : "user.exclusive", value, sizeof value);
    if (got < 0) {
        EXPECT_EQ(errno, ENODATA);
        return;
    }
    for (ssize_t i = 0; i < got; i++)
        EXPECT_EQ(value[i], (char)('a' + got % 26)); // one value as it was set, not parts of two
}

CASE(storm_extended_attributes)
{
    make_file("f", "");
    REQUIRE(setxattr("f", "user.shared", "b", 1, 0) == 0);
    storm(use_attributes);
    char value[256];
    bool there = getxattr("f", "user.exclusive", value, sizeof value) >= 0;
    EXPECT_EQ(created - removed, there);
}

// --- The last block of a file system. ---

static char *last_block;
static int last_file;
static pthread_barrier_t block_turn;

static void *touch_last_block(void *)
{
    for (int i = 0; i < 300; i++) {
        pthread_barrier_wait(&block_turn);
        last_block[0] = 1;
        pthread_barrier_wait(&block_turn);
    }
    return nullptr;
}

// Both touch the same hole, for which there is just room: neither is told that there is none.
CASE(storm_last_block_is_enough_for_two_who_want_the_same)
{
    own_mount_namespace();
    REQUIRE(mkdir("small", 0755) == 0 && mount("t", "small", "tmpfs", 0, "size=4k") == 0);
    last_file = open("small/f", O_RDWR | O_CREAT, 0600);
    REQUIRE(last_file >= 0 && ftruncate(last_file, PAGE) == 0);
    last_block = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, last_file, 0);
    REQUIRE(last_block != MAP_FAILED);
    REQUIRE_EQ(pthread_barrier_init(&block_turn, nullptr, 2), 0);
    pthread_t other;
    REQUIRE_EQ(pthread_create(&other, nullptr, touch_last_block, nullptr), 0);
    for (int i = 0; i < 300; i++) {
        pthread_barrier_wait(&block_turn);
        last_block[1] = 1;
        pthread_barrier_wait(&block_turn);
        REQUIRE(fallocate(last_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == 0);
    }
    pthread_join(other, nullptr);
}
