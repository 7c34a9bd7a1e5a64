/* privileged.c: calls that change the machine: an unprivileged process is refused by each. */
#include "../lib/check.h"

#include <linux/aio_abi.h>
#include <linux/quota.h>
#include <linux/reboot.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/timex.h>

/* covers: reboot EPERM */
static void restarting_the_machine(void **state)
{
    (void)state;
    /* the magic numbers are wrong besides, so that nothing could come of it */
    as_nobody(assert_errno(syscall(SYS_reboot, 1, 2, LINUX_REBOOT_CMD_CAD_OFF, NULL), EPERM));
}

/* covers: swapon EPERM swapoff EPERM */
static void swapping(void **state)
{
    (void)state;
    as_nobody(assert_errno(syscall(SYS_swapon, "/none", 0), EPERM);
              assert_errno(syscall(SYS_swapoff, "/none"), EPERM));
}

/* covers: init_module EPERM finit_module EPERM delete_module EPERM */
static void kernel_modules(void **state)
{
    (void)state;
    as_nobody(need_call(syscall(SYS_init_module, NULL, 0ul, ""));
              assert_errno(syscall(SYS_init_module, NULL, 0ul, ""), EPERM);
              assert_errno(syscall(SYS_finit_module, -1, "", 0), EPERM);
              assert_errno(syscall(SYS_delete_module, "none", 0), EPERM));
}

/* covers: acct EPERM */
static void process_accounting(void **state)
{
    (void)state;
    as_nobody(need_call(syscall(SYS_acct, NULL)); assert_errno(syscall(SYS_acct, NULL), EPERM));
}

/* covers: vhangup EPERM */
static void hanging_up_the_terminal(void **state)
{
    (void)state;
    as_nobody(assert_errno(syscall(SYS_vhangup), EPERM));
}

/* covers: iopl EPERM ioperm EPERM */
static void ports(void **state)
{
    (void)state;
    as_nobody(need_call(syscall(SYS_iopl, 3)); assert_errno(syscall(SYS_iopl, 3), EPERM);
              assert_errno(syscall(SYS_ioperm, 0x80ul, 1ul, 1), EPERM));
}

/* covers: mount EPERM umount2 EPERM pivot_root EPERM */
static void mounts(void **state)
{
    (void)state;
    as_nobody(assert_errno(mount("none", "/", "tmpfs", 0, NULL), EPERM);
              assert_errno(umount2("/", 0), EPERM);
              assert_errno(syscall(SYS_pivot_root, "/", "/"), EPERM));
}

/* covers: settimeofday EPERM clock_settime EPERM adjtimex EPERM clock_adjtime EPERM */
static void changing_the_time(void **state)
{
    (void)state;
    as_nobody(struct timeval tv; struct timespec ts; struct timex change = {.modes = ADJ_FREQUENCY};
              must(gettimeofday(&tv, NULL)); must(clock_gettime(CLOCK_REALTIME, &ts));
              assert_errno(syscall(SYS_settimeofday, &tv, NULL), EPERM);
              assert_errno(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EPERM);
              assert_errno(syscall(SYS_adjtimex, &change), EPERM);
              assert_errno(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &change), EPERM));
}

/* covers: syslog EPERM */
static void messages_of_the_kernel(void **state)
{
    (void)state;
    as_nobody(char text[8]; assert_errno(syscall(SYS_syslog, 5 /* clear */, NULL, 0), EPERM);
              assert_errno(syscall(SYS_syslog, 2 /* read */, text, 8), EPERM));
}

/* covers: setns EINVAL EBADF */
static void namespaces_of_others(void **state)
{
    (void)state;
    as_nobody(int fd = must(open("/dev/null", O_RDONLY));
              assert_errno(syscall(SYS_setns, fd, 0), EINVAL);
              assert_errno(syscall(SYS_setns, -1, 0), EBADF));
}

/* covers: open_by_handle_at EPERM */
static void opening_by_handle(void **state)
{
    (void)state;
    as_nobody(char handle[64] = {8};
              assert_errno(syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY), EPERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarting_the_machine),
        cmocka_unit_test(swapping),
        cmocka_unit_test(kernel_modules),
        cmocka_unit_test(process_accounting),
        cmocka_unit_test(hanging_up_the_terminal),
        cmocka_unit_test(ports),
        cmocka_unit_test(mounts),
        cmocka_unit_test(changing_the_time),
        cmocka_unit_test(messages_of_the_kernel),
        cmocka_unit_test(namespaces_of_others),
        cmocka_unit_test(opening_by_handle),
    };

    return cmocka_run_group_tests_name("misc/privileged", tests, NULL, NULL);
}
