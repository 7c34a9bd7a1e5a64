/*
 * kernel/ipc/splice.c: splice(2), tee(2), vmsplice(2). Between a pipe's ring and a file the bytes are copied once,
 * and never through the program.
 */
#include "abi/unexported.h"
#include "base/errno.h"
#include "ipc/pipe.h"
#include "syscall_proto.h"
#include "vfs/vfs.h"

#include <linux/uio.h>

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* The file that is not the pipe, and where in it: NULL for its own position. */
struct other {
    struct file *file;
    loff_t *pos;
};

static ssize_t take_to_file(void *arg, struct iter *piece)
{
    struct other *out = arg;

    return file_write(out->file, piece, out->pos);
}

static ssize_t put_from_file(void *arg, struct iter *piece)
{
    struct other *in = arg;

    return file_read(in->file, piece, in->pos);
}

/* For SPLICE_F_NONBLOCK: would this end wait? */
static bool would_wait(struct file *file, u32 ready)
{
    return !(file_poll(file, NULL) & (ready | POLLHUP | POLLERR));
}

static int position_get(struct file *file, loff_t __user *user, loff_t *pos)
{
    int err;

    if (!user)
        return 0;
    if (file_is_pipe(file))
        return -ESPIPE;
    err = get_user(*pos, user);
    return err ? err : *pos < 0 || (file->mode & FILE_STREAM) ? -EINVAL : 0;
}

/* More than one turn only while nothing has to be waited for. */
static ssize_t repeat(struct file *pipe, bool from_pipe, struct other *other, size_t len)
{
    ssize_t done = 0, n;

    do {
        size_t left = len - (size_t)done;

        if (done && would_wait(pipe, from_pipe ? POLLIN : POLLOUT))
            break;
        n = from_pipe ? pipe_drain(pipe, left, true, take_to_file, other)
                      : pipe_fill_by(pipe, left, put_from_file, other);
        if (n > 0)
            done += n;
    } while (n > 0 && (size_t)done < len && inode_is(other->file->inode, S_IFREG));
    return done ? done : n;
}

static ssize_t splice_files(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos,
                            size_t len, unsigned int flags)
{
    bool from_pipe = file_is_pipe(in), to_pipe = file_is_pipe(out);

    if (!from_pipe && !to_pipe)
        return -EINVAL;
    if (from_pipe && to_pipe && pipe_same(in, out))
        return -EINVAL;
    if (!file_splices(in) || !file_splices(out))
        return -EINVAL;
    if (!to_pipe && (file_flags(out) & O_APPEND))
        return -EINVAL;
    if (flags & SPLICE_F_NONBLOCK) {
        if (from_pipe && would_wait(in, POLLIN))
            return -EAGAIN;
        if (to_pipe && would_wait(out, POLLOUT))
            return -EAGAIN;
    }
    if (from_pipe)
        return repeat(in, true, &(struct other){out, out_pos}, len);
    return repeat(out, false, &(struct other){in, in_pos}, len);
}

static int ends_check(const struct file *in, const struct file *out)
{
    return in && (in->mode & FILE_READ) && out && (out->mode & FILE_WRITE) ? 0 : -EBADF;
}

long sys_splice(int in_nr, loff_t __user *in_user, int out_nr, loff_t __user *out_user, size_t len,
                unsigned int flags)
{
    AUTO_FD in = {0};
    AUTO_FD out = {0};
    loff_t in_pos = 0, out_pos = 0;
    ssize_t n;
    int err;

    if (len == 0)
        return 0;
    if (flags & ~(unsigned int)SPLICE_FLAGS)
        return -EINVAL;
    in = fd_borrow(in_nr);
    out = fd_borrow(out_nr);
    if (!in.file || !out.file)
        return -EBADF;
    if ((in_user && file_is_pipe(in.file)) || (out_user && file_is_pipe(out.file)))
        return -ESPIPE;
    err = ends_check(in.file, out.file);
    if (!err)
        err = position_get(in.file, in_user, &in_pos);
    if (!err)
        err = position_get(out.file, out_user, &out_pos);
    if (err)
        return err;
    n = splice_files(in.file, in_user ? &in_pos : NULL, out.file, out_user ? &out_pos : NULL,
                     MIN(len, (size_t)INT32_MAX), flags);
    if (n > 0 && in_user && put_user(in_pos, in_user))
        return -EFAULT;
    if (n > 0 && out_user && put_user(out_pos, out_user))
        return -EFAULT;
    return n;
}

long sys_tee(int in_nr, int out_nr, size_t len, unsigned int flags)
{
    AUTO_FD in = {0};
    AUTO_FD out = {0};
    int err;

    if (flags & ~(unsigned int)SPLICE_FLAGS)
        return -EINVAL;
    if (len == 0)
        return 0;
    in = fd_borrow(in_nr);
    out = fd_borrow(out_nr);
    err = ends_check(in.file, out.file);
    if (err)
        return err;
    if (!file_is_pipe(in.file) || !file_is_pipe(out.file) || pipe_same(in.file, out.file))
        return -EINVAL;
    if ((flags & SPLICE_F_NONBLOCK) &&
        (would_wait(in.file, POLLIN) || would_wait(out.file, POLLOUT)))
        return -EAGAIN;
    return pipe_drain(in.file, len, false, take_to_file, &(struct other){.file = out.file});
}

long sys_vmsplice(int nr, const struct iovec __user *vec, unsigned long n, unsigned int flags)
{
    AUTO_FD fd = {0};
    struct iter it;
    bool write;
    long done;

    if (flags & ~(unsigned int)SPLICE_FLAGS)
        return -EINVAL;
    fd = fd_borrow(nr);
    if (!fd.file || !(fd.file->mode & (FILE_READ | FILE_WRITE)))
        return -EBADF;
    write = fd.file->mode & FILE_WRITE;
    done = iter_init_vector(&it, write, vec, n);
    if (done)
        return done;
    if (iter_left(&it) == 0)
        done = 0;
    else if (!file_is_pipe(fd.file))
        done = -EBADF;
    else if ((flags & SPLICE_F_NONBLOCK) && would_wait(fd.file, write ? POLLOUT : POLLIN))
        done = -EAGAIN;
    else
        done = write ? file_write(fd.file, &it, NULL) : file_read(fd.file, &it, NULL);
    iter_release(&it);
    return done;
}
