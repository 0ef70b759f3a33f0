// kernel/drivers/tty/tty.h — terminals: what a driver gives and gets, and the state of one terminal. tty(4), termios(3).
//
// Bytes travel: driver interrupt -> tty_receive() -> raw ring -> (worker, or the writer of the other pty end) line discipline -> read buffer -> read(2);
// and write(2) -> output processing -> ops->write() -> driver. Echo joins the second way.
//
// Locks, outermost first: open_lock (opens, closes, hangup), read_lock and write_lock (one reader, one writer at a time), lock (termios, line discipline,
// output column), raw.lock (spinlock, interrupts off: the raw ring, flow and packet state). Session and foreground group: process_tree_lock.
#pragma once

#include "kernel/abi/ioctl.h"
#include "kernel/abi/termios.h"
#include "kernel/base/bitmap.h"
#include "kernel/drivers/base/device.h"
#include "kernel/proc/task.h"
#include "kernel/sched/sched.h"
#include "kernel/vfs/fasync.h"
#include "kernel/vfs/vfs.h"

struct tty;

#define TTY_BUF_SIZE 4096u // raw ring and read buffer
#define TTY_EXPANSION 8u   // most bytes of output that one byte becomes (a tab as spaces)

// What a driver does. Missing entries: nothing happens (write_room: no limit; send_xchar: by write; tiocmget and tiocmset: -ENOTTY).
struct tty_ops {
    int (*activate)(struct tty *tty);                       // first open. open_lock held
    void (*shutdown)(struct tty *tty);                      // last close or hangup. open_lock held
    int (*open)(struct tty *tty);                           // each open, counted already. open_lock held
    void (*close)(struct tty *tty);                         // each close, still counted. No lock held
    // Takes up to `size` bytes and returns how many. Never sleeps; tty->lock held.
    size_t (*write)(struct tty *tty, const uint8_t *buf, size_t size);
    void (*kick)(struct tty *tty);                          // after some writes, tty->lock not held
    size_t (*write_room)(struct tty *tty);
    size_t (*chars_in_buffer)(struct tty *tty);             // taken but not yet sent
    void (*flush_output)(struct tty *tty);                  // forget those
    void (*wait_sent)(struct tty *tty, ktime_t deadline);   // the last of them has left the hardware
    void (*set_termios)(struct tty *tty, const struct abi_termios2 *old); // tty->lock held; may correct tty->termios
    void (*stop)(struct tty *tty), (*start)(struct tty *tty); // output; raw.lock not held
    void (*throttle)(struct tty *tty, bool on);             // the raw ring is nearly full, has room again
    void (*input_taken)(struct tty *tty);                   // bytes left the raw ring. No lock held
    void (*send_xchar)(struct tty *tty, uint8_t c);         // ahead of everything else
    int (*tiocmget)(struct tty *tty);
    int (*tiocmset)(struct tty *tty, unsigned set, unsigned clear);
    int (*break_ctl)(struct tty *tty, bool on);             // -ENOTTY missing
    int (*resize)(struct tty *tty, const struct abi_winsize *ws);
    long (*ioctl)(struct tty *tty, struct file *file, unsigned cmd, unsigned long arg); // -ENOTTY: not mine
    void (*free)(struct tty *tty);                          // the last reference
};

enum tty_kind { TTY_SERIAL, TTY_PTY_MASTER, TTY_PTY_SLAVE }; // serial: any line that is not a pty

// How a received byte arrived.
enum tty_flag { TTY_NORMAL, TTY_BREAK, TTY_PARITY, TTY_FRAME, TTY_OVERRUN };

struct tty_raw {
    struct spinlock lock;
    uint8_t data[TTY_BUF_SIZE], flags[TTY_BUF_SIZE];
    uint32_t head, tail; // free-running; head: driver, tail: line discipline
};

// The line discipline's state: tty->lock. Positions are free-running; canon_head ends the last complete line, line_end marks the bytes that end one.
struct n_tty {
    uint8_t buf[TTY_BUF_SIZE];
    DECLARE_BITMAP(line_end, TTY_BUF_SIZE);
    uint32_t head, canon_head, tail;
    uint8_t echo[512];   // output of echo that the driver had no room for
    uint32_t echo_head, echo_tail;
    unsigned column;     // of the cursor, as far as known
    unsigned canon_column; // where the current input line began
    bool literal_next;   // VLNEXT was typed
    bool erasing;        // ECHOPRT: between \ and /
    bool wrote;          // something was given to the driver since the last kick
    int signal;          // to be sent to the foreground group as soon as the lock is dropped
};

