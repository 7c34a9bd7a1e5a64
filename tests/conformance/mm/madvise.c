/* madvise.c: madvise(2), mincore(2), mlock(2) and its kin. */
#include "../lib/child.h"

#include <linux/capability.h>
#include <sys/resource.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLD
#define MADV_COLD 20

#endif

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, ANON, -1, 0);

    need(at != MAP_FAILED);
    return at;
}

static long advise(void *at, size_t size, int advice)
{
    return SYS(SYS_madvise, at, size, advice);
}

/* covers: madvise MADV_DONTNEED */
static void dontneed_zeroes_private_anonymous_memory(void **state)
{
    char *at = pages(3);

    (void)state;
    memset(at, 4, 3 * PAGE);
    need_eq(advise(at + PAGE, PAGE, MADV_DONTNEED), 0);
    need(at[PAGE - 1] == 4 && at[PAGE] == 0 && at[2 * PAGE - 1] == 0 && at[2 * PAGE] == 4);
    at[PAGE] = 5;
    need_eq(at[PAGE], 5);
    munmap(at, 3 * PAGE);
}

/* covers: madvise MADV_DONTNEED */
static void dontneed_of_a_private_file_mapping_shows_the_file_again(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    char *at;

    (void)state;
    need_eq(pwrite(fd, "file", 4, 0), 4);
    at = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    need(at != MAP_FAILED);
    at[0] = 'X';
    need_eq(advise(at, PAGE, MADV_DONTNEED), 0);
    need_eq(at[0], 'f');
    munmap(at, PAGE);
    close(fd);
}

/* covers: madvise MADV_DONTNEED */
static void dontneed_leaves_shared_memory_alone(void **state)
{
    char *at = shared_alloc(PAGE);

    (void)state;
    at[0] = 6;
    need_eq(advise(at, PAGE, MADV_DONTNEED), 0);
    need_eq(at[0], 6);
    munmap(at, PAGE);
}

/* covers: madvise MADV_REMOVE */
static void remove_punches_shared_memory(void **state)
{
    char *at = shared_alloc(2 * PAGE);

    (void)state;
    at[0] = at[PAGE] = 6;
    need_eq(advise(at, PAGE, MADV_REMOVE), 0);
    need(at[0] == 0 && at[PAGE] == 6);
    munmap(at, 2 * PAGE);
}

/* covers: madvise EINVAL MADV_REMOVE MADV_FREE */
static void remove_needs_shared_and_free_needs_private_memory(void **state)
{
    char *private = pages(1), *shared = shared_alloc(PAGE);

    (void)state;
    need_eq(advise(private, PAGE, MADV_REMOVE), -EINVAL);
    need_eq(advise(shared, PAGE, MADV_FREE), -EINVAL);
    munmap(private, PAGE);
    munmap(shared, PAGE);
}

/* covers: madvise MADV_FREE */
static void free_keeps_or_zeroes_and_a_later_write_stays(void **state)
{
    char *at = pages(1);

    (void)state;
    at[0] = 7;
    need_eq(advise(at, PAGE, MADV_FREE), 0);
    need(at[0] == 7 || at[0] == 0);
    at[0] = 8;
    need_eq(at[0], 8);
    munmap(at, PAGE);
}

/* covers: madvise MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_COLD */
static void hints_change_no_content(void **state)
{
    static const int hints[] = {MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL,
                                MADV_WILLNEED, MADV_COLD,     MADV_DONTFORK,
                                MADV_DOFORK,   MADV_DONTDUMP, MADV_DODUMP};
    char *at = pages(1);

    (void)state;
    at[0] = 9;
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        need_eq(advise(at, PAGE, hints[i]), 0);
        need_eq(at[0], 9);
    }
    munmap(at, PAGE);
}

/* covers: madvise MADV_POPULATE_READ MADV_POPULATE_WRITE */
static void populate_makes_pages_resident(void **state)
{
    unsigned char core[4] = {0};
    char *at = pages(4);
    long got = advise(at, 4 * PAGE, MADV_POPULATE_WRITE);

    (void)state;
    if (got == -EINVAL) {
        skip_because("MADV_POPULATE_WRITE is not in the running kernel");
    }
    need_eq(got, 0);
    need_eq(advise(at, 4 * PAGE, MADV_POPULATE_READ), 0);
    need_eq(mincore(at, 4 * PAGE, core), 0);
    need((core[0] & 1) && (core[3] & 1));
    need_eq(mprotect(at, PAGE, PROT_READ), 0);
    need(advise(at, PAGE, MADV_POPULATE_WRITE) < 0);
    munmap(at, 4 * PAGE);
}

