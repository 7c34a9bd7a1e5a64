/* sysfs.c: /sys, sysfs(5): processors, memory and interfaces as programs look for them. Covers no call. */
#include "../lib/text.h"

#include <dirent.h>
#include <sys/vfs.h>

#define CPUS "/sys/devices/system/cpu"

/* How many there are in a list like "0-3,7". */
static long length_of_list(const char *text)
{
    long total = 0, first, last;
    char *end = (char *)text;

    while (*end && *end != '\n') {
        first = last = strtol(end, &end, 10);
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        total += last - first + 1;
        end += *end == ',';
    }
    return total;
}

static long count_of(const char *folder, const char *prefix)
{
    DIR *dir = opendir(folder);
    long n = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *rest = entry->d_name + strlen(prefix);

        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && *rest >= '0' && *rest <= '9')
            n++;
    }
    closedir(dir);
    return n;
}

static void file_system_is_sysfs(void **state)
{
    (void)state;
    struct statfs fs;

    must(statfs("/sys", &fs));
    assert_int_equal(fs.f_type, 0x62656572);
}

static void processors_are_those_of_sysconf(void **state)
{
    (void)state;
    assert_int_equal(length_of_list(slurp(CPUS "/online")), sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(length_of_list(slurp(CPUS "/possible")), sysconf(_SC_NPROCESSORS_CONF));
    assert_true(length_of_list(slurp(CPUS "/present")) <= sysconf(_SC_NPROCESSORS_CONF));
}

static void every_processor_has_a_directory(void **state)
{
    (void)state;
    assert_int_equal(count_of(CPUS, "cpu"), sysconf(_SC_NPROCESSORS_CONF));
    assert_errno(open(CPUS "/cpu99999", O_RDONLY), ENOENT);
    assert_errno(open(CPUS "/cpu00", O_RDONLY), ENOENT);
}

static void topology_places_a_processor_in_its_package(void **state)
{
    (void)state;
    char list[4096];

    assert_int_equal(number_in(CPUS "/cpu0/topology/physical_package_id"), 0);
    assert_true(number_in(CPUS "/cpu0/topology/core_id") >= 0);
    strcpy(list, slurp(CPUS "/cpu0/topology/thread_siblings_list"));
    assert_true(length_of_list(list) >= 1);
    assert_true(length_of_list(slurp(CPUS "/cpu0/topology/package_cpus_list")) >=
                length_of_list(list));
    assert_true(strtoul(slurp(CPUS "/cpu0/topology/thread_siblings"), NULL, 16) & 1);
}

static void caches_have_level_and_line(void **state)
{
    (void)state;
    long n;

    if (access(CPUS "/cpu0/cache/index0", F_OK) != 0)
        skip_because("the processor describes no caches");
    n = count_of(CPUS "/cpu0/cache", "index");
    assert_true(n >= 1 && n <= 8);
    assert_int_equal(number_in(CPUS "/cpu0/cache/index0/level"), 1);
    assert_true(number_in(CPUS "/cpu0/cache/index0/coherency_line_size") >= 16);
    assert_non_null(strchr(slurp(CPUS "/cpu0/cache/index0/size"), 'K'));
}

static void memory_is_in_a_node(void **state)
{
    (void)state;
    unsigned long total;

    if (access("/sys/devices/system/node/node0", F_OK) != 0)
        skip_because("the kernel knows no nodes");
    assert_true(length_of_list(slurp("/sys/devices/system/node/online")) >= 1);
    assert_int_equal(
        sscanf(slurp("/sys/devices/system/node/node0/meminfo"), "Node 0 MemTotal: %lu kB", &total),
        1);
    assert_true(total > 0);
}

static void huge_pages_tell_their_policy(void **state)
{
    (void)state;
    const char *text;

    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0)
        skip_because("the kernel knows no transparent huge pages");
    text = slurp("/sys/kernel/mm/transparent_hugepage/enabled");
    assert_non_null(strchr(text, '['));
    assert_non_null(strstr(text, "madvise"));
    assert_int_equal(number_in("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), 2 << 20);
}

static void loopback_is_an_interface(void **state)
{
    (void)state;
    char target[256];
    ssize_t n = must(readlink("/sys/class/net/lo", target, sizeof target - 1));

    target[n] = 0;
    assert_string_equal(target, "../../devices/virtual/net/lo");
    assert_int_equal(number_in("/sys/class/net/lo/mtu"), 65536);
    assert_int_equal(number_in("/sys/class/net/lo/type"), 772);
    assert_string_equal(slurp("/sys/class/net/lo/address"), "00:00:00:00:00:00\n");
}

static void entries_cannot_be_made_or_changed(void **state)
{
    (void)state;
    int fd;

    assert_int_equal(open("/sys/devices/new", O_CREAT | O_WRONLY, 0644), -1);
    assert_int_equal(mkdir("/sys/devices/new", 0755), -1);
    fd = open(CPUS "/online", O_WRONLY);
    assert_int_equal(fd, -1);
    assert_true(errno == EACCES || errno == EROFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_system_is_sysfs),
        cmocka_unit_test(processors_are_those_of_sysconf),
        cmocka_unit_test(every_processor_has_a_directory),
        cmocka_unit_test(topology_places_a_processor_in_its_package),
        cmocka_unit_test(caches_have_level_and_line),
        cmocka_unit_test(memory_is_in_a_node),
        cmocka_unit_test(huge_pages_tell_their_policy),
        cmocka_unit_test(loopback_is_an_interface),
        cmocka_unit_test(entries_cannot_be_made_or_changed),
    };

    return cmocka_run_group_tests_name("fs/sysfs", tests, NULL, NULL);
}
