// kernel/sched/thread_state.h — what a thread is doing, as the scheduler sees it. Written by the thread itself or under its run queue's lock.
#pragma once

enum thread_state {
    THREAD_RUNNING,         // running, or on a run queue
    THREAD_INTERRUPTIBLE,   // sleeping; any signal to be delivered wakes it
    THREAD_KILLABLE,        // sleeping; a fatal signal wakes it
    THREAD_UNINTERRUPTIBLE, // sleeping; only its event wakes it
    THREAD_STOPPED,         // job control or cgroup freezer; SIGCONT, thaw or SIGKILL wakes it
    THREAD_PARKED,          // a kernel thread with nothing to do
    THREAD_DEAD,            // has called thread_exit(); its stack is freed after the last switch
};
