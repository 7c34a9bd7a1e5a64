/* kernel/host/log.c: the log's way out, and the image that reports take their names from. */
#include "host/log.h"

#include "self/self.h"

void host_log(const char *text, size_t len)
{
    target_log(text, len);
}

void host_panic(void)
{
    target_panic();
}

const void *host_symbols(size_t *size)
{
    const void *image;

    *size = 0;
    image = target_symbols(size);
    if (!image || (uintptr_t)image % sizeof(u64) || (uintptr_t)image + *size < (uintptr_t)image)
        return NULL;
    return image;
}
