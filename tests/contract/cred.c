// tests/contract/cred.c — identities and privileges: credentials(7), setresuid(2), capabilities(7), prctl(2).
#include "tests/contract/cred.h"

#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/xattr.h>

CASE(cred_setuid_of_root_is_for_ever)
{
    EXPECT_EQ(setuid(1000), 0);
    EXPECT_UIDS(1000, 1000, 1000);
    EXPECT_ERRNO(setuid(0), EPERM);
    EXPECT_ERRNO(setresuid(0, -1, -1), EPERM);
    EXPECT(strstr(file_text("/proc/self/status"), "\nUid:\t1000\t1000\t1000\t1000\n"));
}

CASE(cred_seteuid_can_go_back)
{
    EXPECT_EQ(seteuid(1000), 0);
    EXPECT_UIDS(0, 1000, 0);
    EXPECT_ERRNO(sethostname("x", 1), EPERM);
    EXPECT_EQ(seteuid(0), 0);
    EXPECT_UIDS(0, 0, 0);
}

CASE(cred_setreuid_rules_for_users)
{
    REQUIRE(setresuid(1000, 2000, 3000) == 0);
    EXPECT_ERRNO(setreuid(3000, -1), EPERM); // the saved id is no candidate for the real one
    EXPECT_ERRNO(setreuid(-1, 4000), EPERM);
    EXPECT_EQ(setreuid(-1, 1000), 0);
    EXPECT_UIDS(1000, 1000, 3000); // equal to the real id: the saved one stays
    EXPECT_EQ(setreuid(-1, 3000), 0);
    EXPECT_UIDS(1000, 3000, 3000);
    EXPECT_EQ(setreuid(3000, 1000), 0);
    EXPECT_UIDS(3000, 1000, 1000);
}

CASE(cred_setresuid_takes_any_of_the_three)
{
    REQUIRE(setresuid(1000, 2000, 3000) == 0);
    EXPECT_EQ(setresuid(-1, -1, -1), 0);
    EXPECT_UIDS(1000, 2000, 3000);
    EXPECT_EQ(setresuid(3000, 1000, 2000), 0);
    EXPECT_UIDS(3000, 1000, 2000);
    EXPECT_ERRNO(setresuid(3000, 1000, 2001), EPERM); // all or nothing
    EXPECT_UIDS(3000, 1000, 2000);
    uid_t id;
    EXPECT_ERRNO(syscall(SYS_getresuid, &id, &id, (void *)8), EFAULT);
}

CASE(cred_group_ids_follow_the_same_rules)
{
    gid_t r, e, s;
    REQUIRE(setresgid(10, 20, 30) == 0);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_EQ(getgid(), 10);
    EXPECT_EQ(getegid(), 20);
    EXPECT_EQ(setresgid(30, 10, 20), 0);
    EXPECT_EQ(getresgid(&r, &e, &s), 0);
    EXPECT(r == 30 && e == 10 && s == 20);
    EXPECT_ERRNO(setgid(0), EPERM);
    EXPECT_EQ(setgid(20), 0); // for a user: the effective one
    EXPECT_EQ(getresgid(&r, &e, &s), 0);
    EXPECT(r == 30 && e == 20 && s == 20);
    EXPECT_EQ(setregid(20, 30), 0);
    EXPECT_EQ(getresgid(&r, &e, &s), 0);
    EXPECT(r == 20 && e == 30 && s == 30);
}

