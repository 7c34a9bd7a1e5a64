/* kernel/ipc/pipe.c: pipe(7), fifo(7): the ends, how they are opened, and the size; pipe_io.c moves the bytes. */
#include "ipc/pipe_internal.h"

#include "base/errno.h"
#include "cred/cred.h"
#include "ipc/pipe.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "vfs/vfs.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/signal.h>

#define PIPE_SIZE     65536U
#define PIPE_SIZE_MAX 1048576U /* /proc/sys/fs/pipe-max-size */

static struct pipe *pipe_create(void)
{
    struct pipe *pipe = kzalloc(sizeof(*pipe));
    u64 pages = pipe ? pages_alloc(PIPE_SIZE, PAGE_SIZE, PAGES_LAZY) : PAGES_NONE;

    if (pages == PAGES_NONE) {
        kfree(pipe);
        return NULL;
    }
    refcount_init(&pipe->ref, 1);
    spin_init(&pipe->lock, PIPE);
    pipe->ring = pages_address(pages);
    pipe->size = PIPE_SIZE;
    waitq_init(&pipe->readable, "pipe read");
    waitq_init(&pipe->writable, "pipe write");
    return pipe;
}

static void pipe_put(struct pipe *pipe)
{
    if (!refcount_put(&pipe->ref))
        return;
    pages_free(pages_offset(pipe->ring), pipe->size);
    packets_release(&pipe->packets);
    kfree(pipe);
}

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *pipe = file->private;
    u32 mask = 0;

    if (file->mode & FILE_READ)
        poll_wait(file, &pipe->readable, table);
    if (file->mode & FILE_WRITE)
        poll_wait(file, &pipe->writable, table);
    spin_lock(&pipe->lock);
    if (file->mode & FILE_READ) {
        if (pipe_fill(pipe))
            mask |= POLLIN | POLLRDNORM;
        if (!pipe->writers && pipe->writer_opens)
            mask |= POLLHUP;
    }
    if (file->mode & FILE_WRITE) {
        if (pipe_space(pipe) >= PIPE_BUF)
            mask |= POLLOUT | POLLWRNORM;
        if (!pipe->readers)
            mask |= POLLERR;
    }
    spin_unlock(&pipe->lock);
    return mask;
}

static long pipe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct pipe *pipe = file->private;
    int fill;

    if (cmd != FIONREAD)
        return -ENOTTY;
    spin_lock(&pipe->lock);
    fill = (int)pipe_fill(pipe);
    spin_unlock(&pipe->lock);
    return put_user(fill, (int __user *)arg);
}

/* --- F_SETPIPE_SZ, F_GETPIPE_SZ: fcntl(2) -------------------------------------------------------------------- */

static void take_turns(struct pipe *pipe)
{
    spin_lock(&pipe->lock);
    wait_event_kind(&pipe->readable, &pipe->lock, !pipe->reading, WAIT_UNINTERRUPTIBLE,
                    KTIME_FOREVER);
    pipe->reading = true;
    wait_event_kind(&pipe->writable, &pipe->lock, !pipe->writing, WAIT_UNINTERRUPTIBLE,
                    KTIME_FOREVER);
    pipe->writing = true;
    spin_unlock(&pipe->lock);
}

static void give_turns(struct pipe *pipe)
{
    spin_lock(&pipe->lock);
    pipe->reading = pipe->writing = false;
    spin_unlock(&pipe->lock);
    waitq_wake(&pipe->readable, 0);
    waitq_wake(&pipe->writable, 0);
}

static u32 size_round(unsigned long asked)
{
    u32 size = PAGE_SIZE;

    while (size < asked)
        size *= 2;
    return size;
}