struct tty {
    refcount_t refs;
    const struct tty_ops *ops;
    struct tty_driver *driver;
    enum tty_kind kind;
    unsigned index;
    char name[16];
    void *private;              // the driver's
    struct tty *link;           // the other end of a pty; both live as long as either
    struct device device;

    struct mutex open_lock, read_lock, write_lock, lock;
    unsigned open_count;        // open files that are not hung up: open_lock
    unsigned console_count;     // those among them opened as /dev/console: a hangup spares them
    unsigned hangups;           // counts; files remember the value of their open
    bool exclusive;             // TIOCEXCL
    bool io_error;              // pty: this end is closed
    bool other_closed;          // pty: the other end is
    bool locked;                // pty slave: TIOCSPTLCK
    bool closing;
    bool activated;

    struct abi_termios2 termios, init_termios; // lock
    struct abi_winsize winsize;                // lock
    struct n_tty ldisc;                        // lock
    uint8_t *write_buf;                        // write_lock; a page, made at the first write

    struct tty_raw raw;
    bool stopped;               // output held by ^S or TCOOFF: raw.lock
    bool tco_stopped;           // by TCOOFF: only TCOON starts it again
    bool throttled;
    bool packet;                // pty master: TIOCPKT
    uint8_t packet_status;      // pty slave's news for the master: raw.lock

    struct pid *session, *pgrp; // with references: process_tree_lock
    struct waitqueue read_wait, write_wait;
    struct fasync_list async;   // O_ASYNC
    bool tell_room;             // a writer found too little room: POLL_OUT when there is more
    struct work_item input_work;
    uint32_t input_queued;
};

// One open file of a terminal: file->private.
struct tty_file {
    struct tty *tty;
    unsigned hangups;
    bool console;
};

struct tty_driver {
    const char *name;           // "ttyS": the nodes' names
    const char *title;          // "serial", "pty_slave" …: in /proc/tty/drivers
    unsigned major, first_minor, nr;
    const char *type;           // "serial", "pty:slave" …
    // Finds the terminal of a node; *out with a reference. Null: by index in ttys[]. -ENXIO, -EIO.
    int (*lookup)(struct tty_driver *driver, struct inode *inode, struct tty **out);
    struct tty **ttys;
    struct char_device cdev;
    struct list_head link;
};

extern struct device_class tty_class;
extern const struct file_ops tty_file_ops;

// -- for drivers
[[nodiscard]] int tty_driver_register(struct tty_driver *driver);
// Prepares zeroed memory. Termios: Linux's defaults for a terminal, 38400 baud; change init_termios and termios before it is opened.
void tty_init(struct tty *tty, struct tty_driver *driver, unsigned index, const struct tty_ops *ops, enum tty_kind kind);
// Gives a fixed terminal its number and its node (mode 0600 or as set in tty->device).
[[nodiscard]] int tty_add(struct tty *tty, struct device *parent);
static inline struct tty *tty_get(struct tty *tty)
{
    refcount_inc(&tty->refs);
    return tty;
}
void tty_put(struct tty *tty); // the last one gives it back to its driver
// Received bytes, all arrived alike. Returns how many fitted. Any context; the line discipline runs in a worker.
size_t tty_receive(struct tty *tty, const uint8_t *buf, size_t size, enum tty_flag flag);
size_t tty_receive_room(struct tty *tty); // bytes that tty_receive() would take now
// The driver has room for output again. Any context.
void tty_wakeup(struct tty *tty);
// Runs the line discipline on what has been received. Thread; of terminals' locks at most read_lock held.
void tty_input_run(struct tty *tty);
// Carrier lost, vhangup(2) …: every open file is as if at end of file. May sleep.
void tty_hangup(struct tty *tty);
// The speed in bits a second, from its code or the BOTHER field, and back.
unsigned tty_baud(const struct abi_termios2 *t);
void tty_set_baud(struct abi_termios2 *t, unsigned baud);
// The terminal was hung up after this file was opened; never so for /dev/console.
static inline bool tty_file_hung(const struct tty_file *tf)
{
    return !tf->console && READ_ONCE(tf->tty->hangups) != tf->hangups;
}
// For a node of a terminal that was found: opens it for `file`. Consumes the reference, also on error.
[[nodiscard]] int tty_open_found(struct tty *tty, struct file *file, bool noctty, bool console);
static inline struct tty *tty_of(struct file *file)
{
    return ((struct tty_file *)file->private)->tty;
}
bool file_is_tty(const struct file *file);
void tty_drivers_show(struct seq_file *m);  // /proc/tty/drivers
void tty_consoles_show(struct seq_file *m); // /proc/consoles
