/* kernel/dev/pty_ioctl.c: ioctl_tty(2), termios(3) and pty(7): what both ends of a pair can be asked and told. */
#include "base/errno.h"
#include "base/fmt.h"
#include "cred/cred.h"
#include "dev/pty.h"
#include "fs/devpts/devpts.h"
#include "mm/uaccess.h"
#include "vfs/vfs.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/tty.h>

/* What both have: who asks, and of which pair. */
struct request {
    struct pty *pty;
    struct file *file;
    bool master;
    unsigned int cmd;
    unsigned long arg;
};

static void __user *user_arg(const struct request *r)
{
    return (void __user *)r->arg;
}

static long put_int(const struct request *r, int value)
{
    return put_user(value, (int __user *)r->arg);
}

static int get_int(const struct request *r, int *value)
{
    return get_user(*value, (const int __user *)r->arg);
}

/* The master may always change; of the slave's files those in the background may not. */
static int check_change(const struct request *r)
{
    return r->master ? 0 : tty_check_change(&r->pty->tty);
}

/* ---- modes ---- */

static void modes_read(struct pty *pty, struct termios2 *modes)
{
    spin_lock(&pty->lock);
    *modes = pty->ld.modes;
    spin_unlock(&pty->lock);
}

/* The old structure, of short flags and few characters. */
static long get_termio(const struct request *r, const struct termios2 *modes)
{
    struct termio old = {
        .c_iflag = (u16)modes->c_iflag,
        .c_oflag = (u16)modes->c_oflag,
        .c_cflag = (u16)modes->c_cflag,
        .c_lflag = (u16)modes->c_lflag,
        .c_line = modes->c_line,
    };

    memcpy(old.c_cc, modes->c_cc, NCC);
    return copy_to_user(user_arg(r), &old, sizeof(old));
}

static int set_termio(const struct request *r, struct termios2 *modes)
{
    struct termio old;
    int err = copy_from_user(&old, user_arg(r), sizeof(old));

    if (err)
        return err;
    modes->c_iflag = (modes->c_iflag & ~0xffffU) | old.c_iflag;
    modes->c_oflag = (modes->c_oflag & ~0xffffU) | old.c_oflag;
    modes->c_cflag = (modes->c_cflag & ~0xffffU) | old.c_cflag;
    modes->c_lflag = (modes->c_lflag & ~0xffffU) | old.c_lflag;
    modes->c_line = old.c_line;
    memcpy(modes->c_cc, old.c_cc, NCC);
    return 0;
}

/* struct termios is how struct termios2 begins. */
static long get_modes(const struct request *r)
{
    struct termios2 modes;

    modes_read(r->pty, &modes);
    if (r->cmd == TCGETA)
        return get_termio(r, &modes);
    return copy_to_user(user_arg(r), &modes,
                        r->cmd == TCGETS2 ? sizeof(struct termios2) : sizeof(struct termios));
}

static void flush_input(struct pty *pty)
{
    ring_clear(&pty->ld.typed);
    ldisc_flush(&pty->ld, FLUSH_INPUT);
    pty->ld.news |= NEWS_TYPABLE;
}

/* What was written has arrived at the master already, so there is nothing to wait for in the W and F kinds. */
static long set_modes(const struct request *r)
{
    bool flush = r->cmd == TCSETSF || r->cmd == TCSETSF2 || r->cmd == TCSETAF;
    bool two = r->cmd == TCSETS2 || r->cmd == TCSETSW2 || r->cmd == TCSETSF2;
    bool old = r->cmd == TCSETA || r->cmd == TCSETAW || r->cmd == TCSETAF;
    struct termios2 modes;
    int err = check_change(r);

    if (err)
        return err;
    modes_read(r->pty, &modes);
    if (old)
        err = set_termio(r, &modes);
    else
        err = copy_from_user(&modes, user_arg(r),
                             two ? sizeof(struct termios2) : sizeof(struct termios));
    if (err)
        return err;
    ldisc_speeds(&modes);
    spin_lock(&r->pty->lock);
    if (flush)
        flush_input(r->pty);
    ldisc_set_modes(&r->pty->ld, &modes);
    pty_unlock(r->pty);
    return 0;
}

static long get_locked(const struct request *r)
{
    struct termios locked;

    spin_lock(&r->pty->lock);
    locked = r->pty->ld.locked;
    spin_unlock(&r->pty->lock);
    return copy_to_user(user_arg(r), &locked, sizeof(locked));
}

static long set_locked(const struct request *r)
{
    struct termios locked;

    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (copy_from_user(&locked, user_arg(r), sizeof(locked)))
        return -EFAULT;
    spin_lock(&r->pty->lock);
    r->pty->ld.locked = locked;
    spin_unlock(&r->pty->lock);
    return 0;
}

/* There is one line discipline. */
static long get_discipline(const struct request *r)
{
    return put_int(r, N_TTY);
}

static long set_discipline(const struct request *r)
{
    int number, err = check_change(r);

    if (err)
        return err;
    if (get_int(r, &number))
        return -EFAULT;
    return number == N_TTY ? 0 : -EINVAL;
}

