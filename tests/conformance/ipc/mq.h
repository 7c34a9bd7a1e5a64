/* mq.h: POSIX message queues, for the tests of mq_overview(7). */
#ifndef IPC_MQ_H
#define IPC_MQ_H

#include "../lib/check.h"

#include <mqueue.h>

/* The queue of the case; the kernel's calls take its name without the slash. */
static char name[64];

/* Takes a name that no other case and no other run uses. */
static inline void name_new(void)
{
    snprintf(name, sizeof name, "conformance.%d.%lld", getpid(), (long long)now_ns());
}

static inline int do_open(int flags, mode_t mode, struct mq_attr *attr)
{
    return (int)syscall(SYS_mq_open, name, flags, mode, attr);
}

static inline long do_unlink(void)
{
    return syscall(SYS_mq_unlink, name);
}

/* Skips where the running kernel has no queues. */
static inline int new_queue(int flags, long count, long size)
{
    struct mq_attr attr = {.mq_maxmsg = count, .mq_msgsize = size};

    need_call(syscall(SYS_mq_unlink, "none"));
    name_new();
    return must(do_open(O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr));
}

static inline long put(int mq, const char *text, unsigned priority, struct timespec *deadline)
{
    return syscall(SYS_mq_timedsend, mq, text, strlen(text), priority, deadline);
}

static inline long take(int mq, char *buffer, size_t size, unsigned *priority,
                        struct timespec *deadline)
{
    return syscall(SYS_mq_timedreceive, mq, buffer, size, priority, deadline);
}

static inline void assert_next(int mq, const char *text, unsigned priority)
{
    char buffer[64];
    unsigned seen = ~0u;

    assert_returns(take(mq, buffer, sizeof buffer, &seen, NULL), strlen(text));
    assert_memory_equal(buffer, text, strlen(text));
    assert_int_equal(seen, priority);
}

static inline void drop(int mq)
{
    must(close(mq));
    must(do_unlink());
}

#endif
