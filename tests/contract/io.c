// tests/contract/io.c — reading and writing: offsets, vectors, holes, sendfile, splice, limits, mistakes in arguments.
#include "tests/contract/harness.h"

#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int new_file(void)
{
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    REQUIRE(fd >= 0);
    return fd;
}

CASE(read_and_write_share_the_offset)
{
    int fd = new_file();
    char text[8] = {};
    EXPECT_EQ(write(fd, "abcdef", 6), 6);
    EXPECT_EQ(read(fd, text, 4), 0);
    EXPECT_EQ(lseek(fd, 2, SEEK_SET), 2);
    EXPECT_EQ(read(fd, text, 2), 2);
    EXPECT_STR(text, "cd");
    EXPECT_EQ(write(fd, "X", 1), 1);
    EXPECT_EQ(read(fd, text, 4), 1);
    EXPECT_STR(file_text("f"), "abcdXf");
}

CASE(pread_and_pwrite_leave_the_offset)
{
    int fd = new_file();
    char text[8] = {};
    EXPECT_EQ(write(fd, "abcdef", 6), 6);
    EXPECT_EQ(pread(fd, text, 3, 1), 3);
    EXPECT_STR(text, "bcd");
    EXPECT_EQ(pwrite(fd, "ZZ", 2, 8), 2);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 6);
    EXPECT_EQ(pread(fd, text, 4, 6), 4);
    EXPECT(memcmp(text, "\0\0ZZ", 4) == 0);
    EXPECT_EQ(pread(fd, text, 4, 100), 0);
    EXPECT_ERRNO(pread(fd, text, 4, -1), EINVAL);
    EXPECT_ERRNO(pwrite(fd, text, 4, -1), EINVAL);
}

CASE(preadv_and_pwritev_leave_the_offset)
{
    char a[4] = {}, b[4] = {};
    struct iovec out[] = {{"abc", 3}, {"", 0}, {"defg", 4}}, in[] = {{a, 3}, {b, 3}};
    int fd = open("f", O_RDWR | O_CREAT, 0600), fds[2];
    REQUIRE(fd >= 0 && pipe(fds) == 0);
    EXPECT_EQ(pwritev(fd, out, 3, 2), 7);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_EQ(preadv(fd, in, 2, 3), 6);
    EXPECT_STR(a, "bcd");
    EXPECT_STR(b, "efg");
    EXPECT_EQ(preadv(fd, in, 2, 8), 1);
    EXPECT_EQ(preadv(fd, in, 2, 9), 0);
    EXPECT_EQ(preadv(fd, in, 0, 0), 0);
    EXPECT_EQ(syscall(SYS_preadv, fd, in, 2, 3l, 77l), 6); // 64 bits are enough: the upper half is nothing
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
    EXPECT_ERRNO(preadv(fd, in, 1, -1), EINVAL);
    EXPECT_ERRNO(pwritev(fd, out, 1, -1), EINVAL);
    EXPECT_ERRNO(preadv(fd, in, -1, 0), EINVAL);
    EXPECT_ERRNO(preadv(fd, in, 1025, 0), EINVAL);
    EXPECT_ERRNO(preadv(fd, (void *)8, 1, 0), EFAULT);
    EXPECT_ERRNO(preadv(fds[0], in, 1, 0), ESPIPE);
    EXPECT_ERRNO(pwritev(fds[1], out, 1, 0), ESPIPE);
    EXPECT_ERRNO(pwritev(open("f", O_RDONLY), out, 1, 0), EBADF);
    EXPECT_ERRNO(preadv(open("f", O_WRONLY), in, 1, 0), EBADF);
    EXPECT_ERRNO(preadv(999, in, 1, 0), EBADF);
    in[1].iov_len = (size_t)-1;
    EXPECT_ERRNO(preadv(fd, in, 2, 0), EINVAL);
}

