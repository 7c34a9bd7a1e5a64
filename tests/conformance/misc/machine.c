/*
 * machine.c: calls about the machine, swap, quotas and security modules: what each answers to bad arguments and to who
 * may not. Nothing here succeeds in changing anything, natively neither.
 */
#include "../lib/child.h"

#include "../../../kernel/abi/newer.h"

#include <linux/quota.h>
#include <sys/io.h>
#include <sys/sysmacros.h>

#define NR_quotactl_fd       443
#define NR_lsm_get_self_attr 459
#define NR_lsm_set_self_attr 460
#define NR_lsm_list_modules  461

/* Skips when the kernel was built without the call. */
#define need_here(call)                                                                            \
    do {                                                                                           \
        if ((call) == -ENOSYS) {                                                                   \
            skip_because("%s is not in the running kernel", #call);                                \
        }                                                                                          \
    } while (0)

/* covers: iopl EINVAL EPERM */
static void level_of_ports_is_not_raised_without_privilege(void **state)
{
    (void)state;
    need_here(SYS(SYS_iopl, 0));
    need_eq(SYS(SYS_iopl, 0), 0);
    need_eq(SYS(SYS_iopl, 4), -EINVAL);
    need_eq(SYS(SYS_iopl, -1), -EINVAL);
    as_nobody({
        need_eq(SYS(SYS_iopl, 0), 0);
        need_eq(SYS(SYS_iopl, 1), -EPERM);
        need_eq(SYS(SYS_iopl, 3), -EPERM);
    });
}

/* covers: ioperm EINVAL EPERM */
static void ports_are_not_given_without_privilege(void **state)
{
    (void)state;
    need_here(SYS(SYS_ioperm, 0, 1, 0));
    need_eq(SYS(SYS_ioperm, 0, 0, 1), -EINVAL);
    need_eq(SYS(SYS_ioperm, 65535, 2, 1), -EINVAL);
    need_eq(SYS(SYS_ioperm, -1, 2, 0), -EINVAL);
    need_eq(SYS(SYS_ioperm, 0, 65537, 0), -EINVAL);
    as_nobody({
        need_eq(SYS(SYS_ioperm, 0x80, 1, 0), 0); /* giving up what one does not have */
        need_eq(SYS(SYS_ioperm, 0x80, 1, 1), -EPERM);
    });
}

/* covers: init_module EPERM finit_module EPERM delete_module EPERM */
static void modules_are_out_of_reach_without_privilege(void **state)
{
    (void)state;
    as_nobody({
        need_here(SYS(SYS_init_module, NULL, 0, ""));
        need_eq(SYS(SYS_init_module, BAD_PTR, 8, BAD_PTR), -EPERM);
        need_eq(SYS(SYS_finit_module, -1, "", 0), -EPERM);
        need_eq(SYS(SYS_finit_module, 0, BAD_PTR, -1), -EPERM);
        need_eq(SYS(SYS_delete_module, "none", O_NONBLOCK), -EPERM);
        need_eq(SYS(SYS_delete_module, BAD_PTR, 0), -EPERM);
    });
}

/* covers: kexec_load EPERM kexec_file_load EPERM */
static void another_kernel_is_not_loaded_without_privilege(void **state)
{
    (void)state;
    as_nobody({
        need_here(SYS(SYS_kexec_load, 0, 0, NULL, 0));
        need_eq(SYS(SYS_kexec_load, 0, 1, BAD_PTR, 0), -EPERM);
        need_eq(SYS(SYS_kexec_file_load, -1, -1, 0, "", 0), -EPERM);
    });
}

/* covers: swapon EPERM EINVAL swapoff EPERM */
static void swapping_needs_privilege(void **state)
{
    (void)state;
    as_nobody({
        need_here(SYS(SYS_swapon, "/none", 0));
        need_eq(SYS(SYS_swapon, "/none", 1 << 30), -EINVAL); /* looked at first */
        need_eq(SYS(SYS_swapon, "/none", 0x8000 | 5), -EPERM);
        need_eq(SYS(SYS_swapon, BAD_PTR, 0), -EPERM);
        need_eq(SYS(SYS_swapoff, "/none"), -EPERM);
        need_eq(SYS(SYS_swapoff, BAD_PTR), -EPERM);
    });
}

/* covers: swapon ENOENT EFAULT EINVAL EISDIR ENAMETOOLONG swapoff ENOENT EFAULT EINVAL EISDIR */
static void what_is_no_swap_area_is_refused(void **state)
{
    char *longest;

    (void)state;
    need_capability(CAP_SYS_ADMIN);
    need_here(SYS(SYS_swapon, "missing", 0));
    longest = calloc(1, 5000);
    need(longest);
    memset(longest, 'x', 4999);
    make_file("text", "no signature of a swap area");
    need_eq(SYS(SYS_swapon, "missing", 0), -ENOENT);
    need_eq(SYS(SYS_swapon, "", 0), -ENOENT);
    need_eq(SYS(SYS_swapon, BAD_PTR, 0), -EFAULT);
    need_eq(SYS(SYS_swapon, ".", 0), -EISDIR);
    need_eq(SYS(SYS_swapon, longest, 0), -ENAMETOOLONG);
    need_eq(SYS(SYS_swapon, "text", 0), -EINVAL);
    need_eq(SYS(SYS_swapon, "/dev/null", 0), -EINVAL);
    need_eq(SYS(SYS_swapoff, "missing"), -ENOENT);
    need_eq(SYS(SYS_swapoff, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_swapoff, "."), -EISDIR);
    need_eq(SYS(SYS_swapoff, "text"), -EINVAL);
    free(longest);
}

static long quota(unsigned cmd, const void *special)
{
    return SYS(SYS_quotactl, cmd, special, 0, NULL);
}

/* covers: quotactl EINVAL ENODEV ENOENT EFAULT ENOTBLK Q_SYNC */
static void quotas_are_of_devices(void **state)
{
    unsigned get = QCMD(Q_GETQUOTA, USRQUOTA);

    (void)state;
    need_here(quota(QCMD(Q_SYNC, USRQUOTA), NULL));
    make_file("text", "");
    need_eq(quota(QCMD(Q_SYNC, USRQUOTA), NULL), 0);
    need_eq(quota(QCMD(Q_SYNC, GRPQUOTA), NULL), 0);
    need_eq(quota(QCMD(Q_SYNC, MAXQUOTAS), NULL), -EINVAL);
    need_eq(quota(QCMD(Q_GETQUOTA, MAXQUOTAS), "missing"), -EINVAL);
    need_eq(quota(get, NULL), -ENODEV);
    need_eq(quota(get, "missing"), -ENOENT);
    need_eq(quota(get, BAD_PTR), -EFAULT);
    need_eq(quota(get, "text"), -ENOTBLK);
    need_eq(quota(get, "/dev/null"), -ENOTBLK);
}

/* covers: quotactl_fd EBADF EINVAL ENOSYS */
static void descriptor_stands_for_its_file_system(void **state)
{
    unsigned get = QCMD(Q_GETQUOTA, USRQUOTA);
    int ends[2];

    (void)state;
    need_eq(pipe(ends), 0);
    if (SYS(NR_quotactl_fd, -1, get, 0, NULL) == -ENOSYS) {
        skip_because("quotactl_fd is not in the running kernel");
    }
    need_eq(SYS(NR_quotactl_fd, -1, get, 0, NULL), -EBADF);
    need_eq(SYS(NR_quotactl_fd, ends[0], QCMD(Q_GETQUOTA, MAXQUOTAS), 0, NULL), -EINVAL);
    need_eq(SYS(NR_quotactl_fd, ends[0], get, 0, NULL), -ENOSYS); /* pipes are counted nowhere */
    close(ends[0]);
    close(ends[1]);
}

/* covers: lsm_list_modules EFAULT E2BIG EINVAL */
static void security_modules_are_listed(void **state)
{
    uint64_t ids[64] = {0};
    uint32_t size = 0;
    long count;

    (void)state;
    need_here(SYS(NR_lsm_list_modules, ids, &size, 0));
    size = 0;
    need_eq(SYS(NR_lsm_list_modules, NULL, &size, 0), -E2BIG);
    need(size >= 8 && size <= sizeof ids);
    count = SYS(NR_lsm_list_modules, ids, &size, 0);
    need_eq(count * 8, size);
    for (long i = 0; i < count; i++) {
        need(ids[i] >= LSM_ID_CAPABILITY); /* the first number that was given out */
    }
    need_eq(SYS(NR_lsm_list_modules, ids, &size, 1), -EINVAL);
    need_eq(SYS(NR_lsm_list_modules, ids, NULL, 0), -EFAULT);
    need_eq(SYS(NR_lsm_list_modules, BAD_PTR, &size, 0), -EFAULT);
}

/* covers: lsm_get_self_attr EINVAL EFAULT EOPNOTSUPP LSM_FLAG_SINGLE */
static void attribute_of_no_module_cannot_be_read(void **state)
{
    char room[512] = "";
    uint32_t size = sizeof room;

    (void)state;
    need_here(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, NULL, &size, 0));
    size = sizeof room;
    need_eq(SYS(NR_lsm_get_self_attr, 0, room, &size, 0), -EINVAL);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, room, NULL, 0), -EINVAL);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, room, BAD_PTR, 0), -EFAULT);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, room, &size, 2), -EINVAL);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, NULL, &size, LSM_FLAG_SINGLE), -EINVAL);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, room, &size, LSM_FLAG_SINGLE), -EINVAL);
    need_eq(SYS(NR_lsm_get_self_attr, LSM_ATTR_CURRENT, BAD_PTR, &size, LSM_FLAG_SINGLE), -EFAULT);
    need_eq(SYS(NR_lsm_get_self_attr, 12345, room, &size, 0), -EOPNOTSUPP);
    need_eq(size, 0);
}

