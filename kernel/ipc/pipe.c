/*
 * kernel/ipc/pipe.c: pipe(7), fifo(7). The bytes stand in a ring of kernel pages. User memory is never touched under
 * the lock: a reader takes the reading turn, copies out of the part that is filled, and then moves the
 * tail; a writer likewise with the writing turn, the free part and the head. Both can be at it at once.
 */
#include "ipc/pipe.h"

#include "base/errno.h"
#include "cred/cred.h"
#include "ipc/packets.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "sync/waitq.h"
#include "syscall_proto.h"
#include "vfs/vfs.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/signal.h>

/* Not a poll bit: the turn is free, which matters to sleeping readers and writers alone. */
#define PIPE_TURN BIT(30)

#define PIPE_SIZE     65536U
#define PIPE_SIZE_MAX 1048576U /* /proc/sys/fs/pipe-max-size */

struct pipe {
    struct refcount ref;   /* open files, and a FIFO's inode while it is open */
    struct spinlock lock;  /* class PIPE: everything below */
    u8 *ring;              /* replaced only with both turns taken */
    u32 size;              /* of the ring, a power of two */
    u64 head, tail;        /* bytes ever written and read */
    bool reading, writing; /* the turns */
    struct packets packets;
    bool anonymous;       /* constant: of pipe(2); opening it anew by /proc waits for nobody */
    u32 readers, writers; /* open ends */
    u32 reader_opens, writer_opens; /* counts openings, for those that wait for the other end */
    struct waitq readable;          /* readers, and openers that wait for a writer */
    struct waitq writable;
};

static u32 pipe_fill(const struct pipe *pipe)
{
    return (u32)(pipe->head - pipe->tail);
}

static u32 pipe_space(const struct pipe *pipe)
{
    return pipe->size - pipe_fill(pipe);
}

/* As on Linux a packet takes a page of what the pipe can hold, if only in number. */
static bool has_room(const struct pipe *pipe, u32 need, bool packet)
{
    return pipe_space(pipe) >= need &&
           (!packet || pipe->packets.count < MIN(pipe->size / (u32)PAGE_SIZE, (u32)PACKETS_MAX));
}

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

/* --- the ring ------------------------------------------------------------------------------------------- */

/* Moves up to n bytes at position `at`, in one or two pieces. Bytes, or the error when there were none. */
static ssize_t ring_move(struct pipe *pipe, u64 at, u32 n, struct iter *it, bool in)
{
    u32 done = 0;

    while (done < n) {
        u32 offset = (u32)((at + done) & (pipe->size - 1));
        u32 piece = MIN(n - done, pipe->size - offset);
        ssize_t moved = in ? copy_from_iter(it, pipe->ring + offset, piece)
                           : copy_to_iter(it, pipe->ring + offset, piece);

        if (moved < 0)
            return done ? (ssize_t)done : moved;
        done += (u32)moved;
        if ((u32)moved < piece)
            break;
    }
    return done;
}

/* An empty ring begins again at its first page, so that a pipe that is emptied quickly stays small. */
static void ring_rewind(struct pipe *pipe)
{
    if (pipe->head == pipe->tail && !pipe->reading && !pipe->writing)
        pipe->head = pipe->tail = 0;
}

/* --- reading and writing ---------------------------------------------------------------------------------- */

static ssize_t pipe_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct pipe *pipe = file->private;
    ssize_t n;
    int err;

    if (!iter_left(to))
        return 0;
    spin_lock(&pipe->lock);
    err = file_wait(file, &pipe->readable, &pipe->lock,
                    !pipe->reading && (pipe_fill(pipe) || !pipe->writers));
    if (err || !pipe_fill(pipe)) {
        spin_unlock(&pipe->lock);
        return err;
    }
    pipe->reading = true;
    u32 want = (u32)MIN((u64)packets_limit(&pipe->packets, pipe->tail, pipe_fill(pipe)),
                        (u64)iter_left(to));
    u64 at = pipe->tail;
    spin_unlock(&pipe->lock);

    n = ring_move(pipe, at, want, to, false);

    spin_lock(&pipe->lock);
    pipe->reading = false;
    if (n > 0)
        pipe->tail = packets_pass(&pipe->packets, pipe->tail, (u32)n, false);
    ring_rewind(pipe);
    bool more = pipe_fill(pipe) != 0;
    spin_unlock(&pipe->lock);
    if (n > 0)
        waitq_wake(&pipe->writable, POLLOUT | POLLWRNORM);
    if (more)
        waitq_wake(&pipe->readable, PIPE_TURN);
    return n;
}

/* Takes the writing turn once `need` bytes are free: how many are, or an error. */
static s64 write_begin(struct file *file, struct pipe *pipe, u32 need, bool packet)
{
    s64 result;

    spin_lock(&pipe->lock);
    result = file_wait(file, &pipe->writable, &pipe->lock,
                       (!pipe->writing && has_room(pipe, need, packet)) || !pipe->readers);
    if (!result && !pipe->readers)
        result = -EPIPE;
    if (!result) {
        pipe->writing = true;
        result = pipe_space(pipe);
    }
    spin_unlock(&pipe->lock);
    return result;
}

