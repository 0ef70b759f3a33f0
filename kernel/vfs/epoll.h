// kernel/vfs/epoll.h — what the rest of the VFS knows of epoll(7).
#pragma once

#include "kernel/base/types.h"

struct file;

extern uint64_t sysctl_epoll_max_user_watches; // items of one user's instances; -ENOSPC above

// The last reference of a watched file is gone: every epoll instance forgets it.
void epoll_file_gone(struct file *file);
