/* proc_system.c: /proc, proc(5): what is told about the machine. Covers no call. */
#include "../lib/text.h"

#include <ctype.h>
#include <sys/utsname.h>

static void uptime_is_that_of_the_boot_clock(void **state)
{
    (void)state;
    double up, idle;
    struct timespec ts;

    assert_int_equal(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle), 2);
    must(clock_gettime(CLOCK_BOOTTIME, &ts));
    assert_true(up <= (double)ts.tv_sec + 1 && up >= (double)ts.tv_sec - 60);
    assert_true(idle >= 0);
}

static void load_has_five_fields(void **state)
{
    (void)state;
    double one, five, fifteen;
    unsigned running, all, last;

    assert_int_equal(sscanf(slurp("/proc/loadavg"), "%lf %lf %lf %u/%u %u", &one, &five, &fifteen,
                            &running, &all, &last),
                     6);
    assert_true(running >= 1 && running <= all);
}

static void memory_information_is_consistent(void **state)
{
    (void)state;
    unsigned long total, free, available;
    char *text = slurp("/proc/meminfo");

    assert_int_equal(sscanf(text, "MemTotal: %lu kB", &total), 1);
    assert_non_null(strstr(text, "\nMemFree:"));
    assert_int_equal(sscanf(strstr(text, "\nMemFree:"), "\nMemFree: %lu kB", &free), 1);
    assert_non_null(strstr(text, "\nMemAvailable:"));
    assert_int_equal(sscanf(strstr(text, "\nMemAvailable:"), "\nMemAvailable: %lu", &available), 1);
    assert_true(free <= total && available <= total);
    assert_non_null(strstr(text, "\nSwapTotal:"));
    assert_non_null(strstr(text, "\nCached:"));
}

