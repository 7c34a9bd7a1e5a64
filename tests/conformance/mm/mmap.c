/* mmap.c: mmap(2) and munmap(2): where memory comes to lie, and what is refused. */
#include "../lib/child.h"

#include <sys/resource.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map_raw(void *at, size_t size, int prot, int flags, int fd, long offset)
{
    return (char *)SYS(SYS_mmap, at, size, prot, flags, fd, offset);
}

static char *pages(int count)
{
    char *at = map_raw(NULL, (size_t)count * PAGE, RW, ANON, -1, 0);

    need((unsigned long)at < -4095UL);
    return at;
}

static bool is_mapped(const void *at)
{
    unsigned char core;

    return SYS(SYS_mincore, at, PAGE, &core) == 0;
}

/* covers: munmap mmap MAP_ANONYMOUS MAP_PRIVATE PROT_READ PROT_WRITE */
static void anonymous_memory_is_zero_aligned_and_writable(void **state)
{
    char *at = pages(16);

    (void)state;
    need_eq((uintptr_t)at % PAGE, 0);
    for (size_t i = 0; i < 16 * PAGE; i++) {
        need_eq(at[i], 0);
    }
    memset(at, 0x5a, 16 * PAGE);
    need_eq(at[16 * PAGE - 1], 0x5a);
    need_eq(SYS(SYS_munmap, at, 16 * PAGE), 0);
    need(!is_mapped(at) && !is_mapped(at + 15 * PAGE));
}

/* covers: mmap */
static void length_is_rounded_up_to_a_page(void **state)
{
    char *at = map_raw(NULL, PAGE + 1, RW, ANON, -1, 0);

    (void)state;
    at[2 * PAGE - 1] = 1;
    need_eq(SYS(SYS_munmap, at, PAGE + 1), 0);
    need(!is_mapped(at + PAGE));
}

/* covers: mmap EINVAL */
static void length_zero_is_einval(void **state)
{
    (void)state;
    need_eq(map_raw(NULL, 0, RW, ANON, -1, 0), -EINVAL);
}

/* covers: mmap ENOMEM */
static void length_beyond_the_address_space_is_enomem(void **state)
{
    (void)state;
    need_eq(map_raw(NULL, 1UL << 47, RW, ANON, -1, 0), -ENOMEM);
    need_eq(map_raw(NULL, -PAGE, RW, ANON, -1, 0), -ENOMEM);
    need_eq(map_raw(NULL, -1UL, RW, ANON, -1, 0), -ENOMEM);
}

/* covers: mmap EINVAL */
static void neither_shared_nor_private_is_einval(void **state)
{
    (void)state;
    need_eq(map_raw(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), -EINVAL);
}

/* covers: mmap EINVAL */
static void unaligned_offset_is_einval(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    (void)state;
    need_eq(map_raw(NULL, PAGE, RW, MAP_PRIVATE, fd, 100), -EINVAL);
    need_eq(map_raw(NULL, PAGE, RW, ANON, -1, 1), -EINVAL);
    close(fd);
}

