/* tests/unit/host_console.c: what a host may answer about the console and about readiness. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <asm/ioctls.h>

#include "rename.h"

#include "base/string.h"
#include "host/console.h"
#include "host/ready.h"
#include "self/self.h"
#include "sync/waitq.h"

#include <myst/target.h>

#include "break.h"

static struct self test_self;

struct self *self(void)
{
    return &test_self;
}

/* ---- the rooms that host/ stands on ---- */

const struct wait_watcher *wait_watcher;
bool (*wait_signal_pending)(bool kill_only);

void spin_lock(struct spinlock *lock)
{
    assert_int_equal(lock->word, 0);
    lock->word = 1;
}

void spin_unlock(struct spinlock *lock)
{
    assert_int_equal(lock->word, 1);
    lock->word = 0;
}

void sync_assert_unlocked(const char *what)
{
}

void wait_take_over(struct self *thread)
{
}

/* ---- a host that answers what a test wants ---- */

static int64_t reply;
static char written[16];
static size_t written_size;
static struct target_ready news_reply[TARGET_READY_MAX];
static size_t news_size;
static int looks;                       /* how often it was asked */
static u32 marks_seen, marks_meanwhile; /* when it was asked; set while it waits */

static int64_t reply_data(void *to)
{
    memcpy(to, written, written_size);
    return reply;
}

int64_t target_console_read(int console, void *to, size_t len)
{
    return reply_data(to);
}
int64_t target_console_write(int console, const void *from, size_t len)
{
    return reply;
}
int64_t target_console_seek(int console, int64_t offset, int whence)
{
    return reply;
}
int target_console_ioctl(int console, unsigned int request, void *arg, size_t len)
{
    return (int)reply_data(arg);
}
int target_poll(int file, int events)
{
    return (int)reply;
}
int target_ready_add(int file, uint64_t cookie)
{
    return (int)reply;
}
void target_ready_remove(int file)
{
}
/* It says so once; then there is nothing more. */
int target_ready_wait(struct target_ready *out, uint32_t n, int64_t deadline)
{
    int told = (int)reply;

    looks++;
    marks_seen |= test_self.thread.pending;
    test_self.thread.pending |= marks_meanwhile;
    memcpy(out, news_reply, news_size * sizeof(*out));
    reply = 0;
    return told;
}
int64_t target_clock_read(enum target_clock clock)
{
    return 0;
}
int64_t target_clock_resolution(enum target_clock clock)
{
    return 1;
}
uintptr_t target_vdso_clock_gettime(void)
{
    return 0;
}
void target_service_wake(void)
{
}

/* ---- the console ---- */

static char buffer[16];

static int64_t call_read(void)
{
    return host_console_read(0, buffer, 10);
}
static int64_t call_write(void)
{
    return host_console_write(1, buffer, 10);
}
static int64_t call_seek(void)
{
    return host_console_seek(0, 100, 0);
}
static int64_t call_modes(void)
{
    return host_console_ioctl(0, TCFLSH, NULL, 0);
}

static const struct {
    int64_t (*call)(void);
    int64_t answered, expected;
} results[] = {
    {call_read, 10, 10},
    {call_read, 0, 0},
    {call_read, 11, -EIO},
    {call_read, INT64_MAX, -EIO},
    {call_read, INT64_MIN, -EIO},
    {call_read, -EINTR, -EINTR},
    {call_read, -EAGAIN, -EAGAIN},
    {call_read, -ENOENT, -EIO},
    {call_read, -512, -EIO},
    {call_write, 10, 10},
    {call_write, 3, 3},
    {call_write, 11, -EIO},
    {call_write, INT64_MAX, -EIO},
    {call_write, -EPIPE, -EPIPE},
    {call_write, -ENOENT, -EIO},
    {call_write, -513, -EIO},
    {call_seek, 0, 0},
    {call_seek, INT64_MAX, INT64_MAX},
    {call_seek, -ESPIPE, -ESPIPE},
    {call_seek, -1, -EIO},
    {call_seek, INT64_MIN, -EIO},
    {call_modes, 0, 0},
    {call_modes, 1, 0},
    {call_modes, INT_MAX, 0},
    {call_modes, -ENOTTY, -ENOTTY},
    {call_modes, -ENOENT, -EIO},
    {call_modes, -512, -EIO},
    {call_modes, INT_MIN, -EIO},
};

/*
 * breaks: console_read_count console_read_errno console_write_count console_write_errno
 * console_seek_errno console_ioctl_errno
 */
static void results_are_of_the_call_or_eio(void **state)
{
    written_size = 0;
    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        int64_t got;

        reply = results[i].answered;
        got = results[i].call();
        if (got != results[i].expected)
            fail_msg("row %zu: the target says %lld, the kernel hears %lld and not %lld", i,
                     (long long)results[i].answered, (long long)got,
                     (long long)results[i].expected);
    }
}

