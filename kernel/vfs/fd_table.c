// kernel/vfs/fd_table.c — descriptor tables: the lowest free descriptor by bitmap, lookup without a lock.
//
// files->table points to the arrays; growing publishes a bigger copy and frees the old after a grace period. Writers hold files->lock. A lookup in a
// table that only the current thread uses reads it plainly and needs no reference on the file: nobody else can close it meanwhile. In a shared table it
// runs under RCU, takes a reference unless the count is zero, and looks again whether the slot still holds the file.
// `open` has a bit per reserved or installed descriptor, `full` a bit per word of `open` that has no zero left.
#include "kernel/base/bitmap.h"
#include "kernel/base/string.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/rlimit.h"
#include "kernel/proc/task.h"
#include "kernel/vfs/fd_lookup.h"

static DEFINE_LOCK_CLASS(files_class, "descriptor table", RANK_FILES);

uint32_t sysctl_nr_open = 1024 * 1024;

struct files *files_create(void)
{
    struct files *f = kzalloc(sizeof *f, ALLOC_KERNEL);
    if (!f)
        return nullptr;
    refcount_set(&f->users, 1);
    refcount_set(&f->refs, 1);
    spin_init(&f->lock, &files_class);
    f->first = (struct fd_array){
        .max = FD_EMBEDDED, .file = f->first_file, .open = &f->first_open, .cloexec = &f->first_cloexec, .full = &f->first_full};
    f->table = &f->first;
    return f;
}

struct files *files_get(struct files *files)
{
    refcount_inc(&files->users);
    return files;
}

struct files *files_hold(struct files *files)
{
    refcount_inc(&files->refs);
    return files;
}

static void array_free_rcu(struct rcu_head *head)
{
    struct fd_array *t = container_of(head, struct fd_array, rcu);
    kvfree(t->file);
    kfree(t);
}

static size_t words(unsigned max)
{
    return max / 64;
}

static struct fd_array *array_alloc(unsigned max)
{
    struct fd_array *t = kzalloc(sizeof *t, ALLOC_KERNEL);
    if (!t)
        return nullptr;
    size_t w = words(max), bytes = max * sizeof(struct file *) + (2 * w + DIV_ROUND_UP(w, 64)) * sizeof(long);
    t->file = kvmalloc(bytes, ALLOC_ZERO);
    if (!t->file) {
        kfree(t);
        return nullptr;
    }
    t->max = max;
    t->open = (unsigned long *)(t->file + max);
    t->cloexec = t->open + w;
    t->full = t->cloexec + w;
    return t;
}

static void array_copy(struct fd_array *to, const struct fd_array *from, unsigned max)
{
    size_t w = words(max);
    memcpy(to->file, from->file, max * sizeof(struct file *));
    memcpy(to->open, from->open, w * sizeof(long));
    memcpy(to->cloexec, from->cloexec, w * sizeof(long));
    for (size_t i = 0; i < w; i++)
        if (!~to->open[i])
            to->full[i / 64] |= 1UL << i % 64;
}

// Makes room for descriptor `fd`. Drops and retakes the lock. 0, -EMFILE, -ENOMEM.
static int grow(struct files *f, unsigned fd) NO_THREAD_SAFETY_ANALYSIS
{
    if (fd >= sysctl_nr_open)
        return -EMFILE;
    unsigned max = 256;
    while (max <= fd)
        max *= 2;
    spin_unlock(&f->lock);
    struct fd_array *bigger = array_alloc(max), *old;
    spin_lock(&f->lock);
    if (!bigger)
        return -ENOMEM;
    old = f->table;
    if (old->max > fd) { // another thread was faster
        kvfree(bigger->file);
        kfree(bigger);
        return 0;
    }
    array_copy(bigger, old, old->max);
    rcu_assign_pointer(f->table, bigger);
    if (old != &f->first)
        call_rcu(&old->rcu, array_free_rcu);
    return 0;
}

static unsigned lowest_free(const struct fd_array *t, unsigned from)
{
    size_t w = from / 64;
    if (w < words(t->max)) {
        unsigned long clear = ~t->open[w] & ~0UL << from % 64;
        if (clear)
            return (unsigned)(w * 64 + (unsigned)__builtin_ctzl(clear));
        w = bitmap_next_clear(t->full, words(t->max), w + 1);
        if (w < words(t->max))
            return (unsigned)(w * 64 + (unsigned)__builtin_ctzl(~t->open[w]));
    }
    return max(from, t->max);
}

static void mark_open(struct fd_array *t, unsigned fd, bool cloexec)
{
    t->open[fd / 64] |= 1UL << fd % 64;
    if (!~t->open[fd / 64])
        t->full[fd / 64 / 64] |= 1UL << fd / 64 % 64;
    if (cloexec)
        t->cloexec[fd / 64] |= 1UL << fd % 64;
    else
        t->cloexec[fd / 64] &= ~(1UL << fd % 64);
}

static void mark_free(struct files *f, struct fd_array *t, unsigned fd)
{
    t->open[fd / 64] &= ~(1UL << fd % 64);
    t->full[fd / 64 / 64] &= ~(1UL << fd / 64 % 64);
    if (fd < f->next)
        f->next = fd;
}

