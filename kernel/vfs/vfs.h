// kernel/vfs/vfs.h — the objects of the virtual file system and their operation tables.
//
//   superblock — one mounted file-system instance    inode — one file, whatever its names
//   dentry — one name in one directory (cached)      mount — a superblock's subtree attached somewhere in a mount tree
//   file — one open file description                 path — a (mount, dentry) pair: a place
//
// Lives: a dentry holds its inode and its parent; the hash table holds each dentry in it; a mount holds its superblock and root dentry; a file holds
// its path. Dentries that only the hash table holds stay cached (shrinker) unless their file system says otherwise. Dentries and inodes are freed
// after an RCU grace period, so that path lookup reads them without locks: it checks dentry->seq and mount/rename sequence counts, and falls back to
// references.
#pragma once

#include "kernel/abi/errno.h"
#include "kernel/abi/fcntl.h"
#include "kernel/base/refcount.h"
#include "kernel/mm/page_cache.h"
#include "kernel/proc/task_work.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/rwsem.h"
#include "kernel/sync/seqcount.h"
#include "kernel/time/clock.h"
#include "kernel/vfs/iov.h"
#include "kernel/vfs/poll.h"

struct cred;
struct dentry;
struct file;
struct file_lock_context;
struct file_owner;
struct file_system_type;
struct inode;
struct kstatfs;
struct mount;
struct mount_namespace;
struct posix_acl;
struct seq_file;
struct superblock;
struct user_namespace;
struct vm_fault;
struct vma;
struct waitqueue;

// File types and mode bits: inode(7).
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISVTX 01000
#define S_ISREG(m) (((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m) & S_IFMT) == S_IFDIR)
#define S_ISLNK(m) (((m) & S_IFMT) == S_IFLNK)
#define S_ISCHR(m) (((m) & S_IFMT) == S_IFCHR)
#define S_ISBLK(m) (((m) & S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m) & S_IFMT) == S_IFSOCK)

#define MKDEV(major, minor) ((dev_t)((major) << 20 | (minor)))
#define MAJOR(dev) ((unsigned)((dev) >> 20))
#define MINOR(dev) ((unsigned)((dev)&0xfffff))

#define NAME_MAX 255
#define PATH_MAX 4096

// A name with its length and hash, as path lookup passes it.
struct qstr {
    const char *name; // not NUL-terminated
    union {
        struct {
            uint32_t len;
            uint32_t hash; // mixed with the parent's address
        };
        uint64_t len_hash; // both, to be compared at once
    };
};

struct path {
    struct mount *mnt;
    struct dentry *dentry;
};

// ---- inode ----------------------------------------------------------------------------------------------------------
struct kstat {
    ino_t ino;
    dev_t dev, rdev;
    umode_t mode;
    uint32_t nlink;
    uid_t uid;
    gid_t gid;
    loff_t size;
    uint64_t blocks; // of 512 bytes
    uint32_t blksize;
    struct timespec_k atime, mtime, ctime, btime;
    bool has_btime;
    uint64_t attributes, attributes_mask; // STATX_ATTR_*
    uint64_t mnt_id;
};

struct iattr { // setattr: `valid` says which fields count
    unsigned valid;
    umode_t mode;
    uid_t uid;
    gid_t gid;
    loff_t size;
    struct timespec_k atime, mtime;
    struct file *file; // ftruncate
};
#define ATTR_MODE (1u << 0)
#define ATTR_UID (1u << 1)
#define ATTR_GID (1u << 2)
#define ATTR_SIZE (1u << 3)
#define ATTR_ATIME (1u << 4)      // to `atime`
#define ATTR_MTIME (1u << 5)
#define ATTR_CTIME (1u << 6)
#define ATTR_ATIME_SET (1u << 7)  // explicit value: needs ownership
#define ATTR_MTIME_SET (1u << 8)
#define ATTR_KILL_SUID (1u << 9)
#define ATTR_KILL_SGID (1u << 10)
#define ATTR_OPEN_TRUNC (1u << 11)
#define ATTR_KILL_CAPS (1u << 12)  // the file's capabilities go: capabilities(7)

