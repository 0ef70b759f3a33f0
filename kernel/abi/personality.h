// kernel/abi/personality.h — the bits of personality(2).
#pragma once

#define PER_MASK 0x00ffu
#define PER_LINUX32 0x0008u
#define UNAME26 0x0020000u
#define ADDR_NO_RANDOMIZE 0x0040000u
#define MMAP_PAGE_ZERO 0x0100000u
#define ADDR_COMPAT_LAYOUT 0x0200000u
#define READ_IMPLIES_EXEC 0x0400000u
#define STICKY_TIMEOUTS 0x4000000u
// What a program that gains privileges does not inherit: it would make it easier to attack.
#define PER_CLEAR_ON_SETID (READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)
