/* getdents64.c: getdents64(2) and getdents(2). */
#include "../lib/check.h"

#include <dirent.h>

struct dirent64_raw {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};

struct dirent_raw {
    unsigned long d_ino;
    unsigned long d_off;
    unsigned short d_reclen;
    char d_name[]; /* the type is the last byte of the record */
};

static long do_getdents64(int fd, void *buffer, unsigned size)
{
    return syscall(SYS_getdents64, fd, buffer, size);
}

/* Counts how often a name is listed from the descriptor's place on; size is that of each call. */
static int count_name(int fd, const char *name, unsigned size, unsigned char *type)
{
    char buffer[4096] __attribute__((aligned(8)));
    int found = 0;
    long n;

    while ((n = must(do_getdents64(fd, buffer, size))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64_raw *entry = (void *)(buffer + at);
            assert_int_equal(entry->d_reclen % 8, 0);
            assert_true(entry->d_reclen > strlen(entry->d_name) + 19);
            assert_true(at + entry->d_reclen <= n);
            if (strcmp(entry->d_name, name) == 0) {
                found++;
                if (type)
                    *type = entry->d_type;
            }
            at += entry->d_reclen;
        }
    }
    return found;
}

/* covers: getdents64 */
static void empty_folder_lists_dot_and_dot_dot(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    int fd = must(open("d", O_RDONLY));
    assert_int_equal(count_name(fd, ".", 4096, NULL), 1);
    must(lseek(fd, 0, SEEK_SET));
    assert_int_equal(count_name(fd, "..", 4096, NULL), 1);
    must(close(fd));
}

/* covers: getdents64 */
static void end_is_zero_again_and_again(void **state)
{
    (void)state;
    char buffer[512];
    int fd = must(open(".", O_RDONLY));

    while (must(do_getdents64(fd, buffer, sizeof buffer)) > 0)
        continue;
    assert_returns(do_getdents64(fd, buffer, sizeof buffer), 0);
    must(close(fd));
}

/* covers: getdents64 */
static void inode_is_that_of_stat(void **state)
{
    (void)state;
    char buffer[4096] __attribute__((aligned(8)));
    struct stat st;

    make_file("f", NULL);
    must(stat("f", &st));
    int fd = must(open(".", O_RDONLY));
    long n = must(do_getdents64(fd, buffer, sizeof buffer));
    bool found = false;
    for (long at = 0; at < n;) {
        struct dirent64_raw *entry = (void *)(buffer + at);
        if (strcmp(entry->d_name, "f") == 0) {
            found = true;
            assert_int_equal(entry->d_ino, st.st_ino);
        }
        at += entry->d_reclen;
    }
    assert_true(found);
    must(close(fd));
}

/* covers: getdents64 */
static void type_is_given_or_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned char type;
    } expected[] = {{"f", DT_REG}, {"d", DT_DIR}, {"l", DT_LNK}, {"p", DT_FIFO}};

    make_file("f", NULL);
    must(mkdir("d", 0755));
    must(symlink("f", "l"));
    must(mkfifo("p", 0644));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        unsigned char type = 255;
        int fd = must(open(".", O_RDONLY));
        assert_int_equal(count_name(fd, expected[i].name, 4096, &type), 1);
        assert_true(type == expected[i].type || type == DT_UNKNOWN);
        must(close(fd));
    }
}

/* covers: getdents64 */
static void each_name_comes_once_with_small_buffers(void **state)
{
    (void)state;
    enum { FILES = 300 };
    char name[16];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%d", i);
        make_file(name, NULL);
    }
    int fd = must(open(".", O_RDONLY));
    for (int i = 0; i < FILES; i += 37) {
        snprintf(name, sizeof name, "file%d", i);
        must(lseek(fd, 0, SEEK_SET));
        assert_int_equal(count_name(fd, name, 100, NULL), 1);
    }
    must(close(fd));
}

/* covers: getdents64 */
static void names_of_255_bytes_are_listed(void **state)
{
    (void)state;
    char name[256];

    memset(name, 'n', 255);
    name[255] = 0;
    make_file(name, NULL);
    int fd = must(open(".", O_RDONLY));
    assert_int_equal(count_name(fd, name, 4096, NULL), 1);
    must(close(fd));
}

/* covers: getdents64 lseek */
static void rewinding_lists_again_and_shows_changes(void **state)
{
    (void)state;
    int fd = must(open(".", O_RDONLY));

    assert_int_equal(count_name(fd, "late", 4096, NULL), 0);
    make_file("late", NULL);
    must(lseek(fd, 0, SEEK_SET));
    assert_int_equal(count_name(fd, "late", 4096, NULL), 1);
    must(unlink("late"));
    must(lseek(fd, 0, SEEK_SET));
    assert_int_equal(count_name(fd, "late", 4096, NULL), 0);
    must(close(fd));
}

