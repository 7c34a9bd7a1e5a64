/* aio.c: io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2). */
#include "../lib/check.h"

#include <linux/aio_abi.h>
#include <sys/eventfd.h>

static aio_context_t new_context(unsigned events)
{
    aio_context_t context = 0;

    need_call(syscall(SYS_io_destroy, 0ul));
    must(syscall(SYS_io_setup, events, &context));
    assert_true(context != 0);
    return context;
}

static void drop(aio_context_t context)
{
    must(syscall(SYS_io_destroy, context));
}

static struct iocb request(int fd, int opcode, void *buffer, size_t size, off_t offset)
{
    return (struct iocb){.aio_fildes = (unsigned)fd,
                         .aio_lio_opcode = (unsigned short)opcode,
                         .aio_buf = (uintptr_t)buffer,
                         .aio_nbytes = size,
                         .aio_offset = offset,
                         .aio_data = 4711};
}

static long submit(aio_context_t context, struct iocb *one)
{
    return syscall(SYS_io_submit, context, 1l, &one);
}

static struct io_event next(aio_context_t context)
{
    struct io_event event;

    assert_returns(syscall(SYS_io_getevents, context, 1l, 1l, &event, NULL), 1);
    return event;
}

/* covers: io_submit IOCB_CMD_PWRITE IOCB_CMD_PREAD io_getevents */
static void write_and_read_are_done(void **state)
{
    (void)state;
    char text[8] = "";
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    struct iocb out = request(fd, IOCB_CMD_PWRITE, "hello", 5, 2);
    struct iocb in = request(fd, IOCB_CMD_PREAD, text, sizeof text, 2);

    assert_returns(submit(context, &out), 1);
    struct io_event event = next(context);
    assert_int_equal(event.data, 4711);
    assert_true(event.obj == (uintptr_t)&out);
    assert_int_equal(event.res, 5);
    assert_returns(submit(context, &in), 1);
    assert_int_equal(next(context).res, 5);
    assert_string_equal(text, "hello");
    drop(context);
    must(close(fd));
}

/* covers: io_submit IOCB_CMD_PWRITEV io_getevents */
static void several_requests_go_in_one_call(void **state)
{
    (void)state;
    struct iovec {
        const void *base;
        size_t length;
    } iov[2] = {{"ab", 2}, {"cd", 2}};
    aio_context_t context = new_context(8);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), seen = 0;
    struct iocb a = request(fd, IOCB_CMD_PWRITEV, iov, 2, 0);
    struct iocb b = request(fd, IOCB_CMD_PWRITE, "ef", 2, 4), *list[] = {&a, &b};
    struct io_event events[2];

    assert_returns(syscall(SYS_io_submit, context, 2l, list), 2);
    while (seen < 2)
        seen += (int)must(syscall(SYS_io_getevents, context, 1l, 2l, events, NULL));
    assert_file_text("f", "abcdef");
    drop(context);
    must(close(fd));
}

/* covers: io_submit io_getevents */
static void errors_come_as_results(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    char c;
    struct iocb in = request(fd, IOCB_CMD_PREAD, &c, 1, 0);

    assert_returns(submit(context, &in), 1);
    assert_int_equal(next(context).res, 0); /* end of file */
    drop(context);
    must(close(fd));
}

/* covers: io_submit IOCB_FLAG_RESFD */
static void completion_can_be_told_by_an_eventfd(void **state)
{
    (void)state;
    uint64_t count = 0;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), told = must(eventfd(0, 0));
    struct iocb out = request(fd, IOCB_CMD_PWRITE, "x", 1, 0);

    out.aio_flags = IOCB_FLAG_RESFD;
    out.aio_resfd = (unsigned)told;
    assert_returns(submit(context, &out), 1);
    assert_returns(read(told, &count, sizeof count), sizeof count);
    assert_int_equal(count, 1);
    drop(context);
    must(close(told));
    must(close(fd));
}

