/* kernel/host/random.c: entropy of the target. */
#include "base/errno.h"
#include "host/border.h"
#include "host/host.h"

#include <myst/target.h>

int random_bytes(void *to, size_t n)
{
    int err;

    BORDER_CLEAR(random_cleared, to, n);
    err = target_random(to, n);
    return BORDER(random_result, err == 0) ? err : -EIO;
}