// Operations on an inode as a place in the tree. Called with the locks named; `dir` is locked for write (inode->sem) in all that change it.
// A missing entry: lookup -ENOTDIR; create, mkdir, mknod, symlink, link, unlink, rmdir, rename -EPERM; readlink -EINVAL;
// setattr, getattr: the generic ones; permission: generic_permission(); xattr -EOPNOTSUPP.
struct inode_ops {
    // Finds dentry->name in dir and calls d_add(dentry, inode or null for a negative entry). 0 or -errno. dir->sem held (read or write).
    int (*lookup)(struct inode *dir, struct dentry *dentry, unsigned flags);
    int (*create)(struct inode *dir, struct dentry *dentry, umode_t mode);
    int (*mkdir)(struct inode *dir, struct dentry *dentry, umode_t mode);
    int (*mknod)(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t rdev);
    int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
    int (*link)(struct dentry *old, struct inode *dir, struct dentry *dentry);
    int (*unlink)(struct inode *dir, struct dentry *dentry);
    int (*rmdir)(struct inode *dir, struct dentry *dentry);
    int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_, unsigned flags);
    int (*tmpfile)(struct inode *dir, struct file *file, umode_t mode); // d_instantiate(file->path.dentry, an inode with nlink 0)
    // Where a symlink leads: text that stays valid under RCU (inode->link), or for magic links (/proc/PID/exe …) jumps by itself.
    const char *(*get_link)(struct dentry *dentry, struct inode *inode, char **to_free); // null with *to_free set to -errno as a pointer on error
    int (*follow_magic)(struct dentry *dentry, struct path *out); // with references; set only for magic links
    int (*permission)(struct inode *inode, unsigned mask); // MAY_*
    int (*setattr)(struct dentry *dentry, struct iattr *attr);
    int (*getattr)(const struct path *path, struct kstat *stat, uint32_t mask, unsigned flags);
    ssize_t (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
    int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
    ssize_t (*listxattr)(struct inode *inode, char *buf, size_t size);
    int (*removexattr)(struct inode *inode, const char *name);
};
#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
#define MAY_APPEND 8u
#define MAY_OPEN 0x20u

struct inode {
    umode_t mode;
    uint16_t flags;                // I_*
    uid_t uid;
    gid_t gid;
    const struct inode_ops *ops;
    const struct file_ops *fops;   // what open() installs; device nodes, FIFOs and sockets are redirected by the VFS
    struct superblock *sb;
    ino_t ino;                     // unique in its superblock, never 0
    uint32_t nlink;                // sem
    dev_t rdev;
    loff_t size;                   // sem for write; read with inode_size()
    uint64_t blocks;
    struct timespec_k atime, mtime, ctime, btime;
    struct rwsem sem;              // RANK_INODE: directory content, size, attributes
    struct rwsem invalidate_sem;   // faults against truncate
    struct page_cache cache;
    refcount_t refs;
    atomic_t write_count;          // > 0: open for writing; < 0: being executed (ETXTBSY)
    const char *link;              // symlink text, freed with the inode
    struct posix_acl *acl, *default_acl; // acl.h: sem for writing, RCU
    void *private;                 // the file system's
    union {
        struct pipe *pipe;         // FIFO
        struct socket *sock;        // bound unix socket
        struct char_device *cdev;
    };
    struct file_lock_context *locks; // flock, fcntl locks; lazily made, freed with the inode
    uint32_t seals;                // F_SEAL_*; sem. Counts only with I_SEALABLE
    struct list_head sb_link;      // sb->inodes_lock
    struct hlist_node hash;
    struct spinlock lock;          // class inode: lazily made parts
    struct list_head watches;      // inotify; lock
    uint32_t watch_mask;           // the union of what they want to hear of; 0: none. lock for writing
    struct rcu_head rcu;
};
#define I_NEW 1u
#define I_DEAD 2u       // rmdir'ed directory: no new entries (ENOENT)
#define I_IMMUTABLE 4u
#define I_APPEND 8u
#define I_NOCACHE_ATTR 16u
#define I_SEALABLE 32u  // F_ADD_SEALS applies (memory files)
#define I_LINKABLE 128u // O_TMPFILE without O_EXCL: linkat() may give it a first name
#define I_ACL 256u      // acl is set: the mode bits do not tell all
#define I_FILE_CAPS 512u // has security.capability: inode->sem for write
#define I_NO_CMTIME 64u // the file system keeps times itself
#define I_UNLINKED 1024u // has no name and is counted by its superblock: inode->sem for write

struct superblock_ops {
    struct inode *(*alloc_inode)(struct superblock *sb);  // null: a plain struct inode from the slab
    void (*free_inode)(struct inode *inode);              // after RCU; frees the memory
    void (*evict_inode)(struct inode *inode);             // last reference: release what the in-core inode holds (content too: check nlink)
    void (*put_super)(struct superblock *sb);
    int (*statfs)(struct dentry *dentry, struct kstatfs *out);
    int (*remount)(struct superblock *sb, unsigned flags, const char *options);
    int (*sync)(struct superblock *sb, bool wait);
    void (*show_options)(struct seq_file *m, struct superblock *sb); // ",size=…"
    struct dentry *(*mount_root)(struct superblock *sb);  // what a new mount shows, with a reference; null: the root
    // Whether the file may be bound into trees although its own mount is the kernel's, in no namespace; copying: along with a whole namespace. Missing: no.
    bool (*may_bind)(const struct dentry *dentry, bool copying);
    bool keep_dentries;                                   // the dentry tree is the file system (tmpfs and kin): never shrink
};

