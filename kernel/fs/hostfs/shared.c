/*
 * kernel/fs/hostfs/shared.c: host files that programs map shared and writable.
 *
 * The host's pages cannot be shared among address spaces that only the kernel knows, so such a file
 * is read into a memory object, which is what is mapped. While it lasts, read(2) and write(2) go by
 * it too. What programs have stored is found by a sum kept for each page, and is written to the
 * host by msync, fsync and when the last mapping is gone.
 */
#include "fs/hostfs/internal.h"

#define CHUNK_PAGES     64UL
#define CHUNK           (CHUNK_PAGES * PAGE_SIZE)
#define SIZE_MAX_MAPPED (4UL << 30) /* sums take 2 MiB a GiB; larger files are not mapped shared */

struct hostfs_shared {
    struct memobj *obj; /* constant */
    u64 *sums;          /* inode's lock: of the pages as the host has them */
    u64 pages;          /* inode's lock */
    u32 users;          /* inode's lock: open files that were mapped */
};

/*
 * To find changes by, not to withstand somebody who makes up pages of equal sum: that is his own
 * loss.
 */
static u64 page_sum(const void *page)
{
    const u64 *words = page;
    u64 sum = 0;

    for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
        sum ^= sum >> 29;
    }
    return sum;
}

/* Bytes of the object; what lies behind its end reads as zeros. */
static int object_read(struct memobj *obj, char *buf, size_t n, u64 offset)
{
    u64 size = memobj_size(obj);
    size_t have = offset < size ? (size_t)MIN((u64)n, size - offset) : 0;
    struct iter it;
    ssize_t got = 0;

    iter_init_kernel(&it, false, buf, have);
    if (have)
        got = memobj_read(obj, &it, offset, have);
    if (got < 0)
        return (int)got;
    memset(buf + got, 0, n - (size_t)got);
    return 0;
}

static int object_write(struct memobj *obj, char *buf, size_t n, u64 offset)
{
    struct iter it;
    ssize_t put;

    iter_init_kernel(&it, true, buf, n);
    put = memobj_write(obj, &it, offset, n);
    if (put < 0)
        return (int)put;
    return put == (ssize_t)n ? 0 : -ENOSPC;
}

/* Room for the sums of a file of this size; new pages are zeros. */
static int sums_resize(struct hostfs_shared *shared, u64 size)
{
    static const u64 zeros[PAGE_SIZE / sizeof(u64)];
    u64 pages = DIV_ROUND_UP(size, PAGE_SIZE), zero_sum = page_sum(zeros);
    u64 *sums;

    if (size > SIZE_MAX_MAPPED)
        return -EFBIG;
    sums = krealloc(shared->sums, (pages + 1) * sizeof(*sums));
    if (!sums)
        return -ENOMEM;
    for (u64 page = shared->pages; page < pages; page++)
        sums[page] = zero_sum;
    shared->sums = sums;
    shared->pages = pages;
    return 0;
}

/* ---- between the host and the object ---- */

static int fill_chunk(struct hostfs_shared *shared, int file, char *buf, u64 offset)
{
    size_t have = 0;

    while (have < CHUNK) {
        s64 got = host_file_read(file, buf + have, CHUNK - have, offset + have);

        if (got < 0 && got != -EINTR)
            return (int)got;
        if (got == 0)
            break;
        have += got > 0 ? (size_t)got : 0;
    }
    if (have == 0)
        return 0;
    memset(buf + have, 0, CHUNK - have);
    for (u64 page = 0; page * PAGE_SIZE < have && offset / PAGE_SIZE + page < shared->pages; page++)
        shared->sums[offset / PAGE_SIZE + page] = page_sum(buf + page * PAGE_SIZE);
    return object_write(shared->obj, buf, have, offset);
}

static int fill(struct hostfs_shared *shared, int file, u64 size)
{
    char *buf = kmalloc(CHUNK);
    int err = buf ? sums_resize(shared, size) : -ENOMEM;

    for (u64 offset = 0; !err && offset < size; offset += CHUNK) {
        s64 data = host_file_seek(file, offset, SEEK_DATA);

        if (data == -ENXIO)
            break;
        if (data > 0)
            offset = ALIGN_DOWN((u64)data, CHUNK);
        err = fill_chunk(shared, file, buf, offset);
    }
    kfree(buf);
    return err ? err : memobj_truncate(shared->obj, size);
}

static int write_run(int file, const char *buf, size_t n, u64 offset)
{
    while (n > 0) {
        s64 put = host_file_write(file, buf, n, offset);

        if (put == 0)
            return -EIO;
        if (put < 0 && put != -EINTR)
            return (int)put;
        if (put > 0) {
            buf += put;
            offset += (u64)put;
            n -= (size_t)put;
        }
    }
    return 0;
}

/* The changed pages of a chunk, neighbours in one call. */
static int write_chunk(struct hostfs_shared *shared, int file, char *buf, u64 offset, u64 size)
{
    u64 first = offset / PAGE_SIZE, count = MIN(CHUNK_PAGES, shared->pages - first);

    for (u64 at = 0; at < count;) {
        u64 run = at, end;
        int err;

        while (run < count && page_sum(buf + run * PAGE_SIZE) != shared->sums[first + run])
            run++;
        if (run == at) {
            at++;
            continue;
        }
        end = MIN(offset + run * PAGE_SIZE, size);
        err = write_run(file, buf + at * PAGE_SIZE, end - (offset + at * PAGE_SIZE),
                        offset + at * PAGE_SIZE);
        if (err)
            return err;
        for (; at < run; at++)
            shared->sums[first + at] = page_sum(buf + at * PAGE_SIZE);
    }
    return 0;
}