int fd_reserve(int from, unsigned flags)
{
    struct files *f = current_files();
    uint64_t limit = rlimit(RLIMIT_NOFILE);
    spin_guard(&f->lock);
    for (;;) {
        struct fd_array *t = f->table;
        unsigned fd = lowest_free(t, max((unsigned)from, f->next));
        if (fd >= limit)
            return -EMFILE;
        if (fd < t->max) {
            mark_open(t, fd, flags & O_CLOEXEC);
            if ((unsigned)from <= f->next)
                f->next = fd + 1;
            return (int)fd;
        }
        int err = grow(f, fd);
        if (err)
            return err;
    }
}

void fd_install(int fd, struct file *file)
{
    struct files *f = current_files();
    spin_guard(&f->lock);
    rcu_assign_pointer(f->table->file[fd], file);
}

void fd_release(int fd)
{
    struct files *f = current_files();
    spin_guard(&f->lock);
    mark_free(f, f->table, (unsigned)fd);
}

int fd_install_new(struct file *file, unsigned flags)
{
    int fd = fd_reserve(0, flags);
    if (fd < 0)
        file_put_sync(file);
    else
        fd_install(fd, file);
    return fd;
}

// ---- lookup ---------------------------------------------------------------------------------------------------------

struct file *fd_find_shared(struct files *f, unsigned fd, unsigned refuse)
{
    struct file *file = nullptr;
    rcu_read_lock();
    for (;;) {
        struct fd_array *t = rcu_dereference(f->table);
        file = fd < t->max ? rcu_dereference(t->file[fd]) : nullptr;
        if (!file || file->mode & refuse) {
            file = nullptr;
            break;
        }
        if (refcount_inc_not_zero(&file->refs)) {
            if (likely(rcu_dereference(rcu_dereference(f->table)->file[fd]) == file))
                break;
            rcu_read_unlock();
            file_put(file);
            rcu_read_lock();
        }
    }
    rcu_read_unlock();
    return file;
}

struct fd_ref fd_get(int fd)
{
    return fd_find(fd, FMODE_PATH);
}

struct fd_ref fd_get_raw(int fd)
{
    return fd_find(fd, 0);
}

struct fd_view fd_view(void)
{
    struct files *f = current_files();
    if (refcount_read(&f->users) != 1)
        return (struct fd_view){};
    return (struct fd_view){f->table->file, f->table->max};
}

void fd_put_counted(struct file *file)
{
    file_put(file);
}

struct file *files_lookup(struct files *files, int fd)
{
    return fd_find_shared(files, (unsigned)fd, 0);
}

bool fd_refers_to(int fd, const struct file *file)
{
    struct files *files = current_files();
    spin_guard(&files->lock);
    const struct fd_array *t = files->table;
    return (unsigned)fd < t->max && t->file[fd] == file;
}

int files_next(struct files *files, int from)
{
    if (from < 0)
        from = 0;
    spin_guard(&files->lock);
    struct fd_array *t = files->table;
    for (size_t fd = bitmap_next_set(t->open, t->max, (size_t)from); fd < t->max; fd = bitmap_next_set(t->open, t->max, fd + 1))
        if (t->file[fd])
            return (int)fd;
    return -1;
}

unsigned files_count(struct files *files)
{
    spin_guard(&files->lock);
    return (unsigned)bitmap_weight(files->table->open, files->table->max);
}

unsigned files_max(struct files *files)
{
    spin_guard(&files->lock);
    return files->table->max;
}

bool files_cloexec(struct files *files, int fd)
{
    spin_guard(&files->lock);
    return (unsigned)fd < files->table->max && test_bit((unsigned)fd, files->table->cloexec);
}

int fd_set_cloexec(int fd, bool on)
{
    struct files *f = current_files();
    spin_guard(&f->lock);
    struct fd_array *t = f->table;
    if ((unsigned)fd >= t->max || !t->file[fd])
        return -EBADF;
    mark_open(t, (unsigned)fd, on);
    return 0;
}

// ---- closing --------------------------------------------------------------------------------------------------------

static struct file *take(struct files *f, unsigned fd)
{
    spin_guard(&f->lock);
    struct fd_array *t = f->table;
    struct file *file = fd < t->max ? t->file[fd] : nullptr;
    if (file) {
        rcu_assign_pointer(t->file[fd], nullptr);
        mark_free(f, t, fd);
    }
    return file;
}

int fd_close(int fd)
{
    struct files *f = current_files();
    struct file *file = take(f, (unsigned)fd);
    return file ? file_close(file, f) : -EBADF;
}

int fd_replace(int fd, struct file *file, unsigned flags)
{
    struct files *f = current_files();
    if ((unsigned)fd >= rlimit(RLIMIT_NOFILE))
        return -EBADF;
    struct file *old;
    {
        spin_guard(&f->lock);
        if ((unsigned)fd >= f->table->max) {
            int err = grow(f, (unsigned)fd);
            if (err)
                return err;
        }
        struct fd_array *t = f->table;
        old = t->file[fd];
        if (!old && test_bit((unsigned)fd, t->open))
            return -EBUSY; // another thread is between reserving and installing it: dup2(2)
        mark_open(t, (unsigned)fd, flags & O_CLOEXEC);
        rcu_assign_pointer(t->file[fd], file_get(file));
    }
    if (old)
        (void)file_close(old, f);
    return fd;
}

