/* removed.c: numbers of calls that Linux has removed from x86-64, or never had: ENOSYS, whatever the arguments. */
#include "../lib/child.h"

#ifndef SYS_epoll_ctl_old
#define SYS_epoll_ctl_old  214
#define SYS_epoll_wait_old 215
#endif

static void need_gone(const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        need_eq(SYS(calls[i]), -ENOSYS);
        need_eq(SYS(calls[i], -1, -1, -1, -1, -1, -1), -ENOSYS);
        need_eq(SYS(calls[i], BAD_PTR, BAD_PTR, BAD_PTR, BAD_PTR), -ENOSYS);
    }
}

/* covers: create_module ENOSYS get_kernel_syms ENOSYS query_module ENOSYS uselib ENOSYS _sysctl ENOSYS
 * nfsservctl ENOSYS */
static void removed_calls_are_enosys(void **state)
{
    static const int calls[] = {SYS_create_module, SYS_get_kernel_syms, SYS_query_module,
                                SYS_uselib,        SYS__sysctl,         SYS_nfsservctl};

    (void)state;
    need_gone(calls, ARRAY_LEN(calls));
}

/* covers: lookup_dcookie ENOSYS */
static void looking_up_cookies_is_enosys_at_last(void **state)
{
    static const int call = SYS_lookup_dcookie;

    (void)state;
    if (SYS(call) != -ENOSYS) {
        skip_because("the running kernel still has it"); /* before Linux 6.7 */
    }
    need_gone(&call, 1);
}

/* covers: getpmsg ENOSYS putpmsg ENOSYS afs_syscall ENOSYS tuxcall ENOSYS security ENOSYS vserver ENOSYS
 * epoll_ctl_old ENOSYS epoll_wait_old ENOSYS */
static void calls_that_never_were_are_enosys(void **state)
{
    static const int calls[] = {SYS_getpmsg,  SYS_putpmsg, SYS_afs_syscall,   SYS_tuxcall,
                                SYS_security, SYS_vserver, SYS_epoll_ctl_old, SYS_epoll_wait_old};

    (void)state;
    need_gone(calls, ARRAY_LEN(calls));
}

/* covers: set_thread_area ENOSYS get_thread_area ENOSYS */
static void segments_of_threads_are_for_32_bit_programs(void **state)
{
    static const int calls[] = {SYS_set_thread_area, SYS_get_thread_area};

    (void)state;
    need_gone(calls, ARRAY_LEN(calls));
}

/* Between the last call and those of the x32 ABI. */
static void numbers_that_nobody_has_are_enosys(void **state)
{
    static const int calls[] = {-1, 400, 1000, 0x3fffffff};

    (void)state;
    need_gone(calls, ARRAY_LEN(calls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removed_calls_are_enosys),
        cmocka_unit_test(looking_up_cookies_is_enosys_at_last),
        cmocka_unit_test(calls_that_never_were_are_enosys),
        cmocka_unit_test(segments_of_threads_are_for_32_bit_programs),
        cmocka_unit_test(numbers_that_nobody_has_are_enosys),
    };

    return cmocka_run_group_tests_name("table/removed", tests, NULL, NULL);
}
