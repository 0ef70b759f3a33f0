// tests/contract/pipe.c — pipes and FIFOs: pipe(7), pipe(2), fifo(7).
#include "tests/contract/harness.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

static void make_pipe(int fds[2], int flags)
{
    REQUIRE(pipe2(fds, flags) == 0);
}

// Writes until a nonblocking pipe is full; returns the bytes.
static long fill(int fd)
{
    static char block[PAGE];
    long total = 0;
    for (ssize_t n; (n = write(fd, block, sizeof block)) > 0;)
        total += n;
    EXPECT_EQ(errno, EAGAIN);
    return total;
}

CASE(pipe_passes_bytes_in_order)
{
    int fds[2];
    make_pipe(fds, 0);
    char text[16] = {};
    EXPECT_EQ(write(fds[1], "abc", 3), 3);
    EXPECT_EQ(write(fds[1], "def", 3), 3);
    EXPECT_EQ(read(fds[0], text, 4), 4);
    EXPECT_STR(text, "abcd");
    EXPECT_EQ(read(fds[0], text, sizeof text), 2);
    EXPECT_EQ(text[0], 'e');
}

CASE(pipe_read_is_end_of_file_after_last_writer)
{
    int fds[2];
    make_pipe(fds, 0);
    int copy = dup(fds[1]);
    EXPECT_EQ(write(copy, "x", 1), 1);
    close(fds[1]);
    close(copy);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(read(fds[0], &c, 1), 0);
    EXPECT_EQ(read(fds[0], &c, 1), 0);
}

CASE(pipe_write_without_reader_raises_sigpipe)
{
    int fds[2];
    make_pipe(fds, 0);
    close(fds[0]);
    IN_CHILD(child)
    {
        signal(SIGPIPE, SIG_DFL);
        write(fds[1], "x", 1);
    }
    EXPECT_KILLED(child, SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(write(fds[1], "x", 1), EPIPE);
    count_signal(SIGPIPE, 0);
    EXPECT_ERRNO(write(fds[1], "x", 1), EPIPE);
    EXPECT_EQ(handled_signals, 1);
}

CASE(pipe_ends_refuse_the_other_direction)
{
    int fds[2];
    make_pipe(fds, 0);
    char c;
    EXPECT_ERRNO(write(fds[0], "x", 1), EBADF);
    EXPECT_ERRNO(read(fds[1], &c, 1), EBADF);
    EXPECT_EQ(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    EXPECT_EQ(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
}

CASE(pipe2_flags_are_per_call)
{
    int fds[2];
    make_pipe(fds, O_CLOEXEC | O_NONBLOCK);
    EXPECT_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    int plain[2];
    make_pipe(plain, 0);
    EXPECT_EQ(fcntl(plain[0], F_GETFD), 0);
    EXPECT_EQ(fcntl(plain[1], F_GETFL) & O_NONBLOCK, 0);
}

CASE(pipe2_rejects_bad_arguments)
{
    int fds[2] = {-7, -7};
    EXPECT_ERRNO(syscall(SYS_pipe2, fds, O_APPEND), EINVAL);
    EXPECT_ERRNO(syscall(SYS_pipe2, fds, 1), EINVAL);
    EXPECT_EQ(fds[0], -7);
    EXPECT_ERRNO(syscall(SYS_pipe2, 8, 0), EFAULT);
    int before = dup(0);
    close(before);
    int after = dup(0); // neither end of the failed pipe is left open
    EXPECT_EQ(after, before);
}

CASE(pipe2_makes_both_ends_or_none)
{
    int fds[2] = {-5, -5}, next = dup(0);
    struct rlimit limit = {.rlim_cur = (rlim_t)next + 1, .rlim_max = 100};
    close(next);
    EXPECT_ERRNO(syscall(SYS_pipe2, (void *)8, 0), EFAULT);
    EXPECT_ERRNO(syscall(SYS_pipe2, fds, O_APPEND), EINVAL);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT_ERRNO(pipe2(fds, 0), EMFILE); // there is room for one
    EXPECT_EQ(fds[0], -5);
    EXPECT_EQ(dup(0), next); // it was given back
    limit.rlim_cur = 100;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(fcntl(fds[i], F_GETFL), O_NONBLOCK | (i ? O_WRONLY : O_RDONLY));
    }
}

CASE(pipe_nonblocking_read_of_empty_pipe_is_eagain)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    char c;
    EXPECT_ERRNO(read(fds[0], &c, 1), EAGAIN);
}

CASE(pipe_holds_64_kib)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    EXPECT_EQ(fill(fds[1]), 65536);
    EXPECT_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
}

