/* uname.c: uname(2), sethostname(2), setdomainname(2). */
#include "../lib/check.h"

#include <sched.h>
#include <sys/utsname.h>

/*
 * A child that may change names gets its own set of them first; a kernel without such namespaces
 * has nobody else to tell them to.
 */
static void enter_own_names(void)
{
    if (has_capability(CAP_SYS_ADMIN) &&
        (unshare(CLONE_NEWUTS) == 0 || errno == ENOSYS || errno == EINVAL))
        return;
    skip_because("no right to a set of names of its own");
}

#define with_own_names(...) in_child(enter_own_names(); __VA_ARGS__)

/* covers: uname */
static void fields_are_filled_in(void **state)
{
    (void)state;
    struct utsname name;

    must(syscall(SYS_uname, &name));
    assert_string_equal(name.sysname, "Linux");
    assert_string_equal(name.machine, "x86_64");
    assert_true(strlen(name.nodename) < sizeof name.nodename);
    int major_version, minor_version;
    assert_int_equal(sscanf(name.release, "%d.%d", &major_version, &minor_version), 2);
    assert_true(major_version >= 4);
    assert_true(strlen(name.version) > 0);
}

/* covers: uname EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_uname, BAD_PTR), EFAULT);
}

/* covers: uname */
static void release_is_that_of_proc(void **state)
{
    (void)state;
    struct utsname name;
    char line[128];

    must(uname(&name));
    FILE *file = fopen("/proc/sys/kernel/osrelease", "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    assert_string_equal(line, name.release);
}

/* covers: sethostname uname */
static void host_name_can_be_set(void **state)
{
    (void)state;
    with_own_names(struct utsname name; must(sethostname("conformance-host", 16));
                   must(uname(&name)); assert_string_equal(name.nodename, "conformance-host");
                   must(sethostname("ab", 1)); must(uname(&name));
                   assert_string_equal(name.nodename, "a"));
}

/* covers: setdomainname uname */
static void domain_name_can_be_set(void **state)
{
    (void)state;
    with_own_names(struct utsname name; must(setdomainname("example.org", 11)); must(uname(&name));
                   assert_string_equal(name.domainname, "example.org"));
}

/* covers: sethostname EPERM setdomainname EPERM */
static void unprivileged_process_is_refused(void **state)
{
    (void)state;
    as_nobody(assert_errno(sethostname("x", 1), EPERM); assert_errno(setdomainname("x", 1), EPERM));
}

/* covers: sethostname EINVAL setdomainname EINVAL */
static void lengths_have_limits(void **state)
{
    (void)state;
    char name[66];
    memset(name, 'n', sizeof name);
    with_own_names(struct utsname seen; assert_errno(syscall(SYS_sethostname, name, 65), EINVAL);
                   assert_errno(syscall(SYS_sethostname, name, -1), EINVAL);
                   assert_errno(syscall(SYS_setdomainname, name, 65), EINVAL);
                   must(syscall(SYS_sethostname, name, 64)); must(uname(&seen));
                   assert_int_equal(strlen(seen.nodename), 64));
}

/* covers: sethostname EFAULT setdomainname EFAULT */
static void bad_name_address_faults(void **state)
{
    (void)state;
    with_own_names(assert_errno(sethostname(BAD_PTR, 5), EFAULT);
                   assert_errno(setdomainname(BAD_PTR, 5), EFAULT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_filled_in),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(release_is_that_of_proc),
        cmocka_unit_test(host_name_can_be_set),
        cmocka_unit_test(domain_name_can_be_set),
        cmocka_unit_test(unprivileged_process_is_refused),
        cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(bad_name_address_faults),
    };

    return cmocka_run_group_tests_name("misc/uname", tests, NULL, NULL);
}
