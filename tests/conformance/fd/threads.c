/* threads.c: threads that share descriptors: the position of a file, and numbers that are not open. */
#include "../lib/check.h"

#include <pthread.h>
#include <sys/ioctl.h>

#define WRITERS 4
#define RECORDS 2000
#define RECORD  64

static int shared_fd;

static void *write_records(void *arg)
{
    char record[RECORD];

    memset(record, *(char *)arg, sizeof record);
    for (int i = 0; i < RECORDS; i++) {
        if (write(shared_fd, record, sizeof record) != (ssize_t)sizeof record)
            return arg;
    }
    return NULL;
}

static void check_records(int flags)
{
    static char marks[WRITERS] = "abcd";
    pthread_t threads[WRITERS];
    char record[RECORD];

    shared_fd = must(open("f", O_CREAT | O_RDWR | flags, 0644));
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_records, &marks[i]), 0);
    for (int i = 0; i < WRITERS; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_returns(lseek(shared_fd, 0, SEEK_END), WRITERS * RECORDS * RECORD);
    assert_returns(lseek(shared_fd, 0, SEEK_SET), 0);
    for (int i = 0; i < WRITERS * RECORDS; i++) {
        assert_returns(read(shared_fd, record, sizeof record), RECORD);
        for (int at = 1; at < RECORD; at++)
            assert_int_equal(record[at], record[0]);
    }
    must(close(shared_fd));
}

/* covers: write */
static void writes_at_one_position_do_not_overlap(void **state)
{
    (void)state;
    check_records(0);
}

/* covers: write openat O_APPEND */
static void appended_records_stay_whole(void **state)
{
    (void)state;
    check_records(O_APPEND);
}

static void *wait_for_end(void *arg)
{
    char c;

    return read(*(int *)arg, &c, 1) == 0 ? NULL : arg;
}

/* covers: read EBADF write EBADF fstat EBADF lseek EBADF fcntl EBADF ioctl EBADF */
static void closed_numbers_are_refused_beside_another_thread(void **state)
{
    (void)state;
    pthread_t thread;
    struct stat st;
    int fds[2];
    void *failed;
    char c = 0;

    must(pipe(fds));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &fds[0]), 0);
    assert_errno(read(999, &c, 1), EBADF);
    assert_errno(write(999, &c, 1), EBADF);
    assert_errno(fstat(999, &st), EBADF);
    assert_errno(lseek(999, 0, SEEK_CUR), EBADF);
    assert_errno(fcntl(999, F_GETFL), EBADF);
    assert_errno(ioctl(999, 0, 0), EBADF);
    assert_errno(openat(999, "f", O_RDONLY), EBADF);
    must(close(fds[1]));
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    must(close(fds[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(writes_at_one_position_do_not_overlap),
        tempdir_test(appended_records_stay_whole),
        tempdir_test(closed_numbers_are_refused_beside_another_thread),
    };

    return cmocka_run_group_tests_name("fd/threads", tests, NULL, NULL);
}
