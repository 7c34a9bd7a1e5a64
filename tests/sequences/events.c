/* tests/sequences/events.c: pipes, event descriptors, poll and epoll, timers, the console, memory. */
#include "sequence.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

/* --- pipes ---------------------------------------------------------------------------------------------- */

#define PIPED 200000L

struct ends {
    int in, out;
};

static struct ends make_pipe(int flags)
{
    mock_user at = mock_room(8);

    must(mock_call(__NR_pipe2, at, flags));
    return (struct ends){mock_get(int, at), mock_get(int, at + 4)};
}

static int write_much(void *arg)
{
    const struct ends *ends = arg;
    mock_user buffer = mock_room(10000);
    long done = 0;

    must(mock_call(__NR_close, ends->in));
    while (done < PIPED)
        done += must(mock_call(__NR_write, ends->out, buffer, 10000));
    return 0;
}

static int pipes(void *arg)
{
    struct ends ends = make_pipe(0);
    long pid = must(mock_fork(write_much, &ends)), n, total = 0;
    mock_user buffer = mock_room(7000);

    must(mock_call(__NR_close, ends.out));
    while ((n = must(mock_call(__NR_read, ends.in, buffer, 7000))))
        total += n;
    expect_equal(total, PIPED);
    expect_equal(mock_wait(pid), 0);
    must(mock_call(__NR_close, ends.in));
    return 0;
}

static void a_pipe_carries_everything(void **state)
{
    sequence(pipes);
}

static int splices(void *arg)
{
    struct ends a = make_pipe(O_NONBLOCK), b = make_pipe(O_NONBLOCK);
    mock_user buffer = mock_room(100);

    expect_equal(mock_call(__NR_read, a.in, buffer, 1), -EAGAIN);
    expect_equal(mock_call(__NR_write, a.out, buffer, 100), 100);
    expect_equal(mock_call(__NR_tee, a.in, b.out, 50, 0), 50);
    expect_equal(mock_call(__NR_splice, a.in, 0, b.out, 0, 100, 0), 100);
    expect_equal(mock_call(__NR_read, b.in, buffer, 100), 100);
    expect_equal(mock_call(__NR_close_range, a.in, b.out, 0), 0);
    return 0;
}

static void pages_move_between_pipes(void **state)
{
    sequence(splices);
}

static uint32_t told; /* atomic: signals that came */

static void be_told(int signo, mock_user info, mock_user context)
{
    __atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
}

static int owner_of_a_pipe(void *arg)
{
    struct ends ends = make_pipe(O_NONBLOCK);

    __atomic_store_n(&told, 0, __ATOMIC_SEQ_CST);
    must(mock_handle(SIGIO, be_told, 0));
    must(mock_call(__NR_fcntl, ends.in, F_SETOWN, mock_call(__NR_getpid)));
    must(mock_call(__NR_fcntl, ends.in, F_SETFL, O_NONBLOCK | O_ASYNC));
    expect_equal(mock_call(__NR_write, ends.out, mock_string("x"), 1), 1);
    expect_equal(__atomic_load_n(&told, __ATOMIC_SEQ_CST), 1);
    must(mock_call(__NR_fcntl, ends.in, F_SETFL, O_NONBLOCK));
    expect_equal(mock_call(__NR_write, ends.out, mock_string("x"), 1), 1);
    expect_equal(__atomic_load_n(&told, __ATOMIC_SEQ_CST), 1);
    must(mock_call(__NR_fcntl, ends.in, F_SETFL, O_ASYNC));
    expect_equal(mock_call(__NR_close_range, ends.in, ends.out, 0), 0);
    return 0;
}

static int own_a_pipe(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(owner_of_a_pipe, NULL))), 0);
    return 0;
}

static void a_files_owner_is_signalled(void **state)
{
    sequence(own_a_pipe);
}

/* --- readiness ----------------------------------------------------------------------------------------------- */

static int write_byte(void *arg)
{
    const struct ends *ends = arg;

    expect_equal(mock_call(__NR_write, ends->out, mock_room(1), 1), 1);
    return 0;
}

static int epolls(void *arg)
{
    struct ends ends = make_pipe(0);
    int ep = (int)must(mock_call(__NR_epoll_create1, 0));
    int inner = (int)must(mock_call(__NR_epoll_create1, 0));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 77};
    mock_user at = mock_put(&event, sizeof(event)), out = mock_room(4 * sizeof(event));
    long pid;

    must(mock_call(__NR_epoll_ctl, inner, EPOLL_CTL_ADD, ends.in, at));
    must(mock_call(__NR_epoll_ctl, ep, EPOLL_CTL_ADD, inner, at));
    expect_equal(mock_call(__NR_epoll_ctl, inner, EPOLL_CTL_ADD, ep, at), -ELOOP);
    expect_equal(mock_call(__NR_epoll_wait, ep, out, 4, 10), 0);
    pid = must(mock_fork(write_byte, &ends));
    expect_equal(mock_call(__NR_epoll_wait, ep, out, 4, -1), 1);
    expect_equal(mock_get(struct epoll_event, out).data.u64, 77);
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_call(__NR_close_range, ends.in, inner, 0), 0);
    return 0;
}

