/* full.c: a file system that runs out of space or of files (ENOSPC). */
/* tags: root-only */
#include "../lib/check.h"

#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>

enum { KIB = 1024 };

static void mount_small(const char *options)
{
    if (!own_mounts())
        skip_because("no right to mount");
    must(mkdir("m", 0755));
    if (mount("none", "m", "tmpfs", 0, options) != 0)
        skip_because("no right to mount");
    must(chdir("m"));
}

/* Runs statements in a child whose current directory is such a file system. */
#define with_small(options, ...)                                                                   \
    do {                                                                                           \
        need_root();                                                                               \
        in_child(mount_small(options); __VA_ARGS__);                                               \
    } while (0)

/* Writes until nothing more goes in; returns how much did. */
static size_t fill(int fd)
{
    static char data[16 * KIB];
    size_t total = 0;
    ssize_t n;

    memset(data, 'd', sizeof data);
    while ((n = write(fd, data, sizeof data)) > 0)
        total += (size_t)n;
    assert_int_equal(n, -1);
    assert_int_equal(errno, ENOSPC);
    return total;
}

static int open_new(const char *path)
{
    return must(open(path, O_CREAT | O_RDWR, 0644));
}

/* covers: write ENOSPC */
static void writes_go_up_to_the_last_block(void **state)
{
    (void)state;
    with_small("size=256k", assert_int_equal(fill(open_new("f")), 256 * KIB); struct statfs fs;
               must(statfs(".", &fs)); assert_int_equal(fs.f_bfree, 0));
}

/* covers: write */
static void last_write_is_short(void **state)
{
    (void)state;
    with_small("size=256k", static char data[300 * KIB]; int fd = open_new("f");
               assert_returns(write(fd, data, sizeof data), 256 * KIB);
               assert_errno(write(fd, data, 1), ENOSPC));
}

/* covers: unlink write */
static void names_can_still_be_removed_and_free_the_space(void **state)
{
    (void)state;
    with_small("size=256k", int a = open_new("a"); fill(a); int b = open_new("b");
               assert_errno(write(b, "x", 1), ENOSPC); must(unlink("a"));
               assert_errno(write(b, "x", 1), ENOSPC); /* still open */
               must(close(a)); assert_returns(write(b, "x", 1), 1));
}

/* covers: ftruncate write */
static void truncation_frees_the_space(void **state)
{
    (void)state;
    with_small("size=256k", int fd = open_new("f"); fill(fd); must(ftruncate(fd, 0));
               must(lseek(fd, 0, SEEK_SET)); assert_int_equal(fill(fd), 256 * KIB));
}

/* covers: ftruncate pwrite64 */
static void holes_take_no_space(void **state)
{
    (void)state;
    with_small("size=256k", int fd = open_new("f"); must(ftruncate(fd, 1 << 30));
               assert_returns(pwrite(fd, "x", 1, 1 << 29), 1); struct statfs fs;
               must(statfs(".", &fs)); assert_true(fs.f_bfree > 0));
}

/* covers: pwrite64 */
static void overwriting_needs_no_space(void **state)
{
    (void)state;
    with_small("size=256k", int fd = open_new("f"); fill(fd);
               assert_returns(pwrite(fd, "x", 1, 100), 1));
}

/* covers: fallocate ENOSPC */
static void allocation_is_all_or_nothing(void **state)
{
    (void)state;
    with_small("size=256k", int fd = open_new("f");
               assert_errno(fallocate(fd, 0, 0, 512 * KIB), ENOSPC); struct stat st;
               must(fstat(fd, &st)); assert_int_equal(st.st_size, 0);
               assert_int_equal(st.st_blocks, 0); must(fallocate(fd, 0, 0, 128 * KIB)));
}

/* covers: mmap MAP_SHARED */
static void store_to_a_mapped_hole_is_a_bus_error(void **state)
{
    (void)state;
    with_small(
        "size=256k", int full = open_new("full"); int fd = open_new("f"); must(ftruncate(fd, 8192));
        volatile char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(map, MAP_FAILED); fill(full); pid_t pid = child_fork(); if (pid == 0) {
            map[0] = 1;
            _exit(0);
        } assert_killed_by(child_wait(pid), SIGBUS));
}

