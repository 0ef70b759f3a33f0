// tests/contract/descriptor_look.c — descriptors of a process whose /proc/PID/fd somebody reads all the while: proc_pid_fd(5).
#include "tests/contract/harness.h"

#include <dirent.h>
#include <sys/file.h>

static _Atomic pid_t looked_at;
static _Atomic long looks;

static void *look_at_descriptors(void *)
{
    for (;;) {
        char path[32];
        snprintf(path, sizeof path, "/proc/%d/fd", looked_at);
        DIR *dir = opendir(path);
        while (dir && readdir(dir))
            ;
        if (dir)
            closedir(dir);
        looks++;
    }
    return nullptr;
}

static void let_somebody_look(pid_t pid)
{
    static pthread_t looker;
    looked_at = pid;
    if (!looker)
        REQUIRE_EQ(pthread_create(&looker, nullptr, look_at_descriptors, nullptr), 0);
    for (long before = looks; looks < before + 2;)
        sched_yield();
}

CASE_WITHIN(60, what_a_process_had_open_is_closed_when_it_was_waited_for)
{
    int ready[2], go[2], fd = open("lock", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0 && pipe(ready) == 0 && pipe(go) == 0);
    for (int round = 0; round < 30; round++) {
        IN_CHILD(child)
        {
            int own = open("lock", O_RDWR);
            REQUIRE(flock(own, LOCK_EX) == 0);
            for (int i = 0; i < 400; i++)
                dup(own);
            write_byte(ready[1]);
            read_byte(go[0]);
        }
        read_byte(ready[0]);
        let_somebody_look(child);
        write_byte(go[1]);
        EXPECT_EXITED(child, 0);
        EXPECT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
        flock(fd, LOCK_UN);
    }
}

// Arguments: the descriptor that is locked, one to write to, how often to run itself again.
HELPER(keeps_its_lock)
{
    int locked = atoi(argv[0]), to = atoi(argv[1]), left = atoi(argv[2]);
    struct flock l = {.l_type = F_WRLCK};
    if (fcntl(locked, F_SETLK, &l) != 0)
        return 1; // it is in our own way
    write(to, "r", 1);
    char number[8];
    snprintf(number, sizeof number, "%d", left - 1);
    if (left > 0)
        exec_helper("keeps_its_lock", (char *[]){argv[0], argv[1], number, nullptr}, (char *[]){nullptr});
    pause(); // for the end
    return 2;
}

CASE_WITHIN(60, record_locks_outlive_an_exec_that_somebody_watches)
{
    int told[2], fd = open("lock", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0 && pipe(told) == 0);
    IN_CHILD(child)
    {
        char locked[8], to[8];
        snprintf(locked, sizeof locked, "%d", fd);
        snprintf(to, sizeof to, "%d", told[1]);
        for (int i = 0; i < 300; i++)
            fcntl(fd, F_DUPFD, 100);
        write_byte(told[1]);
        exec_helper("keeps_its_lock", (char *[]){locked, to, "40", nullptr}, (char *[]){nullptr});
    }
    read_byte(told[0]);
    let_somebody_look(child);
    close(told[1]);
    char c;
    for (int times = 0; times < 41; times++) {
        REQUIRE_EQ(read(told[0], &c, 1), 1);
        struct flock l = {.l_type = F_WRLCK};
        EXPECT_EQ(fcntl(fd, F_GETLK, &l), 0);
        EXPECT_EQ(l.l_type, F_WRLCK);
    }
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
}
