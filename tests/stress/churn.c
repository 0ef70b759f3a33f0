// tests/stress/churn.c — every CPU busy with short work of all kinds for a given time; then memory must be as it was. Reports TAP.
//
// usage: churn [SECONDS]     (or churn_seconds=SECONDS in the environment; 60 otherwise)
//
// Two workers a CPU, one of them bound to it, do actions in a random order (the seed is the worker's number). The figures
// before are read after a warm-up that has done the same work: what is filled once and then kept (per-CPU lists of pages and
// objects, stacks kept for the next thread, page tables of the kernel's own area) is no leak. A leak of a page or an object an
// action is thousands of them in a minute, far more than the tolerances below. churn_held_kib=KIB in the environment: what a
// kernel that checks itself may hold back more.
#include "churn.h"
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SECONDS 60
#define WARM_UP_SECONDS 20
#define NR_VERDICTS 6
#define STALL_SECONDS 240 // on a busy host without KVM an action may take seconds, never this

// Pages outside the slabs: each CPU may keep a few stacks more than before, and the kernel's area a table or two.
#define TOLERANCE_PAGES_KIB 256
// Objects in use: those that are freed a moment later (by RCU or a worker), and names and inodes of files looked at since.
#define TOLERANCE_OBJECT_BYTES (32 << 10)
// Slabs: an object may be the only one in its page, so that a few hundred in the CPUs' magazines keep more pages than before.
#define TOLERANCE_SLAB_KIB_A_CPU 512

struct shared *shared;
unsigned worker;
char folder[32];

static long held_kib; // churn_held_kib
static struct action actions[MAX_ACTIONS];
static unsigned nr_actions;
static uint64_t random_state;

unsigned pick(unsigned limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % limit;
}

void check_failed(const char *file, int line, const char *what)
{
    int error = errno;
    if (atomic_fetch_add(&shared->failures, 1) < 20) {
        char text[256];
        int length = snprintf(text, sizeof text, "# %s:%d: %s: not so (errno: %s)\n", file, line, what, strerror(error));
        if (write(STDOUT_FILENO, text, (size_t)length) < 0)
            _exit(1);
    }
}

pid_t fork_or_die(void)
{
    pid_t child = fork();
    if (child < 0) {
        CHECK(!"fork");
        _exit(1);
    }
    return child;
}

void expect_status(pid_t child, int wanted)
{
    int status = -1;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ;
    CHECK(ended == child);
    if (status != wanted)
        printf("# wait status %#x, wanted %#x\n", (unsigned)status, (unsigned)wanted);
    CHECK(status == wanted);
}

void exec_leaf(int code)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    execl("/proc/self/exe", "churn", "--leaf", text, nullptr);
}

static void add_actions(const struct action *family)
{
    for (; family->name && nr_actions < MAX_ACTIONS; family++)
        actions[nr_actions++] = *family;
}

static void remove_folder(void)
{
    rmdir(folder);
}

[[noreturn]] static void work(unsigned number, unsigned cpus, unsigned round)
{
    worker = number;
    random_state = (number + 1) * 0x9e3779b97f4a7c15u + round;
    snprintf(folder, sizeof folder, "/tmp/churn.%u", number);
    CHECK(mkdir(folder, 0700) == 0);
    if (number % 2 == 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(number / 2 % cpus, &set);
        CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
    }
    while (!atomic_load(&shared->stop)) {
        unsigned which = pick(nr_actions);
        actions[which].run();
        atomic_fetch_add(&shared->done[which], 1);
    }
    remove_folder();
    fflush(stdout);
    _exit(0);
}

static unsigned long all_done(void)
{
    unsigned long sum = 0;
    for (unsigned i = 0; i < nr_actions; i++)
        sum += atomic_load(&shared->done[i]);
    return sum;
}

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

// Lets the workers work for so long. False: one of them did not come back from its last action.
static bool churn(unsigned cpus, unsigned workers, unsigned seconds, unsigned round)
{
    pid_t pids[2 * CPU_SETSIZE];
    atomic_store(&shared->stop, false);
    fflush(stdout);
    for (unsigned i = 0; i < workers; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            setpgid(0, 0);
            work(i, cpus, round);
        }
    }
    for (time_t end = now() + seconds, left; (left = end - now()) > 0;) {
        sleep(left > 60 ? 60 : (unsigned)left);
        printf("# %lu actions\n", all_done());
        fflush(stdout);
    }
    atomic_store(&shared->stop, true);
    bool all = true;
    time_t deadline = now() + STALL_SECONDS;
    for (unsigned i = 0; i < workers; i++) {
        int status = 0;
        pid_t ended;
        while ((ended = waitpid(pids[i], &status, WNOHANG)) == 0 && now() < deadline)
            usleep(20000);
        if (ended == pids[i] && status == 0)
            continue;
        all = false;
        if (ended == 0) {
            printf("# worker %u is still in an action %d seconds after the end\n", i, STALL_SECONDS);
            kill(-pids[i], SIGKILL);
            waitpid(pids[i], &status, 0);
        } else {
            printf("# worker %u ended with wait status %#x\n", i, (unsigned)status);
        }
    }
    while (wait(nullptr) > 0)
        ;
    return all;
}

