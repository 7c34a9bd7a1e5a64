/* tests/unit/syscall_dispatch.c: which handler a number reaches, and which calls --strace prints. */
#include "unit.h"

#include <errno.h>
#include <sys/syscall.h>

#include "rename.h"

#include "base/fmt.h"
#include "base/string.h"
#include "log/log.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "syscall/syscall.h"
#include "syscall_types.h"

static char printed[1000]; /* what log_raw got since print_clear() */
static int missing_logged; /* calls of log_print */
static u64 seen[6];

static long sum_handler(const u64 args[6])
{
    u64 sum = 0;

    for (int i = 0; i < 6; i++)
        sum += seen[i] = args[i];
    return (long)sum;
}

static long failing_handler(const u64 args[6])
{
    return -EIO;
}

/* exit_group: all that is to be printed must be printed by now. */
static long last_handler(const u64 args[6])
{
    assert_string_equal(printed, "exit_group(3) = ?\n");
    return 0;
}

/* Stands for the generated table. */
const syscall_thunk syscall_thunks[SYSCALL_LIMIT] = {
    [SYS_read] = failing_handler,
    [SYS_close] = failing_handler,
    [SYS_mmap] = sum_handler,
    [SYS_exit_group] = last_handler,
};

/* A debug build's own call, by which tests make the kernel misbehave. */
long debug_call(const u64 args[6])
{
    return -EIO;
}

/* Where --strace registers itself; the rooms' own headers do not go with libc's. */
void *signal_trace;
void *task_hooks[32];

/* Stands for security/'s: once somebody is restricted, it is asked before each call, unknown ones too. */
bool seccomp_used;

bool seccomp_permits(unsigned long nr, const u64 args[6], long *result)
{
    *result = -EPERM;
    return nr == SYS_mmap;
}

/* The thread has a task, whose id is 0. */
struct self *self(void)
{
    static char task[1 << 16] __attribute__((aligned(64)));
    static struct self block = {.task = (struct task *)task};

    return &block;
}

void log_raw(const char *text, size_t len)
{
    size_t have = strlen(printed);

    assert_true(have + len < sizeof printed);
    memcpy(printed + have, text, len);
    printed[have + len] = '\0';
}

void log_print(enum log_level level, const char *room, const char *fmt, ...)
{
    missing_logged++;
}

int copy_from_user(void *to, const void __user *from, size_t n)
{
    return -EFAULT;
}

ssize_t strncpy_from_user(char *to, const char __user *from, size_t max)
{
    return -EFAULT;
}

static long call(unsigned long nr, u64 first)
{
    return syscall_dispatch(nr, (u64[6]){first, 2, 3, 4, 5, 6});
}

static void print_clear(void)
{
    printed[0] = '\0';
}

static void a_handler_gets_all_six_arguments(void **state)
{
    assert_int_equal(call(SYS_mmap, 1), 21);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[5], 6);
}

static void who_is_restricted_gets_the_filters_result(void **state)
{
    seccomp_used = true;
    assert_int_equal(call(SYS_mmap, 1), 21);
    assert_int_equal(call(SYS_read, 0), -EPERM);
    assert_int_equal(call(400, 0), -EPERM);
    seccomp_used = false;
    assert_int_equal(call(SYS_read, 0), -EIO);
}

static void a_missing_call_is_enosys_and_named_once(void **state)
{
    missing_logged = 0;
    assert_int_equal(call(SYS_write, 0), -ENOSYS);
    assert_int_equal(call(SYS_write, 0), -ENOSYS);
    assert_int_equal(call(SYS_open, 0), -ENOSYS);
    assert_int_equal(missing_logged, 2);
}

static void numbers_that_no_call_has_are_enosys(void **state)
{
    missing_logged = 0;
    assert_int_equal(call(400, 0), -ENOSYS);
    assert_int_equal(call(SYSCALL_LIMIT, 0), -ENOSYS);
    assert_int_equal(call(0x40000000, 0), -ENOSYS);
    assert_int_equal(call(~0UL, 0), -ENOSYS);
    assert_int_equal(missing_logged, 0);
    assert_null(syscall_name(400));
    assert_null(syscall_name(~0UL));
    assert_string_equal(syscall_name(SYS_read), "read");
}

static void nothing_is_printed_without_a_filter(void **state)
{
    print_clear();
    assert_int_equal(call(SYS_close, 7), -EIO);
    assert_string_equal(printed, "");
}

static void the_filter_selects_by_name_and_number(void **state)
{
    assert_int_equal(strace_set_filter("close,0"), 0);
    print_clear();
    assert_int_equal(call(SYS_close, 7), -EIO);
    assert_string_equal(printed, "close(7) = -1 EIO (Input/output error)\n");
    print_clear();
    call(SYS_read, 1);
    assert_string_equal(printed, "read(1, 0x2, 3) = -1 EIO (Input/output error)\n");
    print_clear();
    call(SYS_mmap, 1);
    assert_string_equal(printed, "");
}

static void exclamation_mark_leaves_a_call_out(void **state)
{
    assert_int_equal(strace_set_filter("!close"), 0);
    print_clear();
    call(SYS_close, 7);
    assert_string_equal(printed, "");
    call(SYS_read, 1);
    assert_string_not_equal(printed, "");

    assert_int_equal(strace_set_filter("all,!read"), 0);
    print_clear();
    call(SYS_read, 1);
    assert_string_equal(printed, "");
    call(SYS_close, 7);
    assert_string_not_equal(printed, "");
}

static void the_empty_filter_is_all(void **state)
{
    assert_int_equal(strace_set_filter(""), 0);
    print_clear();
    assert_int_equal(call(~0UL, 1), -ENOSYS);
    assert_string_equal(printed, "syscall_0xffffffffffffffff(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = "
                                 "-1 ENOSYS (Function not implemented)\n");
}

static void a_call_that_does_not_return_is_printed_before(void **state)
{
    assert_int_equal(strace_set_filter("exit_group"), 0);
    print_clear();
    call(SYS_exit_group, 3);
    assert_string_equal(printed, "exit_group(3) = ?\n");
}

static void a_bad_filter_changes_nothing(void **state)
{
    assert_int_equal(strace_set_filter("close"), 0);
    assert_int_equal(strace_set_filter("read,nosuchcall"), -EINVAL);
    assert_int_equal(strace_set_filter("read,400"), -EINVAL);
    assert_int_equal(strace_set_filter("read,,close"), -EINVAL);
    assert_int_equal(strace_set_filter("a_name_that_is_longer_than_that_of_any_call"), -EINVAL);
    print_clear();
    call(SYS_read, 1);
    assert_string_equal(printed, "");
    call(SYS_close, 1);
    assert_string_not_equal(printed, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_gets_all_six_arguments),
        cmocka_unit_test(who_is_restricted_gets_the_filters_result),
        cmocka_unit_test(a_missing_call_is_enosys_and_named_once),
        cmocka_unit_test(numbers_that_no_call_has_are_enosys),
        cmocka_unit_test(nothing_is_printed_without_a_filter),
        cmocka_unit_test(the_filter_selects_by_name_and_number),
        cmocka_unit_test(exclamation_mark_leaves_a_call_out),
        cmocka_unit_test(the_empty_filter_is_all),
        cmocka_unit_test(a_call_that_does_not_return_is_printed_before),
        cmocka_unit_test(a_bad_filter_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
