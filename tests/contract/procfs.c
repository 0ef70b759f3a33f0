// tests/contract/procfs.c — /proc from real state: proc(5); /proc/sys; the host name.
#include "tests/contract/harness.h"

#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

static long field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    EXPECT(at != nullptr);
    return at ? strtol(at + strlen(name), nullptr, 0) : -1;
}

CASE(proc_self_is_the_reader)
{
    char link[64] = {}, wanted[64];
    EXPECT(readlink("/proc/self", link, sizeof link - 1) > 0);
    EXPECT_EQ(atoi(link), getpid());
    snprintf(wanted, sizeof wanted, "%d/task/%d", getpid(), own_tid());
    memset(link, 0, sizeof link);
    EXPECT(readlink("/proc/thread-self", link, sizeof link - 1) > 0);
    EXPECT_STR(link, wanted);
}

CASE(proc_status_tells_identity)
{
    char name[] = "Name:\tcontract-name";
    prctl(PR_SET_NAME, "contract-name");
    umask(026);
    const char *s = file_text("/proc/self/status");
    EXPECT(strstr(s, name));
    EXPECT_EQ(field(s, "\nPid:"), getpid());
    EXPECT_EQ(field(s, "\nTgid:"), getpid());
    EXPECT_EQ(field(s, "\nPPid:"), getppid());
    EXPECT_EQ(field(s, "\nThreads:"), 1);
    EXPECT(strstr(s, "\nUmask:\t0026\n"));
    EXPECT(strstr(s, "\nState:\tR (running)\n"));
    EXPECT(field(s, "\nVmRSS:") > 0);
    EXPECT(strstr(s, "\nUid:\t0\t0\t0\t0\n"));
}

CASE(proc_status_shows_signal_sets)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_SETMASK, &set, nullptr);
    raise(SIGUSR1);
    signal(SIGHUP, SIG_IGN);
    count_signal(SIGUSR2, 0);
    const char *s = file_text("/proc/self/status");
    EXPECT(strstr(s, "\nSigPnd:\t0000000000000200\n"));
    EXPECT(strstr(s, "\nSigBlk:\t0000000000000200\n"));
    const char *ignored = strstr(s, "\nSigIgn:\t");
    REQUIRE(ignored);
    EXPECT(strtoul(ignored + 9, nullptr, 16) & 1);
    const char *caught = strstr(s, "\nSigCgt:\t");
    REQUIRE(caught);
    EXPECT_EQ(strtoul(caught + 9, nullptr, 16) & 0xfff, 0x800);
}

CASE(proc_cmdline_environ_comm_exe)
{
    char link[PATH_MAX] = {};
    const char *s = file_text("/proc/self/cmdline");
    EXPECT_STR(s, program_path);
    EXPECT(readlink("/proc/self/exe", link, sizeof link - 1) > 0);
    EXPECT_STR(link, program_path);
    EXPECT_EQ(write_text("/proc/self/comm", "renamed"), 0);
    EXPECT_STR(file_text("/proc/self/comm"), "renamed\n");
    int fd = open("/proc/self/comm", O_RDWR);
    EXPECT_ERRNO(pwrite(fd, "x", 1, 0), ESPIPE);
    EXPECT_EQ(pread(fd, link, 7, 0), 7);
    close(fd);
}