CASE(pwritev_to_an_appending_file_appends)
{
    struct iovec part = {"xy", 2};
    make_file("f", "abc");
    int fd = open("f", O_WRONLY | O_APPEND);
    EXPECT_EQ(pwritev(fd, &part, 1, 0), 2); // pwrite(2) names it as a bug of Linux
    EXPECT_STR(file_text("f"), "abcxy");
}

CASE(lseek_whence_and_errors)
{
    int fd = new_file();
    EXPECT_EQ(write(fd, "abcdef", 6), 6);
    EXPECT_EQ(lseek(fd, -2, SEEK_END), 4);
    EXPECT_EQ(lseek(fd, 1, SEEK_CUR), 5);
    EXPECT_EQ(lseek(fd, 100, SEEK_SET), 100);
    EXPECT_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    EXPECT_ERRNO(lseek(fd, -200, SEEK_CUR), EINVAL);
    EXPECT_ERRNO(lseek(fd, 0, 9), EINVAL);
    EXPECT_ERRNO(lseek(999, 0, SEEK_SET), EBADF);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 100);
}

CASE(holes_read_as_zeroes_and_use_no_blocks)
{
    int fd = new_file();
    enum { FAR = 1 << 20 };
    EXPECT_EQ(pwrite(fd, "x", 1, FAR), 1);
    char *block = malloc(FAR);
    EXPECT_EQ(pread(fd, block, FAR, 0), FAR);
    bool zero = true;
    for (int i = 0; i < FAR; i++)
        zero &= block[i] == 0;
    EXPECT(zero);
    struct stat s;
    fstat(fd, &s);
    EXPECT_EQ(s.st_size, FAR + 1);
    EXPECT_EQ(s.st_blocks, 8); // reading made none
}

CASE(seek_data_and_hole)
{
    int fd = new_file();
    EXPECT_EQ(pwrite(fd, "x", 1, 5 * PAGE), 1);
    EXPECT_EQ(ftruncate(fd, 10 * PAGE), 0);
    EXPECT_EQ(lseek(fd, 0, SEEK_DATA), 5 * PAGE);
    EXPECT_EQ(lseek(fd, 0, SEEK_HOLE), 0);
    EXPECT_EQ(lseek(fd, 5 * PAGE, SEEK_HOLE), 6 * PAGE);
    EXPECT_EQ(lseek(fd, 5 * PAGE + 7, SEEK_DATA), 5 * PAGE + 7);
    EXPECT_ERRNO(lseek(fd, 6 * PAGE, SEEK_DATA), ENXIO);
    EXPECT_ERRNO(lseek(fd, 10 * PAGE, SEEK_HOLE), ENXIO);
}

CASE(truncated_bytes_do_not_come_back)
{
    int fd = new_file();
    char block[PAGE];
    memset(block, 'a', sizeof block);
    EXPECT_EQ(write(fd, block, sizeof block), sizeof block);
    EXPECT_EQ(ftruncate(fd, 10), 0);
    EXPECT_EQ(ftruncate(fd, PAGE), 0);
    EXPECT_EQ(pread(fd, block, PAGE, 0), PAGE);
    EXPECT_EQ(block[9], 'a');
    EXPECT_EQ(block[10], 0);
    EXPECT_EQ(block[PAGE - 1], 0);
}

CASE(vectors_gather_and_scatter)
{
    int fd = new_file();
    struct iovec out[3] = {{"abc", 3}, {"", 0}, {"defg", 4}};
    EXPECT_EQ(writev(fd, out, 3), 7);
    char a[3] = {}, b[10] = {};
    struct iovec in[2] = {{a, 2}, {b, 9}};
    EXPECT_EQ(preadv(fd, in, 2, 1), 6);
    EXPECT_STR(a, "bc");
    EXPECT_STR(b, "defg");
    EXPECT_EQ(pwritev(fd, out, 3, 100), 7);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 7);
    EXPECT_EQ(writev(fd, out, 0), 0);
}

