// kernel/proc/exec_stack.c — the initial stack: the process entry state of the System V ABI for x86-64, section 3.4.1, as Linux fills it.
//
// From high to low: eight zero bytes, the file name, environment strings, argument strings, platform name and random bytes, padding to 16, the
// auxiliary vector, the environment pointers, the argument pointers, argc. The stack pointer is 16-byte aligned at argc.

#include "arch/include/elf.h"
#include "arch/include/user_copy.h"
#include "kernel/abi/elf.h"
#include "kernel/base/random.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"

static const char platform[] = ARCH_MACHINE;

// Copies [from, to) of the collected bytes to user memory at *at, and advances it.
static int put_range(const struct arg_strings *args, size_t from, size_t to, vaddr_t *at)
{
    while (from < to) {
        size_t offset = from % PAGE_SIZE, part = min(PAGE_SIZE - offset, to - from);
        if (copy_to_user(user_ptr(void, *at), args->pages[from / PAGE_SIZE] + offset, part))
            return -EFAULT;
        from += part;
        *at += part;
    }
    return 0;
}

static int put_text(const char *text, vaddr_t *at)
{
    size_t size = strlen(text) + 1;
    if (copy_to_user(user_ptr(void, *at), text, size))
        return -EFAULT;
    *at += size;
    return 0;
}

// A window over the pointer vectors: written to the user stack a few dozen words at a time.
struct word_writer {
    vaddr_t at;
    unsigned used;
    uint64_t words[64];
};

static int flush_words(struct word_writer *w)
{
    if (copy_to_user(user_ptr(void, w->at), w->words, w->used * sizeof w->words[0]))
        return -EFAULT;
    w->at += w->used * sizeof w->words[0];
    w->used = 0;
    return 0;
}

static int put_word(struct word_writer *w, uint64_t word)
{
    w->words[w->used++] = word;
    return w->used == ARRAY_SIZE(w->words) ? flush_words(w) : 0;
}

// Pointers to `count` consecutive strings of the collected bytes, which lie at user address `base` + (offset - from).
static int put_pointers(struct word_writer *w, const struct arg_strings *args, size_t from, unsigned count, vaddr_t base)
{
    size_t at = from;
    for (unsigned i = 0; i < count; i++) {
        int err = put_word(w, base + (at - from));
        if (err)
            return err;
        for (;;) {
            const char *page = args->pages[at / PAGE_SIZE];
            size_t offset = at % PAGE_SIZE, len = strnlen(page + offset, PAGE_SIZE - offset);
            at += len;
            if (offset + len < PAGE_SIZE) {
                at++;
                break;
            }
        }
    }
    return 0;
}

static void set_aux(uint64_t (*auxv)[2], size_t nr, uint64_t type, uint64_t value)
{
    for (size_t i = 0; i < nr; i++)
        if (auxv[i][0] == type)
            auxv[i][1] = value;
}

int binary_setup_stack(struct binary *bin, uint64_t (*auxv)[2], size_t nr_auxv, vaddr_t *sp)
{
    struct arg_strings *args = &bin->args;
    struct mm *mm = bin->mm;
    size_t own_args = args->argv_bytes - args->skip_bytes, env = args->bytes - args->argv_bytes;
    size_t name = strlen(bin->path) + 1;
    unsigned argc = args->argc - args->skip + args->nr_prefix;

    vaddr_t strings = bin->layout.stack_top - 8 - name - env - own_args - args->prefix_bytes;
    vaddr_t at = strings;
    mm->arg_start = strings;
    int err = 0;
    for (unsigned i = args->nr_prefix; i-- && !err;)
        err = put_text(args->prefix[i], &at);
    vaddr_t own_start = at;
    if (!err)
        err = put_range(args, args->skip_bytes, args->argv_bytes, &at);
    mm->arg_end = mm->env_start = at;
    if (!err)
        err = put_range(args, args->argv_bytes, args->bytes, &at);
    mm->env_end = at;
    vaddr_t execfn = at;
    if (!err)
        err = put_text(bin->path, &at);
    if (err)
        return err;

    // Where the stack begins varies by up to 8 KiB, like the addresses of everything else.
    uint8_t random[16 + 2];
    random_bytes(random, sizeof random);
    vaddr_t low = strings;
    if (bin->layout.randomise)
        low -= (random[16] | random[17] << 8) % 8192;
    low = ALIGN_DOWN(low, 16ul);
    vaddr_t platform_at = low -= sizeof platform;
    vaddr_t random_at = low -= 16;
    if (copy_to_user(user_ptr(void, platform_at), platform, sizeof platform) || copy_to_user(user_ptr(void, random_at), random, 16))
        return -EFAULT;
    low = ALIGN_DOWN(low, 16ul);
    set_aux(auxv, nr_auxv, AT_EXECFN, execfn);
    set_aux(auxv, nr_auxv, AT_PLATFORM, platform_at);
    set_aux(auxv, nr_auxv, AT_RANDOM, random_at);

    size_t words = 1 + argc + 1 + args->envc + 1 + 2 * nr_auxv;
    *sp = ALIGN_DOWN(low - words * sizeof(uint64_t), 16ul);
    struct word_writer w = {.at = *sp};
    err = put_word(&w, argc);
    vaddr_t prefix_at = strings;
    for (unsigned i = args->nr_prefix; i-- && !err;) {
        err = put_word(&w, prefix_at);
        prefix_at += strlen(args->prefix[i]) + 1;
    }
    if (!err)
        err = put_pointers(&w, args, args->skip_bytes, args->argc - args->skip, own_start);
    if (!err)
        err = put_word(&w, 0);
    if (!err)
        err = put_pointers(&w, args, args->argv_bytes, args->envc, mm->env_start);
    if (!err)
        err = put_word(&w, 0);
    for (size_t i = 0; i < nr_auxv && !err; i++) {
        mm->auxv[2 * i] = auxv[i][0];
        mm->auxv[2 * i + 1] = auxv[i][1];
        if (!(err = put_word(&w, auxv[i][0])))
            err = put_word(&w, auxv[i][1]);
    }
    mm->start_stack = *sp;
    return err ? err : flush_words(&w);
}