/* breaks: console_read_cleared console_ioctl_cleared */
static void what_is_not_written_is_zero(void **state)
{
    static const char zeros[sizeof(buffer)];

    written_size = 0;
    reply = 10;
    memset(buffer, 's', sizeof(buffer));
    assert_int_equal(call_read(), 10);
    assert_memory_equal(buffer, zeros, 10);
    assert_int_equal(buffer[10], 's');

    memset(buffer, 's', sizeof(buffer));
    assert_int_equal(host_console_read_user(0, buffer, 10), 10);
    assert_int_equal(buffer[0], 's'); /* the program's own */

    reply = 0;
    assert_int_equal(host_console_ioctl(0, TIOCGWINSZ, buffer, 8), 0);
    assert_memory_equal(buffer, zeros, 8);
    memset(buffer, 's', sizeof(buffer));
    assert_int_equal(host_console_ioctl(0, TIOCSWINSZ, buffer, 8), 0);
    assert_int_equal(buffer[0], 's'); /* what is given is not touched */
}

static int number_after(unsigned int request, int told)
{
    int number = 77;

    reply = 0;
    written_size = sizeof(told);
    memcpy(written, &told, sizeof(told));
    assert_int_equal(host_console_ioctl(0, request, &number, sizeof(number)), 0);
    written_size = 0;
    return number;
}

/* breaks: console_ioctl_number */
static void bytes_that_wait_are_not_negative(void **state)
{
    static const unsigned int requests[] = {FIONREAD, TIOCOUTQ};

    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        assert_int_equal(number_after(requests[i], 12), 12);
        assert_int_equal(number_after(requests[i], INT_MAX), INT_MAX);
        assert_int_equal(number_after(requests[i], -1), 0);
        assert_int_equal(number_after(requests[i], INT_MIN), 0);
    }
}

/* ---- readiness ---- */

static u32 poll_after(int told)
{
    reply = told;
    return host_poll(5, POLLIN | POLLOUT);
}

/* breaks: poll_errno poll_bits */
static void only_what_was_asked_is_ready(void **state)
{
    assert_int_equal(poll_after(0), 0);
    assert_int_equal(poll_after(POLLIN), POLLIN);
    assert_int_equal(poll_after(POLLHUP | POLLERR | POLLNVAL), POLLHUP | POLLERR | POLLNVAL);
    assert_int_equal(poll_after(POLLIN | POLLPRI | POLLRDHUP), POLLIN);
    assert_int_equal(poll_after(INT_MAX), POLLIN | POLLOUT | POLLHUP | POLLERR | POLLNVAL);
    assert_int_equal(poll_after(-EBADF), 0);
    assert_int_equal(poll_after(-1), 0);
    assert_int_equal(poll_after(INT_MIN), 0);
}

static struct seen {
    struct host_watch watch;
    u32 times, events;
} seen[2];

/* Also after a case that failed in the middle. */
static int forget(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        if (seen[i].watch.cookie)
            host_watch_remove(&seen[i].watch);
    memset(seen, 0, sizeof(seen));
    return 0;
}

static void see(struct host_watch *watch, u32 events)
{
    struct seen *one = container_of(watch, struct seen, watch);

    one->times++;
    one->events = events;
}

static int add(struct seen *one, int told)
{
    int err;

    reply = told;
    *one = (struct seen){0};
    err = host_watch_add(&one->watch, 5, see);
    reply = 0;
    return err;
}

/* breaks: ready_add_result */
static void a_descriptor_is_watched_or_is_not(void **state)
{
    static const int lies[] = {1, INT_MAX, -EINTR, -ENOENT, -512, INT_MIN};

    assert_int_equal(add(&seen[0], 0), 0);
    host_watch_remove(&seen[0].watch);
    assert_int_equal(add(&seen[0], -EPERM), -EPERM);
    assert_int_equal(add(&seen[0], -ENOSPC), -ENOSPC);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        assert_int_equal(add(&seen[0], lies[i]), -EIO);
}

static void look(int told, size_t size)
{
    reply = told;
    news_size = size;
    host_ready_look();
    reply = 0;
    news_size = 0;
}

