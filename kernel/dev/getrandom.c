/* kernel/dev/getrandom.c: getrandom(2). */
#include "base/errno.h"
#include "base/string.h"
#include "host/host.h"
#include "mm/uaccess.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/random.h>

#define CHUNK   256U /* moved at a time; up to so much comes whole, whatever signals there are */
#define LONGEST 0x7fffffffUL

/* The host's generator is seeded before any instance runs: nothing here ever blocks. */
long sys_getrandom(void __user *buf, size_t buflen, unsigned int flags)
{
    u8 bytes[CHUNK];
    size_t done = 0;
    int err = 0;

    if (flags & ~(unsigned int)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    buflen = MIN(buflen, LONGEST);
    while (done < buflen && !err) {
        size_t n = MIN(buflen - done, sizeof bytes), moved;

        if (done && self_pending())
            break;
        err = random_bytes(bytes, n);
        if (err)
            break;
        moved = copy_to_user_partial((u8 __user *)buf + done, bytes, n);
        if (moved < n)
            err = -EFAULT;
        done += moved;
    }
    memzero_explicit(bytes, sizeof bytes);
    return done ? (long)done : err;
}