HELPER(show_environ)
{
    char text[64] = {};
    int fd = open("/proc/self/environ", O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    return n == 8 && memcmp(text, "A=1\0B=2\0", 8) == 0 ? 0 : 1;
}

CASE(proc_environ_is_what_exec_was_given)
{
    char *environment[] = {"A=1", "B=2", nullptr};
    IN_CHILD(child)
    {
        exec_helper("show_environ", nullptr, environment);
        _exit(99);
    }
    EXPECT_EXITED(child, 0);
}

CASE(proc_stat_line_has_52_fields)
{
    char line[2048];
    strncpy(line, file_text("/proc/self/stat"), sizeof line - 1);
    EXPECT_EQ(atoi(line), getpid());
    char *rest = strrchr(line, ')');
    REQUIRE(rest);
    int fields = 2;
    for (char *word = strtok(rest + 1, " \n"); word; word = strtok(nullptr, " \n")) {
        fields++;
        if (fields == 4)
            EXPECT_EQ(atoi(word), getppid());
        if (fields == 5)
            EXPECT_EQ(atoi(word), getpgrp());
        if (fields == 6)
            EXPECT_EQ(atoi(word), getsid(0));
        if (fields == 20)
            EXPECT_EQ(atoi(word), 1);
    }
    EXPECT_EQ(fields, 52);
}

CASE(proc_maps_shows_mappings_and_their_changes)
{
    char wanted[64];
    char *p = mmap(nullptr, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE);
    snprintf(wanted, sizeof wanted, "%lx-%lx rw-p 00000000 00:00 0", (long)(p + PAGE), (long)(p + 2 * PAGE));
    const char *s = file_text("/proc/self/maps");
    EXPECT(strstr(s, wanted));
    EXPECT(strstr(s, "[stack]"));
    EXPECT(strstr(s, "[vdso]"));
    EXPECT(strstr(s, program_path));
    munmap(p, 4 * PAGE);
    EXPECT(!strstr(file_text("/proc/self/maps"), wanted));
    EXPECT(strstr(file_text("/proc/self/smaps"), "Private_Dirty:"));
}

CASE(proc_fd_lists_descriptors)
{
    make_file("f", "x");
    int fd = open("f", O_RDWR | O_APPEND);
    REQUIRE(dup2(fd, 123) == 123);
    char c;
    EXPECT_EQ(read(fd, &c, 1), 1);
    DIR *dir = opendir("/proc/self/fd");
    REQUIRE(dir);
    bool seen = false;
    for (struct dirent *e; (e = readdir(dir));)
        seen |= strcmp(e->d_name, "123") == 0;
    EXPECT(seen);
    closedir(dir);
    const char *s = file_text("/proc/self/fdinfo/123");
    EXPECT_EQ(field(s, "pos:"), 1);
    EXPECT_EQ(strtol(strstr(s, "flags:") + 6, nullptr, 8) & ~0100000, O_RDWR | O_APPEND);
    close(123);
    EXPECT_ERRNO(open("/proc/self/fd/123", O_RDONLY), ENOENT);
}

static void *until_told(void *barrier)
{
    pthread_barrier_wait(barrier);
    return nullptr;
}

CASE(proc_task_lists_threads)
{
    pthread_barrier_t barrier;
    pthread_t thread;
    pthread_barrier_init(&barrier, nullptr, 2);
    REQUIRE(pthread_create(&thread, nullptr, until_told, &barrier) == 0);
    DIR *dir = opendir("/proc/self/task");
    REQUIRE(dir);
    int count = 0;
    for (struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    EXPECT_EQ(count, 2);
    closedir(dir);
    EXPECT_EQ(field(file_text("/proc/self/status"), "\nThreads:"), 2);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, nullptr);
}

CASE(proc_mem_reads_and_writes_memory)
{
    static char text[8] = "before";
    char got[8] = {};
    int fd = open("/proc/self/mem", O_RDWR);
    REQUIRE(fd >= 0);
    EXPECT_EQ(pread(fd, got, 7, (off_t)(uintptr_t)text), 7);
    EXPECT_STR(got, "before");
    EXPECT_EQ(pwrite(fd, "after", 6, (off_t)(uintptr_t)text), 6);
    EXPECT_STR(text, "after");
    EXPECT_ERRNO(pread(fd, got, 1, 8), EIO);
}

static void poke(void *at, char value)
{
    int fd = open("/proc/self/mem", O_RDWR);
    REQUIRE(fd >= 0);
    EXPECT_EQ(pwrite(fd, &value, 1, (off_t)(uintptr_t)at), 1);
    close(fd);
}

static char *private_page(void)
{
    char *page = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    return page;
}

CASE(proc_mem_writes_where_nothing_may_be_touched)
{
    // Never touched, only read, and written before.
    for (int kind = 0; kind < 3; kind++) {
        char *page = private_page();
        if (kind == 1)
            EXPECT_EQ(*(volatile char *)page, 0);
        if (kind == 2)
            page[1] = 'y';
        EXPECT_EQ(mprotect(page, PAGE, PROT_NONE), 0);
        poke(page, 'x');
        EXPECT_EQ(mprotect(page, PAGE, PROT_READ), 0);
        EXPECT_EQ(page[0], 'x');
        EXPECT_EQ(page[1], kind == 2 ? 'y' : 0);
    }
}

CASE(proc_mem_writes_a_forbidden_page_of_this_process_alone)
{
    char *page = private_page();
    page[0] = 'p';
    EXPECT_EQ(mprotect(page, PAGE, PROT_NONE), 0);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    IN_CHILD(child)
    {
        char c;
        close(ready[1]);
        EXPECT_EQ(read(ready[0], &c, 1), 0); // the parent has written
        EXPECT_EQ(mprotect(page, PAGE, PROT_READ), 0);
        EXPECT_EQ(page[0], 'p');
    }
    poke(page, 'x');
    close(ready[1]);
    EXPECT_EXITED(child, 0);
    EXPECT_EQ(mprotect(page, PAGE, PROT_READ), 0);
    EXPECT_EQ(page[0], 'x');
}

CASE(proc_mem_writes_file_pages_that_may_not_be_touched_privately)
{
    make_file("f", "file");
    int fd = open("f", O_RDONLY);
    char *page = mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    REQUIRE(page != MAP_FAILED);
    EXPECT_EQ(page[0], 'f');
    EXPECT_EQ(mprotect(page, PAGE, PROT_NONE), 0);
    poke(page, 'x');
    EXPECT_EQ(mprotect(page, PAGE, PROT_READ), 0);
    EXPECT_EQ(memcmp(page, "xile", 4), 0);
    EXPECT_STR(file_text("f"), "file");
}

static void *poke_on(void *page)
{
    for (int i = 0; i < 300; i++)
        poke(page, (char)i);
    return nullptr;
}

// Children that share the page come and go under the writer: whichever it meets, the text stays read-only.
CASE(proc_mem_writing_never_makes_memory_writable)
{
    char *page = private_page();
    EXPECT_EQ(mprotect(page, PAGE, PROT_READ), 0);
    pthread_t writer;
    REQUIRE(pthread_create(&writer, nullptr, poke_on, page) == 0);
    for (int i = 0; i < 60; i++) {
        IN_CHILD(child)
        {
        }
        EXPECT_EXITED(child, 0);
    }
    pthread_join(writer, nullptr);
    int zero = open("/dev/zero", O_RDONLY);
    EXPECT_ERRNO(read(zero, page, 1), EFAULT);
}

CASE(proc_entries_of_an_ended_process_go_away)
{
    IN_CHILD(child)
    {
        pause();
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", child);
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    REQUIRE(dir >= 0);
    int status = openat(dir, "status", O_RDONLY);
    kill(child, SIGKILL);
    EXPECT_KILLED(child, SIGKILL);
    char text[64];
    EXPECT_ERRNO(openat(dir, "status", O_RDONLY), ESRCH);
    EXPECT_ERRNO(read(status, text, sizeof text), ESRCH);
    struct stat s;
    EXPECT_ERRNO(stat(path, &s), ENOENT);
}

CASE(proc_is_read_correctly_in_small_pieces)
{
    char whole[65536], text[16];
    strcpy(whole, file_text("/proc/self/mountinfo"));
    int fd = open("/proc/self/mountinfo", O_RDONLY);
    size_t at = 0;
    for (ssize_t n; (n = read(fd, text, 7)) > 0; at += (size_t)n)
        EXPECT(memcmp(whole + at, text, (size_t)n) == 0);
    EXPECT_EQ(at, strlen(whole));
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    EXPECT_EQ(read(fd, text, 7), 7);
    EXPECT(memcmp(whole, text, 7) == 0);
}

CASE(proc_global_files_have_their_fields)
{
    const char *s = file_text("/proc/meminfo");
    EXPECT(field(s, "MemTotal:") > 100000);
    EXPECT(field(s, "MemFree:") > 0);
    EXPECT(field(s, "MemAvailable:") > 0);
    EXPECT_EQ(strncmp(file_text("/proc/stat"), "cpu  ", 5), 0);
    EXPECT(field(file_text("/proc/stat"), "\nbtime ") > 1600000000);
    EXPECT(strstr(file_text("/proc/cpuinfo"), "flags\t\t:"));
    EXPECT(strstr(file_text("/proc/filesystems"), "nodev\ttmpfs\n"));
    double up = 0, idle = 0;
    EXPECT_EQ(sscanf(file_text("/proc/uptime"), "%lf %lf", &up, &idle), 2);
    EXPECT(up > 0);
    double load;
    int running, total, last;
    EXPECT_EQ(sscanf(file_text("/proc/loadavg"), "%lf %*f %*f %d/%d %d", &load, &running, &total, &last), 4);
    EXPECT(strstr(file_text("/proc/cmdline"), "rdinit=/guest/init"));
    EXPECT_EQ(strncmp(file_text("/proc/version"), "Linux version ", 14), 0);
}

static double load_average(void)
{
    double load = -1;
    EXPECT_EQ(sscanf(file_text("/proc/loadavg"), "%lf", &load), 1);
    return load;
}

static void spin_ms(int ms)
{
    for (int64_t end = now_ns() + ms * 1000000LL; now_ns() < end;)
        ;
}

static const double kept_of_average = 0.9200444; // e^(-5/60)

static double threads_between(double before, double after, double kept)
{
    double threads = (after - before * kept) / (1 - kept);
    note("%.2f threads", threads);
    return threads;
}

// proc_loadavg(5): threads that run, may run or wait for a disk, sampled every 5 seconds. One busy thread adds one. First the busy thread looks for
// the moment of a sample (none is seen if the average stands where it tends to), then it lets one more pass, or as many as a busy host makes of that; without
// a call meanwhile, after which threads of the kernel's own might have something to do. One or another sample may find the harness awake as well, or come
// while the host keeps the processor to itself.
CASE_WITHIN(60, proc_load_average_counts_one_busy_thread_once)
{
    const int64_t period = 5'000'000'000;
    double last, before = load_average();
    int64_t start = now_ns(), seen = start;
    int samples_seen = 0;
    bool counted = false; // who looks runs; a sample that comes very late counts nobody
    while (!counted && seen - start < 3 * period) {
        int64_t looked = seen;
        last = before;
        before = load_average();
        seen = now_ns();
        bool just_now = before != last && seen - looked < period / 5; // or it may have been a while ago
        samples_seen += just_now;
        counted = just_now && threads_between(last, before, kept_of_average) > 0.6;
    }
    EXPECT(counted || !samples_seen);
    double busy = 2;
    int64_t samples = 0;
    for (int looks = 0; looks < 4 && (busy <= 0.6 || busy >= 1.6); looks++) {
        spin_ms(looks == 0 ? 7500 : 5000);
        while ((now_ns() - seen) % period > period / 5 * 4) // another one is due just now
            spin_ms(50);
        double kept = 1, after = load_average();
        for (; samples < (now_ns() - seen) / period; samples++)
            kept *= kept_of_average;
        busy = threads_between(before, after, kept);
        before = after;
    }
    EXPECT(busy > 0.6 && busy < 1.6);
}

CASE(proc_boot_id_is_constant_and_uuid_is_not)
{
    char first[64];
    strcpy(first, file_text("/proc/sys/kernel/random/boot_id"));
    EXPECT_EQ(strlen(first), 37);
    EXPECT_STR(file_text("/proc/sys/kernel/random/boot_id"), first);
    strcpy(first, file_text("/proc/sys/kernel/random/uuid"));
    EXPECT(strcmp(file_text("/proc/sys/kernel/random/uuid"), first) != 0);
}

CASE(hostname_by_proc_uname_and_call)
{
    REQUIRE(unshare(CLONE_NEWUTS) == 0);
    struct utsname names;
    char text[80];
    EXPECT_EQ(write_text("/proc/sys/kernel/hostname", "by-proc\n"), 0); // one newline is dropped
    EXPECT_EQ(uname(&names), 0);
    EXPECT_STR(names.nodename, "by-proc");
    EXPECT_EQ(gethostname(text, sizeof text), 0);
    EXPECT_STR(text, "by-proc");
    EXPECT_EQ(sethostname("by-call", 7), 0);
    EXPECT_STR(file_text("/proc/sys/kernel/hostname"), "by-call\n");
    memset(text, 'h', sizeof text);
    EXPECT_EQ(sethostname(text, 64), 0);
    EXPECT_ERRNO(sethostname(text, 65), EINVAL);
    EXPECT_EQ(setdomainname("domain", 6), 0);
    EXPECT_STR(file_text("/proc/sys/kernel/domainname"), "domain\n");
    IN_CHILD(child)
    {
        setuid(1000);
        EXPECT_ERRNO(sethostname("x", 1), EPERM);
        EXPECT_ERRNO(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
    }
    EXPECT_EXITED(child, 0);
}

CASE(uts_namespace_is_separate)
{
    char before[80], after[80];
    gethostname(before, sizeof before);
    IN_CHILD(child)
    {
        REQUIRE(unshare(CLONE_NEWUTS) == 0);
        EXPECT_EQ(sethostname("inside", 6), 0);
    }
    EXPECT_EXITED(child, 0);
    gethostname(after, sizeof after);
    EXPECT_STR(after, before);
}

CASE(proc_ns_links_tell_namespaces_apart)
{
    char a[64] = {}, b[64] = {};
    EXPECT(readlink("/proc/self/ns/uts", a, 63) > 0);
    EXPECT_EQ(strncmp(a, "uts:[", 5), 0);
    REQUIRE(unshare(CLONE_NEWUTS) == 0);
    EXPECT(readlink("/proc/self/ns/uts", b, 63) > 0);
    EXPECT(strcmp(a, b) != 0);
}

// Long enough to fill the kernel's buffer many times, at every place of a line: none is lost, repeated or torn.
CASE(proc_maps_of_many_mappings_is_whole)
{
    enum { MAPPINGS = 1500, NAMES = 23 };
    int fds[NAMES]; // names of many lengths, so that lines of many lengths meet the buffer's end
    for (int i = 0; i < NAMES; i++) {
        char name[] = "many-mappings-abcdefghijklmnopqrstuvwxyz";
        name[sizeof "many-mappings" + i] = 0;
        fds[i] = memfd_create(name, 0);
        REQUIRE(fds[i] >= 0 && ftruncate(fds[i], 4096) == 0);
    }
    for (int i = 0; i < MAPPINGS; i++)
        REQUIRE(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fds[i * (i >> 3) % NAMES], 0) != MAP_FAILED);
    static const size_t sizes[] = {1 << 16, 4096, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        static char text[1 << 20];
        size_t len = 0;
        ssize_t got;
        int maps = open("/proc/self/maps", O_RDONLY);
        REQUIRE(maps >= 0);
        while (len < sizeof text - 1 - sizes[s] && (got = read(maps, text + len, sizes[s])) > 0)
            len += (size_t)got;
        text[len] = 0;
        close(maps);
        int found = 0;
        unsigned long last = 0;
        for (char *line = text; *line; line = strchr(line, '\n') + 1) {
            unsigned long start = strtoul(line, nullptr, 16);
            EXPECT(start > last);
            last = start;
            REQUIRE(strchr(line, '\n'));
            found += !strncmp(line + strcspn(line, "/\n"), "/memfd:many-mappings-", 21);
        }
        EXPECT_EQ(found, MAPPINGS);
    }
}

CASE(proc_limits_and_oom_score_adj)
{
    EXPECT(strstr(file_text("/proc/self/limits"), "Max open files "));
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "500"), 0);
    EXPECT_STR(file_text("/proc/self/oom_score_adj"), "500\n");
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "1001"), -EINVAL);
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "many"), -EINVAL);
}

