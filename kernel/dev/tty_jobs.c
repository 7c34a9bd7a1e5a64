/* kernel/dev/tty_jobs.c: terminals and job control; see tty.h, credentials(7), ioctl_tty(2), vhangup(2). */
#include "base/errno.h"
#include "cred/cred.h"
#include "dev/tty.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "vfs/file.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

void tty_init(struct tty *tty, const struct tty_ops *ops, dev_t rdev)
{
    *tty = (struct tty){.ops = ops, .rdev = rdev};
    refcount_init(&tty->ref, 1);
}

void tty_put(struct tty *tty)
{
    if (refcount_put(&tty->ref))
        tty->ops->release(tty);
}

/* --- may the caller? ---------------------------------------------------------------------------------------- */

/* Is the terminal the caller's, and its group in the background? tasks_lock held. */
static bool in_background(const struct tty *tty)
{
    const struct group *group = process_self()->group;

    return group->session->tty == tty && tty->foreground && tty->foreground != group->id;
}

static bool signal_counts(int signo)
{
    return !signal_is_ignored(process_self(), signo) &&
           !(task_self()->signals.blocked & SIGNAL_BIT(signo));
}

static void signal_group_locked(struct group *group, int signo)
{
    struct process *process;
    siginfo_t info;

    siginfo_kernel(&info, signo);
    for_each_group_member(process, group) {
        signal_send_locked(process, NULL, &info);
    }
}

int tty_check_read(struct tty *tty)
{
    int err = 0;

    spin_lock(&tasks_lock);
    if (in_background(tty)) {
        struct group *group = process_self()->group;

        if (!signal_counts(SIGTTIN) || group_is_orphaned_locked(group, NULL)) {
            err = -EIO;
        } else {
            signal_group_locked(group, SIGTTIN);
            err = -ERESTARTSYS;
        }
    }
    spin_unlock(&tasks_lock);
    return err;
}

int tty_check_change(struct tty *tty)
{
    int err = 0;

    spin_lock(&tasks_lock);
    if (in_background(tty) && signal_counts(SIGTTOU)) {
        struct group *group = process_self()->group;

        if (group_is_orphaned_locked(group, NULL)) {
            err = -EIO;
        } else {
            signal_group_locked(group, SIGTTOU);
            err = -ERESTARTSYS;
        }
    }
    spin_unlock(&tasks_lock);
    return err;
}

int tty_check_write(struct tty *tty)
{
    return tty->ops->stops_output(tty) ? tty_check_change(tty) : 0;
}

static void signal_foreground_locked(struct tty *tty, int signo)
{
    struct group *group = tty->foreground ? group_find_locked(tty->foreground) : NULL;

    if (group)
        signal_group_locked(group, signo);
}

void tty_signal_foreground(struct tty *tty, int signo)
{
    spin_lock(&tasks_lock);
    signal_foreground_locked(tty, signo);
    spin_unlock(&tasks_lock);
}

/* --- getting a controlling terminal ---------------------------------------------------------------------- */

/* Whoever holds tasks_lock sees the tie only while the terminal is there: tty_hangup() cuts it first. */
struct tty *tty_controlling(void)
{
    struct tty *tty;

    spin_lock(&tasks_lock);
    tty = process_self()->group->session->tty;
    if (tty)
        tty_get(tty);
    spin_unlock(&tasks_lock);
    return tty;
}

bool tty_is_controlling(const struct tty *tty)
{
    bool is;

    spin_lock(&tasks_lock);
    is = process_self()->group->session->tty == tty;
    spin_unlock(&tasks_lock);
    return is;
}

int tty_async_owner(struct tty *tty, int *id)
{
    pid_t foreground = 0;

    if (tty) {
        spin_lock(&tasks_lock);
        foreground = tty->foreground;
        spin_unlock(&tasks_lock);
    }
    *id = foreground ? foreground : process_self()->pid;
    return foreground ? F_OWNER_PGRP : F_OWNER_PID;
}

void tty_of_session_locked(const struct session *session, dev_t *rdev, pid_t *foreground)
{
    *rdev = session->tty ? session->tty->rdev : 0;
    *foreground = session->tty ? session->tty->foreground : -1;
}

static void take_locked(struct tty *tty, struct session *session)
{
    if (tty->session)
        tty->session->tty = NULL;
    tty->session = session;
    tty->foreground = process_self()->group->id;
    session->tty = tty;
}

void tty_opened(struct tty *tty, struct file *file)
{
    struct session *session;

    if (file_flags(file) & O_NOCTTY)
        return;
    spin_lock(&tasks_lock);
    session = process_self()->group->session;
    if (session->leader == process_self() && !session->tty && !tty->session && !tty->gone)
        take_locked(tty, session);
    spin_unlock(&tasks_lock);
}

/* TIOCSCTTY: arg 1 lets a privileged leader steal it. */
static long set_controlling(struct tty *tty, unsigned long arg)
{
    struct session *session;
    long err = 0;

    spin_lock(&tasks_lock);
    session = process_self()->group->session;
    if (tty->gone)
        err = -EIO;
    else if (session->leader == process_self() && session->tty == tty)
        err = 0;
    else if (session->leader != process_self() || session->tty)
        err = -EPERM;
    else if (tty->session && !(arg == 1 && cred_capable(self()->cred, CAP_SYS_ADMIN)))
        err = -EPERM;
    else
        take_locked(tty, session);
    spin_unlock(&tasks_lock);
    return err;
}

