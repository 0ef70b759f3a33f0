// kernel/fs/proc/proc.h — procfs: proc(5). What the parts of this folder share, and how other subsystems add files.
//
// The global part is a pseudo tree (kernel/fs/pseudo). The per-process part is made of struct proc_inode: each holds the struct pid it is about and finds
// the task anew at every use, so an entry outlives its process only as an error (-ESRCH, or a name that is no longer found).
#pragma once

#include "kernel/fs/pseudo/pseudo.h"
#include "kernel/proc/task.h"

struct proc_sb {                     // sb->private
    struct pid_namespace *ns;
    int hide_pid;                    // HIDEPID_*
    gid_t gid;                       // who sees all the same
    bool only_pids;                  // subset=pid
};
enum { HIDEPID_OFF, HIDEPID_NO_ACCESS, HIDEPID_INVISIBLE, HIDEPID_NOT_PTRACEABLE = 4 };

struct proc_file;
struct proc_inode {
    struct pseudo_inode base;        // first
    struct pid *pid;                 // null: an inode of the global tree
    const struct proc_file *what;
    bool thread;                     // below task/: about one thread, not its process
    int fd;                          // of an entry of fd/ or fdinfo/
};
static inline struct proc_inode *proc_inode(const struct inode *inode)
{
    return container_of((struct inode *)inode, struct proc_inode, base.vfs);
}
static inline struct proc_sb *proc_sb(const struct superblock *sb)
{
    return sb->private;
}

// One file, folder or link of a process; tables of them make a folder.
struct proc_file {
    const char *name;
    umode_t mode;                    // with its type
    int (*show)(struct seq_file *m, struct task *task);     // a regular file by one function
    ssize_t (*store)(struct task *task, char *text, size_t len);
    const struct file_ops *fops;     // a regular file or folder with its own operations
    const struct inode_ops *ops;     // a folder or link
    const struct proc_file *entries; // a folder of fixed content
    int (*link)(struct task *task, struct path *out);       // a magic link: where it leads, with references
    uint8_t flags;
    unsigned long data;
};
#define PROC_ACCESS 1u    // show and open need the right to look into the process (ptrace(2)): -EACCES
#define PROC_ALWAYS_ROOT 2u // owned by root whoever runs
#define PROC_MEMORY 4u    // with PROC_ACCESS: opens only while the process has memory (-ESRCH)
#define PROC_PLAIN 8u     // may be written at a position: no seq file on Linux
#define PROC_ADMIN_WRITES 16u // opens for writing with CAP_SYS_ADMIN only (-EACCES)

extern const struct proc_file proc_process_files[], proc_thread_files[], proc_ns_files[];
extern const struct inode_ops proc_process_ops, proc_dir_ops, proc_link_ops, proc_file_ops_inode, proc_fd_dir_ops, proc_fdinfo_dir_ops, proc_task_dir_ops;
extern const struct file_ops proc_file_fops, proc_dir_fops, proc_fd_dir_fops, proc_task_dir_fops;
extern const struct dentry_ops proc_dentry_ops;

// -- the object behind an inode. Each returns a reference or null
struct task *proc_task(const struct inode *inode);
// An inode about `pid` in the given role; ino by `kind` and `n`. Null: no memory.
enum proc_ino_kind { INO_PROCESS, INO_THREAD, INO_FD, INO_FDINFO };
[[nodiscard]] struct inode *proc_inode_make(struct superblock *sb, struct pid *pid, const struct proc_file *what, bool thread, enum proc_ino_kind kind,
                                            unsigned n);
