// tests/guest/init.c — PID 1 of a test guest: runs /guest/program alone and powers off.
//
// It writes two lines that tests wait for: how the program ended, and the end marker. It does as little as it can, so that a
// kernel needs little to run a test: a file system that cannot be mounted is reported as a comment and left out.
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *type, *path, *options;
} mounts[] = {
    {"proc", "/proc", nullptr},
    {"sysfs", "/sys", nullptr},
    {"devtmpfs", "/dev", "mode=0755"},
    {"tmpfs", "/tmp", "mode=1777"},
};

static const char *const program = "/guest/program";

// One line in one write, so that it is not torn by what the kernel prints.
[[gnu::format(printf, 1, 2)]] static void say(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length > 0 && write(STDOUT_FILENO, line, (size_t)length) < 0)
        _exit(1); // no console: nothing can be reported, and the missing end marker fails the test
}

static void mount_all(void)
{
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, mounts[i].options) != 0)
            say("# guest: %s is not mounted: %s\n", mounts[i].path, strerror(errno));
    }
}

// Runs the program and reaps everything until it ends. Returns its wait status, or -1 if it could not be started.
static int run_program(void)
{
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        setsid();
        execl(program, program, nullptr);
        say("# guest: %s: %s\n", program, strerror(errno));
        _exit(127);
    }
    for (;;) {
        int status;
        pid_t ended = wait(&status);
        if (ended == child)
            return status;
        if (ended < 0 && errno != EINTR)
            return -1;
    }
}

int main(void)
{
    mount_all();
    say("guest: starting %s\n", program);
    int status = run_program();
    if (status == -1)
        say("\nguest: program could not be run: %s\n", strerror(errno));
    else if (WIFSIGNALED(status))
        say("\nguest: program was killed by signal %d\n", WTERMSIG(status));
    else
        say("\nguest: program exited with %d\n", WEXITSTATUS(status));
    sync();
    say("guest: powering off\n");
    reboot(RB_POWER_OFF);
    say("guest: reboot(2): %s\n", strerror(errno));
    return 1; // PID 1 ending is a panic, which no test passes
}