/* The "soft carrier" is the flag CLOCAL. */
static long get_carrier(const struct request *r)
{
    struct termios2 modes;

    modes_read(r->pty, &modes);
    return put_int(r, modes.c_cflag & CLOCAL ? 1 : 0);
}

static long set_carrier(const struct request *r)
{
    struct termios2 modes;
    int on;

    if (get_int(r, &on))
        return -EFAULT;
    spin_lock(&r->pty->lock);
    modes = r->pty->ld.modes;
    modes.c_cflag = (modes.c_cflag & ~(tcflag_t)CLOCAL) | (on ? CLOCAL : 0);
    ldisc_set_modes(&r->pty->ld, &modes);
    pty_unlock(r->pty);
    return 0;
}

/* ---- the window ---- */

static long get_size(const struct request *r)
{
    struct winsize size;

    spin_lock(&r->pty->lock);
    size = r->pty->ld.size;
    spin_unlock(&r->pty->lock);
    return copy_to_user(user_arg(r), &size, sizeof(size));
}

static long set_size(const struct request *r)
{
    struct winsize size;
    bool changed;

    if (copy_from_user(&size, user_arg(r), sizeof(size)))
        return -EFAULT;
    spin_lock(&r->pty->lock);
    changed = memcmp(&r->pty->ld.size, &size, sizeof(size)) != 0;
    r->pty->ld.size = size;
    spin_unlock(&r->pty->lock);
    if (changed)
        tty_signal_foreground(&r->pty->tty, SIGWINCH);
    return 0;
}

/* ---- queues and flow ---- */

static long count_input(const struct request *r)
{
    unsigned int n;

    spin_lock(&r->pty->lock);
    n = r->master ? (unsigned int)ring_used(&r->pty->ld.output) : ldisc_amount(&r->pty->ld);
    spin_unlock(&r->pty->lock);
    return put_int(r, (int)n);
}

/* What was written is at the other end. */
static long count_output(const struct request *r)
{
    return put_int(r, 0);
}

static void flush_master(struct pty *pty, bool input, bool output)
{
    if (input) {
        ring_clear(&pty->ld.output);
        pty->ld.news |= NEWS_WRITABLE;
    }
    if (output) {
        ring_clear(&pty->ld.typed);
        pty->ld.news |= NEWS_TYPABLE;
    }
}

static long flush(const struct request *r)
{
    bool input = r->arg == TCIFLUSH || r->arg == TCIOFLUSH;
    bool output = r->arg == TCOFLUSH || r->arg == TCIOFLUSH;
    int err = check_change(r);

    if (err || (!input && !output))
        return err ? err : -EINVAL;
    spin_lock(&r->pty->lock);
    if (r->master)
        flush_master(r->pty, input, output);
    if (!r->master && input)
        flush_input(r->pty);
    if (!r->master && output)
        ldisc_flush(&r->pty->ld, FLUSH_OUTPUT);
    pty_unlock(r->pty);
    return 0;
}

/* At the master, output is what is typed, and its input what the slave writes: the keys go the other way. */
static void flow_locked(const struct request *r)
{
    struct pty *pty = r->pty;
    struct ldisc *ld = &pty->ld;

    if (r->arg == TCOOFF || r->arg == TCOON) {
        bool stop = r->arg == TCOOFF;

        if (r->master) {
            pty->typing_stopped = stop;
            ld->news |= stop ? 0 : NEWS_TYPABLE;
        } else if (stop) {
            ldisc_stop(ld, true);
        } else {
            ldisc_start(ld, true);
        }
    } else {
        u8 key = ld->modes.c_cc[r->arg == TCIOFF ? VSTOP : VSTART];

        if (key && r->master)
            ldisc_insert(ld, key);
        else if (key)
            ldisc_send(ld, key);
    }
}

static long flow(const struct request *r)
{
    int err = check_change(r);

    if (err)
        return err;
    if (r->arg > TCION)
        return -EINVAL;
    spin_lock(&r->pty->lock);
    flow_locked(r);
    pty_unlock(r->pty);
    return 0;
}

/* There is no line that could break, and output has always drained. */
static long drain_or_break(const struct request *r)
{
    return check_change(r);
}

static long insert_key(const struct request *r)
{
    u8 key;

    if (!capable(CAP_SYS_ADMIN) && (r->master || !tty_is_controlling(&r->pty->tty)))
        return -EPERM;
    if (get_user(key, (const u8 __user *)r->arg))
        return -EFAULT;
    spin_lock(&r->pty->lock);
    if (r->master)
        ldisc_send(&r->pty->ld, key);
    else
        ldisc_insert(&r->pty->ld, key);
    pty_unlock(r->pty);
    return 0;
}

/* ---- the pair ---- */

static long set_exclusive(const struct request *r)
{
    WRITE_ONCE(r->pty->exclusive, r->cmd == TIOCEXCL);
    return 0;
}

static long get_exclusive(const struct request *r)
{
    return put_int(r, READ_ONCE(r->pty->exclusive));
}

