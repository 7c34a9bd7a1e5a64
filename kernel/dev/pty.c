/*
 * kernel/dev/pty.c: pty(7): pairs of a master, whose bytes come and go as they are, and a slave, which is a terminal
 * with a line discipline. Bytes move in pieces by way of the stack, as no lock may be held while the program's
 * memory is touched; turns keep one reader's and one writer's bytes together.
 */
#include "dev/pty.h"

#include "base/errno.h"
#include "cred/cred.h"
#include "dev/internal.h"
#include "fs/devpts/devpts.h"
#include "mm/alloc.h"
#include "time/time.h"
#include "vfs/vfs.h"

#include <linux/capability.h>
#include <linux/major.h>

#define PIECE 1024U

#define PTMX_MINOR     2
#define NSEC_PER_TENTH (100 * NSEC_PER_MSEC)

/* Not a poll bit: the turn is free. */
#define PTY_TURN BIT(30)

#define POLL_READ  (POLLIN | POLLRDNORM)
#define POLL_WRITE (POLLOUT | POLLWRNORM)

void pty_unlock(struct pty *pty)
{
    u32 news = pty->ld.news;

    pty->ld.news = 0;
    spin_unlock(&pty->lock);
    if (news & NEWS_READABLE)
        waitq_wake(&pty->readable, POLL_READ);
    if (news & NEWS_WRITABLE)
        waitq_wake(&pty->writable, POLL_WRITE);
    if (news & NEWS_OUTPUT)
        waitq_wake(&pty->output, POLL_READ | POLLPRI);
    if (news & NEWS_TYPABLE)
        waitq_wake(&pty->typable, POLL_WRITE);
}

static void turn_end(struct pty *pty, bool *turn, struct waitq *q)
{
    *turn = false;
    pty_unlock(pty);
    waitq_wake(q, PTY_TURN);
}

/* ---- the slave reads ---- */

/* Has a read that got so many bytes what it asked for, so that it does not wait for more? */
static bool is_enough(const struct ldisc *ld, size_t got)
{
    return got && (ldisc_is_canonical(ld) || got >= ld->modes.c_cc[VMIN]);
}

/* termios(3), VMIN and VTIME: how long until the next byte; 0: not at all. */
static ktime read_patience(const struct ldisc *ld, size_t got)
{
    ktime tenths = ld->modes.c_cc[VTIME];

    if (ldisc_is_canonical(ld))
        return KTIME_FOREVER;
    if (ld->modes.c_cc[VMIN] == 0)
        return tenths * NSEC_PER_TENTH;
    return got && tenths ? tenths * NSEC_PER_TENTH : KTIME_FOREVER;
}

/* For how many bytes a read wakes up: with a timer between them for each, else once for all that it lacks. */
static unsigned int read_quantum(const struct ldisc *ld, size_t got, size_t left)
{
    size_t lacks = ld->modes.c_cc[VMIN] - got;

    if (ldisc_is_canonical(ld) || ld->modes.c_cc[VTIME] || got >= ld->modes.c_cc[VMIN])
        return 1;
    return (unsigned int)MIN(lacks, left);
}

/* Waits for input: 0, -ETIMEDOUT, -EAGAIN or -ERESTARTSYS. */
static int input_wait(struct file *file, size_t got, size_t left)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;
    ktime patience = read_patience(&pty->ld, got);
    int err;

    if (patience == 0)
        return -ETIMEDOUT;
    if (file_nonblocking(file))
        return -EAGAIN;
    err = wait_event(&pty->readable, &pty->lock,
                     ldisc_readable(&pty->ld, read_quantum(&pty->ld, got, left)) ||
                         pty_is_cut_off(open),
                     patience == KTIME_FOREVER ? KTIME_FOREVER : time_monotonic() + patience);
    return err == -EINTR ? -ERESTARTSYS : err;
}

/* A piece of input to the program; the lock is let go meanwhile. */
static ssize_t read_piece(struct pty *pty, struct iter *to, bool *end)
{
    u8 piece[PIECE];
    size_t n = ldisc_take(&pty->ld, piece, MIN(iter_left(to), (size_t)PIECE), end);
    ssize_t moved;

    if (!*end && n == iter_left(to))
        ldisc_take_end(&pty->ld);
    pty_unlock(pty);
    moved = n ? copy_to_iter(to, piece, n) : 0;
    spin_lock(&pty->lock);
    return moved < (ssize_t)n ? -EFAULT : moved;
}

