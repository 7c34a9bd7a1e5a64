/*
 * kernel/base/parse.h: numbers in strings, with an error code for everything that is not one.
 *
 * base is 2 to 36, or 0: then "0x" means 16, a leading "0" means 8, and anything else 10. No blanks
 * are skipped. When an error is returned *value is unchanged.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/types.h"

/* The whole string is the number: 0, -EINVAL (no number, or more than it), -ERANGE. */
long strtou64(const char *str, unsigned int base, u64 *value) __must_check;
long strtos64(const char *str, unsigned int base, s64 *value) __must_check;
long strtou32(const char *str, unsigned int base, u32 *value) __must_check;
long strtos32(const char *str, unsigned int base, s32 *value) __must_check;

/*
 * The number at the start of len bytes that need no ending zero: the count of bytes it takes,
 * -EINVAL when there is no digit, or -ERANGE. The second allows a sign.
 */
long parse_u64(const char *text, size_t len, unsigned int base, u64 *value) __must_check;
long parse_s64(const char *text, size_t len, unsigned int base, s64 *value) __must_check;

/* A number with an optional K, M, G, T, P or E (powers of 1024, either case), as strtou64. */
long strtosize(const char *str, u64 *value) __must_check;

#endif
