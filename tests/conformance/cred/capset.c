/* capset.c: capget(2), capset(2), setgroups(2), getgroups(2), and capabilities over a change of user. */
#include "../lib/child.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

struct caps {
    struct __user_cap_header_struct head;
    struct __user_cap_data_struct data[2];
};

static struct caps read_caps(void)
{
    struct caps caps = {.head = {.version = _LINUX_CAPABILITY_VERSION_3}};

    need_eq(SYS(SYS_capget, &caps.head, caps.data), 0);
    return caps;
}

static uint64_t effective(void)
{
    struct caps caps = read_caps();

    return caps.data[0].effective | (uint64_t)caps.data[1].effective << 32;
}

static uint64_t permitted(void)
{
    struct caps caps = read_caps();

    return caps.data[0].permitted | (uint64_t)caps.data[1].permitted << 32;
}

/* covers: capget */
static void sets_are_ordered(void **state)
{
    (void)state;
    /* What is in force is permitted, and beyond the last known capability there is nothing. */
    need_eq(effective() & ~permitted(), 0);
    need_eq(permitted() >> (CAP_LAST_CAP + 1), 0);
}

/* covers: capget EINVAL */
static void unknown_version_is_einval_and_tells_the_preferred_one(void **state)
{
    struct caps caps = {.head = {.version = 0x12345678}};

    (void)state;
    need_eq(SYS(SYS_capget, &caps.head, caps.data), -EINVAL);
    need_eq(caps.head.version, _LINUX_CAPABILITY_VERSION_3);
    caps.head.version = 0;
    /* Without room for an answer this is how a program asks for the version. */
    need_eq(SYS(SYS_capget, &caps.head, NULL), 0);
    need_eq(caps.head.version, _LINUX_CAPABILITY_VERSION_3);
    caps.head.version = 0x12345678;
    need_eq(SYS(SYS_capset, &caps.head, caps.data), -EINVAL);
    need_eq(caps.head.version, _LINUX_CAPABILITY_VERSION_3);
}

/* covers: capget EINVAL ESRCH EFAULT */
static void capget_checks_pid_and_pointers(void **state)
{
    struct caps caps = {.head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = -1}};

    (void)state;
    need_eq(SYS(SYS_capget, &caps.head, caps.data), -EINVAL);
    caps.head.pid = 0x3ffffffe;
    need_eq(SYS(SYS_capget, &caps.head, caps.data), -ESRCH);
    caps.head.pid = 0;
    need_eq(SYS(SYS_capget, &caps.head, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_capget, BAD_PTR, caps.data), -EFAULT);
    need_eq(SYS(SYS_capset, &caps.head, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_capset, BAD_PTR, caps.data), -EFAULT);
}

