/* proc_self.c: /proc/self, proc(5): what a process can read about itself. Covers no call. */
#include "../lib/text.h"

#include <dirent.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    must(stat(a, &sa));
    must(stat(b, &sb));
    return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void self_is_a_link_to_the_number(void **state)
{
    (void)state;
    char number[32];

    snprintf(number, sizeof number, "%d", getpid());
    assert_string_equal(link_of("/proc/self"), number);
    assert_true(lists("/proc", number));
    assert_true(lists("/proc", "self"));
    snprintf(number, sizeof number, "%d/task/%ld", getpid(), syscall(SYS_gettid));
    assert_string_equal(link_of("/proc/thread-self"), number);
}

static void links_of_descriptors_name_what_is_open(void **state)
{
    (void)state;
    char path[512];
    struct stat st;
    int fds[2];

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    snprintf(path, sizeof path, "%s/f", (char *)*state);
    assert_string_equal(link_of_fd(fd), path);
    must(rename("f", "g"));
    snprintf(path, sizeof path, "%s/g", (char *)*state);
    assert_string_equal(link_of_fd(fd), path);
    must(unlink("g"));
    strcat(path, " (deleted)");
    assert_string_equal(link_of_fd(fd), path);
    must(close(fd));

    must(pipe(fds));
    must(fstat(fds[0], &st));
    snprintf(path, sizeof path, "pipe:[%lu]", st.st_ino);
    assert_string_equal(link_of_fd(fds[0]), path);
    must(close(fds[0]));
    must(close(fds[1]));

    fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    must(fstat(fd, &st));
    snprintf(path, sizeof path, "socket:[%lu]", st.st_ino);
    assert_string_equal(link_of_fd(fd), path);
    must(close(fd));

    fd = must(eventfd(0, 0));
    assert_string_equal(link_of_fd(fd), "anon_inode:[eventfd]");
    must(close(fd));
}

static void links_of_descriptors_tell_what_they_were_opened_for(void **state)
{
    (void)state;
    static const struct {
        int flags;
        mode_t mode;
    } cases[] = {{O_RDONLY, 0500}, {O_WRONLY, 0300}, {O_RDWR, 0700}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = must(open("/dev/null", cases[i].flags | O_CLOEXEC));
        struct stat st;
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        must(lstat(path, &st));
        assert_int_equal(st.st_mode, S_IFLNK | cases[i].mode);
        must(close(fd));
    }
}

static void open_descriptors_are_listed(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY));

    must(dup2(fd, 97)); /* above what reading the folder itself takes */
    assert_true(lists("/proc/self/fd", "97"));
    assert_true(lists("/proc/self/fdinfo", "97"));
    must(close(97));
    assert_false(lists("/proc/self/fd", "97"));
    must(close(fd));
}