static void report_differences(const struct measure *before, const struct measure *after)
{
    printf("# KiB: free %ld, then %ld; in slabs %ld, then %ld; bytes of objects in use %ld, then %ld\n", before->free_kib,
           after->free_kib, before->slab_kib, after->slab_kib, measure_object_bytes(before), measure_object_bytes(after));
    for (size_t i = 0; i < after->caches; i++) {
        for (size_t j = 0; j < before->caches; j++) {
            long more = after->cache[i].objects - before->cache[j].objects;
            if (!strcmp(after->cache[i].name, before->cache[j].name) && more)
                printf("# slab %-20s %+ld objects of %ld bytes\n", after->cache[i].name, more, after->cache[i].size);
        }
    }
}

static void prepare(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_CORE, &(struct rlimit){});
    mkdir("/tmp/cgroup", 0755);
    mount("cgroup2", "/tmp/cgroup", "cgroup2", 0, nullptr);
    mkdir("/dev/pts", 0755);
    mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
        perror("# lo");
    close(fd);
    shared = mmap(nullptr, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    add_actions(process_actions);
    add_actions(memory_actions);
    add_actions(file_actions);
    add_actions(channel_actions);
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--leaf"))
        return atoi(argv[2]);
    const char *text = argc > 1 ? argv[1] : getenv("churn_seconds");
    unsigned seconds = text ? (unsigned)strtoul(text, nullptr, 10) : DEFAULT_SECONDS;
    if (getenv("churn_held_kib"))
        held_kib = atol(getenv("churn_held_kib"));
    unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), workers = 2 * cpus;
    static struct measure first, before, after;

    printf("1..%d\n# %u seconds on %u CPUs, %u workers\n", NR_VERDICTS, seconds, cpus, workers);
    fflush(stdout);
    prepare();
    bool measured = measure_settled(&first);
    bool came_back = churn(cpus, workers, seconds < 3 * WARM_UP_SECONDS ? seconds / 3 : WARM_UP_SECONDS, 0);
    measured = measure_settled(&before) && measured;
    printf("# the warm-up\n");
    report_differences(&first, &before);
    unsigned long warm = all_done();
    came_back = churn(cpus, workers, seconds, 1) && came_back;
    measured = measure_settled(&after) && measured;
    printf("# %lu actions since the warm-up\n", all_done() - warm);
    report_differences(&before, &after);

    bool every_kind = true;
    for (unsigned i = 0; i < nr_actions; i++) {
        printf("# %8lu %s\n", atomic_load(&shared->done[i]), actions[i].name);
        every_kind = every_kind && atomic_load(&shared->done[i]) > 0;
    }
    long lost_pages = (before.free_kib + before.slab_kib) - (after.free_kib + after.slab_kib);
    long lost_bytes = measure_object_bytes(&after) - measure_object_bytes(&before);
    long lost_slabs = after.slab_kib - before.slab_kib;
    const struct {
        const char *name;
        bool ok;
    } verdicts[] = {
        {"every_kind_of_work_is_done_and_comes_to_its_end", came_back && every_kind},
        {"all_work_gives_what_it_should", atomic_load(&shared->failures) == 0},
        {"memory_can_be_measured", measured},
        {"pages_return_to_their_starting_number", measured && lost_pages <= TOLERANCE_PAGES_KIB},
        {"objects_return_to_their_starting_number", measured && lost_bytes <= TOLERANCE_OBJECT_BYTES + (held_kib << 10)},
        {"slabs_do_not_grow", measured && lost_slabs <= TOLERANCE_SLAB_KIB_A_CPU * (long)cpus + held_kib},
    };
    static_assert(sizeof verdicts / sizeof verdicts[0] == NR_VERDICTS);
    bool all_ok = true;
    for (int i = 0; i < NR_VERDICTS; i++) {
        printf("%sok %d - %s\n", verdicts[i].ok ? "" : "not ", i + 1, verdicts[i].name);
        all_ok = all_ok && verdicts[i].ok;
    }
    fflush(stdout);
    umount("/dev/pts");
    umount("/tmp/cgroup");
    return all_ok ? 0 : 1;
}
