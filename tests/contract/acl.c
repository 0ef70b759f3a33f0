// tests/contract/acl.c — access control lists on tmpfs: acl(5), and the extended attributes that carry them.
#include "tests/contract/harness.h"

#include <grp.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct entry {
    uint16_t tag, perm;
    uint32_t id;
};
struct list {
    uint32_t version;
    struct entry e[8];
};

static size_t fill(struct list *l, const struct entry *e)
{
    size_t n = 0;
    l->version = 2;
    for (; e[n].tag; n++)
        l->e[n] = e[n];
    return sizeof l->version + n * sizeof *e;
}

static int set_list(const char *path, const char *name, const struct entry *e)
{
    struct list l = {};
    size_t size = fill(&l, e);
    return setxattr(path, name, &l, size, 0);
}

// As "u7 U1234:6 g5 m7 o0"; "" where there is none.
static const char *list_text(const char *path, const char *name)
{
    static char text[256];
    struct list l;
    size_t used = 0;
    ssize_t n = getxattr(path, name, &l, sizeof l);
    text[0] = 0;
    if (n < 0) {
        EXPECT_EQ(errno, ENODATA);
        return text;
    }
    EXPECT_EQ(l.version, 2);
    for (size_t i = 0; i < ((size_t)n - 4) / 8; i++) {
        static const char letters[] = {[USER_OBJ] = 'u', [USER] = 'U', [GROUP_OBJ] = 'g', [GROUP] = 'G', [MASK] = 'm', [OTHER] = 'o'};
        used += (size_t)snprintf(text + used, sizeof text - used, l.e[i].id == ~0u ? "%s%c%u" : "%s%c%u:%u", i ? " " : "", letters[l.e[i].tag], l.e[i].perm,
                                 l.e[i].id);
    }
    return text;
}

static int mode(const char *path)
{
    struct stat s;
    REQUIRE(stat(path, &s) == 0);
    return s.st_mode & 07777;
}

static const struct entry typical[] = {{USER_OBJ, 6, 0}, {USER, 6, 1234}, {GROUP_OBJ, 4, 0}, {GROUP, 2, 77}, {MASK, 6, 0}, {OTHER, 0, 0}, {}};

CASE(acl_is_kept_and_changes_the_mode)
{
    make_file("f", "x");
    REQUIRE(chmod("f", 0644) == 0);
    EXPECT_STR(list_text("f", ACCESS), "");
    EXPECT_EQ(set_list("f", ACCESS, typical), 0);
    EXPECT_STR(list_text("f", ACCESS), "u6 U6:1234 g4 G2:77 m6 o0");
    EXPECT_EQ(mode("f"), 0660); // the mask is the group's bits
    EXPECT_EQ(getxattr("f", ACCESS, nullptr, 0), 4 + 6 * 8);
    char small[8];
    EXPECT_ERRNO(getxattr("f", ACCESS, small, sizeof small), ERANGE);
    EXPECT_EQ(chmod("f", 0741), 0);
    EXPECT_STR(list_text("f", ACCESS), "u7 U6:1234 g4 G2:77 m4 o1");
    EXPECT_EQ(removexattr("f", ACCESS), 0);
    EXPECT_STR(list_text("f", ACCESS), "");
    EXPECT_EQ(mode("f"), 0741);
    EXPECT_EQ(removexattr("f", ACCESS), 0); // there is none: no error
}

CASE(acl_that_a_mode_can_say_is_not_kept)
{
    make_file("f", "x");
    EXPECT_EQ(set_list("f", ACCESS, (struct entry[]){{USER_OBJ, 7, 0}, {GROUP_OBJ, 5, 0}, {OTHER, 4, 0}, {}}), 0);
    EXPECT_STR(list_text("f", ACCESS), "");
    EXPECT_EQ(mode("f"), 0754);
    EXPECT_EQ(set_list("f", ACCESS, (struct entry[]){{USER_OBJ, 7, 0}, {GROUP_OBJ, 5, 0}, {MASK, 1, 0}, {OTHER, 4, 0}, {}}), 0);
    EXPECT_STR(list_text("f", ACCESS), "u7 g5 m1 o4");
    EXPECT_EQ(mode("f"), 0714);
    EXPECT_EQ(chmod("f", 0777), 0);
    EXPECT_STR(list_text("f", ACCESS), "u7 g5 m7 o7");
}

