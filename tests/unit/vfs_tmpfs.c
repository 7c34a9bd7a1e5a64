/*
 * tests/unit/vfs_tmpfs.c: the path walk and tmpfs, by the calls that a program makes. A fake lock
 * tells when user memory is touched while one is held.
 */
#include "unit.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "fake_host.h"

#include "base/fmt.h"
#include "host/clock.h"
#include "sync/waitq.h"

#define MIB (1UL << 20)

/* The room's own headers bring the kernel's ABI, which libc's contradicts: these are all we need. */
int vfs_start(void);
int tmpfs_start(void);
int vfs_mount_root(const char *type, const char *source, const char *options, u32 flags);
struct files *files_create(void);
long sys_openat(int dirfd, const char *pathname, int flags, unsigned int mode);
long sys_close(int fd);
long sys_read(int fd, void *buf, size_t n);
long sys_write(int fd, const void *buf, size_t n);
long sys_pread64(int fd, void *buf, size_t n, loff_t offset);
long sys_pwrite64(int fd, const void *buf, size_t n, loff_t offset);
long sys_lseek(int fd, loff_t offset, unsigned int whence);
long sys_ftruncate(int fd, long length);
long sys_fallocate(int fd, int mode, loff_t offset, loff_t len);
long sys_mkdirat(int dirfd, const char *pathname, unsigned int mode);
long sys_unlinkat(int dirfd, const char *pathname, int flags);
long sys_linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags);
long sys_symlinkat(const char *text, int newdirfd, const char *linkpath);
long sys_readlinkat(int dirfd, const char *pathname, void *buf, int size);
long sys_renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath,
                   unsigned int flags);
long sys_newfstatat(int dirfd, const char *pathname, struct stat *buf, int flags);
long sys_getdents64(int fd, void *dirp, unsigned int count);
long sys_getcwd(void *buf, size_t size);
long sys_chdir(const char *pathname);
long sys_fchmodat(int dirfd, const char *pathname, unsigned int mode);
long sys_dup3(int oldfd, int newfd, int flags);
long sys_statfs(const char *pathname, void *buf);

/* ---- the rooms below ---- */

ktime host_clock_read(enum host_clock clock)
{
    static ktime now = 1000 * NSEC_PER_SEC;

    return now += NSEC_PER_USEC;
}

struct spinlock tasks_lock;

void spin_lock_nested(struct spinlock *lock)
{
    spin_lock(lock);
}

void mutex_lock_nested(struct mutex *m)
{
    mutex_lock(m);
}

void waitq_init(struct waitq *q, const char *name)
{
    list_init(&q->entries);
}

void waitq_entry_init(struct waitq_entry *e, waitq_func func, u32 events)
{
    list_init(&e->link);
}

void waitq_add(struct waitq *q, struct waitq_entry *e)
{
    list_add_tail(&e->link, &q->entries);
}

void waitq_remove(struct waitq_entry *e)
{
    list_del(&e->link);
}

void waitq_wake(struct waitq *q, u32 events)
{
}

void wait_prepare(struct waitq *q, struct waitq_entry *e)
{
}

void wait_finish(struct waitq_entry *e)
{
}

int wait_sleep(enum wait_kind kind, ktime deadline)
{
    abort(); /* one thread: nobody could wake it */
}

static int start(void **state)
{
    fake_host_start(64 * MIB);
    self()->cred = cred_create(0, 0);
    assert_int_equal(vfs_start(), 0);
    assert_int_equal(tmpfs_start(), 0);
    assert_int_equal(vfs_mount_root("tmpfs", "root", "mode=755,size=8m", 0), 0);
    self()->files = files_create();
    assert_non_null(self()->files);
    return 0;
}

static int each(void **state)
{
    assert_int_equal(sys_chdir("/"), 0);
    assert_int_equal(held, 0);
    return 0;
}

static int open_(const char *path, int flags)
{
    return (int)sys_openat(AT_FDCWD, path, flags, 0644);
}

