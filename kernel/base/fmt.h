/*
 * kernel/base/fmt.h: printf(3)-style formatting into a buffer.
 *
 * Conversions: d i u x X o c s p and %. Flags: - 0 # + and space. Width and precision, also as *.
 * Lengths: hh h l ll z t j. No floating point, no %n, no wide characters, no positions (%1$d): an
 * unknown conversion is printed as it stands and ends the formatting, because the types of the
 * arguments that follow are no longer known.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include "base/types.h"

/*
 * Writes at most size bytes, the ending zero included. Returns the length of the whole result, as
 * if size had been enough.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* The same, but the result is the number of bytes in buf without the zero: buf + result is valid. */
int vscnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