CASE(pipe_size_can_be_changed)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    EXPECT_EQ(fcntl(fds[1], F_SETPIPE_SZ, 8192), 8192);
    EXPECT_EQ(fill(fds[1]), 8192);
    EXPECT_EQ(fcntl(fds[1], F_SETPIPE_SZ, 5000), 8192); // rounded up to a power of two of pages
    EXPECT_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 100), EBUSY); // what is inside does not fit
    EXPECT_EQ(fcntl(fds[1], F_SETPIPE_SZ, 100000), 131072);
    EXPECT_EQ(fcntl(fds[0], F_GETPIPE_SZ), 131072);
    EXPECT_ERRNO(fcntl(0, F_GETPIPE_SZ), EBADF); // not a pipe
}

CASE(pipe_write_up_to_pipe_buf_is_whole_or_nothing)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    fill(fds[1]);
    char block[PIPE_BUF] = {}, c[100];
    EXPECT_EQ(read(fds[0], c, sizeof c), sizeof c);
    EXPECT_ERRNO(write(fds[1], block, sizeof block), EAGAIN);
}

CASE(pipe_blocked_writer_goes_on_when_read)
{
    int fds[2];
    make_pipe(fds, 0);
    enum { TOTAL = 300000 };
    IN_CHILD(child)
    {
        close(fds[0]);
        char *data = malloc(TOTAL);
        for (int i = 0; i < TOTAL; i++)
            data[i] = (char)(i * 7 + i / 251);
        EXPECT_EQ(write(fds[1], data, TOTAL), TOTAL); // a blocking write is never short
    }
    close(fds[1]);
    long got = 0;
    char block[3001];
    bool same = true;
    for (ssize_t n; (n = read(fds[0], block, sizeof block)) > 0; got += n) {
        for (ssize_t i = 0; i < n; i++)
            same &= block[i] == (char)((got + i) * 7 + (got + i) / 251);
    }
    EXPECT_EQ(got, TOTAL);
    EXPECT(same);
    EXPECT_EXITED(child, 0);
}

CASE(pipe_blocked_read_is_interrupted_by_signal)
{
    int fds[2];
    make_pipe(fds, 0);
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    char c;
    EXPECT_ERRNO(read(fds[0], &c, 1), EINTR);
    join(killer);
    EXPECT_EQ(handled_signals, 1);
}

CASE(pipe_close_wakes_reader)
{
    int fds[2];
    make_pipe(fds, 0);
    thread_t closer = after_ms(30, close_fd, fds[1]);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 0);
    join(closer);
}

CASE(pipe_close_wakes_writer)
{
    int fds[2];
    make_pipe(fds, 0);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(fcntl(fds[1], F_SETPIPE_SZ, PAGE), PAGE);
    char block[PAGE] = {};
    EXPECT_EQ(write(fds[1], block, sizeof block), sizeof block);
    thread_t closer = after_ms(30, close_fd, fds[0]);
    EXPECT_ERRNO(write(fds[1], "x", 1), EPIPE);
    join(closer);
}

CASE(pipe_close_wakes_poller)
{
    int fds[2];
    make_pipe(fds, 0);
    thread_t closer = after_ms(20, close_fd, fds[1]);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    EXPECT_EQ(poll(&p, 1, LONG_TIMEOUT_MS), 1);
    EXPECT_EQ(p.revents, POLLHUP);
    join(closer);
}

