// tests/contract/group.c — how long process groups and sessions live, and their numbers with them: setpgid(2), setsid(2), credentials(7).
#include "tests/contract/harness.h"

static pid_t sleeper(pid_t group)
{
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (!child) {
        for (;;)
            pause();
    }
    REQUIRE(setpgid(child, group) == 0);
    return child;
}

CASE(process_group_outlives_its_leader)
{
    pid_t leader = sleeper(0), member = sleeper(leader);
    char path[32];
    EXPECT_EQ(kill(leader, SIGKILL), 0);
    EXPECT_KILLED(leader, SIGKILL); // reaped
    EXPECT_EQ(getpgid(member), leader);
    EXPECT_EQ(kill(-leader, 0), 0); // the number is still the group's …
    EXPECT_ERRNO(kill(leader, 0), ESRCH); // … and no process's
    EXPECT_ERRNO(getpgid(leader), ESRCH);
    EXPECT_ERRNO(syscall(SYS_pidfd_open, leader, 0), EINVAL);
    snprintf(path, sizeof path, "/proc/%d", leader);
    EXPECT_ERRNO(access(path, F_OK), ENOENT);
    pid_t joined = sleeper(leader); // may be joined
    EXPECT_EQ(getpgid(joined), leader);
    EXPECT_EQ(waitpid(-leader, nullptr, WNOHANG), 0);
    EXPECT_EQ(kill(-leader, SIGTERM), 0);
    EXPECT_KILLED(member, SIGTERM);
    EXPECT_KILLED(joined, SIGTERM);
    EXPECT_ERRNO(kill(-leader, 0), ESRCH);
    EXPECT_ERRNO(waitpid(-leader, nullptr, 0), ECHILD);
}

CASE(process_group_left_by_its_last_member_is_gone)
{
    pid_t leader = sleeper(0), member = sleeper(leader);
    EXPECT_EQ(kill(leader, SIGKILL), 0);
    EXPECT_KILLED(leader, SIGKILL);
    EXPECT_EQ(setpgid(member, 0), 0);
    EXPECT_ERRNO(kill(-leader, 0), ESRCH);
    EXPECT_ERRNO(setpgid(member, leader), EPERM);
    EXPECT_EQ(kill(member, SIGKILL), 0);
    EXPECT_KILLED(member, SIGKILL);
}

CASE(session_outlives_its_leader)
{
    int ready[2];
    pid_t member = 0, session = 0;
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(leader)
    {
        REQUIRE(setsid() == getpid());
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (!child) {
            for (;;)
                pause();
        }
        REQUIRE(setpgid(child, child) == 0); // a group of its own in the session
        REQUIRE(write(ready[1], &child, sizeof child) == sizeof child);
    }
    REQUIRE(read(ready[0], &member, sizeof member) == sizeof member);
    session = leader;
    EXPECT_EXITED(leader, 0);
    EXPECT_EQ(getsid(member), session);
    EXPECT_ERRNO(kill(-session, 0), ESRCH); // there is no group of that number any more
    EXPECT_EQ(kill(member, SIGKILL), 0);
}

CASE(process_group_numbers_in_use_are_not_given_out)
{
    pid_t leader = sleeper(0), member = sleeper(leader);
    EXPECT_EQ(kill(leader, SIGKILL), 0);
    EXPECT_KILLED(leader, SIGKILL);
    uint64_t args[11] = {[4] = SIGCHLD, [8] = (uintptr_t)&leader, [9] = 1}; // struct clone_args: exit_signal, set_tid, set_tid_size
    EXPECT_ERRNO(syscall(SYS_clone3, args, sizeof args), EEXIST);
    EXPECT_EQ(kill(-leader, SIGKILL), 0);
    EXPECT_KILLED(member, SIGKILL);
    pid_t again = (pid_t)syscall(SYS_clone3, args, sizeof args);
    if (again == 0)
        _exit(0);
    EXPECT_EQ(again, leader);
    EXPECT_EXITED(again, 0);
}
