/*
 * tests/sequences/sequence.h: what every test on the mock target includes.
 *
 * A case calls sequence(script): the script runs twice in one instance, and must leave the kernel with as many
 * objects, pages and host descriptors after the second time as after the first. Scripts run on threads of
 * their own, so they use expect() instead of cmocka's assertions: what is not as expected is kept for the case, and
 * ends the script's process.
 */
#ifndef SEQUENCES_SEQUENCE_H
#define SEQUENCES_SEQUENCE_H

/* cmocka.h relies on these four. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mock.h"

#include <asm/unistd_64.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FAILED_STATUS 98

static char sequence_failure[512];
static uint32_t sequence_failed;       /* atomic: the first one is kept */
static bool sequence_tolerant;         /* of what its scripts get: memory.h */
static __thread bool sequence_watches; /* not a script, but what watches over one */

#define sequence_fail(...)                                                                         \
    do {                                                                                           \
        if ((!sequence_tolerant || sequence_watches) &&                                            \
            !__atomic_exchange_n(&sequence_failed, 1, __ATOMIC_SEQ_CST))                           \
            snprintf(sequence_failure, sizeof(sequence_failure), __VA_ARGS__);                     \
        mock_call(__NR_exit_group, FAILED_STATUS);                                                 \
    } while (0)

#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sequence_fail("%s:%d: not so: %s", __FILE__, __LINE__, #condition);                    \
    } while (0)

#define expect_equal(got, wanted)                                                                  \
    do {                                                                                           \
        long got_ = (long)(got), wanted_ = (long)(wanted);                                         \
        if (got_ != wanted_)                                                                       \
            sequence_fail("%s:%d: %s: %ld, not %ld", __FILE__, __LINE__, #got, got_, wanted_);     \
    } while (0)

static inline long must_succeed(long result, const char *file, int line, const char *what)
{
    if (result < 0)
        sequence_fail("%s:%d: %s: %s", file, line, what, strerror((int)-result));
    return result;
}

/* A call that succeeds: its result. */
#define must(call) must_succeed(call, __FILE__, __LINE__, #call)

/* Time passes when nobody runs: until all others sleep or have ended. */
static inline void let_others_run(void)
{
    must(mock_call(__NR_nanosleep, mock_put((uint64_t[]){0, 1000}, 16), 0));
}

/* What the kernel has in use that programs can make it use: caches are emptied first. */
static inline void usage(struct mock_usage *out)
{
    int fd;

    let_others_run(); /* who was reaped may not be gone yet */
    fd = (int)must(mock_call(__NR_open, mock_string("/proc/sys/vm/drop_caches"), O_WRONLY, 0));
    must(mock_call(__NR_write, fd, mock_string("3"), 1));
    must(mock_call(__NR_close, fd));
    /* sockets in flight to nobody are found when another one ends: unix(7), SCM_RIGHTS */
    must(mock_call(__NR_close, must(mock_call(__NR_socket, AF_UNIX, SOCK_DGRAM, 0))));
    mock_usage(out);
}

#include "memory.h"

static inline int sequence_main(void *arg)
{
    mock_script *script = *(mock_script **)arg;
    struct mock_usage before, after;

    script(NULL);
    usage(&before);
    script(NULL);
    usage(&after);
    if (after.objects != before.objects || after.bytes != before.bytes)
        mock_usage_print(&before);
    expect_equal(after.objects, before.objects);
    expect_equal(after.bytes, before.bytes);
    expect_equal(after.runs, before.runs);
    expect_equal(after.host_files, before.host_files);
    return 0;
}

static inline void sequence_run(const struct mock_options *options, struct mock_result *result)
{
    sequence_failed = 0;
    mock_run(options, result);
    if (sequence_failed)
        fail_msg("%s\n%s%s", sequence_failure, mock_log(), mock_output());
}

static inline void sequence_with(mock_script *script, struct mock_options options)
{
    struct mock_result result;

    if (getenv("SEQUENCE_MEMORY")) {
        memory_exhaust(script, options);
        return;
    }
    options.main = sequence_main;
    options.arg = &script;
    sequence_run(&options, &result);
    if (result.end != MOCK_EXITED || result.status)
        fail_msg("ended with %d, status %#x\n%s%s", result.end, result.status, mock_log(),
                 mock_output());
}

static inline void sequence(mock_script *script)
{
    sequence_with(script, (struct mock_options){0});
}

#endif
