/* kernel/host/random.c: entropy of the target. */
#include "base/errno.h"
#include "host/host.h"

#include <myst/target.h>

int random_bytes(void *to, size_t n)
{
    return target_random(to, n) == 0 ? 0 : -EIO;
}