CASE(proc_cannot_be_changed_like_a_disk)
{
    EXPECT_ERRNO(open("/proc/new", O_CREAT | O_WRONLY, 0600), ENOENT);
    EXPECT_ERRNO(mkdir("/proc/new", 0700), ENOENT);
    EXPECT_ERRNO(unlink("/proc/uptime"), EPERM);
    EXPECT_ERRNO(rename("/proc/uptime", "/proc/downtime"), ENOENT);
    EXPECT_ERRNO(open("/proc/uptime/x", O_RDONLY), ENOTDIR);
}

// A path may be longer than any that a call takes: it is shown whole.
CASE(proc_maps_shows_a_path_longer_than_path_max)
{
    enum { DEPTH = 25 };
    char name[201] = {};
    memset(name, 'd', sizeof name - 1);
    for (int i = 0; i < DEPTH; i++)
        REQUIRE(mkdir(name, 0700) == 0 && chdir(name) == 0);
    make_file("mapped-deep-below", "x");
    int fd = open("mapped-deep-below", O_RDONLY);
    REQUIRE(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    static char text[1 << 16];
    static const char *const files[] = {"/proc/self/maps", "/proc/self/smaps"};
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(files[i], "r");
        REQUIRE(f);
        bool found = false;
        while (fgets(text, sizeof text, f)) {
            char *path = strchr(text, '/');
            if (path && strstr(path, "/mapped-deep-below\n")) {
                found = true;
                EXPECT(strlen(path) > DEPTH * sizeof name);
            }
        }
        EXPECT(!ferror(f));
        EXPECT(found);
        fclose(f);
    }
    EXPECT_EQ(unlink("mapped-deep-below"), 0);
    for (int i = 0; i < DEPTH; i++)
        EXPECT(chdir("..") == 0 && rmdir(name) == 0);
}