/* covers: lsm_set_self_attr EINVAL EFAULT E2BIG EOPNOTSUPP */
static void attribute_of_no_module_cannot_be_set(void **state)
{
    union {
        struct lsm_ctx head;
        char bytes[8192];
    } *ctx = calloc(1, sizeof *ctx);
    long none = LSM_ATTR_CURRENT;

    (void)state;
    need(ctx);
    ctx->head.id = 99999;
    ctx->head.len = 40;
    ctx->head.ctx_len = 8;
    need_here(SYS(NR_lsm_set_self_attr, none, ctx, 40, 0));
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 40, 1), -EINVAL);
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 31, 0), -EINVAL);
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 4097, 0), -E2BIG);
    need_eq(SYS(NR_lsm_set_self_attr, none, BAD_PTR, 40, 0), -EFAULT);
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 39, 0), -EINVAL); /* shorter than it says */
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 40, 0), -EOPNOTSUPP);
    ctx->head.ctx_len = 9;
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 40, 0), -EINVAL);
    ctx->head.ctx_len = ~0ull;
    need_eq(SYS(NR_lsm_set_self_attr, none, ctx, 40, 0), -EINVAL);
    free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_of_ports_is_not_raised_without_privilege),
        cmocka_unit_test(ports_are_not_given_without_privilege),
        cmocka_unit_test(modules_are_out_of_reach_without_privilege),
        cmocka_unit_test(another_kernel_is_not_loaded_without_privilege),
        cmocka_unit_test(swapping_needs_privilege),
        tempdir_test(what_is_no_swap_area_is_refused),
        tempdir_test(quotas_are_of_devices),
        cmocka_unit_test(descriptor_stands_for_its_file_system),
        cmocka_unit_test(security_modules_are_listed),
        cmocka_unit_test(attribute_of_no_module_cannot_be_read),
        cmocka_unit_test(attribute_of_no_module_cannot_be_set),
    };

    return cmocka_run_group_tests_name("misc/machine", tests, NULL, NULL);
}
