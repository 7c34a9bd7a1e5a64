/* mremap.c: mremap(2): grow, shrink, move. */
#include "../lib/child.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static long remap(char *at, size_t old, size_t new, int flags, void *to)
{
    return SYS(SYS_mremap, at, old, new, flags, to);
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    for (int i = 0; i < count; i++) {
        at[(size_t)i * PAGE] = (char)(i + 1);
    }
    return at;
}

static bool is_mapped(const void *at)
{
    unsigned char core;

    return SYS(SYS_mincore, at, PAGE, &core) == 0;
}

/* covers: mremap */
static void shrinking_unmaps_the_end(void **state)
{
    char *at = pages(4);

    (void)state;
    need_eq(remap(at, 4 * PAGE, 2 * PAGE, 0, NULL), (long)at);
    need(at[0] == 1 && at[PAGE] == 2);
    need(!is_mapped(at + 2 * PAGE) && !is_mapped(at + 3 * PAGE));
    munmap(at, 2 * PAGE);
}

/* covers: mremap */
static void same_size_changes_nothing(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(remap(at, 2 * PAGE, 2 * PAGE, 0, NULL), (long)at);
    need_eq(remap(at, 2 * PAGE - 5, 2 * PAGE - 7, 0, NULL), (long)at);
    need(at[0] == 1 && at[PAGE] == 2);
    munmap(at, 2 * PAGE);
}

/* covers: mremap */
static void growing_into_free_room_stays_in_place(void **state)
{
    char *at = pages(6);

    (void)state;
    need_eq(munmap(at + 2 * PAGE, 4 * PAGE), 0);
    need_eq(remap(at, 2 * PAGE, 5 * PAGE, 0, NULL), (long)at);
    need(at[PAGE] == 2 && at[2 * PAGE] == 0 && at[5 * PAGE - 1] == 0);
    at[5 * PAGE - 1] = 1;
    munmap(at, 5 * PAGE);
}

/* covers: mremap ENOMEM */
static void growing_without_room_and_maymove_is_enomem(void **state)
{
    char *at = pages(3);

    (void)state;
    need_eq(mprotect(at + PAGE, PAGE, PROT_READ), 0);
    need_eq(remap(at, PAGE, 2 * PAGE, 0, NULL), -ENOMEM);
    need_eq(at[0], 1);
    munmap(at, 3 * PAGE);
}

/* covers: mremap MREMAP_MAYMOVE */
static void maymove_moves_the_contents(void **state)
{
    char *at = pages(3);
    long to;

    (void)state;
    need_eq(mprotect(at + 2 * PAGE, PAGE, PROT_READ), 0);
    to = remap(at, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE, NULL);
    need(to > 0 && to != (long)at);
    need(((char *)to)[0] == 1 && ((char *)to)[PAGE] == 2 && ((char *)to)[2 * PAGE] == 0);
    need(!is_mapped(at) && !is_mapped(at + PAGE) && is_mapped(at + 2 * PAGE));
    munmap((void *)to, 64 * PAGE);
    munmap(at + 2 * PAGE, PAGE);
}

/* covers: mremap MREMAP_FIXED MREMAP_MAYMOVE */
static void fixed_moves_to_the_place_and_replaces_it(void **state)
{
    char *at = pages(2), *to = pages(4);

    (void)state;
    to[3 * PAGE] = 99;
    need_eq(remap(at, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), (long)to);
    need(to[0] == 1 && to[PAGE] == 2 && to[2 * PAGE] == 0 && to[3 * PAGE] == 99);
    need(!is_mapped(at));
    munmap(to, 4 * PAGE);
}

/* covers: mremap EINVAL MREMAP_FIXED */
static void fixed_without_maymove_is_einval(void **state)
{
    char *at = pages(1), *to = pages(1);

    (void)state;
    need_eq(remap(at, PAGE, PAGE, MREMAP_FIXED, to), -EINVAL);
    munmap(at, PAGE);
    munmap(to, PAGE);
}

/* covers: mremap EINVAL MREMAP_FIXED */
static void unaligned_or_overlapping_target_is_einval(void **state)
{
    char *at = pages(4);

    (void)state;
    need_eq(remap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 2 * PAGE + 1), -EINVAL);
    need_eq(remap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE), -EINVAL);
    need_eq(at[PAGE], 2);
    munmap(at, 4 * PAGE);
}

/* covers: mremap EINVAL */
static void unaligned_address_unknown_flag_or_zero_size_is_einval(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(remap(at + 1, PAGE, PAGE, 0, NULL), -EINVAL);
    need_eq(remap(at, PAGE, PAGE, 0x100, NULL), -EINVAL);
    need_eq(remap(at, PAGE, 0, MREMAP_MAYMOVE, NULL), -EINVAL);
    munmap(at, PAGE);
}

/* covers: mremap EFAULT */
static void unmapped_or_too_long_a_range_is_efault(void **state)
{
    char *at = pages(3);

    (void)state;
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(remap(at + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), -EFAULT);
    need_eq(remap(at, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL), -EFAULT);
    munmap(at, 3 * PAGE);
}