CASE(cred_supplementary_groups)
{
    gid_t list[3] = {30, 10, 20}, got[8] = {};
    EXPECT_EQ(setgroups(3, list), 0);
    EXPECT_EQ(getgroups(0, nullptr), 3);
    EXPECT_EQ(getgroups(8, got), 3);
    EXPECT_EQ(got[0] + got[1] + got[2], 60);
    EXPECT_ERRNO(getgroups(2, got), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getgroups, -1, got), EINVAL);
    EXPECT_ERRNO(syscall(SYS_setgroups, 65537, list), EINVAL);
    EXPECT_ERRNO(syscall(SYS_setgroups, 3, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_getgroups, 8, (void *)8), EFAULT);
    make_file("f", "x");
    REQUIRE(chown("f", 0, 20) == 0 && chmod("f", 0640) == 0);
    become(1000);
    int fd = open("f", O_RDONLY); // group 20 is one of ours
    EXPECT(fd >= 0);
    EXPECT_ERRNO(open("f", O_WRONLY), EACCES);
    EXPECT_ERRNO(setgroups(0, nullptr), EPERM);
}

CASE(cred_file_system_ids_decide_about_files)
{
    make_file("f", "x");
    chmod("f", 0600);
    EXPECT_EQ(setfsuid(1000), 0);
    EXPECT_EQ(setfsuid((uid_t)-1), 1000);
    EXPECT_ERRNO(open("f", O_RDONLY), EACCES);
    EXPECT_EQ(geteuid(), 0);
    EXPECT_EQ(setfsuid(0), 1000);
    EXPECT(open("f", O_RDONLY) >= 0);
    EXPECT_EQ(setfsgid(77), 0);
    int fd = open("g", O_CREAT | O_WRONLY, 0600);
    struct stat st;
    EXPECT_EQ(fstat(fd, &st), 0);
    EXPECT_EQ(st.st_gid, 77);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_EQ(setfsuid(5), 1000);                // refused without saying so
    EXPECT_EQ(setfsuid((uid_t)-1), 1000);
}

