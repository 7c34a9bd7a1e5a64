/*
 * newer.c: what kernel/abi/newer.h says about calls and flags that are younger than the headers the
 * project is built against, shown by what they do. A kernel that lacks one of them skips its case.
 */
#include "../lib/check.h"

#include "../../../kernel/abi/newer.h"

#include <linux/landlock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

/* Numbers that libc's headers do not have yet. */
#define NR_cachestat         451
#define NR_fchmodat2         452
#define NR_futex_wake        454
#define NR_futex_wait        455
#define NR_statmount         457
#define NR_listmount         458
#define NR_lsm_get_self_attr 459
#define NR_lsm_list_modules  461
#define NR_mseal             462
#define NR_setxattrat        463
#define NR_getxattrat        464
#define NR_listxattrat       465
#define NR_removexattrat     466
#define NR_file_getattr      468

#define PAGE 4096

/* Skips when a flag or a command is younger than the running kernel. */
#define need_flag(expr)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((long)(expr) == -1 && (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))     \
            skip_because("%s: %s", #expr, errno_name(errno));                                      \
    } while (0)

/* covers: memfd_create MFD_EXEC MFD_NOEXEC_SEAL fcntl F_SEAL_EXEC */
static void memfd_noexec_seal_fixes_the_mode(void **state)
{
    struct stat st;

    int fd;

    need_flag(fd = (int)syscall(SYS_memfd_create, "m", MFD_EXEC));
    must(close(fd));
    fd = (int)must(syscall(SYS_memfd_create, "m", MFD_NOEXEC_SEAL));

    must(fstat(fd, &st));
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_true(must(fcntl(fd, F_GET_SEALS)) & F_SEAL_EXEC);
    assert_errno(fchmod(fd, 0777), EPERM);
    must(fchmod(fd, 0600));
    assert_errno(syscall(SYS_memfd_create, "m", MFD_NOEXEC_SEAL | MFD_EXEC), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_DUPFD_QUERY F_CREATED_QUERY */
static void fcntl_tells_whether_descriptors_are_of_one_file(void **state)
{
    int fd = must(open("f", O_RDWR | O_CREAT, 0600)), copy = must(dup(fd));
    int other = must(open("f", O_RDWR | O_CREAT, 0600));

    need_flag(fcntl(fd, F_DUPFD_QUERY, fd));
    assert_returns(fcntl(fd, F_DUPFD_QUERY, copy), 1);
    assert_returns(fcntl(fd, F_DUPFD_QUERY, other), 0);
    need_flag(fcntl(fd, F_CREATED_QUERY));
    assert_returns(fcntl(fd, F_CREATED_QUERY), 1);
    assert_returns(fcntl(other, F_CREATED_QUERY), 0);
}

/* covers: execveat AT_EXECVE_CHECK EACCES */
static void execveat_check_does_not_run(void **state)
{
    char *argv[] = {"p", NULL};

    make_file("p", "#!/bin/false\n");
    int fd = must(open("p", O_RDONLY | O_CLOEXEC));

    errno = 0;
    long result = syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH | AT_EXECVE_CHECK);
    if (result == -1 && errno == EINVAL)
        skip_because("AT_EXECVE_CHECK is not in the running kernel");
    assert_int_equal(result, -1);
    assert_int_equal(errno, EACCES);
    must(fchmod(fd, 0755));
    assert_returns(syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH | AT_EXECVE_CHECK), 0);
}

static uint64_t mount_id(const char *path)
{
    struct statx stx = {0};

    must(statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &stx));
    if (!(stx.stx_mask & STATX_MNT_ID_UNIQUE))
        skip_because("STATX_MNT_ID_UNIQUE is not in the running kernel");
    return stx.stx_mnt_id;
}

/* covers: statx STATX_MNT_ID_UNIQUE name_to_handle_at AT_HANDLE_MNT_ID_UNIQUE */
static void a_mount_has_an_id_that_is_never_used_again(void **state)
{
    struct {
        struct file_handle head;
        char bytes[128];
    } handle = {.head.handle_bytes = 128};
    uint64_t id = mount_id("."), told = 0;

    assert_true(id >= 1UL << 31); /* where the numbers begin, so that none is an old one too */
    need_flag(syscall(SYS_name_to_handle_at, AT_FDCWD, ".", &handle, &told,
                      AT_HANDLE_MNT_ID_UNIQUE | AT_HANDLE_FID));
    assert_true(told == id);
}

