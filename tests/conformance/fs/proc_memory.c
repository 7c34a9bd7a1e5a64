/* proc_memory.c: what /proc tells of a process's memory, transfers and namespaces, proc(5). Covers no call. */
#include "../lib/text.h"

#include <sched.h>

enum { PAGE = 4096 };

/* The number behind "NAME:" in a file of such lines. */
static unsigned long field(const char *path, const char *name)
{
    char *text = slurp(path), *end;
    size_t length = strlen(name);

    for (char *line = text; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return strtoul(line + length + 1, NULL, 0);
    }
    check_failed(name, __FILE__, __LINE__, "is not in %s", path);
    return 0;
}

static unsigned long resident_pages(void)
{
    unsigned long total, resident;

    assert_int_equal(sscanf(slurp("/proc/self/statm"), "%lu %lu", &total, &resident), 2);
    assert_true(resident <= total);
    return resident;
}

static char *map_pages(size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(p, MAP_FAILED);
    must(madvise(p, pages * PAGE, MADV_NOHUGEPAGE));
    return p;
}

static void resident_pages_are_those_that_were_touched(void **state)
{
    (void)state;
    enum { PAGES = 1024 };
    char *p = map_pages(PAGES);
    unsigned long before;

    /* all text that is needed has been touched then, and is not mapped anew any more */
    for (int i = 0; i < 100; i++)
        before = resident_pages();
    memset(p, 1, PAGES / 2 * PAGE);
    unsigned long touched = resident_pages();
    assert_in_range(touched, before + PAGES / 2 - 16, before + PAGES / 2 + 64);
    must(munmap(p, PAGES * PAGE));
    assert_in_range(resident_pages(), 1, touched - PAGES / 2 + 64);
}

static void status_sums_up_what_is_resident(void **state)
{
    (void)state;
    char *text = slurp("/proc/self/status"), *at = strstr(text, "\nVmHWM:");
    unsigned long peak, all, anon, file, shmem;

    assert_non_null(at);
    assert_int_equal(sscanf(at,
                            "\nVmHWM: %lu kB\nVmRSS: %lu kB\nRssAnon: %lu kB\nRssFile: %lu kB\n"
                            "RssShmem: %lu kB",
                            &peak, &all, &anon, &file, &shmem),
                     5);
    assert_int_equal(all, anon + file + shmem);
    assert_true(anon > 0 && file > 0 && peak >= all);
}

/* The number of kilobytes behind a name in the part of smaps that begins with an address. */
static unsigned long smaps_field(const void *address, const char *name)
{
    char start[32];

    snprintf(start, sizeof start, "%08lx-", (unsigned long)address);
    char *at = strstr(slurp("/proc/self/smaps"), start);
    assert_non_null(at);
    at = strstr(at, name);
    assert_non_null(at);
    return strtoul(at + strlen(name), NULL, 10);
}

static void smaps_tell_the_pages_of_each_mapping(void **state)
{
    (void)state;
    char *p = map_pages(64);

    must(mprotect(p + 63 * PAGE, PAGE, PROT_NONE)); /* no neighbour joins it */
    must(mprotect(p, PAGE, PROT_READ));
    memset(p + PAGE, 1, 10 * PAGE);
    assert_int_equal(smaps_field(p + PAGE, "Size:"), 62 * 4);
    assert_int_equal(smaps_field(p + PAGE, "Rss:"), 10 * 4);
    assert_int_equal(smaps_field(p + PAGE, "Private_Dirty:"), 10 * 4);
    assert_int_equal(smaps_field(p + PAGE, "Anonymous:"), 10 * 4);
    assert_int_equal(smaps_field(p + PAGE, "Swap:"), 0);
    must(munmap(p, 64 * PAGE));
}