CASE(ids_are_told_each_by_its_call)
{
    REQUIRE(setresgid(1001, 1002, 1003) == 0 && setresuid(2001, 2002, 2003) == 0);
    EXPECT_EQ(getuid(), 2001);
    EXPECT_EQ(geteuid(), 2002);
    EXPECT_EQ(getgid(), 1001);
    EXPECT_EQ(getegid(), 1002);
    IN_CHILD(child)
    {
        EXPECT_EQ(getuid(), 2001);
        EXPECT_EQ(geteuid(), 2002);
        EXPECT_EQ(getgid(), 1001);
        EXPECT_EQ(getegid(), 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setregid_moves_the_saved_id_along)
{
    gid_t real, effective, saved;
    EXPECT_EQ(syscall(SYS_setregid, 1001, 1002), 0);
    REQUIRE(getresgid(&real, &effective, &saved) == 0);
    EXPECT(real == 1001 && effective == 1002 && saved == 1002); // the real one was set
    EXPECT_EQ(syscall(SYS_setregid, -1, 1001), 0);
    REQUIRE(getresgid(&real, &effective, &saved) == 0);
    EXPECT(real == 1001 && effective == 1001 && saved == 1002); // equal to the real one: saved stays
    EXPECT_EQ(syscall(SYS_setregid, -1, -1), 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(syscall(SYS_setregid, 1002, -1), EPERM); // only real or effective may become real
        EXPECT_ERRNO(syscall(SYS_setregid, -1, 5), EPERM);
        EXPECT_EQ(syscall(SYS_setregid, -1, 1002), 0); // the saved one may become effective
        REQUIRE(getresgid(&real, &effective, &saved) == 0);
        EXPECT(real == 1001 && effective == 1002 && saved == 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setfsuid_and_setfsgid_tell_the_old_one)
{
    struct stat s;
    EXPECT_EQ(setfsuid(1000), 0);
    EXPECT_EQ(setfsuid((uid_t)-1), 1000); // no id: asks only
    EXPECT_EQ(setfsgid(2000), 0);
    EXPECT_EQ(setfsgid((gid_t)-1), 2000);
    EXPECT_EQ(geteuid(), 0);
    EXPECT_EQ(chmod(".", 0777), -1); // no longer the owner
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(setfsuid(0), 1000);
    EXPECT_EQ(chmod(".", 0777), 0);
    EXPECT_EQ(setfsuid(1000), 0);
    make_file("f", "");
    EXPECT_EQ(stat("f", &s), 0);
    EXPECT(s.st_uid == 1000 && s.st_gid == 2000);
    EXPECT_EQ(seteuid(0), 0); // takes it along
    EXPECT_EQ(setfsuid((uid_t)-1), 0);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1001, 1002) == 0);
        EXPECT_EQ(setfsuid(5), 1001);
        EXPECT_EQ(setfsuid(1002), 1001); // 5 was not one of ours
        EXPECT_EQ(setfsuid((uid_t)-1), 1002);
    }
    EXPECT_EXITED(child, 0);
}

CASE(cred_is_inherited_by_fork)
{
    REQUIRE(setresgid(10, 20, 30) == 0 && setresuid(1, 2, 3) == 0);
    IN_CHILD(child)
    {
        EXPECT_UIDS(1, 2, 3);
        EXPECT_EQ(getegid(), 20);
    }
    EXPECT_EXITED(child, 0);
}

CASE(cred_users_may_not_do_what_needs_privilege)
{
    make_file("f", "x");
    mkdir("d", 0755);
    become(1000);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &t), EPERM);
    EXPECT_ERRNO(sethostname("x", 1), EPERM);
    EXPECT_ERRNO(setdomainname("x", 1), EPERM);
    EXPECT_ERRNO(chroot("d"), EPERM);
    EXPECT_ERRNO(mount("t", "d", "tmpfs", 0, nullptr), EPERM);
    EXPECT_ERRNO(umount("/tmp"), EPERM);
    EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, nullptr), EPERM);
    EXPECT_ERRNO(unshare(CLONE_NEWNS), EPERM);
    EXPECT_ERRNO(unshare(CLONE_NEWUTS), EPERM);
    EXPECT_ERRNO(unshare(CLONE_NEWPID), EPERM);
    EXPECT_ERRNO(chown("f", 1000, 1000), EPERM);
    EXPECT_ERRNO(chmod("f", 0777), EPERM);
    EXPECT_ERRNO(mknod("/tmp/cred-node", S_IFCHR | 0600, 0x103), EPERM);
    EXPECT_ERRNO(setpriority(PRIO_PROCESS, 0, -5), EACCES);
    EXPECT_ERRNO(setpriority(PRIO_PROCESS, 1, 5), EPERM);
    EXPECT_ERRNO(kill(1, SIGTERM), EPERM);
    EXPECT_ERRNO(syscall(SYS_pivot_root, ".", "."), EPERM);
    EXPECT_ERRNO(syscall(SYS_vhangup), EPERM);
    struct sched_param p = {.sched_priority = 1};
    EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EPERM);
}

// --- Capabilities. ---

CASE(cap_root_has_all)
{
    struct caps c = get_caps();
    EXPECT_EQ(c.effective, ALL_CAPS);
    EXPECT_EQ(c.permitted, ALL_CAPS);
    EXPECT_EQ(c.inheritable, 0);
    char line[64];
    snprintf(line, sizeof line, "\nCapEff:\t%016llx\n", (unsigned long long)ALL_CAPS);
    EXPECT(strstr(file_text("/proc/self/status"), line));
}

CASE(cap_calls_check_their_arguments)
{
    struct __user_cap_header_struct head = {.version = 1};
    struct __user_cap_data_struct data[2];
    EXPECT_ERRNO(syscall(SYS_capget, &head, data), EINVAL);
    EXPECT_EQ(head.version, _LINUX_CAPABILITY_VERSION_3); // the one to be used
    head.version = 1;
    EXPECT_EQ(syscall(SYS_capget, &head, nullptr), 0); // a question for the version
    head.pid = -1;
    EXPECT_ERRNO(syscall(SYS_capget, &head, data), EINVAL);
    head.pid = 0x3ffffff;
    EXPECT_ERRNO(syscall(SYS_capget, &head, data), ESRCH);
    EXPECT_ERRNO(syscall(SYS_capget, nullptr, data), EFAULT);
    head.pid = 1;
    EXPECT_EQ(syscall(SYS_capget, &head, data), 0);
    EXPECT_ERRNO(syscall(SYS_capset, &head, data), EPERM); // only one's own
    head.pid = 0;
    EXPECT_ERRNO(syscall(SYS_capget, &head, (void *)8), EFAULT);
    EXPECT_ERRNO(syscall(SYS_capset, &head, (void *)8), EFAULT);
}