/* covers: pwritev2 RWF_NOAPPEND */
static void noappend_writes_where_it_is_told(void **state)
{
    struct iovec iov = {"AB", 2};

    make_file("f", "xxxx");
    int fd = must(open("f", O_WRONLY | O_APPEND));

    need_flag(pwritev2(fd, &iov, 1, 1, RWF_NOAPPEND));
    assert_file_text("f", "xABx");
    assert_returns(pwritev2(fd, &iov, 1, 1, 0), 2);
    assert_file_text("f", "xABxAB");
}

/* covers: fchmodat2 AT_SYMLINK_NOFOLLOW */
static void fchmodat2_has_flags(void **state)
{
    struct stat st;

    make_file("f", "");
    must(symlink("f", "l"));
    need_call(syscall(NR_fchmodat2, AT_FDCWD, "l", 0640, 0));
    must(stat("f", &st));
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_errno(syscall(NR_fchmodat2, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    assert_errno(syscall(NR_fchmodat2, AT_FDCWD, "f", 0600, AT_SYMLINK_FOLLOW), EINVAL);
    int fd = must(open("f", O_PATH));
    must(syscall(NR_fchmodat2, fd, "", 0600, AT_EMPTY_PATH));
    must(stat("f", &st));
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* covers: cachestat EBADF EINVAL EFAULT */
static void cachestat_counts_pages(void **state)
{
    struct cachestat_range range = {0, 3 * PAGE};
    struct cachestat stat = {0};
    static char text[3 * PAGE];
    int fd = must(open("f", O_RDWR | O_CREAT, 0600));

    must(write(fd, text, sizeof text));
    need_call(syscall(NR_cachestat, fd, &range, &stat, 0));
    assert_errno(syscall(NR_cachestat, -1, &range, &stat, 0), EBADF);
    assert_errno(syscall(NR_cachestat, fd, &range, &stat, 1), EINVAL);
    assert_errno(syscall(NR_cachestat, fd, BAD_PTR, &stat, 0), EFAULT);
    must(syscall(NR_cachestat, fd, &range, &stat, 0));
    assert_true(stat.nr_cache == 3);
    range.len = PAGE;
    must(syscall(NR_cachestat, fd, &range, &stat, 0));
    assert_true(stat.nr_cache == 1);
}

struct mounted {
    struct statmount head;
    char text[4000];
};

static long statmount(uint64_t id, uint64_t mask, struct mounted *out, size_t size)
{
    struct mnt_id_req req = {.size = MNT_ID_REQ_SIZE_VER0, .mnt_id = id, .param = mask};

    return syscall(NR_statmount, &req, out, size, 0);
}

/* covers: statmount STATMOUNT_MNT_BASIC STATMOUNT_MNT_POINT STATMOUNT_FS_TYPE EOVERFLOW ENOENT EINVAL */
static void statmount_tells_where_and_what(void **state)
{
    uint64_t id = mount_id("/");
    uint64_t mask = STATMOUNT_MNT_BASIC | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE;
    struct mounted mounted;

    need_call(statmount(id, mask, &mounted, sizeof mounted));
    must(statmount(id, mask, &mounted, sizeof mounted));
    assert_true((mounted.head.mask & mask) == mask);
    assert_true(mounted.head.mnt_id == id);
    assert_string_equal(mounted.head.str + mounted.head.mnt_point, "/");
    assert_true(mounted.head.str[mounted.head.fs_type] != '\0');
    assert_true(mounted.head.size > offsetof(struct statmount, str));
    assert_errno(statmount(id, mask, &mounted, sizeof mounted.head), EOVERFLOW);
    assert_errno(statmount(UINT64_MAX - 5, mask, &mounted, sizeof mounted), ENOENT);
    assert_errno(statmount(UINT64_MAX, mask, &mounted, sizeof mounted), ENOENT);
    assert_errno(statmount(20, mask, &mounted, sizeof mounted),
                 EINVAL); /* an id that may come again */
}

/* covers: statmount EINVAL E2BIG EFAULT listmount EINVAL EFAULT EOVERFLOW ENOENT */
static void requests_about_mounts_are_checked(void **state)
{
    struct mnt_id_req req = {.size = MNT_ID_REQ_SIZE_VER0, .mnt_id = mount_id("/"), .param = 1};
    struct mounted mounted;
    uint64_t ids[4];

    need_call(syscall(NR_statmount, &req, &mounted, sizeof mounted, 0));
    assert_errno(syscall(NR_statmount, &req, &mounted, sizeof mounted, 1), EINVAL);
    assert_errno(syscall(NR_statmount, BAD_PTR, &mounted, sizeof mounted, 0), EFAULT);
    assert_errno(syscall(NR_statmount, &req, BAD_PTR, sizeof mounted, 0), EFAULT);
    must(syscall(NR_statmount, &req, &mounted, 100, 0)); /* as much as there is room for */
    assert_int_equal(mounted.head.size, 100);
    req.size--;
    assert_errno(syscall(NR_statmount, &req, &mounted, sizeof mounted, 0), EINVAL);
    req.size = PAGE + 1;
    assert_errno(syscall(NR_statmount, &req, &mounted, sizeof mounted, 0), E2BIG);
    req.size = MNT_ID_REQ_SIZE_VER0;
    assert_errno(syscall(NR_listmount, &req, ids, 4, 0), EINVAL); /* none has such a number */
    req.param = 0;
    assert_errno(syscall(NR_listmount, &req, ids, 1000001, 0), EOVERFLOW);
    assert_errno(syscall(NR_listmount, &req, BAD_PTR, 4, 0), EFAULT);
    assert_returns(syscall(NR_listmount, &req, ids, 0, 0), 0);
    req.mnt_id = UINT64_MAX - 5;
    assert_errno(syscall(NR_listmount, &req, ids, 4, 0), ENOENT);
    req.mnt_id = 20;
    assert_errno(syscall(NR_listmount, &req, ids, 4, 0), EINVAL);
}

/* covers: statmount STATMOUNT_SB_BASIC STATMOUNT_MNT_ROOT STATMOUNT_MNT_OPTS STATMOUNT_SB_SOURCE listmount */
static void mounts_of_ones_own_are_described(void **state)
{
    if (geteuid() != 0)
        skip_because("needs root");
    in_child({
        struct mounted m;
        uint64_t ids[4], all = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_MNT_ROOT |
                               STATMOUNT_MNT_OPTS | STATMOUNT_SB_SOURCE;
        struct mnt_id_req req = {.size = MNT_ID_REQ_SIZE_VER0};

        if (!own_mounts() || mkdir("m", 0755) != 0 ||
            mount("here", "m", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k") != 0)
            skip_because("no right to mount");
        must(mkdir("m/a", 0755));
        must(mkdir("m/b", 0755));
        must(mount("m/a", "m/b", NULL, MS_BIND, NULL));
        req.mnt_id = mount_id("m");
        uint64_t below = mount_id("m/b");
        need_call(statmount(req.mnt_id, all, &m, sizeof m));
        must(statmount(req.mnt_id, all, &m, sizeof m));
        assert_true((m.head.mask & all) == all);
        assert_int_equal(m.head.sb_magic, 0x01021994);
        assert_int_equal(m.head.sb_flags, 0);
        assert_int_equal(m.head.mnt_attr, 2 | 8); /* nosuid, noexec */
        assert_string_equal(m.head.str + m.head.mnt_root, "/");
        assert_string_equal(m.head.str + m.head.sb_source, "here");
        assert_non_null(strstr(m.head.str + m.head.mnt_opts, "size=64k"));
        must(statmount(below, all, &m, sizeof m));
        assert_string_equal(m.head.str + m.head.mnt_root, "/a");
        assert_true(m.head.mnt_parent_id == req.mnt_id);
        assert_returns(syscall(NR_listmount, &req, ids, 4, 0), 1);
        assert_true(ids[0] == below);
        req.mnt_id = below;
        assert_returns(syscall(NR_listmount, &req, ids, 4, 0), 0);
    });
}

/* covers: listmount LISTMOUNT_REVERSE EINVAL */
static void listmount_lists_what_is_mounted_below(void **state)
{
    struct mnt_id_req req = {.size = MNT_ID_REQ_SIZE_VER0, .mnt_id = LSMT_ROOT};
    uint64_t forth[256] = {0}, back[256] = {0};

    need_call(syscall(NR_listmount, &req, forth, 256, 0));
    long count = must(syscall(NR_listmount, &req, forth, 256, 0));
    assert_in_range(count, 1, 256);
    need_flag(syscall(NR_listmount, &req, back, 256, LISTMOUNT_REVERSE));
    assert_returns(syscall(NR_listmount, &req, back, 256, LISTMOUNT_REVERSE), count);
    for (long i = 0; i < count && count < 256; i++)
        assert_true(forth[i] == back[count - 1 - i]);
    assert_errno(syscall(NR_listmount, &req, forth, 256, 0x100), EINVAL);
}

/* covers: madvise MADV_GUARD_INSTALL MADV_GUARD_REMOVE */
static void a_guard_page_faults_until_it_is_removed(void **state)
{
    char *page = must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    int ends[2];

    must(pipe(ends));
    page[0] = 'x';
    need_flag(madvise(page, PAGE, MADV_GUARD_INSTALL));
    assert_errno(write(ends[1], page, 1), EFAULT);
    must(madvise(page, PAGE, MADV_GUARD_REMOVE));
    assert_returns(write(ends[1], page, 1), 1);
    assert_int_equal(page[0], 0);
}

/* covers: mseal EPERM munmap EPERM mprotect EPERM */
static void a_sealed_area_stays(void **state)
{
    need_call(syscall(NR_mseal, NULL, 0, 1));
    in_child({
        char *page = must(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

        assert_errno(syscall(NR_mseal, page, PAGE, 1), EINVAL);
        assert_errno(syscall(NR_mseal, page + 1, PAGE, 0), EINVAL);
        must(syscall(NR_mseal, page, PAGE, 0));
        assert_errno(munmap(page, PAGE), EPERM);
        assert_errno(mprotect(page, PAGE, PROT_NONE), EPERM);
        assert_errno(mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EPERM);
        must(syscall(NR_mseal, page, PAGE, 0));
    });
}

struct waiter {
    _Atomic uint32_t word;
    _Atomic long result;
};

static void *wait_on_word(void *arg)
{
    struct waiter *waiter = arg;

    waiter->result = syscall(NR_futex_wait, &waiter->word, 0UL, 1UL,
                             FUTEX2_SIZE_U32 | FUTEX2_PRIVATE, NULL, CLOCK_MONOTONIC);
    return NULL;
}

/* covers: futex_wait EAGAIN EINVAL futex_wake EINVAL */
static void futex2_waits_and_wakes(void **state)
{
    struct waiter waiter = {0};
    pthread_t thread;
    unsigned flags = FUTEX2_SIZE_U32 | FUTEX2_PRIVATE;

    need_call(syscall(NR_futex_wake, &waiter.word, 1UL, 1, flags));
    assert_errno(syscall(NR_futex_wait, &waiter.word, 1UL, 1UL, flags, NULL, CLOCK_MONOTONIC),
                 EAGAIN);
    assert_errno(syscall(NR_futex_wait, &waiter.word, 0UL, 0UL, flags, NULL, CLOCK_MONOTONIC),
                 EINVAL);
    assert_errno(syscall(NR_futex_wake, &waiter.word, 1UL, 1, FUTEX2_PRIVATE | 0x40), EINVAL);
    assert_int_equal(pthread_create(&thread, NULL, wait_on_word, &waiter), 0);
    while (must(syscall(NR_futex_wake, &waiter.word, 1UL, 1, flags)) == 0)
        sched_yield();
    pthread_join(thread, NULL);
    assert_int_equal(waiter.result, 0);
}

static void *tell_tid(void *arg)
{
    *(_Atomic pid_t *)arg = (pid_t)syscall(SYS_gettid);
    for (;;)
        pause();
    return NULL;
}

static pid_t start_thread(pthread_t *thread)
{
    static _Atomic pid_t tid;

    tid = 0;
    assert_int_equal(pthread_create(thread, NULL, tell_tid, &tid), 0);
    while (!tid)
        sched_yield();
    return tid;
}

/* covers: pidfd_open PIDFD_THREAD pidfd_send_signal PIDFD_SIGNAL_THREAD_GROUP */
static void a_pidfd_may_stand_for_a_thread(void **state)
{
    pthread_t thread;
    pid_t tid = start_thread(&thread);

    int leader;

    need_flag(leader = (int)syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD));
    must(close(leader));
    errno = 0;
    assert_int_equal(syscall(SYS_pidfd_open, tid, 0), -1);
    assert_true(errno == EINVAL || errno == ENOENT);

    int fd = (int)must(syscall(SYS_pidfd_open, tid, PIDFD_THREAD));

    assert_errno(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0x100), EINVAL);
    must(syscall(SYS_pidfd_send_signal, fd, 0, NULL, PIDFD_SIGNAL_THREAD));
    must(syscall(SYS_pidfd_send_signal, fd, 0, NULL, PIDFD_SIGNAL_THREAD_GROUP));
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    must(close(fd));
}

/* covers: prctl PR_GET_AUXV */
static void prctl_tells_the_auxiliary_vector(void **state)
{
    unsigned long auxv[128] = {0};
    long size;

    errno = 0;
    size = prctl(PR_GET_AUXV, auxv, sizeof auxv, 0, 0);
    if (size == -1 && errno == EINVAL)
        skip_because("PR_GET_AUXV is not in the running kernel");
    assert_true(size >= 32);
    for (int i = 0; auxv[i]; i += 2) {
        if (auxv[i] == AT_RANDOM)
            assert_int_equal(auxv[i + 1], getauxval(AT_RANDOM));
    }
}

/* covers: prctl PR_SET_MDWE PR_GET_MDWE mprotect EACCES */
static void mdwe_denies_writable_code(void **state)
{
    need_flag(prctl(PR_GET_MDWE, 0, 0, 0, 0));
    in_child({
        char *page =
            must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

        must(prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));
        assert_returns(prctl(PR_GET_MDWE, 0, 0, 0, 0), PR_MDWE_REFUSE_EXEC_GAIN);
        assert_errno(mprotect(page, PAGE, PROT_READ | PROT_EXEC), EACCES);
        assert_errno(prctl(PR_SET_MDWE, 0, 0, 0, 0), EPERM);
    });
}

/* covers: setxattrat XATTR_CREATE EEXIST EINVAL getxattrat ERANGE ENODATA EINVAL E2BIG */
/* covers: listxattrat AT_EMPTY_PATH AT_SYMLINK_NOFOLLOW EINVAL ENOENT removexattrat ENODATA EINVAL EBADF */
static void extended_attributes_relative_to_a_directory(void **state)
{
    struct xattr_args set = {(uintptr_t) "one", 3, XATTR_CREATE};
    char value[8] = "", list[64] = "";
    struct xattr_args get = {(uintptr_t)value, sizeof value, 0};

    make_file("f", "");
    int dir = must(open(".", O_RDONLY | O_DIRECTORY));

    need_flag(syscall(NR_setxattrat, dir, "f", 0, "user.a", &set, sizeof set));
    assert_errno(syscall(NR_setxattrat, dir, "f", 0, "user.a", &set, sizeof set), EEXIST);
    assert_errno(syscall(NR_setxattrat, dir, "f", 0, "user.a", &set, 8), EINVAL);
    assert_returns(syscall(NR_getxattrat, dir, "f", 0, "user.a", &get, sizeof get), 3);
    assert_string_equal(value, "one");
    get.size = 2;
    assert_errno(syscall(NR_getxattrat, dir, "f", 0, "user.a", &get, sizeof get), ERANGE);
    assert_errno(syscall(NR_getxattrat, dir, "f", 0, "user.b", &get, sizeof get), ENODATA);
    int fd = must(open("f", O_RDONLY));
    assert_true(must(syscall(NR_listxattrat, fd, "", AT_EMPTY_PATH, list, sizeof list)) >= 7);
    assert_non_null(memmem(list, sizeof list, "user.a", 7));
    must(syscall(NR_removexattrat, dir, "f", 0, "user.a"));
    assert_errno(syscall(NR_removexattrat, dir, "f", 0, "user.a"), ENODATA);
    assert_errno(syscall(NR_removexattrat, dir, "f", AT_REMOVEDIR, "user.a"), EINVAL);
    assert_errno(syscall(NR_removexattrat, -1, "f", 0, "user.a"), EBADF);
    assert_errno(syscall(NR_listxattrat, dir, "f", AT_REMOVEDIR, list, sizeof list), EINVAL);
    assert_errno(syscall(NR_listxattrat, dir, "", 0, list, sizeof list), ENOENT);
    must(symlink("none", "link"));
    assert_errno(syscall(NR_listxattrat, dir, "link", 0, list, sizeof list), ENOENT);
    must(syscall(NR_listxattrat, dir, "link", AT_SYMLINK_NOFOLLOW, list, sizeof list));
    get.flags = XATTR_CREATE;
    assert_errno(syscall(NR_getxattrat, dir, "f", 0, "user.a", &get, sizeof get), EINVAL);
    assert_errno(syscall(NR_getxattrat, dir, "f", 0, "user.a", &get, PAGE + 1ul), E2BIG);
}

/* covers: file_getattr EINVAL E2BIG */
static void file_getattr_fills_the_size_that_is_asked(void **state)
{
    struct file_attr attr[2];

    make_file("f", "");
    memset(attr, 0xff, sizeof attr);
    need_flag(syscall(NR_file_getattr, AT_FDCWD, "f", &attr[0], sizeof attr[0], 0));
    assert_int_equal(attr[0].fa_extsize, 0);
    assert_int_equal(attr[1].fa_extsize, 0xffffffff);
    assert_errno(syscall(NR_file_getattr, AT_FDCWD, "f", attr, sizeof attr[0] - 1, 0), EINVAL);
    assert_errno(syscall(NR_file_getattr, AT_FDCWD, "f", attr, PAGE + 1, 0), E2BIG);
}

/* covers: lsm_list_modules E2BIG EINVAL lsm_get_self_attr EINVAL */
static void security_modules_have_numbers(void **state)
{
    uint64_t ids[64] = {0};
    uint32_t size = sizeof ids;

    need_call(syscall(NR_lsm_list_modules, ids, &size, 0));
    size = sizeof ids;
    long count = must(syscall(NR_lsm_list_modules, ids, &size, 0));
    assert_int_equal(size, count * (long)sizeof ids[0]);
    if (count > 0) {
        size = 1;
        assert_errno(syscall(NR_lsm_list_modules, ids, &size, 0), E2BIG);
    }
    assert_errno(syscall(NR_lsm_list_modules, ids, &size, 1), EINVAL);
    size = sizeof ids;
    assert_errno(syscall(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, ids, &size, 0x10), EINVAL);
}

/* covers: landlock_add_rule LANDLOCK_RULE_NET_PORT EINVAL */
static void landlock_knows_ports(void **state)
{
    struct {
        uint64_t fs, net;
    } attr = {0, LANDLOCK_ACCESS_NET_BIND_TCP};
    struct landlock_net_port_attr rule = {LANDLOCK_ACCESS_NET_BIND_TCP, 80};
    long version;

    errno = 0;
    version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 4)
        skip_because("Landlock knows no ports: version %ld", version);
    int fd = (int)must(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0));
    must(syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_NET_PORT, &rule, 0));
    rule.port = 65536;
    assert_errno(syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_NET_PORT, &rule, 0), EINVAL);
}