/* covers: io_submit IOCB_CMD_POLL io_cancel */
static void poll_request_waits_for_readiness(void **state)
{
    (void)state;
    struct timespec now = {0};
    struct io_event event;
    aio_context_t context = new_context(4);
    int fds[2];

    must(pipe(fds));
    struct iocb poll_in = request(fds[0], IOCB_CMD_POLL, (void *)1 /* POLLIN */, 0, 0);
    long n = submit(context, &poll_in);
    if (n == -1 && errno == EINVAL)
        skip_because("the running kernel has no IOCB_CMD_POLL");
    assert_int_equal(n, 1);
    assert_returns(syscall(SYS_io_getevents, context, 1l, 1l, &event, &now), 0);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_true(next(context).res & 1);
    drop(context);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: io_submit EINVAL EBADF EFAULT */
static void bad_requests_are_refused(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    struct iocb bad = request(-1, IOCB_CMD_PREAD, NULL, 0, 0);

    assert_errno(submit(context, &bad), EBADF);
    bad = request(fd, 99, NULL, 0, 0);
    assert_errno(submit(context, &bad), EINVAL);
    bad = request(fd, IOCB_CMD_PREAD, NULL, 0, 0);
    bad.aio_reserved2 = 1;
    assert_errno(submit(context, &bad), EINVAL);
    assert_errno(submit(context, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_io_submit, context, 1l, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_io_submit, context, -1l, NULL), EINVAL);
    assert_returns(syscall(SYS_io_submit, context, 0l, NULL), 0);
    drop(context);
    must(close(fd));
}

/* covers: io_setup EINVAL EFAULT io_destroy EINVAL io_getevents EINVAL io_submit EINVAL io_cancel EINVAL */
static void contexts_are_checked(void **state)
{
    (void)state;
    aio_context_t context = 1;
    struct io_event event;
    struct iocb request = {0};

    drop(new_context(1));
    assert_errno(syscall(SYS_io_setup, 4, &context), EINVAL); /* must be zero before */
    context = 0;
    assert_errno(syscall(SYS_io_setup, 0, &context), EINVAL);
    assert_errno(syscall(SYS_io_setup, 4, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_io_destroy, 12345ul), EINVAL);
    assert_errno(syscall(SYS_io_getevents, 12345ul, 1l, 1l, &event, NULL), EINVAL);
    assert_errno(syscall(SYS_io_submit, 12345ul, 1l, NULL), EINVAL);
    assert_errno(syscall(SYS_io_cancel, 12345ul, &request, &event), EINVAL);
}

/* covers: io_getevents EINVAL EFAULT */
static void counts_and_timeouts_are_checked(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_nsec = 20000000};
    struct io_event event;
    aio_context_t context = new_context(4);
    int64_t start = now_ns();

    assert_errno(syscall(SYS_io_getevents, context, 2l, 1l, &event, NULL), EINVAL);
    assert_errno(syscall(SYS_io_getevents, context, -1l, 1l, &event, NULL), EINVAL);
    assert_errno(syscall(SYS_io_getevents, context, 1l, 1l, &event, BAD_PTR), EFAULT);
    assert_returns(syscall(SYS_io_getevents, context, 1l, 1l, &event, &timeout), 0);
    assert_true(now_ns() - start >= 20000000);
    drop(context);
}

