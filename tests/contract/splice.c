// tests/contract/splice.c — moving data inside the kernel: sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2); readahead(2), preadv2(2).
#include "tests/contract/harness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BIG = 300000 };

static void make_pipe(int fds[2], int flags)
{
    REQUIRE(pipe2(fds, flags) == 0);
}

// A file of BIG bytes that tell their position, with a hole of three pages in it.
static int big_file(const char *path)
{
    static char block[BIG];
    for (int i = 0; i < BIG; i++)
        block[i] = (char)(i * 7 + i / 251);
    memset(block + 5 * PAGE, 0, 3 * PAGE);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    REQUIRE(pwrite(fd, block, 5 * PAGE, 0) == 5 * PAGE);
    REQUIRE(pwrite(fd, block + 8 * PAGE, BIG - 8 * PAGE, 8 * PAGE) == BIG - 8 * PAGE);
    return fd;
}

static void expect_big(const char *got, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        char wanted = i >= 5 * PAGE && i < 8 * PAGE ? 0 : (char)(i * 7 + i / 251);
        if (got[i - from] != wanted) {
            EXPECT_EQ(i, -1);
            return;
        }
    }
}

CASE(sendfile_moves_a_big_file_with_holes)
{
    static char got[BIG];
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600);
    off_t at = 0;
    EXPECT_EQ(sendfile(out, in, &at, BIG + 100), BIG);
    EXPECT_EQ(at, BIG);
    EXPECT_EQ(pread(out, got, BIG, 0), BIG);
    expect_big(got, 0, BIG);
    at = 5 * PAGE - 10;
    EXPECT_EQ(lseek(out, 3, SEEK_SET), 3);
    EXPECT_EQ(sendfile(out, in, &at, 4 * PAGE), 4 * PAGE);
    EXPECT_EQ(lseek(out, 0, SEEK_CUR), 3 + 4 * PAGE);
    EXPECT_EQ(pread(out, got, 4 * PAGE, 3), 4 * PAGE);
    expect_big(got, 5 * PAGE - 10, 4 * PAGE);
    EXPECT_EQ(sendfile(out, in, &at, 0), 0);
}

CASE(sendfile_to_sockets_and_pipes)
{
    char got[64];
    int fds[2], s[2], in = big_file("in");
    make_pipe(fds, O_NONBLOCK);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    off_t at = 100;
    EXPECT_EQ(sendfile(s[0], in, &at, 64), 64);
    EXPECT_EQ(read(s[1], got, 64), 64);
    expect_big(got, 100, 64);
    at = 0;
    EXPECT_EQ(sendfile(fds[1], in, &at, BIG), 65536); // what fits
    EXPECT_EQ(at, 65536);
    EXPECT_ERRNO(sendfile(fds[1], in, &at, 1), EAGAIN);
    EXPECT_EQ(read(fds[0], got, 64), 64);
    expect_big(got, 0, 64);
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(sendfile(fds[1], in, &at, 1), EPIPE);
}

CASE(sendfile_errors)
{
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600), fds[2], zero = open("/dev/zero", O_RDONLY), dir = open(".", O_RDONLY);
    make_pipe(fds, 0);
    off_t at = -1;
    EXPECT_ERRNO(sendfile(out, in, &at, 5), EINVAL);
    EXPECT_ERRNO(sendfile(out, fds[0], nullptr, 5), EINVAL);
    at = 0;
    EXPECT_ERRNO(sendfile(out, fds[0], &at, 5), ESPIPE);
    EXPECT_ERRNO(sendfile(out, dir, nullptr, 5), EINVAL);
    EXPECT_EQ(sendfile(out, zero, nullptr, 5), 5); // a device that can be read from
    EXPECT_ERRNO(sendfile(fds[0], in, nullptr, 5), EBADF);
    EXPECT_ERRNO(sendfile(out, in, (off_t *)8, 5), EFAULT);
}

CASE(sendfile_stops_at_the_file_size_limit)
{
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600);
    struct rlimit small = {10000, 10000};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    signal(SIGXFSZ, SIG_IGN);
    off_t at = 0;
    EXPECT_EQ(sendfile(out, in, &at, BIG), 10000);
    EXPECT_EQ(at, 10000);
    EXPECT_ERRNO(sendfile(out, in, &at, 1), EFBIG);
}

