/* kernel/base/fmt.c: printf(3)-style formatting into a buffer. */
#include "base/fmt.h"
#include "base/string.h"

/* 64 bits in octal are 22 digits. */
#define DIGITS_MAX 22

/* Where the text goes. pos counts on beyond the end of the buffer. */
struct out {
    char *buf;
    size_t size;
    size_t pos;
};

/* One conversion: %[flags][width][.precision][length]conv. */
struct spec {
    bool left, zero, alt, plus, space;
    int width;
    int precision; /* -1: none given */
    int length;    /* bytes of an integer argument */
    char conv;
};

static void out_char(struct out *out, char c)
{
    if (out->pos < out->size)
        out->buf[out->pos] = c;
    out->pos++;
}

static void out_fill(struct out *out, char c, size_t n)
{
    if (out->pos < out->size)
        memset(out->buf + out->pos, c, MIN(n, out->size - out->pos));
    out->pos += n;
}

static void out_text(struct out *out, const char *text, size_t len)
{
    if (out->pos < out->size)
        memcpy(out->buf + out->pos, text, MIN(len, out->size - out->pos));
    out->pos += len;
}

static size_t padding(const struct spec *spec, size_t len)
{
    size_t width = (size_t)spec->width;

    return width > len ? width - len : 0;
}

static void out_padded(struct out *out, const struct spec *spec, const char *text, size_t len)
{
    size_t pad = padding(spec, len);

    if (!spec->left)
        out_fill(out, ' ', pad);
    out_text(out, text, len);
    if (spec->left)
        out_fill(out, ' ', pad);
}

/* Fills buf from its end and returns the first digit; zero has no digits here. */
static char *digits(char *end, u64 value, unsigned int base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value; value /= base)
        *--end = set[value % base];
    return end;
}

static void out_number(struct out *out, const struct spec *spec, u64 value, const char *sign)
{
    unsigned int base = 10;
    char buf[DIGITS_MAX];

    if (spec->conv == 'x' || spec->conv == 'X' || spec->conv == 'p')
        base = 16;
    else if (spec->conv == 'o')
        base = 8;

    char *end = buf + sizeof buf;
    char *text = digits(end, value, base, spec->conv == 'X');
    size_t len = (size_t)(end - text);

    const char *prefix = sign;
    if (spec->conv == 'p' || (base == 16 && spec->alt && value))
        prefix = spec->conv == 'X' ? "0X" : "0x";

    /* The precision is the least number of digits; without one it is 1, so that zero shows. */
    size_t want = spec->precision < 0 ? 1 : (size_t)spec->precision;
    size_t zeros = want > len ? want - len : 0;
    if (base == 8 && spec->alt && zeros == 0)
        zeros = 1;

    size_t pad = padding(spec, strlen(prefix) + zeros + len);
    if (spec->zero && !spec->left && spec->precision < 0) {
        zeros += pad;
        pad = 0;
    }
    if (!spec->left)
        out_fill(out, ' ', pad);
    out_text(out, prefix, strlen(prefix));
    out_fill(out, '0', zeros);
    out_text(out, text, len);
    if (spec->left)
        out_fill(out, ' ', pad);
}

static void out_signed(struct out *out, const struct spec *spec, s64 value)
{
    const char *sign = spec->plus ? "+" : spec->space ? " " : "";

    if (value < 0)
        out_number(out, spec, -(u64)value, "-");
    else
        out_number(out, spec, (u64)value, sign);
}

static void out_string(struct out *out, const struct spec *spec, const char *str)
{
    if (!str)
        str = "(null)";
    size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    out_padded(out, spec, str, strnlen(str, max));
}

static const char *parse_flags(struct spec *spec, const char *fmt)
{
    for (;; fmt++) {
        switch (*fmt) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '#':
            spec->alt = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        default:
            return fmt;
        }
    }
}

/* Decimal digits; a value past INT_MAX stays there. */
static const char *parse_count(int *count, const char *fmt)
{
    *count = 0;
    for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
        if (mul_overflow(*count, 10, count) || add_overflow(*count, *fmt - '0', count))
            *count = INT32_MAX;
    }
    return fmt;
}