CASE(proc_fdinfo_is_for_those_who_may_look_into_the_process)
{
    struct stat s;
    EXPECT_EQ(stat("/proc/self/fdinfo", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFDIR | 0555);
    EXPECT_EQ(stat("/proc/self/fdinfo/0", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFREG | 0444);
    EXPECT(strstr(file_text("/proc/self/fdinfo/0"), "pos:\t"));
    IN_CHILD(child)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_ERRNO(open("/proc/1/fdinfo", O_RDONLY | O_DIRECTORY), EACCES);
        EXPECT_ERRNO(open("/proc/1/fdinfo/0", O_RDONLY), EACCES);
        EXPECT_ERRNO(stat("/proc/1/fdinfo/0", &s), EACCES);
        EXPECT_ERRNO(access("/proc/1/fdinfo", R_OK), EACCES);
        EXPECT_EQ(stat("/proc/1/fdinfo", &s), 0);
    }
    EXPECT_EXITED(child, 0);
}

CASE(proc_status_tells_the_size_of_the_descriptor_table)
{
    unsigned before = 0, after = 0;
    char *line = strstr(file_text("/proc/self/status"), "FDSize:");
    REQUIRE(line && sscanf(line, "FDSize: %u", &before) == 1);
    EXPECT_EQ(before, 64);
    REQUIRE(dup2(0, 300) == 300);
    close(300); // the table does not shrink
    line = strstr(file_text("/proc/self/status"), "FDSize:");
    REQUIRE(line && sscanf(line, "FDSize: %u", &after) == 1);
    EXPECT_EQ(after, 512);
}

CASE(proc_task_lists_each_of_many_threads_once)
{
    enum { THREADS = 100 };
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_barrier_init(&barrier, nullptr, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], &small, until_told, &barrier) == 0);
    DIR *d = opendir("/proc/self/task");
    REQUIRE(d);
    int found = 0, last = 0, starts_anew = 0;
    for (struct dirent *e; (e = readdir(d));) {
        int nr = atoi(e->d_name);
        if (!nr)
            continue;
        starts_anew += nr < last;
        EXPECT(nr != last && starts_anew < 2); // in the order they were made; behind the largest number comes a small one
        last = nr;
        found++;
    }
    closedir(d);
    EXPECT_EQ(found, THREADS + 1);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], nullptr);
}

