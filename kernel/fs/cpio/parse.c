/*
 * kernel/fs/cpio/parse.c: headers and names of the newc form of cpio(5), from an archive that may
 * lie.
 */
#include "fs/cpio/parse.h"

#include "base/string.h"

#include <linux/limits.h>
#include <linux/stat.h>

/* Eight hexadecimal digits of either case; no sign, no blank. */
static bool parse_field(const char *text, u32 *out)
{
    u32 value = 0;

    for (int i = 0; i < 8; i++) {
        char c = text[i];
        u32 digit;

        if (c >= '0' && c <= '9')
            digit = (u32)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (u32)((c | 32) - 'a') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static bool type_exists(u32 mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return mode <= 0177777;
    default:
        return false;
    }
}

int cpio_parse_header(const char header[CPIO_HEADER], struct cpio_entry *out)
{
    u32 fields[13];

    if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
        return -EINVAL;
    for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
        if (!parse_field(header + 6 + 8 * i, &fields[i]))
            return -EINVAL;
    *out = (struct cpio_entry){
        .ino = fields[0],
        .mode = fields[1],
        .uid = fields[2],
        .gid = fields[3],
        .nlink = fields[4],
        .mtime = fields[5],
        .size = fields[6],
        .dev_major = fields[7],
        .dev_minor = fields[8],
        .rdev_major = fields[9],
        .rdev_minor = fields[10],
        .name_size = fields[11],
        .check = fields[12],
    };
    if (out->name_size == 0 || out->name_size > CPIO_NAME_MAX)
        return -EINVAL;
    /* The trailer's mode is 0. */
    return out->mode == 0 || type_exists(out->mode) ? 0 : -EINVAL;
}

int cpio_clean_name(char *name, size_t size)
{
    char *to = name, *from = name;

    if (size == 0 || memchr(name, '\0', size) != name + size - 1)
        return -EINVAL;
    while (*from) {
        size_t len = 0;

        while (from[len] && from[len] != '/')
            len++;
        if (len > NAME_MAX || (len == 2 && from[0] == '.' && from[1] == '.'))
            return -EINVAL;
        if (len > 0 && !(len == 1 && *from == '.')) {
            if (to > name)
                *to++ = '/';
            memmove(to, from, len);
            to += len;
        }
        from += len;
        if (*from)
            from++;
    }
    *to = '\0';
    return 0;
}
