// kernel/base/printk.c — the log and its consoles.
//
// The ring holds records one after another; each starts at a multiple of 8 and is not split: where one does not fit
// before the end, it starts at 0 again. `where[seq % INDEX]` is a record's place, so that a reader finds it at once.
// Invariants, under the lock: records first_seq .. next_seq - 1 are whole; the bytes between the newest one's end and
// the oldest one's start are free. A record is one line. A text that does not end in a newline leaves its record open,
// for LOG_CONT of the same CPU to continue.
//
// The lock is a plain word, not a spinlock: it must be possible to notice that this very CPU holds it (an NMI or a
// fault hit inside printk), and to break it in a panic. It is innermost, and interrupts are off while it is held.
#include "kernel/base/printk.h"

#include "kernel/abi/errno.h"
#include "kernel/base/percpu.h"
#include "kernel/base/string.h"
#include "kernel/boot/init.h"

enum {
    RING_SIZE = 128 * 1024,
    INDEX = 8192, // more than records of the smallest size fit into the ring
};

struct stored {
    uint64_t seq;
    ktime_t time;
    uint32_t caller;
    uint16_t size;
    uint8_t level, facility;
    char text[];
};
static_assert(RING_SIZE / sizeof(struct stored) <= INDEX);

int console_loglevel = 7;
int default_message_loglevel = LOG_WARNING;
void (*log_notify)(void);
ktime_t (*log_clock)(void);

static struct {
    uint32_t holder; // CPU number + 1, 0: free
    bool busted;
    bool open;         // the newest record has no newline yet
    bool console_open; // the consoles stand in the middle of a line
    uint64_t first_seq, next_seq;
    uint32_t head; // where the next record goes
    uint64_t lost;
    uint32_t where[INDEX];
} state;
static char ring[RING_SIZE] ALIGNED(8);
static LIST_HEAD(consoles);
static LIST_HEAD(silent); // those that console= does not name: programs write to their devices all the same

static uint32_t record_span(size_t text_size)
{
    return (uint32_t)ALIGN_UP(sizeof(struct stored) + text_size, 8);
}

static struct stored *record_at(uint64_t seq)
{
    return (struct stored *)(ring + state.where[seq % INDEX]);
}

// False: this CPU holds the lock already.
static bool log_lock(irq_flags_t *flags)
{
    *flags = arch_irq_save();
    uint32_t me = this_cpu_id() + 1;
    for (;;) {
        uint32_t holder = 0;
        if (__atomic_compare_exchange_n(&state.holder, &holder, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) ||
            state.busted)
            return true;
        if (holder == me) {
            arch_irq_restore(*flags);
            return false;
        }
        cpu_relax();
    }
}

static void log_unlock(irq_flags_t flags)
{
    __atomic_store_n(&state.holder, 0, __ATOMIC_RELEASE);
    arch_irq_restore(flags);
}

void console_bust_locks(void)
{
    state.busted = true;
    console_loglevel = LOG_DEBUG + 1;
}

static void drop_oldest(void)
{
    state.first_seq++;
}

// Makes [at, at + span) free of records.
static void make_room(uint32_t at, uint32_t span)
{
    while (state.first_seq < state.next_seq) {
        uint32_t oldest = state.where[state.first_seq % INDEX];
        uint32_t oldest_end = oldest + record_span(record_at(state.first_seq)->size);
        if (oldest >= at + span || oldest_end <= at)
            return;
        drop_oldest();
    }
}

static struct stored *append_record(enum log_level level, unsigned facility, const char *text, size_t size)
{
    uint32_t span = record_span(size);
    if (state.head + span > RING_SIZE) {
        make_room(state.head, RING_SIZE - state.head);
        state.head = 0;
    }
    make_room(state.head, span);
    struct stored *r = (struct stored *)(ring + state.head);
    *r = (struct stored){
        .seq = state.next_seq,
        .time = log_clock ? log_clock() : 0,
        .caller = this_cpu_id(),
        .size = (uint16_t)size,
        .level = (uint8_t)level,
        .facility = (uint8_t)facility,
    };
    memcpy(r->text, text, size);
    state.where[state.next_seq++ % INDEX] = state.head;
    state.head += span;
    return r;
}

// Adds to the newest record, which is open. False: no room behind it.
static bool extend_record(const char *text, size_t size)
{
    struct stored *r = record_at(state.next_seq - 1);
    uint32_t at = state.where[(state.next_seq - 1) % INDEX];
    uint32_t span = record_span(r->size + size);
    if (r->size + size > LOG_RECORD_MAX || at + span > RING_SIZE || r->caller != this_cpu_id())
        return false;
    if (state.first_seq < state.next_seq - 1)
        make_room(state.head, at + span - state.head);
    memcpy(r->text + r->size, text, size);
    r->size += (uint16_t)size;
    state.head = at + span;
    return true;
}