static void make_file(const char *path, const char *text)
{
    int fd = open_(path, O_CREAT | O_TRUNC | O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(sys_write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(sys_close(fd), 0);
}

static struct stat stat_(const char *path)
{
    struct stat st;

    assert_int_equal(sys_newfstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st;
}

static long lookup_(const char *path)
{
    struct stat st;

    return sys_newfstatat(AT_FDCWD, path, &st, 0);
}

static void assert_text(const char *path, const char *text)
{
    char buf[256] = {0};
    int fd = open_(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(sys_read(fd, buf, sizeof(buf) - 1), strlen(text));
    assert_string_equal(buf, text);
    sys_close(fd);
}

static void mkdir_(const char *path)
{
    assert_int_equal(sys_mkdirat(AT_FDCWD, path, 0755), 0);
}

/* ---- paths ---- */

static void components_slashes_and_dots(void **state)
{
    mkdir_("/walk");
    mkdir_("/walk/a");
    make_file("/walk/a/f", "x");
    assert_int_equal(lookup_("//walk///a/./f"), 0);
    assert_int_equal(lookup_("/walk/a/../a/f"), 0);
    assert_int_equal(lookup_("/../../walk"), 0);
    assert_int_equal(lookup_("/walk/a/f/"), -ENOTDIR);
    assert_int_equal(lookup_("/walk/a/f/.."), -ENOTDIR);
    assert_int_equal(lookup_("/walk/b/.."), -ENOENT);
    assert_int_equal(lookup_(""), -ENOENT);
    assert_int_equal(lookup_("/walk/a/"), 0);
    assert_int_equal(sys_mkdirat(AT_FDCWD, "/walk/new/", 0755), 0);
    assert_int_equal(open_("/walk/none/", O_CREAT | O_WRONLY), -EISDIR);
}

static void long_names(void **state)
{
    char name[300], path[5000];

    memset(name, 'n', sizeof(name));
    name[0] = '/';
    name[256] = '\0';
    make_file(name, "at most 255");
    assert_text(name, "at most 255");
    name[256] = 'n';
    name[257] = '\0';
    assert_int_equal(open_(name, O_CREAT | O_WRONLY), -ENAMETOOLONG);
    assert_int_equal(lookup_(name), -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 ? '.' : '/';
    path[4095] = '\0';
    assert_int_equal(lookup_(path), 0);
    path[4095] = '.';
    path[4096] = '\0';
    assert_int_equal(lookup_(path), -ENAMETOOLONG);
}

static void symbolic_links(void **state)
{
    char buf[64] = {0};

    mkdir_("/links");
    mkdir_("/links/d");
    make_file("/links/d/f", "found");
    assert_int_equal(sys_symlinkat("d", AT_FDCWD, "/links/to_d"), 0);
    assert_int_equal(sys_symlinkat("/links/to_d/f", AT_FDCWD, "/links/to_f"), 0);
    assert_int_equal(sys_symlinkat("to_f", AT_FDCWD, "/links/twice"), 0);
    assert_int_equal(sys_symlinkat("loop", AT_FDCWD, "/links/loop"), 0);
    assert_int_equal(sys_symlinkat("fresh", AT_FDCWD, "/links/dangling"), 0);

    assert_text("/links/twice", "found");
    assert_text("/links/to_d/../d/f", "found");
    assert_text("/links/to_d/f", "found");
    assert_int_equal(lookup_("/links/loop"), -ELOOP);
    assert_int_equal(lookup_("/links/loop/x"), -ELOOP);
    assert_int_equal(lookup_("/links/dangling"), -ENOENT);
    assert_int_equal(lookup_("/links/to_f/"), -ENOTDIR);
    assert_true(S_ISLNK(stat_("/links/to_d").st_mode));
    assert_true(S_ISDIR(stat_("/links/to_d/").st_mode));
    assert_int_equal(sys_readlinkat(AT_FDCWD, "/links/twice", buf, sizeof(buf)), 4);
    assert_string_equal(buf, "to_f");
    assert_int_equal(sys_readlinkat(AT_FDCWD, "/links/twice", buf, 2), 2);
    assert_int_equal(sys_readlinkat(AT_FDCWD, "/links/d", buf, sizeof(buf)), -EINVAL);
    assert_int_equal(open_("/links/twice", O_RDONLY | O_NOFOLLOW), -ELOOP);
    assert_int_equal(open_("/links/to_d", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);

    /* O_CREAT goes through a dangling link, O_EXCL does not. */
    assert_int_equal(open_("/links/dangling", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
    make_file("/links/dangling", "made");
    assert_text("/links/fresh", "made");
}

static void forty_links_and_one_more(void **state)
{
    char name[32], target[32];

    mkdir_("/chain");
    make_file("/chain/0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof(name), "/chain/%d", i);
        snprintf(target, sizeof(target), "%d", i - 1);
        assert_int_equal(sys_symlinkat(target, AT_FDCWD, name), 0);
    }
    assert_int_equal(lookup_("/chain/40"), 0);
    assert_int_equal(lookup_("/chain/41"), -ELOOP);
}

static void working_directory(void **state)
{
    char buf[64];

    mkdir_("/cwd");
    mkdir_("/cwd/sub");
    assert_int_equal(sys_chdir("/cwd/sub"), 0);
    assert_int_equal(sys_getcwd(buf, sizeof(buf)), 9);
    assert_string_equal(buf, "/cwd/sub");
    assert_int_equal(sys_getcwd(buf, 8), -ERANGE);
    assert_int_equal(lookup_("../sub"), 0);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/cwd/sub", AT_REMOVEDIR), 0);
    assert_int_equal(sys_getcwd(buf, sizeof(buf)), -ENOENT);
    assert_int_equal(open_("x", O_CREAT | O_WRONLY), -ENOENT);
    assert_int_equal(lookup_(".."), 0);
}

/* ---- names ---- */

static void unlinked_open_file_lives(void **state)
{
    char buf[8];
    int fd = open_("/gone", O_CREAT | O_RDWR);
    struct stat st;

    assert_int_equal(sys_write(fd, "alive", 5), 5);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/gone", 0), 0);
    assert_int_equal(lookup_("/gone"), -ENOENT);
    assert_int_equal(sys_pread64(fd, buf, sizeof(buf), 0), 5);
    assert_int_equal(sys_newfstatat(fd, "", &st, AT_EMPTY_PATH), 0);
    assert_int_equal(st.st_nlink, 0);
    make_file("/gone", "another");
    assert_int_equal(sys_pread64(fd, buf, sizeof(buf), 0), 5);
    assert_int_equal(sys_close(fd), 0);
}

static void hard_links_count(void **state)
{
    make_file("/one", "1");
    assert_int_equal(sys_linkat(AT_FDCWD, "/one", AT_FDCWD, "/two", 0), 0);
    assert_int_equal(stat_("/one").st_nlink, 2);
    assert_int_equal(stat_("/one").st_ino, stat_("/two").st_ino);
    assert_int_equal(sys_linkat(AT_FDCWD, "/one", AT_FDCWD, "/two", 0), -EEXIST);
    assert_int_equal(sys_linkat(AT_FDCWD, "/", AT_FDCWD, "/three", 0), -EPERM);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/one", 0), 0);
    assert_int_equal(stat_("/two").st_nlink, 1);
    assert_text("/two", "1");
}

static void removal_errors(void **state)
{
    mkdir_("/rm");
    mkdir_("/rm/d");
    assert_int_equal(stat_("/rm").st_nlink, 3);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm", AT_REMOVEDIR), -ENOTEMPTY);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm/d", 0), -EISDIR);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm/d/.", AT_REMOVEDIR), -EINVAL);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm/d/..", AT_REMOVEDIR), -ENOTEMPTY);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/", AT_REMOVEDIR), -EBUSY);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm/none", 0), -ENOENT);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/rm/d/", AT_REMOVEDIR), 0);
    assert_int_equal(stat_("/rm").st_nlink, 2);
}

static void renames(void **state)
{
    mkdir_("/mv");
    mkdir_("/mv/a");
    mkdir_("/mv/b");
    make_file("/mv/a/f", "file");
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a/f", AT_FDCWD, "/mv/b/g", 0), 0);
    assert_text("/mv/b/g", "file");
    assert_int_equal(lookup_("/mv/a/f"), -ENOENT);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a", AT_FDCWD, "/mv/b", 0), -ENOTEMPTY);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/b", AT_FDCWD, "/mv/b/inside", 0), -EINVAL);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/b/g", AT_FDCWD, "/mv/a", 0), -EISDIR);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a", AT_FDCWD, "/mv/b/g", 0), -ENOTDIR);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a", AT_FDCWD, "/mv/b", 1), -EEXIST);
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a", AT_FDCWD, "/mv/b", 2), 0); /* exchange */
    assert_text("/mv/a/g", "file");
    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/a", AT_FDCWD, "/mv/b/a", 0), 0);
    assert_text("/mv/b/a/g", "file");
    assert_int_equal(stat_("/mv").st_nlink, 3);
    assert_int_equal(stat_("/mv/b").st_nlink, 3);

    char long_name[] = "/mv/a name that is too long for the room that a dentry has for names";

    assert_int_equal(sys_renameat2(AT_FDCWD, "/mv/b/a/g", AT_FDCWD, long_name, 0), 0);
    make_file("/mv/s", "short");
    assert_int_equal(sys_renameat2(AT_FDCWD, long_name, AT_FDCWD, "/mv/s", 2), 0);
    assert_text(long_name, "short");
    assert_text("/mv/s", "file");
    assert_int_equal(sys_renameat2(AT_FDCWD, long_name, AT_FDCWD, "/mv/s", 0), 0);
    assert_text("/mv/s", "short");
}