CASE(vectors_are_checked)
{
    int fd = new_file();
    struct iovec v[2] = {{"abc", 3}, {(void *)8, 3}};
    EXPECT_ERRNO(writev(fd, v, -1), EINVAL);
    EXPECT_ERRNO(writev(fd, v, 1025), EINVAL);
    EXPECT_ERRNO(writev(fd, (void *)8, 1), EFAULT);
    v[1] = (struct iovec){"x", (size_t)-1};
    EXPECT_ERRNO(writev(fd, v, 2), EINVAL);
    EXPECT_ERRNO(writev(999, v, 1), EBADF);
}

CASE(preadv2_flags)
{
    int fd = new_file();
    struct iovec v = {"abc", 3};
    EXPECT_EQ(syscall(SYS_pwritev2, fd, &v, 1, -1L, 0L, 0), 3); // -1: at the offset
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 3);
    EXPECT_EQ(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 0x10), 3); // RWF_APPEND
    EXPECT_STR(file_text("f"), "abcabc");
    EXPECT_ERRNO(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 0x8000), EOPNOTSUPP);
}

CASE(preadv2_at_minus_one_is_the_files_own_offset)
{
    char a[3] = {}, b[3] = {};
    make_file("f", "abcdef");
    int file = open("f", O_RDWR);
    struct iovec vector[2] = {{a, 2}, {b, 2}};
    EXPECT_EQ(syscall(SYS_preadv2, file, vector, 2, -1l, 0, 0), 4);
    EXPECT_STR(a, "ab");
    EXPECT_STR(b, "cd");
    EXPECT_EQ(lseek(file, 0, SEEK_CUR), 4);
    EXPECT_EQ(syscall(SYS_preadv2, file, vector, 1, 1l, 0, 0), 2);
    EXPECT_STR(a, "bc");
    EXPECT_EQ(lseek(file, 0, SEEK_CUR), 4);
    EXPECT_ERRNO(syscall(SYS_preadv2, file, vector, 1, -2l, 0, 0), EINVAL);
    EXPECT_ERRNO(syscall(SYS_preadv2, file, vector, 1, 0l, 0, 0x40000000), EOPNOTSUPP);
    EXPECT_ERRNO(syscall(SYS_pwritev2, file, vector, 1, 0l, 0, 0x40000000), EOPNOTSUPP);
    EXPECT_EQ(syscall(SYS_readv, file, vector, 2), 2);
    EXPECT_EQ(syscall(SYS_readv, file, vector, 2), 0);
    EXPECT_ERRNO(syscall(SYS_readv, file, vector, 1025), EINVAL);
    EXPECT_ERRNO(syscall(SYS_readv, file, vector, -1), EINVAL);
}

CASE(bad_buffers_are_efault)
{
    int fd = new_file();
    EXPECT_ERRNO(write(fd, (void *)8, 4), EFAULT);
    EXPECT_EQ(write(fd, "abc", 3), 3);
    EXPECT_ERRNO(pread(fd, (void *)8, 4, 0), EFAULT);
    EXPECT_ERRNO(read(fd, (void *)0xffff800000000000, 4), EFAULT);
    EXPECT_ERRNO(write(fd, (void *)0x7ffffffff000, 4), EFAULT);
    EXPECT_EQ(read(fd, (void *)8, 0), 0);
    EXPECT_ERRNO(read(999, (void *)8, 4), EBADF); // the descriptor is looked at first
}

CASE(write_from_partly_bad_buffer_is_short)
{
    int fd = new_file();
    char *p = mmap(nullptr, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + PAGE, PAGE);
    memset(p, 'q', PAGE);
    EXPECT_EQ(write(fd, p + PAGE - 100, 200), 100);
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 100);
    EXPECT_EQ(pread(fd, p + PAGE - 50, 100, 0), 50);
}

CASE(huge_counts_are_cut_not_refused)
{
    int fd = new_file();
    static char text[8]; // not on the stack, which may be nearer than that to the end of user addresses
    EXPECT_EQ(write(fd, "abc", 3), 3);
    EXPECT_EQ(pread(fd, text, 0x7fffffff, 0), 3);
    EXPECT_ERRNO(syscall(SYS_read, fd, text, -1L), EFAULT);
}

