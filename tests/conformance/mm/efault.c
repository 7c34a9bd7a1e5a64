/* efault.c: pointers that lead nowhere are EFAULT, or what was done before, in calls of all kinds. */
#include "../lib/child.h"

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#define PAGE 4096ul

static char *edge;  /* the last page before an unmapped one */
static int ends[2]; /* a pipe */
static int file = -1;

static int setup(void **state)
{
    (void)state;
    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file = memfd_create("file", MFD_CLOEXEC);
    if (edge == MAP_FAILED || munmap(edge + PAGE, PAGE) != 0 || file < 0) {
        return -1;
    }
    memset(edge, 'e', PAGE);
    return pipe(ends);
}

static int teardown(void **state)
{
    (void)state;
    munmap(edge, PAGE);
    close(ends[0]);
    close(ends[1]);
    return close(file);
}

static void *const wild[] = {NULL,           (void *)8,  BAD_PTR, (void *)0x8000000000000000UL,
                             (void *)-4096L, (void *)-1L};

/* covers: read EFAULT write EFAULT pread64 EFAULT pwrite64 EFAULT */
static void read_and_write(void **state)
{
    (void)state;
    need_eq(write(ends[1], "xyz", 3), 3);
    need_eq(pwrite(file, "xyz", 3, 0), 3);
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_read, ends[0], wild[i], 1), -EFAULT);
        need_eq(SYS(SYS_write, ends[1], wild[i], 1), -EFAULT);
        need_eq(SYS(SYS_pread64, file, wild[i], 1, 0), -EFAULT);
        need_eq(SYS(SYS_pwrite64, file, wild[i], 1, 0), -EFAULT);
    }
    /* Nothing was taken out of the pipe. */
    char text[4] = "";
    need_eq(read(ends[0], text, 3), 3);
    need_eq(memcmp(text, "xyz", 3), 0);
}

/* covers: read write */
static void length_zero_looks_at_no_pointer(void **state)
{
    (void)state;
    need_eq(SYS(SYS_write, ends[1], BAD_PTR, 0), 0);
    need_eq(SYS(SYS_pread64, file, BAD_PTR, 0, 0), 0);
}

/* covers: pread64 EFAULT pwrite64 EFAULT */
static void transfer_up_to_the_edge_is_partial(void **state)
{
    char page[PAGE];

    (void)state;
    memset(page, 'f', sizeof page);
    need_eq(pwrite(file, page, sizeof page, 0), sizeof page);
    need_eq(SYS(SYS_pread64, file, edge + PAGE - 10, 100, 0), 10);
    need_eq(memcmp(edge + PAGE - 10, "ffffffffff", 10), 0);
    need_eq(edge[PAGE - 11], 'e');
    need_eq(SYS(SYS_pwrite64, file, edge + PAGE - 20, 100, 0), 20);
    need_eq(SYS(SYS_pread64, file, edge + PAGE, 1, 0), -EFAULT);
}

/* covers: readv writev preadv EFAULT */
static void vectors(void **state)
{
    struct iovec io[2] = {{edge, 4}, {edge + PAGE, 4}};
    struct iovec *at_edge = (struct iovec *)(edge + PAGE - sizeof(struct iovec));

    (void)state;
    need_eq(pwrite(file, "12345678", 8, 0), 8);
    need_eq(SYS(SYS_writev, ends[1], BAD_PTR, 1), -EFAULT);
    need_eq(SYS(SYS_readv, file, BAD_PTR, 1), -EFAULT);
    need_eq(SYS(SYS_preadv, file, io, 2, 0, 0), 4);
    need_eq(memcmp(edge, "1234", 4), 0);
    *at_edge = (struct iovec){edge, 4};
    need_eq(SYS(SYS_preadv, file, at_edge, 1, 0, 0), 4);
    need_eq(SYS(SYS_preadv, file, at_edge, 2, 0, 0), -EFAULT);
    io[0] = (struct iovec){BAD_PTR, 4};
    need_eq(SYS(SYS_preadv, file, io, 1, 0, 0), -EFAULT);
}

/* covers: open EFAULT stat EFAULT chdir EFAULT unlink EFAULT mkdir EFAULT rename EFAULT readlink
 * EFAULT access EFAULT */
static void paths(void **state)
{
    struct stat st;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_open, wild[i], O_RDONLY), -EFAULT);
        need_eq(SYS(SYS_stat, wild[i], &st), -EFAULT);
        need_eq(SYS(SYS_chdir, wild[i]), -EFAULT);
        need_eq(SYS(SYS_unlink, wild[i]), -EFAULT);
        need_eq(SYS(SYS_mkdir, wild[i], 0700), -EFAULT);
        need_eq(SYS(SYS_rename, wild[i], "x"), -EFAULT);
        need_eq(SYS(SYS_readlink, wild[i], edge, 10), -EFAULT);
        need_eq(SYS(SYS_access, wild[i], F_OK), -EFAULT);
    }
    /* A path without end before the edge, and one that ends exactly there. */
    need_eq(SYS(SYS_open, edge + PAGE - 5, O_RDONLY), -EFAULT);
    memcpy(edge + PAGE - 2, "/", 2);
    need_eq(SYS(SYS_stat, edge + PAGE - 2, &st), 0);
}

/* covers: stat EFAULT fstat EFAULT uname EFAULT getcwd EFAULT pipe2 EFAULT times EFAULT
 * getrusage EFAULT getrlimit EFAULT sysinfo EFAULT */
