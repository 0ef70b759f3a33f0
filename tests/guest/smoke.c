// tests/guest/smoke.c — the smallest guest program: shows that the guest is what its test asked for.
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static int failures;

static void check(bool ok, int number, const char *name)
{
    printf("%sok %d - %s\n", ok ? "" : "not ", number, name);
    failures += !ok;
}

int main(void)
{
    struct utsname names;
    printf("1..3\n");
    check(uname(&names) == 0 && names.sysname[0] != '\0', 1, "uname_names_the_system");
    check(getppid() == 1, 2, "parent_is_init");
    const char *wanted = getenv("guest_cpus"); // from the kernel's command line, by way of init
    check(wanted && sysconf(_SC_NPROCESSORS_ONLN) == strtol(wanted, nullptr, 10), 3, "all_processors_are_online");
    return failures != 0;
}