CASE(file_size_limit_sends_sigxfsz)
{
    int fd = new_file();
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char block[200] = {};
    EXPECT_EQ(write(fd, block, 200), 100);
    count_signal(SIGXFSZ, 0);
    EXPECT_ERRNO(write(fd, block, 1), EFBIG);
    EXPECT_EQ(handled_signals, 1);
    EXPECT_ERRNO(ftruncate(fd, 101), EFBIG);
    EXPECT_EQ(handled_signals, 2);
}

CASE(sendfile_copies_between_files)
{
    make_file("in", "0123456789");
    int in = open("in", O_RDONLY), out = new_file();
    off_t offset = 3;
    EXPECT_EQ(sendfile(out, in, &offset, 4), 4);
    EXPECT_EQ(offset, 7);
    EXPECT_EQ(lseek(in, 0, SEEK_CUR), 0);
    EXPECT_EQ(sendfile(out, in, nullptr, 100), 10);
    EXPECT_EQ(lseek(in, 0, SEEK_CUR), 10);
    EXPECT_STR(file_text("f"), "34560123456789");
    EXPECT_EQ(sendfile(out, in, nullptr, 5), 0);
    int append = open("f", O_WRONLY | O_APPEND), fds[2];
    EXPECT_ERRNO(sendfile(append, in, nullptr, 5), EINVAL);
    REQUIRE(pipe(fds) == 0);
    offset = 0;
    EXPECT_EQ(sendfile(fds[1], in, &offset, 4), 4);
    EXPECT_ERRNO(sendfile(out, 999, nullptr, 1), EBADF);
    EXPECT_ERRNO(sendfile(in, out, nullptr, 1), EBADF); // not open for writing
}

CASE(copy_file_range_copies)
{
    make_file("in", "0123456789");
    int in = open("in", O_RDONLY), out = new_file();
    off_t from = 2, to = 5;
    EXPECT_EQ(syscall(SYS_copy_file_range, in, &from, out, &to, 4, 0), 4);
    EXPECT_EQ(from, 6);
    EXPECT_EQ(to, 9);
    char text[16] = {};
    EXPECT_EQ(pread(out, text, 16, 5), 4);
    EXPECT_STR(text, "2345");
    EXPECT_ERRNO(syscall(SYS_copy_file_range, in, &from, out, &to, 4, 1), EINVAL);
}

CASE(splice_moves_between_file_and_pipe)
{
    make_file("in", "0123456789");
    int in = open("in", O_RDONLY), fds[2], out = new_file();
    REQUIRE(pipe(fds) == 0);
    off_t from = 4;
    EXPECT_EQ(splice(in, &from, fds[1], nullptr, 4, 0), 4);
    EXPECT_EQ(from, 8);
    EXPECT_EQ(splice(fds[0], nullptr, out, nullptr, 100, 0), 4);
    EXPECT_STR(file_text("f"), "4567");
    EXPECT_ERRNO(splice(in, nullptr, out, nullptr, 4, 0), EINVAL); // none is a pipe
    EXPECT_ERRNO(splice(fds[0], &from, out, nullptr, 4, 0), ESPIPE);
    EXPECT_ERRNO(splice(fds[0], nullptr, out, nullptr, 4, SPLICE_F_NONBLOCK), EAGAIN);
}

CASE(tee_doubles_a_pipe)
{
    int a[2], b[2];
    char text[8] = {};
    REQUIRE(pipe(a) == 0 && pipe(b) == 0);
    EXPECT_EQ(write(a[1], "abc", 3), 3);
    EXPECT_EQ(tee(a[0], b[1], 100, 0), 3);
    EXPECT_EQ(read(a[0], text, 8), 3);
    EXPECT_EQ(read(b[0], text, 8), 3);
    EXPECT_STR(text, "abc");
    EXPECT_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
}

CASE(vmsplice_takes_user_pages)
{
    int fds[2];
    char text[8] = {};
    REQUIRE(pipe(fds) == 0);
    struct iovec v = {"abcd", 4};
    EXPECT_EQ(vmsplice(fds[1], &v, 1, 0), 4);
    EXPECT_EQ(read(fds[0], text, 8), 4);
    EXPECT_STR(text, "abcd");
}

