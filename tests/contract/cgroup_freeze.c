// tests/contract/cgroup_freeze.c — freezing control groups: cgroups(7), "cgroup.freeze".
#include "tests/contract/cgroup.h"

#include <sched.h>
#include <sys/prctl.h>

static volatile unsigned *count; // shared with the member below

// A member of g that counts whenever it runs.
static pid_t counting_member(void)
{
    count = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(count != MAP_FAILED);
    IN_CHILD(child)
    {
        join_group("cg/g");
        for (;;)
            (*count)++;
    }
    while (*count == 0)
        sleep_ms(1);
    return child;
}

static void until_it_counts_beyond(unsigned before)
{
    for (int64_t end = soon(); *count == before && now_ns() < end;)
        sleep_ms(2);
    EXPECT(*count != before);
}

CASE(cgroup_freeze_stops_and_thaws)
{
    make_group();
    pid_t child = counting_member();
    int fd = open("cg/g/cgroup.events", O_RDONLY);
    char text[64];
    REQUIRE(read(fd, text, sizeof text) > 0);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    expect_soon("frozen 1");
    unsigned frozen_at = *count;
    sleep_ms(50);
    EXPECT_EQ(*count, frozen_at);
    EXPECT_EQ(waitpid(child, nullptr, WNOHANG | WUNTRACED), 0); // it is not stopped as by a signal
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "0"), 0);
    until_it_counts_beyond(frozen_at);
    EXPECT(has_line("cg/g/cgroup.events", "frozen 0"));
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    kill(child, SIGKILL); // even a frozen one dies
    EXPECT_KILLED(child, SIGKILL);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "2"), -ERANGE);
    close(fd);
    remove_group();
}

static _Atomic bool groups_change;

static void *freeze_often(void *)
{
    while (groups_change) {
        int fd = open("cg/g/h/cgroup.freeze", O_WRONLY);
        if (fd < 0)
            continue;
        (void)!write(fd, "1", 1);
        close(fd);
    }
    return nullptr;
}

CASE(cgroup_frozen_while_it_is_removed_is_not_counted_above)
{
    pthread_t freezer;
    make_group();
    groups_change = true;
    REQUIRE(pthread_create(&freezer, nullptr, freeze_often, nullptr) == 0);
    for (int i = 0; i < 300; i++) {
        EXPECT_EQ(mkdir("cg/g/h", 0755), 0);
        sched_yield();
        EXPECT_EQ(rmdir("cg/g/h"), 0);
    }
    groups_change = false;
    pthread_join(freezer, nullptr);
    EXPECT(has_line("cg/g/cgroup.events", "frozen 0"));
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    expect_soon("frozen 1");
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "0"), 0);
    EXPECT(has_line("cg/g/cgroup.events", "frozen 0"));
    remove_group();
}

CASE(cgroup_frozen_member_dies_of_any_fatal_signal)
{
    make_group();
    pid_t child = counting_member();
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    expect_soon("frozen 1");
    kill(child, SIGTERM);
    EXPECT_KILLED(child, SIGTERM);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "0"), 0);
    remove_group();
}

CASE(cgroup_freeze_reaches_a_signal_wait)
{
    make_group();
    IN_CHILD(child)
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        join_group("cg/g");
        EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, nullptr, nullptr, 8), EINTR);
    }
    until_asleep(child);
    while (!has_line("cg/g/cgroup.events", "populated 1"))
        sched_yield();
    until_asleep(child);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    expect_soon("frozen 1");
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "0"), 0);
    EXPECT_EXITED(child, 0);
    remove_group();
}

// What does not run anyway is as good as frozen: who is stopped, and who waits for a vfork child.
CASE(cgroup_freeze_counts_the_stopped_and_vfork_parents)
{
    make_group();
    int fds[2];
    char c;
    REQUIRE(pipe(fds) == 0);
    pid_t stopped = counting_member();
    kill(stopped, SIGSTOP);
    EXPECT_EQ(waitpid(stopped, nullptr, WUNTRACED), stopped);
    unsigned stopped_at = *count;
    IN_CHILD(parent)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        join_group("cg/g");
        if (vfork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(fds[1], "x", 1);
            for (;;)
                pause();
        }
    }
    REQUIRE(read(fds[0], &c, 1) == 1);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "1"), 0);
    expect_soon("frozen 1");
    int status = 0;
    kill(stopped, SIGCONT); // it goes on as far as the freezer
    EXPECT_EQ(waitpid(stopped, &status, WCONTINUED), stopped);
    EXPECT(WIFCONTINUED(status));
    sleep_ms(50);
    expect_soon("frozen 1");
    EXPECT_EQ(*count, stopped_at);
    EXPECT_EQ(write_text("cg/g/cgroup.freeze", "0"), 0);
    EXPECT(has_line("cg/g/cgroup.events", "frozen 0"));
    until_it_counts_beyond(stopped_at);
    EXPECT_EQ(write_text("cg/g/cgroup.kill", "1"), 0);
    EXPECT_KILLED(stopped, SIGKILL);
    EXPECT_KILLED(parent, SIGKILL);
    remove_group();
}
