/*
 * kernel/dev/console.c: descriptors 0, 1 and 2 of the launcher, as the main program sees them. A terminal becomes
 * /dev/console: the host keeps its line discipline and modes, job control is ours. Anything else is a stream.
 */
#include "base/errno.h"
#include "dev/internal.h"
#include "dev/tty.h"
#include "host/console.h"
#include "host/ready.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "signal/signal.h"
#include "task/task.h"
#include "vfs/vfs.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/major.h>
#include <myst/boot.h>

static struct {
    struct tty tty;
    int in, out;                  /* constant: host descriptors of the terminal; -1: none */
    const struct boot_info *boot; /* constant */
} console = {.in = -1, .out = -1};

/* --- moving bytes: straight between the program and the host ------------------------------------------ */

static ssize_t stream_read(int host, struct iter *to)
{
    size_t n;
    void *piece = iter_piece(to, &n);
    ssize_t got;

    if (!piece)
        return 0;
    got = to->user ? host_console_read_user(host, piece, n) : host_console_read(host, piece, n);
    if (got > 0)
        iter_advance(to, (size_t)got);
    return got == -EINTR ? -ERESTARTSYS : got;
}

static ssize_t stream_write(int host, struct iter *from)
{
    ssize_t done = 0;

    while (iter_left(from)) {
        size_t n;
        const void *piece = iter_piece(from, &n);
        ssize_t put = host_console_write(host, piece, n);

        if (put < 0)
            return done ? done : put == -EINTR ? -ERESTARTSYS : put;
        iter_advance(from, (size_t)put);
        done += put;
        if ((size_t)put < n)
            break;
    }
    return done;
}

/* A closed pipe at the host's end kills the writer as one inside would: write(2), EPIPE. */
static ssize_t stream_result(ssize_t n)
{
    if (n == -EPIPE && vfs_signal)
        vfs_signal(SIGPIPE);
    return n;
}

/* Where those wait who poll one of the three. */
static struct console_news {
    struct host_watch watch;
    struct waitq wait;
} news[3];

static void news_came(struct host_watch *watch, u32 events)
{
    waitq_wake(&container_of(watch, struct console_news, watch)->wait, events);
}

static void news_start(const struct boot_info *boot)
{
    for (int fd = 0; fd < 3; fd++) {
        waitq_init(&news[fd].wait, "console");
        /* What the host does not watch is always ready. */
        if (!(boot->console_closed & (1U << fd)) &&
            host_watch_add(&news[fd].watch, fd, news_came) == 0)
            news[fd].wait.host = true;
    }
}

static u32 host_poll_file(struct file *file, int host, struct poll_table *table)
{
    u32 wanted = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;

    poll_wait(file, &news[host].wait, table);
    return host_poll(host, table ? table->events & wanted : wanted);
}

/* --- the terminal ------------------------------------------------------------------------------------------ */

static bool console_stops_output(struct tty *tty)
{
    struct termios modes;

    return host_console_ioctl(console.out, TCGETS, &modes, sizeof(modes)) == 0 &&
           (modes.c_lflag & TOSTOP);
}

static int console_open(struct inode *inode, struct file *file)
{
    if (console.in < 0)
        return -ENXIO;
    file->mode |= FILE_STREAM;
    tty_opened(&console.tty, file);
    return 0;
}

static ssize_t console_read(struct file *file, struct iter *to, loff_t *pos)
{
    int err = tty_check_read(&console.tty);

    if (err)
        return err;
    if (file_nonblocking(file) && !(host_poll(console.in, POLLIN) & (POLLIN | POLLHUP | POLLERR)))
        return -EAGAIN;
    return stream_read(console.in, to);
}

static ssize_t console_write(struct file *file, struct iter *from, loff_t *pos)
{
    int err = tty_check_write(&console.tty);

    return err ? err : stream_result(stream_write(console.out, from));
}

static u32 console_poll(struct file *file, struct poll_table *table)
{
    return host_poll_file(file, console.in, table);
}

/* How many bytes an ioctl takes, and which way they go. */
static const struct terminal_request {
    unsigned int cmd;
    u16 size;
    bool in, out, changes;
} requests[] = {
    {TCGETS, sizeof(struct termios), false, true, false},
    {TCSETS, sizeof(struct termios), true, false, true},
    {TCSETSW, sizeof(struct termios), true, false, true},
    {TCSETSF, sizeof(struct termios), true, false, true},
    {TIOCGWINSZ, sizeof(struct winsize), false, true, false},
    {TIOCSWINSZ, sizeof(struct winsize), true, false, false},
    {FIONREAD, sizeof(int), false, true, false},
    {TIOCOUTQ, sizeof(int), false, true, false},
    {TCFLSH, 0, false, false, true},
    {TCSBRK, 0, false, false, true},
    {TCXONC, 0, false, false, true},
};