static long pipe_resize(struct pipe *pipe, unsigned long asked)
{
    u32 size, fill, old_size;
    struct iter it;
    u8 *old;
    u64 pages;

    if (asked > BIT(31))
        return -EINVAL;
    size = size_round(asked);
    if (size > PIPE_SIZE_MAX && !cred_capable(self()->cred, CAP_SYS_RESOURCE))
        return -EPERM;
    pages = pages_alloc(size, PAGE_SIZE, PAGES_LAZY);
    if (pages == PAGES_NONE)
        return -ENOMEM;
    take_turns(pipe);
    fill = pipe_fill(pipe);
    if (fill > size || pipe->packets.count > size / PAGE_SIZE) {
        give_turns(pipe);
        pages_free(pages, size);
        return -EBUSY;
    }
    iter_init_kernel(&it, false, pages_address(pages), fill);
    pipe_ring_move(pipe, pipe->tail, fill, &it, false);
    old = pipe->ring;
    old_size = pipe->size;
    spin_lock(&pipe->lock);
    pipe->ring = pages_address(pages);
    pipe->size = size;
    packets_rebase(&pipe->packets, pipe->tail);
    pipe->tail = 0;
    pipe->head = fill;
    spin_unlock(&pipe->lock);
    give_turns(pipe);
    pages_free(pages_offset(old), old_size);
    return size;
}

static long pipe_fcntl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct pipe *pipe = file->private;

    switch (cmd) {
    case F_SETPIPE_SZ:
        return pipe_resize(pipe, arg);
    case F_GETPIPE_SZ:
        return READ_ONCE(pipe->size);
    default:
        return -EINVAL;
    }
}

/* --- ends ------------------------------------------------------------------------------------------------- */

static void end_open(struct pipe *pipe, u32 mode)
{
    if (mode & FILE_READ) {
        pipe->readers++;
        pipe->reader_opens++;
    }
    if (mode & FILE_WRITE) {
        pipe->writers++;
        pipe->writer_opens++;
    }
}

static void end_close(struct pipe *pipe, u32 mode)
{
    spin_lock(&pipe->lock);
    if (mode & FILE_READ)
        pipe->readers--;
    if (mode & FILE_WRITE)
        pipe->writers--;
    spin_unlock(&pipe->lock);
    /* the last reader's end is news for writers, and the other way round */
    waitq_wake(&pipe->readable, POLLHUP | POLLIN | POLLERR);
    waitq_wake(&pipe->writable, POLLERR | POLLOUT | POLLHUP);
}

static void pipe_release(struct file *file);

static const struct file_ops pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .fcntl = pipe_fcntl,
    .release = pipe_release,
    .async = true,
};

static struct file *pipe_end(struct pipe *pipe, struct inode *inode, int flags)
{
    struct file *file = file_create_anon(&pipe_ops, inode, flags, pipe);

    if (IS_ERR(file))
        return file;
    refcount_get(&pipe->ref);
    end_open(pipe, file->mode);
    return file;
}

/* The pipe of an inode, for a FIFO made by the first opener; inode->lock guards inode->endpoint. */
static struct pipe *fifo_pipe(struct inode *inode)
{
    struct pipe *pipe;

    inode_lock(inode);
    pipe = inode->endpoint;
    if (pipe)
        refcount_get(&pipe->ref);
    else
        inode->endpoint = pipe = pipe_create();
    inode_unlock(inode);
    return pipe;
}

static void fifo_put(struct inode *inode, struct pipe *pipe)
{
    inode_lock(inode);
    if (refcount_read(&pipe->ref) == 1)
        inode->endpoint = NULL;
    pipe_put(pipe);
    inode_unlock(inode);
}