static void write_end(struct pipe *pipe, ssize_t n, bool packet)
{
    bool room;

    spin_lock(&pipe->lock);
    pipe->writing = false;
    if (n > 0 && packet)
        packets_add(&pipe->packets, pipe->head, pipe->head + (u64)n);
    if (n > 0)
        pipe->head += (u64)n;
    ring_rewind(pipe);
    room = pipe_space(pipe) != 0;
    spin_unlock(&pipe->lock);
    if (n > 0)
        waitq_wake(&pipe->readable, POLLIN | POLLRDNORM);
    if (room)
        waitq_wake(&pipe->writable, PIPE_TURN);
}

/* One turn of a write of total bytes, as much as fits or one packet. Bytes, or an error. */
static ssize_t write_turn(struct file *file, struct iter *from, size_t total, bool packet)
{
    struct pipe *pipe = file->private;
    u32 most = (u32)MIN((u64)iter_left(from), packet ? (u64)PIPE_BUF : (u64)UINT32_MAX);
    /* up to PIPE_BUF bytes go in one piece */
    bool whole = packet || total <= PIPE_BUF;
    s64 space = write_begin(file, pipe, whole ? most : 1, packet);
    ssize_t n;

    if (space == -EPIPE && vfs_signal)
        vfs_signal(SIGPIPE);
    if (space < 0)
        return (ssize_t)space;
    n = ring_move(pipe, pipe->head, (u32)MIN((u64)space, (u64)most), from, true);
    if (n > 0 && whole && (u32)n < most)
        n = -EFAULT; /* not half of an atomic write */
    write_end(pipe, n, packet);
    return n;
}

static ssize_t pipe_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct pipe *pipe = file->private;
    bool packet = file_flags(file) & O_DIRECT;
    size_t total = iter_left(from);
    ssize_t done = 0;

    if (packet && packets_prepare(&pipe->packets))
        return -ENOMEM;
    while (iter_left(from)) {
        ssize_t n = write_turn(file, from, total, packet);

        if (n < 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

/* --- the ring for others ---------------------------------------------------------------------------------------- */

/* Offers n bytes from position `at` on, in one or two pieces. */
static ssize_t ring_offer(struct pipe *pipe, u64 at, u32 n, bool source, pipe_piece_fn *func,
                          void *arg)
{
    u32 done = 0;

    while (done < n) {
        u32 offset = (u32)((at + done) & (pipe->size - 1));
        u32 piece = MIN(n - done, pipe->size - offset);
        struct iter it;
        ssize_t moved;

        iter_init_kernel(&it, source, pipe->ring + offset, piece);
        moved = func(arg, &it);
        if (moved < 0)
            return done ? (ssize_t)done : moved;
        done += (u32)moved;
        if ((u32)moved < piece)
            break;
    }
    return done;
}

ssize_t pipe_drain(struct file *file, size_t max, bool consume, pipe_piece_fn *take, void *arg)
{
    struct pipe *pipe = file->private;
    ssize_t n;
    int err;

    spin_lock(&pipe->lock);
    err = file_wait(file, &pipe->readable, &pipe->lock,
                    !pipe->reading && (pipe_fill(pipe) || !pipe->writers));
    if (err || !pipe_fill(pipe)) {
        spin_unlock(&pipe->lock);
        return err;
    }
    pipe->reading = true;
    u32 want = (u32)MIN((u64)packets_limit(&pipe->packets, pipe->tail, pipe_fill(pipe)), (u64)max);
    u64 at = pipe->tail;
    spin_unlock(&pipe->lock);

    n = ring_offer(pipe, at, want, true, take, arg);

    spin_lock(&pipe->lock);
    pipe->reading = false;
    if (n > 0 && consume)
        pipe->tail = packets_pass(&pipe->packets, pipe->tail, (u32)n, true);
    ring_rewind(pipe);
    bool more = pipe_fill(pipe) != 0;
    spin_unlock(&pipe->lock);
    if (n > 0 && consume)
        waitq_wake(&pipe->writable, POLLOUT | POLLWRNORM);
    if (more)
        waitq_wake(&pipe->readable, PIPE_TURN);
    return n;
}

ssize_t pipe_fill_by(struct file *file, size_t max, pipe_piece_fn *put, void *arg)
{
    struct pipe *pipe = file->private;
    s64 space = write_begin(file, pipe, 1, false);
    ssize_t n;

    if (space == -EPIPE && vfs_signal)
        vfs_signal(SIGPIPE);
    if (space < 0)
        return (ssize_t)space;
    n = ring_offer(pipe, pipe->head, (u32)MIN((u64)space, (u64)max), false, put, arg);
    write_end(pipe, n, false);
    return n;
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
    ring_move(pipe, pipe->tail, fill, &it, false);
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