static ssize_t read_input(struct file *file, struct iter *to)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;
    ssize_t got = 0, err = 0;
    bool end = false;

    while (!err && !end && iter_left(to) && !pty_is_cut_off(open)) {
        if (ldisc_readable(&pty->ld, 1)) {
            ssize_t n = read_piece(pty, to, &end);

            if (n < 0)
                err = n;
            else
                got += n;
        } else if (is_enough(&pty->ld, (size_t)got)) {
            break;
        } else {
            err = input_wait(file, (size_t)got, iter_left(to));
        }
    }
    if (got)
        return got;
    /* Asleep when the master went, it was no end of file. */
    if (pty->master_gone)
        return -EIO;
    return err == -ETIMEDOUT ? 0 : err;
}

static ssize_t slave_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;
    ssize_t n = tty_check_read(&pty->tty);

    if (n)
        return n;
    spin_lock(&pty->lock);
    n = file_wait(file, &pty->readable, &pty->lock, !pty->reading || pty_is_cut_off(open));
    if (n || pty_is_cut_off(open)) {
        spin_unlock(&pty->lock);
        return n;
    }
    pty->reading = true;
    n = read_input(file, to);
    turn_end(pty, &pty->reading, &pty->readable);
    return n;
}

/* ---- the master reads ---- */

static bool has_output(const struct pty *pty)
{
    return ring_used(&pty->ld.output) || pty->ld.events || pty->left;
}

/* TIOCPKT: an event is a read of its own; data has a byte in front. */
static ssize_t read_packet_head(struct pty *pty, struct iter *to)
{
    u8 head = pty->ld.events;
    ssize_t n;

    pty->ld.events = 0;
    pty_unlock(pty);
    n = copy_to_iter(to, &head, 1);
    spin_lock(&pty->lock);
    return n < 1 ? -EFAULT : head;
}

static ssize_t read_output(struct pty *pty, struct iter *to)
{
    ssize_t got = 0;

    while (iter_left(to) && ring_used(&pty->ld.output)) {
        u8 piece[PIECE];
        size_t n = ldisc_output_take(&pty->ld, piece, MIN(iter_left(to), (size_t)PIECE));
        ssize_t moved;

        pty_unlock(pty);
        moved = copy_to_iter(to, piece, n);
        spin_lock(&pty->lock);
        if (moved < (ssize_t)n)
            return got ? got : -EFAULT;
        got += moved;
    }
    return got;
}

static ssize_t read_packet(struct pty *pty, struct iter *to)
{
    ssize_t head = read_packet_head(pty, to), n;

    if (head)
        return head < 0 ? head : 1;
    n = read_output(pty, to);
    return n < 0 ? n : n + 1;
}

static ssize_t master_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct pty *pty = file->private;
    ssize_t n;

    if (!iter_left(to))
        return 0;
    spin_lock(&pty->lock);
    n = file_wait(file, &pty->output, &pty->lock, !pty->master_reading && has_output(pty));
    if (n) {
        spin_unlock(&pty->lock);
        return n;
    }
    pty->master_reading = true;
    if (!ring_used(&pty->ld.output) && !pty->ld.events)
        n = -EIO;
    else
        n = pty->ld.packets ? read_packet(pty, to) : read_output(pty, to);
    turn_end(pty, &pty->master_reading, &pty->output);
    return n;
}

/* ---- both write ---- */

/* One end of the pair, as a writer sees it. The lock is held for the functions. */
struct writer {
    struct waitq *room;
    bool *turn;
    size_t (*put)(struct ldisc *ld, const u8 *bytes, size_t n);
    struct pty_open *open; /* NULL: the master */
};

static bool writer_is_cut_off(const struct writer *w)
{
    return w->open && pty_is_cut_off(w->open);
}

static bool writer_has_room(const struct pty *pty, const struct writer *w)
{
    if (w->open)
        return ldisc_writable(&pty->ld);
    return ldisc_type_room(&pty->ld) && !pty->typing_stopped;
}

/* All of a piece, unless something comes between: bytes, or an error when there were none. */
static ssize_t write_piece(struct file *file, struct pty *pty, struct writer *w, const u8 *piece,
                           size_t n)
{
    size_t done = 0;
    ssize_t err = 0;

    while (done < n && !err) {
        /* Whoever is to make room must know of what is there. */
        if (!writer_has_room(pty, w) && pty->ld.news) {
            pty_unlock(pty);
            spin_lock(&pty->lock);
        }
        err = file_wait(file, w->room, &pty->lock, writer_has_room(pty, w) || writer_is_cut_off(w));
        if (!err && writer_is_cut_off(w))
            err = -EIO;
        if (!err)
            done += w->put(&pty->ld, piece + done, n - done);
    }
    return done ? (ssize_t)done : err;
}