struct superblock {
    const struct file_system_type *type;
    const struct superblock_ops *ops;
    struct dentry *root;
    dev_t dev;                     // an anonymous device number for file systems without a device
    unsigned flags;                // SB_*
    uint64_t magic;
    uint32_t blocksize;
    loff_t max_bytes;
    uint32_t time_gran;
    void *private;
    refcount_t refs;               // mounts
    refcount_t memory_refs;        // the structure itself: refs count as one, inodes that wait for their grace period others
    atomic_t dentries_dying;       // taken by the shrinker and not yet freed: they hold their parents, so the end waits for them
    struct list_head all_link, inodes;
    struct spinlock inodes_lock;
    struct list_head mounts;       // attached or not, while there are references to them: sb_link, inodes_lock
    struct mutex rename_mutex;
    uint64_t next_ino;             // atomic
    atomic_t unlinked;             // inodes with I_UNLINKED: to free them will be to write
    atomic_t watches;              // of inotify, on its inodes
};
#define SB_RDONLY 1u
#define SB_NOSUID 2u
#define SB_NODEV 4u
#define SB_NOEXEC 8u
#define SB_SYNCHRONOUS 16u
#define SB_MANDLOCK 64u         // kept and shown; mandatory locks are gone, as from Linux
#define SB_DIRSYNC 128u
#define SB_NOATIME 1024u
#define SB_POSIXACL (1u << 16)  // access control lists: acl.h
#define SB_KERNMOUNT (1u << 22) // internal: never reachable by path
#define SB_LAZYTIME (1u << 25)
// What mount(2) may ask for, and what a remount may change.
#define SB_USER_FLAGS (SB_RDONLY | SB_SYNCHRONOUS | SB_MANDLOCK | SB_DIRSYNC | SB_LAZYTIME)
#define SB_REMOUNT_FLAGS (SB_RDONLY | SB_SYNCHRONOUS | SB_MANDLOCK | SB_LAZYTIME)

// ---- dentry ---------------------------------------------------------------------------------------------------------
#define DNAME_INLINE 40

struct dentry {
    seqcount_t seq;                // name, parent and inode change under it
    uint32_t flags;                // DCACHE_*
    struct hlist_node hash;
    struct dentry *parent;         // itself for a root
    struct qstr name;
    struct inode *inode;           // null: a negative entry
    ALIGNED(8) char inline_name[DNAME_INLINE]; // a name that fits, and zeroes behind it
    refcount_t refs;               // holders, children, and one while hashed (or a superblock's root)
    struct spinlock lock;          // RANK_DENTRY, parent before child
    struct superblock *sb;
    const struct dentry_ops *ops;
    void *private;
    struct list_head child_link, children; // guarded by parent's lock; positive children stand in the order of their cookies, places of readers between them
    uint64_t cookie;               // position in the parent for readdir: given when the entry becomes positive; parent's lock
    uint64_t last_cookie;          // the last one given to a child
    struct list_head lru;
    struct rcu_head rcu;
};
#define DCACHE_MOUNTED 1u     // something is mounted on it in some namespace
#define DCACHE_UNHASHED 2u
#define DCACHE_REFERENCED 4u
#define DCACHE_DISCONNECTED 8u // pipes, sockets, memfd: no place in a tree
#define DCACHE_PINNED 16u      // keep_dentries: never on the LRU while positive
#define DCACHE_ON_LRU 32u
#define DCACHE_REVALIDATE 64u  // ops->revalidate is there
#define DCACHE_TRANSIENT 128u  // ops->keep is there

struct dentry_ops {
    int (*revalidate)(struct dentry *dentry, unsigned flags);  // 1 good, 0 drop it, -errno. May be called under RCU: -ECHILD to be asked again outside
    bool (*keep)(const struct dentry *dentry);                 // false: drop as soon as unused (proc)
    // Path text for objects outside any tree ("pipe:[17]"); writes into buf, returns its length.
    int (*dynamic_name)(struct dentry *dentry, char *buf, size_t size);
};

