// kernel/vfs/pathname.c — copying path arguments in: short ones into the caller's frame, long ones into memory of their own.
#include "arch/include/user_copy.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/vfs/namei.h"

int pathname_from_user(struct pathname *name, const char __user *upath, unsigned lookup_flags)
{
    // Eight bytes at the end stay free: the path walk reads whole words.
    ssize_t len = strncpy_from_user(name->inline_text, upath, sizeof name->inline_text - 8);
    name->text = name->inline_text;
    if (unlikely(len == -ENAMETOOLONG)) {
        name->heap = kvmalloc(PATH_MAX + 8, ALLOC_KERNEL); // more than a page: in pieces, if need be
        if (!name->heap)
            return -ENOMEM;
        name->text = name->heap;
        len = strncpy_from_user(name->heap, upath, PATH_MAX);
    }
    if (unlikely(len < 0))
        return (int)len;
    name->len = (size_t)len;
    return len == 0 && !(lookup_flags & LOOKUP_EMPTY) ? -ENOENT : 0;
}

void pathname_from_kernel(struct pathname *name, const char *text)
{
    name->text = text;
    name->len = strlen(text);
    name->heap = nullptr;
}

void pathname_free(struct pathname *name)
{
    if (unlikely(name->heap))
        kvfree(name->heap);
}
