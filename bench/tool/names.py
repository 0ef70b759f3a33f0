"""The benchmarks a whole run must have: the 37 of single system calls, and what programs feel beside them."""

CALLS = (
    "getpid read_null write_null pipe fork_exit open_close mmap_fault stat gettid clock_gettime uname dup_close fcntl_getfl fstat lseek getcwd "
    "readlink access mmap_munmap mprotect brk sigaction sigprocmask pread writev sched_yield getpriority read_zero signal_delivery epoll_wait "
    "poll eventfd getdents64 socketpair pipe_pingpong waitid getuid").split()

PROGRAMS = (
    "exec_true exec_dynamic shell_noop pipe_grep sed_pipeline sort_uniq tar_extract file_tree thread_create_join futex_pingpong context_switch_2 "
    "context_switch_8 context_switch_64 unix_socket_pingpong epoll_1000 path_walk_8 mmap_read_cached fork_64mib").split()

ALL = CALLS + PROGRAMS