static int write_back_locked(struct hostfs_shared *shared, int file, u64 start, u64 end)
{
    char *buf = kmalloc(CHUNK);
    u64 size = memobj_size(shared->obj);
    int err = buf ? 0 : -ENOMEM;

    end = MIN(end, size);
    for (u64 offset = ALIGN_DOWN(start, CHUNK); !err && offset < end; offset += CHUNK) {
        err = object_read(shared->obj, buf, CHUNK, offset);
        if (!err)
            err = write_chunk(shared, file, buf, offset, size);
    }
    kfree(buf);
    return err;
}

/* ---- the face to file.c ---- */

/* A file that is mapped so is open for reading and writing. */
static int mapped_host(struct inode *inode)
{
    return hostfs_handle_file(inode, FILE_READ | FILE_WRITE);
}

int hostfs_shared_map(struct file *file, struct memobj **out)
{
    int host = mapped_host(file->inode);
    struct hostfs_inode *own = hostfs_inode(file->inode);
    struct hostfs_shared *shared;
    struct host_stat st;
    int err = 0;

    inode_lock(file->inode);
    shared = own->shared;
    if (!shared) {
        shared = kzalloc(sizeof(*shared));
        if (shared)
            shared->obj = memobj_create();
        err = shared && shared->obj ? host_file_stat(host, "", &st) : -ENOMEM;
        if (!err)
            err = fill(shared, host, st.size);
        if (err)
            hostfs_shared_free(shared);
        else
            __atomic_store_n(&own->shared, shared, __ATOMIC_RELEASE);
    }
    if (!err) {
        *out = memobj_get(shared->obj);
        if (!((uintptr_t)file->private & HOSTFS_MAPPED)) {
            file->private = (void *)((uintptr_t)file->private | HOSTFS_MAPPED);
            shared->users++;
        }
    }
    inode_unlock(file->inode);
    return err;
}

void hostfs_shared_free(struct hostfs_shared *shared)
{
    if (!shared)
        return;
    if (shared->obj)
        memobj_put(shared->obj);
    kfree(shared->sums);
    kfree(shared);
}

int hostfs_shared_sync(struct inode *inode, u64 start, u64 end)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    int err = 0;

    if (!READ_ONCE(own->shared))
        return 0;
    inode_lock(inode);
    if (own->shared)
        err = write_back_locked(own->shared, mapped_host(inode), start, end);
    inode_unlock(inode);
    return err;
}

/* A file that was mapped is closed. The object goes with the last one. */
int hostfs_shared_close(struct inode *inode)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct hostfs_shared *shared;
    int err;

    inode_lock(inode);
    shared = own->shared;
    err = write_back_locked(shared, mapped_host(inode), 0, UINT64_MAX);
    if (--shared->users == 0)
        __atomic_store_n(&own->shared, NULL, __ATOMIC_RELEASE);
    else
        shared = NULL;
    inode_unlock(inode);
    hostfs_shared_free(shared);
    return err;
}

struct memobj *hostfs_shared_get(struct inode *inode)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct memobj *obj = NULL;

    if (likely(!READ_ONCE(own->shared)))
        return NULL;
    inode_lock(inode);
    if (own->shared)
        obj = memobj_get(own->shared->obj);
    inode_unlock(inode);
    return obj;
}

/*
 * The host has new bytes in a range: they go into the object too. Pages that were not changed stay
 * so.
 */
static int take_over_page(struct hostfs_shared *shared, int file, char *buf, u64 start, u64 end)
{
    u64 page = start / PAGE_SIZE;
    bool clean;
    s64 got;
    int err = object_read(shared->obj, buf, PAGE_SIZE, page * PAGE_SIZE);

    if (err)
        return err;
    clean = page_sum(buf) == shared->sums[page];
    got = host_file_read(file, buf, end - start, start);
    if (got != (s64)(end - start))
        return got < 0 ? (int)got : -EIO;
    err = object_write(shared->obj, buf, end - start, start);
    if (!err && clean) {
        err = object_read(shared->obj, buf, PAGE_SIZE, page * PAGE_SIZE);
        shared->sums[page] = page_sum(buf);
    }
    return err;
}

int hostfs_shared_wrote(struct inode *inode, u64 start, u64 end)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct hostfs_shared *shared;
    char *buf;
    int err = 0;

    if (likely(!READ_ONCE(own->shared)))
        return 0;
    buf = kmalloc(PAGE_SIZE);
    if (!buf)
        return -ENOMEM;
    inode_lock(inode);
    shared = own->shared;
    if (shared && end > memobj_size(shared->obj))
        err = sums_resize(shared, end);
    while (!err && shared && start < end) {
        u64 stop = MIN(ALIGN_DOWN(start, PAGE_SIZE) + PAGE_SIZE, end);

        err = take_over_page(shared, mapped_host(inode), buf, start, stop);
        start = stop;
    }
    inode_unlock(inode);
    kfree(buf);
    return err;
}

/* Around a change of the size on the host; the inode's lock is held. */
int hostfs_shared_resize_locked(struct inode *inode, u64 size)
{
    struct hostfs_shared *shared = hostfs_inode(inode)->shared;
    char *buf;
    int err;

    if (!shared)
        return 0;
    err = write_back_locked(shared, mapped_host(inode), 0, size);
    if (!err)
        err = memobj_truncate(shared->obj, size);
    if (!err)
        err = sums_resize(shared, size);
    if (err || !(size % PAGE_SIZE))
        return err;
    /* The last page is cut in the object and on the host alike. */
    buf = kmalloc(PAGE_SIZE);
    if (!buf)
        return -ENOMEM;
    err = object_read(shared->obj, buf, PAGE_SIZE, ALIGN_DOWN(size, PAGE_SIZE));
    if (!err)
        shared->sums[shared->pages - 1] = page_sum(buf);
    kfree(buf);
    return err;
}