/* covers: membarrier MEMBARRIER_CMD_GET_REGISTRATIONS */
static void membarrier_tells_registrations(void **state)
{
    int expedited = 1 << 3, registered = 1 << 4;

    need_call(syscall(SYS_membarrier, 0, 0, 0));
    if (!(must(syscall(SYS_membarrier, 0, 0, 0)) & MEMBARRIER_CMD_GET_REGISTRATIONS))
        skip_because("MEMBARRIER_CMD_GET_REGISTRATIONS is not in the running kernel");
    in_child({
        must(syscall(SYS_membarrier, registered, 0, 0));
        must(syscall(SYS_membarrier, expedited, 0, 0));
        assert_returns(syscall(SYS_membarrier, MEMBARRIER_CMD_GET_REGISTRATIONS, 0, 0), registered);
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(memfd_noexec_seal_fixes_the_mode),
        tempdir_test(fcntl_tells_whether_descriptors_are_of_one_file),
        tempdir_test(execveat_check_does_not_run),
        tempdir_test(a_mount_has_an_id_that_is_never_used_again),
        tempdir_test(noappend_writes_where_it_is_told),
        tempdir_test(fchmodat2_has_flags),
        tempdir_test(cachestat_counts_pages),
        tempdir_test(statmount_tells_where_and_what),
        tempdir_test(requests_about_mounts_are_checked),
        tempdir_test(mounts_of_ones_own_are_described),
        tempdir_test(listmount_lists_what_is_mounted_below),
        tempdir_test(a_guard_page_faults_until_it_is_removed),
        tempdir_test(a_sealed_area_stays),
        tempdir_test(futex2_waits_and_wakes),
        tempdir_test(a_pidfd_may_stand_for_a_thread),
        tempdir_test(prctl_tells_the_auxiliary_vector),
        tempdir_test(mdwe_denies_writable_code),
        tempdir_test(extended_attributes_relative_to_a_directory),
        tempdir_test(file_getattr_fills_the_size_that_is_asked),
        tempdir_test(security_modules_have_numbers),
        tempdir_test(landlock_knows_ports),
        tempdir_test(membarrier_tells_registrations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