static void epoll_sees_what_comes(void **state)
{
    sequence(epolls);
}

static int polls(void *arg)
{
    struct ends ends = make_pipe(0);
    int efd = (int)must(mock_call(__NR_eventfd2, 0, 0));
    struct pollfd fds[2] = {{.fd = ends.in, .events = POLLIN}, {.fd = efd, .events = POLLIN}};
    mock_user at = mock_put(fds, sizeof(fds));
    long pid;

    expect_equal(mock_call(__NR_poll, at, 2, 5), 0);
    pid = must(mock_fork(write_byte, &(struct ends){0, ends.out}));
    expect_equal(mock_call(__NR_poll, at, 2, -1), 1);
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_call(__NR_write, efd, mock_put(&(uint64_t){3}, 8), 8), 8);
    expect_equal(mock_call(__NR_poll, at, 2, -1), 2);
    expect_equal(mock_call(__NR_close_range, ends.in, efd, 0), 0);
    return 0;
}

static void poll_sees_what_comes(void **state)
{
    sequence(polls);
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static int64_t now(void)
{
    mock_user at = mock_room(sizeof(struct timespec));
    struct timespec ts;

    must(mock_call(__NR_clock_gettime, CLOCK_MONOTONIC, at));
    ts = mock_get(struct timespec, at);
    return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int timers(void *arg)
{
    struct itimerspec spec = {.it_value = {3600, 0}, .it_interval = {3600, 0}};
    int fd = (int)must(mock_call(__NR_timerfd_create, CLOCK_MONOTONIC, 0));
    mock_user count = mock_room(8);
    int64_t start = now();

    must(mock_call(__NR_timerfd_settime, fd, 0, mock_put(&spec, sizeof(spec)), 0));
    expect_equal(mock_call(__NR_read, fd, count, 8), 8);
    expect_equal(mock_get(uint64_t, count), 1);
    expect(now() - start >= 3600 * 1000000000L);
    must(mock_call(__NR_nanosleep, mock_put(&(struct timespec){3600, 0}, 16), 0));
    expect(now() - start >= 7200 * 1000000000L);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void hours_pass_at_once(void **state)
{
    sequence(timers);
}

static __thread int alarms;

static void count_alarm(int signo, mock_user info, mock_user context)
{
    alarms++;
}

static int alarm_clock(void *arg)
{
    alarms = 0;
    expect_equal(mock_handle(SIGALRM, count_alarm, 0), 0);
    expect_equal(mock_call(__NR_alarm, 10), 0);
    expect_equal(mock_call(__NR_pause), -EINTR);
    expect_equal(alarms, 1);
    expect_equal(mock_handle(SIGALRM, NULL, 0), 0);
    return 0;
}

static void an_alarm_wakes_its_process(void **state)
{
    sequence(alarm_clock);
}

/* --- the console -------------------------------------------------------------------------------------------------- */

static int type_line(void *arg)
{
    mock_input("typed\n");
    return 0;
}

static int read_line(void *arg)
{
    mock_user buffer = mock_room(16);
    long pid = must(mock_fork(type_line, NULL));

    expect_equal(mock_call(__NR_read, 0, buffer, 16), 6);
    expect_equal(mock_wait(pid), 0);
    return 0;
}

static int poll_line(void *arg)
{
    mock_user at = mock_put(&(struct pollfd){.fd = 0, .events = POLLIN}, sizeof(struct pollfd));
    mock_user buffer = mock_room(16);
    long pid;

    expect_equal(mock_call(__NR_poll, at, 1, 100), 0);
    pid = must(mock_fork(type_line, NULL));
    expect_equal(mock_call(__NR_poll, at, 1, -1), 1);
    expect_equal(mock_call(__NR_read, 0, buffer, 16), 6);
    expect_equal(mock_wait(pid), 0);
    return 0;
}

static void input_wakes_its_reader(void **state)
{
    sequence_with(read_line, (struct mock_options){.input_open = true});
    sequence_with(poll_line, (struct mock_options){.input_open = true});
}

static int hang_up(void *arg)
{
    mock_event(SIGTERM); /* to the main program */
    return 0;
}

static int signal_from_outside(void *arg)
{
    must(mock_fork(hang_up, NULL));
    mock_call(__NR_read, 0, mock_room(1), 1);
    return 0;
}

static void a_signal_from_outside_ends_a_reader(void **state)
{
    struct mock_options options = {.main = signal_from_outside, .input_open = true};
    struct mock_result result;

    sequence_run(&options, &result);
    assert_int_equal(result.end, MOCK_EXITED);
    assert_int_equal(result.status, SIGTERM);
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

#define RW (PROT_READ | PROT_WRITE)

static mock_user map(size_t len, int prot, int flags, int fd)
{
    return (mock_user)must(mock_call(__NR_mmap, 0, len, prot, flags, fd, 0));
}

static int mappings(void *arg)
{
    mock_user at = map(1 << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    mock_store(at + 5000, "text", 5);
    expect_equal(mock_call(__NR_mprotect, at + 4096, 4096, PROT_READ), 0);
    expect_equal(mock_call(__NR_write, 1, at + 5000, 4), 4);
    expect_equal(mock_call(__NR_read, 0, at + 5000, 4), 0); /* the end of file faults nothing */
    expect_equal(mock_call(__NR_mremap, at, 1 << 20, 2 << 20, 1, 0), -EFAULT); /* two mappings */
    expect_equal(mock_call(__NR_mprotect, at + 4096, 4096, RW), 0);
    at = (mock_user)must(mock_call(__NR_mremap, at, 1 << 20, 2 << 20, 1 /* MAYMOVE */, 0));
    expect_equal(mock_get(char, at + 5000), 't');
    expect_equal(mock_call(__NR_madvise, at, 8192, 4 /* MADV_DONTNEED */), 0);
    must(mock_call(__NR_madvise, at, 8192, 102 /* MADV_GUARD_INSTALL */));
    must(mock_call(__NR_madvise, at, 8192, 103 /* MADV_GUARD_REMOVE */));
    expect_equal(mock_get(char, at + 5000), 0);
    expect_equal(mock_call(__NR_munmap, at + 8192, 4096), 0);
    expect_equal(mock_call(__NR_munmap, at, 2 << 20), 0);
    expect_equal(mock_call(__NR_brk, 0) > 0, 1);
    return 0;
}

static void mappings_come_and_go(void **state)
{
    sequence(mappings);
}

static int change_shared(void *arg)
{
    const mock_user *maps = arg;

    mock_store(maps[0], &(int){7}, 4);
    mock_store(maps[1], &(int){8}, 4);
    return 0;
}

static int shared_mappings(void *arg)
{
    int fd = (int)must(mock_call(__NR_open, mock_string("/dev/shm/f"), O_RDWR | O_CREAT, 0600));
    mock_user maps[2];

    must(mock_call(__NR_ftruncate, fd, 10000));
    maps[0] = map(10000, RW, MAP_SHARED, fd);
    maps[1] = map(10000, RW, MAP_PRIVATE, fd);
    expect_equal(mock_wait(must(mock_fork(change_shared, maps))), 0);
    expect_equal(mock_get(int, maps[0]), 7);
    expect_equal(mock_get(int, maps[1]), 7); /* still the file's page */
    mock_store(maps[1], &(int){9}, 4);
    expect_equal(mock_get(int, maps[0]), 7);
    must(mock_call(__NR_ftruncate, fd, 0));
    must(mock_call(__NR_munmap, maps[0], 10000));
    must(mock_call(__NR_munmap, maps[1], 10000));
    must(mock_call(__NR_close, fd));
    must(mock_call(__NR_unlink, mock_string("/dev/shm/f")));
    return 0;
}

#define LARGE (1L << 20)

/* What is stored through a mapping takes blocks of the file. */
static int stored_pages(void *arg)
{
    int fd = (int)must(mock_call(__NR_memfd_create, mock_string("stored"), 0));
    mock_user at, st = mock_room(sizeof(struct stat));

    must(mock_call(__NR_ftruncate, fd, LARGE));
    at = map(LARGE, RW, MAP_SHARED, fd);
    mock_store(at + LARGE / 2, "text", 4);
    must(mock_call(__NR_fstat, fd, st));
    expect_equal(mock_get(struct stat, st).st_blocks, 8);
    must(mock_call(__NR_munmap, at, LARGE));
    must(mock_call(__NR_close, fd));
    return 0;
}

static void shared_pages_are_counted(void **state)
{
    sequence(stored_pages);
}

static void shared_pages_are_the_files(void **state)
{
    sequence(shared_mappings);
}

static int map_host_file(void *arg)
{
    int fd = (int)must(mock_call(__NR_open, mock_string("/lower"), O_RDONLY, 0));
    mock_user at = map(8192, PROT_READ, MAP_PRIVATE, fd);
    char text[6] = "";

    mock_load(text, at + 3, 5);
    expect(!strcmp(text, "45678"));
    must(mock_call(__NR_munmap, at, 8192));
    must(mock_call(__NR_close, fd));
    return 0;
}

static void make_lower(void)
{
    mock_host_file("/lower", 0644, "12345678", 8);
}

static void files_of_the_host_are_mapped(void **state)
{
    sequence_with(map_host_file, (struct mock_options){.setup = make_lower});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_carries_everything),
        cmocka_unit_test(pages_move_between_pipes),
        cmocka_unit_test(a_files_owner_is_signalled),
        cmocka_unit_test(epoll_sees_what_comes),
        cmocka_unit_test(poll_sees_what_comes),
        cmocka_unit_test(hours_pass_at_once),
        cmocka_unit_test(an_alarm_wakes_its_process),
        cmocka_unit_test(input_wakes_its_reader),
        cmocka_unit_test(a_signal_from_outside_ends_a_reader),
        cmocka_unit_test(mappings_come_and_go),
        cmocka_unit_test(shared_pages_are_counted),
        cmocka_unit_test(shared_pages_are_the_files),
        cmocka_unit_test(files_of_the_host_are_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
