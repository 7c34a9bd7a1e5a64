/* tests/unit/host_boot.c: what a launcher may say about a run, and where the symbols may lie. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "rename.h"

#include "base/string.h"
#include "host/boot.h"
#include "host/descriptors.h"
#include "host/log.h"

#include <myst/boot.h>
#include <myst/target.h>

#include "break.h"

#define ROOT_FILE  5
#define MOUNT_FILE 6

static const char *const good_argv[] = {"sh", "-c", "true", NULL};
static const char *const good_envp[] = {"A=1", NULL};
static const uint32_t good_groups[] = {4, 24};
static const struct boot_mount good_mount = {
    .source = "/src", .target = "/dst", .type = "hostfs", .options = "", .file = MOUNT_FILE};

static struct boot_mount mounts[2];
static struct boot_info told;
static const struct boot_info *heard;

static void tell_what_is_right(void)
{
    mounts[0] = mounts[1] = good_mount;
    mounts[1].file = -1;
    mounts[1].options = NULL;
    told = (struct boot_info){
        .data_pages = 1 << 20,
        .memory_size = 1UL << 30,
        .page_size = 4096,
        .cpus = 2,
        .minsigstksz = 3632,
        .platform = "x86_64",
        .program = "/bin/sh",
        .argv = good_argv,
        .envp = good_envp,
        .cwd = "/",
        .hostname = "host",
        .uid = 1000,
        .gid = 100,
        .groups = good_groups,
        .ngroups = 2,
        .umask = 022,
        .root = BOOT_ROOT_DIRECTORY,
        .root_file = ROOT_FILE,
        .mounts = mounts,
        .nmounts = 2,
        .console_mode = {S_IFCHR | 0620, S_IFREG | 0644, S_IFIFO | 0600},
        .console_tty = 1,
        .console_access = {O_RDWR, O_WRONLY | O_APPEND, O_WRONLY},
        .uname_machine = "x86_64",
    };
    for (int i = 0; i < 16; i++)
        told.rlimits[i][0] = told.rlimits[i][1] = (uint64_t)i;
}

static int setup(void **state)
{
    tell_what_is_right();
    return 0;
}

/* The field that is not accepted; "" when all is. */
static const char *wrong(void)
{
    const char *field = NULL;

    heard = host_boot(&told, &field);
    descriptor_drop(ROOT_FILE);
    descriptor_drop(MOUNT_FILE);
    return heard ? "" : field;
}

/* What is told with one field changed is refused by that field's name; told rightly, it is taken. */
#define refused(change, name)                                                                      \
    do {                                                                                           \
        change;                                                                                    \
        assert_string_equal(wrong(), name);                                                        \
        tell_what_is_right();                                                                      \
    } while (0)

/* What is told with one field changed is made good. */
#define mended(change, field, value)                                                               \
    do {                                                                                           \
        change;                                                                                    \
        assert_string_equal(wrong(), "");                                                          \
        assert_true(heard->field == (value));                                                      \
        tell_what_is_right();                                                                      \
    } while (0)

static void what_is_right_is_taken_as_it_is(void **state)
{
    assert_string_equal(wrong(), "");
    assert_memory_equal(heard, &told, sizeof(told));
    told.cwd = told.hostname = told.strace = NULL;
    told.ngroups = told.nmounts = 0;
    told.groups = NULL;
    told.mounts = NULL;
    assert_string_equal(wrong(), "");
    assert_memory_equal(heard, &told, sizeof(told));
}

static void what_is_told_afterwards_is_not_heard(void **state)
{
    assert_string_equal(wrong(), "");
    told.uid = 0;
    assert_int_equal(heard->uid, 1000);
}

/* breaks: boot_data_pages boot_memory_least boot_memory_most boot_page_size boot_cpus boot_minsigstksz */
static void the_machine_is_possible(void **state)
{
    refused(told.data_pages = MYST_WINDOW_SIZE / 2, "data_pages");
    refused(told.data_pages = UINT64_MAX, "data_pages");
    refused(told.memory_size = 0, "memory_size");
    refused(told.memory_size = (1 << 20) - 1, "memory_size");
    mended(told.memory_size = UINT64_MAX, memory_size, MYST_WINDOW_SIZE);
    refused(told.page_size = 0, "page_size");
    refused(told.page_size = 16384, "page_size");
    mended(told.cpus = 0, cpus, 1);
    mended(told.cpus = UINT32_MAX, cpus, 1);
    mended(told.cpus = 4096, cpus, 4096);
    refused(told.minsigstksz = UINT32_MAX, "minsigstksz");
}