CASE(acl_names_are_listed)
{
    char names[256];
    REQUIRE(mkdir("d", 0755) == 0);
    REQUIRE(setxattr("d", "trusted.t", "", 0, 0) == 0);
    EXPECT_EQ(set_list("d", DEFAULT, typical), 0);
    EXPECT_EQ(listxattr("d", nullptr, 0), sizeof DEFAULT + sizeof "trusted.t");
    EXPECT_EQ(listxattr("d", names, sizeof names), sizeof DEFAULT + sizeof "trusted.t");
    EXPECT_STR(names, DEFAULT);
    EXPECT_EQ(set_list("d", ACCESS, typical), 0);
    EXPECT_EQ(listxattr("d", names, sizeof names), sizeof ACCESS + sizeof DEFAULT + sizeof "trusted.t");
    EXPECT_STR(names, ACCESS);
    EXPECT_ERRNO(listxattr("d", names, sizeof ACCESS), ERANGE);
    EXPECT_EQ(removexattr("d", DEFAULT), 0);
    EXPECT_EQ(removexattr("d", ACCESS), 0);
    EXPECT_EQ(listxattr("d", names, sizeof names), sizeof "trusted.t");
}

CASE(acl_errors)
{
    make_file("f", "x");
    REQUIRE(symlink("f", "l") == 0);
    struct list l = {.version = 1};
    EXPECT_ERRNO(setxattr("f", ACCESS, &l, 12, 0), EOPNOTSUPP);
    l.version = 2;
    EXPECT_ERRNO(setxattr("f", ACCESS, &l, 3, 0), EINVAL);
    EXPECT_ERRNO(setxattr("f", ACCESS, &l, 9, 0), EINVAL);
    EXPECT_EQ(setxattr("f", ACCESS, &l, 4, 0), 0); // no entries: no list
    EXPECT_EQ(setxattr("f", ACCESS, nullptr, 0, 0), 0);
    EXPECT_ERRNO(set_list("f", DEFAULT, typical), EACCES);
    EXPECT_EQ(removexattr("f", DEFAULT), 0);
    EXPECT_ERRNO(getxattr("f", DEFAULT, nullptr, 0), ENODATA);
    fill(&l, typical);
    EXPECT_ERRNO(lsetxattr("l", ACCESS, &l, 52, 0), EOPNOTSUPP);
    EXPECT_ERRNO(lgetxattr("l", ACCESS, nullptr, 0), EOPNOTSUPP);
    EXPECT_ERRNO(setxattr("/proc/self/status", ACCESS, &l, 52, 0), EOPNOTSUPP);
    EXPECT_ERRNO(getxattr("/proc/self/status", ACCESS, nullptr, 0), EOPNOTSUPP);
    static const struct entry wrong[][6] = {
        {{USER_OBJ, 6, 0}, {GROUP_OBJ, 4, 0}},                                            // no others
        {{GROUP_OBJ, 4, 0}, {USER_OBJ, 6, 0}, {OTHER, 4, 0}},                             // out of order
        {{USER_OBJ, 6, 0}, {USER_OBJ, 6, 0}, {GROUP_OBJ, 4, 0}, {OTHER, 4, 0}},           // twice
        {{USER_OBJ, 6, 0}, {USER, 6, 5}, {GROUP_OBJ, 4, 0}, {OTHER, 4, 0}},               // named without a mask
        {{USER_OBJ, 8, 0}, {GROUP_OBJ, 4, 0}, {OTHER, 4, 0}},                             // no such permission
        {{USER_OBJ, 6, 0}, {USER, 6, ~0u}, {GROUP_OBJ, 4, 0}, {MASK, 7, 0}, {OTHER, 4, 0}}, // nobody
        {{USER_OBJ, 6, 0}, {GROUP_OBJ, 4, 0}, {3, 7, 0}, {OTHER, 4, 0}},                  // no such kind
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        EXPECT_ERRNO(set_list("f", ACCESS, wrong[i]), EINVAL);
    REQUIRE(chmod(".", 0777) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setuid(1234) == 0);
        EXPECT_ERRNO(set_list("f", ACCESS, typical), EPERM);
        EXPECT_ERRNO(removexattr("f", ACCESS), EPERM);
        EXPECT_ERRNO(getxattr("f", ACCESS, nullptr, 0), ENODATA); // anyone may look
    }
    EXPECT_EXITED(child, 0);
}

