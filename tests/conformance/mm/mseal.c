/* mseal.c: mseal(2): a sealed range keeps its pages, its rights and its place. */
#include "../lib/child.h"

#include <sys/prctl.h>

#define NR_mseal 462
#define PAGE     4096ul
#define RW       (PROT_READ | PROT_WRITE)
#define ANON     (MAP_PRIVATE | MAP_ANONYMOUS)

static long seal(const void *at, unsigned long size)
{
    return SYS(NR_mseal, at, size, 0);
}

/* Skips the case where the call does not exist. */
static char *pages(int count, int rights)
{
    char *at = mmap(NULL, (size_t)count * PAGE, rights, ANON, -1, 0);

    if (SYS(NR_mseal, NULL, 0, 0) == -ENOSYS) {
        skip_because("mseal is not in the running kernel");
    }
    need(at != MAP_FAILED);
    return at;
}

/* Sealed memory stays until its process ends: each case has one of its own. */
#define sealing(...)                                                                               \
    do {                                                                                           \
        (void)state;                                                                               \
        munmap(pages(1, RW), PAGE);                                                                \
        in_child(__VA_ARGS__);                                                                     \
    } while (0)

/* covers: mseal EINVAL */
static void flags_alignment_and_overflow_are_einval(void **state)
{
    char *at = pages(1, RW);

    (void)state;
    need_eq(SYS(NR_mseal, at, PAGE, 1), -EINVAL);
    need_eq(SYS(NR_mseal, at + 1, PAGE, 0), -EINVAL);
    need_eq(SYS(NR_mseal, at + 1, 0, 0), -EINVAL);
    need_eq(seal(at, ~0ul), -EINVAL);
    need_eq(seal(at, -PAGE), -EINVAL);
    munmap(at, PAGE);
}

/* covers: mseal ENOMEM munmap */
static void range_with_a_gap_is_enomem_and_nothing_is_sealed(void **state)
{
    char *at = pages(4, RW);

    (void)state;
    need_eq(munmap(at + 2 * PAGE, PAGE), 0);
    need_eq(seal(at, 4 * PAGE), -ENOMEM);
    need_eq(seal(at + 2 * PAGE, PAGE), -ENOMEM);
    need_eq(munmap(at + 2 * PAGE, 2 * PAGE), 0);
    need_eq(seal(at, 3 * PAGE), -ENOMEM);
    need_eq(munmap(at, 2 * PAGE), 0);
}

/* covers: mseal */
static void length_of_zero_seals_nothing(void **state)
{
    char *at = pages(1, RW);

    (void)state;
    need_eq(seal(at, 0), 0);
    need_eq(munmap(at, PAGE), 0);
}

/* covers: munmap EPERM */
static void sealed_page_is_not_unmapped_nor_what_lies_beside_it(void **state)
{
    sealing({
        char *at = pages(3, RW);

        at[0] = 1;
        need_eq(seal(at + PAGE, 1), 0);
        need_errno(munmap(at, 3 * PAGE), EPERM);
        need_errno(munmap(at + PAGE, PAGE), EPERM);
        need_eq(at[0], 1);
        need_eq(munmap(at, PAGE), 0);
        need_eq(munmap(at + 2 * PAGE, PAGE), 0);
    });
}

/* covers: mprotect EPERM pkey_mprotect */
static void rights_of_a_sealed_page_do_not_change(void **state)
{
    sealing({
        char *at = pages(2, RW);

        need_eq(seal(at, PAGE), 0);
        need_errno(mprotect(at, PAGE, PROT_READ), EPERM);
        need_errno(mprotect(at, PAGE, RW), EPERM);
        need_errno(mprotect(at, 2 * PAGE, PROT_NONE), EPERM);
        need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_READ, -1), -EPERM);
        at[0] = 1;
        at[PAGE] = 1;
        need_eq(mprotect(at + PAGE, PAGE, PROT_READ), 0);
    });
}

/* covers: mremap EPERM */
static void sealed_page_is_not_moved_grown_or_cut(void **state)
{
    sealing({
        char *at = pages(3, RW);

        need_eq(seal(at, 2 * PAGE), 0);
        need_errno(mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EPERM);
        need_errno(mremap(at, 2 * PAGE, PAGE, 0), EPERM);
        need_errno(mremap(at + PAGE, 2 * PAGE, PAGE, MREMAP_MAYMOVE), EPERM);
        need_errno(mremap(at + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at), EPERM);
    });
}

