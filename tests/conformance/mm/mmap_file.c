/* mmap_file.c: mmap(2) of files, private and shared, and msync(2). */
#include "../lib/child.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static int fd = -1;

/* A file of three pages: 'a', 'b' and 100 bytes of 'c'. */
static int setup(void **state)
{
    char page[PAGE];

    if (tempdir_setup(state) != 0) {
        return -1;
    }
    fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    memset(page, 'a', PAGE);
    if (write(fd, page, PAGE) != (ssize_t)PAGE) {
        return -1;
    }
    memset(page, 'b', PAGE);
    if (write(fd, page, PAGE) != (ssize_t)PAGE) {
        return -1;
    }
    memset(page, 'c', 100);
    return write(fd, page, 100) == 100 ? 0 : -1;
}

static int teardown(void **state)
{
    close(fd);
    return tempdir_teardown(state);
}

static char *map(size_t size, int prot, int flags, long offset)
{
    char *at = mmap(NULL, size, prot, flags, fd, offset);

    need(at != MAP_FAILED);
    return at;
}

static char file_byte(long offset)
{
    char byte;

    need_eq(pread(fd, &byte, 1, offset), 1);
    return byte;
}

/* covers: mmap MAP_PRIVATE MAP_SHARED */
static void mapping_shows_the_file_and_zeros_behind_its_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char *at = map(3 * PAGE, PROT_READ, i ? MAP_SHARED : MAP_PRIVATE, 0);

        need(at[0] == 'a' && at[PAGE - 1] == 'a' && at[PAGE] == 'b');
        need(at[2 * PAGE] == 'c' && at[2 * PAGE + 99] == 'c');
        need(at[2 * PAGE + 100] == 0 && at[3 * PAGE - 1] == 0);
        need_eq(munmap(at, 3 * PAGE), 0);
    }
}

/* covers: mmap */
static void offset_selects_the_page(void **state)
{
    char *at = map(PAGE, PROT_READ, MAP_PRIVATE, (long)PAGE);

    (void)state;
    need(at[0] == 'b' && at[PAGE - 1] == 'b');
    munmap(at, PAGE);
}

/* covers: mmap close */
static void mapping_outlives_descriptor_and_name(void **state)
{
    char *at = map(PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(unlink("file"), 0);
    need_eq(close(fd), 0);
    fd = -1;
    need_eq(at[5], 'a');
    at[5] = 'z';
    need_eq(at[5], 'z');
    munmap(at, PAGE);
}

/* covers: mmap MAP_PRIVATE */
static void private_writes_stay_private(void **state)
{
    char *at = map(2 * PAGE, RW, MAP_PRIVATE, 0), *other = map(PAGE, PROT_READ, MAP_SHARED, 0);

    (void)state;
    at[10] = 'X';
    need_eq(file_byte(10), 'a');
    need_eq(other[10], 'a');
    need_eq(at[10], 'X');
    need_eq(at[11], 'a');
    munmap(at, 2 * PAGE);
    munmap(other, PAGE);
}

/* covers: mmap MAP_SHARED read write */
static void shared_mapping_is_coherent_with_read_and_write(void **state)
{
    char *at = map(2 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    at[20] = 'S';
    need_eq(file_byte(20), 'S');
    need_eq(pwrite(fd, "W", 1, 21), 1);
    need_eq(at[21], 'W');
    need_eq(pwrite(fd, "V", 1, (long)PAGE + 7), 1);
    need_eq(at[PAGE + 7], 'V');
    munmap(at, 2 * PAGE);
    need_eq(file_byte(20), 'S');
}

/* covers: mmap MAP_SHARED */
static void two_shared_mappings_are_the_same_memory(void **state)
{
    char *one = map(PAGE, RW, MAP_SHARED, 0), *two = map(PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need(one != two);
    one[100] = '1';
    need_eq(two[100], '1');
    two[101] = '2';
    need_eq(one[101], '2');
    munmap(one, PAGE);
    munmap(two, PAGE);
}

static int write_through_own_mapping(void *arg)
{
    int again = open("file", O_RDWR | O_CLOEXEC);
    char *at = mmap(NULL, PAGE, RW, MAP_SHARED, again, 0);

    (void)arg;
    need(again >= 0 && at != MAP_FAILED);
    need_eq(at[0], 'P');
    at[1] = 'C';
    return 0;
}

/* covers: mmap MAP_SHARED */
static void processes_that_map_the_same_file_share_memory(void **state)
{
    char *at = map(PAGE, RW, MAP_SHARED, 0);

    (void)state;
    at[0] = 'P';
    child_passes(write_through_own_mapping, NULL);
    need_eq(at[1], 'C');
    munmap(at, PAGE);
}

static int write_inherited(void *arg)
{
    ((char *)arg)[3] = 'K';
    return 0;
}

/* covers: fork mmap MAP_SHARED MAP_PRIVATE */
static void child_shares_shared_and_copies_private_mappings(void **state)
{
    char *shared = map(PAGE, RW, MAP_SHARED, 0), *private = map(PAGE, RW, MAP_PRIVATE, 0);

    (void)state;
    child_passes(write_inherited, shared);
    need_eq(shared[3], 'K');
    private[0] = 'm';
    child_passes(write_inherited, private);
    need_eq(private[0], 'm');
    need_eq(private[3], 'K'); /* read through: not yet copied when the file changed */
    need_eq(file_byte(0), 'a');
    munmap(shared, PAGE);
    munmap(private, PAGE);
}

/* covers: mmap EACCES PROT_WRITE MAP_SHARED */
static void shared_writable_mapping_needs_a_writable_descriptor(void **state)
{
    int reader = open("file", O_RDONLY | O_CLOEXEC), writer = open("file", O_WRONLY | O_CLOEXEC);

    (void)state;
    need_errno((long)mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0), EACCES);
    need((void *)mmap(NULL, PAGE, RW, MAP_PRIVATE, reader, 0) != MAP_FAILED);
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0), EACCES);
    need_errno((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, writer, 0), EACCES);
    close(reader);
    close(writer);
}

