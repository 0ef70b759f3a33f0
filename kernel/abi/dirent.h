// kernel/abi/dirent.h — directory entries as user space sees them: getdents(2).
#pragma once

#include "kernel/base/types.h"

struct abi_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};
static_assert(offsetof(struct abi_dirent64, d_name) == 19);

struct abi_dirent { // getdents: the type is the last byte of the record
    uint64_t d_ino;
    uint64_t d_off;
    uint16_t d_reclen;
    char d_name[];
};
static_assert(offsetof(struct abi_dirent, d_name) == 18);

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
