// kernel/proc/exec.h — what execve(2) prepares before it knows the format, and what a format does with it.
//
// Up to binary_commit() everything can still fail and leave the caller as it was; after it the old program is gone and failure is SIGSEGV.
#pragma once

#include "kernel/mm/mm.h"
#include "kernel/proc/task.h"

struct pathname;

struct exec_request {
    struct file *file;        // or null: `path`
    const char *path;         // display name
    unsigned long argv, envp; // user arrays (kernel arrays when from_kernel)
    bool from_kernel;
    bool path_closes;         // `path` names a close-on-exec descriptor
};
// execve(2): 0 with `regs` at the new program's first instruction. -errno and the caller as it was; past the point of no return a failure kills it.
[[nodiscard]] int do_execve(const struct exec_request *req, struct pt_regs *regs);

#define BINARY_HEAD 256         // bytes of the file that a format looks at
#define ARG_STRING_MAX (32 * PAGE_SIZE)
#define ARG_PAGES_MAX 1536      // 6 MiB of strings: three quarters of the default stack limit

// The argument and environment strings, as one sequence of NUL-terminated strings in pages; a #! line puts others before them.
struct arg_strings {
    char **pages;
    unsigned nr_pages;
    size_t bytes, bytes_max;
    unsigned argc, envc;
    size_t argv_bytes;      // where the environment begins
    size_t skip_bytes;      // bytes of argv[0], replaced by `prefix`
    unsigned skip;
    char *prefix[16];       // from the last to the first: prepended to argv
    unsigned nr_prefix;
    size_t prefix_bytes;
};

struct binary {
    struct file *file;        // what is loaded now: the script's interpreter once that is known
    uint8_t head[BINARY_HEAD]; // zeros behind the end of the file
    size_t head_size;
    char *path;               // as given to execve: AT_EXECFN
    char *interp;             // name of `file` as it goes into the next argv
    struct arg_strings args;
    struct mm *mm;            // the new address space
    struct exec_layout layout;
    struct cred *cred;        // prepared
    unsigned personality_clear; // bits of personality(2) that end here
    bool has_caps, effective; // the file has capabilities; what is permitted becomes effective
    bool secure;              // AT_SECURE: privileges were gained
    bool committed;           // the old program is gone
    bool maimed;              // or has lost its threads, without which it can not go on either
    bool path_closes;         // `path` is a descriptor that this exec closes: an interpreter could not open it
    unsigned depth;           // of #! lines
};

// The formats. -ENOEXEC: not mine. After a successful binary_commit() errors are fatal to the caller.
[[nodiscard]] int elf_load(struct binary *bin, struct pt_regs *regs);
// Replaces bin->file and prepends to the arguments: the search begins again.
[[nodiscard]] int script_load(struct binary *bin);

// Opens a file for execution: regular, executable, not on a noexec mount, and from now on not to be written. Closed with exec_close().
[[nodiscard]] int exec_open(int dirfd, const struct pathname *name, unsigned lookup_flags, struct file **out);
void exec_close(struct file *file); // and it may be written again
// Reads exactly `size` bytes at `pos`. -EIO when the file is shorter.
[[nodiscard]] int exec_read(struct file *file, void *buf, size_t size, loff_t pos);

// exec_caps.c: fills bin->cred with the identities and capabilities that the file gives, and bin->personality_clear.
// -EPERM: the file's capabilities can not be given in full. -EINVAL: they make no sense.
[[nodiscard]] int exec_prepare_cred(struct binary *bin);
// Then, with no other thread left: takes away what this caller may not gain, finishes bin->cred and fills bin->secure.
void exec_settle_cred(struct binary *bin);

// The point of no return: other threads die, the new address space is in place, identities and descriptors change hands.
[[nodiscard]] int binary_commit(struct binary *bin);
// Copies strings and the vectors to the stack of the (now current) new space; *sp is where the program starts. auxv: pairs, ended by AT_NULL.
[[nodiscard]] int binary_setup_stack(struct binary *bin, uint64_t (*auxv)[2], size_t nr_auxv, vaddr_t *sp);

extern int sysctl_randomize_va_space;  // proc_sys_kernel(5)

// exec_args.c
[[nodiscard]] int args_collect(struct arg_strings *args, const struct exec_request *req);
// exec_script.c puts the interpreter's words before argv, the last one first. -ENOEXEC: too many; -ENOMEM.
[[nodiscard]] int args_prepend(struct arg_strings *args, const char *text);
void args_replace_first(struct arg_strings *args); // argv[0] will come from the prefix
void args_free(struct arg_strings *args); // what it holds, in whatever state
