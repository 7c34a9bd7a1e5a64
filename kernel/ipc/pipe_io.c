/*
 * kernel/ipc/pipe_io.c: bytes into and out of pipes. They stand in a ring of kernel pages. User memory is never touched
 * under the lock: a reader takes the reading turn, copies out of the part that is filled, and then moves the
 * tail; a writer likewise with the writing turn, the free part and the head. Both can be at it at once.
 */
#include "ipc/pipe_internal.h"

#include "base/errno.h"
#include "ipc/pipe.h"
#include "vfs/vfs.h"

#include <linux/limits.h>
#include <linux/signal.h>

/* As on Linux a packet takes a page of what the pipe can hold, if only in number. */
static bool has_room(const struct pipe *pipe, u32 need, bool packet)
{
    return pipe_space(pipe) >= need &&
           (!packet || pipe->packets.count < MIN(pipe->size / (u32)PAGE_SIZE, (u32)PACKETS_MAX));
}

/* --- the ring ------------------------------------------------------------------------------------------- */

ssize_t pipe_ring_move(struct pipe *pipe, u64 at, u32 n, struct iter *it, bool in)
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

/* Takes the reading turn once something is there: how much of it, of at most `max`, from *at; 0 at the end, or an error. */
static s64 read_begin(struct file *file, struct pipe *pipe, u64 max, u64 *at)
{
    s64 result;

    spin_lock(&pipe->lock);
    result = file_wait(file, &pipe->readable, &pipe->lock,
                       !pipe->reading && (pipe_fill(pipe) || !pipe->writers));
    if (!result && pipe_fill(pipe))
        result = (s64)MIN((u64)packets_limit(&pipe->packets, pipe->tail, pipe_fill(pipe)), max);
    *at = pipe->tail;
    if (result > 0)
        pipe->reading = true;
    spin_unlock(&pipe->lock);
    return result;
}

/* What was taken, if anything, is no longer there. keep: of a packet, the rest stays. */
static void read_end(struct pipe *pipe, ssize_t taken, bool keep)
{
    spin_lock(&pipe->lock);
    pipe->reading = false;
    if (taken > 0)
        pipe->tail = packets_pass(&pipe->packets, pipe->tail, (u32)taken, keep);
    ring_rewind(pipe);
    bool more = pipe_fill(pipe) != 0;
    spin_unlock(&pipe->lock);
    if (taken > 0)
        waitq_wake(&pipe->writable, POLLOUT | POLLWRNORM);
    if (more)
        waitq_wake(&pipe->readable, PIPE_TURN);
}

ssize_t pipe_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct pipe *pipe = file->private;
    u64 at;
    s64 want;
    ssize_t n;

    if (!iter_left(to))
        return 0;
    want = read_begin(file, pipe, iter_left(to), &at);
    if (want <= 0)
        return (ssize_t)want;
    n = pipe_ring_move(pipe, at, (u32)want, to, false);
    read_end(pipe, n, false);
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
    n = pipe_ring_move(pipe, pipe->head, (u32)MIN((u64)space, (u64)most), from, true);
    if (n > 0 && whole && (u32)n < most)
        n = -EFAULT; /* not half of an atomic write */
    write_end(pipe, n, packet);
    return n;
}

ssize_t pipe_write(struct file *file, struct iter *from, loff_t *pos)
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
    u64 at;
    s64 want = read_begin(file, pipe, max, &at);
    ssize_t n;

    if (want <= 0)
        return (ssize_t)want;
    n = ring_offer(pipe, at, (u32)want, true, take, arg);
    read_end(pipe, consume ? n : 0, true);
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
