// kernel/proc/exec_args.c — argument and environment strings between the old address space and the new one.
//
// They are read once, in order, into kernel pages: the old space may change meanwhile (threads) or be gone afterwards, what was read stays.

#include "arch/include/user_copy.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"

// A quarter of the stack is for strings and the pointers to them, within bounds: execve(2).
static size_t limit_bytes(void)
{
    uint64_t quarter = rlimit(RLIMIT_STACK) / 4;
    return (size_t)clamp(quarter, (uint64_t)ARG_STRING_MAX, (uint64_t)ARG_PAGES_MAX * PAGE_SIZE);
}

static int room(struct arg_strings *args, char **at, size_t *left)
{
    size_t offset = args->bytes % PAGE_SIZE;
    unsigned page = (unsigned)(args->bytes / PAGE_SIZE);
    if (page == args->nr_pages) {
        if (!args->pages && !(args->pages = kvmalloc(ARG_PAGES_MAX * sizeof *args->pages, ALLOC_KERNEL | ALLOC_ZERO)))
            return -ENOMEM;
        if (args->nr_pages == ARG_PAGES_MAX)
            return -E2BIG;
        struct page *fresh = page_alloc(0, ALLOC_KERNEL);
        if (!fresh)
            return -ENOMEM;
        args->pages[args->nr_pages++] = page_address(fresh);
    }
    *at = args->pages[page] + offset;
    *left = PAGE_SIZE - offset;
    return 0;
}

static int add_user_string(struct arg_strings *args, unsigned long addr)
{
    size_t total = 0;
    for (;;) {
        char *at;
        size_t left;
        int err = room(args, &at, &left);
        if (err)
            return err;
        ssize_t len = strncpy_from_user(at, user_ptr(const char, addr), left);
        if (len == -EFAULT)
            return -EFAULT;
        size_t taken = len >= 0 ? (size_t)len + 1 : left;
        args->bytes += taken;
        total += taken;
        if (total > ARG_STRING_MAX || args->bytes > args->bytes_max)
            return -E2BIG;
        if (len >= 0)
            return 0;
        addr += taken;
    }
}

static int add_kernel_string(struct arg_strings *args, const char *text)
{
    for (size_t size = strlen(text) + 1; size;) {
        char *at;
        size_t left;
        int err = room(args, &at, &left);
        if (err)
            return err;
        size_t part = min(left, size);
        memcpy(at, text, part);
        args->bytes += part;
        text += part;
        size -= part;
    }
    return 0;
}

static int element(unsigned long vector, unsigned i, bool from_kernel, unsigned long *addr)
{
    vector += i * sizeof *addr;
    if (!from_kernel)
        return get_user(*addr, user_ptr(unsigned long, vector));
    *addr = *(unsigned long *)vector;
    return 0;
}

static int count(unsigned long vector, bool from_kernel, unsigned *n)
{
    for (*n = 0; vector; ++*n) { // Linux takes a null vector as an empty one
        unsigned long addr;
        if (*n == INT32_MAX)
            return -E2BIG;
        if (element(vector, *n, from_kernel, &addr))
            return -EFAULT;
        if (!addr)
            break;
        if (fatal_signal_pending())
            return -EINTR;
    }
    return 0;
}

static int collect(struct arg_strings *args, unsigned long vector, bool from_kernel, unsigned n)
{
    int err = 0;
    for (unsigned i = 0; i < n && !err; i++) {
        unsigned long addr;
        err = element(vector, i, from_kernel, &addr);
        if (!err)
            err = from_kernel ? add_kernel_string(args, (const char *)addr) : add_user_string(args, addr);
    }
    return err;
}

int args_collect(struct arg_strings *args, const struct exec_request *req)
{
    unsigned argc;
    int err = count(req->argv, req->from_kernel, &argc);
    if (!err)
        err = count(req->envp, req->from_kernel, &args->envc);
    if (err)
        return err;
    args->argc = max(argc, 1u); // a program always finds argv[0]: an empty string, as Linux does since 5.18
    size_t limit = limit_bytes(), pointers = ((size_t)args->argc + args->envc) * sizeof(unsigned long);
    if (pointers >= limit)
        return -E2BIG;
    args->bytes_max = (size_t)min((uint64_t)(limit - pointers), rlimit(RLIMIT_STACK));
    err = argc ? collect(args, req->argv, req->from_kernel, argc) : add_kernel_string(args, "");
    args->argv_bytes = args->bytes;
    return err ? err : collect(args, req->envp, req->from_kernel, args->envc);
}

int args_prepend(struct arg_strings *args, const char *text)
{
    if (args->nr_prefix == ARRAY_SIZE(args->prefix))
        return -ENOEXEC;
    char *copy = kstrdup(text, ALLOC_KERNEL);
    if (!copy)
        return -ENOMEM;
    args->prefix[args->nr_prefix++] = copy;
    args->prefix_bytes += strlen(text) + 1;
    return 0;
}

void args_replace_first(struct arg_strings *args)
{
    if (args->nr_prefix) { // an inner #! line: the outer interpreter's own name goes
        char *old = args->prefix[--args->nr_prefix];
        args->prefix_bytes -= strlen(old) + 1;
        kfree(old);
        return;
    }
    if (args->skip)
        return;
    args->skip = 1;
    for (size_t at = 0;; at++)
        if (!args->pages[at / PAGE_SIZE][at % PAGE_SIZE]) {
            args->skip_bytes = at + 1;
            return;
        }
}

void args_free(struct arg_strings *args)
{
    for (unsigned i = 0; i < args->nr_pages; i++)
        page_free(virt_to_page(args->pages[i]), 0);
    kvfree(args->pages);
    for (unsigned i = 0; i < args->nr_prefix; i++)
        kfree(args->prefix[i]);
}