static ssize_t write_pieces(struct file *file, struct pty *pty, struct writer *w, struct iter *from)
{
    ssize_t done = 0;

    while (iter_left(from)) {
        u8 piece[PIECE];
        ssize_t n = copy_from_iter(from, piece, MIN(iter_left(from), (size_t)PIECE)), put;

        if (n < 0)
            return done ? done : n;
        spin_lock(&pty->lock);
        put = write_piece(file, pty, w, piece, (size_t)n);
        /* The reader is woken for the whole, at the end of the turn. */
        spin_unlock(&pty->lock);
        if (put < 0)
            return done ? done : put;
        done += put;
        if (put < n)
            break;
    }
    return done;
}

static ssize_t write_in_turn(struct file *file, struct pty *pty, struct writer *w,
                             struct iter *from)
{
    ssize_t n;

    spin_lock(&pty->lock);
    n = file_wait(file, w->room, &pty->lock, !*w->turn || writer_is_cut_off(w));
    if (!n && writer_is_cut_off(w))
        n = -EIO;
    if (!n)
        *w->turn = true;
    spin_unlock(&pty->lock);
    if (n)
        return n;
    n = write_pieces(file, pty, w, from);
    spin_lock(&pty->lock);
    turn_end(pty, w->turn, w->room);
    return n;
}

static ssize_t slave_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;
    struct writer w = {
        .room = &pty->writable, .turn = &pty->writing, .put = ldisc_write, .open = open};
    int err = tty_check_write(&pty->tty);

    return err ? err : write_in_turn(file, pty, &w, from);
}

static ssize_t master_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct pty *pty = file->private;
    struct writer w = {.room = &pty->typable, .turn = &pty->master_writing, .put = ldisc_type};

    return write_in_turn(file, pty, &w, from);
}

/* ---- poll ---- */

static unsigned int poll_quantum(const struct ldisc *ld)
{
    return ld->modes.c_cc[VTIME] == 0 && ld->modes.c_cc[VMIN] ? ld->modes.c_cc[VMIN] : 1;
}

static u32 slave_poll(struct file *file, struct poll_table *table)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;
    u32 mask = 0;

    poll_wait(file, &pty->readable, table);
    poll_wait(file, &pty->writable, table);
    spin_lock(&pty->lock);
    if (pty_is_cut_off(open)) {
        mask = POLL_READ | POLL_WRITE | POLLERR | POLLHUP;
    } else {
        if (ldisc_readable(&pty->ld, poll_quantum(&pty->ld)))
            mask |= POLL_READ;
        if (ldisc_writable(&pty->ld))
            mask |= POLL_WRITE;
    }
    spin_unlock(&pty->lock);
    return mask;
}

static u32 master_poll(struct file *file, struct poll_table *table)
{
    struct pty *pty = file->private;
    u32 mask = 0;

    poll_wait(file, &pty->output, table);
    poll_wait(file, &pty->typable, table);
    spin_lock(&pty->lock);
    if (ring_used(&pty->ld.output) || pty->ld.events)
        mask |= POLL_READ;
    if (pty->ld.events)
        mask |= POLLPRI;
    if (pty->left)
        mask |= POLLHUP;
    if (ldisc_type_room(&pty->ld) && !pty->typing_stopped)
        mask |= POLL_WRITE;
    spin_unlock(&pty->lock);
    return mask;
}

/* ---- the pair's life ---- */

static void wake_all(struct pty *pty)
{
    waitq_wake(&pty->readable, 0);
    waitq_wake(&pty->writable, 0);
    waitq_wake(&pty->output, 0);
    waitq_wake(&pty->typable, 0);
}

static bool pty_stops_output(struct tty *tty)
{
    return READ_ONCE(pty_of(tty)->ld.modes.c_lflag) & TOSTOP;
}

static void pty_hangup(struct tty *tty)
{
    struct pty *pty = pty_of(tty);

    spin_lock(&pty->lock);
    pty->hangups++;
    pty->exclusive = false;
    spin_unlock(&pty->lock);
    wake_all(pty);
}

static void pty_release(struct tty *tty)
{
    struct pty *pty = pty_of(tty);

    if (pty->node)
        devpts_free(pty->node, pty->number);
    ldisc_release(&pty->ld);
    kfree(pty);
}

static int slave_open(struct tty *tty, struct file *file);

static const struct tty_ops pty_tty_ops = {
    .stops_output = pty_stops_output,
    .open_current = slave_open,
    .hangup = pty_hangup,
    .release = pty_release,
};

static struct pty *pty_create(void)
{
    struct pty *pty = kzalloc(sizeof(*pty));

