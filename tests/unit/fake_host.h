/*
 * tests/unit/fake_host.h: the rooms below mm/ for a test of it, on a memory file in the test's own
 * process. Included once, by the test, behind unit.h.
 */
#ifndef UNIT_FAKE_HOST_H
#define UNIT_FAKE_HOST_H

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rename.h"

#include "base/string.h"
#include "base/types.h"
#include "cred/cred.h"
#include "host/host.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "sync/sync.h"

#include <myst/boot.h>

/* As if .data were this large: AddressSanitizer's heap reaches into the window's first pages. */
#define FAKE_DATA   ((1UL << 30) - 123)
#define FAKE_WINDOW ((void *)(MYST_WINDOW_BASE + (1UL << 30)))

/* From now on this many fills succeed, then they fail; -1: all succeed. */
static int fake_host_fills = -1;

static int window_file = -1;
static __thread struct self test_self;

struct self *self(void)
{
    return &test_self;
}

/* Reserves the window and starts the allocators, all new, with this ceiling. */
static inline void fake_host_start(u64 memory_size)
{
    struct boot_info boot = {.data_pages = FAKE_DATA, .memory_size = memory_size};

    window_file = memfd_create("window", MFD_CLOEXEC);
    assert(window_file >= 0 && ftruncate(window_file, (off_t)MYST_WINDOW_SIZE) == 0);
    void *window = mmap(FAKE_WINDOW, MYST_WINDOW_SIZE - (1UL << 30), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, window_file, 1L << 30);
    assert(window == FAKE_WINDOW);
    fake_host_fills = -1;
    pages_init(&boot);
}

static inline void fake_host_stop(void)
{
    munmap(FAKE_WINDOW, MYST_WINDOW_SIZE - (1UL << 30));
    close(window_file);
}

/* Bytes of the window that have memory. */
static inline u64 fake_host_backed(void)
{
    struct stat st;

    assert(fstat(window_file, &st) == 0);
    return (u64)st.st_blocks * 512;
}

int host_pages_fill(u64 offset, u64 len)
{
    if (fake_host_fills == 0)
        return -ENOMEM;
    if (fake_host_fills > 0)
        fake_host_fills--;
    return fallocate(window_file, 0, (off_t)offset, (off_t)len) == 0 ? 0 : -ENOMEM;
}

int host_pages_drop(u64 offset, u64 len)
{
    return fallocate(window_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                     (off_t)len) == 0
               ? 0
               : -ENOMEM;
}

u64 host_pages_seek(u64 offset, u64 len, bool used)
{
    off_t at = lseek(window_file, (off_t)offset, used ? SEEK_DATA : SEEK_HOLE);

    return at < 0 || (u64)at > offset + len ? offset + len : (u64)at;
}

/* The program's pages that the host knows: as many as tests look at, from FAKE_USER on. */
#define FAKE_USER  0x10000000UL
#define FAKE_PAGES 128

static struct fake_page {
    bool mapped, shared;
    int prot;
    u64 window; /* of kernel pages; else 0 */
    u64 id;     /* of anonymous ones: moves with the page */
} fake_pages[FAKE_PAGES];
static u64 fake_next_id = 1;

static inline size_t fake_index(u64 addr, u64 len)
{
    assert(IS_ALIGNED(addr, PAGE_SIZE) && IS_ALIGNED(len, PAGE_SIZE) && len);
    assert(addr >= FAKE_USER && addr + len <= FAKE_USER + FAKE_PAGES * PAGE_SIZE);
    return (addr - FAKE_USER) >> PAGE_SHIFT;
}

#define for_fake_pages(page, addr, len)                                                            \
    for (struct fake_page *page = &fake_pages[fake_index(addr, len)],                              \
                          *end_ = page + (len) / PAGE_SIZE;                                        \
         page < end_; page++)

int host_map_anon(u64 addr, u64 len, int prot)
{
    for_fake_pages(page, addr, len) *page =
        (struct fake_page){.mapped = true, .prot = prot, .id = fake_next_id++};
    return 0;
}

int host_map_pages(u64 addr, u64 len, int prot, u64 window_offset, bool shared)
{
    for_fake_pages(page, addr, len)
    {
        *page = (struct fake_page){
            .mapped = true, .shared = shared, .prot = prot, .window = window_offset};
        window_offset += PAGE_SIZE;
    }
    return 0;
}

int host_map_file(u64 addr, u64 len, int prot, int file, u64 offset)
{
    (void)file, (void)offset;
    return host_map_anon(addr, len, prot);
}

int host_protect(u64 addr, u64 len, int prot)
{
    for_fake_pages(page, addr, len)
    {
        assert(page->mapped);
        page->prot = prot;
    }
    return 0;
}

int host_unmap(u64 addr, u64 len)
{
    for_fake_pages(page, addr, len) *page = (struct fake_page){0};
    return 0;
}

int host_remap(u64 old_addr, u64 old_len, u64 new_addr, u64 new_len)
{
    size_t to = fake_index(new_addr, new_len);

    assert(old_len == new_len);
    for_fake_pages(page, old_addr, old_len)
    {
        assert(page->mapped);
        fake_pages[to++] = *page;
        *page = (struct fake_page){0};
    }
    return 0;
}

int host_discard(u64 addr, u64 len)
{
    for_fake_pages(page, addr, len) page->id = fake_next_id++;
    return 0;
}

int host_resident(u64 addr, u64 len, u8 *out)
{
    for_fake_pages(page, addr, len) *out++ = page->mapped;
    return 0;
}

/* The superuser. */
const struct cred fake_cred = {.cap_effective = UINT64_MAX};

/* User memory is the test's own. */
size_t host_user_read(void *to, u64 from, size_t len)
{
    memcpy(to, (const void *)from, len);
    return 0;
}

size_t host_user_write(u64 to, const void *from, size_t len)
{
    memcpy((void *)to, from, len);
    return 0;
}

size_t host_user_zero(u64 to, size_t len)
{
    memset((void *)to, 0, len);
    return 0;
}

s64 host_user_strlen(u64 from, size_t max)
{
    return (s64)strnlen((const char *)from, max);
}

int host_user_cmpxchg(u64 word, u32 expected, u32 desired, u32 *seen)
{
    __atomic_compare_exchange_n((u32 *)word, &expected, desired, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    *seen = expected;
    return 0;
}

int random_bytes(void *to, size_t n)
{
    return getrandom(to, n, 0) == (ssize_t)n ? 0 : -EIO;
}

/* Locks: tests of one thread need to know only that they are balanced. */
static int held;

void spin_lock(struct spinlock *lock)
{
    assert(lock->word == 0);
    lock->word = 1;
    held++;
}

void spin_unlock(struct spinlock *lock)
{
    assert(lock->word == 1);
    lock->word = 0;
    held--;
}

void mutex_lock(struct mutex *m)
{
    spin_lock(&m->lock);
}

void mutex_unlock(struct mutex *m)
{
    spin_unlock(&m->lock);
}

void sync_assert_unlocked(const char *what)
{
    (void)what;
    assert(held == 0);
}

void sync_assert_no_spinlock(const char *what)
{
    (void)what;
}

void log_print(enum log_level level, const char *room, const char *fmt, ...)
{
    (void)level;
    fprintf(stderr, "%s: %s\n", room, fmt);
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

#endif