CASE(splice_file_through_a_pipe)
{
    static char got[BIG];
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600), fds[2];
    make_pipe(fds, 0);
    for (long total = 0; total < BIG;) {
        ssize_t n = splice(in, nullptr, fds[1], nullptr, BIG, 0);
        REQUIRE(n > 0 && n <= 65536);
        for (ssize_t left = n; left;) {
            ssize_t moved = splice(fds[0], nullptr, out, nullptr, (size_t)left, SPLICE_F_MOVE);
            REQUIRE(moved > 0);
            left -= moved;
        }
        total += n;
    }
    EXPECT_EQ(splice(in, nullptr, fds[1], nullptr, 10, 0), 0); // end of file
    EXPECT_EQ(lseek(in, 0, SEEK_CUR), BIG);
    EXPECT_EQ(pread(out, got, BIG, 0), BIG);
    expect_big(got, 0, BIG);
}

CASE(splice_part_of_a_page_and_more_behind_it)
{
    char got[32] = {};
    int in = big_file("in"), fds[2];
    make_pipe(fds, 0);
    off_t at = 10;
    EXPECT_EQ(splice(in, &at, fds[1], nullptr, 5, 0), 5);
    EXPECT_EQ(write(fds[1], "xyz", 3), 3); // must not go into the file's page
    EXPECT_EQ(read(fds[0], got, sizeof got), 8);
    expect_big(got, 10, 5);
    EXPECT_STR(got + 5, "xyz");
    EXPECT_EQ(pread(in, got, 8, 10), 8);
    expect_big(got, 10, 8);
}

CASE(splice_full_and_empty_pipes)
{
    int in = big_file("in"), fds[2], other[2];
    char c;
    make_pipe(fds, 0);
    make_pipe(other, 0);
    EXPECT_ERRNO(splice(fds[0], nullptr, other[1], nullptr, 10, SPLICE_F_NONBLOCK), EAGAIN);
    off_t at = 0;
    EXPECT_EQ(splice(in, &at, fds[1], nullptr, BIG, SPLICE_F_NONBLOCK), 65536);
    EXPECT_ERRNO(splice(in, &at, fds[1], nullptr, BIG, SPLICE_F_NONBLOCK), EAGAIN);
    EXPECT_EQ(splice(fds[0], nullptr, other[1], nullptr, 100, 0), 100);
    EXPECT_EQ(read(other[0], &c, 1), 1);
    expect_big(&c, 0, 1);
    close(fds[1]);
    EXPECT_EQ(splice(fds[0], nullptr, other[1], nullptr, 1 << 20, SPLICE_F_NONBLOCK), 15 * PAGE - 100); // slots, not bytes, are the room
    close(other[0]);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(splice(in, &at, other[1], nullptr, 1, 0), EPIPE);
}

static void empty_pipe(long fd)
{
    static char drain[65536];
    EXPECT(read((int)fd, drain, sizeof drain) > 0);
}

CASE(splice_waits_for_data_and_for_room)
{
    int fds[2], other[2], in = big_file("in");
    make_pipe(fds, 0);
    make_pipe(other, 0);
    thread_t writer = after_ms(30, write_byte, fds[1]);
    EXPECT_EQ(splice(fds[0], nullptr, other[1], nullptr, 10, 0), 1);
    join(writer);
    off_t at = 0;
    while (splice(in, &at, fds[1], nullptr, BIG, SPLICE_F_NONBLOCK) > 0)
        ;
    thread_t reader = after_ms(30, empty_pipe, fds[0]);
    EXPECT(splice(in, &at, fds[1], nullptr, 10, 0) == 10);
    join(reader);
}

CASE(splice_is_interrupted)
{
    int fds[2], other[2];
    make_pipe(fds, 0);
    make_pipe(other, 0);
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(splice(fds[0], nullptr, other[1], nullptr, 10, 0), EINTR);
    join(killer);
}

static const char zeros[PAGE];
static _Atomic pid_t page_writer_tid;

static void *write_last_page(void *fd)
{
    char page[PAGE];
    memset(page, 16, sizeof page);
    page_writer_tid = own_tid();
    EXPECT_EQ(write(*(int *)fd, page, PAGE), PAGE);
    return nullptr;
}