/* breaks: boot_platform boot_uname_machine */
static void names_of_the_machine_end(void **state)
{
    memset(told.platform, 'x', sizeof(told.platform));
    mended(, platform[0], '\0');
    memset(told.uname_machine, 'x', sizeof(told.uname_machine));
    mended(, uname_machine[0], '\0');
    memset(told.platform, 'x', sizeof(told.platform) - 1);
    mended(, platform[14], 'x');
}

#define TEXT_MAX (16UL << 20)

/* breaks: boot_program boot_argv boot_envp boot_cwd boot_hostname boot_strace boot_mount_texts */
static void texts_end(void **state)
{
    char *endless = malloc(TEXT_MAX + 1);
    const char *const list[] = {"sh", endless, NULL};

    assert_non_null(endless);
    memset(endless, 'x', TEXT_MAX);
    endless[TEXT_MAX] = '\0'; /* one too late */
    refused(told.program = NULL, "program");
    refused(told.program = endless, "program");
    refused(told.argv = NULL, "argv");
    refused(told.argv = list, "argv");
    refused(told.envp = NULL, "envp");
    refused(told.envp = list, "envp");
    refused(told.cwd = endless, "cwd");
    refused(told.hostname = endless, "hostname");
    refused(told.strace = endless, "strace");
    refused(mounts[0].target = NULL, "mounts: texts");
    refused(mounts[0].target = endless, "mounts: texts");
    refused(mounts[1].type = NULL, "mounts: texts");
    refused(mounts[1].options = endless, "mounts: texts");
    refused(mounts[1].source = endless, "mounts: texts");
    endless[TEXT_MAX - 1] = '\0';
    refused(told.argv = list, "");
    free(endless);
}

static void a_list_without_an_end_is_refused(void **state)
{
    size_t n = (6UL << 20) + 2;
    const char **list = malloc(n * sizeof(*list));

    assert_non_null(list);
    for (size_t i = 0; i < n; i++)
        list[i] = "";
    refused(told.argv = list, "argv");
    refused(told.envp = list, "envp");
    free(list);
}

/* breaks: boot_uid boot_gid boot_groups boot_ngroups boot_umask boot_nice */
static void the_caller_is_somebody(void **state)
{
    static const uint32_t nobodies[] = {4, UINT32_MAX};
    uint32_t *many = calloc(65537, sizeof(*many));

    assert_non_null(many);
    refused(told.uid = UINT32_MAX, "uid");
    refused(told.gid = UINT32_MAX, "gid");
    refused(told.groups = nobodies, "groups");
    refused(told.groups = many; told.ngroups = 65537, "ngroups");
    refused(told.groups = many; told.ngroups = 65536, "");
    mended(told.umask = 0177777, umask, 0777);
    mended(told.nice = 20, nice, 0);
    mended(told.nice = -21, nice, 0);
    mended(told.nice = 19, nice, 19);
    mended(told.nice = -20, nice, -20);
    free(many);
}

static void groups_without_a_list_are_refused(void **state)
{
    refused(told.groups = NULL, "ngroups");
}

/* breaks: boot_ignored_signals boot_blocked_signals */
static void kill_and_stop_cannot_be_held_off(void **state)
{
    const uint64_t both = 1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1);

    mended(told.ignored_signals = UINT64_MAX, ignored_signals, ~both);
    mended(told.blocked_signals = UINT64_MAX, blocked_signals, ~both);
    mended(told.blocked_signals = ~both, blocked_signals, ~both);
}

/*
 * breaks: boot_root boot_root_file boot_root_file_twice boot_nmounts boot_mount_file
 * boot_mount_file_twice
 */
