// tests/stress/churn.h — what the parts of the churn program share: the actions, how they report, and how memory is measured.
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_ACTIONS 64

// One kind of work. It begins and ends with nothing of its own left: no child, descriptor, mapping or file.
struct action {
    const char *name;
    void (*run)(void);
};

// The families, each ended by a nameless entry.
extern const struct action process_actions[], memory_actions[], file_actions[], channel_actions[];

// Seen by the parent and all workers: shared anonymous memory.
struct shared {
    atomic_bool stop;
    atomic_int failures;
    atomic_ulong done[MAX_ACTIONS];
};
extern struct shared *shared;

// The worker's number, and the folder in which it alone makes files.
extern unsigned worker;
extern char folder[32];

// The next pseudo-random number of this worker, below `limit`.
unsigned pick(unsigned limit);

// Counts and prints a failure; the worker goes on. Use by way of CHECK.
void check_failed(const char *file, int line, const char *what);
#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE_NAME__, __LINE__, #condition))

// fork(2) that counts a failure and ends the worker: the work cannot go on without.
pid_t fork_or_die(void);

// Waits for a child and returns whether its status is this; reports one that is not.
void expect_status(pid_t child, int status);
#define EXITED(code) ((code) << 8)
#define KILLED_BY(signal) (signal)

// Runs this program once more, as a leaf that ends with `code`. Only returns if it cannot.
void exec_leaf(int code);

// What the kernel holds, once it has come to rest (caches dropped, figures that no longer change). A figure that can not be read is 0.
struct measure {
    long free_kib, slab_kib; // /proc/meminfo: MemFree, Slab
    size_t caches;
    struct {
        char name[32];
        long objects, size; // /proc/slabinfo: objects in use, bytes of each
    } cache[256];
};

// False, with a line that says why, if a figure can not be read or the caches not be dropped: nothing can be said of leaks then.
[[nodiscard]] bool measure_settled(struct measure *out);

// Bytes of objects in use in all slab caches.
long measure_object_bytes(const struct measure *m);
