/* The calling thread's address space, kernel memory, and waiting: host calls and nothing else. */
#include "faults.h"

#include <asm/errno.h>
#include <linux/mman.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>

#define HOST_PROT(prot) (prot) /* TARGET_PROT_* have the host's values */
_Static_assert(TARGET_PROT_READ == PROT_READ && TARGET_PROT_WRITE == PROT_WRITE &&
                   TARGET_PROT_EXEC == PROT_EXEC,
               "protections");

static int map(uintptr_t addr, size_t len, int prot, int flags, int file, uint64_t offset)
{
    long got = HOST6(__NR_mmap, addr, len, prot, flags | MAP_FIXED, file, offset);

    return got < 0 ? (int)got : 0;
}

int target_map_anon(uintptr_t addr, size_t len, int prot)
{
    FAULT(ENOMEM, EAGAIN);
    return map(addr, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int target_map_pages(uintptr_t addr, size_t len, int prot, uint64_t offset, bool is_shared)
{
    FAULT(ENOMEM, EAGAIN);
    return map(addr, len, prot, (is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE,
               shared.window_file, offset);
}

int target_map_file(uintptr_t addr, size_t len, int prot, int file, uint64_t offset)
{
    FAULT(ENOMEM, EAGAIN, EACCES);
    return map(addr, len, prot, MAP_PRIVATE | MAP_NORESERVE, file, offset);
}

int target_protect(uintptr_t addr, size_t len, int prot)
{
    FAULT(ENOMEM);
    return (int)HOST3(__NR_mprotect, addr, len, prot);
}

int target_unmap(uintptr_t addr, size_t len)
{
    FAULT(ENOMEM);
    return (int)HOST2(__NR_munmap, addr, len);
}

int target_remap(uintptr_t old, size_t old_len, uintptr_t new_addr, size_t new_len)
{
    long got;

    FAULT(ENOMEM, EAGAIN);
    got =
        HOST5(__NR_mremap, old, old_len, new_len, 3 /* MREMAP_MAYMOVE | MREMAP_FIXED */, new_addr);

    return got < 0 ? (int)got : 0;
}

int target_advise(uintptr_t addr, size_t len, int advice)
{
    FAULT(ENOMEM, EAGAIN);
    return advice == TARGET_ADVISE_DISCARD ? (int)HOST3(__NR_madvise, addr, len, MADV_DONTNEED)
                                           : -EINVAL;
}

int target_resident(uintptr_t addr, size_t len, uint8_t *out)
{
    FAULT(ENOMEM, EAGAIN);
    return (int)HOST3(__NR_mincore, addr, len, out);
}

/*
 * What is asked for as a whole huge page becomes one where the host agrees: then each process that touches it
 * faults once, not 512 times.
 */
int target_pages_fill(uint64_t offset, uint64_t len)
{
    FAULT(ENOMEM);
    return (int)HOST4(__NR_fallocate, shared.window_file, 0, offset, len);
}

int target_pages_drop(uint64_t offset, uint64_t len)
{
    FAULT(ENOMEM);
    return (int)HOST4(__NR_fallocate, shared.window_file,
                      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
}

uint64_t target_pages_seek(uint64_t offset, uint64_t len, bool used)
{
    int64_t at = HOST3(__NR_lseek, shared.window_file, offset, used ? SEEK_DATA : SEEK_HOLE);

    return at < (int64_t)offset || (uint64_t)at > offset + len ? offset + len : (uint64_t)at;
}

struct host_timespec {
    int64_t sec, nsec;
};

static struct host_timespec timespec_of(int64_t ns)
{
    return (struct host_timespec){ns / 1000000000, ns % 1000000000};
}

int target_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct host_timespec until = timespec_of(deadline);
    long err;

    if (FAULT_HAPPENS())
        return 0;
    err = HOST6(__NR_futex, word, FUTEX_WAIT_BITSET, expected,
                deadline == TARGET_FOREVER ? NULL : &until, 0, FUTEX_BITSET_MATCH_ANY);

    return err == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

void target_wake(const uint32_t *word, uint32_t n)
{
    FAULT_DELAY();
    HOST3(__NR_futex, word, FUTEX_WAKE, n);
}