/* covers: capget */
static void capabilities_of_a_child_can_be_read(void **state)
{
    struct caps caps = {.head = {.version = _LINUX_CAPABILITY_VERSION_3}}, own = read_caps();
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    caps.head.pid = pid;
    need_eq(SYS(SYS_capget, &caps.head, caps.data), 0);
    need_eq(memcmp(caps.data, own.data, sizeof own.data), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: capset EPERM */
static void capset_of_another_process_is_eperm(void **state)
{
    struct caps caps = read_caps();

    (void)state;
    caps.head.pid = getppid() ? getppid() : 0x3ffffffe;
    need_eq(SYS(SYS_capset, &caps.head, caps.data), -EPERM);
}

static int drop_and_try(void *arg)
{
    struct caps caps = read_caps(), less;

    (void)arg;
    memset(caps.data, 0, sizeof caps.data);
    less = caps;
    need_eq(SYS(SYS_capset, &caps.head, caps.data), 0);
    need_eq(permitted(), 0);
    need_eq(effective(), 0);
    less.data[0].permitted = 1U << CAP_CHOWN;
    need_eq(SYS(SYS_capset, &less.head, less.data), -EPERM);
    less.data[0].permitted = 0;
    less.data[0].effective = 1U << CAP_CHOWN;
    need_eq(SYS(SYS_capset, &less.head, less.data), -EPERM);
    return 0;
}

/* covers: capget capset EPERM */
static void dropped_capabilities_do_not_come_back(void **state)
{
    (void)state;
    child_passes(drop_and_try, NULL);
}

static int lower_and_raise(void *arg)
{
    struct caps caps = read_caps();

    (void)arg;
    caps.data[0].effective &= ~(1U << CAP_CHOWN);
    need_eq(SYS(SYS_capset, &caps.head, caps.data), 0);
    need(!has_capability(CAP_CHOWN));
    need_errno(chown("file", 1, 1), EPERM);
    caps.data[0].effective |= 1U << CAP_CHOWN;
    need_eq(SYS(SYS_capset, &caps.head, caps.data), 0);
    need_eq(chown("file", 1, 1), 0);
    return 0;
}

/* covers: capset chown EPERM */
static void permitted_capability_is_lowered_and_raised(void **state)
{
    (void)state;
    need_root();
    need_capability(CAP_CHOWN);
    make_file("file", "x");
    child_passes(lower_and_raise, NULL);
}

static int change_user(void *arg)
{
    uint64_t before = permitted();

    if (arg) {
        need_eq(prctl(PR_SET_KEEPCAPS, 1), 0);
    }
    need_eq(SYS(SYS_setresuid, -1L, 1000, -1L), 0);
    /* An effective user other than root has none in force; the rest is kept for the way back. */
    need_eq(effective(), 0);
    need_eq(permitted(), before);
    need_eq(SYS(SYS_setresuid, -1L, 0, -1L), 0);
    need_eq(effective(), before);
    need_eq(SYS(SYS_setresuid, 1000, 1000, 1000), 0);
    need_eq(effective(), 0);
    need_eq(permitted(), arg ? before : 0);
    return 0;
}

/* covers: setresuid capget PR_SET_KEEPCAPS prctl */
static void change_of_user_drops_capabilities_unless_kept(void **state)
{
    (void)state;
    need_root();
    child_passes(change_user, NULL);
    child_passes(change_user, (void *)1);
}

static int no_fixup(void *arg)
{
    uint64_t before = effective();

    (void)arg;
    need_eq(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
    need_eq(prctl(PR_GET_SECUREBITS), SECBIT_NO_SETUID_FIXUP);
    need_eq(SYS(SYS_setresuid, 1000, 1000, 1000), 0);
    need_eq(effective(), before);
    return 0;
}

/* covers: prctl PR_SET_SECUREBITS PR_GET_SECUREBITS setresuid */
static void secure_bit_keeps_capabilities_over_a_change_of_user(void **state)
{
    (void)state;
    need_root();
    need_capability(CAP_SETPCAP);
    child_passes(no_fixup, NULL);
}

static int ambient(void *arg)
{
    struct caps caps = read_caps();

    (void)arg;
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    need_errno(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
    caps.data[0].inheritable |= 1U << CAP_CHOWN;
    need_eq(SYS(SYS_capset, &caps.head, caps.data), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
    need_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    need_errno(prctl(PR_CAP_AMBIENT, 99, CAP_CHOWN, 0, 0), EINVAL);
    need_errno(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 200, 0, 0), EINVAL);
    return 0;
}

/* covers: prctl PR_CAP_AMBIENT PR_CAP_AMBIENT_RAISE PR_CAP_AMBIENT_LOWER EPERM EINVAL */
static void ambient_capability_must_be_permitted_and_inheritable(void **state)
{
    (void)state;
    need_root();
    need_capability(CAP_CHOWN);
    child_passes(ambient, NULL);
}

static int groups_body(void *arg)
{
    unsigned set[3] = {500, 100, 300}, got[8] = {0};

    (void)arg;
    need_eq(SYS(SYS_setgroups, 3, set), 0);
    need_eq(SYS(SYS_getgroups, 0, NULL), 3);
    need_eq(SYS(SYS_getgroups, 8, got), 3);
    need_eq(got[0] + got[1] + got[2], 900);
    need_eq(SYS(SYS_getgroups, 2, got), -EINVAL);
    need_eq(SYS(SYS_getgroups, -1, got), -EINVAL);
    need_eq(SYS(SYS_getgroups, 3, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_setgroups, 65537, set), -EINVAL);
    need_eq(SYS(SYS_setgroups, -1, set), -EINVAL);
    need_eq(SYS(SYS_setgroups, 1, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_setgroups, 0, NULL), 0);
    need_eq(SYS(SYS_getgroups, 8, got), 0);
    return 0;
}

/* covers: setgroups EINVAL EFAULT getgroups EINVAL EFAULT */
static void supplementary_groups_are_set_and_read(void **state)
{
    (void)state;
    need_capability(CAP_SETGID);
    child_passes(groups_body, NULL);
}

static int group_access(void *arg)
{
    unsigned group = 4242;
    int fd;

    (void)arg;
    need_eq(SYS(SYS_setgroups, 1, &group), 0);
    need_eq(SYS(SYS_setresgid, 77, 77, 77), 0);
    need_eq(SYS(SYS_setresuid, 77, 77, 77), 0);
    need((fd = open("group", O_RDONLY)) >= 0);
    need_errno(open("group", O_WRONLY), EACCES);
    return 0;
}

/* covers: setgroups open EACCES */
static void supplementary_group_gives_access(void **state)
{
    (void)state;
    need_root();
    make_file("group", "x");
    need_eq(chown("group", 0, 4242), 0);
    need_eq(chmod("group", 0640), 0);
    child_passes(group_access, NULL);
}

static int set_without_right(void *arg)
{
    unsigned group = 1;

    (void)arg;
    drop_privileges();
    need_eq(SYS(SYS_setgroups, 1, &group), -EPERM);
    need_eq(SYS(SYS_setgroups, 0, NULL), -EPERM);
    return 0;
}

/* covers: setgroups EPERM */
static void setgroups_without_privilege_is_eperm(void **state)
{
    (void)state;
    child_passes(set_without_right, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_ordered),
        cmocka_unit_test(unknown_version_is_einval_and_tells_the_preferred_one),
        cmocka_unit_test(capget_checks_pid_and_pointers),
        cmocka_unit_test(capabilities_of_a_child_can_be_read),
        cmocka_unit_test(capset_of_another_process_is_eperm),
        cmocka_unit_test(dropped_capabilities_do_not_come_back),
        tempdir_test(permitted_capability_is_lowered_and_raised),
        cmocka_unit_test(change_of_user_drops_capabilities_unless_kept),
        cmocka_unit_test(secure_bit_keeps_capabilities_over_a_change_of_user),
        cmocka_unit_test(ambient_capability_must_be_permitted_and_inheritable),
        cmocka_unit_test(supplementary_groups_are_set_and_read),
        tempdir_test(supplementary_group_gives_access),
        cmocka_unit_test(setgroups_without_privilege_is_eperm),
    };

    return cmocka_run_group_tests_name("cred/capset", tests, NULL, NULL);
}
