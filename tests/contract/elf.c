// tests/contract/elf.c — programs made by hand: the state at the first instruction, and damaged files. execve(2), elf(5).
#include "tests/contract/harness.h"

#include <elf.h>
#include <sys/resource.h>

// A file of one page: the header, up to four program headers, then code at CODE_OFFSET. It is loaded at BASE.
enum { BASE = 0x400000, CODE_OFFSET = 0x200, FILE_BYTES = PAGE };

struct image {
    union {
        struct {
            Elf64_Ehdr header;
            Elf64_Phdr segments[4];
        };
        unsigned char bytes[FILE_BYTES];
    };
};

// exit(7)
static const unsigned char exit_seven[] = {0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};

static struct image make_image(const unsigned char *code, size_t size)
{
    struct image image = {.header = {
                              .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                              .e_type = ET_EXEC,
                              .e_machine = EM_X86_64,
                              .e_version = EV_CURRENT,
                              .e_entry = BASE + CODE_OFFSET,
                              .e_phoff = sizeof(Elf64_Ehdr),
                              .e_ehsize = sizeof(Elf64_Ehdr),
                              .e_phentsize = sizeof(Elf64_Phdr),
                              .e_phnum = 1,
                          }};
    image.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                     .p_flags = PF_R | PF_X,
                                     .p_vaddr = BASE,
                                     .p_paddr = BASE,
                                     .p_filesz = FILE_BYTES,
                                     .p_memsz = FILE_BYTES,
                                     .p_align = PAGE};
    memcpy(image.bytes + CODE_OFFSET, code, size);
    return image;
}

static struct image good_image(void)
{
    return make_image(exit_seven, sizeof exit_seven);
}

static void write_image(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    REQUIRE(fd >= 0);
    REQUIRE_EQ(write(fd, bytes, size), size);
    close(fd);
}

// Runs the file: the wait status, or -errno of execve.
static int run_file(const char *path)
{
    int result[2];
    REQUIRE(pipe2(result, O_CLOEXEC) == 0);
    pid_t child = fork_or_fail(__FILE_NAME__, __LINE__);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        execve(path, (char *[]){(char *)path, nullptr}, (char *[]){nullptr});
        int error = -errno;
        write(result[1], &error, sizeof error);
        _exit(0);
    }
    close(result[1]);
    int error = 0, status = -1;
    read(result[0], &error, sizeof error);
    close(result[0]);
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    return error ? error : status;
}

static int run_bytes(const void *bytes, size_t size)
{
    write_image("program", bytes, size);
    return run_file("program");
}

static int run_image(const struct image *image)
{
    return run_bytes(image->bytes, FILE_BYTES);
}

#define EXPECT_RUNS_TO(image, code) EXPECT_EQ(run_image(&(image)), (code) << 8)

CASE(elf_made_by_hand_runs)
{
    struct image image = good_image();
    EXPECT_RUNS_TO(image, 7);
}

