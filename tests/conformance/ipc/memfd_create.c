/* memfd_create.c: memfd_create(2), and the seals of fcntl(2). */
#include "../lib/check.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#define MFD_EXEC        0x10u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static int new_memfd(unsigned flags)
{
    return (int)must(syscall(SYS_memfd_create, "test", flags));
}

static int new_sealable(const char *text)
{
    int fd = new_memfd(MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_returns(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* covers: memfd_create */
static void is_an_empty_regular_file_without_a_name(void **state)
{
    (void)state;
    struct stat st;
    int fd = new_memfd(0);

    must(fstat(fd, &st));
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_size, 0);
    assert_int_equal(st.st_nlink, 0);
    assert_returns(fcntl(fd, F_GETFD), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    must(close(fd));
}

/* covers: memfd_create mmap */
static void reads_writes_and_maps_like_a_file(void **state)
{
    (void)state;
    char text[8] = "";
    int fd = new_memfd(0);

    must(ftruncate(fd, 4096));
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    memcpy(map, "mapped", 6);
    assert_returns(pread(fd, text, 6, 0), 6);
    assert_string_equal(text, "mapped");
    assert_returns(pwrite(fd, "W", 1, 0), 1);
    assert_int_equal(map[0], 'W');
    must(munmap(map, 4096));
    must(close(fd));
}

/* covers: memfd_create */
static void each_call_makes_another_file(void **state)
{
    (void)state;
    struct stat a_st, b_st;
    int a = new_memfd(0), b = new_memfd(0);

    must(fstat(a, &a_st));
    must(fstat(b, &b_st));
    assert_true(a_st.st_ino != b_st.st_ino);
    must(close(a));
    must(close(b));
}

/* covers: memfd_create */
static void name_shows_in_proc(void **state)
{
    (void)state;
    char path[64], target[64] = "";
    int fd = new_memfd(0);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(readlink(path, target, sizeof target - 1));
    assert_string_equal(target, "/memfd:test (deleted)");
    must(close(fd));
}

/* covers: memfd_create MFD_CLOEXEC */
static void cloexec_flag_is_set_when_asked(void **state)
{
    (void)state;
    int fd = new_memfd(MFD_CLOEXEC);

    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
}

/* covers: memfd_create EINVAL */
static void name_has_at_most_249_bytes(void **state)
{
    (void)state;
    char name[251];

    memset(name, 'n', sizeof name);
    name[250] = 0;
    assert_errno(syscall(SYS_memfd_create, name, 0), EINVAL);
    name[249] = 0;
    must(close((int)must(syscall(SYS_memfd_create, name, 0))));
    must(close((int)must(syscall(SYS_memfd_create, "", 0))));
}

/* covers: memfd_create EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_memfd_create, "x", 0x400), EINVAL);
    assert_errno(syscall(SYS_memfd_create, "x", 0x80000000), EINVAL);
}

/* covers: memfd_create EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_memfd_create, BAD_PTR, 0), EFAULT);
}

/* covers: memfd_create fcntl F_GET_SEALS F_ADD_SEALS EPERM F_SEAL_SEAL */
static void file_is_sealed_against_seals_unless_asked(void **state)
{
    (void)state;
    int fd = new_memfd(0);

    assert_returns(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    assert_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    must(close(fd));
}

/* covers: memfd_create MFD_ALLOW_SEALING fcntl F_ADD_SEALS F_GET_SEALS */
static void seals_add_up(void **state)
{
    (void)state;
    int fd = new_sealable("");

    assert_returns(fcntl(fd, F_GET_SEALS), 0);
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    assert_returns(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
    must(close(fd));
}

/* covers: fcntl F_SEAL_WRITE write EPERM */
static void write_seal_forbids_writing(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    assert_errno(pwrite(fd, "x", 1, 0), EPERM);
    assert_errno(write(fd, "x", 1), EPERM);
    char c;
    assert_returns(pread(fd, &c, 1, 0), 1);
    must(close(fd));
}

/* covers: fcntl F_SEAL_WRITE mmap EPERM */
static void write_seal_forbids_writable_shared_maps(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    assert_errno(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    must(munmap(map, 4096));
    must(close(fd));
}

/* covers: fcntl F_SEAL_WRITE EBUSY */
static void write_seal_waits_for_writable_maps_to_go(void **state)
{
    (void)state;
    int fd = new_sealable("abc");
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    assert_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    must(munmap(map, 4096));
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    must(close(fd));
}

/* covers: fcntl F_SEAL_WRITE fallocate EPERM */
static void write_seal_forbids_punching_holes(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    assert_errno(fallocate(fd, 3 /* punch hole, keep size */, 0, 1), EPERM);
    must(close(fd));
}

/* covers: fcntl F_SEAL_FUTURE_WRITE */
static void future_write_seal_leaves_existing_maps(void **state)
{
    (void)state;
    int fd = new_sealable("abc");
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    map[0] = 'A';
    assert_errno(pwrite(fd, "x", 1, 0), EPERM);
    assert_errno(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    must(munmap(map, 4096));
    must(close(fd));
}

/* covers: fcntl F_SEAL_GROW ftruncate EPERM write EPERM fallocate EPERM */
static void grow_seal_forbids_growing(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    assert_errno(ftruncate(fd, 10), EPERM);
    assert_errno(pwrite(fd, "x", 1, 3 * 4096), EPERM);
    assert_errno(fallocate(fd, 0, 0, 10 * 4096), EPERM);
    assert_returns(pwrite(fd, "x", 1, 0), 1);
    must(ftruncate(fd, 1));
    must(close(fd));
}

/* covers: fcntl F_SEAL_SHRINK ftruncate EPERM */
static void shrink_seal_forbids_shrinking(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    assert_errno(ftruncate(fd, 1), EPERM);
    must(ftruncate(fd, 10));
    must(close(fd));
}

/* covers: fcntl F_SEAL_SEAL F_ADD_SEALS EPERM */
static void seal_seal_forbids_more_seals(void **state)
{
    (void)state;
    int fd = new_sealable("abc");

    must(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    assert_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    assert_returns(pwrite(fd, "x", 1, 0), 1);
    must(close(fd));
}

/* covers: fcntl F_ADD_SEALS EPERM */
static void seals_belong_to_the_file_and_need_a_writable_descriptor(void **state)
{
    (void)state;
    char path[64];
    int fd = new_sealable("abc");

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = must(open(path, O_RDONLY));
    assert_errno(fcntl(r, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    assert_returns(fcntl(r, F_GET_SEALS), F_SEAL_WRITE);
    must(close(r));
    must(close(fd));
}

/* covers: fcntl F_ADD_SEALS EINVAL */
static void unknown_seal_is_refused(void **state)
{
    (void)state;
    int fd = new_sealable("");

    assert_errno(fcntl(fd, F_ADD_SEALS, 0x4000), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_ADD_SEALS EINVAL F_GET_SEALS EINVAL */
static void other_files_have_no_seals(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(fcntl(fds[0], F_GET_SEALS), EINVAL);
    assert_errno(fcntl(fds[1], F_ADD_SEALS, F_SEAL_WRITE), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: memfd_create MFD_NOEXEC_SEAL fcntl F_SEAL_EXEC fchmod EPERM */
static void noexec_flag_seals_the_mode(void **state)
{
    (void)state;
    int fd = (int)syscall(SYS_memfd_create, "x", MFD_NOEXEC_SEAL);
    struct stat st;

    if (fd == -1 && errno == EINVAL)
        skip_because("the running kernel has no MFD_NOEXEC_SEAL");
    must(fd);
    must(fstat(fd, &st));
    assert_int_equal(st.st_mode & 0111, 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
    assert_errno(fchmod(fd, 0755), EPERM);
    must(close(fd));
    assert_errno(syscall(SYS_memfd_create, "x", MFD_NOEXEC_SEAL | MFD_EXEC), EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_an_empty_regular_file_without_a_name),
        cmocka_unit_test(reads_writes_and_maps_like_a_file),
        cmocka_unit_test(each_call_makes_another_file),
        cmocka_unit_test(name_shows_in_proc),
        cmocka_unit_test(cloexec_flag_is_set_when_asked),
        cmocka_unit_test(name_has_at_most_249_bytes),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(file_is_sealed_against_seals_unless_asked),
        cmocka_unit_test(seals_add_up),
        cmocka_unit_test(write_seal_forbids_writing),
        cmocka_unit_test(write_seal_forbids_writable_shared_maps),
        cmocka_unit_test(write_seal_waits_for_writable_maps_to_go),
        cmocka_unit_test(write_seal_forbids_punching_holes),
        cmocka_unit_test(future_write_seal_leaves_existing_maps),
        cmocka_unit_test(grow_seal_forbids_growing),
        cmocka_unit_test(shrink_seal_forbids_shrinking),
        cmocka_unit_test(seal_seal_forbids_more_seals),
        cmocka_unit_test(seals_belong_to_the_file_and_need_a_writable_descriptor),
        cmocka_unit_test(unknown_seal_is_refused),
        cmocka_unit_test(other_files_have_no_seals),
        cmocka_unit_test(noexec_flag_seals_the_mode),
    };

    return cmocka_run_group_tests_name("ipc/memfd_create", tests, NULL, NULL);
}
