/* kernel/host/descriptors.c: see descriptors.h. */
#include "host/descriptors.h"

#define CONSOLE_LAST 2
#define WORD_BITS    64

static u64 ours[DESCRIPTORS_MAX / WORD_BITS]; /* atomic words; bit: an open descriptor */

static bool in_range(s64 fd)
{
    return fd > CONSOLE_LAST && fd < DESCRIPTORS_MAX;
}

static u64 bit_of(int fd)
{
    return 1UL << (fd % WORD_BITS);
}

int descriptor_take(enum border_rule range, enum border_rule twice, s64 reply)
{
    int fd = (int)reply;
    bool was_ours;

    if (!border_holds(range, in_range(reply)))
        return -EIO;
    if (!in_range(fd))
        return fd; /* a broken rule must not break the table */
    was_ours = __atomic_fetch_or(&ours[fd / WORD_BITS], bit_of(fd), __ATOMIC_ACQ_REL) & bit_of(fd);
    return border_holds(twice, !was_ours) ? fd : -EIO;
}

bool descriptor_drop(int fd)
{
    return in_range(fd) &&
           (__atomic_fetch_and(&ours[fd / WORD_BITS], ~bit_of(fd), __ATOMIC_ACQ_REL) & bit_of(fd));
}