static long terminal_request(const struct terminal_request *r, unsigned long arg)
{
    union {
        struct termios modes;
        struct winsize size;
        int number;
    } buf = {.number = 0};
    void __user *user = (void __user *)arg;
    void *what = r->size ? (void *)&buf : (void *)arg;
    int err = r->changes ? tty_check_change(&console.tty) : 0;

    if (err)
        return err;
    if (r->in && copy_from_user(&buf, user, r->size))
        return -EFAULT;
    err = host_console_ioctl(console.in, r->cmd, what, r->size);
    if (err)
        return err == -EINTR ? -ERESTARTSYS : err;
    return r->out ? copy_to_user(user, &buf, r->size) : 0;
}

static long console_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    long result;

    if (tty_job_ioctl(&console.tty, false, cmd, arg, &result))
        return result;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (requests[i].cmd == cmd)
            return terminal_request(&requests[i], arg);
    return -ENOTTY;
}

static const struct file_ops console_ops = {
    .open = console_open,
    .read = console_read,
    .write = console_write,
    .poll = console_poll,
    .ioctl = console_ioctl,
};

/* As the first open of /dev/console. */
static int console_open_current(struct tty *tty, struct file *file)
{
    file->ops = &console_ops;
    return console_open(NULL, file);
}

/* It is there as long as the instance. */
static void console_release(struct tty *tty)
{
}

static const struct tty_ops console_tty_ops = {
    .stops_output = console_stops_output,
    .open_current = console_open_current,
    .release = console_release,
};

/* /dev/tty: whichever terminal controls the opener's session. */
static int current_open(struct inode *inode, struct file *file)
{
    AUTO(tty_put) struct tty *tty = tty_controlling();

    return tty ? tty->ops->open_current(tty, file) : -ENXIO;
}

static const struct file_ops current_ops = {.open = current_open};

/* --- pipes, files and sockets -------------------------------------------------------------------------------- */

static int host_of(const struct file *file)
{
    return (int)(intptr_t)file->private;
}

static ssize_t passed_read(struct file *file, struct iter *to, loff_t *pos)
{
    return stream_read(host_of(file), to);
}

static ssize_t passed_write(struct file *file, struct iter *from, loff_t *pos)
{
    return stream_result(stream_write(host_of(file), from));
}

static u32 passed_poll(struct file *file, struct poll_table *table)
{
    return host_poll_file(file, host_of(file), table);
}

/* The position is the host's, shared with whoever started us. */
static loff_t passed_seek(struct file *file, loff_t offset, int whence)
{
    return host_console_seek(host_of(file), offset, whence);
}

static void passed_release(struct file *file)
{
}

static const struct file_ops passed_ops = {
    .name = "console",
    .read = passed_read,
    .write = passed_write,
    .seek = passed_seek,
    .poll = passed_poll,
    .release = passed_release,
};

static struct file *open_passed(const struct boot_info *boot, int fd)
{
    umode mode = boot->console_mode[fd] & S_IFMT;
    struct inode *inode = inode_create_anon(mode | 0600, &passed_ops);
    struct file *file;

    if (!inode)
        return NULL;
    file =
        file_create_anon(&passed_ops, inode, (int)boot->console_access[fd], (void *)(intptr_t)fd);
    if (IS_ERR(file))
        return NULL;
    if (S_ISREG(mode))
        file->mode &= ~FILE_STREAM;
    return file;
}

static struct file *open_terminal(const struct boot_info *boot, int fd)
{
    return file_open("/dev/console", (int)(boot->console_access[fd] & O_ACCMODE), 0);
}

/* --- start ---------------------------------------------------------------------------------------------------- */

int console_start(const struct boot_info *boot)
{
    int err;

    for (int fd = 0; fd < 3; fd++)
        if (boot->console_tty & (1U << fd)) {
            if (console.in < 0)
                console.in = fd;
            console.out = fd;
        }
    console.boot = boot;
    news_start(boot);
    tty_init(&console.tty, &console_tty_ops, dev_make(TTYAUX_MAJOR, 1));
    err = dev_register_char(TTYAUX_MAJOR, 0, 1, "/dev/tty", &current_ops);
    return err ? err : dev_register_char(TTYAUX_MAJOR, 1, 1, "/dev/console", &console_ops);
}

int console_populate(void)
{
    int err = vfs_mknod("/dev/tty", S_IFCHR | 0666, dev_make(TTYAUX_MAJOR, 0));

    return err ? err : vfs_mknod("/dev/console", S_IFCHR | 0620, dev_make(TTYAUX_MAJOR, 1));
}

int dev_open_console(const struct boot_info *boot)
{
    for (int fd = 0; fd < 3; fd++) {
        struct file *file;
        int slot;

        if (boot->console_closed & (1U << fd))
            continue;
        file = boot->console_tty & (1U << fd) ? open_terminal(boot, fd) : open_passed(boot, fd);
        if (!file || IS_ERR(file))
            return file ? (int)PTR_ERR(file) : -ENOMEM;
        slot = fd_reserve(fd, false);
        if (slot != fd) {
            file_put(file);
            return -EMFILE;
        }
        fd_install(fd, file);
    }
    return 0;
}

/* The supervisor saw a key's signal: it goes to the foreground of the terminal, or to the main program. */
bool console_signal(int signo)
{
    if (!console.tty.foreground)
        return false;
    tty_signal_foreground(&console.tty, signo);
    return true;
}
