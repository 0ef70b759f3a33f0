// kernel/abi/ioctl.h — how ioctl(2) request numbers are made, and the requests of terminals: ioctl_tty(2). Those of any file are in fcntl.h.
#pragma once

#include "kernel/base/types.h"

// direction (2 bits), size of the argument (14), type letter (8), number (8).
#define IOC_NONE 0u
#define IOC_WRITE 1u
#define IOC_READ 2u
#define IOC(dir, type, nr, size) ((unsigned)(dir) << 30 | (unsigned)(size) << 16 | (unsigned)(type) << 8 | (unsigned)(nr))
#define IO_(type, nr) IOC(IOC_NONE, type, nr, 0)
#define IOR_(type, nr, t) IOC(IOC_READ, type, nr, sizeof(t))
#define IOW_(type, nr, t) IOC(IOC_WRITE, type, nr, sizeof(t))
#define IOWR_(type, nr, t) IOC(IOC_READ | IOC_WRITE, type, nr, sizeof(t))
#define IOC_TYPE(cmd) ((cmd) >> 8 & 0xff)
#define IOC_NR(cmd) ((cmd)&0xff)
#define IOC_SIZE(cmd) ((cmd) >> 16 & 0x3fff)

// Terminals.
#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSW 0x5403u
#define TCSETSF 0x5404u
#define TCGETA 0x5405u
#define TCSETA 0x5406u
#define TCSETAW 0x5407u
#define TCSETAF 0x5408u
#define TCSBRK 0x5409u
#define TCXONC 0x540au
#define TCFLSH 0x540bu
#define TIOCEXCL 0x540cu
#define TIOCNXCL 0x540du
#define TIOCSCTTY 0x540eu
#define TIOCGPGRP 0x540fu
#define TIOCSPGRP 0x5410u
#define TIOCOUTQ 0x5411u
#define TIOCSTI 0x5412u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define TIOCMGET 0x5415u
#define TIOCMBIS 0x5416u
#define TIOCMBIC 0x5417u
#define TIOCMSET 0x5418u
#define TIOCGSOFTCAR 0x5419u
#define TIOCSSOFTCAR 0x541au
#define TIOCINQ 0x541bu // FIONREAD
#define TIOCLINUX 0x541cu
#define TIOCCONS 0x541du
#define TIOCGSERIAL 0x541eu
#define TIOCSSERIAL 0x541fu
#define TIOCPKT 0x5420u
#define TIOCNOTTY 0x5422u
#define TIOCSETD 0x5423u
#define TIOCGETD 0x5424u
#define TCSBRKP 0x5425u
#define TIOCSBRK 0x5427u
#define TIOCCBRK 0x5428u
#define TIOCGSID 0x5429u
#define TCGETS2 0x802c542au
#define TCSETS2 0x402c542bu
#define TCSETSW2 0x402c542cu
#define TCSETSF2 0x402c542du
#define TIOCGPTN 0x80045430u
#define TIOCSPTLCK 0x40045431u
#define TIOCGDEV 0x80045432u
#define TIOCSIG 0x40045436u
#define TIOCVHANGUP 0x5437u
#define TIOCGPKT 0x80045438u
#define TIOCGPTLCK 0x80045439u
#define TIOCGEXCL 0x80045440u
#define TIOCGPTPEER 0x5441u
#define TIOCSERGETLSR 0x5459u
#define TIOCMIWAIT 0x545cu
#define TIOCGICOUNT 0x545du

// Modem lines: TIOCMGET.
#define TIOCM_LE 0x001u
#define TIOCM_DTR 0x002u
#define TIOCM_RTS 0x004u
#define TIOCM_ST 0x008u
#define TIOCM_SR 0x010u
#define TIOCM_CTS 0x020u
#define TIOCM_CAR 0x040u
#define TIOCM_RNG 0x080u
#define TIOCM_DSR 0x100u
#define TIOCM_OUT1 0x2000u
#define TIOCM_OUT2 0x4000u
#define TIOCM_LOOP 0x8000u

// Packet mode: TIOCPKT.
#define TIOCPKT_DATA 0u
#define TIOCPKT_FLUSHREAD 1u
#define TIOCPKT_FLUSHWRITE 2u
#define TIOCPKT_STOP 4u
#define TIOCPKT_START 8u
#define TIOCPKT_NOSTOP 16u
#define TIOCPKT_DOSTOP 32u
#define TIOCPKT_IOCTL 64u

static_assert(TCGETS2 == IOC(IOC_READ, 'T', 0x2a, 44));
