/*
 * kernel/ipc/aio.c: asynchronous requests: io_setup(2), io_submit(2), io_getevents(2), io_pgetevents, io_cancel(2),
 * io_destroy(2). As on Linux without O_DIRECT, a transfer is done by the time that io_submit(2) returns.
 */
#include "base/errno.h"
#include "host/clock.h"
#include "ipc/aio_internal.h"
#include "ipc/eventfd.h"
#include "mm/memobj.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "time/time.h"
#include "vfs/files.h"
#include "vfs/poll_wait.h"

#define REQUEST_KEY 0          /* what aio_key is while a request is the kernel's */
#define EVENTS_MAX  (1U << 23) /* what io_setup(2) takes for a number at all */

long sys_io_setup(unsigned int nr_events, unsigned long __user *ctx_idp)
{
    struct aio_context *ctx;
    unsigned long id;
    u64 address;
    int err = get_user(id, ctx_idp);

    if (err)
        return err;
    if (id || !nr_events || nr_events > EVENTS_MAX)
        return -EINVAL;
    ctx = aio_create(nr_events, &address);
    if (IS_ERR(ctx))
        return PTR_ERR(ctx);
    id = address;
    err = put_user(id, ctx_idp);
    if (err && aio_kill(ctx))
        (void)mm_unmap(address, memobj_size(ctx->obj));
    aio_put(ctx);
    return err;
}

long sys_io_destroy(unsigned long ctx_id)
{
    AUTO(aio_put) struct aio_context *ctx = aio_lookup(ctx_id);

    if (!ctx || !aio_kill(ctx))
        return -EINVAL;
    (void)mm_unmap(ctx_id, memobj_size(ctx->obj));
    return 0;
}

/* ---- one request ---- */

static int check_request(const struct iocb *iocb)
{
    if (iocb->aio_reserved2 || (s64)iocb->aio_nbytes < 0)
        return -EINVAL;
    return 0;
}

static int check_priority(const struct iocb *iocb)
{
    return iocb->aio_flags & IOCB_FLAG_IOPRIO ? ioprio_check((u16)iocb->aio_reqprio) : 0;
}

/* The buffer or the vector of a transfer. -EFAULT, -EINVAL. */
static int transfer_iter(const struct iocb *iocb, bool write, bool vector, struct iter *it)
{
    void __user *buf = (void __user *)iocb->aio_buf;

    if (vector)
        return iter_init_vector(it, write, (const struct iovec __user *)buf, iocb->aio_nbytes);
    if (!user_range_ok(buf, iocb->aio_nbytes))
        return -EFAULT;
    iter_init_user(it, write, buf, iocb->aio_nbytes);
    return 0;
}

/* 0, and what the event is to say; or why there is no request. */
static int transfer(const struct iocb *iocb, struct file *file, bool write, bool vector,
                    s64 *result)
{
    loff_t pos = iocb->aio_offset;
    bool stream = file->mode & FILE_STREAM;
    struct iter it;
    int err = check_priority(iocb);

    if (!err)
        err = rwf_check(file, iocb->aio_rw_flags);
    if (err)
        return err;
    if (!(file->mode & (write ? FILE_WRITE : FILE_READ)))
        return -EBADF;
    if (write ? !file->ops->write : !file->ops->read)
        return -EINVAL;
    if (!stream && pos < 0)
        return -EINVAL;
    err = transfer_iter(iocb, write, vector, &it);
    if (err)
        return err;
    *result = file_transfer(file, &it, stream ? NULL : &pos, iocb->aio_rw_flags);
    iter_release(&it);
    /* Other requests of the call are done already, so it is not made again. */
    if (*result <= -ERESTARTSYS)
        *result = -EINTR;
    return 0;
}

static int sync(const struct iocb *iocb, struct file *file, bool data_only, s64 *result)
{
    if (iocb->aio_buf || iocb->aio_offset || iocb->aio_nbytes || iocb->aio_rw_flags ||
        !file->ops->fsync)
        return -EINVAL;
    *result = file->ops->fsync(file, 0, INT64_MAX, data_only);
    return 0;
}

static int carry_out(const struct iocb *iocb, struct file *file, s64 *result)
{
    switch (iocb->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
        return transfer(iocb, file, false, iocb->aio_lio_opcode == IOCB_CMD_PREADV, result);
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
        return transfer(iocb, file, true, iocb->aio_lio_opcode == IOCB_CMD_PWRITEV, result);
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        return sync(iocb, file, iocb->aio_lio_opcode == IOCB_CMD_FDSYNC, result);
    default:
        return -EINVAL;
    }
}