static void opening_a_link_opens_the_file_anew(void **state)
{
    (void)state;
    char path[64], c;

    make_file("f", "abc");
    int fd = must(open("f", O_RDONLY));
    assert_returns(read(fd, &c, 1), 1);
    must(unlink("f"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = must(open(path, O_RDWR)); /* another offset, another mode, although it is removed */
    assert_returns(read(again, &c, 1), 1);
    assert_int_equal(c, 'a');
    assert_returns(write(again, "X", 1), 1);
    must(close(again));
    must(close(fd));
}

static void descriptor_information_has_offset_and_flags(void **state)
{
    (void)state;
    char path[64];

    make_file("f", "abcdef");
    int fd = must(open("f", O_RDWR | O_APPEND | O_CLOEXEC));
    must(lseek(fd, 4, SEEK_SET));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    char *text = slurp(path);
    assert_non_null(field_of(text, "pos"));
    assert_int_equal(atoi(field_of(text, "pos")), 4);
    assert_int_equal(strtol(field_of(text, "flags"), NULL, 8) & ~0100000,
                     O_RDWR | O_APPEND | O_CLOEXEC);
    must(close(fd));
}

static void links_to_folder_root_and_program(void **state)
{
    (void)state;
    assert_string_equal(link_of("/proc/self/cwd"), *state);
    assert_true(same_file("/proc/self/cwd", "."));
    assert_string_equal(link_of("/proc/self/root"), "/");
    assert_true(same_file("/proc/self/exe", link_of("/proc/self/exe")));
}

static void command_line_is_that_of_the_start(void **state)
{
    (void)state;
    assert_string_equal(slurp("/proc/self/cmdline"), program_invocation_name);
}

static void name_can_be_read_and_written(void **state)
{
    (void)state;
    char before[32], name[16];

    must(prctl(PR_GET_NAME, name));
    snprintf(before, sizeof before, "%s\n", name);
    assert_string_equal(slurp("/proc/self/comm"), before);
    in_child(int fd = must(open("/proc/self/comm", O_WRONLY));
             assert_returns(write(fd, "other name", 10), 10); must(prctl(PR_GET_NAME, name));
             assert_string_equal(name, "other name");
             assert_string_equal(slurp("/proc/self/comm"), "other name\n"));
}

static void environment_is_that_of_the_start(void **state)
{
    (void)state;
    const char *path = getenv("PATH");
    char wanted[4096];
    bool found = false;

    if (!path)
        skip_because("started without PATH");
    snprintf(wanted, sizeof wanted, "PATH=%s", path);
    int fd = must(open("/proc/self/environ", O_RDONLY));
    static char text[65536];
    ssize_t n = must(read(fd, text, sizeof text - 1));
    for (char *at = text; at < text + n; at += strlen(at) + 1)
        found |= strcmp(at, wanted) == 0;
    assert_true(found);
    must(close(fd));
}

static void status_has_numbers_and_ids(void **state)
{
    (void)state;
    char *text = slurp("/proc/self/status");
    unsigned ids[4];

    assert_int_equal(atoi(field_of(text, "Pid")), getpid());
    assert_int_equal(atoi(field_of(text, "Tgid")), getpid());
    assert_int_equal(atoi(field_of(text, "PPid")), getppid());
    assert_int_equal(atoi(field_of(text, "Threads")), 1);
    assert_int_equal(field_of(text, "State")[0], 'R');
    assert_int_equal(sscanf(field_of(text, "Uid"), "%u %u %u %u", ids, ids + 1, ids + 2, ids + 3),
                     4);
    assert_int_equal(ids[0], getuid());
    assert_int_equal(ids[1], geteuid());
    assert_int_equal(sscanf(field_of(text, "Gid"), "%u %u %u %u", ids, ids + 1, ids + 2, ids + 3),
                     4);
    assert_int_equal(ids[0], getgid());
    assert_true(atol(field_of(text, "VmRSS")) > 0);
    assert_true(atol(field_of(text, "VmSize")) >= atol(field_of(text, "VmRSS")));
}

static void status_has_signal_masks_and_capabilities(void **state)
{
    (void)state;
    sigset_t set, before;
    unsigned long long mask = 0, effective = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    must(sigprocmask(SIG_BLOCK, &set, &before));
    must(raise(SIGUSR2));
    char *text = slurp("/proc/self/status");
    assert_int_equal(sscanf(field_of(text, "SigBlk"), "%llx", &mask), 1);
    assert_true(mask >> (SIGUSR2 - 1) & 1);
    signal(SIGUSR2, SIG_IGN); /* forgets the pending one */
    must(sigprocmask(SIG_SETMASK, &before, NULL));
    text = slurp("/proc/self/status");
    assert_int_equal(sscanf(field_of(text, "SigIgn"), "%llx", &mask), 1);
    assert_true(mask >> (SIGUSR2 - 1) & 1);
    default_signal(SIGUSR2);
    assert_int_equal(sscanf(field_of(text, "CapEff"), "%llx", &effective), 1);
    assert_int_equal(effective >> CAP_CHOWN & 1, has_capability(CAP_CHOWN));
}

static void stat_is_one_line_of_numbers(void **state)
{
    (void)state;
    char *text = slurp("/proc/self/stat"), *rest = strrchr(text, ')'), state_letter;
    int parent, group, session, fields = 2;

    assert_int_equal(atoi(text), getpid());
    assert_non_null(rest);
    assert_int_equal(sscanf(rest + 2, "%c %d %d %d", &state_letter, &parent, &group, &session), 4);
    assert_int_equal(state_letter, 'R');
    assert_int_equal(parent, getppid());
    assert_int_equal(group, getpgrp());
    assert_int_equal(session, getsid(0));
    for (char *at = rest + 1; *at; at++)
        fields += *at == ' ';
    assert_true(fields >= 52);
}

static void memory_figures_are_seven_numbers(void **state)
{
    (void)state;
    unsigned long n[7];

    assert_int_equal(sscanf(slurp("/proc/self/statm"), "%lu %lu %lu %lu %lu %lu %lu", n, n + 1,
                            n + 2, n + 3, n + 4, n + 5, n + 6),
                     7);
    assert_true(n[0] >= n[1]);
    assert_true(n[1] > 0);
}

/* The line of /proc/self/maps that begins at this address. */
static char *map_line(const void *address)
{
    char start[32];

    snprintf(start, sizeof start, "%lx-", (unsigned long)address);
    for (char *line = slurp("/proc/self/maps"); line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        if (strncmp(line, start, strlen(start)) == 0)
            return line;
        line = end ? end + 1 : NULL;
    }
    return NULL;
}

static void mappings_show_range_rights_offset_and_file(void **state)
{
    (void)state;
    struct stat st;
    unsigned long start, end, offset, inode;
    char rights[8], name[512];

    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    must(ftruncate(fd, 5 * 4096));
    must(fstat(fd, &st));
    void *map = mmap(NULL, 2 * 4096, PROT_READ, MAP_SHARED, fd, 3 * 4096);
    assert_ptr_not_equal(map, MAP_FAILED);
    char *line = map_line(map);
    assert_non_null(line);
    assert_int_equal(
        sscanf(line, "%lx-%lx %7s %lx %*s %lu %511s", &start, &end, rights, &offset, &inode, name),
        6);
    assert_int_equal(end - start, 2 * 4096);
    assert_string_equal(rights, "r--s");
    assert_int_equal(offset, 3 * 4096);
    assert_int_equal(inode, st.st_ino);
    assert_int_equal(strncmp(name, *state, strlen(*state)), 0);
    must(munmap(map, 2 * 4096));
    assert_null(map_line(map));
    must(close(fd));
}

static void mappings_name_the_stack_and_the_program(void **state)
{
    (void)state;
    assert_non_null(strstr(slurp("/proc/self/maps"), "[stack]"));
    const char *program = link_of("/proc/self/exe");
    assert_non_null(strstr(slurp("/proc/self/maps"), program));
}

static void memory_can_be_read_and_written_as_a_file(void **state)
{
    (void)state;
    static volatile int variable = 11;
    int value = 0, fd = must(open("/proc/self/mem", O_RDWR));

    assert_returns(pread(fd, &value, sizeof value, (off_t)(uintptr_t)&variable), sizeof value);
    assert_int_equal(value, 11);
    value = 22;
    assert_returns(pwrite(fd, &value, sizeof value, (off_t)(uintptr_t)&variable), sizeof value);
    assert_int_equal(variable, 22);
    assert_errno(pread(fd, &value, sizeof value, 0), EIO);
    must(close(fd));
}

static void auxiliary_vector_is_that_of_the_start(void **state)
{
    (void)state;
    unsigned long vector[128];
    int fd = must(open("/proc/self/auxv", O_RDONLY));
    ssize_t n = must(read(fd, vector, sizeof vector));
    bool found = false;

    for (size_t i = 0; i + 1 < (size_t)n / sizeof vector[0]; i += 2)
        found |= vector[i] == AT_PAGESZ && vector[i + 1] == getauxval(AT_PAGESZ);
    assert_true(found);
    must(close(fd));
}

static void limits_are_those_of_getrlimit(void **state)
{
    (void)state;
    struct rlimit limit;
    unsigned long soft = 0;

    must(getrlimit(RLIMIT_NOFILE, &limit));
    char *line = strstr(slurp("/proc/self/limits"), "Max open files");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "Max open files %lu", &soft), 1);
    assert_int_equal(soft, limit.rlim_cur);
}