static void files_are_descriptors_of_their_own(void **state)
{
    refused(told.root = (enum boot_root)2, "root");
    refused(told.root = (enum boot_root) - 1, "root");
    refused(told.root_file = 2, "root_file");
    refused(told.root_file = -1, "root_file");
    refused(told.root_file = INT_MAX, "root_file");
    refused(mounts[0].file = 0, "mounts: file");
    refused(mounts[0].file = -2, "mounts: file");
    refused(mounts[0].file = ROOT_FILE, "mounts: file");
    refused(mounts[1].file = MOUNT_FILE, "mounts: file");
    refused(told.mounts = NULL; told.nmounts = 4097, "nmounts");

    assert_int_equal(BORDER_DESCRIPTOR(boot_root_file, boot_root_file_twice, ROOT_FILE), ROOT_FILE);
    refused(, "root_file");
}

static void mounts_without_a_list_are_refused(void **state)
{
    refused(told.mounts = NULL, "nmounts");
}

/* breaks: boot_console_closed boot_console_mode boot_console_tty boot_console_access */
static void the_console_is_three_descriptors(void **state)
{
    mended(told.console_closed = UINT32_MAX; told.console_tty = 0, console_closed, 7);
    mended(told.console_tty = UINT32_MAX, console_tty, 7);
    mended(told.console_tty = 7; told.console_closed = 2, console_tty, 5);
    mended(told.console_mode[1] = 0644, console_mode[1], S_IFIFO | 0600);
    mended(told.console_mode[1] = S_IFLNK | 0644, console_mode[1], S_IFIFO | 0600);
    mended(told.console_mode[2] = UINT32_MAX, console_mode[2], S_IFIFO | 0600);
    mended(told.console_mode[1] = 0644; told.console_closed = 2, console_mode[1], 0644);
    mended(told.console_access[1] = 3, console_access[1], O_RDONLY);
    mended(told.console_access[1] = O_WRONLY | O_TRUNC, console_access[1], O_RDONLY);
    mended(told.console_access[2] = UINT32_MAX, console_access[2], O_APPEND);
}

/* breaks: boot_rlimits */
static void soft_limits_are_not_above_the_hard_ones(void **state)
{
    mended(told.rlimits[15][0] = UINT64_MAX, rlimits[15][0], 15);
    mended(told.rlimits[0][0] = 1, rlimits[0][0], 0);
    mended(told.rlimits[7][0] = 3, rlimits[7][0], 3);
}

/* ---- symbols ---- */

static const void *symbols_reply;
static size_t size_reply;

const void *target_symbols(size_t *size)
{
    *size = size_reply;
    return symbols_reply;
}
void target_log(const char *text, size_t len)
{
}
void target_panic(void)
{
    abort();
}

static const void *symbols_after(uintptr_t place, size_t size)
{
    size_t heard_size = 77;
    const void *image;

    symbols_reply = (const void *)place;
    size_reply = size;
    image = host_symbols(&heard_size);
    assert_int_equal(heard_size, image ? size : 0);
    return image;
}

/* breaks: symbols_place symbols_size */
static void symbols_lie_where_they_can(void **state)
{
    const uintptr_t place = 0x650000000000;

    assert_ptr_equal(symbols_after(place, 1 << 20), place);
    assert_ptr_equal(symbols_after(place, 64 << 20), place);
    assert_null(symbols_after(0, 1 << 20));
    assert_null(symbols_after(place + 4, 1 << 20));
    assert_null(symbols_after(place, (64 << 20) + 1));
    assert_null(symbols_after(place, SIZE_MAX));
    assert_null(symbols_after(UINTPTR_MAX - 7, 1 << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_right_is_taken_as_it_is, setup),
        cmocka_unit_test_setup(what_is_told_afterwards_is_not_heard, setup),
        cmocka_unit_test_setup(the_machine_is_possible, setup),
        cmocka_unit_test_setup(names_of_the_machine_end, setup),
        cmocka_unit_test_setup(texts_end, setup),
        cmocka_unit_test_setup(a_list_without_an_end_is_refused, setup),
        cmocka_unit_test_setup(the_caller_is_somebody, setup),
        cmocka_unit_test_setup(groups_without_a_list_are_refused, setup),
        cmocka_unit_test_setup(kill_and_stop_cannot_be_held_off, setup),
        cmocka_unit_test_setup(files_are_descriptors_of_their_own, setup),
        cmocka_unit_test_setup(mounts_without_a_list_are_refused, setup),
        cmocka_unit_test_setup(the_console_is_three_descriptors, setup),
        cmocka_unit_test_setup(soft_limits_are_not_above_the_hard_ones, setup),
        cmocka_unit_test(symbols_lie_where_they_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