/* covers: mmap MAP_SHARED fstat statfs write ENOSPC */
static void stores_to_a_mapped_hole_take_space(void **state)
{
    (void)state;
    with_small(
        "size=256k", int fd = open_new("f"); struct stat st; struct statfs fs;
        must(ftruncate(fd, 1 << 20));
        char *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(map, MAP_FAILED); must(fstat(fd, &st));
        assert_int_equal(st.st_blocks, 0); map[0] = 'a'; map[300 * KIB] = 'b'; map[900 * KIB] = 'c';
        must(fstat(fd, &st)); assert_int_equal(st.st_blocks, 3 * 8); must(statfs(".", &fs));
        assert_int_equal(fs.f_bfree * (size_t)fs.f_bsize, (256 - 12) * KIB); map[304 * KIB] = 'd';
        must(munmap(map, 1 << 20)); must(fstat(fd, &st)); assert_int_equal(st.st_blocks, 4 * 8);
        assert_int_equal(fill(open_new("rest")), (256 - 16) * KIB); must(ftruncate(fd, 4 * KIB));
        must(fstat(fd, &st)); assert_int_equal(st.st_blocks, 8));
}

/* covers: mmap MAP_SHARED */
static void stores_end_where_the_space_does(void **state)
{
    (void)state;
    with_small(
        "size=256k", int fd = open_new("f"); struct stat st; must(ftruncate(fd, 1 << 20));
        volatile size_t *done = shared_alloc(sizeof *done); pid_t pid = child_fork();
        if (pid == 0) {
            volatile char *map =
                must(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

            for (*done = 0; *done < 1 << 20; *done += 4 * KIB)
                map[*done] = 'x';
            _exit(0);
        } assert_killed_by(child_wait(pid), SIGBUS);
        assert_int_equal(*done, 256 * KIB); must(fstat(fd, &st));
        assert_int_equal(st.st_blocks, 512); assert_errno(write(open_new("g"), "x", 1), ENOSPC));
}

/* covers: mmap MAP_SHARED read EFAULT madvise MADV_POPULATE_WRITE EFAULT */
static void calls_and_reading_touch_no_hole_without_space(void **state)
{
    (void)state;
    with_small(
        "size=256k", int full = open_new("full"); int fd = open_new("f"); int fds[2];
        must(ftruncate(fd, 16 * KIB)); must(pipe(fds));
        char *map = must(mmap(NULL, 16 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        map[0] = 'a'; fill(full); assert_returns(write(fds[1], "bc", 2), 2);
        assert_errno(read(fds[0], map + 4 * KIB, 1), EFAULT);
        assert_errno(madvise(map + 4 * KIB, 4 * KIB, MADV_POPULATE_WRITE), EFAULT);
        pid_t pid = child_fork(); if (pid == 0) _exit(*(volatile char *)(map + 8 * KIB));
        assert_killed_by(child_wait(pid), SIGBUS); map[1] = 'b'; /* that one is there */
        must(mprotect(map, 16 * KIB, PROT_READ));
        must(mprotect(map, 16 * KIB, PROT_WRITE | PROT_READ)); pid = child_fork(); if (pid == 0) {
            map[8 * KIB] = 1;
            _exit(0);
        } assert_killed_by(child_wait(pid), SIGBUS);
        must(ftruncate(full, 128 * KIB)); assert_returns(read(fds[0], map + 4 * KIB, 2), 2);
        map[8 * KIB] = 'd'; assert_int_equal(map[12 * KIB], 0); struct stat st;
        must(fstat(fd, &st)); assert_int_equal(st.st_blocks, 4 * 8); char seen[2];
        assert_returns(pread(fd, seen, 2, 0), 2); assert_memory_equal(seen, "ab", 2);
        assert_returns(pread(fd, seen, 2, 4 * KIB), 2); assert_memory_equal(seen, "bc", 2));
}

/* covers: mmap MAP_SHARED fallocate FALLOC_FL_PUNCH_HOLE */
static void hole_that_is_made_in_a_mapping_takes_space_again(void **state)
{
    (void)state;
    with_small(
        "size=64k", int fd = open_new("f"); must(ftruncate(fd, 128 * KIB));
        char *map = must(mmap(NULL, 128 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        memset(map, 'x', 64 * KIB);
        must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * KIB));
        assert_int_equal(map[0], 0); map[64 * KIB] = 'y'; pid_t pid = child_fork(); if (pid == 0) {
            map[4 * KIB] = 1;
            _exit(0);
        } assert_killed_by(child_wait(pid), SIGBUS));
}

/* covers: pwrite64 ENOSPC fallocate ENOSPC */
static void holes_are_filled_as_far_as_there_is_space(void **state)
{
    (void)state;
    with_small("size=256k", static char data[64 * KIB]; int full = open_new("full");
               int fd = open_new("f"); must(ftruncate(fd, 1 << 20));
               assert_returns(pwrite(fd, "x", 1, 8 * KIB), 1); fill(full);
               must(ftruncate(full, 244 * KIB)); /* two pages are left */
               assert_returns(pwrite(fd, data, sizeof data, 4 * KIB), 12 * KIB);
               assert_errno(pwrite(fd, data, 1, 512 * KIB), ENOSPC);
               assert_returns(pwrite(fd, data, 1, 8 * KIB), 1);
               must(fallocate(fd, 0, 4 * KIB, 12 * KIB)); /* all of it is there */
               assert_errno(fallocate(fd, 0, 0, 8 * KIB), ENOSPC));
}

/* covers: sendfile ENOSPC */
static void sendfile_is_refused(void **state)
{
    (void)state;
    with_small("size=256k", int in = open_new("in"); assert_returns(write(in, "abc", 3), 3);
               int out = open_new("out"); fill(open_new("full")); off_t at = 0;
               assert_errno(sendfile(out, in, &at, 3), ENOSPC));
}

/* covers: openat ENOSPC mkdir ENOSPC symlink ENOSPC mknod ENOSPC */
static void files_run_out_too(void **state)
{
    (void)state;
    with_small("size=256k,nr_inodes=4", make_file("a", NULL); make_file("b", NULL);
               make_file("c", NULL); assert_errno(open("d", O_CREAT | O_RDWR, 0644), ENOSPC);
               assert_errno(mkdir("d", 0755), ENOSPC); assert_errno(symlink("x", "d"), ENOSPC);
               assert_errno(mkfifo("d", 0644), ENOSPC); must(unlink("a")); must(mkdir("d", 0755)));
}

/* covers: statfs */
static void number_of_files_shows_in_statfs(void **state)
{
    (void)state;
    with_small("size=256k,nr_inodes=10", struct statfs fs; make_file("a", NULL);
               must(statfs(".", &fs)); assert_int_equal(fs.f_files, 10);
               assert_int_equal(fs.f_ffree, 8);
               assert_int_equal(fs.f_blocks * (size_t)fs.f_bsize, 256 * KIB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(writes_go_up_to_the_last_block),
        tempdir_test(last_write_is_short),
        tempdir_test(names_can_still_be_removed_and_free_the_space),
        tempdir_test(truncation_frees_the_space),
        tempdir_test(holes_take_no_space),
        tempdir_test(overwriting_needs_no_space),
        tempdir_test(allocation_is_all_or_nothing),
        tempdir_test(store_to_a_mapped_hole_is_a_bus_error),
        tempdir_test(stores_to_a_mapped_hole_take_space),
        tempdir_test(stores_end_where_the_space_does),
        tempdir_test(calls_and_reading_touch_no_hole_without_space),
        tempdir_test(hole_that_is_made_in_a_mapping_takes_space_again),
        tempdir_test(holes_are_filled_as_far_as_there_is_space),
        tempdir_test(sendfile_is_refused),
        tempdir_test(files_run_out_too),
        tempdir_test(number_of_files_shows_in_statfs),
    };

    return cmocka_run_group_tests_name("fs/full", tests, NULL, NULL);
}