/* covers: io_getevents EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    struct io_event event;
    aio_context_t context = new_context(4);

    interrupts_start(0);
    assert_errno(syscall(SYS_io_getevents, context, 1l, 1l, &event, NULL), EINTR);
    interrupts_stop();
    drop(context);
}

/* covers: io_submit EBADF EINVAL EFAULT EOPNOTSUPP IOCB_FLAG_IOPRIO IOCB_FLAG_RESFD */
static void requests_are_refused_before_anything_is_done(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), reading = must(open("f", O_RDONLY));
    char c = 'x';
    struct iocb bad = request(reading, IOCB_CMD_PWRITE, &c, 1, 0);

    assert_errno(submit(context, &bad), EBADF);
    bad = request(fd, IOCB_CMD_PWRITE, &c, 1, -1);
    assert_errno(submit(context, &bad), EINVAL);
    bad = request(fd, IOCB_CMD_PWRITE, &c, (size_t)-1, 0);
    assert_errno(submit(context, &bad), EINVAL);
    bad = request(fd, IOCB_CMD_PREADV, BAD_PTR, 1, 0);
    assert_errno(submit(context, &bad), EFAULT);
    bad = request(fd, IOCB_CMD_NOOP, NULL, 0, 0);
    assert_errno(submit(context, &bad), EINVAL);
    bad = request(fd, IOCB_CMD_PWRITE, &c, 1, 0);
    bad.aio_rw_flags = 0x40000000;
    assert_errno(submit(context, &bad), EOPNOTSUPP);
    bad = request(fd, IOCB_CMD_PWRITE, &c, 1, 0);
    bad.aio_flags = IOCB_FLAG_IOPRIO;
    bad.aio_reqprio = 7 << 13;
    assert_errno(submit(context, &bad), EINVAL);
    bad = request(fd, IOCB_CMD_PWRITE, &c, 1, 0);
    bad.aio_flags = IOCB_FLAG_RESFD;
    bad.aio_resfd = (unsigned)fd;
    assert_errno(submit(context, &bad), EINVAL);
    bad.aio_resfd = (unsigned)-1;
    assert_errno(submit(context, &bad), EBADF);
    assert_returns(lseek(fd, 0, SEEK_END), 0);
    drop(context);
    must(close(reading));
    must(close(fd));
}

/* covers: io_submit IOCB_CMD_FSYNC IOCB_CMD_FDSYNC EINVAL */
static void syncs_are_done(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), fds[2];
    struct iocb sync = request(fd, IOCB_CMD_FSYNC, NULL, 0, 0);

    assert_returns(submit(context, &sync), 1);
    assert_int_equal(next(context).res, 0);
    sync.aio_lio_opcode = IOCB_CMD_FDSYNC;
    assert_returns(submit(context, &sync), 1);
    assert_int_equal(next(context).res, 0);
    sync.aio_nbytes = 1;
    assert_errno(submit(context, &sync), EINVAL);
    must(pipe(fds));
    sync = request(fds[0], IOCB_CMD_FSYNC, NULL, 0, 0);
    assert_errno(submit(context, &sync), EINVAL);
    drop(context);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(fd));
}