CASE(splice_that_is_interrupted_has_taken_nothing)
{
    int fds[2], s[2];
    char page[PAGE];
    make_pipe(fds, 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    fill_up(s[0], zeros, sizeof zeros);
    for (int i = 0; i < 16; i++) {
        memset(page, i, sizeof page);
        REQUIRE(write(fds[1], page, PAGE) == PAGE);
    }
    pthread_t writer; // waits for room in the pipe, while a splice tries to send what is in it
    REQUIRE(pthread_create(&writer, nullptr, write_last_page, &fds[1]) == 0);
    while (!page_writer_tid)
        sched_yield();
    until_asleep(page_writer_tid);
    count_signal(SIGUSR1, 0);
    thread_t killer = after_ms(30, kill_thread, pack_kill(own_tid(), SIGUSR1));
    EXPECT_ERRNO(splice(fds[0], nullptr, s[0], nullptr, 16 * PAGE, 0), EINTR);
    join(killer);
    for (int i = 0; i < 17; i++) {
        EXPECT_EQ(read(fds[0], page, PAGE), PAGE);
        EXPECT_EQ(page[0], i);
        EXPECT_EQ(page[PAGE - 1], i);
    }
    pthread_join(writer, nullptr);
}

static int splice_ends[2]; // a pipe to read from, a socket to send to
static _Atomic pid_t splicer_tid, reader_tid;

static void *splice_to_socket(void *)
{
    splicer_tid = own_tid();
    EXPECT_EQ(splice(splice_ends[0], nullptr, splice_ends[1], nullptr, PAGE, 0), 5);
    return nullptr;
}

static void *read_without_waiting(void *)
{
    char c;
    reader_tid = own_tid();
    EXPECT_ERRNO(read(splice_ends[0], &c, 1), EAGAIN);
    return nullptr;
}

CASE(pipe_reader_that_does_not_block_ends_with_the_splice_it_met)
{
    int fds[2], s[2];
    char page[PAGE];
    pthread_t splicer, reader;
    make_pipe(fds, O_NONBLOCK);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    fill_up(s[0], zeros, sizeof zeros);
    REQUIRE(write(fds[1], "hello", 5) == 5);
    splice_ends[0] = fds[0];
    splice_ends[1] = s[0];
    REQUIRE(pthread_create(&splicer, nullptr, splice_to_socket, nullptr) == 0);
    while (!splicer_tid)
        sched_yield();
    until_asleep(splicer_tid);
    REQUIRE(pthread_create(&reader, nullptr, read_without_waiting, nullptr) == 0);
    while (!reader_tid)
        sched_yield();
    sleep_ms(30); // it meets the splice, or at worst comes when all is over
    REQUIRE(fcntl(s[1], F_SETFL, O_NONBLOCK) == 0);
    int64_t end = now_ns() + LONG_TIMEOUT_MS * 1000000LL;
    bool seen = false;
    while (!seen && now_ns() < end) {
        ssize_t n = read(s[1], page, PAGE);
        seen = n >= 5 && memcmp(page + n - 5, "hello", 5) == 0;
        if (n < 0)
            sched_yield();
    }
    EXPECT(seen);
    pthread_join(splicer, nullptr);
    pthread_join(reader, nullptr);
}

CASE(splice_takes_what_a_stream_has)
{
    int fds[2], s[2];
    static char two[2 * PAGE];
    make_pipe(fds, 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    EXPECT_EQ(write(s[1], two, PAGE), PAGE);
    EXPECT_EQ(splice(s[0], nullptr, fds[1], nullptr, 16 * PAGE, 0), PAGE); // and does not wait for more
    EXPECT_EQ(read(fds[0], two, sizeof two), PAGE);
    EXPECT_ERRNO(splice(s[0], nullptr, fds[1], nullptr, 16 * PAGE, SPLICE_F_NONBLOCK), EAGAIN);
    EXPECT_EQ(write(s[1], two, 2 * PAGE), 2 * PAGE);
    EXPECT_EQ(splice(s[0], nullptr, fds[1], nullptr, 16 * PAGE, SPLICE_F_NONBLOCK), 2 * PAGE);
    close(s[1]);
    EXPECT_EQ(splice(s[0], nullptr, fds[1], nullptr, 16 * PAGE, 0), 0);
}

CASE(splice_reads_nothing_that_it_has_no_room_for)
{
    int fds[2], s[2];
    char got[16] = {};
    make_pipe(fds, 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    fill_up(fds[1], zeros, sizeof zeros);
    EXPECT_EQ(write(s[1], "hello", 5), 5);
    EXPECT_ERRNO(splice(s[0], nullptr, fds[1], nullptr, 100, SPLICE_F_NONBLOCK), EAGAIN);
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]);
    EXPECT_ERRNO(splice(s[0], nullptr, fds[1], nullptr, 100, 0), EPIPE);
    EXPECT_EQ(read(s[0], got, sizeof got), 5);
    EXPECT_STR(got, "hello");
}

CASE(splice_errors)
{
    int in = big_file("in"), fds[2], other[2], append = open("a", O_WRONLY | O_APPEND | O_CREAT, 0600), dir = open(".", O_RDONLY);
    off_t at = 0;
    make_pipe(fds, 0);
    make_pipe(other, 0);
    EXPECT_EQ(write(fds[1], "abc", 3), 3);
    EXPECT_ERRNO(splice(fds[0], nullptr, append, nullptr, 3, 0), EINVAL);
    EXPECT_ERRNO(splice(fds[0], nullptr, fds[1], nullptr, 3, 0), EINVAL); // the same pipe
    EXPECT_ERRNO(splice(fds[0], nullptr, other[1], &at, 3, 0), ESPIPE);
    EXPECT_ERRNO(splice(fds[1], nullptr, other[1], nullptr, 3, 0), EBADF);
    EXPECT_ERRNO(splice(fds[0], nullptr, in, &at, 3, 0x100), EINVAL);
    EXPECT_ERRNO(splice(999, nullptr, other[1], nullptr, 3, 0), EBADF);
    EXPECT_ERRNO(splice(dir, nullptr, other[1], nullptr, 3, 0), EINVAL);
    EXPECT_EQ(splice(999, nullptr, 998, nullptr, 0, 0), 0); // nothing asked for, nothing looked at
    at = -5;
    EXPECT_ERRNO(splice(in, &at, other[1], nullptr, 3, 0), EINVAL);
    EXPECT_ERRNO(splice(in, (off_t *)8, other[1], nullptr, 3, 0), EFAULT);
}

CASE(splice_devices_and_sockets)
{
    char got[16] = {};
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), fds[2], s[2];
    make_pipe(fds, 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    EXPECT_EQ(splice(zero, nullptr, fds[1], nullptr, 100, 0), 100);
    EXPECT_EQ(splice(fds[0], nullptr, null, nullptr, 60, 0), 60);
    EXPECT_EQ(splice(fds[0], nullptr, s[0], nullptr, 40, 0), 40);
    EXPECT_EQ(read(s[1], got, 16), 16);
    EXPECT_EQ(got[7], 0);
    EXPECT_EQ(write(s[1], "hello", 5), 5);
    EXPECT_EQ(splice(s[0], nullptr, fds[1], nullptr, 100, 0), 5);
    EXPECT_EQ(read(fds[0], got, 16), 5);
    EXPECT_STR(got, "hello");
}

CASE(tee_copies_without_taking)
{
    int a[2], b[2];
    static char got[3 * PAGE];
    make_pipe(a, 0);
    make_pipe(b, 0);
    int in = big_file("in");
    off_t at = 0;
    EXPECT_EQ(splice(in, &at, a[1], nullptr, 2 * PAGE + 50, 0), 2 * PAGE + 50);
    EXPECT_EQ(tee(a[0], b[1], PAGE + 10, 0), PAGE + 10);
    EXPECT_EQ(read(b[0], got, sizeof got), PAGE + 10);
    expect_big(got, 0, PAGE + 10);
    EXPECT_EQ(read(a[0], got, sizeof got), 2 * PAGE + 50);
    expect_big(got, 0, 2 * PAGE + 50);
    EXPECT_ERRNO(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
    close(a[1]);
    EXPECT_EQ(tee(a[0], b[1], 10, 0), 0);
    EXPECT_ERRNO(tee(in, b[1], 10, 0), EINVAL);
    EXPECT_ERRNO(tee(b[0], b[1], 10, 0), EINVAL);
    EXPECT_EQ(tee(a[0], b[1], 0, 0), 0);
}

CASE(packets_stay_apart_when_they_go_from_pipe_to_pipe)
{
    int fds[2], other[2];
    char got[64];
    make_pipe(fds, O_DIRECT);
    make_pipe(other, 0);
    EXPECT_EQ(write(fds[1], "0123456789", 10), 10);
    EXPECT_EQ(write(fds[1], "abcdefghij", 10), 10);
    EXPECT_EQ(tee(fds[0], other[1], 100, 0), 20);
    EXPECT_EQ(read(other[0], got, sizeof got), 10);
    EXPECT_EQ(read(other[0], got, 3), 3);
    EXPECT_EQ(splice(fds[0], nullptr, other[1], nullptr, 100, 0), 20);
    EXPECT_EQ(read(other[0], got, sizeof got), 10); // the rest of the one before is lost
    EXPECT_EQ(got[0], '0');
    EXPECT_EQ(read(other[0], got, sizeof got), 10);
    EXPECT_EQ(got[0], 'a');
}

CASE(tee_copy_is_not_changed_by_later_writes)
{
    int a[2], b[2];
    char got[16] = {};
    make_pipe(a, 0);
    make_pipe(b, 0);
    EXPECT_EQ(write(a[1], "abc", 3), 3);
    EXPECT_EQ(tee(a[0], b[1], 10, 0), 3);
    EXPECT_EQ(write(a[1], "def", 3), 3);
    EXPECT_EQ(write(b[1], "XYZ", 3), 3);
    EXPECT_EQ(read(b[0], got, 16), 6);
    EXPECT_STR(got, "abcXYZ");
    EXPECT_EQ(read(a[0], got, 16), 6);
    EXPECT_STR(got, "abcdef");
}

CASE(vmsplice_both_ways)
{
    int fds[2];
    char a[] = "abc", b[] = "defg", got[16] = {};
    make_pipe(fds, 0);
    struct iovec out[] = {{a, 3}, {b, 4}}, in[] = {{got, 2}, {got + 8, 4}};
    EXPECT_EQ(vmsplice(fds[1], out, 2, 0), 7);
    EXPECT_EQ(vmsplice(fds[0], in, 2, 0), 6);
    EXPECT_STR(got, "ab");
    EXPECT_STR(got + 8, "cdef");
    EXPECT_EQ(read(fds[0], got, 16), 1);
    EXPECT_ERRNO(vmsplice(fds[0], in, 2, SPLICE_F_NONBLOCK), EAGAIN);
    EXPECT_ERRNO(vmsplice(fds[1], out, 2, 0x100), EINVAL);
    EXPECT_ERRNO(vmsplice(999, out, 2, 0), EBADF);
    EXPECT_ERRNO(vmsplice(open("f", O_CREAT | O_RDWR, 0600), out, 2, 0), EBADF);
    EXPECT_ERRNO(vmsplice(fds[1], out, 2000, 0), EINVAL);
    EXPECT_EQ(vmsplice(fds[1], out, 0, 0), 0);
}

CASE(copy_file_range_of_a_big_file)
{
    static char got[BIG];
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(copy_file_range(in, nullptr, out, nullptr, 2 * BIG, 0), BIG);
    EXPECT_EQ(lseek(in, 0, SEEK_CUR), BIG);
    EXPECT_EQ(lseek(out, 0, SEEK_CUR), BIG);
    EXPECT_EQ(pread(out, got, BIG, 0), BIG);
    expect_big(got, 0, BIG);
    off_t from = 100, to = 200000;
    EXPECT_EQ(copy_file_range(in, &from, in, &to, 1000, 0), 1000); // within one file
    EXPECT_EQ(pread(in, got, 1000, 200000), 1000);
    expect_big(got, 100, 1000);
}

CASE(copy_file_range_errors)
{
    int in = big_file("in"), out = open("out", O_RDWR | O_CREAT, 0600), dir = open(".", O_RDONLY), fds[2];
    make_pipe(fds, 0);
    off_t from = 0, to = 100;
    EXPECT_ERRNO(copy_file_range(in, &from, in, &to, 1000, 0), EINVAL); // overlapping
    EXPECT_ERRNO(copy_file_range(dir, &from, out, &to, 10, 0), EISDIR);
    EXPECT_ERRNO(copy_file_range(fds[0], nullptr, out, &to, 10, 0), EINVAL);
    EXPECT_ERRNO(copy_file_range(in, &from, fds[1], nullptr, 10, 0), EINVAL);
    EXPECT_ERRNO(copy_file_range(in, &from, open("out", O_WRONLY | O_APPEND), nullptr, 10, 0), EBADF);
    EXPECT_ERRNO(copy_file_range(in, &from, open("out", O_RDONLY), nullptr, 10, 0), EBADF);
    EXPECT_ERRNO(copy_file_range(open("in", O_WRONLY), &from, out, nullptr, 10, 0), EBADF);
    EXPECT_ERRNO(copy_file_range(in, &from, 999, nullptr, 10, 0), EBADF);
    from = -1;
    EXPECT_ERRNO(copy_file_range(in, &from, out, &to, 10, 0), EOVERFLOW);
    from = -50;
    EXPECT_ERRNO(copy_file_range(in, &from, out, &to, 10, 0), EINVAL);
    from = BIG;
    EXPECT_EQ(copy_file_range(in, &from, out, &to, 10, 0), 0);
    from = 10;
    to = INT64_MAX - 5;
    EXPECT_EQ(copy_file_range(in, &from, out, &to, 10, 0), 5); // up to the largest size
    EXPECT_EQ(from, 15);
    EXPECT_ERRNO(copy_file_range(in, &from, out, &to, 10, 0), EFBIG);
    EXPECT_ERRNO(copy_file_range(open("/proc/self/status", O_RDONLY), nullptr, out, nullptr, 10, 0), EXDEV);
}

CASE(readahead_checks)
{
    int in = big_file("in"), fds[2];
    make_pipe(fds, 0);
    EXPECT_EQ(readahead(in, 0, BIG), 0);
    EXPECT_ERRNO(readahead(fds[0], 0, 10), EINVAL);
    EXPECT_ERRNO(readahead(open("in", O_WRONLY), 0, 10), EBADF);
    EXPECT_ERRNO(readahead(999, 0, 10), EBADF);
    EXPECT_ERRNO(readahead(open(".", O_RDONLY), 0, 10), EINVAL);
    EXPECT_ERRNO(readahead(open("/dev/zero", O_RDONLY), 0, 10), EINVAL);
}

CASE(preadv2_does_not_wait)
{
    int fds[2];
    char c[4];
    struct iovec v = {c, sizeof c};
    make_pipe(fds, 0);
    EXPECT_ERRNO(preadv2(fds[0], &v, 1, -1, RWF_NOWAIT), EAGAIN);
    EXPECT_EQ(write(fds[1], "ab", 2), 2);
    EXPECT_EQ(preadv2(fds[0], &v, 1, -1, RWF_NOWAIT), 2);
    EXPECT_ERRNO(preadv2(fds[0], &v, 1, 0, 0), ESPIPE);
    while (pwritev2(fds[1], &(struct iovec){(char[PAGE]){}, PAGE}, 1, -1, RWF_NOWAIT) > 0)
        ;
    EXPECT_EQ(errno, EAGAIN);
    int in = big_file("in");
    EXPECT_EQ(preadv2(in, &v, 1, 10, RWF_HIPRI), 4);
    expect_big(c, 10, 4);
    EXPECT_EQ(pwritev2(in, &v, 1, 0, RWF_DSYNC | RWF_SYNC), 4);
    EXPECT_ERRNO(preadv2(in, &v, 1, -2, 0), EINVAL);
}

CASE(sync_file_range_checks)
{
    int in = big_file("in"), fds[2];
    make_pipe(fds, 0);
    EXPECT_EQ(sync_file_range(in, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER), 0);
    EXPECT_ERRNO(sync_file_range(in, -1, 10, 0), EINVAL);
    EXPECT_ERRNO(sync_file_range(in, 10, -20, 0), EINVAL);
    EXPECT_ERRNO(sync_file_range(fds[0], 0, 10, 0), ESPIPE);
    EXPECT_ERRNO(sync_file_range(999, 0, 10, 0), EBADF);
}

static void *shuffle(void *arg)
{
    int *fds = arg;
    for (int i = 0; i < 400; i++)
        if (splice(fds[0], nullptr, fds[3], nullptr, 3000, SPLICE_F_NONBLOCK) < 0 && errno != EAGAIN)
            EXPECT_EQ(errno, 0);
    return nullptr;
}

CASE(splice_between_two_pipes_by_two_threads)
{
    int fds[4];
    static char got[1 << 17];
    pthread_t t[2];
    make_pipe(fds, O_NONBLOCK);
    make_pipe(fds + 2, O_NONBLOCK);
    int back[4] = {fds[2], fds[3], fds[0], fds[1]};
    int in = big_file("in");
    off_t at = 0;
    EXPECT_EQ(splice(in, &at, fds[1], nullptr, 40000, 0), 40000);
    REQUIRE(pthread_create(&t[0], nullptr, shuffle, fds) == 0 && pthread_create(&t[1], nullptr, shuffle, back) == 0);
    pthread_join(t[0], nullptr);
    pthread_join(t[1], nullptr);
    long sum = 0;
    for (ssize_t n; (n = read(fds[0], got, sizeof got)) > 0;)
        sum += n;
    for (ssize_t n; (n = read(fds[2], got, sizeof got)) > 0;)
        sum += n;
    EXPECT_EQ(sum, 40000); // nothing is lost on the way, nothing doubled
}
