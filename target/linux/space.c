/* Address spaces: host processes, the slots they stand in, and the blanks that wait for an exec. */
#include "faults.h"
#include "frame.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>

#define PAGE_SHIFT 12

static char blank_stacks[MAX_SPACES][BLANK_STACK]
    __attribute__((aligned(64), section(".cold_bss,\"aw\",@nobits#")));

struct target_space *space_new(enum space_state state)
{
    for (int i = 0; i < MAX_SPACES; i++) {
        struct target_space *space = &shared.spaces[i];
        uint32_t expected = SPACE_FREE;

        if (__atomic_load_n(&space->state, __ATOMIC_RELAXED) != SPACE_FREE)
            continue;
        if (__atomic_compare_exchange_n(&space->state, &expected, state, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            space->host_pid = 0;
            space->users = 0;
            space->job_word = 0;
            space->job = NULL;
            return space;
        }
    }
    return NULL;
}

/* Only for a slot whose host process never came to be; others are freed by the supervisor. */
void space_free(struct target_space *space)
{
    __atomic_store_n(&space->state, SPACE_FREE, __ATOMIC_RELEASE);
}

/* A thread leaves: with the last one the host process will end, which the supervisor then expects. */
void space_leave(struct target_space *space)
{
    if (__atomic_sub_fetch(&space->users, 1, __ATOMIC_ACQ_REL) == 0)
        __atomic_store_n(&space->state, SPACE_LEAVING, __ATOMIC_RELEASE);
}

/* --- blanks ------------------------------------------------------------------------------------------- */

/* The life of a blank: on a small stack of its own with all signals blocked, until a thread moves in. */
static void blank_main(void *arg)
{
    struct target_space *space = arg;

    host_process_init();
    space->host_pid = (int32_t)HOST1(__NR_getpid, 0);
    while (__atomic_load_n(&space->job_word, __ATOMIC_ACQUIRE) == 0)
        HOST4(__NR_futex, &space->job_word, FUTEX_WAIT, 0, 0);
    space_enter(space, space->job);
}

static int blank_make(void)
{
    struct target_space *space = space_new(SPACE_USED);
    long pid;

    if (!space)
        return -EAGAIN;
    thread_signals_block();
    pid = host_clone(CLONE_FILES | CLONE_PARENT, blank_stacks[space - shared.spaces] + BLANK_STACK,
                     NULL, blank_main, space);
    thread_signals_open();
    if (pid < 0) {
        space_free(space);
        return (int)pid;
    }
    __atomic_store_n(&space->state, SPACE_BLANK, __ATOMIC_RELEASE);
    return 0;
}

/* The zygote's duty: as many blanks as are wanted. True when it made one. */
bool blanks_refill(void)
{
    int err;

    if (__atomic_load_n(&shared.blanks_ready, __ATOMIC_ACQUIRE) >=
        __atomic_load_n(&shared.blanks_wanted, __ATOMIC_ACQUIRE))
        return false;
    err = blank_make();
    if (err) {
        shared.blank_errno = err;
        __atomic_fetch_add(&shared.blank_failures, 1, __ATOMIC_RELEASE);
        HOST3(__NR_futex, &shared.blank_failures, FUTEX_WAKE, INT32_MAX);
        return false;
    }
    __atomic_fetch_add(&shared.blanks_ready, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&shared.blank_failures, 1, __ATOMIC_RELEASE);
    HOST3(__NR_futex, &shared.blank_failures, FUTEX_WAKE, INT32_MAX);
    return true;
}

static struct target_space *blank_take(void)
{
    for (int i = 0; i < MAX_SPACES; i++) {
        struct target_space *space = &shared.spaces[i];
        uint32_t expected = SPACE_BLANK;

        if (__atomic_load_n(&space->state, __ATOMIC_RELAXED) == SPACE_BLANK &&
            __atomic_compare_exchange_n(&space->state, &expected, SPACE_USED, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            __atomic_fetch_sub(&shared.blanks_ready, 1, __ATOMIC_RELEASE);
            return space;
        }
    }
    return NULL;
}

#define BLANK_TRIES 3 /* failed clones that a caller waits for before it gives up */

int target_space_blank(struct target_space **space)
{
    uint32_t seen = __atomic_load_n(&shared.blank_failures, __ATOMIC_ACQUIRE);
    int failed = 0;

    FAULT(EAGAIN, ENOMEM);
    while (!(*space = blank_take())) {
        target_service_wake();
        HOST4(__NR_futex, &shared.blank_failures, FUTEX_WAIT, seen, 0);
        uint32_t now = __atomic_load_n(&shared.blank_failures, __ATOMIC_ACQUIRE);
        if (now != seen && shared.blanks_ready == 0 && shared.blank_errno &&
            ++failed >= BLANK_TRIES)
            return -EAGAIN;
        seen = now;
    }
    target_service_wake();
    return 0;
}

void target_space_discard(struct target_space *space)
{
    __atomic_store_n(&space->state, SPACE_BLANK, __ATOMIC_RELEASE);
    __atomic_fetch_add(&shared.blanks_ready, 1, __ATOMIC_RELEASE);
}

/* --- what a space has in memory: the host's /proc/PID/pagemap ---------------------------------------------- */

#define PAGE_PRESENT  (1UL << 63)
#define PAGE_SHARED   (1UL << 61) /* of a file, or anonymous memory that is shared */
#define PAGEMAP_WORDS 448         /* looked at in one go */

static int pagemap_open(int32_t pid)
{
    static const char before[] = "/proc/", behind[] = "/pagemap";
    char path[sizeof(before) + 10 + sizeof(behind)], *at = path + sizeof(path);

    for (size_t i = sizeof(behind); i > 0; i--)
        *--at = behind[i - 1];
    do {
        *--at = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid > 0);
    for (size_t i = sizeof(before) - 1; i > 0; i--)
        *--at = before[i - 1];
    return (int)HOST4(__NR_openat, AT_FDCWD, at, O_RDONLY | O_CLOEXEC, 0);
}

static int pagemap_count(int file, struct target_residence *range)
{
    uint64_t words[PAGEMAP_WORDS];
    size_t page = range->addr >> PAGE_SHIFT, end = (range->addr + range->len) >> PAGE_SHIFT;

    range->own = range->shared = 0;
    while (page < end) {
        size_t want = end - page < PAGEMAP_WORDS ? end - page : PAGEMAP_WORDS;
        long n = HOST4(__NR_pread64, file, words, want * sizeof(*words), page * sizeof(*words));

        if (n <= 0)
            return (int)n;
        n /= (long)sizeof(*words);
        for (long i = 0; i < n; i++) {
            range->own += (words[i] & (PAGE_PRESENT | PAGE_SHARED)) == PAGE_PRESENT;
            range->shared +=
                (words[i] & (PAGE_PRESENT | PAGE_SHARED)) == (PAGE_PRESENT | PAGE_SHARED);
        }
        page += (size_t)n;
    }
    return 0;
}

int target_space_resident(struct target_space *space, struct target_residence *ranges, size_t n)
{
    int file = pagemap_open(space->host_pid), err = 0;

    if (file < 0)
        return file;
    for (size_t i = 0; i < n && !err; i++)
        err = pagemap_count(file, &ranges[i]);
    HOST1(__NR_close, file);
    return err;
}

/* --- another space's memory ------------------------------------------------------------------------------ */

struct host_iovec {
    void *base;
    size_t len;
};

static int64_t space_copy(long nr, struct target_space *space, void *local, uintptr_t remote,
                          size_t len)
{
    struct host_iovec here = {local, len}, there = {(void *)remote, len};

    return HOST6(nr, space->host_pid, &here, 1, &there, 1, 0);
}

int64_t target_space_peek(struct target_space *space, void *to, uintptr_t from, size_t len)
{
    FAULT(EFAULT, ENOMEM);
    return space_copy(__NR_process_vm_readv, space, to, from, FAULT_SHORT(len));
}

int64_t target_space_poke(struct target_space *space, uintptr_t to, const void *from, size_t len)
{
    FAULT(EFAULT, ENOMEM);
    return space_copy(__NR_process_vm_writev, space, (void *)from, to, FAULT_SHORT(len));
}
