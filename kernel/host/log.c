/* kernel/host/log.c: the log's way out, and the image that reports take their names from. */
#include "host/log.h"

#include "host/border.h"
#include "self/self.h"

#define IMAGE_MAX (64UL << 20)

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
    size_t told = 0;
    const void *image = target_symbols(&told);
    uintptr_t start = (uintptr_t)image;

    *size = 0;
    if (!image || !BORDER(symbols_size, told <= IMAGE_MAX) ||
        !BORDER(symbols_place, start % sizeof(u64) == 0 && start + told >= start))
        return NULL;
    *size = told;
    return image;
}