/* covers: getdents64 lseek */
static void offset_of_an_entry_leads_to_the_next(void **state)
{
    (void)state;
    char buffer[4096] __attribute__((aligned(8))), again[4096] __attribute__((aligned(8)));

    for (char c = 'a'; c <= 'j'; c++)
        make_file((char[]){c, 0}, NULL);
    int fd = must(open(".", O_RDONLY));
    long n = must(do_getdents64(fd, buffer, sizeof buffer));
    for (long at = 0; at < n;) {
        struct dirent64_raw *entry = (void *)(buffer + at);
        struct dirent64_raw *next = (void *)(buffer + at + entry->d_reclen);
        at += entry->d_reclen;
        must(lseek(fd, entry->d_off, SEEK_SET));
        long m = must(do_getdents64(fd, again, sizeof again));
        if (at < n) {
            assert_true(m > 0);
            assert_string_equal(((struct dirent64_raw *)again)->d_name, next->d_name);
        } else {
            assert_int_equal(m, 0);
        }
    }
    must(close(fd));
}

/* covers: getdents64 unlink */
static void files_can_be_removed_while_listing(void **state)
{
    (void)state;
    enum { FILES = 200 };
    char name[16], buffer[200] __attribute__((aligned(8)));
    int removed = 0;
    long n;

    must(mkdir("d", 0755));
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "d/f%d", i);
        make_file(name, NULL);
    }
    int fd = must(open("d", O_RDONLY));
    while ((n = must(do_getdents64(fd, buffer, sizeof buffer))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64_raw *entry = (void *)(buffer + at);
            if (entry->d_name[0] == 'f') {
                must(unlinkat(fd, entry->d_name, 0));
                removed++;
            }
            at += entry->d_reclen;
        }
    }
    assert_int_equal(removed, FILES);
    must(close(fd));
    must(rmdir("d"));
}

/* covers: getdents64 dup */
static void duplicate_shares_the_place(void **state)
{
    (void)state;
    char buffer[4096];
    int fd = must(open(".", O_RDONLY));
    int copy = must(dup(fd));

    assert_true(must(do_getdents64(fd, buffer, sizeof buffer)) > 0);
    assert_returns(do_getdents64(copy, buffer, sizeof buffer), 0);
    must(close(copy));
    must(close(fd));
}

/* covers: getdents64 EINVAL getdents EINVAL */
static void buffer_too_small_for_an_entry_is_refused(void **state)
{
    (void)state;
    char buffer[16];
    int fd = must(open(".", O_RDONLY));

    assert_errno(do_getdents64(fd, buffer, sizeof buffer), EINVAL);
    assert_errno(do_getdents64(fd, buffer, 0), EINVAL);
    assert_errno(syscall(SYS_getdents, fd, buffer, 8), EINVAL);
    must(close(fd));
}

/* covers: getdents64 ENOTDIR getdents ENOTDIR */
static void other_files_are_refused(void **state)
{
    (void)state;
    char buffer[512];

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_getdents64(fd, buffer, sizeof buffer), ENOTDIR);
    assert_errno(syscall(SYS_getdents, fd, buffer, sizeof buffer), ENOTDIR);
    must(close(fd));
}

/* covers: getdents64 EBADF getdents EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    char buffer[512];

    assert_errno(do_getdents64(-1, buffer, sizeof buffer), EBADF);
    assert_errno(syscall(SYS_getdents, -1, buffer, sizeof buffer), EBADF);
}

/* covers: getdents64 EFAULT getdents EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    int fd = must(open(".", O_RDONLY));

    assert_errno(do_getdents64(fd, BAD_PTR, 512), EFAULT);
    assert_errno(syscall(SYS_getdents, fd, BAD_PTR, 512), EFAULT);
    must(close(fd));
}

/* covers: getdents64 ENOENT */
static void removed_folder_is_refused(void **state)
{
    (void)state;
    char buffer[512];

    must(mkdir("d", 0755));
    int fd = must(open("d", O_RDONLY));
    must(rmdir("d"));
    assert_errno(do_getdents64(fd, buffer, sizeof buffer), ENOENT);
    must(close(fd));
}

/* covers: getdents */
static void old_call_has_the_type_in_the_last_byte(void **state)
{
    (void)state;
    char buffer[4096] __attribute__((aligned(8)));
    bool found = false;

    must(mkdir("subfolder", 0755));
    int fd = must(open(".", O_RDONLY));
    long n = must(syscall(SYS_getdents, fd, buffer, sizeof buffer));
    for (long at = 0; at < n;) {
        struct dirent_raw *entry = (void *)(buffer + at);
        unsigned char type = (unsigned char)buffer[at + entry->d_reclen - 1];
        if (strcmp(entry->d_name, "subfolder") == 0) {
            found = true;
            assert_true(type == DT_DIR || type == DT_UNKNOWN);
        }
        at += entry->d_reclen;
    }
    assert_true(found);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(empty_folder_lists_dot_and_dot_dot),
        tempdir_test(end_is_zero_again_and_again),
        tempdir_test(inode_is_that_of_stat),
        tempdir_test(type_is_given_or_unknown),
        tempdir_test(each_name_comes_once_with_small_buffers),
        tempdir_test(names_of_255_bytes_are_listed),
        tempdir_test(rewinding_lists_again_and_shows_changes),
        tempdir_test(offset_of_an_entry_leads_to_the_next),
        tempdir_test(files_can_be_removed_while_listing),
        tempdir_test(duplicate_shares_the_place),
        tempdir_test(buffer_too_small_for_an_entry_is_refused),
        tempdir_test(other_files_are_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(bad_address_faults),
        tempdir_test(removed_folder_is_refused),
        tempdir_test(old_call_has_the_type_in_the_last_byte),
    };

    return cmocka_run_group_tests_name("fs/getdents64", tests, NULL, NULL);
}
