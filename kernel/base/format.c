// kernel/base/format.c — printf-style formatting into a bounded buffer: printf(3), with the kernel's own %p forms (string.h).
#include "kernel/base/hash.h"
#include "kernel/base/string.h"

int (*format_symbol)(char *to, size_t size, uintptr_t address);
uint64_t format_pointer_key = 0x243f6a8885a308d3ull; // until the seed is known

struct output {
    char *to;
    size_t size, used; // used counts what would have been written
};

enum spec_flags {
    LEFT = 1 << 0,
    PLUS = 1 << 1,
    SPACE = 1 << 2,
    ALTERNATE = 1 << 3,
    ZERO = 1 << 4,
    UPPER = 1 << 5,
    NEGATIVE = 1 << 6,
    SIGNED = 1 << 7,
};

struct spec {
    unsigned flags;
    int width, precision; // precision -1: none given
    unsigned base;
};

static void put(struct output *out, char c)
{
    if (out->used < out->size)
        out->to[out->used] = c;
    out->used++;
}

static void put_repeated(struct output *out, char c, int count)
{
    while (count-- > 0)
        put(out, c);
}

static void put_text(struct output *out, const struct spec *spec, const char *s)
{
    if (!s)
        s = "(null)";
    int length = (int)(spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s));
    if (!(spec->flags & LEFT))
        put_repeated(out, ' ', spec->width - length);
    for (int i = 0; i < length; i++)
        put(out, s[i]);
    if (spec->flags & LEFT)
        put_repeated(out, ' ', spec->width - length);
}

static void put_number(struct output *out, const struct spec *spec, uint64_t value)
{
    char digits[24];
    int count = 0;
    const char *set = spec->flags & UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
    for (uint64_t rest = value; rest; rest /= spec->base)
        digits[count++] = set[rest % spec->base];
    if (count == 0 && spec->precision != 0)
        digits[count++] = '0';

    char prefix[3];
    int prefix_length = 0;
    if (spec->flags & SIGNED && spec->flags & (NEGATIVE | PLUS | SPACE))
        prefix[prefix_length++] = spec->flags & NEGATIVE ? '-' : spec->flags & PLUS ? '+' : ' ';
    if (spec->flags & ALTERNATE && spec->base == 16 && value) {
        prefix[prefix_length++] = '0';
        prefix[prefix_length++] = spec->flags & UPPER ? 'X' : 'x';
    }
    int zeros = max(spec->precision - count, 0);
    if (spec->flags & ALTERNATE && spec->base == 8 && !zeros && (count == 0 || digits[count - 1] != '0'))
        zeros = 1;
    if (spec->flags & ZERO && !(spec->flags & LEFT) && spec->precision < 0)
        zeros = max(spec->width - prefix_length - count, 0);

    int padding = spec->width - prefix_length - zeros - count;
    if (!(spec->flags & LEFT))
        put_repeated(out, ' ', padding);
    for (int i = 0; i < prefix_length; i++)
        put(out, prefix[i]);
    put_repeated(out, '0', zeros);
    while (count)
        put(out, digits[--count]);
    if (spec->flags & LEFT)
        put_repeated(out, ' ', padding);
}

// %p, %px, %pS; returns how many format letters behind the p belong to it.
static int put_pointer(struct output *out, struct spec *spec, const char *behind, const void *pointer)
{
    uintptr_t address = (uintptr_t)pointer;
    spec->base = 16;
    if (*behind == 'S') {
        char text[128];
        if (format_symbol)
            format_symbol(text, sizeof text, address);
        else
            snprintf(text, sizeof text, "%#lx", (unsigned long)address);
        put_text(out, spec, text);
        return 1;
    }
    if (spec->width == 0) {
        spec->width = 16;
        spec->flags |= ZERO;
    }
    if (*behind == 'x') {
        put_number(out, spec, address);
        return 1;
    }
    struct hash_key key = {format_pointer_key, ~format_pointer_key};
    put_number(out, spec, address ? siphash(&address, sizeof address, &key) >> 32 : 0);
    return 0;
}