/* breaks: ready_cookie ready_events */
static void news_are_of_what_is_watched(void **state)
{
    u64 gone;

    assert_int_equal(add(&seen[0], 0), 0);
    assert_int_equal(add(&seen[1], 0), 0);
    gone = seen[1].watch.cookie;
    host_watch_remove(&seen[1].watch);

    news_reply[0] = (struct target_ready){seen[0].watch.cookie, POLLIN, 99};
    look(1, 1);
    assert_int_equal(seen[0].times, 1);
    assert_int_equal(seen[0].events, POLLIN);
    news_reply[0].events = UINT32_MAX;
    look(1, 1);
    assert_int_equal(seen[0].events, POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLERR | POLLHUP);
    news_reply[0] = (struct target_ready){gone, POLLIN, 0};
    news_reply[1] = (struct target_ready){0, POLLIN, 0};
    news_reply[2] = (struct target_ready){UINT64_MAX, POLLIN, 0};
    look(3, 3);
    assert_int_equal(seen[0].times, 2);
    assert_int_equal(seen[1].times, 0);
    host_watch_remove(&seen[0].watch);
}

/* breaks: ready_wait_count */
static void more_news_than_were_asked_for_are_none(void **state)
{
    assert_int_equal(add(&seen[0], 0), 0);
    news_reply[0] = (struct target_ready){seen[0].watch.cookie, POLLIN, 0};
    look(17, 1);
    look(INT_MAX, 1);
    assert_int_equal(seen[0].times, 0);
    look(16, 1);
    assert_int_equal(seen[0].times, 1);
    host_watch_remove(&seen[0].watch);
}

static bool never(bool kill_only)
{
    return false;
}

static int watch_once(int told)
{
    looks = 0;
    reply = told;
    return wait_watcher->watch(WAIT_INTERRUPTIBLE, 0);
}

/* breaks: ready_wait_errno */
static void a_failure_is_no_interruption_but_nothing_that_came(void **state)
{
    host_ready_start();
    wait_signal_pending = never;
    assert_int_equal(watch_once(-EINTR), 0);
    assert_int_equal(watch_once(-EIO), -ETIMEDOUT);
    assert_int_equal(looks, 1);
    assert_int_equal(watch_once(INT_MIN), -ETIMEDOUT);
    assert_int_equal(looks, 1);
    wait_watcher->end();
}

static bool kill_only_asked;

static bool always(bool kill_only)
{
    kill_only_asked = kill_only;
    return true;
}

/* One mark before, one that comes while the host waits. */
static int watch_with_marks(enum wait_kind kind, bool (*pending)(bool))
{
    wait_signal_pending = pending;
    looks = 0;
    marks_seen = 0;
    kill_only_asked = false;
    test_self.thread.pending = PENDING_WORK;
    marks_meanwhile = PENDING_CPU;
    reply = -EINTR; /* its wait ends as a kick ends it */
    return wait_watcher->watch(kind, KTIME_FOREVER);
}

static void marks_that_end_no_wait_are_put_aside_while_the_host_waits(void **state)
{
    host_ready_start();
    assert_int_equal(watch_with_marks(WAIT_INTERRUPTIBLE, never), 0);
    assert_int_equal(looks, 1);
    assert_int_equal(marks_seen, 0);
    assert_int_equal(test_self.thread.pending, PENDING_WORK | PENDING_CPU);

    /* a signal that ends it: the host is not asked */
    assert_int_equal(watch_with_marks(WAIT_INTERRUPTIBLE, always), 0);
    assert_int_equal(looks, 0);
    assert_false(kill_only_asked);
    assert_int_equal(test_self.thread.pending, PENDING_WORK);
    assert_int_equal(watch_with_marks(WAIT_KILLABLE, always), 0);
    assert_int_equal(looks, 0);
    assert_true(kill_only_asked);

    /* no signal ends this one, and none is looked for */
    assert_int_equal(watch_with_marks(WAIT_UNINTERRUPTIBLE, always), 0);
    assert_int_equal(looks, 1);
    assert_int_equal(marks_seen, 0);
    assert_int_equal(test_self.thread.pending, PENDING_WORK | PENDING_CPU);

    /* without marks nobody asks for signals */
    wait_signal_pending = always;
    test_self.thread.pending = 0;
    assert_int_equal(watch_once(-EINTR), 0);
    assert_int_equal(looks, 1);
    test_self.thread.pending = marks_meanwhile = 0;
    wait_watcher->end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_of_the_call_or_eio),
        cmocka_unit_test(what_is_not_written_is_zero),
        cmocka_unit_test(bytes_that_wait_are_not_negative),
        cmocka_unit_test(only_what_was_asked_is_ready),
        cmocka_unit_test_teardown(a_descriptor_is_watched_or_is_not, forget),
        cmocka_unit_test_teardown(news_are_of_what_is_watched, forget),
        cmocka_unit_test_teardown(more_news_than_were_asked_for_are_none, forget),
        cmocka_unit_test(a_failure_is_no_interruption_but_nothing_that_came),
        cmocka_unit_test(marks_that_end_no_wait_are_put_aside_while_the_host_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