static const char *parse_length(struct spec *spec, const char *fmt)
{
    spec->length = sizeof(int);
    switch (*fmt) {
    case 'h':
        spec->length = fmt[1] == 'h' ? sizeof(char) : sizeof(short);
        return fmt + (fmt[1] == 'h' ? 2 : 1);
    case 'l':
        spec->length = sizeof(long);
        return fmt + (fmt[1] == 'l' ? 2 : 1);
    case 'z':
    case 't':
    case 'j':
        spec->length = sizeof(long);
        return fmt + 1;
    default:
        return fmt;
    }
}

static s64 narrow_signed(s64 value, int length)
{
    switch (length) {
    case sizeof(char):
        return (s8)value;
    case sizeof(short):
        return (s16)value;
    case sizeof(int):
        return (s32)value;
    default:
        return value;
    }
}

static u64 narrow_unsigned(u64 value, int length)
{
    return length == sizeof(u64) ? value : value & ((1ULL << (8 * length)) - 1);
}

/* va_list is an array type, so a function can only share the caller's through a structure. */
struct args {
    va_list list;
};

static u64 next_integer(struct args *args, const struct spec *spec)
{
    if (spec->length == sizeof(long))
        return va_arg(args->list, u64);
    return (u64)(s64)va_arg(args->list, int);
}

/* Width and precision may be arguments; a negative width means left, a negative precision none. */
static const char *parse_spec(struct spec *spec, const char *fmt, struct args *args)
{
    fmt = parse_flags(spec, fmt);

    if (*fmt == '*') {
        fmt++;
        spec->width = va_arg(args->list, int);
        if (spec->width < 0) {
            spec->left = true;
            spec->width = spec->width == INT32_MIN ? INT32_MAX : -spec->width;
        }
    } else {
        fmt = parse_count(&spec->width, fmt);
    }

    spec->precision = -1;
    if (*fmt == '.') {
        fmt++;
        if (*fmt == '*') {
            fmt++;
            spec->precision = MAX(va_arg(args->list, int), -1);
        } else {
            fmt = parse_count(&spec->precision, fmt);
        }
    }

    fmt = parse_length(spec, fmt);
    spec->conv = *fmt;
    return *fmt ? fmt + 1 : fmt;
}

/* False when the conversion is unknown. */
static bool out_spec(struct out *out, const struct spec *spec, struct args *args)
{
    switch (spec->conv) {
    case 'd':
    case 'i':
        out_signed(out, spec, narrow_signed((s64)next_integer(args, spec), spec->length));
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        out_number(out, spec, narrow_unsigned(next_integer(args, spec), spec->length), "");
        return true;
    case 'p':
        out_number(out, spec, (uintptr_t)va_arg(args->list, void *), "");
        return true;
    case 'c': {
        char c = (char)va_arg(args->list, int);
        out_padded(out, spec, &c, 1);
        return true;
    }
    case 's':
        out_string(out, spec, va_arg(args->list, const char *));
        return true;
    case '%':
        out_char(out, '%');
        return true;
    default:
        return false;
    }
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list list)
{
    struct out out = {.buf = buf, .size = size};
    struct args args;

    va_copy(args.list, list);
    while (*fmt) {
        const char *plain = fmt;
        while (*fmt && *fmt != '%')
            fmt++;
        out_text(&out, plain, (size_t)(fmt - plain));
        if (!*fmt)
            break;

        const char *start = fmt;
        struct spec spec = {0};
        fmt = parse_spec(&spec, fmt + 1, &args);
        if (!out_spec(&out, &spec, &args)) {
            out_text(&out, start, strlen(start));
            break;
        }
    }
    va_end(args.list);

    if (size > 0)
        buf[MIN(out.pos, size - 1)] = '\0';
    return (int)MIN(out.pos, (size_t)INT32_MAX);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return len;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    int len = vsnprintf(buf, size, fmt, args);

    if ((size_t)len < size)
        return len;
    return size > 0 ? (int)(size - 1) : 0;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vscnprintf(buf, size, fmt, args);
    va_end(args);
    return len;
}
