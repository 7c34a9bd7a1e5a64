/* tests/bench/micro/calls.c: the way in and out, and calls that do next to nothing. */
#include "micro.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

static void getppid_raw(long n, long size)
{
    timing_starts();
    while (n--)
        syscall(SYS_getppid);
    timing_ends();
}

static void clock_read(long n, long size)
{
    struct timespec t;

    timing_starts();
    while (n--)
        must(clock_gettime(CLOCK_MONOTONIC, &t), "clock_gettime");
    timing_ends();
}

static void device_read(long n, long size)
{
    char byte;
    int fd = (int)must(open("/dev/zero", O_RDONLY), "/dev/zero");

    timing_starts();
    while (n--)
        must(read(fd, &byte, 1), "read");
    timing_ends();
    close(fd);
}

static void device_write(long n, long size)
{
    char byte = 0;
    int fd = (int)must(open("/dev/null", O_WRONLY), "/dev/null");

    timing_starts();
    while (n--)
        must(write(fd, &byte, 1), "write");
    timing_ends();
    close(fd);
}

/* One task's: nobody has to be woken. */
static void pipe_write_read(long n, long size)
{
    char byte = 0;
    int ends[2];

    must(pipe(ends), "pipe");
    timing_starts();
    while (n--) {
        must(write(ends[1], &byte, 1), "write");
        must(read(ends[0], &byte, 1), "read");
    }
    timing_ends();
    close(ends[0]);
    close(ends[1]);
}

const struct bench bench_calls[] = {
    {"getppid", getppid_raw, 0, 0},
    {"clock_gettime", clock_read, 0, 0},
    {"read_1_zero", device_read, 0, 0},
    {"write_1_null", device_write, 0, 0},
    {"pipe_write_read_1", pipe_write_read, 0, 0},
    {0},
};
