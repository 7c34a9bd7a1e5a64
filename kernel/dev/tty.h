/*
 * kernel/dev/tty.h: what all terminals share: sessions, the foreground group, and who may read, write and set
 * (tty_ioctl(2), termios(3), credentials(7)). A terminal embeds struct tty.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "base/types.h"

struct session;
struct file;

struct tty {
    struct session *session; /* tasks_lock; the session that it controls; not counted */
    pid_t foreground;        /* tasks_lock; id of the foreground group; 0: none */
    u64 rdev;                /* constant */
    /* Is TOSTOP set? */
    bool (*stops_output)(struct tty *tty);
};

/*
 * May the caller read from its controlling terminal (SIGTTIN), or change it (SIGTTOU)? 0, -EIO for an orphaned
 * group or a blocked or ignored signal on reading, -ERESTARTSYS after the signal was sent.
 */
int tty_check_read(struct tty *tty);
int tty_check_change(struct tty *tty);
int tty_check_write(struct tty *tty);

/* The ioctls about sessions and groups. -ENOIOCTLCMD-like: returns false when cmd is not one of them. */
bool tty_job_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg, long *result);

/* Opening without O_NOCTTY: becomes the controlling terminal of a session leader that has none. */
void tty_opened(struct tty *tty, int flags);

/* A key's or a hangup's signal, to the foreground group. */
void tty_signal_foreground(struct tty *tty, int signo);

/* The caller's controlling terminal, or NULL. */
struct tty *tty_controlling(void);

/* For task's hook: the leader of a session ends. */
void tty_session_ends(struct session *session);

#endif