static void threads_are_listed(void **state)
{
    (void)state;
    char number[16];

    snprintf(number, sizeof number, "%ld", syscall(SYS_gettid));
    assert_true(lists("/proc/self/task", number));
}

static void namespaces_are_links_with_numbers(void **state)
{
    (void)state;
    static const char *names[] = {"mnt", "pid", "uts", "ipc", "net", "user"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[64], wanted[16];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        snprintf(wanted, sizeof wanted, "%s:[", names[i]);
        assert_int_equal(strncmp(link_of(path), wanted, strlen(wanted)), 0);
    }
}

static void another_process_comes_and_goes(void **state)
{
    (void)state;
    char path[64], number[16];
    pid_t pid = child_fork();

    if (pid == 0) {
        for (;;)
            pause();
    }
    snprintf(number, sizeof number, "%d", pid);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    assert_true(lists("/proc", number));
    assert_int_equal(atoi(field_of(slurp(path), "PPid")), getpid());
    must(kill(pid, SIGKILL));
    assert_eventually(process_state(pid) == 'Z');
    assert_int_equal(field_of(slurp(path), "State")[0], 'Z');
    int held = must(open(path, O_RDONLY));
    assert_killed_by(child_wait(pid), SIGKILL);
    assert_false(path_exists(path));
    char c;
    assert_errno(read(held, &c, 1), ESRCH);
    must(close(held));
}

