/* epoll.c: epoll_create1(2), epoll_ctl(2) and what is ready by level, by edge, and once. */
#include "../lib/check.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int new_epoll(void)
{
    return (int)must(syscall(SYS_epoll_create1, 0));
}

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return epoll_ctl(ep, op, fd, &event);
}

static int wait_now(int ep, struct epoll_event *event)
{
    memset(event, 0, sizeof *event);
    return epoll_wait(ep, event, 1, 0);
}

static void add_to(int eventfd_number, uint64_t value)
{
    assert_returns(write(eventfd_number, &value, sizeof value), sizeof value);
}

static void drain(int eventfd_number)
{
    uint64_t value;

    assert_returns(read(eventfd_number, &value, sizeof value), sizeof value);
}

/* covers: epoll_create1 EPOLL_CLOEXEC EINVAL */
static void create_sets_cloexec_when_asked(void **state)
{
    (void)state;
    int a = (int)must(syscall(SYS_epoll_create1, EPOLL_CLOEXEC)), b = new_epoll();

    assert_returns(fcntl(a, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(b, F_GETFD), 0);
    assert_errno(syscall(SYS_epoll_create1, 1), EINVAL);
    must(close(a));
    must(close(b));
}

/* covers: epoll_create EINVAL */
static void old_create_wants_a_positive_size(void **state)
{
    (void)state;
    must(close((int)must(syscall(SYS_epoll_create, 1))));
    assert_errno(syscall(SYS_epoll_create, 0), EINVAL);
    assert_errno(syscall(SYS_epoll_create, -1), EINVAL);
}

/* covers: epoll_ctl EPOLL_CTL_ADD EPOLLIN epoll_wait */
static void level_is_reported_as_long_as_it_lasts(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(0, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 0x1122334455667788));
    assert_returns(wait_now(ep, &event), 0);
    add_to(fd, 1);
    for (int i = 0; i < 3; i++) {
        assert_returns(wait_now(ep, &event), 1);
        assert_int_equal(event.events, EPOLLIN);
        assert_true(event.data.u64 == 0x1122334455667788);
    }
    drain(fd);
    assert_returns(wait_now(ep, &event), 0);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLET */
static void edge_is_reported_once_a_change(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(0, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 1));
    add_to(fd, 1);
    assert_returns(wait_now(ep, &event), 1);
    assert_returns(wait_now(ep, &event), 0);
    add_to(fd, 1); /* another change, although it was readable before */
    assert_returns(wait_now(ep, &event), 1);
    assert_returns(wait_now(ep, &event), 0);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLET EPOLL_CTL_ADD EPOLL_CTL_MOD */
static void edge_is_reported_when_added_while_ready(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 1));
    assert_returns(wait_now(ep, &event), 1);
    assert_returns(wait_now(ep, &event), 0);
    must(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET, 1));
    assert_returns(wait_now(ep, &event), 1);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLET */
static void edge_of_a_pipe_comes_with_each_write(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fds[2];
    char c;

    must(pipe2(fds, O_NONBLOCK));
    must(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLET, 1));
    assert_returns(write(fds[1], "ab", 2), 2);
    assert_returns(wait_now(ep, &event), 1);
    assert_returns(read(fds[0], &c, 1), 1); /* one byte is left: no change */
    assert_returns(wait_now(ep, &event), 0);
    assert_returns(write(fds[1], "c", 1), 1);
    assert_returns(wait_now(ep, &event), 1);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLONESHOT EPOLL_CTL_MOD */
static void oneshot_is_silent_until_armed_again(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, 1));
    assert_returns(wait_now(ep, &event), 1);
    assert_returns(wait_now(ep, &event), 0);
    add_to(fd, 1);
    assert_returns(wait_now(ep, &event), 0);
    must(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 2));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.data.u64, 2);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_MOD EPOLLOUT */
static void modification_changes_events_and_data(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    must(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLOUT, 2));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.events, EPOLLOUT);
    assert_int_equal(event.data.u64, 2);
    must(ctl(ep, EPOLL_CTL_MOD, fd, 0, 3));
    assert_returns(wait_now(ep, &event), 0);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_DEL ENOENT */
static void deletion_ends_the_interest(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    must(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL)); /* needs no event */
    assert_returns(wait_now(ep, &event), 0);
    assert_errno(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), ENOENT);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLHUP EPOLLERR EPOLLRDHUP */
static void hangup_and_error_are_always_reported(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fds[2];

    must(pipe(fds));
    must(ctl(ep, EPOLL_CTL_ADD, fds[0], 0, 1));
    must(close(fds[1]));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.events, EPOLLHUP);
    must(close(fds[0]));

    must(pipe(fds));
    must(ctl(ep, EPOLL_CTL_ADD, fds[1], 0, 1));
    must(close(fds[0]));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.events, EPOLLERR);
    must(close(fds[1]));

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLRDHUP, 1));
    must(shutdown(fds[1], SHUT_WR));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.events, EPOLLRDHUP);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(ep));
}