CASE(cap_dropped_is_not_got_back)
{
    struct caps c = get_caps();
    c.effective &= ~CAP(SYS_ADMIN);
    EXPECT_EQ(set_caps(c), 0);
    EXPECT_ERRNO(sethostname("x", 1), EPERM);
    c.effective |= CAP(SYS_ADMIN); // still permitted
    EXPECT_EQ(set_caps(c), 0);
    c.permitted &= ~CAP(SYS_ADMIN);
    EXPECT_ERRNO(set_caps(c), EPERM); // effective must be within permitted
    c.effective &= ~CAP(SYS_ADMIN);
    EXPECT_EQ(set_caps(c), 0);
    c.permitted |= CAP(SYS_ADMIN);
    EXPECT_ERRNO(set_caps(c), EPERM);
    EXPECT_EQ(get_caps().permitted, ALL_CAPS & ~CAP(SYS_ADMIN));
}

CASE(capget_and_capset_versions_and_processes)
{
    struct __user_cap_header_struct header = {.version = 0x1234};
    struct __user_cap_data_struct data[2] = {};
    EXPECT_EQ(syscall(SYS_capget, &header, nullptr), 0); // a question for the version
    EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0x1234;
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0x1234;
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EINVAL);
    header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_1, 0};
    EXPECT_EQ(syscall(SYS_capget, &header, data), 0);
    EXPECT_EQ(data[0].effective, UINT32_MAX);
    EXPECT_EQ(data[1].effective, 0); // that version has 32
    header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, -1};
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    header.pid = 0x3ffffff;
    EXPECT_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
    header.pid = getppid();
    EXPECT_EQ(syscall(SYS_capget, &header, data), 0);
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EPERM); // only its own
    EXPECT_ERRNO(syscall(SYS_capget, (void *)8, data), EFAULT);
}

CASE(capset_only_takes_away)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2], wanted[2];
    REQUIRE(syscall(SYS_capget, &header, data) == 0);
    memcpy(wanted, data, sizeof wanted);
    wanted[0].permitted &= ~(1u << CAP_SYS_TIME);
    EXPECT_ERRNO(syscall(SYS_capset, &header, wanted), EPERM); // effective is more than permitted
    wanted[0].effective &= ~(1u << CAP_SYS_TIME);
    EXPECT_EQ(syscall(SYS_capset, &header, wanted), 0);
    EXPECT_ERRNO(syscall(SYS_capset, &header, data), EPERM); // not to be had again
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT_ERRNO(clock_settime(CLOCK_REALTIME, &now), EPERM);
    REQUIRE(syscall(SYS_capget, &header, data) == 0);
    EXPECT_EQ(data[0].effective & 1u << CAP_SYS_TIME, 0);
}

CASE(cap_inheritable_needs_permission)
{
    struct caps c = {.effective = CAP(KILL), .permitted = CAP(KILL)};
    EXPECT_EQ(set_caps(c), 0);
    c.inheritable = CAP(KILL);
    EXPECT_EQ(set_caps(c), 0);
    c.inheritable |= CAP(CHOWN);
    EXPECT_ERRNO(set_caps(c), EPERM); // neither permitted, nor CAP_SETPCAP
}