/* covers: mmap EPERM MAP_FIXED */
static void nothing_is_mapped_over_a_sealed_page(void **state)
{
    sealing({
        char *at = pages(3, RW);

        at[2 * PAGE] = 3;
        need_eq(seal(at + PAGE, PAGE), 0);
        need_errno(mmap(at + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
        need_errno(mmap(at, 3 * PAGE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
        need_eq(at[2 * PAGE], 3);
        need(mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0) == at);
    });
}

/* covers: madvise EPERM MADV_DONTNEED MADV_FREE MADV_DONTFORK MADV_WIPEONFORK MADV_REMOVE */
static void contents_of_a_sealed_page_are_not_lost_by_advice(void **state)
{
    sealing({
        static const int advices[] = {MADV_DONTNEED, MADV_FREE, MADV_DONTFORK, MADV_WIPEONFORK,
                                      MADV_REMOVE};
        char *at = pages(1, RW);

        at[0] = 7;
        need_eq(mprotect(at, PAGE, PROT_READ), 0);
        need_eq(seal(at, PAGE), 0);
        for (size_t i = 0; i < ARRAY_LEN(advices); i++) {
            need_errno(madvise(at, PAGE, advices[i]), EPERM);
        }
        need_eq(madvise(at, PAGE, MADV_WILLNEED), 0);
        need_eq(madvise(at, PAGE, MADV_DONTDUMP), 0);
        need_eq(at[0], 7);
    });
}

/* covers: mseal madvise MADV_DONTNEED */
static void who_may_write_a_sealed_page_may_also_drop_it(void **state)
{
    sealing({
        char *at = pages(1, RW);

        at[0] = 7;
        need_eq(seal(at, PAGE), 0);
        need_eq(madvise(at, PAGE, MADV_DONTNEED), 0);
        need_eq(at[0], 0);
    });
}

/* covers: mseal */
static void sealing_twice_and_across_mappings_succeeds(void **state)
{
    sealing({
        char *at = pages(3, RW);

        need_eq(mprotect(at + PAGE, PAGE, PROT_READ), 0);
        need_eq(seal(at + PAGE, PAGE), 0);
        need_eq(seal(at, 3 * PAGE), 0);
        need_eq(seal(at, 3 * PAGE), 0);
        need_errno(munmap(at, PAGE), EPERM);
        need_errno(munmap(at + 2 * PAGE, PAGE), EPERM);
        need_eq(mlock(at, PAGE), 0);
    });
}

/* covers: mseal fork munmap EPERM */
static void child_inherits_seals(void **state)
{
    sealing({
        char *at = pages(1, RW);
        pid_t pid;

        need_eq(seal(at, PAGE), 0);
        pid = fork();
        if (pid == 0) {
            errno = 0;
            _exit(munmap(at, PAGE) == -1 && errno == EPERM ? 0 : 1);
        }
        need_eq(child_end(pid), 0);
    });
}

/* covers: mseal brk */
static void sealed_heap_does_not_shrink(void **state)
{
    sealing({
        long start = (SYS(SYS_brk, 0) + 4095) & ~4095l;

        need_eq(SYS(SYS_brk, start + 2 * PAGE), start + 2 * PAGE);
        need_eq(seal((void *)(start + PAGE), PAGE), 0);
        need_eq(SYS(SYS_brk, start), start + 2 * PAGE);
        need_eq(SYS(SYS_brk, start + 3 * PAGE), start + 3 * PAGE);
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_alignment_and_overflow_are_einval),
        cmocka_unit_test(range_with_a_gap_is_enomem_and_nothing_is_sealed),
        cmocka_unit_test(length_of_zero_seals_nothing),
        cmocka_unit_test(sealed_page_is_not_unmapped_nor_what_lies_beside_it),
        cmocka_unit_test(rights_of_a_sealed_page_do_not_change),
        cmocka_unit_test(sealed_page_is_not_moved_grown_or_cut),
        cmocka_unit_test(nothing_is_mapped_over_a_sealed_page),
        cmocka_unit_test(contents_of_a_sealed_page_are_not_lost_by_advice),
        cmocka_unit_test(who_may_write_a_sealed_page_may_also_drop_it),
        cmocka_unit_test(sealing_twice_and_across_mappings_succeeds),
        cmocka_unit_test(child_inherits_seals),
        cmocka_unit_test(sealed_heap_does_not_shrink),
    };

    return cmocka_run_group_tests_name("mm/mseal", tests, NULL, NULL);
}