static void directory_reading_goes_on_where_it_was(void **state)
{
    struct entry {
        u64 ino, off;
        u16 len;
        u8 type;
        char name[];
    } __packed;
    char buf[64], name[32];
    bool seen[50] = {0};
    int fd, others = 0;
    long n;

    mkdir_("/many");
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "/many/%d", i);
        make_file(name, "");
    }
    fd = open_("/many", O_RDONLY | O_DIRECTORY);
    while ((n = sys_getdents64(fd, buf, sizeof(buf))) > 0) {
        for (long at = 0; at < n;) {
            struct entry *entry = (struct entry *)(buf + at);

            at += entry->len;
            if (entry->name[0] == '.') {
                others++;
                continue;
            }
            assert_false(seen[atoi(entry->name)]);
            seen[atoi(entry->name)] = true;
            snprintf(name, sizeof(name), "/many/%s", entry->name);
            assert_int_equal(sys_unlinkat(AT_FDCWD, name, 0), 0);
        }
    }
    assert_int_equal(n, 0);
    assert_int_equal(others, 2);
    for (int i = 0; i < 50; i++)
        assert_true(seen[i]);
    assert_int_equal(sys_lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(sys_getdents64(fd, buf, 8), -EINVAL);
    assert_int_equal(sys_close(fd), 0);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/many", AT_REMOVEDIR), 0);
}

