/* eventfd2.c: eventfd2(2), a counter that wakes its readers. */
/* tags: trap */
#include "../lib/check.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#define COUNT_MAX (UINT64_MAX - 1)

static int eventfd_new(unsigned value, int flags)
{
    return (int)must(syscall(SYS_eventfd2, value, flags));
}

static uint64_t take(int fd)
{
    uint64_t value = 0;

    assert_returns(read(fd, &value, sizeof value), sizeof value);
    return value;
}

static void add(int fd, uint64_t value)
{
    assert_returns(write(fd, &value, sizeof value), sizeof value);
}

static short ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

    must(poll(&p, 1, 0));
    return p.revents;
}

/* covers: eventfd2 */
static void read_returns_initial_value_and_clears_it(void **state)
{
    (void)state;
    int fd = eventfd_new(5, EFD_NONBLOCK);
    uint64_t value;

    assert_int_equal(take(fd), 5);
    assert_errno(read(fd, &value, sizeof value), EAGAIN);
    must(close(fd));
}

/* covers: eventfd2 */
static void writes_add_up(void **state)
{
    (void)state;
    int fd = eventfd_new(1, 0);

    add(fd, 2);
    add(fd, 40);
    assert_int_equal(take(fd), 43);
    must(close(fd));
}

/* covers: eventfd2 EFD_SEMAPHORE */
static void semaphore_read_takes_one(void **state)
{
    (void)state;
    int fd = eventfd_new(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    uint64_t value;

    assert_int_equal(take(fd), 1);
    assert_int_equal(take(fd), 1);
    assert_errno(read(fd, &value, sizeof value), EAGAIN);
    must(close(fd));
}

/* covers: eventfd2 EFD_CLOEXEC */
static void cloexec_flag_is_set_only_when_asked(void **state)
{
    (void)state;
    int with = eventfd_new(0, EFD_CLOEXEC);
    int without = eventfd_new(0, 0);

    assert_returns(fcntl(with, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(without, F_GETFD), 0);
    must(close(with));
    must(close(without));
}

/* covers: eventfd2 EFD_NONBLOCK */
static void nonblock_flag_is_file_status(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);

    assert_returns(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    must(close(fd));
}

/* covers: eventfd2 EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_eventfd2, 0, 2), EINVAL);
    assert_errno(syscall(SYS_eventfd2, 0, EFD_CLOEXEC | 0x100), EINVAL);
}

/* covers: eventfd */
static void old_call_takes_no_flags(void **state)
{
    (void)state;
    int fd = (int)must(syscall(SYS_eventfd, 7, 0xffff));

    assert_int_equal(take(fd), 7);
    assert_returns(fcntl(fd, F_GETFD), 0);
    must(close(fd));
}

/* covers: eventfd EMFILE */
static void old_call_needs_a_free_descriptor(void **state)
{
    (void)state;
    struct rlimit none = {0};

    in_child(must(setrlimit(RLIMIT_NOFILE, &none)); assert_errno(syscall(SYS_eventfd, 7), EMFILE));
}

/* covers: read EINVAL */
static void short_read_is_refused(void **state)
{
    (void)state;
    int fd = eventfd_new(1, EFD_NONBLOCK);
    uint64_t value;

    assert_errno(read(fd, &value, 7), EINVAL);
    assert_errno(read(fd, &value, 0), EINVAL);
    assert_int_equal(take(fd), 1);
    must(close(fd));
}

/* covers: eventfd2 read */
static void long_read_gets_eight_bytes(void **state)
{
    (void)state;
    int fd = eventfd_new(3, 0);
    uint64_t values[2] = {0, 99};

    assert_returns(read(fd, values, sizeof values), 8);
    assert_int_equal(values[0], 3);
    assert_int_equal(values[1], 99);
    must(close(fd));
}

/* covers: write EINVAL */
static void short_write_is_refused(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);
    uint64_t value = 1;

    assert_errno(write(fd, &value, 4), EINVAL);
    must(close(fd));
}

/* covers: write EINVAL */
static void write_of_all_ones_is_refused(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);
    uint64_t value = UINT64_MAX;

    assert_errno(write(fd, &value, sizeof value), EINVAL);
    must(close(fd));
}