// ---- file -----------------------------------------------------------------------------------------------------------
// Emits one directory entry; false: no room, stop and do not advance past it.
struct dir_context {
    bool (*emit)(struct dir_context *ctx, const char *name, size_t len, loff_t next_pos, ino_t ino, unsigned type);
    loff_t pos;
};

// Operations on an open file. `file` is referenced by the caller. Missing entries: read -EINVAL, write -EINVAL, ioctl -ENOTTY, llseek -ESPIPE,
// mmap -ENODEV, poll: always ready, iterate -ENOTDIR, fsync -EINVAL, fallocate -EOPNOTSUPP, flush and release: nothing, splice: by read/write.
struct file_ops {
    ssize_t (*read_iter)(struct file *file, struct iov_iter *to, loff_t *pos, unsigned rw_flags);
    ssize_t (*write_iter)(struct file *file, struct iov_iter *from, loff_t *pos, unsigned rw_flags);
    int (*iterate)(struct file *file, struct dir_context *ctx);  // inode->sem held for read
    uint32_t (*poll)(struct file *file, struct poll_table *pt);
    long (*ioctl)(struct file *file, unsigned cmd, unsigned long arg);
    int (*mmap)(struct file *file, struct vma *vma);             // sets vma->ops; may refuse
    int (*open)(struct inode *inode, struct file *file);         // after file is set up; may replace file->ops
    int (*flush)(struct file *file);                             // each close of a descriptor
    void (*release)(struct file *file);                          // last reference
    loff_t (*llseek)(struct file *file, loff_t offset, int whence);
    int (*fsync)(struct file *file, loff_t start, loff_t end, bool data_only);
    long (*fallocate)(struct file *file, int mode, loff_t offset, loff_t len);
    int (*fasync)(struct file *file, int fd, bool on);           // fasync_update(); missing: O_ASYNC can not be set
    void (*show_fdinfo)(struct seq_file *m, struct file *file);
    bool nonseekable;                                            // pread/pwrite/lseek -ESPIPE
    bool nowait;                                                 // read and write honour RW_NOWAIT
    bool page_cached;                                            // content is inode->cache: mmap, sendfile and exec use it directly
};
#define RW_NOWAIT 1u     // RWF_NOWAIT
#define RW_APPEND 2u
#define RW_SYNC 4u
#define RW_DSYNC 8u
#define RW_HIPRI 16u
#define RW_NOAPPEND 32u

struct file {
    refcount_t refs;
    uint32_t mode;                 // FMODE_*
    uint32_t flags;                // O_* as fcntl(F_GETFL) reports; changed by F_SETFL (atomic)
    const struct file_ops *ops;
    struct inode *inode;
    struct path path;
    loff_t pos;                    // guarded by pos_lock when shared
    struct mutex pos_lock;
    const struct cred *cred;       // of the opener
    void *private;
    uint64_t version;              // the object's own note: what it had seen when this was opened or read
    struct list_head epoll_links;  // guarded by epoll
    struct file_owner *owner;      // F_SETOWN, F_SETSIG: fasync.h; RCU
    union {
        struct rcu_head rcu;
        struct task_work release_work; // the deferred last release
    };
};
#define FMODE_READ 1u
#define FMODE_WRITE 2u
#define FMODE_EXEC 4u
#define FMODE_PATH 8u        // O_PATH: only a place
#define FMODE_PREAD 16u
#define FMODE_PWRITE 32u
#define FMODE_LSEEK 64u
#define FMODE_ATOMIC_POS 128u // regular files and directories: read/write/lseek take pos_lock
#define FMODE_WRITER 256u     // counted in inode->write_count and as a writer of its mount

// ---- file-system types ----------------------------------------------------------------------------------------------
struct file_system_type {
    const char *name;
    unsigned flags;
    // Makes (or finds, for single-instance file systems) a superblock; *out with one reference. Options is the mount(2) data text or null.
    int (*get_super)(const struct file_system_type *type, unsigned sb_flags, const char *source, const char *options, struct superblock **out);
};
#define FS_REQUIRES_DEV 1u // listed without "nodev"
#define FS_NO_USER_MOUNT 2u // internal: pipefs, sockfs … not in /proc/filesystems
#define FS_USERNS_MOUNT 4u

// Registration by linker section: FILE_SYSTEM(tmpfs_type) = {...};
#define FILE_SYSTEM(var) static const struct file_system_type var; \
    static const struct file_system_type *const CONCAT(fs_reg_, var) USED SECTION(".kernel.file_systems") = &var; \
    static const struct file_system_type var
// By name; null: there is none.
const struct file_system_type *file_system_find(const char *name, size_t len);
void file_systems_show(struct seq_file *m); // /proc/filesystems

struct kstatfs {
    uint64_t type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
};
