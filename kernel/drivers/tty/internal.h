// kernel/drivers/tty/internal.h — what the parts of the terminal core share: line discipline, job control, ioctls.
#pragma once

#include "kernel/drivers/tty/tty.h"

// -- tty_core.c
struct tty *tty_find_by_name(const char *name);       // "ttyS0"; with a reference, or null

// -- tty_console.c
[[nodiscard]] int tty_console_init(void);

// -- ldisc_*.c
void ldisc_reset(struct tty *tty) REQUIRES(tty->lock);
// Takes bytes off the raw ring until it is empty, there is no room, or a signal has to be sent (ldisc.signal). Returns bytes taken.
size_t ldisc_input(struct tty *tty) REQUIRES(tty->lock);
// Whether reads get lines, by these settings.
static inline bool ldisc_is_canonical(const struct abi_termios2 *t)
{
    return t->c_lflag & ICANON && !(t->c_lflag & EXTPROC);
}
// Puts what a read(2) may have now into buf; *line_done: a canonical line (or end of file) ended with it.
size_t ldisc_take(struct tty *tty, uint8_t *buf, size_t size, bool *line_done) REQUIRES(tty->lock);
// The user's buffer is full: an end-of-file character right behind belongs to this read.
void ldisc_skip_eof(struct tty *tty) REQUIRES(tty->lock);
// Is there anything to read: a line, or so many bytes as VMIN asks for (to be told of by poll(2))? A hint without the lock.
bool ldisc_readable(const struct tty *tty, bool for_poll);
uint32_t ldisc_available(struct tty *tty) REQUIRES(tty->lock);       // FIONREAD
void ldisc_flush_input(struct tty *tty) REQUIRES(tty->lock); // what has been received and not read is lost
// tty->termios is new: what is in the buffer becomes a line, or ceases to be lines.
void ldisc_termios_changed(struct tty *tty, const struct abi_termios2 *old) REQUIRES(tty->lock);
// Output with processing; returns bytes of buf consumed (less than size: the driver is full).
size_t ldisc_output(struct tty *tty, const uint8_t *buf, size_t size) REQUIRES(tty->lock);
// Echo: one byte through output processing. Kept for later when the driver has no room.
void ldisc_echo(struct tty *tty, uint8_t c) REQUIRES(tty->lock);
void ldisc_echo_raw(struct tty *tty, const char *s, size_t n) REQUIRES(tty->lock); // each byte so
void ldisc_echo_flush(struct tty *tty) REQUIRES(tty->lock); // what was kept, as far as there is room
void ldisc_echo_drop(struct tty *tty) REQUIRES(tty->lock); // and what was kept is lost
// Whether the driver takes any one byte, expanded. What a blocked writer sleeps for, and what output processing asks before a byte that may grow: were the
// first less than the second, the writer would turn without sleeping.
static inline bool tty_has_room(struct tty *tty)
{
    return !tty->ops->write_room || tty->ops->write_room(tty) >= TTY_EXPANSION;
}

static inline bool ldisc_is_continuation(const struct tty *tty, uint8_t c) // of a UTF-8 sequence
{
    return tty->termios.c_iflag & IUTF8 && (c & 0xc0) == 0x80;
}

// -- tty_flow.c
void tty_queue_input(struct tty *tty);                 // tty_input_run() by a worker
void tty_flush_input(struct tty *tty);                 // what came and was not read is lost; takes tty->lock
void tty_input_flushed(struct tty *tty);               // after ldisc_flush_input(): whoever waits for room hears of it; tty->lock not held
void tty_stop(struct tty *tty) REQUIRES(tty->lock);    // ^S, TCOOFF: no output any more
void tty_start(struct tty *tty) REQUIRES(tty->lock);   // unless TCOOFF stopped it
// Bytes that the driver took: none while stopped.
size_t tty_driver_write(struct tty *tty, const uint8_t *buf, size_t size) REQUIRES(tty->lock);
void tty_kick(struct tty *tty);                       // after tty->lock was dropped
void tty_kick_later(struct tty *tty);                 // the same by a worker, where locks are held
void tty_flush_output(struct tty *tty);                // what has not left is lost; takes tty->lock
void tty_packet_note(struct tty *tty, unsigned add, unsigned clear); // on a slave: news for the master's reader
// Waits until all output has left. 0, -EINTR on a signal; the deadline (KTIME_MAX: none) just ends it.
int tty_wait_sent(struct tty *tty, ktime_t deadline);

// -- tty_job.c
// May the caller's process group do this to its terminal? 0; -EIO; -ERESTARTSYS with `sig` sent to the group.
[[nodiscard]] int tty_check_change(struct tty *tty, int sig);
void tty_signal_foreground(struct tty *tty, int sig); // from the kernel, to the foreground group, if there is one
void tty_open_ctty(struct tty *tty, struct file *file); // open(2) without O_NOCTTY: becomes the controlling terminal of a session leader without one
// Requests about sessions and groups, and those about settings: -ENOTTY: none of these. `real`: the slave, where `tty` is a master.
long tty_ioctl_job(struct tty *tty, struct tty *real, struct file *file, unsigned cmd, unsigned long arg);
struct tty *current_tty_get(void);                    // with a reference, or null
void tty_disown_session(struct tty *tty, bool hangup); // takes the terminal from its session; hangup: SIGHUP and SIGCONT
void tty_job_init(void); // boot: sets tty_session_leader_exit

// -- tty_ioctl.c, tty_termios.c
long tty_ioctl(struct file *file, unsigned cmd, unsigned long arg);
long tty_ioctl_termios(struct tty *tty, struct tty *real, struct file *file, unsigned cmd, unsigned long arg);
int tty_resize(struct tty *tty, const struct abi_winsize *ws); // TIOCSWINSZ: SIGWINCH where the size changed; 0

// -- tty_io.c
ssize_t tty_read_iter(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
ssize_t tty_write_iter(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags);
uint32_t tty_poll(struct file *file, struct poll_table *pt);

extern const struct lock_class tty_open_class, tty_io_class, tty_class_lock;
