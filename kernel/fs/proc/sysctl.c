// kernel/fs/proc/sysctl.c — reading and writing numbers under /proc/sys: proc_sys(5).
//
// A write brings numbers (decimal, 0x…, 0…) that blanks, tabs or newlines end. As many are taken as the file has values; what stands behind them is left for
// the next write, which, not being at offset 0, is then ignored. Nothing is changed by a number that is no number or out of range (-EINVAL).
#include "kernel/base/string.h"
#include "kernel/fs/proc/proc.h"
#include "kernel/vfs/seq_file.h"

#define NUMBER_MAX 22

size_t sysctl_line(char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] && text[n] != '\n')
        n++;
    return n;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_spaces(const char *text, size_t at, size_t len)
{
    while (at < len && is_space(text[at]))
        at++;
    return at;
}

static bool ends_number(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

// Takes the number at text[*at]; moves *at behind it. Digits, behind a minus perhaps where there may be one: a plus is none of them, nor is a NUL.
static int take_number(const char *text, size_t len, size_t *at, bool may_have_sign, int64_t *out)
{
    char word[NUMBER_MAX];
    size_t n = 0;
    while (*at + n < len && !ends_number(text[*at + n])) {
        char c = text[*at + n];
        if (n == sizeof word - 1 || !c || c == '+' || (c == '-' && !may_have_sign))
            return -EINVAL;
        word[n++] = c;
    }
    word[n] = 0;
    *at += n;
    return parse_i64(word, 0, out) ? -EINVAL : 0;
}

static const struct sysctl *sysctl_of(const struct file *file)
{
    return pseudo_entry(file)->data;
}

static int set_value(const struct sysctl *s, unsigned i, int64_t value, bool wide)
{
    if (value < s->min || value > s->max)
        return -EINVAL;
    if (s->set)
        return s->set(s, value);
    if (wide)
        WRITE_ONCE(((uint64_t *)s->value)[i], (uint64_t)value);
    else
        WRITE_ONCE(((int *)s->value)[i], (int)value);
    return 0;
}

static ssize_t store(struct file *file, char *text, size_t len, loff_t pos, bool wide)
{
    const struct sysctl *s = sysctl_of(file);
    unsigned count = s->count ? s->count : 1, taken = 0;
    size_t at = 0;
    if (pos)
        return (ssize_t)len;
    for (; taken < count; taken++) {
        at = skip_spaces(text, at, len);
        if (at == len)
            break;
        int64_t value;
        int err = take_number(text, len, &at, !wide || s->min < 0, &value);
        if (!err)
            err = set_value(s, taken, value, wide);
        if (err)
            return err;
    }
    return taken ? (ssize_t)skip_spaces(text, at, len) : -EINVAL;
}

ssize_t sysctl_int_store(struct file *file, void *, char *text, size_t len, loff_t pos)
{
    return store(file, text, len, pos, false);
}
ssize_t sysctl_u64_store(struct file *file, void *, char *text, size_t len, loff_t pos)
{
    return store(file, text, len, pos, true);
}

static int show(struct seq_file *m, bool wide)
{
    const struct sysctl *s = sysctl_of(m->file);
    for (unsigned i = 0; i < (s->count ? s->count : 1); i++) {
        int64_t value = s->get ? s->get(s) : wide ? ((int64_t *)s->value)[i] : ((int *)s->value)[i];
        seq_printf(m, "%s%lld", i ? "\t" : "", (long long)value);
    }
    seq_putc(m, '\n');
    return 0;
}

int sysctl_int_show(struct seq_file *m, void *)
{
    return show(m, false);
}
int sysctl_u64_show(struct seq_file *m, void *)
{
    return show(m, true);
}
