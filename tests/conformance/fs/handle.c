/* handle.c: name_to_handle_at(2), open_by_handle_at(2); readahead(2), ustat(2), cachestat(2). */
#include "../lib/check.h"

#include <limits.h>
#include <sys/mount.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* Linux 6.5 */
#endif

union handle {
    struct file_handle head;
    char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* Linux 6.5 */
#endif
#ifndef AT_HANDLE_MNT_ID_UNIQUE
#define AT_HANDLE_MNT_ID_UNIQUE 1 /* Linux 6.12 */
#endif
#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE 2 /* Linux 6.13 */
#endif

/* A case's folder is a tmpfs, if we may mount one: that gives handles, where what lies below may not. */
static int tmpfs_setup(void **state)
{
    int result = tempdir_setup(state);

    if (result == 0 && mount("none", *state, "tmpfs", 0, "mode=755") == 0)
        must(chdir(*state));
    return result;
}

static int tmpfs_teardown(void **state)
{
    must(chdir("/"));
    umount2(*state, MNT_DETACH);
    return tempdir_teardown(state);
}

#define tmpfs_test(f) cmocka_unit_test_setup_teardown(f, tmpfs_setup, tmpfs_teardown)

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

/* covers: open_by_handle_at ESTALE O_RDONLY */
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

/* Where a descriptor leads to. */
static void assert_descriptor_path(int fd, const char *folder, const char *name)
{
    char link[64], expected[PATH_MAX], found[PATH_MAX] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    snprintf(expected, sizeof expected, "%s/%s", folder, name);
    must(readlink(link, found, sizeof found - 1));
    assert_string_equal(found, expected);
}

/* covers: open_by_handle_at O_DIRECTORY O_PATH EISDIR ENOTDIR */
static void handle_opens_a_folder_where_it_stands(void **state)
{
    union handle folder, file;

    need_capability(CAP_DAC_READ_SEARCH);
    must(mkdir("a", 0755));
    must(mkdir("a/b", 0755));
    must(mkdir("a/b/c", 0755));
    make_file("a/b/c/f", "text");
    handle_of("a/b/c", &folder, 0);
    handle_of("a/b/c/f", &file, 0);
    int fd = (int)must(syscall(SYS_open_by_handle_at, AT_FDCWD, &folder, O_RDONLY | O_DIRECTORY));
    assert_descriptor_path(fd, *state, "a/b/c");
    must(unlinkat(fd, "f", 0));
    must(close(must(openat(fd, "g", O_CREAT | O_RDWR, 0644))));
    assert_false(path_exists("a/b/c/f"));
    assert_true(path_exists("a/b/c/g"));
    must(close(fd));
    must(rename("a/b", "moved"));
    fd = (int)must(syscall(SYS_open_by_handle_at, AT_FDCWD, &folder, O_PATH));
    assert_descriptor_path(fd, *state, "moved/c");
    must(close(fd));
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &folder, O_RDWR), EISDIR);
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &file, O_RDONLY), ESTALE);
    handle_of("moved/c/g", &file, 0);
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &file, O_RDONLY | O_DIRECTORY), ENOTDIR);
    handle_of(".", &folder, 0);
    fd = (int)must(syscall(SYS_open_by_handle_at, AT_FDCWD, &folder, O_RDONLY));
    assert_true(must(fstat(fd, &(struct stat){0})) == 0);
    must(close(fd));
}

/* covers: open_by_handle_at O_RDWR */
static void file_without_a_name_can_still_be_opened(void **state)
{
    (void)state;
    union handle handle;
    char text[8];

    need_capability(CAP_DAC_READ_SEARCH);
    make_file("f", "text");
    handle_of("f", &handle, 0);
    int fd = must(open("f", O_RDWR));
    must(unlink("f"));
    int again = (int)must(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDWR));
    assert_returns(read(again, text, sizeof text), 4);
    must(close(fd));
    must(close(again));
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), ESTALE);
}

/* covers: open_by_handle_at ELOOP O_PATH O_NOFOLLOW */
static void handle_of_a_symlink_opens_as_a_place_only(void **state)
{
    (void)state;
    union handle handle;
    char text[8];

    need_capability(CAP_DAC_READ_SEARCH);
    must(symlink("f", "link"));
    handle_of("link", &handle, 0);
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), ELOOP);
    int fd = (int)must(
        syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_returns(readlinkat(fd, "", text, sizeof text), 1);
    must(close(fd));
}

/* covers: open_by_handle_at EPERM */
static void handles_are_opened_by_the_privileged_alone(void **state)
{
    (void)state;
    union handle handle;

    make_file("f", NULL);
    handle_of("f", &handle, 0);
    as_nobody(assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY), EPERM));
}