CASE(proc_misc_lists_devices_by_minor_number)
{
    FILE *f = fopen("/proc/misc", "r");
    REQUIRE(f);
    unsigned minor;
    char name[64], path[128], dev[32];
    int devices = 0;
    for (int got; (got = fscanf(f, "%u %63s\n", &minor, name)) != EOF; devices++) {
        REQUIRE_EQ(got, 2);
        snprintf(path, sizeof path, "/sys/class/misc/%s/dev", name);
        snprintf(dev, sizeof dev, "10:%u\n", minor);
        EXPECT_STR(file_text(path), dev);
    }
    EXPECT(devices > 0);
    fclose(f);
}

CASE(proc_wchan_names_where_a_sleeper_sleeps)
{
    struct stat s;
    char path[64], name[64];
    EXPECT_EQ(stat("/proc/self/wchan", &s), 0);
    EXPECT_EQ(s.st_mode, S_IFREG | 0444);
    EXPECT_STR(file_text("/proc/self/wchan"), "0"); // it runs
    IN_CHILD(sleeper)
    {
        pause();
    }
    until_asleep(sleeper);
    snprintf(path, sizeof path, "/proc/%d/wchan", (int)sleeper);
    do // asleep by its state, it may still have to leave the processor
        snprintf(name, sizeof name, "%s", file_text(path));
    while (strcmp(name, "0") == 0);
    EXPECT(name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z'));
    EXPECT_EQ(strcspn(name, " +/\n"), strlen(name));
    IN_CHILD(stranger)
    {
        REQUIRE(setuid(1000) == 0);
        EXPECT_STR(file_text(path), "0");
    }
    EXPECT_EXITED(stranger, 0);
    kill(sleeper, SIGKILL);
    EXPECT_KILLED(sleeper, SIGKILL);
}

// --- Processes of several threads. ---

static void *write_a_mebibyte(void *)
{
    static char block[65536];
    int fd = open("/dev/null", O_WRONLY);
    for (int i = 0; i < 16; i++)
        EXPECT_EQ(write(fd, block, sizeof block), sizeof block);
    return nullptr;
}

CASE(proc_io_counts_those_that_ended)
{
    long before = field(file_text("/proc/self/io"), "\nwchar:");
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, write_a_mebibyte, nullptr), 0);
    pthread_join(thread, nullptr);
    EXPECT(field(file_text("/proc/self/io"), "\nwchar:") >= before + (1 << 20));
    IN_CHILD(child)
    {
        write_a_mebibyte(nullptr);
    }
    EXPECT_EXITED(child, 0);
    EXPECT(field(file_text("/proc/self/io"), "\nwchar:") >= before + (2 << 20));
}