CASE(sync_calls_succeed_on_files)
{
    int fd = new_file();
    EXPECT_EQ(write(fd, "x", 1), 1);
    EXPECT_EQ(fsync(fd), 0);
    EXPECT_EQ(fdatasync(fd), 0);
    EXPECT_EQ(syncfs(fd), 0);
    EXPECT_EQ(sync_file_range(fd, 0, 0, 2), 0);
    sync();
    EXPECT_ERRNO(fsync(999), EBADF);
    EXPECT_ERRNO(sync_file_range(fd, 0, 0, 0x80), EINVAL);
}

CASE(sync_calls_take_what_can_be_synced)
{
    int fds[2];
    make_file("f", "abc");
    int fd = open("f", O_RDONLY), folder = open(".", O_RDONLY), path = open("f", O_PATH);
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(fsync(fd), 0); // reading is enough
    EXPECT_EQ(fdatasync(fd), 0);
    EXPECT_EQ(fsync(folder), 0);
    EXPECT_EQ(fdatasync(folder), 0);
    EXPECT_EQ(syncfs(fd), 0);
    EXPECT_EQ(syncfs(folder), 0);
    EXPECT_EQ(syncfs(fds[0]), 0); // pipes are in a file system too
    EXPECT_EQ(syscall(SYS_sync), 0);
    EXPECT_ERRNO(fsync(fds[0]), EINVAL);
    EXPECT_ERRNO(fdatasync(fds[0]), EINVAL);
    EXPECT_ERRNO(fdatasync(999), EBADF);
    EXPECT_ERRNO(syncfs(999), EBADF);
    EXPECT_ERRNO(fdatasync(path), EBADF);
    EXPECT_ERRNO(syncfs(path), EBADF);
}