/* The eventfd that is to be told, counted; NULL: none is. */
static struct file *told_file(const struct iocb *iocb)
{
    struct file *told;

    if (!(iocb->aio_flags & IOCB_FLAG_RESFD))
        return NULL;
    told = fd_file((int)iocb->aio_resfd);
    if (!told)
        return ERR_PTR(-EBADF);
    if (file_is_eventfd(told))
        return told;
    file_put(told);
    return ERR_PTR(-EINVAL);
}

/* With a place in the ring. */
static int start(struct aio_context *ctx, const struct iocb *iocb, struct iocb __user *user)
{
    AUTO(file_put) struct file *file = fd_file((int)iocb->aio_fildes);
    struct aio_request request = {.obj = (u64)(uintptr_t)user, .data = iocb->aio_data};
    s64 result;
    int err;

    if (!file)
        return -EBADF;
    request.told = told_file(iocb);
    if (IS_ERR(request.told))
        return (int)PTR_ERR(request.told);
    err = put_user((u32)REQUEST_KEY, &user->aio_key);
    if (!err && iocb->aio_lio_opcode == IOCB_CMD_POLL) {
        err = aio_poll_submit(ctx, iocb, file, &request);
    } else if (!err) {
        err = carry_out(iocb, file, &result);
        if (!err)
            aio_complete(ctx, &request, result);
    }
    if (err && request.told)
        file_put(request.told);
    return err;
}

static int submit(struct aio_context *ctx, struct iocb __user *user)
{
    struct iocb iocb;
    int err;

    if (copy_from_user(&iocb, user, sizeof(iocb)))
        return -EFAULT;
    err = check_request(&iocb);
    if (!err)
        err = aio_reserve(ctx);
    if (err)
        return err;
    err = start(ctx, &iocb, user);
    if (err)
        aio_unreserve(ctx);
    return err;
}

long sys_io_submit(unsigned long ctx_id, long nr, void __user *const __user *iocbpp)
{
    AUTO(aio_put) struct aio_context *ctx = nr < 0 ? NULL : aio_lookup(ctx_id);
    void __user *one;
    long done;
    int err = 0;

    if (!ctx)
        return -EINVAL;
    nr = MIN(nr, (long)ctx->nr);
    for (done = 0; done < nr; done++) {
        err = get_user(one, iocbpp + done);
        if (!err)
            err = submit(ctx, one);
        if (err)
            break;
    }
    return done ? done : err;
}

/* As on Linux, who was cancelled has its event in the ring, and the call says that it is on its way. */
long sys_io_cancel(unsigned long ctx_id, const struct iocb __user *iocb,
                   struct io_event __user *result)
{
    AUTO(aio_put) struct aio_context *ctx = NULL;
    u32 key;

    (void)result;
    if (get_user(key, &iocb->aio_key))
        return -EFAULT;
    if (key != REQUEST_KEY)
        return -EINVAL;
    ctx = aio_lookup(ctx_id);
    return ctx && aio_poll_cancel(ctx, (u64)(uintptr_t)iocb) ? -EINPROGRESS : -EINVAL;
}

/* ---- events ---- */

static long get_events(unsigned long ctx_id, long least, long most, struct io_event __user *events,
                       ktime deadline)
{
    AUTO(aio_put) struct aio_context *ctx = aio_lookup(ctx_id);

    if (!ctx || least < 0 || most < least)
        return -EINVAL;
    return aio_read(ctx, least, most, events, deadline);
}

long sys_io_getevents(unsigned long ctx_id, long min_nr, long nr, struct io_event __user *events,
                      const struct timespec __user *timeout)
{
    ktime deadline;
    int err = poll_deadline(timeout, &deadline);

    return err ? err : get_events(ctx_id, min_nr, nr, events, deadline);
}

long sys_io_pgetevents(unsigned long ctx_id, long min_nr, long nr, struct io_event __user *events,
                       const struct timespec __user *timeout,
                       const struct __aio_sigset __user *usig)
{
    struct {
        const void __user *mask;
        size_t size;
    } given = {0};
    ktime deadline;
    long n = poll_deadline(timeout, &deadline);

    if (!n && usig)
        n = copy_from_user(&given, usig, sizeof(given));
    if (!n)
        n = signal_mask_temporary(given.mask, given.size);
    if (n)
        return n;
    n = get_events(ctx_id, min_nr, nr, events, deadline);
    if (n != -EINTR)
        signal_mask_restore();
    return n;
}
