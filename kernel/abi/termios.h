// kernel/abi/termios.h — terminal attributes as user space sees them: termios(3).
#pragma once

#include "kernel/base/types.h"

#define NCCS 19   // struct termios and termios2
#define NCC 8     // struct termio

struct abi_termios { // TCGETS, TCSETS*
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[NCCS];
};
static_assert(sizeof(struct abi_termios) == 36 && offsetof(struct abi_termios, c_cc) == 17);

struct abi_termios2 { // TCGETS2, TCSETS*2: with speeds as numbers
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[NCCS];
    uint32_t c_ispeed, c_ospeed;
};
static_assert(sizeof(struct abi_termios2) == 44 && offsetof(struct abi_termios2, c_ispeed) == 36);

struct abi_termio { // TCGETA, TCSETA*: System V's
    uint16_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[NCC];
};
static_assert(sizeof(struct abi_termio) == 18);

struct abi_winsize {
    uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};
static_assert(sizeof(struct abi_winsize) == 8);

struct abi_serial { // TIOCGSERIAL
    int32_t type, line;
    uint32_t port;
    int32_t irq, flags, xmit_fifo_size, custom_divisor, baud_base;
    uint16_t close_delay;
    uint8_t io_type, reserved_char;
    int32_t hub6;
    uint16_t closing_wait, closing_wait2;
    uint64_t iomem_base;
    uint16_t iomem_reg_shift;
    uint32_t port_high;
    uint64_t iomap_base;
};
static_assert(sizeof(struct abi_serial) == 72);

struct abi_icount { // TIOCGICOUNT
    int32_t cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun, reserved[9];
};
static_assert(sizeof(struct abi_icount) == 80);

enum { // c_cc
    VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2,
};

// c_iflag
#define IGNBRK 0000001u
#define BRKINT 0000002u
#define IGNPAR 0000004u
#define PARMRK 0000010u
#define INPCK 0000020u
#define ISTRIP 0000040u
#define INLCR 0000100u
#define IGNCR 0000200u
#define ICRNL 0000400u
#define IUCLC 0001000u
#define IXON 0002000u
#define IXANY 0004000u
#define IXOFF 0010000u
#define IMAXBEL 0020000u
#define IUTF8 0040000u

// c_oflag
#define OPOST 0000001u
#define OLCUC 0000002u
#define ONLCR 0000004u
#define OCRNL 0000010u
#define ONOCR 0000020u
#define ONLRET 0000040u
#define TABDLY 0014000u
#define XTABS 0014000u

// c_cflag
#define CBAUD 0010017u
#define B0 0u
#define B9600 0000015u
#define B38400 0000017u
#define BOTHER 0010000u
#define CSIZE 0000060u
#define CS5 0000000u
#define CS6 0000020u
#define CS7 0000040u
#define CS8 0000060u
#define CSTOPB 0000100u
#define CREAD 0000200u
#define PARENB 0000400u
#define PARODD 0001000u
#define HUPCL 0002000u
#define CLOCAL 0004000u
#define IBSHIFT 16
#define CMSPAR 010000000000u
#define CRTSCTS 020000000000u

// c_lflag
#define ISIG 0000001u
#define ICANON 0000002u
#define XCASE 0000004u
#define ECHO 0000010u
#define ECHOE 0000020u
#define ECHOK 0000040u
#define ECHONL 0000100u
#define NOFLSH 0000200u
#define TOSTOP 0000400u
#define ECHOCTL 0001000u
#define ECHOPRT 0002000u
#define ECHOKE 0004000u
#define FLUSHO 0010000u
#define PENDIN 0040000u
#define IEXTEN 0100000u
#define EXTPROC 0200000u

// TCXONC
#define TCOOFF 0
#define TCOON 1
#define TCIOFF 2
#define TCION 3
// TCFLSH
#define TCIFLUSH 0
#define TCOFLUSH 1
#define TCIOFLUSH 2

#define N_TTY 0 // the line discipline