static int pipe_ends(int flags, struct file *ends[2])
{
    struct pipe *pipe = pipe_create();
    struct inode *inode = pipe ? inode_create_anon(S_IFIFO | 0600, &pipe_ops) : NULL;
    int err = 0;

    if (!inode) {
        if (pipe)
            pipe_put(pipe);
        return -ENFILE;
    }
    pipe->anonymous = true;
    inode->endpoint = pipe; /* for those that open it again by /proc/PID/fd */
    ends[0] = pipe_end(pipe, inode_get(inode), O_RDONLY | (flags & O_NONBLOCK));
    if (IS_ERR(ends[0])) {
        err = (int)PTR_ERR(ends[0]);
    } else {
        ends[1] = pipe_end(pipe, inode_get(inode), O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
        if (IS_ERR(ends[1])) {
            err = (int)PTR_ERR(ends[1]);
            file_put(ends[0]);
        }
    }
    fifo_put(inode, pipe);
    inode_put(inode);
    return err;
}

long sys_pipe2(int __user *pipefd, int flags)
{
    struct file *ends[2] = {NULL, NULL};
    int fds[2], err;

    if (flags & ~(O_CLOEXEC | O_DIRECT | O_NONBLOCK))
        return -EINVAL;
    err = pipe_ends(flags, ends);
    if (err)
        return err;
    fds[0] = fd_reserve(0, flags & O_CLOEXEC);
    fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(0, flags & O_CLOEXEC);
    err = fds[1] < 0 ? fds[1] : copy_to_user(pipefd, fds, sizeof(fds));
    if (err) {
        if (fds[0] >= 0)
            fd_release(fds[0]);
        if (fds[0] >= 0 && fds[1] >= 0)
            fd_release(fds[1]);
        file_put(ends[0]);
        file_put(ends[1]);
        return err;
    }
    fd_install(fds[0], ends[0]);
    fd_install(fds[1], ends[1]);
    return 0;
}

long sys_pipe(int __user *pipefd)
{
    return sys_pipe2(pipefd, 0);
}

/* --- FIFOs: fifo(7) ------------------------------------------------------------------------------------------- */

static int fifo_wait(struct pipe *pipe, u32 mode)
{
    int err = 0;

    if (mode == FILE_READ) {
        u32 seen = pipe->writer_opens;
        err = wait_event(&pipe->readable, &pipe->lock, pipe->writers || pipe->writer_opens != seen,
                         KTIME_FOREVER);
    } else if (mode == FILE_WRITE) {
        u32 seen = pipe->reader_opens;
        err = wait_event(&pipe->writable, &pipe->lock, pipe->readers || pipe->reader_opens != seen,
                         KTIME_FOREVER);
    }
    return err ? -ERESTARTSYS : 0;
}

static int fifo_open(struct inode *inode, struct file *file)
{
    struct pipe *pipe = fifo_pipe(inode);
    u32 mode = file->mode & (FILE_READ | FILE_WRITE);
    int err = 0;

    if (!pipe)
        return -ENOMEM;
    spin_lock(&pipe->lock);
    if (mode == FILE_WRITE && file_nonblocking(file) && !pipe->readers && !pipe->anonymous) {
        err = -ENXIO;
    } else {
        end_open(pipe, mode);
        waitq_wake(&pipe->readable, 0);
        waitq_wake(&pipe->writable, 0);
        if (!file_nonblocking(file) && !pipe->anonymous)
            err = fifo_wait(pipe, mode);
    }
    spin_unlock(&pipe->lock);
    if (err) {
        if (err != -ENXIO)
            end_close(pipe, mode);
        fifo_put(inode, pipe);
        return err;
    }
    file->private = pipe;
    return 0;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->private;

    if (!pipe)
        return; /* it was never open */
    end_close(pipe, file->mode);
    fifo_put(file->inode, pipe);
}

static const struct file_ops fifo_file_ops = {
    .open = fifo_open,
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .fcntl = pipe_fcntl,
    .release = pipe_release,
    .async = true,
};

bool file_is_pipe(const struct file *file)
{
    return file->ops == &pipe_ops || file->ops == &fifo_file_ops;
}

bool pipe_same(const struct file *a, const struct file *b)
{
    return a->private == b->private;
}

void pipe_start(void)
{
    fifo_ops = &fifo_file_ops;
}