/* covers: open_by_handle_at EINVAL EBADF EFAULT ESTALE */
static void handles_that_are_opened_are_checked(void **state)
{
    (void)state;
    union handle handle, bad;

    need_capability(CAP_DAC_READ_SEARCH);
    make_file("f", NULL);
    handle_of("f", &handle, 0);
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, BAD_PTR, O_RDONLY), EFAULT);
    assert_errno(syscall(SYS_open_by_handle_at, -1, &handle, O_RDONLY), EBADF);
    bad = handle;
    bad.head.handle_bytes = 0;
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &bad, O_RDONLY), EINVAL);
    bad.head.handle_bytes = MAX_HANDLE_SZ + 1;
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &bad, O_RDONLY), EINVAL);
    bad.head.handle_bytes = 4;
    assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, &bad, O_RDONLY), ESTALE);
    int place = must(open("f", O_PATH)), elsewhere = must(open("/proc", O_RDONLY));
    assert_errno(syscall(SYS_open_by_handle_at, place, &handle, O_RDONLY), EBADF);
    assert_errno(syscall(SYS_open_by_handle_at, elsewhere, &handle, O_RDONLY), ESTALE);
    must(close(place));
    must(close(elsewhere));
}

/* covers: name_to_handle_at EOPNOTSUPP AT_HANDLE_FID AT_HANDLE_CONNECTABLE EINVAL */
static void handle_may_be_for_telling_files_apart_only(void **state)
{
    (void)state;
    union handle handle;
    int mount, ends[2];

    make_file("f", NULL);
    handle_of("f", &handle, 0);
    must(pipe(ends));
    handle.head.handle_bytes = MAX_HANDLE_SZ;
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/version", &handle, &mount, 0),
                 EOPNOTSUPP);
    assert_errno(syscall(SYS_name_to_handle_at, ends[0], "", &handle, &mount, AT_EMPTY_PATH),
                 EOPNOTSUPP);
    if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/version", &handle, &mount, AT_HANDLE_FID) ==
            -1 &&
        errno == EINVAL)
        skip_because("AT_HANDLE_FID is not in the running kernel");
    must(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/version", &handle, &mount, AT_HANDLE_FID));
    int flags = AT_HANDLE_CONNECTABLE | AT_HANDLE_FID;
    assert_errno(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &handle, &mount, flags), EINVAL);
    must(close(ends[0]));
    must(close(ends[1]));
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
    int place = must(open("f", O_PATH));
    assert_errno(syscall(SYS_cachestat, place, &range, &counts, 0), EBADF);
    must(close(place));
    must(close(fd));
}

/* covers: cachestat */
static void holes_and_what_lies_behind_the_end_are_not_cached(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, length, cached;
    } looks[] = {
        {0, 0, 1},    {4096, 4096, 0}, {4096, 8192, 1},       {8192, 1, 1},
        {8191, 1, 0}, {8191, 2, 1},    {8192, UINT64_MAX, 0}, {1 << 20, 0, 0},
    };
    uint64_t counts[5];
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    assert_returns(pwrite(fd, "x", 1, 8192), 1);
    need_call(syscall(SYS_cachestat, fd, &looks[0], counts, 0));
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        must(syscall(SYS_cachestat, fd, &looks[i], counts, 0));
        assert_int_equal(counts[0], looks[i].cached);
        assert_int_equal(counts[2], 0);
        assert_int_equal(counts[3], 0);
    }
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tmpfs_test(size_is_told_when_the_buffer_is_too_small),
        tmpfs_test(same_file_has_the_same_handle_and_others_have_others),
        tmpfs_test(symlink_is_followed_when_asked),
        tmpfs_test(handle_opens_the_file),
        tmpfs_test(handle_opens_a_folder_where_it_stands),
        tmpfs_test(file_without_a_name_can_still_be_opened),
        tmpfs_test(handle_of_a_symlink_opens_as_a_place_only),
        tmpfs_test(handles_are_opened_by_the_privileged_alone),
        tmpfs_test(handles_that_are_opened_are_checked),
        tmpfs_test(handle_may_be_for_telling_files_apart_only),
        tmpfs_test(arguments_of_handles_are_checked),
        tempdir_test(file_can_be_read_ahead),
        tempdir_test(mounted_device_is_described),
        tmpfs_test(cached_pages_are_counted),
        tmpfs_test(holes_and_what_lies_behind_the_end_are_not_cached),
    };

    return cmocka_run_group_tests_name("fs/handle", tests, NULL, NULL);
}
