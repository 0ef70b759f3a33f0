// kernel/proc/exec_script.c — files that begin with #!: execve(2), "Interpreter scripts".

#include "kernel/mm/slab.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"
#include "kernel/vfs/namei.h"

#define SCRIPT_DEPTH_MAX 5

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

// Cuts the first line into the interpreter's path and its one optional argument (the rest of the line, outer blanks removed). -ENOEXEC.
static int parse_line(char *line, size_t size, char **interp, char **arg)
{
    char *end = memchr(line, '\n', size);
    bool ended = end;
    if (!end) {
        // The line is longer than what was read: only a path that ends within it can be trusted.
        end = line + size;
        char *p = line;
        while (p < end && blank(*p))
            p++;
        while (p < end && *p && !blank(*p))
            p++;
        if (p == end)
            return -ENOEXEC;
    }
    *end = '\0';
    char *start = line;
    while (blank(*start))
        start++;
    end = start + strlen(start);
    while (end > start && blank(end[-1]))
        *--end = '\0';
    if (!*start)
        return ended ? -ENOEXEC : -EACCES; // without an end of line it is an empty path, thus the working directory
    *interp = start;
    char *p = start;
    while (*p && !blank(*p))
        p++;
    *arg = nullptr;
    if (*p) {
        *p++ = '\0';
        while (blank(*p))
            p++;
        *arg = *p ? p : nullptr;
    }
    return 0;
}

int script_load(struct binary *bin)
{
    if (bin->head[0] != '#' || bin->head[1] != '!')
        return -ENOEXEC;
    if (bin->depth++ >= SCRIPT_DEPTH_MAX)
        return -ELOOP;
    if (bin->path_closes)
        return -ENOENT;
    char *line = kmalloc(BINARY_HEAD + 1, ALLOC_KERNEL);
    if (!line)
        return -ENOMEM;
    memcpy(line, bin->head + 2, BINARY_HEAD - 2);
    char *interp, *arg;
    int err = parse_line(line, BINARY_HEAD - 2, &interp, &arg);
    // The interpreter gets: its own name, the argument if any, the script's path, and the rest of argv.
    if (!err) {
        args_replace_first(&bin->args);
        err = args_prepend(&bin->args, bin->interp);
    }
    if (!err && arg)
        err = args_prepend(&bin->args, arg);
    if (!err)
        err = args_prepend(&bin->args, interp);
    struct file *file;
    if (!err) {
        struct pathname name __attribute__((uninitialized));
        pathname_from_kernel(&name, interp);
        err = exec_open(AT_FDCWD, &name, LOOKUP_FOLLOW, &file);
    }
    char *copy = nullptr;
    if (!err && !(copy = kstrdup(interp, ALLOC_KERNEL))) {
        exec_close(file);
        err = -ENOMEM;
    }
    if (!err) {
        exec_close(bin->file);
        bin->file = file;
        kfree(bin->interp);
        bin->interp = copy;
    }
    kfree(line);
    return err;
}