    if (pty && ldisc_init(&pty->ld, &pty->tty)) {
        kfree(pty);
        pty = NULL;
    }
    if (!pty)
        return NULL;
    tty_init(&pty->tty, &pty_tty_ops, 0);
    spin_init(&pty->lock, TTY);
    waitq_init(&pty->readable, "terminal read");
    waitq_init(&pty->writable, "terminal write");
    waitq_init(&pty->output, "terminal master read");
    waitq_init(&pty->typable, "terminal master write");
    pty->locked = true;
    return pty;
}

/* ---- open and close ---- */

static void slave_release(struct file *file)
{
    struct pty_open *open = file->private;
    struct pty *pty = open->pty;

    spin_lock(&pty->lock);
    if (--pty->slaves == 0) {
        pty->left = true;
        pty->exclusive = false;
    }
    spin_unlock(&pty->lock);
    waitq_wake(&pty->output, POLLHUP | POLL_READ);
    kfree(open);
    tty_put(&pty->tty);
}

static int slave_async_owner(struct file *file, int *id)
{
    struct pty_open *open = file->private;

    return tty_async_owner(&open->pty->tty, id);
}

static const struct file_ops slave_ops = {
    .read = slave_read,
    .write = slave_write,
    .poll = slave_poll,
    .ioctl = pty_slave_ioctl,
    .release = slave_release,
    .async = true,
    .async_owner = slave_async_owner,
};

/* May the slave be opened? Then it counts. */
static int slave_count(struct pty *pty, struct pty_open *open)
{
    int err = 0;

    spin_lock(&pty->lock);
    if (pty->master_gone || pty->locked)
        err = -EIO;
    else if (pty->exclusive && !capable(CAP_SYS_ADMIN))
        err = -EBUSY;
    else
        pty->slaves++;
    open->hangups = pty->hangups;
    pty->left = pty->left && err;
    spin_unlock(&pty->lock);
    return err;
}

static int slave_open(struct tty *tty, struct file *file)
{
    struct pty_open *open = kzalloc(sizeof(*open));
    int err;

    if (!open)
        return -ENOMEM;
    open->pty = pty_of(tty);
    err = slave_count(open->pty, open);
    if (err) {
        kfree(open);
        return err;
    }
    tty_get(tty);
    file->ops = &slave_ops;
    file->private = open;
    file->mode |= FILE_STREAM;
    tty_opened(tty, file);
    return 0;
}

static int slave_node_open(struct inode *inode, struct file *file)
{
    struct tty *tty = devpts_terminal(inode);
    int err;

    if (!tty)
        return -EIO;
    err = slave_open(tty, file);
    tty_put(tty);
    return err;
}

static void master_release(struct file *file)
{
    struct pty *pty = file->private;

    spin_lock(&pty->lock);
    pty->master_gone = true;
    spin_unlock(&pty->lock);
    devpts_remove(pty->node);
    tty_hangup(&pty->tty, true);
    tty_put(&pty->tty);
}

static int master_async_owner(struct file *file, int *id)
{
    (void)file;
    return tty_async_owner(NULL, id);
}

static const struct file_ops master_ops = {
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = pty_master_ioctl,
    .release = master_release,
    .async = true,
    .async_owner = master_async_owner,
};

/* Each open of /dev/ptmx is a new pair, in the devpts that stands beside that name. */
static int ptmx_open(struct inode *inode, struct file *file)
{
    AUTO_PATH root = {0};
    struct pty *pty;
    int err = devpts_of_ptmx(&file->path, &root);

    if (err)
        return err;
    pty = pty_create();
    if (!pty)
        return -ENOMEM;
    err = devpts_add(root.mount->super, &pty->tty, &pty->number, &pty->node);
    if (err) {
        tty_put(&pty->tty);
        return err;
    }
    file->ops = &master_ops;
    file->private = pty;
    file->mode |= FILE_STREAM;
    return 0;
}

static const struct file_ops ptmx_ops = {.open = ptmx_open};
static const struct file_ops slave_node_ops = {.open = slave_node_open};

int pty_start(void)
{
    int err = dev_register_char(TTYAUX_MAJOR, PTMX_MINOR, 1, "/dev/ptmx", &ptmx_ops);

    return err ? err
               : dev_register_char(UNIX98_PTY_SLAVE_MAJOR, 0, DEVPTS_MAX, "/dev/pts",
                                   &slave_node_ops);
}

int pty_populate(void)
{
    return vfs_mknod("/dev/ptmx", S_IFCHR | 0666, dev_make(TTYAUX_MAJOR, PTMX_MINOR));
}