CASE(pipe_poll_states)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    EXPECT_EQ(poll_now(fds[0], POLLIN), 0);
    EXPECT_EQ(poll_now(fds[1], POLLOUT), POLLOUT);
    EXPECT_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EQ(poll_now(fds[0], POLLIN | POLLRDNORM), POLLIN | POLLRDNORM);
    fill(fds[1]);
    EXPECT_EQ(poll_now(fds[1], POLLOUT), 0);
    close(fds[0]);
    EXPECT_EQ(poll_now(fds[1], 0), POLLERR);
}

CASE(pipe_data_and_hangup_are_both_reported)
{
    int fds[2];
    make_pipe(fds, 0);
    write_byte(fds[1]);
    close(fds[1]);
    EXPECT_EQ(poll_now(fds[0], POLLIN), POLLIN | POLLHUP);
    char c;
    EXPECT_EQ(read(fds[0], &c, 1), 1);
    EXPECT_EQ(poll_now(fds[0], POLLIN), POLLHUP);
}

CASE(pipe_cannot_seek_or_map)
{
    int fds[2];
    make_pipe(fds, 0);
    char c;
    EXPECT_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    EXPECT_ERRNO(pread(fds[0], &c, 1, 0), ESPIPE);
    EXPECT_ERRNO(pwrite(fds[1], &c, 1, 0), ESPIPE);
    EXPECT_ERRNO(ftruncate(fds[1], 0), EINVAL);
    EXPECT_ERRNO(mmap(nullptr, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
    EXPECT_ERRNO(fsync(fds[1]), EINVAL);
}

CASE(pipe_fionread_counts_bytes)
{
    int fds[2], bytes = -1;
    make_pipe(fds, 0);
    EXPECT_EQ(ioctl(fds[0], FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 0);
    EXPECT_EQ(write(fds[1], "abcde", 5), 5);
    EXPECT_EQ(ioctl(fds[0], FIONREAD, &bytes), 0);
    EXPECT_EQ(bytes, 5);
    EXPECT_ERRNO(ioctl(fds[0], TIOCGWINSZ, &bytes), ENOTTY);
}

CASE(pipe_stat_says_fifo)
{
    int fds[2];
    struct stat a, b;
    make_pipe(fds, 0);
    EXPECT_EQ(fstat(fds[0], &a), 0);
    EXPECT_EQ(fstat(fds[1], &b), 0);
    EXPECT_EQ(a.st_mode, S_IFIFO | 0600);
    EXPECT_EQ(a.st_ino, b.st_ino);
    EXPECT_EQ(a.st_size, 0);
    EXPECT_EQ(a.st_uid, geteuid());
}

CASE(pipe_writev_is_one_write)
{
    int fds[2];
    make_pipe(fds, 0);
    struct iovec parts[3] = {{"ab", 2}, {nullptr, 0}, {"cde", 3}};
    EXPECT_EQ(writev(fds[1], parts, 3), 5);
    char a[3] = {}, b[8] = {};
    struct iovec into[2] = {{a, 2}, {b, 7}};
    EXPECT_EQ(readv(fds[0], into, 2), 5);
    EXPECT_STR(a, "ab");
    EXPECT_STR(b, "cde");
}

CASE(pipe_bad_buffer_is_efault)
{
    int fds[2];
    make_pipe(fds, O_NONBLOCK);
    EXPECT_ERRNO(write(fds[1], (void *)8, 4), EFAULT);
    write_byte(fds[1]);
    EXPECT_ERRNO(read(fds[0], (void *)8, 4), EFAULT);
    char c = 0;
    EXPECT_EQ(read(fds[0], &c, 1), 1); // the byte is still there
    EXPECT_EQ(c, 'x');
}

CASE(pipe_packet_mode_keeps_boundaries)
{
    int fds[2];
    make_pipe(fds, O_DIRECT);
    char text[16];
    EXPECT_EQ(write(fds[1], "one", 3), 3);
    EXPECT_EQ(write(fds[1], "three", 5), 5);
    EXPECT_EQ(read(fds[0], text, sizeof text), 3);
    EXPECT_EQ(read(fds[0], text, 2), 2); // the rest of the packet is lost
    EXPECT_EQ(write(fds[1], "z", 1), 1);
    EXPECT_EQ(read(fds[0], text, sizeof text), 1);
}

CASE(pipe_two_writers_do_not_interleave_small_writes)
{
    int fds[2];
    make_pipe(fds, 0);
    enum { SIZE = 1000, COUNT = 200 };
    for (int w = 0; w < 2; w++) {
        IN_CHILD(child)
        {
            char block[SIZE];
            memset(block, 'a' + w, sizeof block);
            for (int i = 0; i < COUNT; i++)
                EXPECT_EQ(write(fds[1], block, sizeof block), SIZE);
        }
    }
    close(fds[1]);
    char block[SIZE];
    int blocks = 0;
    bool whole = true;
    for (;;) {
        size_t used = 0;
        for (ssize_t n; used < SIZE && (n = read(fds[0], block + used, SIZE - used)) > 0;)
            used += (size_t)n;
        if (used == 0)
            break;
        blocks++;
        for (size_t i = 0; i < used; i++)
            whole &= block[i] == block[0];
    }
    EXPECT_EQ(blocks, 2 * COUNT);
    EXPECT(whole);
}

CASE(pipe_zero_length_transfers)
{
    int fds[2];
    make_pipe(fds, 0);
    char c;
    EXPECT_EQ(write(fds[1], "", 0), 0);
    EXPECT_EQ(read(fds[0], &c, 0), 0);
    EXPECT_EQ(poll_now(fds[0], POLLIN), 0);
}

CASE(pipe_nonblocking_flag_can_be_set_later)
{
    int fds[2];
    make_pipe(fds, 0);
    int on = 1;
    EXPECT_EQ(ioctl(fds[0], FIONBIO, &on), 0);
    EXPECT(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    char c;
    EXPECT_ERRNO(read(fds[0], &c, 1), EAGAIN);
    EXPECT_EQ(fcntl(fds[0], F_SETFL, 0), 0);
    write_byte(fds[1]);
    EXPECT_EQ(read(fds[0], &c, 1), 1);
}

CASE(fifo_open_waits_for_other_end)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    IN_CHILD(child)
    {
        sleep_ms(30);
        int fd = open("f", O_WRONLY);
        EXPECT(fd >= 0);
        write_byte(fd);
    }
    int fd = open("f", O_RDONLY);
    REQUIRE(fd >= 0);
    char c;
    EXPECT_EQ(read(fd, &c, 1), 1);
    EXPECT_EQ(read(fd, &c, 1), 0);
    EXPECT_EXITED(child, 0);
}

CASE(fifo_nonblocking_open)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    EXPECT_ERRNO(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = open("f", O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    char c;
    EXPECT_EQ(read(reader, &c, 1), 0); // no writer yet: end of file, not EAGAIN
    EXPECT_EQ(poll_now(reader, POLLIN), 0); // but not a hangup either
    int writer = open("f", O_WRONLY | O_NONBLOCK);
    REQUIRE(writer >= 0);
    EXPECT_ERRNO(read(reader, &c, 1), EAGAIN);
    close(writer);
    EXPECT_EQ(poll_now(reader, POLLIN), POLLHUP);
}

CASE(fifo_open_for_both_does_not_wait)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    int fd = open("f", O_RDWR);
    REQUIRE(fd >= 0);
    write_byte(fd);
    char c;
    EXPECT_EQ(read(fd, &c, 1), 1);
}

CASE(fifo_is_one_pipe_for_all_names)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    REQUIRE(link("f", "g") == 0);
    int reader = open("f", O_RDONLY | O_NONBLOCK), writer = open("g", O_WRONLY);
    REQUIRE(reader >= 0 && writer >= 0);
    unlink("f");
    unlink("g");
    write_byte(writer);
    char c;
    EXPECT_EQ(read(reader, &c, 1), 1);
}

CASE(fifo_waiting_open_is_interrupted)
{
    REQUIRE(mkfifo("f", 0600) == 0);
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(open("f", O_RDONLY), EINTR);
    join(killer);
}

CASE(pipe_reopened_through_proc)
{
    int fds[2];
    make_pipe(fds, 0);
    char path[64], link[64] = {}, c;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    EXPECT(readlink(path, link, sizeof link - 1) > 0);
    EXPECT_EQ(strncmp(link, "pipe:[", 6), 0);
    int again = open(path, O_WRONLY);
    REQUIRE(again >= 0);
    write_byte(again);
    EXPECT_EQ(read(fds[0], &c, 1), 1);
}

CASE(pipe_reopened_when_all_its_ends_are_closed)
{
    static const int ways[] = {O_RDONLY, O_WRONLY, O_WRONLY | O_NONBLOCK};
    int fds[2];
    char path[64], c;
    make_pipe(fds, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    int place = open(path, O_PATH);
    REQUIRE(place >= 0);
    write_byte(fds[1]);
    close(fds[0]);
    close(fds[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", place);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int fd = open(path, ways[i]); // it has no name: nobody is waited for
        REQUIRE(fd >= 0);
        if (ways[i] == O_RDONLY)
            EXPECT_EQ(read(fd, &c, 1), 0); // what was in it went with its ends
        close(fd);
    }
}

// --- What one user may have in pipes. ---

static const char *const soft_file = "/proc/sys/fs/pipe-user-pages-soft", *const hard_file = "/proc/sys/fs/pipe-user-pages-hard";

CASE(pipe_pages_of_a_user_are_limited)
{
    keep_setting(soft_file);
    keep_setting(hard_file);
    EXPECT_STR(file_text(soft_file), "16384\n");
    EXPECT_STR(file_text(hard_file), "0\n");
    REQUIRE(write_text(soft_file, "40") == 0);
    IN_CHILD(small)
    {
        int a[2], b[2], c[2];
        REQUIRE(setuid(54321) == 0);
        make_pipe(a, 0);
        make_pipe(b, 0);
        EXPECT_EQ(fcntl(b[0], F_GETPIPE_SZ), 16 * PAGE);
        make_pipe(c, 0); // 48 pages would be too many: a small one
        EXPECT_EQ(fcntl(c[0], F_GETPIPE_SZ), 2 * PAGE);
        EXPECT_EQ(fcntl(c[0], F_SETPIPE_SZ, 8 * PAGE), 8 * PAGE); // 40
        EXPECT_ERRNO(fcntl(c[0], F_SETPIPE_SZ, 16 * PAGE), EPERM);
        EXPECT_EQ(fcntl(a[0], F_SETPIPE_SZ, PAGE), PAGE);
        EXPECT_EQ(fcntl(c[0], F_SETPIPE_SZ, 16 * PAGE), 16 * PAGE);
        close(b[0]);
        close(b[1]);
        make_pipe(b, 0);
        EXPECT_EQ(fcntl(b[0], F_GETPIPE_SZ), 16 * PAGE);
    }
    EXPECT_EXITED(small, 0);
    EXPECT_EQ(write_text(soft_file, "16384"), 0);
    REQUIRE(write_text(hard_file, "40") == 0);
    IN_CHILD(none)
    {
        int a[2], b[2], c[2];
        REQUIRE(setuid(54321) == 0);
        make_pipe(a, 0);
        make_pipe(b, 0);
        EXPECT_ERRNO(pipe(c), ENFILE);
        EXPECT_ERRNO(fcntl(a[0], F_SETPIPE_SZ, 32 * PAGE), EPERM);
        EXPECT_EQ(mkfifo("/tmp/user-pipe", 0600), 0);
        EXPECT_ERRNO(open("/tmp/user-pipe", O_RDWR), ENOMEM);
        EXPECT_EQ(unlink("/tmp/user-pipe"), 0);
        close(b[0]);
        close(b[1]);
        EXPECT_EQ(pipe(c), 0);
    }
    EXPECT_EXITED(none, 0);
    int mine[2];
    make_pipe(mine, 0); // no limit for root
    EXPECT_EQ(fcntl(mine[0], F_SETPIPE_SZ, 64 * PAGE), 64 * PAGE);
}