/* covers: epoll_ctl close */
static void last_close_of_the_file_ends_the_interest(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    must(close(fd));
    assert_returns(wait_now(ep, &event), 0);
    must(close(ep));
}

/* covers: epoll_ctl dup */
static void duplicate_keeps_the_interest_alive(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK), copy = must(dup(fd));

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 7));
    must(close(fd));
    assert_returns(wait_now(ep, &event), 1); /* epoll(7), questions and answers, 6 */
    assert_int_equal(event.data.u64, 7);
    must(close(copy));
    assert_returns(wait_now(ep, &event), 0);
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_ADD EEXIST */
static void duplicate_can_be_added_beside_the_original(void **state)
{
    (void)state;
    struct epoll_event events[2];
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK), copy = must(dup(fd));

    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    must(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    assert_returns(epoll_wait(ep, events, 2, 0), 2);
    assert_errno(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1), EEXIST);
    must(close(fd));
    must(close(copy));
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL dup2 */
static void reused_number_names_the_new_file_only(void **state)
{
    (void)state;
    int ep = must(epoll_create1(0));
    int number = must(eventfd(1, 0));
    int old = must(dup(number));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 1};
    struct epoll_event got[4];

    must(epoll_ctl(ep, EPOLL_CTL_ADD, number, &event));
    int other = must(eventfd(1, 0));
    must(dup2(other, number));
    assert_errno(epoll_ctl(ep, EPOLL_CTL_MOD, number, &event), ENOENT);
    event.data.u64 = 2;
    must(epoll_ctl(ep, EPOLL_CTL_ADD, number, &event));
    assert_returns(epoll_wait(ep, got, 4, 0), 2);
    event.data.u64 = 3;
    must(epoll_ctl(ep, EPOLL_CTL_MOD, number, &event));
    assert_returns(epoll_wait(ep, got, 4, 0), 2);
    assert_int_equal(got[0].data.u64 + got[1].data.u64, 1 + 3);
    must(epoll_ctl(ep, EPOLL_CTL_DEL, number, NULL));
    assert_returns(epoll_wait(ep, got, 4, 0), 1);
    assert_int_equal(got[0].data.u64, 1);
    must(close(number));
    must(close(other));
    must(close(old));
    assert_returns(epoll_wait(ep, got, 4, 0), 0);
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL epoll_wait */
static void each_of_many_is_found_in_any_order(void **state)
{
    (void)state;
    enum { MANY = 200, STEP = 77 }; /* without a common divisor: every number once */
    int ep = must(epoll_create1(0));
    int fds[MANY];
    struct epoll_event event = {.events = EPOLLIN};
    struct epoll_event got[MANY];

    for (int i = 0; i < MANY; i++)
        fds[i] = must(eventfd(1, 0));
    for (int i = 0; i < MANY; i++) {
        event.data.fd = -1;
        must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i * STEP % MANY], &event));
    }
    for (int i = 0; i < MANY; i++) {
        event.data.fd = fds[i];
        must(epoll_ctl(ep, EPOLL_CTL_MOD, fds[i], &event));
    }
    for (int i = 0; i < MANY; i += 2)
        must(epoll_ctl(ep, EPOLL_CTL_DEL, fds[i], NULL));
    assert_returns(epoll_wait(ep, got, MANY, 0), MANY / 2);
    for (int i = 0; i < MANY / 2; i++)
        must(epoll_ctl(ep, EPOLL_CTL_DEL, got[i].data.fd, NULL));
    for (int i = 0; i < MANY; i++) {
        assert_errno(epoll_ctl(ep, EPOLL_CTL_DEL, fds[i], NULL), ENOENT);
        must(close(fds[i]));
    }
    must(close(ep));
}

/* covers: epoll_ctl EPOLL_CTL_MOD ENOENT */
static void modifying_what_was_not_added_is_refused(void **state)
{
    (void)state;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    assert_errno(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 1), ENOENT);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPERM */
static void regular_files_and_folders_are_refused(void **state)
{
    (void)state;
    int ep = new_epoll(), dir = must(open(".", O_RDONLY));

    make_file("f", NULL);
    int fd = must(open("f", O_RDWR));
    assert_errno(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1), EPERM);
    assert_errno(ctl(ep, EPOLL_CTL_ADD, dir, EPOLLIN, 1), EPERM);
    must(close(fd));
    must(close(dir));
    must(close(ep));
}

/* covers: epoll_ctl EINVAL */
static void itself_and_other_kinds_are_refused(void **state)
{
    (void)state;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    assert_errno(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1), EINVAL);
    assert_errno(ctl(fd, EPOLL_CTL_ADD, ep, EPOLLIN, 1), EINVAL);
    assert_errno(ctl(ep, 77, fd, EPOLLIN, 1), EINVAL);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EBADF */
