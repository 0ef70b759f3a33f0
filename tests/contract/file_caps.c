// tests/contract/file_caps.c — capabilities that a file gives to who runs it: capabilities(7), xattr(7).
#include "tests/contract/cred.h"

#include <linux/securebits.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

struct cap_value { // the attribute security.capability
    uint32_t magic, low_permitted, low_inheritable, high_permitted, high_inheritable, rootid;
};
#define REVISION_1 UINT32_C(0x01000000)
#define REVISION_2 UINT32_C(0x02000000)
#define REVISION_3 UINT32_C(0x03000000)
#define EFFECTIVE_BIT UINT32_C(1)

static int set_file_caps(const char *path, uint32_t flags, uint64_t permitted, uint64_t inheritable)
{
    struct cap_value v = {REVISION_2 | flags, (uint32_t)permitted, (uint32_t)inheritable, (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32), 0};
    return setxattr(path, "security.capability", &v, 20, 0);
}

static bool has_file_caps(const char *path)
{
    return getxattr(path, "security.capability", nullptr, 0) >= 0;
}

// Arguments: permitted, effective (hexadecimal), AT_SECURE.
HELPER(caps_are)
{
    struct caps c = get_caps();
    if (argc != 3 || c.permitted != strtoull(argv[0], nullptr, 16))
        return 10;
    if (c.effective != strtoull(argv[1], nullptr, 16))
        return 11;
    return (long)getauxval(AT_SECURE) == atol(argv[2]) ? 0 : 12;
}

// Runs `path` as user 1000, after `before`, and expects what it has.
static void expect_caps_at(const char *path, void (*before)(void), uint64_t permitted, uint64_t effective, const char *secure)
{
    char p[20], e[20];
    snprintf(p, sizeof p, "%llx", (unsigned long long)permitted);
    snprintf(e, sizeof e, "%llx", (unsigned long long)effective);
    IN_CHILD(child)
    {
        if (before)
            before();
        REQUIRE(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        execve(path, (char *[]){"prog", "--helper", "caps_are", p, e, (char *)secure, nullptr}, nullptr);
        _exit(errno == EPERM ? 100 : errno == EINVAL ? 101 : 126);
    }
    EXPECT_EXITED(child, 0);
}

#define TWO_CAPS (CAP(NET_RAW) | CAP(SYS_NICE))

CASE(file_capabilities_are_given_to_a_user)
{
    make_program("prog", 0, 0, 0755);
    chmod(".", 0755);
    expect_caps_at("./prog", nullptr, 0, 0, "0");
    EXPECT_EQ(set_file_caps("prog", EFFECTIVE_BIT, TWO_CAPS, 0), 0);
    expect_caps_at("./prog", nullptr, TWO_CAPS, TWO_CAPS, "1");
    EXPECT_EQ(set_file_caps("prog", 0, TWO_CAPS, 0), 0); // for programs that raise them themselves
    expect_caps_at("./prog", nullptr, TWO_CAPS, 0, "1");
    EXPECT_EQ(removexattr("prog", "security.capability"), 0);
    expect_caps_at("./prog", nullptr, 0, 0, "0");
}

static void inherit_one(void)
{
    EXPECT_EQ(set_caps((struct caps){ALL_CAPS, ALL_CAPS, CAP(SYS_NICE)}), 0);
}

CASE(file_capabilities_inheritable_need_both)
{
    make_program("prog", 0, 0, 0755);
    chmod(".", 0755);
    EXPECT_EQ(set_file_caps("prog", EFFECTIVE_BIT, 0, TWO_CAPS), 0);
    expect_caps_at("./prog", nullptr, 0, 0, "1");
    expect_caps_at("./prog", inherit_one, CAP(SYS_NICE), CAP(SYS_NICE), "1");
}

static void drop_one(void)
{
    EXPECT_EQ(prctl(PR_CAPBSET_DROP, CAP_NET_RAW), 0);
}

CASE(file_capabilities_are_bounded)
{
    make_program("prog", 0, 0, 0755);
    chmod(".", 0755);
    EXPECT_EQ(set_file_caps("prog", 0, TWO_CAPS, 0), 0);
    expect_caps_at("./prog", drop_one, CAP(SYS_NICE), 0, "1");
    EXPECT_EQ(set_file_caps("prog", EFFECTIVE_BIT, TWO_CAPS, 0), 0);
    IN_CHILD(child) // a program that cannot know has all or does not run
    {
        drop_one();
        become(1000);
        EXPECT_ERRNO(execve("./prog", (char *[]){"prog", nullptr}, nullptr), EPERM);
    }
    EXPECT_EXITED(child, 0);
}

static void no_new_privileges(void)
{
    EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

static void raise_ambient(void)
{
    inherit_one();
    EXPECT_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
    EXPECT_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
    EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_NICE, 0, 0), 0);
}