/* covers: mmap mprotect EACCES */
static void mprotect_cannot_add_write_to_a_shared_read_only_descriptor(void **state)
{
    int reader = open("file", O_RDONLY | O_CLOEXEC);
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);

    (void)state;
    need(at != MAP_FAILED);
    need_errno(mprotect(at, PAGE, RW), EACCES);
    munmap(at, PAGE);
    close(reader);
}

/* covers: mmap EBADF */
static void bad_descriptor_is_ebadf(void **state)
{
    (void)state;
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 1000000, 0), EBADF);
}

/* covers: mmap EBADF O_PATH */
static void path_descriptor_is_ebadf(void **state)
{
    int path = open("file", O_PATH | O_CLOEXEC);

    (void)state;
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
    close(path);
}

/* covers: mmap ENODEV */
static void directory_or_pipe_is_enodev(void **state)
{
    int dir = open(".", O_RDONLY | O_CLOEXEC), ends[2];

    (void)state;
    need_eq(pipe2(ends, O_CLOEXEC), 0);
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    need_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV);
    close(dir);
    close(ends[0]);
    close(ends[1]);
}

/* covers: mmap EOVERFLOW */
static void offset_beyond_the_largest_file_is_eoverflow(void **state)
{
    (void)state;
    need_eq(SYS(SYS_mmap, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE), -EOVERFLOW);
}