static void write_all(const char *text, size_t size)
{
    struct console *console;
    list_for_each_entry (console, &consoles, link)
        console->write(console, text, size);
}

static size_t format_prefix(const struct stored *r, char *to, size_t size)
{
    uint64_t us = (uint64_t)r->time / 1000;
    return (size_t)scnprintf(to, size, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
                             (unsigned long long)(us % 1000000));
}

static void show(const struct stored *r, const char *text, size_t size, bool continued, bool complete)
{
    if (r->level >= console_loglevel && !state.busted)
        return;
    if (!continued) {
        char prefix[40];
        if (state.console_open)
            write_all("\n", 1);
        write_all(prefix, format_prefix(r, prefix, sizeof prefix));
    }
    write_all(text, size);
    if (complete)
        write_all("\n", 1);
    state.console_open = !complete;
}

static void store_line(enum log_level level, unsigned facility, const char *text, size_t size, bool complete)
{
    size = min(size, (size_t)LOG_RECORD_MAX);
    if (level == LOG_CONT && state.open && state.next_seq > state.first_seq && extend_record(text, size)) {
        show(record_at(state.next_seq - 1), text, size, true, complete);
    } else {
        if (level == LOG_CONT)
            level = (enum log_level)default_message_loglevel;
        struct stored *r = append_record(level, facility, text, size);
        show(r, r->text, size, false, complete);
    }
    state.open = !complete;
}

void log_store(enum log_level level, unsigned facility, const char *text, size_t size)
{
    irq_flags_t flags;
    if (!log_lock(&flags)) {
        __atomic_fetch_add(&state.lost, 1, __ATOMIC_RELAXED);
        return;
    }
    while (size) {
        const char *newline = memchr(text, '\n', size);
        size_t line = newline ? (size_t)(newline - text) : size;
        store_line(level, facility, text, line, newline || facility);
        line += newline ? 1 : 0;
        text += line;
        size -= line;
    }
    if (unlikely(state.lost)) {
        char note[64];
        uint64_t lost = __atomic_exchange_n(&state.lost, 0, __ATOMIC_RELAXED);
        store_line(LOG_WARNING, 0, note,
                   (size_t)scnprintf(note, sizeof note, "%llu messages lost inside printk", (unsigned long long)lost),
                   true);
    }
    log_unlock(flags);
    if (log_notify)
        log_notify();
}

void printk(enum log_level level, const char *format, ...)
{
    char text[LOG_RECORD_MAX + 1];
    va_list args;
    va_start(args, format);
    int size = vscnprintf(text, sizeof text, format, args);
    va_end(args);
    log_store(level, 0, text, (size_t)size);
}

int log_read(uint64_t *seq, struct log_record *record, char *text, size_t size)
{
    irq_flags_t flags;
    if (!log_lock(&flags))
        return -EAGAIN;
    int err = 0;
    if (*seq < state.first_seq) {
        *seq = state.first_seq;
        err = -EPIPE;
    } else if (*seq >= state.next_seq) {
        err = -EAGAIN;
    } else {
        const struct stored *r = record_at(*seq);
        *record = (struct log_record){.seq = r->seq,
                                      .time = r->time,
                                      .caller = r->caller,
                                      .level = r->level,
                                      .facility = r->facility,
                                      .size = r->size};
        memcpy(text, r->text, min(size, (size_t)r->size));
    }
    log_unlock(flags);
    return err;
}

uint64_t log_first_seq(void)
{
    return READ_ONCE(state.first_seq);
}

uint64_t log_next_seq(void)
{
    return READ_ONCE(state.next_seq);
}

size_t log_buffer_size(void)
{
    return RING_SIZE;
}

size_t log_format(const struct log_record *record, const char *text, bool with_level, char *to, size_t size)
{
    struct stored r = {.time = record->time};
    size_t n = 0;
    if (with_level)
        n = (size_t)scnprintf(to, size, "<%u>", record->facility << 3 | record->level);
    n += format_prefix(&r, to + n, size - n);
    return n + (size_t)scnprintf(to + n, size - n, "%.*s\n", (int)record->size, text);
}

void console_write(const char *text, size_t size)
{
    irq_flags_t flags;
    if (!log_lock(&flags))
        return;
    write_all(text, size);
    log_unlock(flags);
}

