/*
 * kernel/dev/tty.h: what all terminals share: sessions, the foreground group, and who may read, write and set
 * (ioctl_tty(2), termios(3), credentials(7)). A terminal embeds struct tty.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "base/refcount.h"
#include "base/types.h"

struct file;
struct session;
struct tty;

struct tty_ops {
    bool (*stops_output)(struct tty *tty); /* is TOSTOP set? */
    /* What an open of /dev/tty does, with the opener's flags. */
    int (*open_current)(struct tty *tty, struct file *file);
    void (*hangup)(struct tty *tty);  /* vhangup(2): open files are cut off. NULL: they stay */
    void (*release)(struct tty *tty); /* the last reference is gone */
};

struct tty {
    struct refcount ref;
    const struct tty_ops *ops; /* constant */
    dev_t rdev;                /* constant */
    struct session *session;   /* tasks_lock; the session that it controls; not counted */
    pid_t foreground;          /* tasks_lock; id of the foreground group; 0: none */
    bool gone;                 /* tasks_lock; hung up for good: controls no session any more */
};

void tty_init(struct tty *tty, const struct tty_ops *ops, dev_t rdev);
static inline struct tty *tty_get(struct tty *tty)
{
    refcount_get(&tty->ref);
    return tty;
}
void tty_put(struct tty *tty);
DEFINE_AUTO(tty_put, struct tty *)

/*
 * May the caller read from its controlling terminal (SIGTTIN), write to it (SIGTTOU, with TOSTOP), or change it
 * (SIGTTOU)? 0, -EIO for an orphaned group or a blocked or ignored signal on reading, -ERESTARTSYS after the signal
 * was sent.
 */
int tty_check_read(struct tty *tty);
int tty_check_write(struct tty *tty);
int tty_check_change(struct tty *tty);

/* The ioctls about sessions and groups; false when cmd is not one of them. master: it came by the other end. */
bool tty_job_ioctl(struct tty *tty, bool master, unsigned int cmd, unsigned long arg, long *result);

/* Opening without O_NOCTTY: becomes the controlling terminal of a session leader that has none. */
void tty_opened(struct tty *tty, struct file *file);

/* A key's signal, to the foreground group. The terminal's own lock may be held. */
void tty_signal_foreground(struct tty *tty, int signo);

/*
 * Hangs up: the leader of its session gets SIGHUP and SIGCONT, the session has no terminal any more, open files
 * are cut off. for_good: nobody can take it again.
 */
void tty_hangup(struct tty *tty, bool for_good);

/* The caller's controlling terminal, counted, or NULL. */
struct tty *tty_controlling(void);
bool tty_is_controlling(const struct tty *tty);

/* Whom O_ASYNC signals at first: the foreground group, or else the caller; tty NULL: the other end, which has none. */
int tty_async_owner(struct tty *tty, int *id);

/* For /proc/PID/stat: the session's terminal and its foreground group; 0 and -1 when there is none. */
void tty_of_session_locked(const struct session *session, dev_t *rdev, pid_t *foreground);

/* For task's hook: the leader of a session ends. */
void tty_session_ends(struct session *session);

#endif
