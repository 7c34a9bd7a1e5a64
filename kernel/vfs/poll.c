/* kernel/vfs/poll.c: poll(2), ppoll(2). */
#include "base/errno.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "task/limits.h"
#include "time/time.h"
#include "vfs/files.h"
#include "vfs/poll_wait.h"

#include <linux/resource.h>

/* A round over all descriptors: how many are ready. */
static int ask_all(struct poll_set *set, struct pollfd *fds, u32 n)
{
    int ready = 0;

    for (u32 i = 0; i < n; i++) {
        struct pollfd *p = &fds[i];

        p->revents = 0;
        if (p->fd < 0)
            continue;
        AUTO_FD ref = fd_borrow(p->fd);
        if (!ref.file)
            p->revents = POLLNVAL;
        else
            p->revents = (short)poll_set_ask(set, ref.file, (u16)p->events);
        ready += p->revents != 0;
        if (ready)
            poll_set_registered(set); /* there will be no sleep */
    }
    return ready;
}

static int poll_kernel(struct pollfd *fds, u32 n, ktime deadline)
{
    struct poll_set set;
    int ready, err = 0;

    poll_set_init(&set, deadline != 0);
    for (;;) {
        poll_set_arm(&set);
        ready = ask_all(&set, fds, n);
        poll_set_registered(&set);
        if (ready || err || (deadline == 0 && !poll_set_look(&set)))
            break;
        if (deadline != 0)
            err = set.error ? set.error : poll_set_sleep(&set, deadline);
    }
    poll_set_release(&set);
    if (ready)
        return ready;
    return err == -ETIMEDOUT ? 0 : err;
}

#define POLL_ON_STACK 32

static int revents_to_user(struct pollfd __user *ufds, const struct pollfd *fds, u32 n)
{
    if (!user_range_ok(ufds, n * sizeof(*ufds)))
        return -EFAULT; /* even of no descriptors */
    for (u32 i = 0; i < n; i++)
        if (put_user(fds[i].revents, &ufds[i].revents))
            return -EFAULT;
    return 0;
}

static int poll_user(struct pollfd __user *ufds, u32 n, ktime deadline)
{
    struct pollfd few[POLL_ON_STACK], *fds = few;
    int result;

    if (n > task_rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    if (n > POLL_ON_STACK && !(fds = kmalloc(n * sizeof(*fds))))
        return -ENOMEM;
    result = copy_from_user(fds, ufds, n * sizeof(*fds));
    if (!result)
        result = poll_kernel(fds, n, deadline);
    if (result >= 0 && revents_to_user(ufds, fds, n))
        result = -EFAULT;
    if (fds != few)
        kfree(fds);
    return result;
}

static long poll_resume(struct restart_block *block)
{
    int n = poll_user((struct pollfd __user *)block->args[0], (u32)block->args[1],
                      (ktime)block->args[2]);

    return n == -EINTR ? signal_restart_with(poll_resume, block->args) : n;
}

long sys_poll(struct pollfd __user *ufds, unsigned int n, int timeout)
{
    ktime deadline = timeout < 0 ? KTIME_FOREVER
                     : timeout   ? host_deadline(timeout / 1000, timeout % 1000 * NSEC_PER_MSEC)
                                 : 0;
    u64 again[6] = {(u64)ufds, n, (u64)deadline};
    int ready = poll_user(ufds, n, deadline);

    return ready == -EINTR ? signal_restart_with(poll_resume, again) : ready;
}

long sys_ppoll(struct pollfd __user *ufds, unsigned int n, struct timespec __user *timeout,
               const sigset_t __user *mask, size_t size)
{
    ktime deadline;
    int err = poll_deadline(timeout, &deadline), ready;

    if (!err)
        err = signal_mask_temporary(mask, size);
    if (err)
        return err;
    ready = poll_user(ufds, n, deadline);
    poll_remaining(timeout, deadline);
    if (ready == -EINTR)
        return -ERESTARTNOHAND;
    signal_mask_restore();
    return ready;
}
