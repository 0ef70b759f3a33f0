// kernel/vfs/fasync.h — signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG of fcntl(2).
//
// An object that can do it (pipe, socket, terminal, inotify) has a list of the open files that asked to be told, and calls fasync_notify() where it
// wakes its sleepers. Who is told, and by which signal, is the open file's business: its owner.
//
// Lists are read under RCU and changed under one lock of fasync.c. An open file's owner is immutable, replaced whole and freed after a grace period.
#pragma once

#include "kernel/abi/signal.h" // POLL_IN …
#include "kernel/vfs/vfs.h"

struct pid;

// Who gets the signals of an open file.
struct file_owner {
    int type;          // F_OWNER_*
    struct pid *pid;   // with a reference; null: nobody
    uid_t uid, euid;   // of who said so: decides whether the owner may be signalled
    int sig;           // F_SETSIG; 0: SIGIO without information
    struct rcu_head rcu;
};

// F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG: what fcntl(2) returns.
long file_owner_fcntl(struct file *file, int cmd, unsigned long arg);
// The socket and terminal requests FIOSETOWN, SIOCSPGRP (set) and FIOGETOWN, SIOCGPGRP: a positive number is a process, a negative one a group.
[[nodiscard]] int file_owner_set(struct file *file, int who);
int file_owner_get(const struct file *file); // 0: nobody
// Makes `pid` the owner unless there is one: terminals. type: F_OWNER_*. -ENOMEM.
[[nodiscard]] int file_owner_default(struct file *file, int type, struct pid *pid);
void file_owner_free(struct file *file); // the open file is released

struct fasync_entry;
struct fasync_list { // zeroed: empty
    struct fasync_entry *first;
};

// Puts `file` on the list (or notes its new descriptor) or takes it off, and keeps O_ASYNC of file->flags in step. May sleep. -ENOMEM.
[[nodiscard]] int fasync_update(struct fasync_list *list, struct file *file, int fd, bool on);
// A hangup: nobody is told any more.
void fasync_forget_all(struct fasync_list *list);

void fasync_send_(struct fasync_list *list, int code);
// Tells every file on the list. code: POLL_IN … as the handler finds it in si_code. Any context; no lock of rank RANK_PROCESS_TREE or above may be held.
static inline void fasync_notify(struct fasync_list *list, int code)
{
    if (unlikely(READ_ONCE(list->first)))
        fasync_send_(list, code);
}
