/* kernel/fs/cpio/parse.h: the newc form of cpio(5): bytes only. */
#ifndef CPIO_PARSE_H
#define CPIO_PARSE_H

#include "base/errno.h"
#include "base/types.h"

#define CPIO_HEADER   110
#define CPIO_NAME_MAX 4096 /* PATH_MAX, the zero included */
#define CPIO_TRAILER  "TRAILER!!!"

struct cpio_entry {
    u32 ino, mode, uid, gid, nlink, mtime, size;
    u32 dev_major, dev_minor, rdev_major, rdev_minor;
    u32 name_size; /* the zero included: 1 to CPIO_NAME_MAX */
    u32 check;
};

/* 0 or -EINVAL: not a header of this form, or one that no archive has. */
int cpio_parse_header(const char header[CPIO_HEADER], struct cpio_entry *out);

/*
 * Makes "a/b" of a name of size bytes, in place: no slash at the ends, no "." in it; "" is the
 * root. -EINVAL: it is not ended where it should be, has a ".." or a component that is too long.
 */
int cpio_clean_name(char *name, size_t size);

/* Headers and data begin at multiples of four from the archive's start. */
static inline u64 cpio_align(u64 offset)
{
    return ALIGN_UP(offset, (u64)4);
}

#endif
