// tests/contract/flags.c — flags and commands that a call does not take: each is tried, and refused with the error the table names.
//
// The cases come from kernel/syscall/table.txt (probes.h): one for each argument with listed values. On Linux they show that the table
// tells the truth, on Kevlar that the dispatcher obeys it. What Kevlar lacks and Linux has is left out.
#include "tests/contract/harness.h"

enum kind {
    KIND_END, KIND_INT, KIND_UINT, KIND_HEX, KIND_PTR, KIND_SIZE, KIND_OFF, KIND_FD, KIND_DIRFD, KIND_PATH, KIND_STR, KIND_BUF, KIND_MODE,
    KIND_OFLAGS, KIND_PID, KIND_SIG, KIND_PROT, KIND_MAPFLAGS, KIND_RLIMIT, KIND_PRCTL, KIND_FCNTLCMD, KIND_FUTEXOP,
};

struct probe {
    long number;
    int argument; // index of the one that is tried
    bool is_mask, wide;
    uint64_t mask;
    int error;
    enum kind kinds[6];
    int64_t known[48]; // values, or bits of a mask, not to be tried
    size_t known_count;
};

static const char *zeroes; // a page of them, for every pointer

// An argument that is right, or at least does no harm: what is refused must be refused for the flags.
static long harmless(enum kind kind)
{
    switch (kind) {
    case KIND_FD:
        return open("file", O_RDWR | O_CREAT, 0600);
    case KIND_DIRFD:
        return AT_FDCWD;
    case KIND_PATH:
    case KIND_STR:
        return (long)"file";
    case KIND_PTR:
    case KIND_BUF:
        return (long)zeroes;
    case KIND_PID:
        return getpid();
    case KIND_SIZE: // a signal set's
    case KIND_OFF:
        return 8;
    default:
        return 0;
    }
}

static bool is_known(const struct probe *p, int64_t value)
{
    for (size_t i = 0; i < p->known_count; i++) {
        if (p->is_mask ? (p->known[i] & value) != 0 : (int)p->known[i] == (int)value)
            return true;
    }
    return false;
}

static void try_value(const struct probe *p, long arguments[6], uint64_t value)
{
    arguments[p->argument] = (long)value;
    errno = 0;
    long result =
        syscall(p->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    if (result != -1 || errno != p->error)
        note_failure(__FILE_NAME__, __LINE__, "%#lx gives %ld, errno %d, not %d", value, result, errno, p->error);
}

static void run_probe(const struct probe *p)
{
    zeroes = mmap(nullptr, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(zeroes != MAP_FAILED);
    make_file("file", "content");
    long arguments[6];
    for (int i = 0; i < 6; i++)
        arguments[i] = harmless(p->kinds[i]);
    if (p->is_mask) {
        for (int bit = 0; bit < (p->wide ? 64 : 32); bit++) {
            if (!(p->mask >> bit & 1) && !is_known(p, (int64_t)(1ul << bit)))
                try_value(p, arguments, 1ul << bit);
        }
        return;
    }
    static const int far[] = {-2, -100, 255, 4096, INT_MAX, INT_MIN};
    for (int value = 0; value < 70; value++) {
        if (!is_known(p, value))
            try_value(p, arguments, (uint64_t)value);
    }
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
        try_value(p, arguments, (uint64_t)(int64_t)far[i]);
}

#define MASK(bits, is_wide) .is_mask = true, .mask = (bits), .wide = (is_wide)
#define VALUES() .is_mask = false
#define ITEMS(...) {__VA_ARGS__}
#define PROBE(name, nr, index, what, refused, argument_kinds, not_tried)                                               \
    CASE(flags_refused_by_##name)                                                                                      \
    {                                                                                                                  \
        static const int64_t known[] = ITEMS not_tried;                                                                \
        struct probe p = {.number = (nr), .argument = (index), what, .error = (refused), .kinds = ITEMS argument_kinds}; \
        p.known_count = sizeof known / sizeof known[0];                                                                \
        memcpy(p.known, known, sizeof known);                                                                          \
        run_probe(&p);                                                                                                 \
    }

#include "tests/contract/probes.h"