/* ---- contents ---- */

static void holes_and_truncation(void **state)
{
    char buf[16];
    int fd = open_("/sparse", O_CREAT | O_RDWR);

    assert_int_equal(sys_pwrite64(fd, "end", 3, MIB), 3);
    assert_int_equal(sys_pread64(fd, buf, 4, 4096), 4);
    assert_memory_equal(buf, "\0\0\0\0", 4);
    assert_int_equal(sys_lseek(fd, 0, 3 /* SEEK_DATA */), MIB);
    assert_int_equal(sys_lseek(fd, 0, 4 /* SEEK_HOLE */), 0);
    assert_int_equal(sys_lseek(fd, MIB, 4), MIB + 3);
    assert_int_equal(sys_lseek(fd, MIB + 3, 3), -ENXIO);
    assert_true(stat_("/sparse").st_blocks < 1024);
    assert_int_equal(sys_ftruncate(fd, MIB + 1), 0);
    assert_int_equal(sys_ftruncate(fd, MIB + 3), 0);
    assert_int_equal(sys_pread64(fd, buf, 16, MIB), 3);
    assert_memory_equal(buf, "e\0\0", 3);
    assert_int_equal(sys_fallocate(fd, 3 /* punch, keep size */, MIB, 4096), 0);
    assert_int_equal(sys_pread64(fd, buf, 16, MIB), 3);
    assert_memory_equal(buf, "\0\0\0", 3);
    assert_int_equal(sys_close(fd), 0);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/sparse", 0), 0);
}