CASE(cap_sets_change_with_the_user_ids)
{
    IN_CHILD(a)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(get_caps().permitted, 0);
        EXPECT_EQ(get_caps().effective, 0);
    }
    IN_CHILD(b)
    {
        REQUIRE(setresuid(-1, 1000, -1) == 0); // only the effective set follows the effective id
        EXPECT_EQ(get_caps().permitted, ALL_CAPS);
        EXPECT_EQ(get_caps().effective, 0);
        REQUIRE(setresuid(-1, 0, -1) == 0);
        EXPECT_EQ(get_caps().effective, ALL_CAPS);
    }
    IN_CHILD(c)
    {
        REQUIRE(setresuid(1000, 1000, 0) == 0); // one of the three is still root
        EXPECT_EQ(get_caps().permitted, ALL_CAPS);
        EXPECT_EQ(get_caps().effective, 0);
    }
    EXPECT_EXITED(a, 0);
    EXPECT_EXITED(b, 0);
    EXPECT_EXITED(c, 0);
}

CASE(cap_keepcaps_keeps_the_permitted_set)
{
    EXPECT_EQ(prctl(PR_GET_KEEPCAPS), 0);
    EXPECT_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
    EXPECT_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
    EXPECT_EQ(prctl(PR_GET_KEEPCAPS), 1);
    REQUIRE(setresuid(1000, 1000, 1000) == 0);
    EXPECT_EQ(get_caps().permitted, ALL_CAPS);
    EXPECT_EQ(get_caps().effective, 0);
    EXPECT_ERRNO(sethostname("x", 1), EPERM);
}

CASE(cap_securebits_take_root_its_specialness)
{
    EXPECT_EQ(prctl(PR_GET_SECUREBITS), 0);
    EXPECT_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
    IN_CHILD(child)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(get_caps().effective, ALL_CAPS);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED), 0);
    EXPECT_ERRNO(prctl(PR_SET_SECUREBITS, 0), EPERM);
    EXPECT_ERRNO(prctl(PR_SET_SECUREBITS, 1 << 20), EPERM);
}

HELPER(permitted_is)
{
    return get_caps().permitted == strtoull(argv[0], nullptr, 16) ? 0 : 1;
}

static void exec_permitted_is(uint64_t wanted)
{
    char text[20];
    snprintf(text, sizeof text, "%llx", (unsigned long long)wanted);
    exec_helper("permitted_is", (char *[]){text, nullptr}, nullptr);
    _exit(126);
}

CASE(cap_bounding_set_limits_exec)
{
    EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 1);
    EXPECT_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
    EXPECT_ERRNO(prctl(PR_CAPBSET_DROP, CAP_LAST_CAP + 1), EINVAL);
    IN_CHILD(child)
    {
        EXPECT_EQ(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
        EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 0);
        EXPECT_EQ(get_caps().permitted, ALL_CAPS); // now: no change
        exec_permitted_is(ALL_CAPS & ~CAP(SYS_TIME));
    }
    EXPECT_EXITED(child, 0);
    become(1000);
    EXPECT_ERRNO(prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
}

CASE(cap_user_loses_all_on_exec)
{
    IN_CHILD(child)
    {
        prctl(PR_SET_KEEPCAPS, 1);
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        exec_permitted_is(0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(cap_ambient_set_survives_exec)
{
    EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM); // not inheritable yet
    EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, 99, CAP_CHOWN, 0, 0), EINVAL);
    EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 64, 0, 0), EINVAL);
    struct caps c = get_caps();
    c.inheritable = CAP(CHOWN) | CAP(KILL);
    REQUIRE(set_caps(c) == 0);
    IN_CHILD(child)
    {
        prctl(PR_SET_KEEPCAPS, 1);
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
        EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
        EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 1);
        EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0), 0);
        EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
        exec_permitted_is(CAP(CHOWN));
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
    EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
    EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
}

