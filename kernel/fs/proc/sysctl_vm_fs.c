// kernel/fs/proc/sysctl_vm_fs.c — /proc/sys/vm and /proc/sys/fs: proc_sys_vm(5), proc_sys_fs(5).
#include "kernel/fs/proc/proc.h"
#include "kernel/fs/proc/tables.h"
#include "kernel/ipc/pipe.h"
#include "kernel/mm/commit.h"
#include "kernel/mm/reclaim.h"
#include "kernel/mm/zone.h"
#include "kernel/vfs/dcache.h"
#include "kernel/vfs/epoll.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/inotify.h"
#include "kernel/vfs/mount.h"
#include "kernel/vfs/namei.h"
#include "kernel/vfs/seq_file.h"

// The ratio and the amount exclude each other: setting one clears the other.
static int set_ratio(const struct sysctl *, int64_t value)
{
    WRITE_ONCE(vm_overcommit_ratio, (unsigned)value);
    WRITE_ONCE(vm_overcommit_kbytes, 0);
    return 0;
}
static int set_kbytes(const struct sysctl *, int64_t value)
{
    WRITE_ONCE(vm_overcommit_kbytes, (uint64_t)value);
    WRITE_ONCE(vm_overcommit_ratio, 0);
    return 0;
}

static int set_min_addr(const struct sysctl *, int64_t value)
{
    if (!capable(CAP_SYS_RAWIO))
        return -EPERM;
    WRITE_ONCE(vm_mmap_min_addr, ALIGN_UP((uint64_t)value, PAGE_SIZE));
    return 0;
}

// What is kept free for those who may not wait. It follows from the memory there is, and is not to be set.
static int64_t get_min_free(const struct sysctl *)
{
    uint64_t pages = 0;
    for (unsigned z = 0; z < NR_ZONES; z++)
        pages += zones[z].watermark_min;
    return (int64_t)(pages * (PAGE_SIZE / 1024));
}

// 1: cached pages, 2: dentries and inodes, 3: both (here one cannot go without the other); 4 alone would only silence a log line that is not printed.
static int drop_caches(const struct sysctl *, int64_t what)
{
    if (!(what & 3))
        return 0;
    while (reclaim_pages(1024))
        ;
    return 0;
}

const struct pseudo_entry proc_sys_vm_files[] = {
    SYSCTL_U64("admin_reserve_kbytes", 0644, &vm_admin_reserve_kbytes, 0, INT64_MAX),
    {.name = "drop_caches", .mode = 0200, .store = sysctl_int_store, .data = &(const struct sysctl){.min = 1, .max = 4, .set = drop_caches}},
    SYSCTL_INT("max_map_count", 0644, &vm_max_map_count, 0, INT32_MAX),
    {.name = "min_free_kbytes", .mode = 0444, .show = sysctl_u64_show, .data = &(const struct sysctl){.get = get_min_free}},
    {.name = "mmap_min_addr", .mode = 0644, .show = sysctl_u64_show, .store = sysctl_u64_store,
     .data = &(const struct sysctl){.value = &vm_mmap_min_addr, .max = 1l << 40, .set = set_min_addr}},
    {.name = "overcommit_kbytes", .mode = 0644, .show = sysctl_u64_show, .store = sysctl_u64_store,
     .data = &(const struct sysctl){.value = &vm_overcommit_kbytes, .max = INT64_MAX, .set = set_kbytes}},
    SYSCTL_INT("overcommit_memory", 0644, &vm_overcommit_memory, 0, 2),
    {.name = "overcommit_ratio", .mode = 0644, .show = sysctl_int_show, .store = sysctl_int_store,
     .data = &(const struct sysctl){.value = &vm_overcommit_ratio, .max = INT32_MAX, .set = set_ratio}},
    SYSCTL_U64("user_reserve_kbytes", 0644, &vm_user_reserve_kbytes, 0, INT64_MAX),
    {},
};

static int file_nr_show(struct seq_file *m, void *)
{
    seq_printf(m, "%llu\t0\t%llu\n", (unsigned long long)file_count(), (unsigned long long)sysctl_file_max);
    return 0;
}
static int inode_nr_show(struct seq_file *m, void *)
{
    seq_printf(m, "%llu\t0\n", (unsigned long long)inode_count());
    return 0;
}
static int inode_state_show(struct seq_file *m, void *)
{
    seq_printf(m, "%llu\t0\t0\t0\t0\t0\t0\n", (unsigned long long)inode_count());
    return 0;
}
// All, unused, seconds until unused ones may go (none), pages asked for (none), negative ones are not counted apart.
static int dentry_state_show(struct seq_file *m, void *)
{
    seq_printf(m, "%llu\t%llu\t0\t0\t0\t0\n", (unsigned long long)dentry_count(), (unsigned long long)dentry_unused_count());
    return 0;
}

static int set_pipe_max(const struct sysctl *, int64_t value)
{
    // Rings are powers of two of pages.
    uint64_t size = PAGE_SIZE;
    while (size < (uint64_t)value)
        size *= 2;
    WRITE_ONCE(sysctl_pipe_max_size, size);
    return 0;
}

const struct pseudo_entry proc_sys_fs_files[] = {
    {.name = "dentry-state", .mode = 0444, .show = dentry_state_show},
    SYSCTL_U64("file-max", 0644, &sysctl_file_max, 0, INT64_MAX),
    {.name = "file-nr", .mode = 0444, .show = file_nr_show},
    {.name = "inode-nr", .mode = 0444, .show = inode_nr_show},
    {.name = "inode-state", .mode = 0444, .show = inode_state_show},
    SYSCTL_INT("mount-max", 0644, &sysctl_mount_max, 1, INT32_MAX),
    SYSCTL_INT("nr_open", 0644, &sysctl_nr_open, 64, 1 << 20),
    {.name = "pipe-max-size", .mode = 0644, .show = sysctl_u64_show, .store = sysctl_u64_store,
     .data = &(const struct sysctl){.value = &sysctl_pipe_max_size, .min = 0, .max = 1l << 31, .set = set_pipe_max}},
    SYSCTL_U64("pipe-user-pages-hard", 0644, &sysctl_pipe_user_pages_hard, 0, INT64_MAX),
    SYSCTL_U64("pipe-user-pages-soft", 0644, &sysctl_pipe_user_pages_soft, 0, INT64_MAX),
    SYSCTL_INT("protected_fifos", 0644, &sysctl_protected_fifos, 0, 2),
    SYSCTL_INT("protected_hardlinks", 0644, &sysctl_protected_hardlinks, 0, 1),
    SYSCTL_INT("protected_regular", 0644, &sysctl_protected_regular, 0, 2),
    SYSCTL_INT("protected_symlinks", 0644, &sysctl_protected_symlinks, 0, 1),
    {},
};

const struct pseudo_entry proc_sys_fs_epoll_files[] = {
    SYSCTL_U64("max_user_watches", 0644, &sysctl_epoll_max_user_watches, 0, INT64_MAX),
    {},
};

const struct pseudo_entry proc_sys_fs_inotify_files[] = {
    SYSCTL_INT("max_queued_events", 0644, &sysctl_inotify_max_queued_events, 0, INT32_MAX),
    SYSCTL_INT("max_user_instances", 0644, &sysctl_inotify_max_user_instances, 0, INT32_MAX),
    SYSCTL_INT("max_user_watches", 0644, &sysctl_inotify_max_user_watches, 0, INT32_MAX),
    {},
};