ino_t proc_ino(pid_t nr, bool thread, enum proc_ino_kind kind, unsigned n); // the inode number of that
// Owner of a process's files: its effective ids, or root where it is not dumpable.
void proc_owner(struct task *task, const struct proc_file *what, struct inode *inode);
int proc_setattr(struct dentry *dentry, struct iattr *attr); // owner and times of a process's files change until they are made anew; their modes do not
// Lookup in a table; emission of one, with "." and "..": false where the room ends.
[[nodiscard]] int proc_table_lookup(struct inode *dir, struct dentry *dentry, const struct proc_file *table);
bool proc_table_emit(struct file *file, struct dir_context *ctx, const struct proc_file *table);
[[nodiscard]] int proc_add(struct dentry *dentry, struct inode *inode); // with proc_dentry_ops; -ENOENT for a null inode
// A name that is a plain decimal number; -1 if it is none.
int64_t proc_number(const char *name, size_t len);
bool proc_may_see(const struct proc_sb *ps, struct task *task, int limit); // hidepid
// /proc itself: processes by number, "self" and "thread-self", and the global tree's files.
int proc_root_lookup(struct inode *dir, struct dentry *dentry, unsigned flags);
int proc_root_iterate(struct file *file, struct dir_context *ctx);

// -- what the files show (one function a file; named after it)
int proc_stat_process(struct seq_file *m, struct task *task), proc_stat_thread(struct seq_file *m, struct task *task);
int proc_status(struct seq_file *m, struct task *task), proc_statm(struct seq_file *m, struct task *task);
extern const struct file_ops proc_maps_fops, proc_smaps_fops, proc_mem_fops, proc_environ_fops, proc_cmdline_fops, proc_auxv_fops, proc_mounts_fops,
    proc_mountinfo_fops, proc_mountstats_fops;
int proc_smaps_rollup(struct seq_file *m, struct task *task);
ssize_t proc_clear_refs(struct task *task, char *text, size_t len);
int proc_fdinfo_show(struct seq_file *m, struct task *task, int fd);
int proc_link_exe(struct task *task, struct path *out), proc_link_cwd(struct task *task, struct path *out), proc_link_root(struct task *task, struct path *out);
// ns/<name>: where the magic link leads, for the kind CLONE_NEW*. -EINVAL, -ENOMEM.
int proc_ns_link(struct task *task, struct path *out, unsigned long kind, bool for_children);

// -- the global tree
extern struct pseudo_dir *proc_root_dir, *proc_sys_dir, *proc_net_dir; // there after INITCALL(subsys)
// Adds files to a folder of the global tree ("" is /proc itself, "sys/kernel", "net" …), which is made where it is missing. Boot or thread context. -ENOMEM.
[[nodiscard]] int proc_register(const char *folder, const struct pseudo_entry *entries);

// /proc/sys values: a table entry's data. proc_sys_* below are the show and store of its kind.
struct sysctl {
    void *value;
    int64_t min, max;
    int (*set)(const struct sysctl *s, int64_t value); // instead of storing; 0 or -errno
    int64_t (*get)(const struct sysctl *s);            // instead of reading *value
    unsigned count;                                    // values in the vector; 0 is one
};
int sysctl_int_show(struct seq_file *m, void *), sysctl_u64_show(struct seq_file *m, void *);
ssize_t sysctl_int_store(struct file *file, void *, char *text, size_t len, loff_t pos),
    sysctl_u64_store(struct file *file, void *, char *text, size_t len, loff_t pos);
// One line of text from a write: what stands before the first newline or NUL. Its length.
size_t sysctl_line(char *text, size_t len);
// Entries: an int within [low, high]; the same for 64-bit values; read-only text by a function.
#define SYSCTL_INT(text, permissions, variable, low, high)                                                             \
    {.name = (text), .mode = (permissions), .show = sysctl_int_show, .store = sysctl_int_store,                         \
     .data = &(const struct sysctl){.value = (variable), .min = (low), .max = (high)}}
#define SYSCTL_U64(text, permissions, variable, low, high)                                                             \
    {.name = (text), .mode = (permissions), .show = sysctl_u64_show, .store = sysctl_u64_store,                         \
     .data = &(const struct sysctl){.value = (variable), .min = (low), .max = (high)}}
#define SYSCTL_CALL(text, permissions, getter, setter, low, high)                                                      \
    {.name = (text), .mode = (permissions), .show = sysctl_u64_show, .store = sysctl_u64_store,                         \
     .data = &(const struct sysctl){.min = (low), .max = (high), .get = (getter), .set = (setter)}}