static long get_device(const struct request *r)
{
    u32 dev = (u32)r->pty->node->rdev;

    return put_user(dev, (u32 __user *)r->arg);
}

static long hang_up(const struct request *r)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    tty_hangup(&r->pty->tty, false);
    return 0;
}

static long get_number(const struct request *r)
{
    return put_user(r->pty->number, (u32 __user *)r->arg);
}

static long set_lock(const struct request *r)
{
    int on;

    if (get_int(r, &on))
        return -EFAULT;
    WRITE_ONCE(r->pty->locked, on != 0);
    return 0;
}

static long get_lock(const struct request *r)
{
    return put_int(r, READ_ONCE(r->pty->locked));
}

static long set_packets(const struct request *r)
{
    int on;

    if (get_int(r, &on))
        return -EFAULT;
    spin_lock(&r->pty->lock);
    if (!on || !r->pty->ld.packets)
        r->pty->ld.events = 0;
    r->pty->ld.packets = on != 0;
    spin_unlock(&r->pty->lock);
    return 0;
}

static long get_packets(const struct request *r)
{
    return put_int(r, READ_ONCE(r->pty->ld.packets));
}

static long send_signal(const struct request *r)
{
    if (r->arg != SIGINT && r->arg != SIGQUIT && r->arg != SIGTSTP)
        return -EINVAL;
    tty_signal_foreground(&r->pty->tty, (int)r->arg);
    return 0;
}

/* TIOCGPTPEER: the slave, whatever now stands at its path. */
static long open_peer(const struct request *r)
{
    AUTO_PATH root = {0}, path = {0};
    struct file *file;
    char name[12];
    int err = devpts_of_ptmx(&r->file->path, &root);

    if (err)
        return err;
    scnprintf(name, sizeof(name), "%u", r->pty->number);
    err = path_lookup_at(&root, name, 0, &path);
    if (err || path_inode(&path) != r->pty->node)
        return err ? err : -ENODEV;
    file = file_open_path(&path, (int)r->arg);
    return IS_ERR(file) ? PTR_ERR(file) : fd_create(file, (int)r->arg);
}

/* ---- which is which ---- */

static const struct pty_ioctl {
    unsigned int cmd;
    bool master_only;
    long (*run)(const struct request *r);
} ioctls[] = {
    {TCGETS, false, get_modes},
    {TCGETS2, false, get_modes},
    {TCGETA, false, get_modes},
    {TCSETS, false, set_modes},
    {TCSETSW, false, set_modes},
    {TCSETSF, false, set_modes},
    {TCSETS2, false, set_modes},
    {TCSETSW2, false, set_modes},
    {TCSETSF2, false, set_modes},
    {TCSETA, false, set_modes},
    {TCSETAW, false, set_modes},
    {TCSETAF, false, set_modes},
    {TIOCGLCKTRMIOS, false, get_locked},
    {TIOCSLCKTRMIOS, false, set_locked},
    {TIOCGWINSZ, false, get_size},
    {TIOCSWINSZ, false, set_size},
    {FIONREAD, false, count_input},
    {TIOCOUTQ, false, count_output},
    {TCFLSH, false, flush},
    {TCXONC, false, flow},
    {TCSBRK, false, drain_or_break},
    {TCSBRKP, false, drain_or_break},
    {TIOCSBRK, false, drain_or_break},
    {TIOCCBRK, false, drain_or_break},
    {TIOCSTI, false, insert_key},
    {TIOCEXCL, false, set_exclusive},
    {TIOCNXCL, false, set_exclusive},
    {TIOCGEXCL, false, get_exclusive},
    {TIOCGDEV, false, get_device},
    {TIOCGETD, false, get_discipline},
    {TIOCSETD, false, set_discipline},
    {TIOCGSOFTCAR, false, get_carrier},
    {TIOCSSOFTCAR, false, set_carrier},
    {TIOCVHANGUP, false, hang_up},
    {TIOCGPTN, true, get_number},
    {TIOCSPTLCK, true, set_lock},
    {TIOCGPTLCK, true, get_lock},
    {TIOCPKT, true, set_packets},
    {TIOCGPKT, true, get_packets},
    {TIOCSIG, true, send_signal},
    {TIOCGPTPEER, true, open_peer},
};

static long pty_ioctl(const struct request *r)
{
    long result;

    for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
        if (ioctls[i].cmd == r->cmd)
            return ioctls[i].master_only && !r->master ? -ENOTTY : ioctls[i].run(r);
    if (tty_job_ioctl(&r->pty->tty, r->master, r->cmd, r->arg, &result))
        return result;
    return -ENOTTY;
}

long pty_master_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct request r = {.pty = file->private, .file = file, .master = true, .cmd = cmd, .arg = arg};

    return pty_ioctl(&r);
}

long pty_slave_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct pty_open *open = file->private;
    struct request r = {.pty = open->pty, .file = file, .cmd = cmd, .arg = arg};
    bool cut_off;

    spin_lock(&open->pty->lock);
    cut_off = pty_is_cut_off(open);
    spin_unlock(&open->pty->lock);
    if (cut_off)
        return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
    return pty_ioctl(&r);
}