static void statistics_count_every_processor_and_tell_the_boot_time(void **state)
{
    (void)state;
    char *text = slurp("/proc/stat");
    unsigned long boot = 0;
    struct timespec real, up;
    int cpus = 0;

    assert_int_equal(strncmp(text, "cpu  ", 5), 0);
    for (char *at = text; (at = strstr(at, "\ncpu")); at++)
        cpus += isdigit((unsigned char)at[4]) != 0;
    assert_int_equal(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    assert_non_null(strstr(text, "\nbtime "));
    assert_int_equal(sscanf(strstr(text, "\nbtime "), "\nbtime %lu", &boot), 1);
    must(clock_gettime(CLOCK_REALTIME, &real));
    must(clock_gettime(CLOCK_BOOTTIME, &up));
    assert_true(labs(real.tv_sec - up.tv_sec - (long)boot) <= 2);
    assert_non_null(strstr(text, "\nctxt "));
    assert_non_null(strstr(text, "\nprocesses "));
}

static void processors_are_described(void **state)
{
    (void)state;
    char *text = slurp("/proc/cpuinfo");
    long cpus = strncmp(text, "processor\t:", 11) == 0;

    for (char *at = text; (at = strstr(at, "\nprocessor\t:")); at++)
        cpus++;
    assert_int_equal(cpus, sysconf(_SC_NPROCESSORS_ONLN));
    assert_non_null(strstr(text, "\nflags\t\t:"));
    assert_non_null(strstr(text, "model name"));
}

static void version_is_that_of_uname(void **state)
{
    (void)state;
    struct utsname name;
    char wanted[128];

    must(uname(&name));
    snprintf(wanted, sizeof wanted, "Linux version %s ", name.release);
    assert_int_equal(strncmp(slurp("/proc/version"), wanted, strlen(wanted)), 0);
}

static void file_systems_are_listed(void **state)
{
    (void)state;
    char *text = slurp("/proc/filesystems");

    assert_non_null(strstr(text, "nodev\ttmpfs\n"));
    assert_non_null(strstr(text, "nodev\tproc\n"));
}

static void mounts_are_listed(void **state)
{
    (void)state;
    char *text = slurp("/proc/self/mounts");

    assert_non_null(strstr(text, " / "));
    assert_non_null(strstr(text, " /proc proc "));
    assert_true(path_exists("/proc/mounts"));
    text = slurp("/proc/self/mountinfo");
    assert_non_null(strstr(text, " /proc "));
    assert_non_null(strstr(text, " - proc "));
}

static void names_of_the_system_are_those_of_uname(void **state)
{
    (void)state;
    struct utsname name;

    must(uname(&name));
    char *text = slurp("/proc/sys/kernel/hostname");
    text[strcspn(text, "\n")] = 0;
    assert_string_equal(text, name.nodename);
    assert_string_equal(slurp("/proc/sys/kernel/ostype"), "Linux\n");
}

static void each_reading_of_uuid_differs_and_that_of_the_boot_stays(void **state)
{
    (void)state;
    char first[64], boot[64];

    snprintf(first, sizeof first, "%s", slurp("/proc/sys/kernel/random/uuid"));
    assert_int_equal(strlen(first), 37);
    assert_int_equal(first[14], '4'); /* a random one */
    assert_string_not_equal(slurp("/proc/sys/kernel/random/uuid"), first);
    snprintf(boot, sizeof boot, "%s", slurp("/proc/sys/kernel/random/boot_id"));
    assert_string_equal(slurp("/proc/sys/kernel/random/boot_id"), boot);
}

static void limits_that_programs_ask_for_are_numbers(void **state)
{
    (void)state;
    static const char *paths[] = {
        "/proc/sys/kernel/pid_max",       "/proc/sys/kernel/threads-max",
        "/proc/sys/fs/pipe-max-size",     "/proc/sys/fs/file-max",
        "/proc/sys/fs/nr_open",           "/proc/sys/vm/max_map_count",
        "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/ngroups_max",
        "/proc/sys/net/core/somaxconn",
    };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_true(number_in(paths[i]) >= 0);
}

static void settings_are_for_root(void **state)
{
    (void)state;
    as_nobody(assert_errno(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES));
}

/* The rows below the headings differ from machine to machine; that they can be told apart does not. */
static void files_of_the_machine_have_their_form(void **state)
{
    (void)state;
    unsigned long value;
    char *text;

    assert_int_equal(strncmp(slurp("/proc/swaps"), "Filename", 8), 0);
    assert_non_null(strstr(slurp("/proc/devices"), "Character devices:\n"));
    assert_non_null(strstr(slurp("/proc/devices"), "\nBlock devices:\n"));
    assert_int_equal(strncmp(slurp("/proc/partitions"), "major minor", 11), 0);
    assert_non_null(strstr(slurp("/proc/interrupts"), "CPU0"));
    slurp("/proc/diskstats");
    text = slurp("/proc/vmstat");
    assert_int_equal(sscanf(strstr(text, "nr_free_pages"), "nr_free_pages %lu", &value), 1);
    assert_int_equal(sscanf(strstr(text, "\npgfault"), "\npgfault %lu", &value), 1);
}

static void settings_that_programs_ask_for_are_there(void **state)
{
    (void)state;
    assert_in_range(number_in("/proc/sys/vm/overcommit_memory"), 0, 2);
    assert_in_range(number_in("/proc/sys/vm/overcommit_ratio"), 0, 100);
    assert_in_range(number_in("/proc/sys/vm/swappiness"), 0, 200);
    assert_in_range(number_in("/proc/sys/kernel/randomize_va_space"), 0, 2);
    assert_in_range(number_in("/proc/sys/fs/protected_symlinks"), 0, 1);
    assert_true(number_in("/proc/sys/fs/inotify/max_queued_events") > 0);
    assert_true(number_in("/proc/sys/net/core/somaxconn") > 0);
    assert_string_equal(slurp("/proc/sys/kernel/arch"), "x86_64\n");
}

static void only_known_caches_are_dropped(void **state)
{
    (void)state;
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    struct stat st;

    if (fd < 0 && (errno == EROFS || errno == EACCES))
        skip(); /* not the superuser of the whole machine */
    must(fd);
    must(fstat(fd, &st));
    assert_int_equal(st.st_mode, S_IFREG | 0200);
    assert_errno(write(fd, "0", 1), EINVAL);
    assert_errno(write(fd, "x", 1), EINVAL);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uptime_is_that_of_the_boot_clock),
        cmocka_unit_test(load_has_five_fields),
        cmocka_unit_test(memory_information_is_consistent),
        cmocka_unit_test(statistics_count_every_processor_and_tell_the_boot_time),
        cmocka_unit_test(processors_are_described),
        cmocka_unit_test(version_is_that_of_uname),
        cmocka_unit_test(file_systems_are_listed),
        cmocka_unit_test(mounts_are_listed),
        cmocka_unit_test(names_of_the_system_are_those_of_uname),
        cmocka_unit_test(each_reading_of_uuid_differs_and_that_of_the_boot_stays),
        cmocka_unit_test(limits_that_programs_ask_for_are_numbers),
        cmocka_unit_test(settings_are_for_root),
        cmocka_unit_test(files_of_the_machine_have_their_form),
        cmocka_unit_test(settings_that_programs_ask_for_are_there),
        cmocka_unit_test(only_known_caches_are_dropped),
    };

    return cmocka_run_group_tests_name("fs/proc_system", tests, NULL, NULL);
}