/* --- losing it ----------------------------------------------------------------------------------------------- */

static void let_go_locked(struct tty *tty)
{
    if (tty->session)
        tty->session->tty = NULL;
    tty->session = NULL;
    tty->foreground = 0;
}

/* TIOCNOTTY: the leader takes it from the whole session; for others the session's tie is not theirs to cut. */
static long give_up(struct tty *tty)
{
    struct session *session;
    long err = 0;

    spin_lock(&tasks_lock);
    session = process_self()->group->session;
    if (session->tty != tty) {
        err = -ENOTTY;
    } else if (session->leader == process_self()) {
        signal_foreground_locked(tty, SIGHUP);
        signal_foreground_locked(tty, SIGCONT);
        let_go_locked(tty);
    }
    spin_unlock(&tasks_lock);
    return err;
}

static void signal_process_locked(struct process *process, int signo)
{
    siginfo_t info;

    siginfo_kernel(&info, signo);
    signal_send_locked(process, NULL, &info);
}

void tty_hangup(struct tty *tty, bool for_good)
{
    struct session *session;

    spin_lock(&tasks_lock);
    session = tty->session;
    if (session) {
        session->lost_foreground = tty->foreground;
        if (session->leader) {
            signal_process_locked(session->leader, SIGHUP);
            signal_process_locked(session->leader, SIGCONT);
        }
    }
    let_go_locked(tty);
    tty->gone = tty->gone || for_good;
    spin_unlock(&tasks_lock);
    if (tty->ops->hangup)
        tty->ops->hangup(tty);
}

/* The group that was in the foreground when the terminal hung up learns of it when the leader has ended, too. */
static void signal_lost_foreground_locked(struct session *session)
{
    struct group *group =
        session->lost_foreground ? group_find_locked(session->lost_foreground) : NULL;

    if (group && group->session == session) {
        signal_group_locked(group, SIGHUP);
        signal_group_locked(group, SIGCONT);
    }
}

void tty_session_ends(struct session *session)
{
    struct tty *tty;

    spin_lock(&tasks_lock);
    tty = session->tty;
    if (tty) {
        tty_get(tty);
        signal_foreground_locked(tty, SIGHUP);
        signal_foreground_locked(tty, SIGCONT);
        let_go_locked(tty);
    } else {
        signal_lost_foreground_locked(session);
    }
    spin_unlock(&tasks_lock);
    if (!tty)
        return;
    if (tty->ops->hangup)
        tty->ops->hangup(tty);
    tty_put(tty);
}

long sys_vhangup(void)
{
    struct tty *tty;

    if (!capable(CAP_SYS_TTY_CONFIG))
        return -EPERM;
    tty = tty_controlling();
    if (tty) {
        tty_hangup(tty, false);
        tty_put(tty);
    }
    return 0;
}

/* --- the foreground group --------------------------------------------------------------------------------- */

/* Who asks by the master need not be of the session. */
static long get_foreground(struct tty *tty, bool master, pid_t __user *out)
{
    pid_t id;

    spin_lock(&tasks_lock);
    id = master || process_self()->group->session->tty == tty ? tty->foreground : -1;
    spin_unlock(&tasks_lock);
    return id < 0 ? -ENOTTY : put_user(id, out);
}

static long set_foreground_locked(struct tty *tty, pid_t id)
{
    struct session *session = process_self()->group->session;
    struct group *group;

    if (session->tty != tty)
        return -ENOTTY;
    group = group_find_locked(id);
    if (!group)
        return -ESRCH;
    if (group->session != session)
        return -EPERM;
    tty->foreground = id;
    return 0;
}

static long set_foreground(struct tty *tty, const pid_t __user *from)
{
    long err = tty_check_change(tty);
    pid_t id;

    if (err)
        return err == -EIO ? -ENOTTY : err;
    if (!tty_is_controlling(tty))
        return -ENOTTY;
    if (get_user(id, from))
        return -EFAULT;
    if (id < 0)
        return -EINVAL;
    spin_lock(&tasks_lock);
    err = set_foreground_locked(tty, id);
    spin_unlock(&tasks_lock);
    return err;
}

static long get_session(struct tty *tty, bool master, pid_t __user *out)
{
    pid_t id = 0;

    spin_lock(&tasks_lock);
    if (tty->session && (master || process_self()->group->session->tty == tty))
        id = tty->session->id;
    spin_unlock(&tasks_lock);
    return id ? put_user(id, out) : -ENOTTY;
}

bool tty_job_ioctl(struct tty *tty, bool master, unsigned int cmd, unsigned long arg, long *result)
{
    switch (cmd) {
    case TIOCSCTTY:
        *result = set_controlling(tty, arg);
        return true;
    case TIOCNOTTY:
        *result = master ? -ENOTTY : give_up(tty);
        return true;
    case TIOCGPGRP:
        *result = get_foreground(tty, master, (pid_t __user *)arg);
        return true;
    case TIOCSPGRP:
        *result = set_foreground(tty, (const pid_t __user *)arg);
        return true;
    case TIOCGSID:
        *result = get_session(tty, master, (pid_t __user *)arg);
        return true;
    default:
        return false;
    }
}
