// kernel/abi/statfs.h — struct statfs of x86-64 as user space sees it: statfs(2).
#pragma once

#include "kernel/base/types.h"

struct abi_statfs {
    int64_t f_type, f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    int32_t f_fsid[2];
    int64_t f_namelen, f_frsize, f_flags, f_spare[4];
};
static_assert(sizeof(struct abi_statfs) == 120 && offsetof(struct abi_statfs, f_fsid) == 56);
static_assert(offsetof(struct abi_statfs, f_flags) == 80);

#define ST_RDONLY 0x0001u
#define ST_NOSUID 0x0002u
#define ST_NODEV 0x0004u
#define ST_NOEXEC 0x0008u
#define ST_SYNCHRONOUS 0x0010u
#define ST_VALID 0x0020u
#define ST_NOATIME 0x0400u
#define ST_NODIRATIME 0x0800u
#define ST_RELATIME 0x1000u
#define ST_NOSYMFOLLOW 0x2000u

#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6
#define PIPEFS_MAGIC 0x50495045
#define ANON_INODE_FS_MAGIC 0x09041934