/* covers: mremap MREMAP_MAYMOVE */
static void old_size_zero_doubles_a_shared_mapping(void **state)
{
    char *at = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long to;

    (void)state;
    need(at != MAP_FAILED);
    at[0] = 11;
    to = remap(at, 0, PAGE, MREMAP_MAYMOVE, NULL);
    need(to > 0 && to != (long)at);
    need_eq(((char *)to)[0], 11);
    ((char *)to)[1] = 12;
    need_eq(at[1], 12);
    munmap(at, PAGE);
    munmap((void *)to, PAGE);
}

/* covers: mremap EINVAL */
static void old_size_zero_of_private_memory_is_einval(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(remap(at, 0, PAGE, MREMAP_MAYMOVE, NULL), -EINVAL);
    munmap(at, PAGE);
}

/* covers: mremap MREMAP_DONTUNMAP MREMAP_MAYMOVE */
static void dontunmap_leaves_empty_memory_behind(void **state)
{
    char *at = pages(2);
    long to = remap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

    (void)state;
    need(to > 0 && to != (long)at);
    need(((char *)to)[0] == 1 && ((char *)to)[PAGE] == 2);
    need(is_mapped(at));
    need(at[0] == 0 && at[PAGE] == 0);
    munmap(at, 2 * PAGE);
    munmap((void *)to, 2 * PAGE);
}

/* covers: mremap EINVAL MREMAP_DONTUNMAP */
static void dontunmap_needs_maymove_and_the_same_size(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(remap(at, PAGE, PAGE, MREMAP_DONTUNMAP, NULL), -EINVAL);
    need_eq(remap(at, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, NULL), -EINVAL);
    munmap(at, 2 * PAGE);
}

/* covers: mremap MREMAP_MAYMOVE */
static void middle_of_a_mapping_can_be_moved_out(void **state)
{
    char *at = pages(5), *to = pages(1);

    (void)state;
    need_eq(remap(at + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), (long)to);
    need_eq(to[0], 3);
    need(is_mapped(at + PAGE) && !is_mapped(at + 2 * PAGE) && is_mapped(at + 3 * PAGE));
    need(at[PAGE] == 2 && at[3 * PAGE] == 4);
    munmap(at, 5 * PAGE);
    munmap(to, PAGE);
}

/* covers: mremap MAP_SHARED */
static void moved_file_mapping_stays_connected(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    char *at;
    long to;

    (void)state;
    need_eq(ftruncate(fd, 8 * PAGE), 0);
    need_eq(pwrite(fd, "x", 1, 5 * PAGE), 1);
    at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    need(at != MAP_FAILED);
    to = remap(at, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL);
    need(to > 0);
    need_eq(((char *)to)[5 * PAGE], 'x');
    ((char *)to)[6 * PAGE] = 'y';
    char byte = 0;
    need_eq(pread(fd, &byte, 1, 6 * PAGE), 1);
    need_eq(byte, 'y');
    munmap((void *)to, 8 * PAGE);
    close(fd);
}

/* covers: mremap */
static void protection_moves_along(void **state)
{
    char *at = pages(1);
    int ends[2];
    long to;

    (void)state;
    need_eq(pipe(ends), 0);
    need_eq(mprotect(at, PAGE, PROT_READ), 0);
    to = remap(at, PAGE, 32 * PAGE, MREMAP_MAYMOVE, NULL);
    need(to > 0);
    need_eq(write(ends[1], "xy", 2), 2);
    need_eq(SYS(SYS_read, ends[0], to + 20 * (long)PAGE, 1), -EFAULT);
    munmap((void *)to, 32 * PAGE);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinking_unmaps_the_end),
        cmocka_unit_test(same_size_changes_nothing),
        cmocka_unit_test(growing_into_free_room_stays_in_place),
        cmocka_unit_test(growing_without_room_and_maymove_is_enomem),
        cmocka_unit_test(maymove_moves_the_contents),
        cmocka_unit_test(fixed_moves_to_the_place_and_replaces_it),
        cmocka_unit_test(fixed_without_maymove_is_einval),
        cmocka_unit_test(unaligned_or_overlapping_target_is_einval),
        cmocka_unit_test(unaligned_address_unknown_flag_or_zero_size_is_einval),
        cmocka_unit_test(unmapped_or_too_long_a_range_is_efault),
        cmocka_unit_test(old_size_zero_doubles_a_shared_mapping),
        cmocka_unit_test(old_size_zero_of_private_memory_is_einval),
        cmocka_unit_test(dontunmap_leaves_empty_memory_behind),
        cmocka_unit_test(dontunmap_needs_maymove_and_the_same_size),
        cmocka_unit_test(middle_of_a_mapping_can_be_moved_out),
        cmocka_unit_test(moved_file_mapping_stays_connected),
        cmocka_unit_test(protection_moves_along),
    };

    return cmocka_run_group_tests_name("mm/mremap", tests, NULL, NULL);
}