/* covers: write EAGAIN */
static void write_past_maximum_would_block(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);
    uint64_t one = 1;

    add(fd, COUNT_MAX);
    assert_errno(write(fd, &one, sizeof one), EAGAIN);
    assert_true(take(fd) == COUNT_MAX);
    add(fd, 1);
    must(close(fd));
}

/* covers: eventfd2 write */
static void write_of_zero_succeeds_and_changes_nothing(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);
    uint64_t value;

    add(fd, 0);
    assert_errno(read(fd, &value, sizeof value), EAGAIN);
    must(close(fd));
}

/* covers: read EFAULT */
static void read_to_bad_address_faults(void **state)
{
    (void)state;
    int fd = eventfd_new(1, EFD_NONBLOCK);

    assert_errno(syscall(SYS_read, fd, BAD_PTR, 8), EFAULT);
    must(close(fd));
}

/* covers: pread64 ESPIPE */
static void has_no_position(void **state)
{
    (void)state;
    int fd = eventfd_new(0, 0);
    uint64_t value;

    assert_errno(pread(fd, &value, sizeof value, 0), ESPIPE);
    must(close(fd));
}

/* covers: eventfd2 poll */
static void poll_follows_the_counter(void **state)
{
    (void)state;
    int fd = eventfd_new(0, EFD_NONBLOCK);

    assert_int_equal(ready(fd), POLLOUT);
    add(fd, 1);
    assert_int_equal(ready(fd), POLLIN | POLLOUT);
    add(fd, COUNT_MAX - 1);
    assert_int_equal(ready(fd), POLLIN);
    must(close(fd));
}

/* covers: eventfd2 read */
static void read_of_zero_counter_blocks_until_a_write(void **state)
{
    (void)state;
    int fd = eventfd_new(0, 0);
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        assert_int_equal(take(fd), 6);
        _exit(0);
    }
    gate_wait_blocked(gate);
    add(fd, 6);
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: eventfd2 write */
static void write_to_full_counter_blocks_until_a_read(void **state)
{
    (void)state;
    int fd = eventfd_new(0, 0);
    struct gate *gate = gate_new();

    add(fd, COUNT_MAX);
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        add(fd, 9);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_true(take(fd) == COUNT_MAX);
    assert_child_ok(pid);
    assert_int_equal(take(fd), 9);
    must(close(fd));
}

/* covers: read EINTR */
static void blocked_read_is_interrupted(void **state)
{
    (void)state;
    int fd = eventfd_new(0, 0);
    uint64_t value;

    interrupts_start(0);
    assert_errno(read(fd, &value, sizeof value), EINTR);
    interrupts_stop();
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_returns_initial_value_and_clears_it),
        cmocka_unit_test(writes_add_up),
        cmocka_unit_test(semaphore_read_takes_one),
        cmocka_unit_test(cloexec_flag_is_set_only_when_asked),
        cmocka_unit_test(nonblock_flag_is_file_status),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(old_call_takes_no_flags),
        cmocka_unit_test(old_call_needs_a_free_descriptor),
        cmocka_unit_test(short_read_is_refused),
        cmocka_unit_test(long_read_gets_eight_bytes),
        cmocka_unit_test(short_write_is_refused),
        cmocka_unit_test(write_of_all_ones_is_refused),
        cmocka_unit_test(write_past_maximum_would_block),
        cmocka_unit_test(write_of_zero_succeeds_and_changes_nothing),
        cmocka_unit_test(read_to_bad_address_faults),
        cmocka_unit_test(has_no_position),
        cmocka_unit_test(poll_follows_the_counter),
        cmocka_unit_test(read_of_zero_counter_blocks_until_a_write),
        cmocka_unit_test(write_to_full_counter_blocks_until_a_read),
        cmocka_unit_test(blocked_read_is_interrupted),
    };

    return cmocka_run_group_tests_name("ipc/eventfd2", tests, NULL, NULL);
}
