// kernel/base/printk.h — the kernel's log: a ring of records, and the consoles that show them.
//
// printk() may be called anywhere, also in interrupts, NMIs and with any lock held: it takes only the log's own
// innermost lock, and if this CPU was interrupted while holding it, the text is stored late or dropped rather than
// waiting for ever.
#pragma once

#include "kernel/base/list.h"

enum log_level {
    LOG_EMERG,
    LOG_ALERT,
    LOG_CRIT,
    LOG_ERR,
    LOG_WARNING,
    LOG_NOTICE,
    LOG_INFO,
    LOG_DEBUG,
    LOG_CONT, // continues the last record of this CPU if it did not end in a newline
};

#define LOG_RECORD_MAX 976u // bytes of text in one record; longer ones are cut

// Stores one record, and shows it on the consoles where its level asks for that; printf(3) with the %p forms of string.h.
void printk(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

// A file may define this before including the header, to put its subsystem's name in front:
//   #define PR_FMT(fmt) "acpi: " fmt
#ifndef PR_FMT
#define PR_FMT(fmt) fmt
#endif
#define pr_emerg(fmt, ...) printk(LOG_EMERG, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_err(fmt, ...) printk(LOG_ERR, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_warn(fmt, ...) printk(LOG_WARNING, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_notice(fmt, ...) printk(LOG_NOTICE, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_info(fmt, ...) printk(LOG_INFO, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_debug(fmt, ...) printk(LOG_DEBUG, PR_FMT(fmt) __VA_OPT__(, ) __VA_ARGS__)
#define pr_cont(fmt, ...) printk(LOG_CONT, fmt __VA_OPT__(, ) __VA_ARGS__)
#define pr_warn_once(fmt, ...)                                                                                         \
    do {                                                                                                               \
        static bool said_;                                                                                             \
        if (!__atomic_exchange_n(&said_, true, __ATOMIC_RELAXED))                                                      \
            pr_warn(fmt __VA_OPT__(, ) __VA_ARGS__);                                                                   \
    } while (0)

// A place where log lines are shown. `write` is called with the log's lock held and interrupts off: it polls, and must
// not print.
struct console {
    const char *name; // as in console=: "ttyS0", "tty0", "hvc0"
    void (*write)(struct console *console, const char *text, size_t size);
    void (*drain)(struct console *console); // may be null: sends what programs wrote to the device and still waits; polls, a second at most
    void *data;
    bool boot_only; // replaced by the first real console of the same name
    bool anytime;   // needs nothing of its CPU: /proc/consoles tells it
    bool preferred; // of those in use, the one that console= named last: /dev/console is it
    struct list_head link;
};

// Adds a console if the command line asks for it (no console= at all: every one is taken) and shows it what was logged
// so far. Registering a name again that a boot console has replaces that one, without repeating the log. Returns
// whether it is in use; one that is not is only drained.
bool console_register(struct console *console);
// After the command line has been read: boot consoles that console= does not name fall silent.
void console_settle(void);
// The name that console= gave last (back = 0), the one before it (1) and so on; null: no more. "ttyS0" alone when console= is not given.
const char *console_asked(unsigned back);
// What the last console= of that name says behind its comma; "" if nothing, or if none names it.
const char *console_options(const char *name);
struct console_facts {
    char name[16];
    bool anytime, boot_only, preferred;
};
// The consoles in use, the preferred one first: copies the facts of the n-th (from 0). False: there are no more.
bool console_nth(unsigned n, struct console_facts *out);
// Level up to (not including) which records are shown on consoles: /proc/sys/kernel/printk, syslog(2), loglevel=, quiet.
extern int console_loglevel;
extern int default_message_loglevel;
// Writes straight to the consoles, without a record: for /dev/console before there is a tty, and for a crash.
void console_write(const char *text, size_t size);
// Before the machine stops: what programs wrote to the consoles' devices is sent first. Context: a task; may take a second a console.
void console_drain(void);
// From now on, locks are broken and everything is shown: called once by panic().
void console_bust_locks(void);

// Reading the log: syslog(2), /dev/kmsg.
struct log_record {
    uint64_t seq;     // counts records since boot
    ktime_t time;     // ns since boot
    uint32_t caller;  // CPU number
    uint8_t level;    // enum log_level
    uint8_t facility; // 0 kernel, 1 user (written through /dev/kmsg)
    size_t size;      // of the text, without NUL or newline
};

// Copies the record *seq, or the oldest one still there if that one is gone (then *seq says which), with up to `size`
// bytes of its text. 0; -EAGAIN when there is no record *seq yet, -EPIPE when records were skipped (nothing is copied,
// *seq is the oldest one now).
[[nodiscard]] int log_read(uint64_t *seq, struct log_record *record, char *text, size_t size);
// Adds a record: printk()'s, or one from user space (writes to /dev/kmsg). Any context.
void log_store(enum log_level level, unsigned facility, const char *text, size_t size);
// The oldest record there is, the one that will be stored next, and the ring's size in bytes.
uint64_t log_first_seq(void);
uint64_t log_next_seq(void);
size_t log_buffer_size(void);
// "<6>[    0.000000] text\n" (level prefix only if asked for); returns its length, cut to size.
size_t log_format(const struct log_record *record, const char *text, bool with_level, char *to, size_t size);

// Called (if set) after each new record, with interrupts off and maybe inside any lock: it may only note that readers
// have to be woken.
extern void (*log_notify)(void);
// Gives records their time; arch sets it when the clock runs. Null: 0.
extern ktime_t (*log_clock)(void);
