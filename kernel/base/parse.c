// kernel/base/parse.c — numbers, sizes and switches from text.
#include "kernel/abi/errno.h"
#include "kernel/base/string.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

// Reads digits from *s on and moves it behind them.
static int parse_digits(const char **s, unsigned base, uint64_t *out)
{
    const char *p = *s;
    bool hex_prefix = p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && digit_value(p[2]) < 16;
    if (base == 0)
        base = hex_prefix ? 16 : p[0] == '0' ? 8 : 10;
    if (base == 16 && hex_prefix)
        p += 2;
    uint64_t value = 0;
    const char *first = p;
    for (; digit_value(*p) < (int)base; p++)
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (unsigned)digit_value(*p), &value))
            return -ERANGE;
    if (p == first)
        return -EINVAL;
    *s = p;
    *out = value;
    return 0;
}

static bool at_end(const char *s)
{
    return !*s || (s[0] == '\n' && !s[1]);
}

int parse_u64(const char *s, unsigned base, uint64_t *out)
{
    if (*s == '+')
        s++;
    uint64_t value;
    int err = parse_digits(&s, base, &value);
    if (err)
        return err;
    if (!at_end(s))
        return -EINVAL;
    *out = value;
    return 0;
}

int parse_i64(const char *s, unsigned base, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t value;
    int err = parse_u64(s + negative, base, &value);
    if (err)
        return err;
    if (value > (uint64_t)INT64_MAX + negative)
        return -ERANGE;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

int parse_u32(const char *s, unsigned base, uint32_t *out)
{
    uint64_t value;
    int err = parse_u64(s, base, &value);
    if (err)
        return err;
    if (value > UINT32_MAX)
        return -ERANGE;
    *out = (uint32_t)value;
    return 0;
}

int parse_int(const char *s, unsigned base, int *out)
{
    int64_t value;
    int err = parse_i64(s, base, &value);
    if (err)
        return err;
    if (value < INT32_MIN || value > INT32_MAX)
        return -ERANGE;
    *out = (int)value;
    return 0;
}

int parse_size(const char *s, const char **end, uint64_t *out)
{
    uint64_t value;
    int err = parse_digits(&s, 0, &value);
    if (err)
        return err;
    static const char units[] = "kmgtpe";
    const char *unit = *s ? strchr(units, *s | 0x20) : nullptr;
    if (unit) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (value << shift >> shift != value)
            return -ERANGE;
        value <<= shift;
        s++;
    }
    *end = s;
    *out = value;
    return 0;
}

int parse_bool(const char *s, bool *out)
{
    static const char *const words[2][5] = {{"0", "n", "no", "off", "false"}, {"1", "y", "yes", "on", "true"}};
    for (int value = 0; value < 2; value++)
        for (size_t i = 0; i < ARRAY_SIZE(words[value]); i++)
            if (strcasecmp(s, words[value][i]) == 0) {
                *out = value;
                return 0;
            }
    return -EINVAL;
}