void console_drain(void)
{
    struct console *console;
    list_for_each_entry (console, &consoles, link) // the lists are complete when programs run
        if (console->drain)
            console->drain(console);
    list_for_each_entry (console, &silent, link)
        if (console->drain)
            console->drain(console);
}

// The last console= names the preferred one; earlier ones are used as well: console=tty0 console=ttyS0,115200.
enum { MAX_CONSOLES = 8 };
static struct {
    char name[16], options[16];
} asked[MAX_CONSOLES];
static unsigned nr_asked;

static int parse_console(const char *value)
{
    if (nr_asked == MAX_CONSOLES)
        return -ENOSPC;
    const char *comma = strchrnul(value, ',');
    strlcpy(asked[nr_asked].name, value, min(sizeof asked[0].name, (size_t)(comma - value) + 1));
    strlcpy(asked[nr_asked].options, *comma ? comma + 1 : "", sizeof asked[0].options);
    nr_asked++;
    return 0;
}
CMDLINE_PARAM("console", parse_console);

// The place of the last console= that gives this name, from 1; 0: none does.
static unsigned asked_at(const char *name)
{
    unsigned at = nr_asked;
    while (at && strcmp(asked[at - 1].name, name) != 0)
        at--;
    return at;
}

const char *console_asked(unsigned back)
{
    if (!nr_asked)
        return back ? nullptr : "ttyS0";
    return back < nr_asked ? asked[nr_asked - 1 - back].name : nullptr;
}

const char *console_options(const char *name)
{
    unsigned at = asked_at(name);
    return at ? asked[at - 1].options : "";
}

static bool console_is_asked_for(const char *name)
{
    return !nr_asked || asked_at(name);
}

// After a console came or went. Log lock held.
static void choose_preferred(void)
{
    struct console *console, *best = nullptr;
    list_for_each_entry (console, &consoles, link) {
        console->preferred = false;
        if (!best || asked_at(console->name) > asked_at(best->name))
            best = console;
    }
    if (best)
        best->preferred = true;
}

static void replay(struct console *console)
{
    for (uint64_t seq = state.first_seq; seq < state.next_seq; seq++) {
        const struct stored *r = record_at(seq);
        char prefix[40];
        if (r->level >= console_loglevel)
            continue;
        console->write(console, prefix, format_prefix(r, prefix, sizeof prefix));
        console->write(console, r->text, r->size);
        console->write(console, "\n", 1);
    }
}

bool console_register(struct console *console)
{
    irq_flags_t flags;
    if (!log_lock(&flags))
        return false;
    if (!console_is_asked_for(console->name)) {
        list_add_tail(&console->link, &silent);
        log_unlock(flags);
        return false;
    }
    struct console *other, *next;
    bool repeat = true;
    list_for_each_entry_safe (other, next, &consoles, link) {
        if (other->boot_only && strcmp(other->name, console->name) == 0) {
            list_del(&other->link);
            repeat = false;
        }
    }
    if (repeat)
        replay(console);
    list_add_tail(&console->link, &consoles);
    choose_preferred();
    log_unlock(flags);
    return true;
}

void console_settle(void)
{
    irq_flags_t flags;
    if (!log_lock(&flags))
        return;
    struct console *console, *next;
    list_for_each_entry_safe (console, next, &consoles, link)
        if (!console_is_asked_for(console->name))
            list_del(&console->link);
    choose_preferred();
    log_unlock(flags);
}

bool console_nth(unsigned n, struct console_facts *out)
{
    irq_flags_t flags;
    if (!log_lock(&flags))
        return false;
    const struct console *console, *found = nullptr;
    for (int preferred = 1; preferred >= 0 && !found; preferred--)
        list_for_each_entry (console, &consoles, link)
            if (console->preferred == preferred && n-- == 0) {
                found = console;
                break;
            }
    if (found) {
        *out = (struct console_facts){.anytime = found->anytime, .boot_only = found->boot_only, .preferred = found->preferred};
        strlcpy(out->name, found->name, sizeof out->name);
    }
    log_unlock(flags);
    return found;
}

static int parse_loglevel(const char *value)
{
    int level;
    int err = parse_int(value, 10, &level);
    if (err)
        return err;
    console_loglevel = clamp(level, 1, LOG_DEBUG + 1);
    return 0;
}
CMDLINE_PARAM("loglevel", parse_loglevel);

static int parse_quiet([[maybe_unused]] const char *value)
{
    console_loglevel = LOG_WARNING;
    return 0;
}
CMDLINE_PARAM("quiet", parse_quiet);

static int parse_debug([[maybe_unused]] const char *value)
{
    console_loglevel = LOG_DEBUG + 1;
    return 0;
}
CMDLINE_PARAM("debug", parse_debug);