static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    assert_errno(ctl(ep, EPOLL_CTL_ADD, -1, EPOLLIN, 1), EBADF);
    assert_errno(ctl(ep, EPOLL_CTL_ADD, 100000, EPOLLIN, 1), EBADF);
    assert_errno(ctl(-1, EPOLL_CTL_ADD, fd, EPOLLIN, 1), EBADF);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EFAULT */
static void bad_event_address_faults(void **state)
{
    (void)state;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    assert_errno(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd, BAD_PTR), EFAULT);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_ctl EPOLLEXCLUSIVE EINVAL */
static void exclusive_flag_has_rules(void **state)
{
    (void)state;
    int ep = new_epoll(), inner = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    assert_errno(ctl(ep, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE, 1), EINVAL);
    assert_errno(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1), EINVAL);
    must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
    assert_errno(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 1), EINVAL);
    assert_errno(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 1), EINVAL);
    must(close(fd));
    must(close(inner));
    must(close(ep));
}

/* covers: epoll_ctl epoll_wait */
static void one_epoll_can_watch_another(void **state)
{
    (void)state;
    struct epoll_event event;
    int outer = new_epoll(), inner = new_epoll(), fd = eventfd(0, EFD_NONBLOCK);

    must(ctl(inner, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    must(ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 2));
    assert_returns(wait_now(outer, &event), 0);
    add_to(fd, 1);
    assert_returns(wait_now(outer, &event), 1);
    assert_int_equal(event.events, EPOLLIN);
    assert_int_equal(event.data.u64, 2);
    drain(fd);
    assert_returns(wait_now(outer, &event), 0);
    must(close(fd));
    must(close(inner));
    must(close(outer));
}

/* covers: epoll_ctl ELOOP */
static void ring_of_epolls_is_refused(void **state)
{
    (void)state;
    int a = new_epoll(), b = new_epoll();

    must(ctl(a, EPOLL_CTL_ADD, b, EPOLLIN, 1));
    assert_errno(ctl(b, EPOLL_CTL_ADD, a, EPOLLIN, 1), ELOOP);
    must(close(a));
    must(close(b));
}

/* covers: epoll_ctl ELOOP EINVAL */
static void nesting_has_a_limit(void **state)
{
    (void)state;
    int chain[8];
    int depth = 0;

    chain[0] = new_epoll();
    for (int i = 1; i < 8; i++) {
        chain[i] = new_epoll();
        if (ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, 1) == 0)
            depth++;
        else
            assert_true(errno == ELOOP || errno == EINVAL);
    }
    assert_in_range(depth, 4, 6); /* epoll_ctl(2): ELOOP at a nesting deeper than 5 */
    for (int i = 0; i < 8; i++)
        must(close(chain[i]));
}

/* covers: epoll_ctl */
static void child_shares_the_interest_list(void **state)
{
    (void)state;
    struct epoll_event event;
    int ep = new_epoll(), fd = eventfd(1, EFD_NONBLOCK);

    in_child(must(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 9)));
    assert_returns(wait_now(ep, &event), 1);
    assert_int_equal(event.data.u64, 9);
    must(close(fd));
    must(close(ep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_sets_cloexec_when_asked),
        cmocka_unit_test(old_create_wants_a_positive_size),
        cmocka_unit_test(level_is_reported_as_long_as_it_lasts),
        cmocka_unit_test(edge_is_reported_once_a_change),
        cmocka_unit_test(edge_is_reported_when_added_while_ready),
        cmocka_unit_test(edge_of_a_pipe_comes_with_each_write),
        cmocka_unit_test(oneshot_is_silent_until_armed_again),
        cmocka_unit_test(modification_changes_events_and_data),
        cmocka_unit_test(deletion_ends_the_interest),
        cmocka_unit_test(hangup_and_error_are_always_reported),
        cmocka_unit_test(last_close_of_the_file_ends_the_interest),
        cmocka_unit_test(duplicate_keeps_the_interest_alive),
        cmocka_unit_test(duplicate_can_be_added_beside_the_original),
        cmocka_unit_test(reused_number_names_the_new_file_only),
        cmocka_unit_test(each_of_many_is_found_in_any_order),
        cmocka_unit_test(modifying_what_was_not_added_is_refused),
        tempdir_test(regular_files_and_folders_are_refused),
        cmocka_unit_test(itself_and_other_kinds_are_refused),
        cmocka_unit_test(bad_descriptors_are_refused),
        cmocka_unit_test(bad_event_address_faults),
        cmocka_unit_test(exclusive_flag_has_rules),
        cmocka_unit_test(one_epoll_can_watch_another),
        cmocka_unit_test(ring_of_epolls_is_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(child_shares_the_interest_list),
    };

    return cmocka_run_group_tests_name("ipc/epoll", tests, NULL, NULL);
}
