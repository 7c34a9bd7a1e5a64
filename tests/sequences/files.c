/* tests/sequences/files.c: files, directories and names on every file system that an instance has. */
#include "sequence.h"

#include <dirent.h>
#include <sys/uio.h>

#define BIG (300 * 1024L) /* more than any extent's first piece */

static int open_file(const char *path, int flags)
{
    return (int)must(mock_call(__NR_open, mock_string(path), flags, 0644));
}

static void write_text(int fd, const char *text)
{
    expect_equal(mock_call(__NR_write, fd, mock_string(text), strlen(text)), (long)strlen(text));
}

/* What stands there. */
static void expect_text(int fd, long offset, const char *text)
{
    long len = (long)strlen(text);
    mock_user at = mock_room(256);
    char got[256] = "";

    expect_equal(mock_call(__NR_pread64, fd, at, len, offset), len);
    mock_load(got, at, (size_t)len);
    expect(!strcmp(got, text));
}

static void close_file(int fd)
{
    expect_equal(mock_call(__NR_close, fd), 0);
}

/* --- the same for each file system --------------------------------------------------------------------- */

/* Everything below a directory that is empty before and after. */
static void use_directory(const char *dir)
{
    mock_user st;
    int fd;

    expect_equal(mock_call(__NR_chdir, mock_string(dir)), 0);
    fd = open_file("a", O_RDWR | O_CREAT | O_EXCL);
    expect_equal(mock_call(__NR_open, mock_string("a"), O_CREAT | O_EXCL, 0600), -EEXIST);
    write_text(fd, "hello world");
    expect_text(fd, 6, "world");
    expect_equal(mock_call(__NR_ftruncate, fd, 5), 0);
    expect_text(fd, 0, "hello");
    expect_equal(mock_call(__NR_lseek, fd, 8192, SEEK_SET), 8192);
    write_text(fd, "far");
    st = mock_room(sizeof(struct stat));
    expect_equal(mock_call(__NR_fstat, fd, st), 0);
    expect_equal(mock_get(struct stat, st).st_size, 8195);
    expect_equal(mock_get(struct stat, st).st_nlink, 1);

    expect_equal(mock_call(__NR_link, mock_string("a"), mock_string("b")), 0);
    expect_equal(mock_call(__NR_rename, mock_string("b"), mock_string("c")), 0);
    expect_equal(mock_call(__NR_mkdir, mock_string("d"), 0755), 0);
    expect_equal(mock_call(__NR_rename, mock_string("c"), mock_string("d/c")), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("d")), -ENOTEMPTY);
    expect_equal(mock_call(__NR_symlink, mock_string("d/c"), mock_string("s")), 0);
    expect_equal(mock_call(__NR_stat, mock_string("s"), st), 0);
    expect_equal(mock_get(struct stat, st).st_nlink, 2);
    expect_equal(mock_call(__NR_chmod, mock_string("s"), 0600), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("s")), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("d/c")), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("d")), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("a")), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("a")), -ENOENT);
    expect_text(fd, 0, "hello"); /* it lives on without a name: up to its hole */
    close_file(fd);
    expect_equal(mock_call(__NR_chdir, mock_string("/")), 0);
}

static int use_tmpfs(void *arg)
{
    use_directory("/dev/shm");
    return 0;
}

static int use_root(void *arg)
{
    use_directory("/work");
    return 0;
}

static void make_work(void)
{
    mock_host_dir("/work", 0755);
    mock_host_dir("/lower/dir", 0755);
    mock_host_file("/lower/file", 0644, "from the host", 13);
    mock_host_file("/lower/dir/inner", 0644, "inner", 5);
    mock_host_link("/lower/link", "file");
}

static void tmpfs_gives_everything_back(void **state)
{
    sequence(use_tmpfs);
}

static void overlay_gives_everything_back(void **state)
{
    sequence_with(use_root, (struct mock_options){.setup = make_work});
}

static void hostfs_gives_everything_back(void **state)
{
    sequence_with(use_root, (struct mock_options){.setup = make_work, .writable = true});
}

/* --- overlay --------------------------------------------------------------------------------------------- */

static int copy_up(void *arg)
{
    int fd, other;

    /* as they are at first, also when memory ran out amid an earlier run */
    mock_call(__NR_mkdir, mock_string("/lower/dir"), 0755);
    close_file(open_file("/lower/dir/inner", O_WRONLY | O_CREAT));
    fd = open_file("/lower/file", O_RDWR);
    write_text(fd, "from the host");
    close_file(fd);
    fd = open_file("/lower/file", O_RDONLY);
    expect_text(fd, 0, "from the host");
    other = open_file("/lower/file", O_RDWR | O_TRUNC);
    write_text(other, "mine");
    expect_text(other, 0, "mine");
    close_file(other);
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string("/lower/dir/inner")), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("/lower/dir")), 0);
    expect_equal(mock_call(__NR_open, mock_string("/lower/dir/inner"), O_RDONLY, 0), -ENOENT);
    expect_equal(mock_call(__NR_mkdir, mock_string("/lower/dir"), 0755), 0);
    fd = open_file("/lower/dir/inner", O_WRONLY | O_CREAT);
    close_file(fd);
    fd = open_file("/lower/file", O_RDWR | O_TRUNC);
    write_text(fd, "from the host");
    close_file(fd);
    return 0;
}