CASE(cap_dac_override_opens_what_modes_forbid)
{
    make_file("f", "x");
    chmod("f", 0);
    EXPECT(open("f", O_RDWR) >= 0);
    struct caps c = get_caps();
    c.effective &= ~(CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH));
    REQUIRE(set_caps(c) == 0);
    EXPECT_ERRNO(open("f", O_RDONLY), EACCES);
    c.effective |= CAP(DAC_READ_SEARCH);
    REQUIRE(set_caps(c) == 0);
    EXPECT(open("f", O_RDONLY) >= 0);
    EXPECT_ERRNO(open("f", O_WRONLY), EACCES);
}

// --- no_new_privs, set-user-id programs. ---

CASE(no_new_privs_stays_set)
{
    EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    IN_CHILD(child)
    {
        EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    }
    EXPECT_EXITED(child, 0);
}

// Arguments: real, effective and saved user and group id, AT_SECURE, dumpable.
HELPER(ids_are)
{
    uid_t u[3];
    gid_t g[3];
    getresuid(&u[0], &u[1], &u[2]);
    getresgid(&g[0], &g[1], &g[2]);
    long got[] = {u[0], u[1], u[2], g[0], g[1], g[2], (long)getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE)};
    for (int i = 0; i < 8; i++) {
        if (got[i] != atol(argv[i]))
            return 10 + i;
    }
    return 0;
}

#define RUN_IDS_ARE(path, ...)                                                                                         \
    do {                                                                                                               \
        char *argv_[] = {path, "--helper", "ids_are", __VA_ARGS__, nullptr};                                           \
        execve(path, argv_, (char *[]){nullptr});                                                                      \
        _exit(126);                                                                                                    \
    } while (0)

CASE(setuid_program_changes_effective_and_saved_id)
{
    make_program("suid", 2000, 3000, 06755);
    chmod(".", 0755);
    IN_CHILD(child)
    {
        become(1000);
        RUN_IDS_ARE("./suid", "1000", "2000", "2000", "1000", "3000", "3000", "1", "0");
    }
    EXPECT_EXITED(child, 0);
}

CASE(setuid_root_program_gets_capabilities)
{
    make_program("suid", 0, 0, 04755);
    char text[20];
    snprintf(text, sizeof text, "%llx", (unsigned long long)ALL_CAPS);
    IN_CHILD(child)
    {
        become(1000);
        execve("./suid", (char *[]){"suid", "--helper", "permitted_is", text, nullptr}, nullptr);
    }
    EXPECT_EXITED(child, 0);
}

CASE(setuid_program_is_plain_where_it_may_not_be_more)
{
    make_program("suid", 2000, 3000, 06755);
    IN_CHILD(a)
    {
        become(1000);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        RUN_IDS_ARE("./suid", "1000", "1000", "1000", "1000", "1000", "1000", "0", "1");
    }
    EXPECT_EXITED(a, 0);
    own_mount_namespace();
    mkdir("m", 0755);
    REQUIRE(mount("t", "m", "tmpfs", MS_NOSUID, nullptr) == 0);
    chmod("m", 0755);
    make_program("m/suid", 2000, 3000, 06755);
    IN_CHILD(b)
    {
        become(1000);
        RUN_IDS_ARE("m/suid", "1000", "1000", "1000", "1000", "1000", "1000", "0", "1");
    }
    EXPECT_EXITED(b, 0);
}

CASE(setuid_program_is_plain_where_its_directory_is_shared)
{
    make_program("suid", 2000, 3000, 06755);
    chmod(".", 0755);
    IN_CHILD(starter)
    {
        become(1000);
        pid_t child = (pid_t)syscall(SYS_clone, (long)(CLONE_FS | SIGCHLD), 0, 0, 0, 0);
        if (child == 0)
            RUN_IDS_ARE("./suid", "1000", "1000", "1000", "1000", "1000", "1000", "1", "1");
        EXPECT_EXITED(child, 0);
        // Once the other is gone it is shared no more.
        RUN_IDS_ARE("./suid", "1000", "2000", "2000", "1000", "3000", "3000", "1", "0");
    }
    EXPECT_EXITED(starter, 0);
}