/* covers: mmap MAP_SHARED ftruncate */
static void growth_of_the_file_becomes_visible(void **state)
{
    char *at = map(4 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(ftruncate(fd, 4 * PAGE), 0);
    at[3 * PAGE + 9] = 'g';
    need_eq(file_byte(3 * (long)PAGE + 9), 'g');
    need_eq(at[2 * PAGE + 100], 0);
    munmap(at, 4 * PAGE);
}

/* covers: ftruncate mmap MAP_SHARED */
static void bytes_written_behind_the_end_do_not_reach_the_file(void **state)
{
    char *at = map(3 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    at[2 * PAGE + 200] = 'q';
    need_eq(lseek(fd, 0, SEEK_END), 2 * PAGE + 100);
    munmap(at, 3 * PAGE);
    need_eq(ftruncate(fd, 2 * PAGE + 50), 0);
    need_eq(ftruncate(fd, 3 * PAGE), 0);
    need_eq(file_byte(2 * (long)PAGE + 60), 0);
}

/* covers: read EFAULT mmap PROT_NONE */
static void read_into_a_mapping_of_the_same_file(void **state)
{
    char *at = map(2 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(pread(fd, at, PAGE, (long)PAGE), PAGE);
    need(at[0] == 'b' && at[PAGE - 1] == 'b');
    need_eq(file_byte(0), 'b');
    munmap(at, 2 * PAGE);
}

/* covers: msync MS_SYNC MS_ASYNC MS_INVALIDATE */
static void msync_accepts_its_modes(void **state)
{
    char *at = map(2 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    at[0] = '!';
    need_eq(SYS(SYS_msync, at, 2 * PAGE, MS_SYNC), 0);
    need_eq(SYS(SYS_msync, at, 2 * PAGE, MS_ASYNC), 0);
    need_eq(SYS(SYS_msync, at, PAGE, MS_SYNC | MS_INVALIDATE), 0);
    need_eq(SYS(SYS_msync, at, 0, MS_SYNC), 0);
    need_eq(file_byte(0), '!');
    munmap(at, 2 * PAGE);
}

/* covers: msync EINVAL MS_SYNC MS_ASYNC */
static void msync_checks_flags_and_alignment(void **state)
{
    char *at = map(PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(SYS(SYS_msync, at, PAGE, MS_SYNC | MS_ASYNC), -EINVAL);
    need_eq(SYS(SYS_msync, at, PAGE, 0x100), -EINVAL);
    need_eq(SYS(SYS_msync, at + 1, PAGE, MS_SYNC), -EINVAL);
    munmap(at, PAGE);
}

/* covers: msync ENOMEM */
static void msync_over_a_hole_is_enomem(void **state)
{
    char *at = map(3 * PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(SYS(SYS_msync, at, 3 * PAGE, MS_SYNC), -ENOMEM);
    munmap(at, 3 * PAGE);
    need_eq(SYS(SYS_msync, at, PAGE, MS_SYNC), -ENOMEM);
}

/* covers: msync EBUSY MS_INVALIDATE mlock */
static void msync_invalidate_of_locked_memory_is_ebusy(void **state)
{
    char *at = map(PAGE, RW, MAP_SHARED, 0);

    (void)state;
    need_eq(mlock(at, PAGE), 0);
    need_eq(SYS(SYS_msync, at, PAGE, MS_SYNC | MS_INVALIDATE), -EBUSY);
    munmap(at, PAGE);
}

/* covers: mmap munmap */
static void large_file_is_mapped_in_one_piece(void **state)
{
    size_t size = 16ul << 20;
    char *at;

    (void)state;
    need_eq(ftruncate(fd, (long)size), 0);
    at = map(size, RW, MAP_SHARED, 0);
    for (size_t i = 0; i < size; i += 1 << 20) {
        at[i + 77] = (char)(i >> 20);
    }
    for (size_t i = 0; i < size; i += 1 << 20) {
        need_eq(file_byte((long)i + 77), (char)(i >> 20));
    }
    munmap(at, size);
}

int main(void)
{
#define with_file(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_file(mapping_shows_the_file_and_zeros_behind_its_end),
        with_file(offset_selects_the_page),
        with_file(mapping_outlives_descriptor_and_name),
        with_file(private_writes_stay_private),
        with_file(shared_mapping_is_coherent_with_read_and_write),
        with_file(two_shared_mappings_are_the_same_memory),
        with_file(processes_that_map_the_same_file_share_memory),
        with_file(child_shares_shared_and_copies_private_mappings),
        with_file(shared_writable_mapping_needs_a_writable_descriptor),
        with_file(mprotect_cannot_add_write_to_a_shared_read_only_descriptor),
        with_file(bad_descriptor_is_ebadf),
        with_file(path_descriptor_is_ebadf),
        with_file(directory_or_pipe_is_enodev),
        with_file(offset_beyond_the_largest_file_is_eoverflow),
        with_file(growth_of_the_file_becomes_visible),
        with_file(bytes_written_behind_the_end_do_not_reach_the_file),
        with_file(read_into_a_mapping_of_the_same_file),
        with_file(msync_accepts_its_modes),
        with_file(msync_checks_flags_and_alignment),
        with_file(msync_over_a_hole_is_enomem),
        with_file(msync_invalidate_of_locked_memory_is_ebusy),
        with_file(large_file_is_mapped_in_one_piece),
    };

    return cmocka_run_group_tests_name("mm/mmap_file", tests, NULL, NULL);
}
