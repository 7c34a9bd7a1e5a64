/* kernel/base/parse.c: numbers in strings, with an error code for everything that is not one. */
#include "base/parse.h"
#include "base/errno.h"
#include "base/string.h"

/* The digit's value; for anything else a value that is no digit in any base. */
static unsigned int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned int)(c - 'A') + 10;
    return 255;
}

/* "0x" is a prefix only when a digit follows; else the number is the 0 alone. */
static size_t skip_prefix(const char *text, size_t len, unsigned int *base)
{
    bool hex = len > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' && digit_value(text[2]) < 16;

    if (hex && (*base == 0 || *base == 16)) {
        *base = 16;
        return 2;
    }
    if (*base == 0)
        *base = len > 0 && text[0] == '0' ? 8 : 10;
    return 0;
}

long parse_u64(const char *text, size_t len, unsigned int base, u64 *value)
{
    size_t at = skip_prefix(text, len, &base);
    size_t first = at;
    u64 sum = 0;

    for (; at < len; at++) {
        unsigned int digit = digit_value(text[at]);
        if (digit >= base)
            break;
        if (mul_overflow(sum, base, &sum) || add_overflow(sum, digit, &sum))
            return -ERANGE;
    }
    if (at == first)
        return -EINVAL;
    *value = sum;
    return (long)at;
}

long parse_s64(const char *text, size_t len, unsigned int base, s64 *value)
{
    bool negative = len > 0 && text[0] == '-';
    size_t sign = negative || (len > 0 && text[0] == '+') ? 1 : 0;
    u64 magnitude;

    long used = parse_u64(text + sign, len - sign, base, &magnitude);
    if (used < 0)
        return used;
    if (magnitude > (u64)INT64_MAX + negative)
        return -ERANGE;
    *value = negative ? (s64)-magnitude : (s64)magnitude;
    return used + (long)sign;
}

long strtou64(const char *str, unsigned int base, u64 *value)
{
    u64 parsed;

    long used = parse_u64(str, strlen(str), base, &parsed);
    if (used < 0)
        return used;
    if (str[used])
        return -EINVAL;
    *value = parsed;
    return 0;
}

long strtos64(const char *str, unsigned int base, s64 *value)
{
    s64 parsed;

    long used = parse_s64(str, strlen(str), base, &parsed);
    if (used < 0)
        return used;
    if (str[used])
        return -EINVAL;
    *value = parsed;
    return 0;
}

long strtou32(const char *str, unsigned int base, u32 *value)
{
    u64 wide;

    long err = strtou64(str, base, &wide);
    if (err)
        return err;
    if (wide > UINT32_MAX)
        return -ERANGE;
    *value = (u32)wide;
    return 0;
}

long strtos32(const char *str, unsigned int base, s32 *value)
{
    s64 wide;

    long err = strtos64(str, base, &wide);
    if (err)
        return err;
    if (wide < INT32_MIN || wide > INT32_MAX)
        return -ERANGE;
    *value = (s32)wide;
    return 0;
}

long strtosize(const char *str, u64 *value)
{
    static const char units[] = "kmgtpe";
    u64 number;

    long used = parse_u64(str, strlen(str), 0, &number);
    if (used < 0)
        return used;
    const char *rest = str + used;
    if (*rest) {
        const char *unit = strchr(units, *rest | 0x20);
        if (!unit || rest[1])
            return -EINVAL;
        unsigned int shift = 10 * ((unsigned int)(unit - units) + 1);
        if (mul_overflow(number, 1ULL << shift, &number))
            return -ERANGE;
    }
    *value = number;
    return 0;
}
