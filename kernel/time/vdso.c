/* kernel/time/vdso.c: see vdso.h; the image comes from vdso/. */
#include "time/vdso.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/clock.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "time/vdso_data.h"

extern const u8 vdso_image_start[], vdso_image_end[];

static struct {
    u64 pages;              /* constant: window offset of the data page, which the image follows */
    u64 len;                /* constant: bytes of the image, whole pages */
    struct vdso_data *data; /* constant */
} vdso;

int vdso_start(void)
{
    size_t size = (size_t)(vdso_image_end - vdso_image_start);
    u8 *memory;

    vdso.len = ALIGN_UP(size, PAGE_SIZE);
    vdso.pages = pages_alloc(PAGE_SIZE + vdso.len, PAGE_SIZE, 0);
    if (vdso.pages == PAGES_NONE)
        return -ENOMEM;
    memory = pages_address(vdso.pages);
    vdso.data = (struct vdso_data *)memory;
    vdso.data->host_clock_gettime = host_vdso_clock_gettime();
    memcpy(memory + PAGE_SIZE, vdso_image_start, size);
    return 0;
}

s64 vdso_map(void)
{
    s64 where = mm_find_free(PAGE_SIZE + vdso.len), err;

    if (where < 0)
        return where;
    err = mm_map_kernel_pages((u64)where, PAGE_SIZE, VM_READ, vdso.pages, "[vvar]");
    if (err >= 0)
        err = mm_map_kernel_pages((u64)where + PAGE_SIZE, vdso.len, VM_READ | VM_EXEC,
                                  vdso.pages + PAGE_SIZE, "[vdso]");
    return err < 0 ? err : where + (s64)PAGE_SIZE;
}

void vdso_realtime_set(void)
{
    if (vdso.data)
        __atomic_store_n(&vdso.data->realtime_set, 1, __ATOMIC_RELAXED);
}
