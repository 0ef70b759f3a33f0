// kernel/boot/cmdline.c — parses the kernel command line: bootparam(7).
#include "kernel/boot/cmdline.h"

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"

enum { NAME_SIZE = 64 };

const char *init_args[INIT_ARGS_MAX], *init_env[INIT_ARGS_MAX];
unsigned nr_init_args, nr_init_env;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

bool cmdline_next(const char **text, char *name, size_t name_size, char *value, size_t value_size)
{
    const char *p = *text;
    while (is_space(*p))
        p++;
    if (!*p)
        return false;
    bool quoted = false, in_value = false;
    size_t n = 0, v = 0;
    for (; *p && (quoted || !is_space(*p)); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '=' && !in_value) {
            in_value = true;
        } else if (in_value) {
            if (v < value_size - 1)
                value[v++] = *p;
        } else if (n < name_size - 1) {
            name[n++] = *p;
        }
    }
    name[n] = 0;
    value[v] = 0;
    *text = p;
    return true;
}

bool cmdline_find(const char *wanted, char *value, size_t size)
{
    char name[NAME_SIZE];
    const char *text = boot_info.cmdline;
    while (cmdline_next(&text, name, sizeof name, value, size)) {
        if (strcmp(name, "--") == 0)
            return false;
        if (strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

// Dashes and underscores in names are the same.
static bool same_name(const char *a, const char *b)
{
    for (; *a; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return !*b;
}

// Whether the kernel takes this word; its handler may complain about the value.
static bool offer(const char *name, const char *value)
{
    extern const struct cmdline_param __cmdline_params_start[], __cmdline_params_end[];
    bool known = false;
    for (const struct cmdline_param *p = __cmdline_params_start; p < __cmdline_params_end; p++) {
        if (!same_name(name, p->name))
            continue;
        known = true;
        int err = p->fn(value);
        if (err)
            pr_warn("command line: %s=%s is not understood (error %d)\n", name, value, -err);
    }
    return known;
}

static char init_words[BOOT_CMDLINE_SIZE + 2 * INIT_ARGS_MAX];
static size_t init_words_used;

// Keeps a word for init, as it was written but for the quotes.
static void give_to_init(const char *name, const char *value, bool has_value, bool to_env)
{
    unsigned *count = to_env ? &nr_init_env : &nr_init_args;
    if (*count == INIT_ARGS_MAX) {
        pr_warn("command line: too many words for init, %s is dropped\n", name);
        return;
    }
    char *word = init_words + init_words_used;
    size_t room = sizeof init_words - init_words_used;
    int n = has_value ? scnprintf(word, room, "%s=%s", name, value) : scnprintf(word, room, "%s", name);
    init_words_used += (size_t)n + 1;
    (to_env ? init_env : init_args)[(*count)++] = word;
}

void cmdline_parse(void)
{
    static char name[BOOT_CMDLINE_SIZE], value[BOOT_CMDLINE_SIZE]; // init's words are whole, however long
    const char *text = boot_info.cmdline;
    bool for_init = false;
    for (;;) {
        const char *word = text;
        if (!cmdline_next(&text, name, sizeof name, value, sizeof value))
            return;
        bool has_value = memchr(word, '=', (size_t)(text - word));
        if (for_init) {
            give_to_init(name, value, has_value, false); // behind `--` everything is an argument
        } else if (strcmp(name, "--") == 0) {
            for_init = true;
        } else if (!offer(name, value) && !strchr(name, '.')) {
            give_to_init(name, value, has_value, has_value);
        }
    }
}