/* covers: madvise EINVAL */
static void unknown_advice_or_unaligned_address_is_einval(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(advise(at, PAGE, 99), -EINVAL);
    need_eq(advise(at, PAGE, -1), -EINVAL);
    need_eq(advise(at + 1, PAGE, MADV_NORMAL), -EINVAL);
    need_eq(advise(at, -PAGE, MADV_NORMAL), -EINVAL);
    need_eq(advise(at, 0, MADV_DONTNEED), 0);
    munmap(at, PAGE);
}

/* covers: madvise ENOMEM */
static void hole_is_enomem_but_the_rest_is_advised(void **state)
{
    char *at = pages(3);

    (void)state;
    at[0] = at[2 * PAGE] = 1;
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(advise(at, 3 * PAGE, MADV_DONTNEED), -ENOMEM);
    need(at[0] == 0 && at[2 * PAGE] == 0);
    munmap(at, 3 * PAGE);
}

/* covers: mincore */
static void mincore_tells_touched_pages(void **state)
{
    unsigned char core[4];
    char *at = pages(4);

    (void)state;
    memset(core, 0xff, sizeof core);
    at[PAGE] = 1;
    need_eq(SYS(SYS_mincore, at, 4 * PAGE, core), 0);
    need_eq(core[1] & 1, 1);
    need_eq(SYS(SYS_mincore, at, 2 * PAGE + 1, core), 0);
    munmap(at, 4 * PAGE);
}

/* covers: mincore EINVAL ENOMEM EFAULT */
static void mincore_checks_its_arguments(void **state)
{
    unsigned char core[4];
    char *at = pages(3);

    (void)state;
    need_eq(SYS(SYS_mincore, at + 1, PAGE, core), -EINVAL);
    need_eq(SYS(SYS_mincore, at, PAGE, BAD_PTR), -EFAULT);
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(SYS(SYS_mincore, at, 3 * PAGE, core), -ENOMEM);
    need_eq(SYS(SYS_mincore, at + PAGE, PAGE, core), -ENOMEM);
    need_eq(SYS(SYS_mincore, at, 0, core), 0);
    munmap(at, 3 * PAGE);
}

/* covers: mlock munlock mincore */
static void mlock_makes_memory_resident(void **state)
{
    unsigned char core[2] = {0};
    char *at = pages(2);

    (void)state;
    need_eq(SYS(SYS_mlock, at + 5, PAGE), 0);
    need_eq(mincore(at, 2 * PAGE, core), 0);
    need((core[0] & 1) && (core[1] & 1));
    need_eq(SYS(SYS_munlock, at + 5, PAGE), 0);
    munmap(at, 2 * PAGE);
}

/* covers: mlock ENOMEM munlock ENOMEM */
static void mlock_of_unmapped_memory_is_enomem(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(munmap(at, PAGE), 0);
    need_eq(SYS(SYS_mlock, at, PAGE), -ENOMEM);
    need_eq(SYS(SYS_munlock, at, PAGE), -ENOMEM);
}

static int lock_limits(void *arg)
{
    char *at = pages(64);

    (void)arg;
    drop_privileges();
    need_eq(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){16 * PAGE, 16 * PAGE}), 0);
    need_eq(SYS(SYS_mlock, at, 16 * PAGE), 0);
    need_eq(SYS(SYS_mlock, at, 17 * PAGE), -ENOMEM);
    need_eq(SYS(SYS_mlock, at + 16 * PAGE, PAGE), -ENOMEM);
    need_eq(SYS(SYS_munlock, at, 16 * PAGE), 0);
    need_eq(SYS(SYS_mlock, at + 16 * PAGE, PAGE), 0);
    need_errno((long)mmap(NULL, 32 * PAGE, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
    need_eq(SYS(SYS_mlockall, MCL_CURRENT), -ENOMEM);
    need_eq(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}), 0);
    need_eq(SYS(SYS_mlock, at + 40 * PAGE, PAGE), -EPERM);
    need_eq(SYS(SYS_mlockall, MCL_CURRENT), -EPERM);
    need_eq(SYS(SYS_munlockall), 0);
    return 0;
}

/* covers: munlockall mlock ENOMEM EPERM mlockall ENOMEM EPERM MCL_CURRENT mmap EAGAIN MAP_LOCKED */
static void locking_is_limited_without_privilege(void **state)
{
    (void)state;
    child_passes(lock_limits, NULL);
}

