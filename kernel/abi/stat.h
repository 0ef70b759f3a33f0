// kernel/abi/stat.h — struct stat and struct statx of x86-64 as user space sees them: stat(2), statx(2).
#pragma once

#include "kernel/base/types.h"

struct abi_stat {
    uint64_t st_dev, st_ino, st_nlink;
    uint32_t st_mode, st_uid, st_gid, pad0;
    uint64_t st_rdev;
    int64_t st_size, st_blksize, st_blocks;
    int64_t st_atime_sec, st_atime_nsec, st_mtime_sec, st_mtime_nsec, st_ctime_sec, st_ctime_nsec;
    int64_t unused[3];
};
static_assert(sizeof(struct abi_stat) == 144);
static_assert(offsetof(struct abi_stat, st_mode) == 24 && offsetof(struct abi_stat, st_rdev) == 40);
static_assert(offsetof(struct abi_stat, st_size) == 48 && offsetof(struct abi_stat, st_atime_sec) == 72);

struct abi_statx_timestamp {
    int64_t tv_sec;
    uint32_t tv_nsec;
    int32_t reserved;
};

struct abi_statx {
    uint32_t stx_mask, stx_blksize;
    uint64_t stx_attributes;
    uint32_t stx_nlink, stx_uid, stx_gid;
    uint16_t stx_mode, spare0;
    uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
    struct abi_statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
    uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
    uint64_t stx_mnt_id;
    uint32_t stx_dio_mem_align, stx_dio_offset_align;
    uint64_t stx_subvol;
    uint64_t spare3[11];
};
static_assert(sizeof(struct abi_statx) == 256);
static_assert(offsetof(struct abi_statx, stx_mode) == 28 && offsetof(struct abi_statx, stx_ino) == 32);
static_assert(offsetof(struct abi_statx, stx_atime) == 64 && offsetof(struct abi_statx, stx_rdev_major) == 128);
static_assert(offsetof(struct abi_statx, stx_mnt_id) == 144);

#define STATX_TYPE 0x001u
#define STATX_MODE 0x002u
#define STATX_NLINK 0x004u
#define STATX_UID 0x008u
#define STATX_GID 0x010u
#define STATX_ATIME 0x020u
#define STATX_MTIME 0x040u
#define STATX_CTIME 0x080u
#define STATX_INO 0x100u
#define STATX_SIZE 0x200u
#define STATX_BLOCKS 0x400u
#define STATX_BASIC_STATS 0x7ffu
#define STATX_BTIME 0x800u
#define STATX_MNT_ID 0x1000u
#define STATX_MNT_ID_UNIQUE 0x4000u
#define STATX_RESERVED 0x80000000u

#define STATX_ATTR_IMMUTABLE 0x10u
#define STATX_ATTR_APPEND 0x20u
#define STATX_ATTR_MOUNT_ROOT 0x2000u