static void lower_files_are_copied_up_once(void **state)
{
    sequence_with(copy_up, (struct mock_options){.setup = make_work});
}

/* --- reading directories ---------------------------------------------------------------------------------- */

static int count_entries(const char *path, size_t room)
{
    int fd = open_file(path, O_RDONLY | O_DIRECTORY), count = 0;
    mock_user at = mock_room(room);
    char bytes[4096];
    long n;

    while ((n = must(mock_call(__NR_getdents64, fd, at, room)))) {
        mock_load(bytes, at, (size_t)n);
        for (long i = 0; i < n; i += ((struct dirent64 *)(bytes + i))->d_reclen)
            count++;
    }
    close_file(fd);
    return count;
}

static int list_many(void *arg)
{
    char name[64];

    expect_equal(mock_call(__NR_mkdir, mock_string("/work/many"), 0755), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/work/many/file %d", i);
        close_file(open_file(name, O_WRONLY | O_CREAT));
    }
    expect_equal(count_entries("/work/many", 4096), 102);
    expect_equal(count_entries("/work/many", 100), 102);
    expect(count_entries("/proc", 4096) > 10);
    expect(count_entries("/proc/self", 4096) > 20);
    expect(count_entries("/dev", 4096) > 5);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/work/many/file %d", i);
        expect_equal(mock_call(__NR_unlink, mock_string(name)), 0);
    }
    expect_equal(mock_call(__NR_rmdir, mock_string("/work/many")), 0);
    return 0;
}

static void directories_are_listed_whole(void **state)
{
    sequence_with(list_many, (struct mock_options){.setup = make_work});
    sequence_with(list_many, (struct mock_options){.setup = make_work, .writable = true});
}

/* --- large files, vectors, descriptors ------------------------------------------------------------------- */

static int large_file(void *arg)
{
    int fd = open_file(arg ? arg : "/dev/shm/large", O_RDWR | O_CREAT);
    mock_user buffer = mock_room(32768), vector = mock_room(2 * sizeof(struct iovec));
    struct iovec parts[2] = {{(void *)buffer, 100}, {(void *)(buffer + 200), 1000}};

    for (long at = 0; at < BIG; at += 32768)
        expect_equal(mock_call(__NR_pwrite64, fd, buffer, 32768, at), 32768);
    mock_store(vector, parts, sizeof(parts));
    expect_equal(mock_call(__NR_preadv, fd, vector, 2, BIG - 2000, 0), 1100);
    expect_equal(mock_call(__NR_pwritev, fd, vector, 2, BIG / 2, 0), 1100);
    expect_equal(mock_call(__NR_fallocate, fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, 8192, 65536), 0);
    expect_equal(mock_call(__NR_lseek, fd, 8192, SEEK_DATA), 8192 + 65536);
    expect_equal(mock_call(__NR_fsync, fd), 0);
    expect_equal(mock_call(__NR_ftruncate, fd, 10), 0);
    expect_equal(mock_call(__NR_read, fd, 8, 100), -EFAULT);
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string(arg ? arg : "/dev/shm/large")), 0);
    return 0;
}

static int large_host_file(void *arg)
{
    return large_file("/work/large");
}

static void large_files_give_everything_back(void **state)
{
    sequence(large_file);
    sequence_with(large_host_file, (struct mock_options){.setup = make_work});
    sequence_with(large_host_file, (struct mock_options){.setup = make_work, .writable = true});
}

static int descriptors(void *arg)
{
    int fd = open_file("/proc/self/status", O_RDONLY), copy;
    mock_user buffer = mock_room(4096);

    copy = (int)must(mock_call(__NR_dup, fd));
    expect_equal(mock_call(__NR_dup2, fd, 100), 100);
    expect_equal(mock_call(__NR_dup3, fd, 101, O_CLOEXEC), 101);
    expect_equal(mock_call(__NR_fcntl, 101, F_GETFD), FD_CLOEXEC);
    expect(must(mock_call(__NR_read, copy, buffer, 4096)) > 100);
    expect_equal(mock_call(__NR_read, fd, buffer, 4096), 0); /* one position */
    expect_equal(mock_call(__NR_close_range, fd, 200, 0), 0);
    expect_equal(mock_call(__NR_read, copy, buffer, 1), -EBADF);
    return 0;
}

static void descriptors_are_counted(void **state)
{
    sequence(descriptors);
}

/* --- leases ------------------------------------------------------------------------------------------- */

static int open_for_writing(void *arg)
{
    expect_equal(mock_call(__NR_open, mock_string("/dev/shm/leased"), O_WRONLY | O_NONBLOCK, 0),
                 -EAGAIN);
    close_file(open_file("/dev/shm/leased", O_WRONLY));
    return 0;
}