static void results(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_stat, "/", wild[i]), -EFAULT);
        need_eq(SYS(SYS_fstat, file, wild[i]), -EFAULT);
        need_eq(SYS(SYS_uname, wild[i]), -EFAULT);
        need_eq(SYS(SYS_getcwd, wild[i], 4096), -EFAULT);
        need_eq(SYS(SYS_pipe2, wild[i], 0), -EFAULT);
        need_eq(SYS(SYS_getrusage, RUSAGE_SELF, wild[i]), -EFAULT);
        need_eq(SYS(SYS_getrlimit, RLIMIT_NOFILE, wild[i]), -EFAULT);
        need_eq(SYS(SYS_sysinfo, wild[i]), -EFAULT);
        if (wild[i]) {
            need_eq(SYS(SYS_times, wild[i]), -EFAULT);
        }
    }
}

/* covers: pipe2 */
static void failed_pipe_leaves_no_descriptor(void **state)
{
    int before = dup(0), after;

    (void)state;
    need(before >= 0);
    close(before);
    need_eq(SYS(SYS_pipe2, BAD_PTR, 0), -EFAULT);
    after = dup(0);
    need_eq(after, before);
    close(after);
}

/* covers: clock_gettime EFAULT nanosleep EFAULT clock_nanosleep EFAULT setitimer EFAULT */
static void times_and_clocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_clock_gettime, CLOCK_MONOTONIC, wild[i]), -EFAULT);
        need_eq(SYS(SYS_nanosleep, wild[i], NULL), -EFAULT);
        need_eq(SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, wild[i], NULL), -EFAULT);
        if (wild[i]) {
            need_eq(SYS(SYS_setitimer, ITIMER_REAL, wild[i], NULL), -EFAULT);
        }
    }
}

/* covers: poll select epoll_ctl epoll_wait EFAULT */
static void readiness(void **state)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLOUT};

    (void)state;
    need(epoll >= 0);
    need_eq(SYS(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[1], BAD_PTR), -EFAULT);
    need_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event), 0);
    need_eq(SYS(SYS_epoll_wait, epoll, BAD_PTR, 1, 0), -EFAULT);
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_poll, wild[i], 1, 0), -EFAULT);
    }
    need_eq(SYS(SYS_select, 1, BAD_PTR, NULL, NULL, NULL), -EFAULT);
    need_eq(SYS(SYS_select, 0, NULL, NULL, NULL, BAD_PTR), -EFAULT);
    close(epoll);
}

/* covers: bind EFAULT sendto EFAULT recvfrom EFAULT getsockname EFAULT socketpair EFAULT recvmsg
 * EFAULT */
static void sockets(void **state)
{
    int fd[2], size = 16;

    (void)state;
    need_eq(SYS(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD_PTR), -EFAULT);
    need_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    need_eq(write(fd[1], "m", 1), 1);
    need_eq(SYS(SYS_bind, fd[0], BAD_PTR, 16), -EFAULT);
    need_eq(SYS(SYS_sendto, fd[0], BAD_PTR, 1, 0, NULL, 0), -EFAULT);
    need_eq(SYS(SYS_recvfrom, fd[0], BAD_PTR, 1, 0, NULL, NULL), -EFAULT);
    need_eq(SYS(SYS_getsockname, fd[0], BAD_PTR, &size), -EFAULT);
    need_eq(SYS(SYS_getsockname, fd[0], edge, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_recvmsg, fd[0], BAD_PTR, 0), -EFAULT);
    close(fd[0]);
    close(fd[1]);
}

/* covers: rt_sigaction EFAULT rt_sigprocmask EFAULT sched_getaffinity EFAULT prlimit64 EFAULT
 * capget EFAULT */
static void process_state_calls(void **state)
{
    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(wild); i++) {
        need_eq(SYS(SYS_rt_sigaction, SIGUSR1, wild[i], NULL, 8), -EFAULT);
        need_eq(SYS(SYS_rt_sigprocmask, SIG_BLOCK, wild[i], NULL, 8), -EFAULT);
        need_eq(SYS(SYS_sched_getaffinity, 0, 128, wild[i]), -EFAULT);
        need_eq(SYS(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, wild[i]), -EFAULT);
        need_eq(SYS(SYS_capget, wild[i], NULL), -EFAULT);
    }
}

/* covers: getrandom EFAULT */
static void random_bytes(void **state)
{
    (void)state;
    need_eq(SYS(SYS_getrandom, BAD_PTR, 16, 0), -EFAULT);
    need_eq(SYS(SYS_getrandom, edge + PAGE - 16, 16, 0), 16);
}

/* covers: write EFAULT */
static void write_of_more_than_the_address_space(void **state)
{
    (void)state;
    need_eq(SYS(SYS_write, ends[1], BAD_PTR, 1L << 40), -EFAULT);
    need_eq(SYS(SYS_pwrite64, file, edge, -1L, 0) < 0, 1);
}

int main(void)
{
#define with_edge(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_edge(read_and_write),
        with_edge(length_zero_looks_at_no_pointer),
        with_edge(transfer_up_to_the_edge_is_partial),
        with_edge(vectors),
        with_edge(paths),
        with_edge(results),
        with_edge(failed_pipe_leaves_no_descriptor),
        with_edge(times_and_clocks),
        with_edge(readiness),
        with_edge(sockets),
        with_edge(process_state_calls),
        with_edge(random_bytes),
        with_edge(write_of_more_than_the_address_space),
    };

    return cmocka_run_group_tests_name("mm/efault", tests, NULL, NULL);
}