// The field of a stat file with that number, from 1.
static long stat_field(const char *path, int number)
{
    const char *at = strrchr(file_text(path), ')');
    REQUIRE(at);
    for (int i = 2; i < number && at; i++)
        at = strchr(at + 1, ' ');
    REQUIRE(at);
    return atol(at + 1);
}

static void *look_at_own_stat(void *)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", own_tid());
    EXPECT_EQ(atoi(file_text(path)), own_tid());
    EXPECT_EQ(stat_field(path, 38), -1); // its end signals nobody
    EXPECT_EQ(stat_field("/proc/thread-self/stat", 38), -1);
    EXPECT_EQ(stat_field("/proc/self/stat", 38), SIGCHLD);
    EXPECT_EQ(stat_field("/proc/self/stat", 35), 0); // where one waits is said of one thread
    EXPECT_EQ(stat_field("/proc/self/stat", 20), 2);
    return nullptr;
}

CASE(proc_stat_of_a_thread)
{
    pthread_t thread;
    REQUIRE_EQ(pthread_create(&thread, nullptr, look_at_own_stat, nullptr), 0);
    pthread_join(thread, nullptr);
}

static void *outlive_the_leader(void *)
{
    char text[64];
    snprintf(text, sizeof text, "/proc/%d/stat", getpid());
    for (int i = 0; i < LONG_TIMEOUT_MS && !strstr(file_text(text), ") Z "); i++)
        sleep_ms(1);
    EXPECT_EQ(field(file_text("/proc/self/status"), "\nThreads:"), 2);
    EXPECT_EQ(stat_field("/proc/self/stat", 20), 2);
    _exit(0);
}