static void rollup_is_one_part_with_the_sums(void **state)
{
    (void)state;
    char *text = slurp("/proc/self/smaps_rollup");
    unsigned long rss = 0;

    assert_non_null(strstr(text, "[rollup]\n"));
    assert_int_equal(sscanf(strstr(text, "\nRss:"), "\nRss: %lu kB", &rss), 1);
    assert_true(rss > 0);
    assert_non_null(strstr(text, "\nPrivate_Dirty:"));
    assert_null(strstr(text, "VmFlags"));
}

static void memory_of_a_child_is_read_and_written(void **state)
{
    (void)state;
    volatile int *shared = shared_alloc(2 * sizeof *shared);
    static volatile int own = 5;
    char path[64];
    int value = 0;
    pid_t pid = child_fork();

    if (pid == 0) {
        own = 6;
        shared[0] = 1;
        while (own == 6)
            nap();
        _exit(own);
    }
    assert_eventually(shared[0] == 1);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = must(open(path, O_RDWR));
    assert_returns(pread(fd, &value, sizeof value, (off_t)(uintptr_t)&own), sizeof value);
    assert_int_equal(value, 6);
    assert_int_equal(own, 5);
    value = 7;
    assert_returns(pwrite(fd, &value, sizeof value, (off_t)(uintptr_t)&own), sizeof value);
    assert_exited(child_wait(pid), 7);
    assert_returns(pread(fd, &value, sizeof value, (off_t)(uintptr_t)&own), 0);
    must(close(fd));
}

static void memory_file_has_a_position_and_no_end(void **state)
{
    (void)state;
    static char text[] = "0123456789";
    char seen[4];
    int fd = must(open("/proc/self/mem", O_RDONLY));

    assert_returns(lseek(fd, (off_t)(uintptr_t)text, SEEK_SET), (long)(uintptr_t)text);
    assert_returns(read(fd, seen, 4), 4);
    assert_memory_equal(seen, "0123", 4);
    assert_returns(lseek(fd, 2, SEEK_CUR), (long)(uintptr_t)text + 6);
    assert_returns(read(fd, seen, 4), 4);
    assert_memory_equal(seen, "6789", 4);
    assert_errno(lseek(fd, 0, SEEK_END), EINVAL);
    must(close(fd));
}

static void read_of_memory_stops_at_the_first_hole(void **state)
{
    (void)state;
    char *p = map_pages(3), *seen = malloc(3 * PAGE);
    int fd = must(open("/proc/self/mem", O_RDONLY));

    memset(p, 'x', 3 * PAGE);
    must(munmap(p + 2 * PAGE, PAGE));
    assert_returns(pread(fd, seen, 3 * PAGE, (off_t)(uintptr_t)p), 2 * PAGE);
    assert_errno(pread(fd, seen, PAGE, (off_t)(uintptr_t)(p + 2 * PAGE)), EIO);
    assert_errno(pread(fd, NULL, 16, (off_t)(uintptr_t)p), EFAULT);
    must(munmap(p, 2 * PAGE));
    free(seen);
    must(close(fd));
}

static void memory_of_others_is_for_those_who_may_trace(void **state)
{
    (void)state;
    char path[64];

    need_root();
    snprintf(path, sizeof path, "/proc/%d/mem", getpid());
    as_nobody({ assert_errno(open(path, O_RDONLY), EACCES); });
}

static void transfers_are_counted(void **state)
{
    (void)state;
    char buffer[1000];
    int zero = must(open("/dev/zero", O_RDONLY)), null = must(open("/dev/null", O_WRONLY));
    unsigned long chars = field("/proc/self/io", "rchar"), calls = field("/proc/self/io", "syscr");
    unsigned long wchars = field("/proc/self/io", "wchar"),
                  wcalls = field("/proc/self/io", "syscw");

    assert_returns(read(zero, buffer, sizeof buffer), sizeof buffer);
    assert_returns(write(null, buffer, 777), 777);
    assert_true(field("/proc/self/io", "rchar") >= chars + 1000);
    assert_true(field("/proc/self/io", "syscr") > calls);
    assert_true(field("/proc/self/io", "wchar") >= wchars + 777);
    assert_true(field("/proc/self/io", "syscw") > wcalls);
    must(close(zero));
    must(close(null));
}

