/* kernel/syscall/decode_types.c: prints the memory that a call's pointers point to. */
#include <linux/in.h>

#include "abi/unexported.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "syscall/internal.h"
#include "syscall_types.h"

/* strace's own measures: bytes of a string, elements of an array. */
#define STRING_SHOWN        32
#define ARRAY_SHOWN         16
#define ENVIRONMENT_COUNTED 10000
#define ELEMENT_MAX         512

static void put_char(struct decoding *d, u8 c, u8 next)
{
    static const char escapes[] = "\t\n\v\f\r";

    if (c == '"' || c == '\\')
        decode_put(d, "\\%c", c);
    else if (c >= '\t' && c <= '\r')
        decode_put(d, "\\%c", "tnvfr"[strchr(escapes, c) - escapes]);
    else if (c >= ' ' && c < 0x7f)
        decode_put(d, "%c", c);
    else /* a digit behind a short octal number would belong to it */
        decode_put(d, next >= '0' && next <= '7' ? "\\%03o" : "\\%o", c);
}

static void put_quoted(struct decoding *d, const u8 *bytes, size_t len, bool more)
{
    decode_put(d, "\"");
    for (size_t i = 0; i < len; i++)
        put_char(d, bytes[i], i + 1 < len ? bytes[i + 1] : 0);
    decode_put(d, more ? "\"..." : "\"");
}

void decode_bytes(struct decoding *d, u64 addr, size_t len)
{
    size_t shown = MIN(len, (size_t)STRING_SHOWN);
    u8 bytes[STRING_SHOWN];

    if (!addr || copy_from_user(bytes, (const void __user *)addr, shown))
        decode_addr(d, addr);
    else
        put_quoted(d, bytes, shown, len > shown);
}

/* Paths are shown as far as the line goes, as strace does. */
void decode_string(struct decoding *d, u64 addr)
{
    char text[256];
    ssize_t len = addr ? strncpy_from_user(text, (const char __user *)addr, sizeof text) : -1;

    if (len < 0)
        decode_addr(d, addr);
    else
        put_quoted(d, (const u8 *)text, (size_t)len, len == (ssize_t)sizeof text);
}

void decode_strings(struct decoding *d, u64 addr)
{
    if (!addr) {
        decode_addr(d, addr);
        return;
    }
    decode_put(d, "[");
    for (u32 i = 0;; i++) {
        u64 string;

        if (copy_from_user(&string, (const void __user *)(addr + i * sizeof string), 8)) {
            decode_put(d, "%s%#llx", i ? ", " : "", (unsigned long long)addr);
            break;
        }
        if (!string)
            break;
        decode_put(d, "%s", i ? ", " : "");
        if (i == ARRAY_SHOWN) {
            decode_put(d, "...");
            break;
        }
        decode_string(d, string);
    }
    decode_put(d, "]");
}

void decode_environment(struct decoding *d, u64 addr)
{
    u64 string = 0;
    u32 count = 0;

    decode_addr(d, addr);
    while (addr && count < ENVIRONMENT_COUNTED &&
           !copy_from_user(&string, (const void __user *)(addr + count * sizeof(string)), 8) &&
           string)
        count++;
    if (addr && !string)
        decode_put(d, " /* %u vars */", count);
}

/* select(2): the first `count` bits of longs. */
static void put_fdset(struct decoding *d, u64 addr, size_t count)
{
    const char *blank = "";
    u64 word = 0;

    decode_put(d, "[");
    for (u32 fd = 0; fd < MIN(count, (size_t)1024); fd++) {
        if (fd % 64 == 0 && copy_from_user(&word, (const void __user *)(addr + fd / 8), 8))
            break;
        if (word >> (fd % 64) & 1) {
            decode_put(d, "%s%u", blank, fd);
            blank = " ";
        }
    }
    decode_put(d, "]");
}

static void put_sockaddr(struct decoding *d, u64 addr, size_t len)
{
    union {
        u16 family;
        struct sockaddr_in in;
        char bytes[112];
    } sa = {0};
    size_t have = MIN(len, sizeof sa - 1);
    const u8 *ip = (const u8 *)&sa.in.sin_addr;

    if (have < sizeof sa.family || copy_from_user(&sa, (const void __user *)addr, have)) {
        decode_addr(d, addr);
        return;
    }
    decode_put(d, "{sa_family=");
    decode_enum(d, SET_af, sa.family);
    if (sa.family == AF_UNIX) {
        decode_put(d, ", sun_path=%s", sa.bytes[2] ? "" : "@");
        const char *path = sa.bytes + 2 + (sa.bytes[2] == 0 && have > 2);
        size_t left = have - (size_t)(path - sa.bytes);

        put_quoted(d, (const u8 *)path, sa.bytes[2] ? strnlen(path, left) : left, false);
    } else if (sa.family == AF_INET && have >= sizeof sa.in) {
        decode_put(d, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")",
                   __builtin_bswap16(sa.in.sin_port), ip[0], ip[1], ip[2], ip[3]);
    } else {
        decode_put(d, ", sa_data=");
        put_quoted(d, (const u8 *)sa.bytes + 2, MIN(have - 2, (size_t)14), have > 16);
    }
    decode_put(d, "}");
}

size_t decode_scalar(u32 what)
{
    return pointee_formats[what].scalar ? pointee_formats[what].size : 0;
}

void decode_pointee(struct decoding *d, u32 what, u64 addr, bool array, size_t count, size_t bytes)
{
    const struct pointee_format *format = &pointee_formats[what];
    _Alignas(8) char element[ELEMENT_MAX];
    bool brackets = array || format->scalar;

    if (what == POINTEE_fdset) {
        put_fdset(d, addr, count);
        return;
    }
    if (what == POINTEE_sockaddr) {
        put_sockaddr(d, addr, bytes);
        return;
    }
    if (!format->put || bytes < format->size) {
        decode_addr(d, addr);
        return;
    }

    decode_put(d, "%s", brackets ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        decode_put(d, "%s", i ? ", " : "");
        if (i == ARRAY_SHOWN) {
            decode_put(d, "...");
            break;
        }
        if (copy_from_user(element, (const void __user *)(addr + i * format->size), format->size)) {
            decode_addr(d, addr);
            break;
        }
        format->put(d, element);
    }
    decode_put(d, "%s", brackets ? "]" : "");
}

/* "[before => after]" */
void decode_changed(struct decoding *d, u32 what, const u64 *before, const u64 *after)
{
    const struct pointee_format *format = &pointee_formats[what];

    decode_put(d, "[");
    format->put(d, before);
    if (memcmp(before, after, format->size) != 0) {
        decode_put(d, " => ");
        format->put(d, after);
    }
    decode_put(d, "]");
}