CASE(elf_stack_is_aligned_to_sixteen_at_entry)
{
    // mov %rsp,%rdi; and $15,%edi; mov $60,%eax; syscall
    static const unsigned char code[] = {0x48, 0x89, 0xe7, 0x83, 0xe7, 0x0f, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    struct image image = make_image(code, sizeof code);
    EXPECT_RUNS_TO(image, 0);
}

CASE(elf_stack_begins_with_the_argument_count)
{
    // mov (%rsp),%rdi; mov $60,%eax; syscall
    static const unsigned char code[] = {0x48, 0x8b, 0x3c, 0x24, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    struct image image = make_image(code, sizeof code);
    EXPECT_RUNS_TO(image, 1);
}

CASE(elf_registers_are_zero_at_entry)
{
    // or all general registers but rsp together, fold to a bit: exit(rdi != 0)
    static const unsigned char code[] = {
        0x48, 0x09, 0xc7,             // or %rax,%rdi
        0x48, 0x09, 0xdf,             // or %rbx,%rdi
        0x48, 0x09, 0xcf,             // or %rcx,%rdi
        0x48, 0x09, 0xd7,             // or %rdx,%rdi
        0x48, 0x09, 0xf7,             // or %rsi,%rdi
        0x48, 0x09, 0xef,             // or %rbp,%rdi
        0x4c, 0x09, 0xc7,             // or %r8,%rdi
        0x4c, 0x09, 0xcf,             // or %r9,%rdi
        0x4c, 0x09, 0xd7,             // or %r10,%rdi
        0x4c, 0x09, 0xdf,             // or %r11,%rdi
        0x4c, 0x09, 0xe7,             // or %r12,%rdi
        0x4c, 0x09, 0xef,             // or %r13,%rdi
        0x4c, 0x09, 0xf7,             // or %r14,%rdi
        0x4c, 0x09, 0xff,             // or %r15,%rdi
        0x48, 0x85, 0xff,             // test %rdi,%rdi
        0x40, 0x0f, 0x95, 0xc7,       // setne %dil
        0x40, 0x0f, 0xb6, 0xff,       // movzbl %dil,%edi
        0xb8, 60,   0,    0,    0, 0x0f, 0x05,
    };
    struct image image = make_image(code, sizeof code);
    EXPECT_RUNS_TO(image, 0);
}

CASE(elf_flags_are_clear_at_entry)
{
    // pushf; pop %rdi; and $0x400dd5 & ~IF…: carry, parity, adjust, zero, sign, trap, direction, overflow; shr by none; exit(!= 0)
    static const unsigned char code[] = {0x9c, 0x5f,                               // pushf; pop %rdi
                                         0x81, 0xe7, 0xd5, 0x0d, 0x00, 0x00,       // and $0xdd5,%edi
                                         0x85, 0xff,                               // test %edi,%edi
                                         0x40, 0x0f, 0x95, 0xc7,                   // setne %dil
                                         0x40, 0x0f, 0xb6, 0xff,                   // movzbl %dil,%edi
                                         0xb8, 60,   0,    0,    0,    0x0f, 0x05};
    struct image image = make_image(code, sizeof code);
    EXPECT_RUNS_TO(image, 0);
}

CASE(elf_position_independent_file_is_moved)
{
    // lea (%rip),%rdi; shr $40,%rdi; exit(rdi != 0): high addresses for a program without an interpreter of ET_DYN
    static const unsigned char code[] = {0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x48, 0xc1, 0xef, 0x28, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    struct image image = make_image(code, sizeof code);
    image.header.e_type = ET_DYN;
    image.header.e_entry = CODE_OFFSET;
    image.segments[0].p_vaddr = image.segments[0].p_paddr = 0;
    int status = run_image(&image);
    EXPECT_EQ(status & 0xff, 0);
    EXPECT(status >> 8 >= 0x50 && status >> 8 <= 0x7f);
}

CASE(elf_memory_beyond_the_file_is_zero)
{
    // The segment's file part ends right behind the code; the rest of its page and one page more must be zero.
    // mov $BASE+0x300,%esi; mov $0x1c00/8,%ecx; xor %edi,%edi; 1: or (%rsi),%rdi; add $8,%rsi; dec %ecx; jnz 1b; test; setne; exit
    static const unsigned char code[] = {0xbe, 0x00, 0x03, 0x40, 0x00, 0xb9, 0x80, 0x03, 0, 0, 0x31, 0xff, 0x48, 0x0b, 0x3e,
                                         0x48, 0x83, 0xc6, 0x08, 0xff, 0xc9, 0x75, 0xf5, 0x48, 0x85, 0xff, 0x40, 0x0f, 0x95, 0xc7,
                                         0x40, 0x0f, 0xb6, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    struct image image = make_image(code, sizeof code);
    memset(image.bytes + 0x300, 0xaa, FILE_BYTES - 0x300); // rubbish of the file that does not belong to the segment
    image.segments[0].p_filesz = 0x300;
    image.segments[0].p_memsz = 0x2000;
    image.segments[0].p_flags = PF_R | PF_W | PF_X;
    EXPECT_RUNS_TO(image, 0);
}

CASE(elf_segment_with_nothing_in_the_file_is_memory_wherever_it_says_it_lies)
{
    // movb $1,0x410e20; then exit(7)
    static const unsigned char code[] = {0xc6, 0x04, 0x25, 0x20, 0x0e, 0x41, 0, 1, 0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    static const Elf64_Off offsets[] = {0, 8, 0x100e10};
    for (int i = 0; i < 3; i++) {
        struct image image = make_image(code, sizeof code);
        image.header.e_phnum = 2;
        image.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                         .p_flags = PF_R | PF_W,
                                         .p_offset = offsets[i],
                                         .p_vaddr = BASE + 0x10000 + (i == 2 ? 0xe10 : 0),
                                         .p_memsz = PAGE,
                                         .p_align = PAGE};
        EXPECT_RUNS_TO(image, 7);
    }
}

CASE(elf_read_only_segment_cannot_be_written)
{
    // mov %edi,(BASE): the text is not writable
    static const unsigned char code[] = {0x89, 0x3c, 0x25, 0x00, 0x00, 0x40, 0x00};
    struct image image = make_image(code, sizeof code);
    EXPECT_EQ(run_image(&image), SIGSEGV);
}

// call *stack: push a ret there, and go to it
static const unsigned char run_on_stack[] = {0x68, 0xc3, 0, 0, 0, 0xff, 0xd4, 0xbf, 7, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};

CASE(elf_gnu_stack_decides_about_code_on_the_stack)
{
    struct image image = make_image(run_on_stack, sizeof run_on_stack);
    image.header.e_phnum = 2;
    image.segments[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
    EXPECT_EQ(run_image(&image), SIGSEGV);
    image.segments[1].p_flags |= PF_X;
    EXPECT_RUNS_TO(image, 7);
}

CASE(elf_without_gnu_stack_has_no_code_on_the_stack_of_64_bit_programs)
{
    struct image image = make_image(run_on_stack, sizeof run_on_stack);
    int status = run_image(&image);
    EXPECT(status == SIGSEGV || status == 7 << 8);
    EXPECT_EQ(run_image(&image), status); // and it is the same every time
}

// --- Damaged files. ---

CASE(elf_short_files_are_enoexec)
{
    struct image image = good_image();
    EXPECT_EQ(run_bytes("", 0), -ENOEXEC);
    EXPECT_EQ(run_bytes("\x7f", 1), -ENOEXEC);
    EXPECT_EQ(run_bytes("\x7f" "ELF", 4), -ENOEXEC);
    EXPECT_EQ(run_bytes(image.bytes, sizeof(Elf64_Ehdr) - 1), -ENOEXEC);
    EXPECT_EQ(run_bytes(image.bytes, sizeof(Elf64_Ehdr)), -ENOEXEC);     // no program header
    EXPECT_EQ(run_bytes(image.bytes, sizeof(Elf64_Ehdr) + 40), -ENOEXEC); // a part of one
    EXPECT_EQ(run_bytes("hello\n", 6), -ENOEXEC);
}

// Each of these spoils one field of the header in a way that execve(2) refuses with ENOEXEC.
#define REFUSED(name, ...)                                                                                             \
    CASE(elf_##name##_is_enoexec)                                                                                      \
    {                                                                                                                  \
        struct image image = good_image();                                                                             \
        __VA_ARGS__;                                                                                                   \
        EXPECT_EQ(run_image(&image), -ENOEXEC);                                                                        \
    }

REFUSED(wrong_magic, image.header.e_ident[3] = 'G')
REFUSED(relocatable_type, image.header.e_type = ET_REL)
REFUSED(core_type, image.header.e_type = ET_CORE)
REFUSED(no_type, image.header.e_type = ET_NONE)
REFUSED(other_machine, image.header.e_machine = EM_AARCH64)
REFUSED(no_machine, image.header.e_machine = EM_NONE)
REFUSED(no_segments, image.header.e_phnum = 0)
REFUSED(too_many_segments, image.header.e_phnum = 0xffff)
REFUSED(wrong_segment_size, image.header.e_phentsize = sizeof(Elf64_Phdr) - 1)
REFUSED(zero_segment_size, image.header.e_phentsize = 0)
REFUSED(segments_beyond_the_file, image.header.e_phoff = 1 << 20)
REFUSED(segments_at_the_end_of_the_world, image.header.e_phoff = UINT64_MAX - 8)
REFUSED(negative_segment_offset, image.header.e_phoff = (uint64_t)1 << 63)

CASE(elf_sections_do_not_matter)
{
    struct image image = good_image();
    image.header.e_shoff = 0x123456789;
    image.header.e_shnum = 0xfff0;
    image.header.e_shentsize = 3;
    image.header.e_shstrndx = 0xffff;
    image.header.e_version = 77;
    image.header.e_ehsize = 1;
    image.header.e_flags = ~0u;
    EXPECT_RUNS_TO(image, 7);
}

// What is found only after the old program is gone kills the process.
#define FATAL(name, signal, ...)                                                                                       \
    CASE(elf_##name##_kills)                                                                                           \
    {                                                                                                                  \
        struct image image = good_image();                                                                             \
        __VA_ARGS__;                                                                                                   \
        EXPECT_EQ(run_image(&image), (signal));                                                                        \
    }

FATAL(file_part_larger_than_memory, SIGSEGV, image.segments[0].p_memsz = 16)
FATAL(segment_in_the_kernels_half, SIGSEGV, image.segments[0].p_vaddr = 0xffffffff80000000)
FATAL(segment_in_the_hole, SIGSEGV, image.segments[0].p_vaddr = (uint64_t)1 << 50)
FATAL(segment_at_the_top, SIGSEGV, image.segments[0].p_vaddr = 0x7ffffffff000)
FATAL(segment_of_all_memory, SIGSEGV, image.segments[0].p_memsz = UINT64_MAX)
FATAL(segment_of_more_than_the_address_space, SIGSEGV, image.segments[0].p_memsz = (uint64_t)1 << 47)
FATAL(segment_offset_out_of_step, SIGSEGV, image.segments[0].p_offset = 8)
FATAL(segment_offset_of_63_bits, SIGSEGV, image.segments[0].p_offset = INT64_MAX & ~0xfffl)
FATAL(entry_outside, SIGSEGV, image.header.e_entry = 0x10)
FATAL(entry_in_the_kernel, SIGSEGV, image.header.e_entry = 0xffffffff81000000)
FATAL(entry_in_the_hole, SIGSEGV, image.header.e_entry = (uint64_t)1 << 60)
FATAL(code_that_may_not_run, SIGSEGV, image.segments[0].p_flags = PF_R)
FATAL(no_access_at_all, SIGSEGV, image.segments[0].p_flags = 0)
FATAL(only_notes, SIGSEGV, image.segments[0].p_type = PT_NOTE)

CASE(elf_truncated_text_is_sigbus)
{
    struct image image = good_image();
    image.header.e_entry = BASE + 2 * PAGE + 16;
    image.segments[0].p_filesz = image.segments[0].p_memsz = 3 * PAGE;
    EXPECT_EQ(run_image(&image), SIGBUS);
}

CASE(elf_overlapping_segments_take_the_last)
{
    struct image image = good_image();
    image.header.e_phnum = 2;
    image.segments[1] = image.segments[0];
    EXPECT_RUNS_TO(image, 7);
}

// --- Interpreters. ---

static struct image with_interpreter(const void *name, size_t size)
{
    struct image image = good_image();
    image.header.e_phnum = 2;
    image.segments[1] = image.segments[0];
    image.segments[0] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x800, .p_filesz = size, .p_memsz = size, .p_flags = PF_R};
    memcpy(image.bytes + 0x800, name, size);
    return image;
}

#define WITH_INTERPRETER(name) with_interpreter(name, sizeof name)

CASE(elf_interpreter_runs_instead)
{
    // exit(9) at another address
    static const unsigned char exit_nine[] = {0xbf, 9, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
    struct image interpreter = make_image(exit_nine, sizeof exit_nine);
    interpreter.header.e_type = ET_DYN;
    interpreter.header.e_entry = CODE_OFFSET;
    interpreter.segments[0].p_vaddr = 0;
    write_image("ld", interpreter.bytes, FILE_BYTES);
    struct image image = WITH_INTERPRETER("ld");
    EXPECT_RUNS_TO(image, 9);
}

CASE(elf_interpreter_that_cannot_be_used)
{
    struct image missing = WITH_INTERPRETER("/no/such/loader");
    EXPECT_EQ(run_image(&missing), -ENOENT);
    struct image folder = WITH_INTERPRETER("/tmp");
    EXPECT_EQ(run_image(&folder), -EACCES);
    make_file("plain", "not executable");
    struct image plain = WITH_INTERPRETER("plain");
    EXPECT_EQ(run_image(&plain), -EACCES);
    char text[FILE_BYTES] = "this is text, and long enough to be read as a header";
    write_image("text", text, sizeof text);
    struct image no_elf = WITH_INTERPRETER("text");
    EXPECT_EQ(run_image(&no_elf), -ELIBBAD);
    struct image other = good_image();
    other.header.e_machine = EM_AARCH64;
    write_image("other", other.bytes, FILE_BYTES);
    struct image other_machine = WITH_INTERPRETER("other");
    EXPECT_EQ(run_image(&other_machine), -ELIBBAD);
    write_image("short", other.bytes, 20);
    struct image short_one = WITH_INTERPRETER("short");
    EXPECT_EQ(run_image(&short_one), -EIO);
}

CASE(elf_interpreter_name_is_checked)
{
    struct image unterminated = with_interpreter("abcd", 4);
    EXPECT_EQ(run_image(&unterminated), -ENOEXEC);
    struct image tiny = with_interpreter("", 1);
    EXPECT_EQ(run_image(&tiny), -ENOEXEC);
    struct image large = WITH_INTERPRETER("x");
    large.segments[0].p_filesz = 5000;
    EXPECT_EQ(run_image(&large), -ENOEXEC);
    struct image outside = WITH_INTERPRETER("x");
    outside.segments[0].p_offset = 1 << 20;
    EXPECT_EQ(run_image(&outside), -EIO);
}

// --- Random damage: whatever it is, exec either refuses it, or the new program ends by itself. ---

CASE_WITHIN(60, elf_random_damage_hurts_nobody_else)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 600; round++) {
        struct image image = round & 1 ? WITH_INTERPRETER("program") : good_image();
        for (int k = 0; k < 1 + round % 5; k++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            size_t limit = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
            image.bytes[4 + state % (limit - 4)] = (unsigned char)(state >> 32);
        }
        write_image("program", image.bytes, FILE_BYTES);
        IN_CHILD(child)
        {
            struct rlimit none = {0, 0}, second = {1, 1};
            setrlimit(RLIMIT_CORE, &none);
            setrlimit(RLIMIT_CPU, &second); // code in the wrong place may run for ever
            alarm(2);
            execve("program", (char *[]){"program", nullptr}, (char *[]){nullptr});
        }
        int status;
        REQUIRE_EQ(waitpid(child, &status, 0), child);
    }
    struct image image = good_image();
    EXPECT_RUNS_TO(image, 7);
}