static void changes_to_the_tree_are_refused(void **state)
{
    (void)state;
    assert_errno(open("/proc/self/none", O_RDONLY), ENOENT);
    assert_errno(mkdir("/proc/self/new", 0755), ENOENT);
    assert_int_equal(unlink("/proc/self/status"), -1);
    assert_true(errno == EPERM || (geteuid() != 0 && errno == EACCES));
    assert_errno(open("/proc/999999999/stat", O_RDONLY), ENOENT);
}

static void small_reads_give_the_same_text(void **state)
{
    (void)state;
    char whole[256] = "", pieces[256] = "", *at = pieces;
    int fd = must(open("/proc/version", O_RDONLY));

    assert_true(must(read(fd, whole, sizeof whole - 1)) > 0);
    must(lseek(fd, 0, SEEK_SET));
    while (at < pieces + sizeof pieces - 8) {
        ssize_t n = must(read(fd, at, 7));
        if (n == 0)
            break;
        at += n;
    }
    assert_string_equal(pieces, whole);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_is_a_link_to_the_number),
        tempdir_test(links_of_descriptors_name_what_is_open),
        cmocka_unit_test(links_of_descriptors_tell_what_they_were_opened_for),
        cmocka_unit_test(open_descriptors_are_listed),
        tempdir_test(opening_a_link_opens_the_file_anew),
        tempdir_test(descriptor_information_has_offset_and_flags),
        tempdir_test(links_to_folder_root_and_program),
        cmocka_unit_test(command_line_is_that_of_the_start),
        cmocka_unit_test(name_can_be_read_and_written),
        cmocka_unit_test(environment_is_that_of_the_start),
        cmocka_unit_test(status_has_numbers_and_ids),
        cmocka_unit_test(status_has_signal_masks_and_capabilities),
        cmocka_unit_test(stat_is_one_line_of_numbers),
        cmocka_unit_test(memory_figures_are_seven_numbers),
        tempdir_test(mappings_show_range_rights_offset_and_file),
        cmocka_unit_test(mappings_name_the_stack_and_the_program),
        cmocka_unit_test(memory_can_be_read_and_written_as_a_file),
        cmocka_unit_test(auxiliary_vector_is_that_of_the_start),
        cmocka_unit_test(limits_are_those_of_getrlimit),
        cmocka_unit_test(threads_are_listed),
        cmocka_unit_test(namespaces_are_links_with_numbers),
        cmocka_unit_test(another_process_comes_and_goes),
        cmocka_unit_test(changes_to_the_tree_are_refused),
        cmocka_unit_test(small_reads_give_the_same_text),
    };

    return cmocka_run_group_tests_name("fs/proc_self", tests, NULL, NULL);
}