CASE(file_capabilities_where_nothing_may_be_gained)
{
    own_mount_namespace();
    mkdir("m", 0755);
    chmod(".", 0755);
    REQUIRE(mount("t", "m", "tmpfs", MS_NOSUID, nullptr) == 0);
    chmod("m", 0755);
    make_program("m/prog", 0, 0, 0755);
    EXPECT_EQ(set_file_caps("m/prog", EFFECTIVE_BIT, TWO_CAPS, 0), 0);
    expect_caps_at("m/prog", nullptr, 0, 0, "0");
    EXPECT_EQ(mount(nullptr, "m", nullptr, MS_REMOUNT | MS_BIND, nullptr), 0);
    expect_caps_at("m/prog", nullptr, TWO_CAPS, TWO_CAPS, "1");
    expect_caps_at("m/prog", no_new_privileges, 0, 0, "1");
}

CASE(file_capabilities_end_the_ambient_ones)
{
    make_program("prog", 0, 0, 0755);
    chmod(".", 0755);
    expect_caps_at("./prog", raise_ambient, CAP(SYS_NICE), CAP(SYS_NICE), "0");
    EXPECT_EQ(set_file_caps("prog", 0, CAP(NET_RAW), 0), 0);
    expect_caps_at("./prog", raise_ambient, CAP(NET_RAW), 0, "1");
}

CASE(file_capabilities_on_a_set_user_id_root_file_are_all_a_user_gets)
{
    make_program("prog", 0, 0, 04755);
    chmod(".", 0755);
    EXPECT_EQ(set_file_caps("prog", EFFECTIVE_BIT, CAP(NET_RAW), 0), 0);
    expect_caps_at("./prog", nullptr, CAP(NET_RAW), CAP(NET_RAW), "1");
}

CASE(file_capabilities_are_checked_when_set)
{
    make_program("prog", 1000, 1000, 0755);
    chmod(".", 0755);
    struct cap_value v = {.magic = REVISION_1};
    EXPECT_ERRNO(setxattr("prog", "security.capability", &v, 12, 0), EINVAL); // of old, no longer made
    v.magic = REVISION_2;
    EXPECT_ERRNO(setxattr("prog", "security.capability", &v, 24, 0), EINVAL);
    EXPECT_ERRNO(setxattr("prog", "security.capability", &v, 2, 0), EINVAL);
    v.magic = REVISION_2 | 2;
    EXPECT_ERRNO(setxattr("prog", "security.capability", &v, 20, 0), EINVAL);
    IN_CHILD(child)
    {
        become(1000);
        EXPECT_ERRNO(set_file_caps("prog", 0, 0, 0), EPERM); // its owner alone may not
    }
    EXPECT_EXITED(child, 0);
    v = (struct cap_value){.magic = REVISION_3 | EFFECTIVE_BIT, .low_permitted = 1};
    EXPECT_EQ(setxattr("prog", "security.capability", &v, 24, 0), 0);
    EXPECT_EQ(getxattr("prog", "security.capability", &v, sizeof v), 20); // root's: as of revision 2
    EXPECT_EQ(v.magic, REVISION_2 | EFFECTIVE_BIT);
}

CASE(file_capabilities_go_when_the_file_changes)
{
    make_program("prog", 0, 0, 0755);
    int fd = open("prog", O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(set_file_caps("prog", 0, CAP(NET_RAW), 0), 0);
    EXPECT(has_file_caps("prog"));
    EXPECT_EQ(chmod("prog", 0700), 0);
    EXPECT(has_file_caps("prog"));
    EXPECT_EQ(write(fd, "x", 1), 1); // root's writing, too
    EXPECT(!has_file_caps("prog"));
    EXPECT_EQ(set_file_caps("prog", 0, CAP(NET_RAW), 0), 0);
    EXPECT_EQ(ftruncate(fd, 5), 0);
    EXPECT(!has_file_caps("prog"));
    EXPECT_EQ(set_file_caps("prog", 0, CAP(NET_RAW), 0), 0);
    EXPECT_EQ(chown("prog", 1000, -1), 0);
    EXPECT(!has_file_caps("prog"));
}