CASE(proc_counts_a_leader_that_ended_and_a_zombie)
{
    siginfo_t info;
    char path[64];
    IN_CHILD(child)
    {
        pthread_t thread;
        REQUIRE_EQ(pthread_create(&thread, nullptr, outlive_the_leader, nullptr), 0);
        syscall(SYS_exit, 0);
    }
    REQUIRE(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    EXPECT_EQ(stat_field(path, 20), 1);
    EXPECT_EXITED(child, 0);
}

static void *write_oom_adj(void *)
{
    char text[64];
    snprintf(text, sizeof text, "/proc/%d/stat", getpid());
    for (int i = 0; i < LONG_TIMEOUT_MS && !strstr(file_text(text), ") Z "); i++)
        sleep_ms(1);
    EXPECT_EQ(write_text("/proc/self/oom_score_adj", "300"), 0);
    EXPECT_STR(file_text("/proc/self/oom_score_adj"), "300\n");
    _exit(0);
}

CASE(proc_oom_score_adj_is_the_process_s)
{
    IN_CHILD(child)
    {
        pthread_t thread;
        REQUIRE_EQ(pthread_create(&thread, nullptr, write_oom_adj, nullptr), 0);
        syscall(SYS_exit, 0); // the leader has no memory any more
    }
    EXPECT_EXITED(child, 0);
    pid_t borrower = vfork();
    if (borrower == 0) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY);
        _exit(write(fd, "500", 3) == 3 ? 0 : 1);
    }
    EXPECT_EXITED(borrower, 0);
    EXPECT_STR(file_text("/proc/self/oom_score_adj"), "0\n"); // not his who borrows the memory
    IN_CHILD(plain)
    {
        REQUIRE(setresuid(1000, 1000, 1000) == 0);
        REQUIRE(prctl(PR_SET_DUMPABLE, 1) == 0);
        EXPECT_EQ(write_text("/proc/self/oom_score_adj", "500"), 0);
        EXPECT_EQ(write_text("/proc/self/oom_score_adj", "0"), 0); // down again, to what it was set to with the capability
        EXPECT_EQ(write_text("/proc/self/oom_score_adj", "-1"), -EACCES);
    }
    EXPECT_EXITED(plain, 0);
}
