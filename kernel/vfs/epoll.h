// kernel/vfs/epoll.h — what the rest of the VFS knows of epoll(7).
#pragma once

struct file;

// The last reference of a watched file is gone: every epoll instance forgets it.
void epoll_file_gone(struct file *file);