static const char *parse_flags(const char *f, struct spec *spec)
{
    for (;; f++) {
        switch (*f) {
        case '-':
            spec->flags |= LEFT;
            break;
        case '+':
            spec->flags |= PLUS;
            break;
        case ' ':
            spec->flags |= SPACE;
            break;
        case '#':
            spec->flags |= ALTERNATE;
            break;
        case '0':
            spec->flags |= ZERO;
            break;
        default:
            return f;
        }
    }
}

static int parse_count(const char **f)
{
    int n = 0;
    for (; **f >= '0' && **f <= '9'; (*f)++)
        n = min(n * 10 + (**f - '0'), 1 << 20);
    return n;
}

// Bytes of the integer that the length letters at *f name, int without any.
static unsigned parse_length(const char **f)
{
    switch (**f) {
    case 'h':
        return *++*f == 'h' ? ++*f, 1 : 2;
    case 'l':
        if (*++*f == 'l')
            ++*f;
        return 8;
    case 'z':
    case 't':
    case 'j':
        ++*f;
        return 8;
    default:
        return 4;
    }
}

static uint64_t truncate_to(uint64_t value, unsigned bytes, bool is_signed)
{
    unsigned shift = 64 - 8 * bytes;
    return is_signed ? (uint64_t)((int64_t)(value << shift) >> shift) : value << shift >> shift;
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    struct output out = {.to = to, .size = size};
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            put(&out, *f);
            continue;
        }
        struct spec spec = {.precision = -1, .base = 10};
        f = parse_flags(f + 1, &spec);
        if (*f == '*') {
            spec.width = va_arg(args, int);
            f++;
        } else {
            spec.width = parse_count(&f);
        }
        if (spec.width < 0) {
            spec.flags |= LEFT;
            spec.width = -spec.width;
        }
        if (*f == '.') {
            f++;
            if (*f == '*') {
                spec.precision = va_arg(args, int);
                f++;
            } else {
                spec.precision = parse_count(&f);
            }
        }
        unsigned bytes = parse_length(&f);
        uint64_t value;
        switch (*f) {
        case 'd':
        case 'i':
            value = truncate_to(bytes == 8 ? va_arg(args, uint64_t) : va_arg(args, unsigned), bytes, true);
            spec.flags |= SIGNED | ((int64_t)value < 0 ? NEGATIVE : 0);
            put_number(&out, &spec, (int64_t)value < 0 ? 0 - value : value);
            break;
        case 'X':
            spec.flags |= UPPER;
            [[fallthrough]];
        case 'x':
        case 'o':
        case 'u':
            spec.base = *f == 'u' ? 10 : *f == 'o' ? 8 : 16;
            value = truncate_to(bytes == 8 ? va_arg(args, uint64_t) : va_arg(args, unsigned), bytes, false);
            put_number(&out, &spec, value);
            break;
        case 'c': {
            char text[2] = {(char)va_arg(args, int), 0};
            spec.precision = -1;
            if (text[0]) {
                put_text(&out, &spec, text);
            } else {
                put_repeated(&out, ' ', spec.flags & LEFT ? 0 : spec.width - 1);
                put(&out, 0);
                put_repeated(&out, ' ', spec.flags & LEFT ? spec.width - 1 : 0);
            }
            break;
        }
        case 's':
            put_text(&out, &spec, va_arg(args, const char *));
            break;
        case 'p':
            f += put_pointer(&out, &spec, f + 1, va_arg(args, void *));
            break;
        case '%':
            put(&out, '%');
            break;
        default: // a letter we do not know: shown as it stands, so that the mistake is seen
            put(&out, '%');
            if (!*f)
                f--;
            else
                put(&out, *f);
        }
    }
    if (size)
        to[min(out.used, size - 1)] = 0;
    return (int)min(out.used, (size_t)INT32_MAX);
}

int snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, size, format, args);
    va_end(args);
    return n;
}

int vscnprintf(char *to, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(to, size, format, args);
    return size == 0 ? 0 : min(n, (int)min(size - 1, (size_t)INT32_MAX));
}

int scnprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vscnprintf(to, size, format, args);
    va_end(args);
    return n;
}
