// kernel/proc/cred.h — credentials(7) and capabilities(7). A struct cred is immutable once published; changing means a new one.
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/refcount.h"
#include "kernel/sync/rcu.h"

struct user_account { // per real uid: RLIMIT_NPROC, RLIMIT_SIGPENDING
    refcount_t refs;
    uid_t uid;
    atomic_t processes, sigpending;
    atomic_t inotify_instances, inotify_watches;
    atomic_t epoll_watches;
    atomic64_t pipe_pages;
    atomic_t descriptors_in_flight; // sent over AF_UNIX sockets and not yet received
    atomic64_t locked_pages;
    struct hlist_node hash;
};

struct cred {
    refcount_t refs;
    uid_t uid, euid, suid, fsuid;
    gid_t gid, egid, sgid, fsgid;
    uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    uint32_t securebits;
    unsigned ngroups;
    gid_t *groups; // sorted
    struct user_account *user;
    struct rcu_head rcu;
};

enum { // capabilities.7 numbers
    CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2, CAP_FOWNER = 3, CAP_FSETID = 4, CAP_KILL = 5, CAP_SETGID = 6, CAP_SETUID = 7,
    CAP_SETPCAP = 8, CAP_LINUX_IMMUTABLE = 9, CAP_NET_BIND_SERVICE = 10, CAP_NET_ADMIN = 12, CAP_NET_RAW = 13, CAP_IPC_LOCK = 14, CAP_IPC_OWNER = 15,
    CAP_SYS_MODULE = 16, CAP_SYS_RAWIO = 17, CAP_SYS_CHROOT = 18, CAP_SYS_PTRACE = 19, CAP_SYS_PACCT = 20, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT = 22,
    CAP_SYS_NICE = 23, CAP_SYS_RESOURCE = 24, CAP_SYS_TIME = 25, CAP_SYS_TTY_CONFIG = 26, CAP_MKNOD = 27, CAP_LEASE = 28, CAP_SETFCAP = 31,
    CAP_SYSLOG = 34, CAP_WAKE_ALARM = 35, CAP_LAST = 40,
};

const struct cred *current_cred(void);                   // borrowed: valid until the caller changes it itself
extern struct cred init_cred;                            // root, all capabilities
bool capable(int cap);                                   // the current thread, effective set
bool cred_capable(const struct cred *cred, int cap);      // the same of other credentials
bool in_group(const struct cred *cred, gid_t gid);       // fsgid or supplementary
[[nodiscard]] struct cred *cred_prepare(void);           // a private copy of the current one to edit; null: no memory
void cred_commit(struct cred *cred);                     // becomes the current thread's
void cred_commit_locked(struct cred *cred);              // the same, where the caller has the thread's alloc_lock
static inline const struct cred *cred_get(const struct cred *cred)
{
    refcount_inc(&((struct cred *)cred)->refs);
    return cred;
}
void cred_put(const struct cred *cred);                  // null allowed; freed after a grace period
bool over_nproc(const struct cred *cred);                // its user has more processes than the current RLIMIT_NPROC; never root
// The account of a real user id, with a reference; null: no memory. May sleep.
[[nodiscard]] struct user_account *user_account_get(uid_t uid);
void user_account_put(struct user_account *account);
