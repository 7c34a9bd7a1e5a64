/* target/mock/ready.c: the host's readiness queue. */
#include "internal.h"

#include <linux/poll.h>

#define WATCHES 64

static struct {
    pthread_mutex_t lock; /* the table; taken inside of the sleepers' lock */
    struct watch {
        bool used, news;
        int file;
        uint64_t cookie;
    } at[WATCHES];
} watches = {.lock = PTHREAD_MUTEX_INITIALIZER};

void ready_reset(void)
{
    for (int i = 0; i < WATCHES; i++)
        watches.at[i].used = false;
}

/* What holds for a descriptor of either kind; -EPERM: it is a file, which is always ready. */
static int ready_bits(int file)
{
    if (file >= 0 && file <= 2)
        return console_ready(file);
    return file_is_open(file) ? -EPERM : socket_ready(file);
}

int target_poll(int file, int events)
{
    int bits = ready_bits(file);

    RESULT(poll,
           bits < 0 ? events & (POLLIN | POLLOUT) : bits & (events | POLLERR | POLLHUP | POLLNVAL));
}

void ready_news(int file)
{
    pthread_mutex_lock(&watches.lock);
    for (int i = 0; i < WATCHES; i++)
        if (watches.at[i].used && watches.at[i].file == file)
            watches.at[i].news = true;
    pthread_mutex_unlock(&watches.lock);
    sched_event();
}

static int watch_add(int file, uint64_t cookie)
{
    int bits = ready_bits(file), err = -ENOSPC;

    if (bits < 0 || bits & POLLNVAL)
        return bits < 0 ? bits : -EBADF;
    pthread_mutex_lock(&watches.lock);
    for (int i = 0; i < WATCHES && err; i++) {
        if (!watches.at[i].used) {
            watches.at[i] =
                (struct watch){.used = true, .news = bits, .file = file, .cookie = cookie};
            err = 0;
        }
    }
    pthread_mutex_unlock(&watches.lock);
    if (!err)
        sched_event();
    return err;
}

int target_ready_add(int file, uint64_t cookie)
{
    RESULT(ready_add, request_fails("watch", ASKER) ? -ENOMEM : watch_add(file, cookie));
}

void target_ready_remove(int file)
{
    pthread_mutex_lock(&watches.lock);
    for (int i = 0; i < WATCHES; i++)
        if (watches.at[i].file == file)
            watches.at[i].used = false;
    pthread_mutex_unlock(&watches.lock);
}

struct taking {
    struct target_ready *out;
    uint32_t n, got;
};

static bool take(void *arg)
{
    struct taking *t = arg;

    pthread_mutex_lock(&watches.lock);
    for (int i = 0; i < WATCHES && t->got < t->n; i++) {
        struct watch *watch = &watches.at[i];

        if (!watch->used || !watch->news)
            continue;
        watch->news = false;
        t->out[t->got++] = (struct target_ready){.cookie = watch->cookie,
                                                 .events = (uint32_t)ready_bits(watch->file)};
    }
    pthread_mutex_unlock(&watches.lock);
    return t->got;
}

int target_ready_wait(struct target_ready *out, uint32_t n, int64_t deadline)
{
    struct taking taking = {.out = out, .n = n < TARGET_READY_MAX ? n : TARGET_READY_MAX};
    int err = 0;

    if (deadline)
        err = sched_host_wait(take, &taking, deadline);
    else
        take(&taking);
    for (uint32_t i = 0; i < taking.got; i++) {
        OFFER(ready_wait, cookie, out[i].cookie);
        OFFER(ready_wait, events, out[i].events);
    }
    RESULT(ready_wait, err == -EINTR ? -EINTR : (int)taking.got);
}