static void namespaces_are_files_that_can_be_held_open(void **state)
{
    (void)state;
    struct stat by_name, by_fd, other;
    char name[64], target[64];
    unsigned long number;
    int fd = must(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

    must(stat("/proc/self/ns/uts", &by_name));
    must(fstat(fd, &by_fd));
    must(stat("/proc/self/ns/ipc", &other));
    assert_true(S_ISREG(by_fd.st_mode));
    assert_int_equal(by_name.st_ino, by_fd.st_ino);
    assert_int_equal(by_name.st_dev, by_fd.st_dev);
    assert_int_not_equal(by_name.st_ino, other.st_ino);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = must(readlink(name, target, sizeof target - 1));
    target[n] = 0;
    assert_int_equal(sscanf(target, "uts:[%lu]", &number), 1);
    assert_int_equal(number, by_fd.st_ino);
    assert_errno(read(fd, target, 1), EINVAL);
    must(close(fd));
}

/* covers: setns EINVAL CLONE_NEWUTS */
static void namespace_of_a_file_is_entered(void **state)
{
    (void)state;
    char name[65];

    need_root();
    int fd = must(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
    struct stat before, after;

    must(stat("/proc/self/ns/uts", &before));
    in_child({
        must(unshare(CLONE_NEWUTS));
        must(stat("/proc/self/ns/uts", &after));
        assert_int_not_equal(before.st_ino, after.st_ino);
        must(sethostname("elsewhere", 9));
        assert_errno(setns(fd, CLONE_NEWIPC), EINVAL);
        must(setns(fd, CLONE_NEWUTS));
        must(gethostname(name, sizeof name));
        assert_string_not_equal(name, "elsewhere");
        must(stat("/proc/self/ns/uts", &after));
        assert_int_equal(before.st_ino, after.st_ino);
        must(setns(fd, 0));
    });
    must(close(fd));
}

static void files_of_a_process_that_programs_look_for_are_there(void **state)
{
    (void)state;
    unsigned first, outside, count;
    long long ran, waited, times;

    assert_int_equal(sscanf(slurp("/proc/self/uid_map"), "%u %u %u", &first, &outside, &count), 3);
    assert_int_equal(sscanf(slurp("/proc/self/schedstat"), "%lld %lld %lld", &ran, &waited, &times),
                     3);
    assert_non_null(strstr(slurp("/proc/self/sched"), "nr_voluntary_switches"));
    assert_true(strtol(slurp("/proc/self/syscall"), NULL, 10) == SYS_read);
    assert_true(strcmp(slurp("/proc/self/setgroups"), "allow\n") == 0 ||
                strcmp(slurp("/proc/self/setgroups"), "deny\n") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resident_pages_are_those_that_were_touched),
        cmocka_unit_test(status_sums_up_what_is_resident),
        cmocka_unit_test(smaps_tell_the_pages_of_each_mapping),
        cmocka_unit_test(rollup_is_one_part_with_the_sums),
        cmocka_unit_test(memory_of_a_child_is_read_and_written),
        cmocka_unit_test(memory_file_has_a_position_and_no_end),
        cmocka_unit_test(read_of_memory_stops_at_the_first_hole),
        cmocka_unit_test(memory_of_others_is_for_those_who_may_trace),
        cmocka_unit_test(transfers_are_counted),
        cmocka_unit_test(namespaces_are_files_that_can_be_held_open),
        cmocka_unit_test(namespace_of_a_file_is_entered),
        cmocka_unit_test(files_of_a_process_that_programs_look_for_are_there),
    };

    return cmocka_run_group_tests_name("fs/proc_memory", tests, NULL, NULL);
}