static void append_goes_to_the_end(void **state)
{
    int a = open_("/log", O_CREAT | O_WRONLY | O_APPEND), b = open_("/log", O_WRONLY | O_APPEND);

    assert_int_equal(sys_write(a, "one ", 4), 4);
    assert_int_equal(sys_write(b, "two ", 4), 4);
    assert_int_equal(sys_write(a, "three", 5), 5);
    assert_int_equal(sys_lseek(a, 0, SEEK_CUR), 13);
    sys_close(a);
    sys_close(b);
    assert_text("/log", "one two three");
}

static void size_option_limits(void **state)
{
    static char block[MIB];
    int fd = open_("/big", O_CREAT | O_WRONLY);
    long n, total = 0;

    while ((n = sys_write(fd, block, sizeof(block))) > 0)
        total += n;
    assert_int_equal(n, -ENOSPC);
    assert_true(total > 7 * (long)MIB && total <= 8 * (long)MIB);
    assert_int_equal(sys_close(fd), 0);
    assert_int_equal(sys_unlinkat(AT_FDCWD, "/big", 0), 0);
    make_file("/small", "room again");
}

static void descriptors(void **state)
{
    int fd = open_("/fds", O_CREAT | O_RDWR);

    assert_int_equal(sys_dup3(fd, 500, 0), 500);
    assert_int_equal(sys_write(500, "ab", 2), 2);
    assert_int_equal(sys_lseek(fd, 0, SEEK_CUR), 2);
    assert_int_equal(sys_close(fd), 0);
    assert_int_equal(sys_close(fd), -EBADF);
    assert_int_equal(sys_lseek(500, 0, SEEK_CUR), 2);
    assert_int_equal(open_("/fds", O_RDONLY), fd);
    assert_int_equal(sys_write(fd, "x", 1), -EBADF);
    assert_int_equal(sys_close(fd), 0);
    assert_int_equal(sys_close(500), 0);
}

static void permissions(void **state)
{
    const struct cred *root = self()->cred;

    mkdir_("/closed");
    make_file("/closed/f", "x");
    assert_int_equal(sys_fchmodat(AT_FDCWD, "/closed", 0700), 0);
    make_file("/plain", "x");
    self()->cred = cred_create(1000, 1000);
    assert_int_equal(lookup_("/closed/f"), -EACCES);
    assert_int_equal(lookup_("/closed"), 0);
    assert_int_equal(open_("/plain", O_RDWR), -EACCES);
    assert_int_equal(open_("/mine", O_CREAT | O_RDWR), -EACCES);
    assert_int_equal(sys_fchmodat(AT_FDCWD, "/plain", 0777), -EPERM);
    assert_text("/plain", "x");
    cred_put(self()->cred);
    self()->cred = root;
}

/* Many names, so that the pruner runs; nothing that is in use may go. */
static void the_name_table_is_pruned(void **state)
{
    char name[32];

    mkdir_("/prune");
    make_file("/prune/kept", "kept");
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "/prune/%d", i);
        assert_int_equal(lookup_(name), -ENOENT);
    }
    assert_text("/prune/kept", "kept");
    assert_true(kmalloc_used() < 40 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(components_slashes_and_dots, each),
        cmocka_unit_test_setup(long_names, each),
        cmocka_unit_test_setup(symbolic_links, each),
        cmocka_unit_test_setup(forty_links_and_one_more, each),
        cmocka_unit_test_setup(working_directory, each),
        cmocka_unit_test_setup(unlinked_open_file_lives, each),
        cmocka_unit_test_setup(hard_links_count, each),
        cmocka_unit_test_setup(removal_errors, each),
        cmocka_unit_test_setup(renames, each),
        cmocka_unit_test_setup(directory_reading_goes_on_where_it_was, each),
        cmocka_unit_test_setup(holes_and_truncation, each),
        cmocka_unit_test_setup(append_goes_to_the_end, each),
        cmocka_unit_test_setup(size_option_limits, each),
        cmocka_unit_test_setup(descriptors, each),
        cmocka_unit_test_setup(permissions, each),
        cmocka_unit_test_setup(the_name_table_is_pruned, each),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