/* covers: mlock2 EINVAL MLOCK_ONFAULT */
static void mlock2_takes_onfault_and_no_unknown_flag(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(SYS(SYS_mlock2, at, PAGE, 1), 0);
    need_eq(SYS(SYS_mlock2, at, PAGE, 0), 0);
    need_eq(SYS(SYS_mlock2, at, PAGE, 2), -EINVAL);
    munmap(at, PAGE);
}

/* covers: mlockall EINVAL */
static void mlockall_checks_its_flags(void **state)
{
    (void)state;
    need_eq(SYS(SYS_mlockall, 0), -EINVAL);
    need_eq(SYS(SYS_mlockall, 8), -EINVAL);
    need_eq(SYS(SYS_mlockall, MCL_ONFAULT), -EINVAL);
}

static int lock_future(void *arg)
{
    unsigned char core = 0;
    char *at;

    (void)arg;
    need_eq(SYS(SYS_mlockall, MCL_CURRENT | MCL_FUTURE), 0);
    at = pages(1);
    need_eq(mincore(at, PAGE, &core), 0);
    need_eq(core & 1, 1);
    need_eq(SYS(SYS_munlockall), 0);
    return 0;
}

/* covers: munlockall mlockall MCL_FUTURE MCL_CURRENT */
static void mcl_future_makes_new_mappings_resident(void **state)
{
    (void)state;
    need_capability(CAP_IPC_LOCK);
    child_passes(lock_future, NULL);
}

/* covers: munlockall NEVER_FAILS */
static void unlocking_what_is_not_locked_succeeds(void **state)
{
    (void)state;
    need_eq(SYS(SYS_munlockall), 0);
    need_eq(SYS(SYS_munlockall, -1, -1, -1), 0);
    as_nobody({
        need_eq(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}), 0);
        need_eq(SYS(SYS_munlockall), 0);
    });
}

static long locked_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "re");

    need(file);
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "VmLck: %ld", &kb);
    }
    fclose(file);
    return kb;
}

static int lock_and_unlock(void *arg)
{
    char *at = pages(4);

    (void)arg;
    need_eq(mlock(at, PAGE), 0);
    need_eq(SYS(SYS_mlock2, at + 2 * PAGE, PAGE, 1), 0);
    need_eq(SYS(SYS_mlockall, MCL_FUTURE), 0);
    need(locked_kb() >= 8);
    need_eq(SYS(SYS_munlockall), 0);
    need_eq(locked_kb(), 0);
    munmap(pages(4), 4 * PAGE);
    at = pages(4); /* and what comes later is not locked either */
    need_eq(locked_kb(), 0);
    need_eq(madvise(at, PAGE, MADV_DONTNEED), 0);
    return 0;
}

/* covers: munlockall NEVER_FAILS mlockall MCL_FUTURE */
static void everything_is_unlocked_and_what_comes_later_too(void **state)
{
    (void)state;
    need_capability(CAP_IPC_LOCK);
    child_passes(lock_and_unlock, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dontneed_zeroes_private_anonymous_memory),
        cmocka_unit_test(dontneed_of_a_private_file_mapping_shows_the_file_again),
        cmocka_unit_test(dontneed_leaves_shared_memory_alone),
        cmocka_unit_test(remove_punches_shared_memory),
        cmocka_unit_test(remove_needs_shared_and_free_needs_private_memory),
        cmocka_unit_test(free_keeps_or_zeroes_and_a_later_write_stays),
        cmocka_unit_test(hints_change_no_content),
        cmocka_unit_test(populate_makes_pages_resident),
        cmocka_unit_test(unknown_advice_or_unaligned_address_is_einval),
        cmocka_unit_test(hole_is_enomem_but_the_rest_is_advised),
        cmocka_unit_test(mincore_tells_touched_pages),
        cmocka_unit_test(mincore_checks_its_arguments),
        cmocka_unit_test(mlock_makes_memory_resident),
        cmocka_unit_test(mlock_of_unmapped_memory_is_enomem),
        cmocka_unit_test(locking_is_limited_without_privilege),
        cmocka_unit_test(mlock2_takes_onfault_and_no_unknown_flag),
        cmocka_unit_test(mlockall_checks_its_flags),
        cmocka_unit_test(mcl_future_makes_new_mappings_resident),
        cmocka_unit_test(unlocking_what_is_not_locked_succeeds),
        cmocka_unit_test(everything_is_unlocked_and_what_comes_later_too),
    };

    return cmocka_run_group_tests_name("mm/madvise", tests, NULL, NULL);
}