CASE(fadvise_checks)
{
    int fd = new_file();
    EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    EXPECT_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
    EXPECT_EQ(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
    EXPECT_EQ(posix_fadvise(999, 0, 0, POSIX_FADV_NORMAL), EBADF);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    EXPECT_EQ(posix_fadvise(fds[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
}

CASE(fadvise64_and_readahead_check_their_arguments)
{
    int fds[2];
    make_file("f", "abc");
    int fd = open("f", O_RDONLY), writer = open("f", O_WRONLY), folder = open(".", O_RDONLY);
    REQUIRE(pipe(fds) == 0);
    for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
        EXPECT_EQ(syscall(SYS_fadvise64, fd, 0l, 0l, advice), 0);
    EXPECT_EQ(syscall(SYS_fadvise64, fd, 1l << 40, 1l << 40, POSIX_FADV_WILLNEED), 0); // far behind the end
    EXPECT_ERRNO(syscall(SYS_fadvise64, fd, 0l, 0l, 6), EINVAL);
    EXPECT_ERRNO(syscall(SYS_fadvise64, fd, 0l, -1l, POSIX_FADV_NORMAL), EINVAL);
    EXPECT_ERRNO(syscall(SYS_fadvise64, fds[0], 0l, 0l, POSIX_FADV_NORMAL), ESPIPE);
    EXPECT_ERRNO(syscall(SYS_fadvise64, 999, 0l, 0l, POSIX_FADV_NORMAL), EBADF);
    EXPECT_STR(file_text("f"), "abc");
    EXPECT_EQ(readahead(fd, 0, 4096), 0);
    EXPECT_ERRNO(readahead(writer, 0, 4096), EBADF);
    EXPECT_ERRNO(readahead(fds[0], 0, 4096), EINVAL);
    EXPECT_ERRNO(readahead(folder, 0, 4096), EINVAL);
    EXPECT_ERRNO(readahead(999, 0, 4096), EBADF);
}

static void *append_lines(void *arg)
{
    int fd = open("f", O_WRONLY | O_APPEND);
    char line[33];
    memset(line, (int)(long)arg, 32);
    line[31] = '\n';
    for (int i = 0; i < 200; i++)
        EXPECT_EQ(write(fd, line, 32), 32);
    close(fd);
    return nullptr;
}

CASE(appends_of_four_threads_do_not_overwrite_each_other)
{
    new_file();
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        REQUIRE_EQ(pthread_create(&threads[i], nullptr, append_lines, (void *)('a' + i)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], nullptr);
    const char *text = file_text("f");
    EXPECT_EQ(strlen(text), 4 * 200 * 32);
    bool whole = true;
    for (int line = 0; line < 800; line++) {
        for (int i = 1; i < 31; i++)
            whole &= text[line * 32 + i] == text[line * 32];
    }
    EXPECT(whole);
}

CASE(getrandom_fills_and_checks)
{
    unsigned char a[64] = {}, b[64] = {};
    EXPECT_EQ(getrandom(a, sizeof a, 0), 64);
    EXPECT_EQ(getrandom(b, sizeof b, GRND_RANDOM), 64);
    EXPECT(memcmp(a, b, 64) != 0);
    EXPECT_EQ(getrandom(a, 0, 0), 0);
    EXPECT_ERRNO(getrandom(a, 1, 0x80), EINVAL);
    EXPECT_ERRNO(getrandom(a, 1, GRND_RANDOM | 4), EINVAL);
    EXPECT_ERRNO(syscall(SYS_getrandom, 8, 16, 0), EFAULT);
}

CASE(getrandom_is_even_and_differs_in_a_child)
{
    static unsigned char a[1 << 16], b[sizeof a];
    unsigned counts[256] = {};
    EXPECT_EQ(getrandom(a, sizeof a, 0), sizeof a);
    EXPECT_EQ(getrandom(b, sizeof b, 4), sizeof b); // GRND_INSECURE
    EXPECT(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++)
        counts[a[i]]++;
    for (int i = 0; i < 256; i++)
        EXPECT(counts[i] > 100 && counts[i] < 500); // 256 of each, give or take
    EXPECT_EQ(getrandom(a, 0, 0), 0);
    EXPECT_EQ(getrandom(a, 16, GRND_RANDOM | GRND_NONBLOCK), 16);
    EXPECT_ERRNO(getrandom(a, 16, GRND_RANDOM | 4), EINVAL);
    EXPECT_ERRNO(getrandom(a, 16, 8), EINVAL);
    EXPECT_ERRNO(getrandom((void *)8, 16, 0), EFAULT);
    unsigned char *childs = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(childs != MAP_FAILED);
    IN_CHILD(child)
    {
        EXPECT_EQ(getrandom(childs, 32, 0), 32);
    }
    EXPECT_EQ(getrandom(a, 32, 0), 32);
    EXPECT_EXITED(child, 0);
    EXPECT(memcmp(a, childs, 32) != 0); // each goes on with other numbers
}

CASE(process_vm_calls_copy_between_processes)
{
    static char text[16] = "before";
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    IN_CHILD(child)
    {
        char c;
        EXPECT_EQ(read(fds[0], &c, 1), 1);
        EXPECT_STR(text, "after");
    }
    char copy[16] = {};
    struct iovec local = {copy, 16}, remote = {text, 16};
    EXPECT_EQ(process_vm_readv(child, &local, 1, &remote, 1, 0), 16);
    EXPECT_STR(copy, "before");
    strcpy(copy, "after");
    EXPECT_EQ(process_vm_writev(child, &local, 1, &remote, 1, 0), 16);
    EXPECT_STR(text, "before");
    remote.iov_base = (void *)8;
    EXPECT_ERRNO(process_vm_readv(child, &local, 1, &remote, 1, 0), EFAULT);
    EXPECT_ERRNO(process_vm_readv(999999, &local, 1, &remote, 1, 0), ESRCH);
    EXPECT_ERRNO(process_vm_readv(child, &local, 1, &remote, 1, 1), EINVAL);
    write_byte(fds[1]);
    EXPECT_EXITED(child, 0);
}