/* The holder does nothing, so whoever wants to write waits for the longest time that there is. */
static int leases(void *arg)
{
    int fd = open_file("/dev/shm/leased", O_RDONLY | O_CREAT);

    expect_equal(mock_call(__NR_rt_sigaction, SIGIO, mock_put((uint64_t[]){1, 0, 0, 0}, 32), 0, 8),
                 0); /* SIG_IGN */
    expect_equal(mock_call(__NR_fcntl, fd, F_SETLEASE, F_RDLCK), 0);
    expect_equal(mock_wait(must(mock_fork(open_for_writing, NULL))), 0);
    expect_equal(mock_call(__NR_fcntl, fd, F_GETLEASE, 0), F_UNLCK);
    expect_equal(mock_call(__NR_fcntl, fd, F_SETLEASE, F_WRLCK), 0);
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string("/dev/shm/leased")), 0);
    return 0;
}

static void a_lease_ends_after_its_time(void **state)
{
    sequence(leases);
}

/* --- mounts and the working directory --------------------------------------------------------------------- */

static int mounts(void *arg)
{
    mock_user buffer = mock_room(256);
    char text[256];

    expect_equal(mock_call(__NR_mkdir, mock_string("/work/m"), 0755), 0);
    expect_equal(mock_call(__NR_mount, mock_string("none"), mock_string("/work/m"),
                           mock_string("tmpfs"), 0, mock_string("size=1m")),
                 0);
    expect_equal(mock_call(__NR_chdir, mock_string("/work/m")), 0);
    close_file(open_file("inside", O_WRONLY | O_CREAT));
    expect_equal(mock_call(__NR_umount2, mock_string("/work/m"), 0), -EBUSY);
    must(mock_call(__NR_getcwd, buffer, 256));
    mock_load(text, buffer, sizeof(text));
    expect(!strcmp(text, "/work/m"));
    expect_equal(mock_call(__NR_chdir, mock_string("/")), 0);
    expect_equal(mock_call(__NR_mount, mock_string("/work/m"), mock_string("/work"), 0,
                           4096 /* MS_BIND */, 0),
                 0);
    close_file(open_file("/work/inside", O_RDONLY));
    expect_equal(mock_call(__NR_umount2, mock_string("/work"), 0), 0);
    expect_equal(mock_call(__NR_umount2, mock_string("/work/m"), 0), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("/work/m")), 0);
    return 0;
}

static void mounts_come_and_go(void **state)
{
    sequence_with(mounts, (struct mock_options){.setup = make_work});
}

/* Stores to all pages of a mapping that has more than the file system has room for. */
static int store_until_full(void *arg)
{
    mock_user at = (mock_user)arg;

    for (long done = 0; done < 128 * 1024; done += 4096)
        mock_store(at + done, "x", 1);
    return 0;
}

static int full_mapping(void *arg)
{
    expect_equal(mock_call(__NR_mkdir, mock_string("/work/m"), 0755), 0);
    expect_equal(mock_call(__NR_mount, mock_string("none"), mock_string("/work/m"),
                           mock_string("tmpfs"), 0, mock_string("size=64k")),
                 0);
    int fd = open_file("/work/m/f", O_RDWR | O_CREAT);
    expect_equal(mock_call(__NR_ftruncate, fd, 128 * 1024), 0);
    mock_user at = (mock_user)must(
        mock_call(__NR_mmap, 0, 128 * 1024, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    expect_equal(mock_wait(must(mock_fork(store_until_full, (void *)at))) & 0x7f, SIGBUS);
    expect_text(fd, 15 * 4096, "x");
    expect_equal(mock_call(__NR_munmap, at, 128 * 1024), 0);
    close_file(fd);
    expect_equal(mock_call(__NR_umount2, mock_string("/work/m"), 0), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("/work/m")), 0);
    return 0;
}

static void stores_find_a_file_system_full(void **state)
{
    sequence_with(full_mapping, (struct mock_options){.setup = make_work});
}

static int host_mount(void *arg)
{
    use_directory("/mnt/host");
    return 0;
}

static void a_host_directory_is_mounted(void **state)
{
    sequence_with(host_mount,
                  (struct mock_options){.setup = make_work,
                                        .mounts = {{"/work", "/mnt/host", "hostfs", ""}}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tmpfs_gives_everything_back),
        cmocka_unit_test(overlay_gives_everything_back),
        cmocka_unit_test(hostfs_gives_everything_back),
        cmocka_unit_test(lower_files_are_copied_up_once),
        cmocka_unit_test(directories_are_listed_whole),
        cmocka_unit_test(large_files_give_everything_back),
        cmocka_unit_test(descriptors_are_counted),
        cmocka_unit_test(a_lease_ends_after_its_time),
        cmocka_unit_test(mounts_come_and_go),
        cmocka_unit_test(stores_find_a_file_system_full),
        cmocka_unit_test(a_host_directory_is_mounted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
