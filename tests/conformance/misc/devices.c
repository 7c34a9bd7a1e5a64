/* devices.c: the simple character devices: null(4), zero(4), full(4). */
#include "../lib/check.h"

#include <poll.h>
#include <sys/sysmacros.h>

/* covers: read write */
static void null_swallows_and_is_empty(void **state)
{
    (void)state;
    char text[8];
    int fd = must(open("/dev/null", O_RDWR));

    assert_returns(write(fd, "abcdef", 6), 6);
    assert_returns(read(fd, text, sizeof text), 0);
    assert_returns(lseek(fd, 100, SEEK_SET), 0);
    must(close(fd));
}

/* covers: read write */
static void zero_gives_zeros_and_swallows(void **state)
{
    (void)state;
    static const char zeros[5000];
    char data[5000];
    int fd = must(open("/dev/zero", O_RDWR));

    memset(data, 1, sizeof data);
    assert_returns(read(fd, data, sizeof data), sizeof data);
    assert_memory_equal(data, zeros, sizeof data);
    assert_returns(write(fd, "abcdef", 6), 6);
    must(close(fd));
}

/* covers: mmap MAP_PRIVATE MAP_SHARED */
static void zero_can_be_mapped_privately_and_shared(void **state)
{
    (void)state;
    int fd = must(open("/dev/zero", O_RDWR));
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(map[100], 0);
    map[100] = 1;
    must(munmap(map, 4096));
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    in_child(map[7] = 'c');
    assert_int_equal(map[7], 'c');
    must(munmap(map, 4096));
    must(close(fd));
}

/* covers: mmap EACCES mprotect EACCES */
static void zero_opened_for_reading_is_not_mapped_writable(void **state)
{
    (void)state;
    int fd = must(open("/dev/zero", O_RDONLY));

    assert_errno(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
    char *map = must(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    assert_int_equal(map[0], 0);
    assert_errno(mprotect(map, 4096, PROT_READ | PROT_WRITE), EACCES);
    must(munmap(map, 4096));
    must(close(fd));
}

/* covers: mmap ENODEV */
static void the_others_cannot_be_mapped(void **state)
{
    (void)state;
    int null = must(open("/dev/null", O_RDWR)), full = must(open("/dev/full", O_RDWR));

    assert_errno(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0), ENODEV);
    assert_errno(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, full, 0), ENODEV);
    must(close(null));
    must(close(full));
}

/* covers: read write ENOSPC */
static void full_gives_zeros_and_takes_nothing(void **state)
{
    (void)state;
    char data[16];
    int fd = must(open("/dev/full", O_RDWR));

    memset(data, 1, sizeof data);
    assert_returns(read(fd, data, sizeof data), sizeof data);
    assert_int_equal(data[15], 0);
    assert_errno(write(fd, "x", 1), ENOSPC);
    must(close(fd));
}

/* covers: stat */
static void numbers_are_the_well_known_ones(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned minor;
    } devices[] = {{"/dev/null", 3},
                   {"/dev/zero", 5},
                   {"/dev/full", 7},
                   {"/dev/random", 8},
                   {"/dev/urandom", 9}};

    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        struct stat st;
        must(stat(devices[i].path, &st));
        assert_true(S_ISCHR(st.st_mode));
        assert_int_equal(st.st_rdev, makedev(1, devices[i].minor));
    }
}

/* covers: open */
static void everybody_may_use_them(void **state)
{
    (void)state;
    as_nobody(must(open("/dev/null", O_RDWR)); must(open("/dev/zero", O_RDWR));
              must(open("/dev/full", O_WRONLY)); must(open("/dev/urandom", O_RDONLY)));
}

/* covers: poll */
static void null_and_zero_are_always_ready(void **state)
{
    (void)state;
    struct pollfd p[] = {{must(open("/dev/null", O_RDWR)), POLLIN | POLLOUT, 0},
                         {must(open("/dev/zero", O_RDWR)), POLLIN | POLLOUT, 0}};

    assert_returns(poll(p, 2, -1), 2);
    assert_int_equal(p[0].revents, POLLIN | POLLOUT);
    assert_int_equal(p[1].revents, POLLIN | POLLOUT);
    must(close(p[0].fd));
    must(close(p[1].fd));
}

/* covers: openat O_TRUNC O_CREAT */
static void truncating_open_of_null_succeeds(void **state)
{
    (void)state;
    must(close(must(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644))));
}

/* covers: read EFAULT */
static void reading_to_a_bad_address_faults(void **state)
{
    (void)state;
    int fd = must(open("/dev/zero", O_RDONLY));

    assert_errno(syscall(SYS_read, fd, BAD_PTR, 10), EFAULT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_swallows_and_is_empty),
        cmocka_unit_test(zero_gives_zeros_and_swallows),
        cmocka_unit_test(zero_can_be_mapped_privately_and_shared),
        cmocka_unit_test(zero_opened_for_reading_is_not_mapped_writable),
        cmocka_unit_test(the_others_cannot_be_mapped),
        cmocka_unit_test(full_gives_zeros_and_takes_nothing),
        cmocka_unit_test(numbers_are_the_well_known_ones),
        cmocka_unit_test(everybody_may_use_them),
        cmocka_unit_test(null_and_zero_are_always_ready),
        cmocka_unit_test(truncating_open_of_null_succeeds),
        cmocka_unit_test(reading_to_a_bad_address_faults),
    };

    return cmocka_run_group_tests_name("misc/devices", tests, NULL, NULL);
}
