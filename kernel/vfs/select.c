/* kernel/vfs/select.c: select(2), pselect6(2). */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "time/time.h"
#include "vfs/files.h"
#include "vfs/poll_wait.h"

#define WORD_BITS 64

/* What each set asks for, and which answers count for it: select(2), "Correspondence between select() and poll()". */
static const struct {
    u32 ask, answer;
} sets[3] = {
    {POLLIN | POLLRDNORM | POLLRDBAND, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
    {POLLOUT | POLLWRNORM | POLLWRBAND, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
    {POLLPRI, POLLPRI},
};

struct select_args {
    u32 n, words;
    u64 *in[3]; /* NULL: not given */
    u64 *out[3];
};

static bool bit_get(const u64 *words, u32 n)
{
    return words && (words[n / WORD_BITS] >> (n % WORD_BITS) & 1);
}

/* One descriptor: how many of its sets are ready, or -EBADF. */
static int ask_one(struct poll_set *set, const struct select_args *args, u32 fd)
{
    u32 events = 0, mask;
    int ready = 0;

    for (int s = 0; s < 3; s++)
        if (bit_get(args->in[s], fd))
            events |= sets[s].ask;
    if (!events)
        return 0;
    AUTO_FD ref = fd_borrow((int)fd);
    if (!ref.file)
        return -EBADF;
    mask = poll_set_ask(set, ref.file, events);
    for (int s = 0; s < 3; s++)
        if (bit_get(args->in[s], fd) && (mask & sets[s].answer)) {
            args->out[s][fd / WORD_BITS] |= 1ULL << (fd % WORD_BITS);
            ready++;
        }
    return ready;
}

static int ask_all(struct poll_set *set, const struct select_args *args)
{
    int ready = 0;

    for (int s = 0; s < 3; s++)
        if (args->out[s])
            memset(args->out[s], 0, args->words * sizeof(u64));
    for (u32 fd = 0; fd < args->n; fd++) {
        int got = ask_one(set, args, fd);

        if (got < 0)
            return got;
        ready += got;
    }
    return ready;
}

static int select_kernel(const struct select_args *args, ktime deadline)
{
    struct poll_set set;
    int ready, err = 0;

    poll_set_init(&set, deadline != 0);
    for (;;) {
        poll_set_arm(&set);
        ready = ask_all(&set, args);
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

static int select_user(int n, unsigned long __user *const users[3], ktime deadline)
{
    struct select_args args = {.n = (u32)n, .words = ((u32)n + WORD_BITS - 1) / WORD_BITS};
    size_t bytes = args.words * sizeof(u64);
    u64 few[6 * 4], *memory = few;
    int result = 0;

    if (bytes * 6 > sizeof(few) && !(memory = kmalloc(bytes * 6)))
        return -ENOMEM;
    for (int s = 0; s < 3 && !result; s++) {
        if (!users[s])
            continue;
        args.in[s] = memory + (u32)s * args.words;
        args.out[s] = memory + (u32)(3 + s) * args.words;
        result = copy_from_user(args.in[s], users[s], bytes);
    }
    if (!result)
        result = select_kernel(&args, deadline);
    for (int s = 0; s < 3 && result >= 0; s++)
        if (users[s] && copy_to_user(users[s], args.out[s], bytes))
            result = -EFAULT;
    if (memory != few)
        kfree(memory);
    return result;
}

/* Descriptors beyond the table are not open; so many cannot be asked for anyway. */
static int select_limit(int n)
{
    struct files *files = self()->files;
    int max = (int)(READ_ONCE(files->max) + WORD_BITS - 1) / WORD_BITS * WORD_BITS;

    return n > max ? max : n;
}

long sys_select(int n, unsigned long __user *readfds, unsigned long __user *writefds,
                unsigned long __user *exceptfds, struct timeval __user *timeout)
{
    unsigned long __user *const users[3] = {readfds, writefds, exceptfds};
    ktime deadline = KTIME_FOREVER, left;
    struct timeval tv;
    int ready;

    if (timeout) {
        if (copy_from_user(&tv, timeout, sizeof(tv)))
            return -EFAULT;
        if (tv.tv_sec < 0 || tv.tv_usec < 0)
            return -EINVAL;
        deadline = tv.tv_sec || tv.tv_usec
                       ? host_deadline(tv.tv_sec + tv.tv_usec / USEC_PER_SEC,
                                       tv.tv_usec % USEC_PER_SEC * NSEC_PER_USEC)
                       : 0;
    }
    if (n < 0)
        return -EINVAL;
    ready = select_user(select_limit(n), users, deadline);
    if (timeout && deadline != KTIME_FOREVER && poll_tells_rest()) {
        left = deadline ? MAX(deadline - time_monotonic(), (ktime)0) : 0;
        tv = (struct timeval){left / NSEC_PER_SEC, left % NSEC_PER_SEC / NSEC_PER_USEC};
        (void)copy_to_user_partial(timeout, &tv, sizeof(tv));
    }
    return ready == -EINTR ? -ERESTARTNOHAND : ready;
}

long sys_pselect6(int n, unsigned long __user *readfds, unsigned long __user *writefds,
                  unsigned long __user *exceptfds, struct timespec __user *timeout,
                  const struct sigset_argpack __user *sigmask)
{
    unsigned long __user *const users[3] = {readfds, writefds, exceptfds};
    struct {
        u64 mask;
        size_t size;
    } arg = {0, 0};
    ktime deadline;
    int err = poll_deadline(timeout, &deadline), ready;

    if (!err && sigmask && copy_from_user(&arg, sigmask, sizeof(arg)))
        err = -EFAULT;
    if (!err && n < 0)
        err = -EINVAL;
    if (!err)
        err = signal_mask_temporary((const void __user *)arg.mask, arg.size);
    if (err)
        return err;
    ready = select_user(select_limit(n), users, deadline);
    poll_remaining(timeout, deadline);
    if (ready == -EINTR)
        return -ERESTARTNOHAND;
    signal_mask_restore();
    return ready;
}
