/* kernel/dev/tty_jobs.c: terminals and job control; see tty.h and "Job control" in credentials(7), tty_ioctl(2). */
#include "base/errno.h"
#include "cred/cred.h"
#include "dev/tty.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "task/task.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

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
    return tty->stops_output(tty) ? tty_check_change(tty) : 0;
}

void tty_signal_foreground(struct tty *tty, int signo)
{
    struct group *group;

    spin_lock(&tasks_lock);
    group = tty->foreground ? group_find_locked(tty->foreground) : NULL;
    if (group)
        signal_group_locked(group, signo);
    spin_unlock(&tasks_lock);
}

struct tty *tty_controlling(void)
{
    struct tty *tty;

    spin_lock(&tasks_lock);
    tty = process_self()->group->session->tty;
    spin_unlock(&tasks_lock);
    return tty;
}

/* --- getting and losing a controlling terminal --------------------------------------------------------- */

static void take_locked(struct tty *tty, struct session *session)
{
    if (tty->session)
        tty->session->tty = NULL;
    tty->session = session;
    tty->foreground = process_self()->group->id;
    session->tty = tty;
}

void tty_opened(struct tty *tty, int flags)
{
    struct session *session;

    if (flags & O_NOCTTY)
        return;
    spin_lock(&tasks_lock);
    session = process_self()->group->session;
    if (session->leader == process_self() && !session->tty && !tty->session)
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
    if (session->leader == process_self() && session->tty == tty)
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

static void let_go_locked(struct tty *tty, bool hangup)
{
    struct group *group = tty->foreground ? group_find_locked(tty->foreground) : NULL;

    if (group && hangup) {
        signal_group_locked(group, SIGHUP);
        signal_group_locked(group, SIGCONT);
    }
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
    if (session->tty != tty)
        err = -ENOTTY;
    else if (session->leader == process_self())
        let_go_locked(tty, true);
    spin_unlock(&tasks_lock);
    return err;
}

void tty_session_ends(struct session *session)
{
    spin_lock(&tasks_lock);
    if (session->tty)
        let_go_locked(session->tty, true);
    spin_unlock(&tasks_lock);
}

/* --- the foreground group --------------------------------------------------------------------------------- */

static long get_foreground(struct tty *tty, pid_t __user *out)
{
    pid_t id = 0;
    bool ours;

    spin_lock(&tasks_lock);
    ours = process_self()->group->session->tty == tty;
    if (ours)
        id = tty->foreground;
    spin_unlock(&tasks_lock);
    return ours ? put_user(id, out) : -ENOTTY;
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
        return err;
    if (get_user(id, from))
        return -EFAULT;
    if (id < 0)
        return -EINVAL;
    spin_lock(&tasks_lock);
    err = set_foreground_locked(tty, id);
    spin_unlock(&tasks_lock);
    return err;
}

static long get_session(struct tty *tty, pid_t __user *out)
{
    pid_t id = 0;
    bool ours;

    spin_lock(&tasks_lock);
    ours = process_self()->group->session->tty == tty;
    if (ours)
        id = process_self()->group->session->id;
    spin_unlock(&tasks_lock);
    return ours ? put_user(id, out) : -ENOTTY;
}

bool tty_job_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg, long *result)
{
    switch (cmd) {
    case TIOCSCTTY:
        *result = set_controlling(tty, arg);
        return true;
    case TIOCNOTTY:
        *result = give_up(tty);
        return true;
    case TIOCGPGRP:
        *result = get_foreground(tty, (pid_t __user *)arg);
        return true;
    case TIOCSPGRP:
        *result = set_foreground(tty, (const pid_t __user *)arg);
        return true;
    case TIOCGSID:
        *result = get_session(tty, (pid_t __user *)arg);
        return true;
    default:
        return false;
    }
}