static void *sleeps(void *)
{
    for (;;)
        pause();
}

CASE(setuid_program_run_by_a_process_with_threads)
{
    make_program("suid", 2000, 3000, 06755);
    chmod(".", 0755);
    for (int i = 0; i < 10; i++) {
        IN_CHILD(child)
        {
            become(1000);
            pthread_t threads[4];
            for (int t = 0; t < 4; t++)
                REQUIRE(pthread_create(&threads[t], nullptr, sleeps, nullptr) == 0);
            RUN_IDS_ARE("./suid", "1000", "2000", "2000", "1000", "3000", "3000", "1", "0");
        }
        EXPECT_EXITED(child, 0);
    }
}

HELPER(waits_for_the_end_of_a_pipe)
{
    char c;
    return read(atoi(argv[0]), &c, 1) != 0;
}

// A user looks for the moment in which a program that becomes another user's is there, and still his own.
CASE(setuid_program_is_never_seen_by_its_caller)
{
    enum { DESCRIPTORS = 200, ROUNDS = 12 };
    make_program("suid", 2000, 3000, 06755);
    chmod(".", 0755);
    become(1000);
    for (int round = 0; round < ROUNDS; round++) {
        int end[2], go[2];
        char number[12], path[48];
        REQUIRE(pipe(end) == 0 && pipe(go) == 0);
        snprintf(number, sizeof number, "%d", end[0]);
        IN_CHILD(child)
        {
            close(end[1]);
            for (int i = 0; i < DESCRIPTORS; i++) // exec closes them, which takes a while
                REQUIRE(open("/proc/self/stat", O_RDONLY | O_CLOEXEC) >= 0);
            REQUIRE(prctl(PR_SET_DUMPABLE, 1) == 0);
            REQUIRE(write(go[1], "r", 1) == 1);
            execve("./suid", (char *[]){"./suid", "--helper", "waits_for_the_end_of_a_pipe", number, nullptr}, (char *[]){nullptr});
            _exit(126);
        }
        char c, text[4096];
        REQUIRE(read(go[0], &c, 1) == 1);
        close(go[1]);
        snprintf(path, sizeof path, "/proc/%d/maps", child);
        int fd, looks = 0;
        while ((fd = open(path, O_RDONLY)) >= 0) {
            ssize_t n = read(fd, text, sizeof text - 1);
            text[n > 0 ? n : 0] = 0;
            if (strstr(text, "/suid"))
                note_failure(__FILE_NAME__, __LINE__, "round %d: the memory of another user's program is open after %d looks", round, looks);
            close(fd);
            looks++;
        }
        EXPECT_EQ(errno, EACCES);
        close(end[1]);
        EXPECT_EXITED(child, 0);
        close(end[0]);
        close(go[0]);
    }
}

CASE(setgid_without_group_execute_is_not_followed)
{
    make_program("sgid", 0, 3000, 02745);
    IN_CHILD(child)
    {
        become(1000);
        RUN_IDS_ARE("./sgid", "1000", "1000", "1000", "1000", "1000", "1000", "0", "1");
    }
    EXPECT_EXITED(child, 0);
}

CASE(setuid_bits_go_when_the_file_is_written_or_given_away)
{
    struct stat st;
    make_file("f", "x");
    REQUIRE(chown("f", 1000, 1000) == 0 && chmod("f", 06777) == 0);
    IN_CHILD(child)
    {
        become(1001);
        int fd = open("f", O_WRONLY);
        EXPECT_EQ(write(fd, "y", 1), 1);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(stat("f", &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0777);
    REQUIRE(chmod("f", 06777) == 0 && chown("f", 1001, 1001) == 0);
    EXPECT_EQ(stat("f", &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0777);
}

CASE(dumpable_goes_with_a_change_of_identity)
{
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);
    EXPECT_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    EXPECT_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
    EXPECT_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    REQUIRE(seteuid(1000) == 0);
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
}