void files_close_range(struct files *f, unsigned first, unsigned last)
{
    for (unsigned fd = first; fd <= last; fd++) {
        int next = files_next(f, (int)fd);
        if (next < 0 || (unsigned)next > last)
            break;
        fd = (unsigned)next;
        struct file *file = take(f, fd);
        if (file)
            (void)file_close(file, f);
    }
}

void files_cloexec_range(struct files *f, unsigned first, unsigned last)
{
    spin_guard(&f->lock);
    struct fd_array *t = f->table;
    last = min(last, t->max - 1);
    for (unsigned fd = first; fd <= last; fd++)
        if (t->file[fd])
            t->cloexec[fd / 64] |= 1UL << fd % 64;
}

void files_close_on_exec(struct files *f)
{
    for (size_t w = 0; w < words(f->table->max); w++) {
        for (;;) {
            spin_lock(&f->lock);
            struct fd_array *t = f->table;
            unsigned long bits = t->cloexec[w] & t->open[w];
            unsigned fd = bits ? (unsigned)(w * 64 + (unsigned)__builtin_ctzl(bits)) : 0;
            if (bits)
                t->cloexec[w] &= ~(1UL << fd % 64);
            spin_unlock(&f->lock);
            if (!bits)
                break;
            struct file *file = take(f, fd);
            if (file)
                (void)file_close(file, f);
        }
    }
}

void files_release(struct files *f)
{
    if (!refcount_dec_and_test(&f->refs))
        return;
    if (f->table != &f->first)
        array_free_rcu(&f->table->rcu);
    kfree(f);
}

// Nobody who could begin to look is left: a task gives its table up before. Those who look already must not find what is closed.
void files_put(struct files *f)
{
    if (!f || !refcount_dec_and_test(&f->users))
        return;
    bool looked_at = refcount_read(&f->refs) != 1;
    struct fd_array *t = f->table;
    for (size_t w = 0; w < words(t->max); w++) {
        for (unsigned long bits = t->open[w]; bits; bits &= bits - 1) {
            unsigned fd = (unsigned)(w * 64 + (unsigned)__builtin_ctzl(bits));
            struct file *file = looked_at ? take(f, fd) : t->file[fd];
            if (file)
                (void)file_close(file, f);
        }
    }
    files_release(f);
}

// ---- copying --------------------------------------------------------------------------------------------------------

// `keep`: descriptors from here on are left out (close_range with CLOSE_RANGE_UNSHARE).
static int copy_up_to(struct files *from, unsigned keep, struct files **out)
{
    struct files *f = files_create();
    if (!f)
        return -ENOMEM;
    spin_lock(&from->lock);
    for (;;) {
        struct fd_array *t = from->table;
        size_t used = 0;
        for (size_t w = words(t->max); w && !used; w--)
            if (t->open[w - 1])
                used = w * 64;
        used = min(used, (size_t)ALIGN_UP(keep, 64u));
        if (used <= f->table->max) {
            array_copy(f->table, t, (unsigned)used);
            break;
        }
        spin_unlock(&from->lock);
        struct fd_array *bigger = array_alloc((unsigned)ALIGN_UP(used, 256u));
        if (!bigger) {
            files_put(f);
            return -ENOMEM;
        }
        if (f->table != &f->first)
            array_free_rcu(&f->table->rcu);
        f->table = bigger;
        spin_lock(&from->lock);
    }
    struct fd_array *t = f->table;
    for (size_t w = 0; w < words(t->max); w++) {
        for (unsigned long bits = t->open[w]; bits; bits &= bits - 1) {
            unsigned fd = (unsigned)(w * 64 + (unsigned)__builtin_ctzl(bits));
            if (t->file[fd] && fd < keep) {
                refcount_inc(&t->file[fd]->refs);
            } else { // reserved by an open in another thread, or not wanted
                t->file[fd] = nullptr;
                mark_free(f, t, fd);
            }
        }
    }
    f->next = 0;
    spin_unlock(&from->lock);
    *out = f;
    return 0;
}

int files_copy(struct files *from, struct files **out)
{
    return copy_up_to(from, UINT32_MAX - 63, out);
}

static int unshare_up_to(struct files **slot, unsigned keep)
{
    struct files *old = *slot, *copy;
    if (refcount_read(&old->users) == 1)
        return 0;
    int err = copy_up_to(old, keep, &copy);
    if (err)
        return err;
    struct task *task = current_task();
    spin_lock(&task->alloc_lock);
    *slot = copy;
    spin_unlock(&task->alloc_lock);
    files_put(old);
    return 0;
}

int files_unshare(struct files **slot)
{
    return unshare_up_to(slot, UINT32_MAX - 63);
}

int files_unshare_keeping(struct files **slot, unsigned keep)
{
    return unshare_up_to(slot, keep);
}
