/* handle.c: name_to_handle_at(2), open_by_handle_at(2); readahead(2), ustat(2), cachestat(2). */
#include "../lib/check.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* Linux 6.5 */
#endif

union handle {
    struct file_handle head;
    char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

/* Skips where the file system gives no handles. */
static void handle_of(const char *path, union handle *handle, int flags)
{
    int mount;

    handle->head.handle_bytes = MAX_HANDLE_SZ;
    long result = syscall(SYS_name_to_handle_at, AT_FDCWD, path, handle, &mount, flags);
    if (result == -1 && (errno == EOPNOTSUPP || errno == ENOSYS))
        skip_because("the file system gives no handles");
    must(result);
}

/* covers: name_to_handle_at EOVERFLOW */
static void size_is_told_when_the_buffer_is_too_small(void **state)
{
    (void)state;
    union handle handle;
    int mount;

    make_file("f", NULL);
    handle_of("f", &handle, 0);
    unsigned size = handle.head.handle_bytes;
    handle.head.handle_bytes = 0;
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &handle, &mount, 0), EOVERFLOW);
    assert_int_equal(handle.head.handle_bytes, size);
}

/* covers: name_to_handle_at */
static void same_file_has_the_same_handle_and_others_have_others(void **state)
{
    (void)state;
    union handle a, b, other;

    make_file("a", NULL);
    make_file("other", NULL);
    must(link("a", "b"));
    handle_of("a", &a, 0);
    handle_of("b", &b, 0);
    handle_of("other", &other, 0);
    assert_int_equal(a.head.handle_bytes, b.head.handle_bytes);
    assert_memory_equal(a.head.f_handle, b.head.f_handle, a.head.handle_bytes);
    assert_memory_not_equal(a.head.f_handle, other.head.f_handle, a.head.handle_bytes);
}

/* covers: name_to_handle_at AT_SYMLINK_FOLLOW AT_EMPTY_PATH */
static void symlink_is_followed_when_asked(void **state)
{
    (void)state;
    union handle file, link_itself, followed;
    int mount;

    make_file("f", NULL);
    must(symlink("f", "link"));
    handle_of("f", &file, 0);
    handle_of("link", &link_itself, 0);
    handle_of("link", &followed, AT_SYMLINK_FOLLOW);
    assert_memory_equal(file.head.f_handle, followed.head.f_handle, file.head.handle_bytes);
    assert_memory_not_equal(file.head.f_handle, link_itself.head.f_handle, file.head.handle_bytes);
    int fd = must(open("f", O_RDONLY));
    followed.head.handle_bytes = MAX_HANDLE_SZ;
    must(syscall(SYS_name_to_handle_at, fd, "", &followed, &mount, AT_EMPTY_PATH));
    assert_memory_equal(file.head.f_handle, followed.head.f_handle, file.head.handle_bytes);
    must(close(fd));
}

/* covers: open_by_handle_at ESTALE */
static void handle_opens_the_file(void **state)
{
    (void)state;
    union handle handle;
    char text[8];

    need_capability(CAP_DAC_READ_SEARCH);
    make_file("f", "text");
    handle_of("f", &handle, 0);
    must(rename("f", "g"));
    int fd = (int)must(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY));
    assert_returns(read(fd, text, sizeof text), 4);
    must(close(fd));
    must(unlink("g"));
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), ESTALE);
}

/* covers: name_to_handle_at EINVAL ENOENT EBADF EFAULT ENOTDIR */
static void arguments_of_handles_are_checked(void **state)
{
    (void)state;
    union handle handle;
    int mount;

    make_file("f", NULL);
    handle_of("f", &handle, 0);
    int fd = must(open("f", O_RDONLY));
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &handle, &mount, 1 << 30), EINVAL);
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "none", &handle, &mount, 0), ENOENT);
    assert_errno(syscall(SYS_name_to_handle_at, fd, "", &handle, &mount, 0), ENOENT);
    assert_errno(syscall(SYS_name_to_handle_at, 100000, "f", &handle, &mount, 0), EBADF);
    assert_errno(syscall(SYS_name_to_handle_at, fd, "x", &handle, &mount, 0), ENOTDIR);
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", BAD_PTR, &mount, 0), EFAULT);
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, BAD_PTR, &handle, &mount, 0), EFAULT);
    handle.head.handle_bytes = MAX_HANDLE_SZ + 1;
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &handle, &mount, 0), EINVAL);
    must(close(fd));
}

/* covers: readahead EBADF EINVAL */
static void file_can_be_read_ahead(void **state)
{
    (void)state;
    int fds[2];

    make_file("f", "text");
    int r = must(open("f", O_RDONLY)), w = must(open("f", O_WRONLY));
    assert_returns(syscall(SYS_readahead, r, 0l, 4096ul), 0);
    assert_errno(syscall(SYS_readahead, w, 0l, 4096ul), EBADF);
    assert_errno(syscall(SYS_readahead, -1, 0l, 4096ul), EBADF);
    must(pipe(fds));
    assert_errno(syscall(SYS_readahead, fds[0], 0l, 4096ul), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(r));
    must(close(w));
}

/* covers: ustat EINVAL EFAULT */
static void mounted_device_is_described(void **state)
{
    (void)state;
    char buffer[64];
    struct stat st;

    must(stat(".", &st));
    must(syscall(SYS_ustat, (unsigned)st.st_dev, buffer));
    assert_errno(syscall(SYS_ustat, 0x7fffffffu, buffer), EINVAL);
    assert_errno(syscall(SYS_ustat, (unsigned)st.st_dev, BAD_PTR), EFAULT);
}

/* covers: cachestat EBADF EINVAL EFAULT */
static void cached_pages_are_counted(void **state)
{
    (void)state;
    struct {
        uint64_t offset, length;
    } range = {0, 8192};
    struct {
        uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } counts = {0};
    static char data[8192];
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    need_call(syscall(SYS_cachestat, fd, &range, &counts, 0));
    assert_returns(write(fd, data, sizeof data), sizeof data);
    must(syscall(SYS_cachestat, fd, &range, &counts, 0));
    assert_int_equal(counts.cached, 2);
    assert_errno(syscall(SYS_cachestat, -1, &range, &counts, 0), EBADF);
    assert_errno(syscall(SYS_cachestat, fd, &range, &counts, 1), EINVAL);
    assert_errno(syscall(SYS_cachestat, fd, BAD_PTR, &counts, 0), EFAULT);
    assert_errno(syscall(SYS_cachestat, fd, &range, BAD_PTR, 0), EFAULT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(size_is_told_when_the_buffer_is_too_small),
        tempdir_test(same_file_has_the_same_handle_and_others_have_others),
        tempdir_test(symlink_is_followed_when_asked),
        tempdir_test(handle_opens_the_file),
        tempdir_test(arguments_of_handles_are_checked),
        tempdir_test(file_can_be_read_ahead),
        tempdir_test(mounted_device_is_described),
        tempdir_test(cached_pages_are_counted),
    };

    return cmocka_run_group_tests_name("fs/handle", tests, NULL, NULL);
}