/* covers: io_submit io_getevents */
static void faults_of_a_buffer_come_as_results(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    char *page = must(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    struct iocb out = request(fd, IOCB_CMD_PWRITE, page, 1, 0);

    assert_returns(submit(context, &out), 1);
    assert_int_equal(next(context).res, -EFAULT);
    drop(context);
    must(close(fd));
}

/* covers: io_submit */
static void pipes_have_no_position(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    char text[4] = "";
    int fds[2];

    must(pipe(fds));
    struct iocb out = request(fds[1], IOCB_CMD_PWRITE, "abc", 3, 77);
    struct iocb in = request(fds[0], IOCB_CMD_PREAD, text, 3, 5);
    assert_returns(submit(context, &out), 1);
    assert_int_equal(next(context).res, 3);
    assert_returns(submit(context, &in), 1);
    assert_int_equal(next(context).res, 3);
    assert_string_equal(text, "abc");
    drop(context);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: io_cancel EINPROGRESS EINVAL EFAULT */
static void poll_request_can_be_cancelled(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    struct io_event event;
    int fds[2];

    must(pipe(fds));
    struct iocb poll_in = request(fds[0], IOCB_CMD_POLL, (void *)1 /* POLLIN */, 0, 0);
    assert_errno(syscall(SYS_io_cancel, context, &poll_in, &event), EINVAL);
    poll_in.aio_key = 99;
    assert_returns(submit(context, &poll_in), 1);
    assert_int_equal(poll_in.aio_key, 0);
    assert_errno(syscall(SYS_io_cancel, context, BAD_PTR, &event), EFAULT);
    assert_errno(syscall(SYS_io_cancel, context, &poll_in, &event), EINPROGRESS);
    event = next(context);
    assert_true(event.obj == (uintptr_t)&poll_in);
    assert_int_equal(event.res, 0);
    assert_errno(syscall(SYS_io_cancel, context, &poll_in, &event), EINVAL);
    drop(context);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: io_submit IOCB_CMD_POLL EINVAL IOCB_FLAG_RESFD */
static void poll_request_tells_an_eventfd(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    int fds[2], told = must(eventfd(0, 0));
    uint64_t count = 0;

    must(pipe(fds));
    struct iocb poll_in = request(fds[0], IOCB_CMD_POLL, (void *)1, 0, 1);
    assert_errno(submit(context, &poll_in), EINVAL);
    poll_in = request(fds[0], IOCB_CMD_POLL, (void *)0x10001, 0, 0);
    assert_errno(submit(context, &poll_in), EINVAL);
    poll_in = request(fds[0], IOCB_CMD_POLL, (void *)1, 0, 0);
    poll_in.aio_flags = IOCB_FLAG_RESFD;
    poll_in.aio_resfd = (unsigned)told;
    assert_returns(submit(context, &poll_in), 1);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_returns(read(told, &count, sizeof count), sizeof count);
    assert_int_equal(count, 1);
    assert_int_equal(next(context).res & 1, 1);
    drop(context);
    must(close(told));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: io_submit EAGAIN */
static void ring_takes_no_more_than_it_has_places(void **state)
{
    (void)state;
    aio_context_t context = new_context(1);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    struct iocb out = request(fd, IOCB_CMD_PWRITE, "x", 1, 0);
    long n = 0;

    while (submit(context, &out) == 1 && n < 100000)
        n++;
    assert_int_equal(errno, EAGAIN);
    assert_true(n >= 1 && n < 100000);
    next(context);
    drop(context);
    must(close(fd));
}

/* covers: io_setup EAGAIN EINVAL */
static void too_many_events_are_refused(void **state)
{
    (void)state;
    aio_context_t context = 0;

    need_call(syscall(SYS_io_destroy, 0ul));
    assert_errno(syscall(SYS_io_setup, 1u << 22, &context), EAGAIN);
    assert_errno(syscall(SYS_io_setup, 1u << 30, &context), EINVAL);
}

/* What libaio and others know of a ring. */
struct ring {
    unsigned id, nr, head, tail, magic, compat, incompat, header_length;
    struct io_event events[];
};

/* covers: io_setup io_submit */
static void events_can_be_taken_out_of_the_ring(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    struct ring *ring = (struct ring *)context;
    struct timespec now = {0};
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    struct iocb out = request(fd, IOCB_CMD_PWRITE, "xyz", 3, 0);
    struct io_event event;

    assert_int_equal(ring->magic, 0xa10a10a1);
    assert_int_equal(ring->header_length, sizeof *ring);
    assert_int_equal(ring->head, ring->tail);
    assert_true(ring->nr > 4);
    assert_returns(submit(context, &out), 1);
    assert_true(ring->head != ring->tail);
    assert_int_equal(ring->events[ring->head].data, 4711);
    assert_int_equal(ring->events[ring->head].res, 3);
    ring->head = (ring->head + 1) % ring->nr;
    assert_returns(syscall(SYS_io_getevents, context, 0l, 1l, &event, &now), 0);
    drop(context);
    must(close(fd));
}

/* covers: io_setup io_destroy EINVAL io_submit EINVAL */
static void context_is_its_process_s(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);

    in_child(assert_errno(syscall(SYS_io_submit, context, 0l, NULL), EINVAL);
             assert_errno(syscall(SYS_io_destroy, context), EINVAL));
    drop(context);
    assert_errno(syscall(SYS_io_destroy, context), EINVAL);
}

/* covers: io_pgetevents EINTR EFAULT EINVAL */
static void wait_with_another_mask(void **state)
{
    (void)state;
    struct timespec now = {0}, long_time = {.tv_sec = 5};
    struct {
        const void *mask;
        size_t size;
    } given = {NULL, 8};
    sigset_t blocked, none;
    struct io_event event;
    aio_context_t context = new_context(4);

    need_call(syscall(SYS_io_pgetevents, context, 0l, 1l, &event, &now, NULL));
    assert_returns(syscall(SYS_io_pgetevents, context, 0l, 1l, &event, &now, NULL), 0);
    assert_errno(syscall(SYS_io_pgetevents, context, 0l, 1l, &event, &now, BAD_PTR), EFAULT);
    sigemptyset(&none);
    given.mask = &none;
    given.size = 4;
    assert_errno(syscall(SYS_io_pgetevents, context, 0l, 1l, &event, &now, &given), EINVAL);
    given.size = 8;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    must(sigprocmask(SIG_BLOCK, &blocked, NULL));
    catch_signal(SIGUSR1, 0);
    must(raise(SIGUSR1));
    assert_errno(syscall(SYS_io_pgetevents, context, 1l, 1l, &event, &long_time, &given), EINTR);
    assert_int_equal(caught[SIGUSR1], 1);
    must(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    default_signal(SIGUSR1);
    drop(context);
}

/* covers: io_getevents */
static void sleeper_gets_what_another_thread_causes(void **state)
{
    (void)state;
    aio_context_t context = new_context(4);
    struct io_event event;
    int fds[2];

    must(pipe(fds));
    struct iocb poll_in = request(fds[0], IOCB_CMD_POLL, (void *)1, 0, 0);
    assert_returns(submit(context, &poll_in), 1);
    struct gate *gate = gate_new();
    pid_t parent = getpid(), child = child_fork();
    if (child == 0) {
        gate->tid = parent;
        gate_wait_blocked(gate);
        assert_returns(write(fds[1], "x", 1), 1);
        _exit(0);
    }
    assert_returns(syscall(SYS_io_getevents, context, 1l, 1l, &event, NULL), 1);
    assert_int_equal(event.res & 1, 1);
    assert_child_ok(child);
    drop(context);
    must(close(fds[0]));
    must(close(fds[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(write_and_read_are_done),
        tempdir_test(several_requests_go_in_one_call),
        tempdir_test(errors_come_as_results),
        tempdir_test(completion_can_be_told_by_an_eventfd),
        cmocka_unit_test(poll_request_waits_for_readiness),
        tempdir_test(bad_requests_are_refused),
        cmocka_unit_test(contexts_are_checked),
        cmocka_unit_test(counts_and_timeouts_are_checked),
        cmocka_unit_test(wait_is_interrupted),
        tempdir_test(requests_are_refused_before_anything_is_done),
        tempdir_test(syncs_are_done),
        tempdir_test(faults_of_a_buffer_come_as_results),
        cmocka_unit_test(poll_request_can_be_cancelled),
        cmocka_unit_test(poll_request_tells_an_eventfd),
        cmocka_unit_test(pipes_have_no_position),
        tempdir_test(ring_takes_no_more_than_it_has_places),
        cmocka_unit_test(too_many_events_are_refused),
        tempdir_test(events_can_be_taken_out_of_the_ring),
        cmocka_unit_test(context_is_its_process_s),
        cmocka_unit_test(wait_with_another_mask),
        cmocka_unit_test(sleeper_gets_what_another_thread_causes),
    };

    return cmocka_run_group_tests_name("ipc/aio", tests, NULL, NULL);
}