// What a user, of a group, may do with "f": as digits of access(2).
static int may(uid_t uid, gid_t gid, gid_t extra)
{
    int result = 0;
    IN_CHILD(child)
    {
        REQUIRE(setgroups(extra ? 1 : 0, &extra) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
        for (int bit = 1; bit < 8; bit <<= 1)
            if (access("f", bit) == 0)
                result |= bit;
        _exit(result);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

CASE(acl_decides_who_may_do_what)
{
    REQUIRE(chmod(".", 0755) == 0);
    make_file("f", "x");
    REQUIRE(chown("f", 100, 200) == 0);
    static const struct entry rules[] = {
        {USER_OBJ, 4, 0}, {USER, 7, 101}, {USER, 0, 102}, {GROUP_OBJ, 2, 0}, {GROUP, 4, 201}, {GROUP, 7, 202}, {MASK, 6, 0}, {OTHER, 1, 0}, {}};
    EXPECT_EQ(set_list("f", ACCESS, rules), 0);
    EXPECT_EQ(may(100, 9, 0), 4);     // the owner: not limited by the mask
    EXPECT_EQ(may(101, 9, 0), 6);     // a named user, limited by it
    EXPECT_EQ(may(102, 202, 0), 0);   // a named user is not asked for groups
    EXPECT_EQ(may(103, 200, 0), 2);   // the group
    EXPECT_EQ(may(103, 9, 201), 4);   // a named group
    EXPECT_EQ(may(103, 200, 201), 6); // either of two grants its own
    EXPECT_EQ(may(103, 202, 0), 6);
    EXPECT_EQ(may(103, 9, 0), 1);     // others
    EXPECT_EQ(chmod("f", 0401), 0);   // an empty mask
    EXPECT_EQ(may(101, 9, 0), 1);     // Linux does not look at the list then
    EXPECT_EQ(may(100, 9, 0), 4);
    EXPECT_EQ(may(0, 0, 0), 7);
}

CASE(acl_of_a_folder_decides_who_may_search_it)
{
    struct stat s;
    REQUIRE(chmod(".", 0755) == 0 && mkdir("d", 0755) == 0);
    make_file("d/f", "x");
    EXPECT_EQ(set_list("d", ACCESS, (struct entry[]){{USER_OBJ, 7, 0}, {USER, 0, 1234}, {GROUP_OBJ, 5, 0}, {MASK, 7, 0}, {OTHER, 5, 0}, {}}), 0);
    EXPECT_EQ(mode("d"), 0775); // every x is there, and yet
    IN_CHILD(child)
    {
        REQUIRE(setgroups(0, nullptr) == 0 && setgid(99) == 0 && setuid(1234) == 0);
        EXPECT_ERRNO(stat("d/f", &s), EACCES);
        EXPECT_ERRNO(open("d", O_RDONLY), EACCES);
    }
    EXPECT_EXITED(child, 0);
    IN_CHILD(other)
    {
        REQUIRE(setgroups(0, nullptr) == 0 && setgid(99) == 0 && setuid(1235) == 0);
        EXPECT_EQ(stat("d/f", &s), 0);
    }
    EXPECT_EXITED(other, 0);
}

CASE(acl_default_is_inherited)
{
    REQUIRE(mkdir("d", 0755) == 0);
    umask(022);
    static const struct entry rules[] = {{USER_OBJ, 7, 0}, {USER, 7, 1234}, {GROUP_OBJ, 5, 0}, {MASK, 7, 0}, {OTHER, 5, 0}, {}};
    EXPECT_EQ(set_list("d", DEFAULT, rules), 0);
    EXPECT_EQ(mode("d"), 0755);
    int fd = open("d/f", O_CREAT | O_WRONLY, 0666);
    close(fd);
    EXPECT_EQ(mode("d/f"), 0664); // no umask; what was asked for limits
    EXPECT_STR(list_text("d/f", ACCESS), "u6 U7:1234 g5 m6 o4");
    EXPECT_ERRNO(getxattr("d/f", DEFAULT, nullptr, 0), ENODATA);
    EXPECT_EQ(mkdir("d/sub", 0770), 0);
    EXPECT_EQ(mode("d/sub"), 0770);
    EXPECT_STR(list_text("d/sub", ACCESS), "u7 U7:1234 g5 m7 o0");
    EXPECT_STR(list_text("d/sub", DEFAULT), "u7 U7:1234 g5 m7 o5");
    EXPECT_EQ(mkfifo("d/sub/p", 0600), 0);
    EXPECT_STR(list_text("d/sub/p", ACCESS), "u6 U7:1234 g5 m0 o0");
    EXPECT_EQ(symlink("f", "d/l"), 0);
    struct stat s;
    EXPECT_EQ(lstat("d/l", &s), 0);
    EXPECT_EQ(s.st_mode & 0777, 0777);
    fd = open("d", O_TMPFILE | O_RDWR, 0666);
    EXPECT_EQ(fgetxattr(fd, ACCESS, nullptr, 0), 4 + 5 * 8);
    close(fd);
}

CASE(acl_minimal_default_takes_the_place_of_the_umask)
{
    REQUIRE(mkdir("d", 0755) == 0);
    umask(077);
    EXPECT_EQ(set_list("d", DEFAULT, (struct entry[]){{USER_OBJ, 7, 0}, {GROUP_OBJ, 6, 0}, {OTHER, 4, 0}, {}}), 0);
    EXPECT_STR(list_text("d", DEFAULT), "u7 g6 o4"); // kept: there is no mode for it
    make_file("d/f", "x");
    int fd = open("d/g", O_CREAT | O_WRONLY, 0666);
    close(fd);
    EXPECT_EQ(mode("d/g"), 0664);
    EXPECT_STR(list_text("d/g", ACCESS), "");
    EXPECT_EQ(removexattr("d", DEFAULT), 0);
    close(open("d/h", O_CREAT | O_WRONLY, 0666));
    EXPECT_EQ(mode("d/h"), 0600);
}

CASE(acl_setting_may_clear_the_set_group_id_bit)
{
    REQUIRE(chmod(".", 0777) == 0);
    make_file("f", "x");
    REQUIRE(chown("f", 1234, 77) == 0 && chmod("f", 02755) == 0);
    IN_CHILD(child)
    {
        REQUIRE(setgroups(0, nullptr) == 0 && setgid(5) == 0 && setuid(1234) == 0);
        EXPECT_EQ(set_list("f", ACCESS, typical), 0);
    }
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(mode("f"), 0660);
}

static void *change_lists(void *)
{
    static const struct entry one[] = {{USER_OBJ, 7, 0}, {USER, 4, 1234}, {GROUP_OBJ, 5, 0}, {MASK, 7, 0}, {OTHER, 0, 0}, {}};
    for (int i = 0; i < 2000; i++) {
        if (i % 3 == 2)
            EXPECT_EQ(removexattr("f", ACCESS), 0);
        else
            EXPECT_EQ(set_list("f", ACCESS, i & 1 ? typical : one), 0);
        EXPECT_EQ(chmod("f", 0640), 0);
    }
    return nullptr;
}

CASE(acl_changes_while_others_are_checked)
{
    REQUIRE(chmod(".", 0755) == 0);
    make_file("f", "x");
    pthread_t t;
    IN_CHILD(checker)
    {
        REQUIRE(setgroups(0, nullptr) == 0 && setgid(99) == 0 && setuid(1234) == 0);
        for (int i = 0; i < 3000; i++)
            (void)access("f", R_OK);
    }
    REQUIRE(pthread_create(&t, nullptr, change_lists, nullptr) == 0);
    pthread_join(t, nullptr);
    EXPECT_EXITED(checker, 0);
}
