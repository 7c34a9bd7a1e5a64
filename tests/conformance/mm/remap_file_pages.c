/* remap_file_pages.c: remap_file_pages(2): other pages of a file at a place of a shared mapping. */
#include "../lib/check.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

/* A file of some pages that begin with 'a', 'b' ... */
static int make_pages(int count)
{
    int fd = (int)must(syscall(SYS_memfd_create, "pages", 0));

    must(ftruncate(fd, count * (off_t)PAGE));
    for (int i = 0; i < count; i++)
        assert_returns(pwrite(fd, &(char){(char)('a' + i)}, 1, i * (off_t)PAGE), 1);
    return fd;
}

static char *map_pages(int fd, int count, int type)
{
    return must(mmap(NULL, (size_t)count * PAGE, RW, type, fd, 0));
}

static long remap(const void *at, size_t size, int prot, size_t page, int flags)
{
    return syscall(SYS_remap_file_pages, at, size, prot, page, flags);
}

/* covers: remap_file_pages */
static void pages_can_be_mapped_in_another_order(void **state)
{
    (void)state;
    int fd = make_pages(4);
    char *map = map_pages(fd, 4, MAP_SHARED), seen;

    must(remap(map, PAGE, 0, 3, 0));
    must(remap(map + 3 * PAGE, PAGE, 0, 0, 0));
    assert_int_equal(map[0], 'd');
    assert_int_equal(map[PAGE], 'b');
    assert_int_equal(map[3 * PAGE], 'a');
    map[0] = 'D';
    assert_returns(pread(fd, &seen, 1, 3 * PAGE), 1);
    assert_int_equal(seen, 'D');
    must(munmap(map, 4 * PAGE));
    must(close(fd));
}

/* covers: remap_file_pages MAP_NONBLOCK */
static void address_is_rounded_down_and_so_is_the_size(void **state)
{
    (void)state;
    int fd = make_pages(3);
    char *map = map_pages(fd, 3, MAP_SHARED);

    must(remap(map + 5, PAGE + 17, 0, 1, MAP_NONBLOCK));
    assert_int_equal(map[0], 'b');
    assert_int_equal(map[PAGE], 'b');
    assert_errno(remap(map, PAGE - 1, 0, 1, 0), EINVAL);
    must(munmap(map, 3 * PAGE));
    must(close(fd));
}

/* covers: remap_file_pages EINVAL */
static void what_cannot_be_remapped_is_refused(void **state)
{
    (void)state;
    int fd = make_pages(2);
    char *map = map_pages(fd, 2, MAP_SHARED), *own = map_pages(fd, 2, MAP_PRIVATE);

    assert_errno(remap(own, PAGE, 0, 1, 0), EINVAL);
    assert_errno(remap(map, PAGE, PROT_READ, 1, 0), EINVAL);
    assert_errno(remap(map, 0, 0, 1, 0), EINVAL);
    assert_errno(remap(map, 64 * PAGE, 0, 1, 0), EINVAL);
    assert_errno(remap(map, PAGE, 0, (size_t)-1, 0), EINVAL);
    must(munmap(map, 2 * PAGE));
    assert_errno(remap(map, PAGE, 0, 1, 0), EINVAL);
    must(munmap(own, 2 * PAGE));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_can_be_mapped_in_another_order),
        cmocka_unit_test(address_is_rounded_down_and_so_is_the_size),
        cmocka_unit_test(what_cannot_be_remapped_is_refused),
    };

    return cmocka_run_group_tests_name("mm/remap_file_pages", tests, NULL, NULL);
}