/* covers: mmap EINVAL MAP_FIXED */
static void unaligned_fixed_address_is_einval(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(map_raw(at + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EINVAL);
    munmap(at, 2 * PAGE);
}

/* covers: mmap MAP_FIXED */
static void map_fixed_replaces_what_was_there(void **state)
{
    char *at = pages(3);

    (void)state;
    memset(at, 1, 3 * PAGE);
    need_eq(map_raw(at + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)(at + PAGE));
    need(at[PAGE - 1] == 1 && at[PAGE] == 0 && at[2 * PAGE - 1] == 0 && at[2 * PAGE] == 1);
    munmap(at, 3 * PAGE);
}

/* covers: mmap EEXIST MAP_FIXED_NOREPLACE */
static void map_fixed_noreplace_is_eexist_over_a_mapping(void **state)
{
    char *at = pages(2);

    (void)state;
    at[0] = 7;
    need_eq(map_raw(at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
    need_eq(map_raw(at - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
    need_eq(at[0], 7);
    need_eq(munmap(at, PAGE), 0);
    need_eq(map_raw(at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), (long)at);
    munmap(at, 2 * PAGE);
}

/* covers: mmap */
static void free_hint_is_taken_and_rounded_down(void **state)
{
    char *at = pages(4);

    (void)state;
    need_eq(munmap(at, 4 * PAGE), 0);
    need_eq(map_raw(at + PAGE, PAGE, RW, ANON, -1, 0), (long)(at + PAGE));
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(map_raw(at + PAGE + 5, PAGE, RW, ANON, -1, 0) - at >= (long)PAGE, 1);
    munmap(at, 4 * PAGE);
}

/* covers: mmap */
static void taken_hint_gives_another_place(void **state)
{
    char *at = pages(1), *other;

    (void)state;
    at[0] = 3;
    other = map_raw(at, PAGE, RW, ANON, -1, 0);
    need((unsigned long)other < -4095UL && other != at);
    need(at[0] == 3 && other[0] == 0);
    munmap(at, PAGE);
    munmap(other, PAGE);
}

/* covers: mmap ENOMEM MAP_FIXED */
static void fixed_address_in_the_kernels_half_is_enomem(void **state)
{
    (void)state;
    need_eq(map_raw((void *)0xffff800000000000UL, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
    need_eq(map_raw((void *)0x7ffffffff000UL, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
}

static int low_address(void *arg)
{
    (void)arg;
    drop_privileges();
    need_eq(map_raw((void *)0, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM);
    return 0;
}

/* covers: mmap EPERM MAP_FIXED */
static void page_zero_is_eperm_without_privilege(void **state)
{
    int fd = open("/proc/sys/vm/mmap_min_addr", O_RDONLY | O_CLOEXEC);
    char text[16] = "";

    (void)state;
    if (fd < 0 || read(fd, text, sizeof text - 1) < 1 || atoi(text) == 0) {
        skip_because("page zero may be mapped on this machine");
    }
    close(fd);
    child_passes(low_address, NULL);
}

/* covers: mmap MAP_32BIT */
static void map_32bit_stays_in_the_low_two_gigabytes(void **state)
{
    char *at = map_raw(NULL, PAGE, RW, ANON | MAP_32BIT, -1, 0);

    (void)state;
    need((uintptr_t)at < 0x80000000UL);
    at[0] = 1;
    munmap(at, PAGE);
}

/* covers: mmap EOPNOTSUPP MAP_SHARED_VALIDATE */
static void shared_validate_refuses_unknown_flags(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    char *at;

    (void)state;
    need_eq(ftruncate(fd, PAGE), 0);
    at = map_raw(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0);
    need((unsigned long)at < -4095UL);
    munmap(at, PAGE);
    need_eq(map_raw(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x2000000, fd, 0), -EOPNOTSUPP);
    close(fd);
}

/* covers: mmap MAP_NORESERVE MAP_POPULATE MAP_STACK MAP_NONBLOCK */
static void hints_are_accepted(void **state)
{
    static const int flags[] = {MAP_NORESERVE, MAP_POPULATE, MAP_STACK, MAP_POPULATE | MAP_NONBLOCK,
                                MAP_DENYWRITE | MAP_EXECUTABLE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        char *at = map_raw(NULL, PAGE, RW, ANON | flags[i], -1, 0);

        need((unsigned long)at < -4095UL);
        at[0] = 1;
        munmap(at, PAGE);
    }
}

/* covers: mmap MAP_POPULATE mincore */
static void map_populate_makes_pages_resident(void **state)
{
    unsigned char core[4];
    char *at = map_raw(NULL, 4 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);

    (void)state;
    need_eq(mincore(at, 4 * PAGE, core), 0);
    need((core[0] & 1) && (core[3] & 1));
    munmap(at, 4 * PAGE);
}

/* covers: mmap PROT_EXEC */
static void code_in_executable_memory_runs(void **state)
{
    /* lea 1(%rdi), %eax ; ret */
    static const unsigned char code[] = {0x8d, 0x47, 0x01, 0xc3};
    char *at = map_raw(NULL, PAGE, RW | PROT_EXEC, ANON, -1, 0);

    (void)state;
    if (at == (char *)-EACCES || at == (char *)-EPERM) {
        skip_because("writable code is forbidden on this machine");
    }
    memcpy(at, code, sizeof code);
    need_eq(((int (*)(int))(uintptr_t)at)(41), 42);
    munmap(at, PAGE);
}

static int limited(void *arg)
{
    (void)arg;
    need_eq(setrlimit(RLIMIT_AS, &(struct rlimit){1UL << 30, 1UL << 30}), 0);
    need_eq(map_raw(NULL, 2UL << 30, RW, ANON | MAP_NORESERVE, -1, 0), -ENOMEM);
    need((unsigned long)map_raw(NULL, PAGE, RW, ANON, -1, 0) < -4095UL);
    return 0;
}

/* covers: mmap ENOMEM */
static void mapping_beyond_rlimit_as_is_enomem(void **state)
{
    (void)state;
    child_passes(limited, NULL);
}

/* covers: munmap */
static void munmap_makes_holes_and_cuts_ends(void **state)
{
    char *at = pages(7);

    (void)state;
    memset(at, 9, 7 * PAGE);
    need_eq(SYS(SYS_munmap, at + 2 * PAGE, PAGE), 0);
    need_eq(SYS(SYS_munmap, at, PAGE), 0);
    need_eq(SYS(SYS_munmap, at + 6 * PAGE, PAGE), 0);
    need(!is_mapped(at) && is_mapped(at + PAGE) && !is_mapped(at + 2 * PAGE));
    need(is_mapped(at + 3 * PAGE) && is_mapped(at + 5 * PAGE) && !is_mapped(at + 6 * PAGE));
    need(at[PAGE] == 9 && at[3 * PAGE] == 9 && at[6 * PAGE - 1] == 9);
    need_eq(SYS(SYS_munmap, at, 7 * PAGE), 0);
    need(!is_mapped(at + PAGE) && !is_mapped(at + 5 * PAGE));
}

/* covers: munmap */
static void munmap_of_nothing_succeeds(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(SYS(SYS_munmap, at, 2 * PAGE), 0);
    need_eq(SYS(SYS_munmap, at, 2 * PAGE), 0);
}

/* covers: munmap EINVAL */
static void munmap_checks_address_and_length(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(SYS(SYS_munmap, at + 1, PAGE), -EINVAL);
    need_eq(SYS(SYS_munmap, at, 0), -EINVAL);
    need_eq(SYS(SYS_munmap, at, -1UL), -EINVAL);
    need_eq(SYS(SYS_munmap, 0xffff800000000000UL, PAGE), -EINVAL);
    need_eq(SYS(SYS_munmap, at, 1), 0);
    need(!is_mapped(at));
}

/* covers: mmap munmap */
static void mapping_again_after_unmapping_gives_zeros(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char *at = pages(4);

        for (int j = 0; j < 4; j++) {
            need_eq(at[(size_t)j * PAGE + 100], 0);
            at[(size_t)j * PAGE + 100] = 1;
        }
        need_eq(munmap(at, 4 * PAGE), 0);
    }
}

/* covers: mmap MAP_GROWSDOWN */
static void map_growsdown_grows_at_a_touch_below(void **state)
{
    char *area = pages(512), *top;

    (void)state;
    /* Free room below, so that nothing is in the way and the guard gap is kept. */
    need_eq(munmap(area, 512 * PAGE), 0);
    top = map_raw(area + 510 * PAGE, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    need_eq((long)top, (long)(area + 510 * PAGE));
    top[0] = 1;
    top[-1] = 2;
    top[-(long)PAGE * 3] = 3;
    need(top[0] == 1 && top[-1] == 2);
    munmap(top - 4 * PAGE, 5 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anonymous_memory_is_zero_aligned_and_writable),
        cmocka_unit_test(length_is_rounded_up_to_a_page),
        cmocka_unit_test(length_zero_is_einval),
        cmocka_unit_test(length_beyond_the_address_space_is_enomem),
        cmocka_unit_test(neither_shared_nor_private_is_einval),
        cmocka_unit_test(unaligned_offset_is_einval),
        cmocka_unit_test(unaligned_fixed_address_is_einval),
        cmocka_unit_test(map_fixed_replaces_what_was_there),
        cmocka_unit_test(map_fixed_noreplace_is_eexist_over_a_mapping),
        cmocka_unit_test(free_hint_is_taken_and_rounded_down),
        cmocka_unit_test(taken_hint_gives_another_place),
        cmocka_unit_test(fixed_address_in_the_kernels_half_is_enomem),
        cmocka_unit_test(page_zero_is_eperm_without_privilege),
        cmocka_unit_test(map_32bit_stays_in_the_low_two_gigabytes),
        cmocka_unit_test(shared_validate_refuses_unknown_flags),
        cmocka_unit_test(hints_are_accepted),
        cmocka_unit_test(map_populate_makes_pages_resident),
        cmocka_unit_test(code_in_executable_memory_runs),
        cmocka_unit_test(mapping_beyond_rlimit_as_is_enomem),
        cmocka_unit_test(munmap_makes_holes_and_cuts_ends),
        cmocka_unit_test(munmap_of_nothing_succeeds),
        cmocka_unit_test(munmap_checks_address_and_length),
        cmocka_unit_test(mapping_again_after_unmapping_gives_zeros),
        cmocka_unit_test(map_growsdown_grows_at_a_touch_below),
    };

    return cmocka_run_group_tests_name("mm/mmap", tests, NULL, NULL);
}
