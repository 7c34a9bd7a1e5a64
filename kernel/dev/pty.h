/* kernel/dev/pty.h: a pair of pseudo-terminals, between pty.c (files) and pty_ioctl.c. */
#ifndef DEV_PTY_H
#define DEV_PTY_H

#include "dev/ldisc.h"
#include "dev/tty.h"
#include "sync/waitq.h"

struct inode;

struct pty {
    struct tty tty;       /* the slave, as sessions see it; its count is the pair's */
    struct spinlock lock; /* class TTY: everything below */
    struct ldisc ld;
    bool reading, writing; /* turns of the slave's readers and writers */
    bool master_reading, master_writing;
    bool locked;         /* unlockpt(3): the slave does not open */
    bool exclusive;      /* TIOCEXCL */
    bool typing_stopped; /* TCOOFF at the master */
    bool master_gone;
    bool left;                       /* slaves were open, and none is */
    u32 slaves;                      /* open files of the slave */
    u32 hangups;                     /* how often open files were cut off */
    struct waitq readable, writable; /* the slave's */
    struct waitq output, typable;    /* the master's readers and writers */
    struct inode *node;              /* constant once open; counted; in /dev/pts */
    u32 number;                      /* constant once open */
};

/* An open slave; its file's private. */
struct pty_open {
    struct pty *pty;
    u32 hangups; /* constant: pty->hangups when it was opened; another number: cut off */
};

static inline struct pty *pty_of(struct tty *tty)
{
    return container_of(tty, struct pty, tty);
}

static inline bool pty_is_cut_off(const struct pty_open *open)
{
    return open->hangups != open->pty->hangups;
}

/* Unlocks, and wakes those for whom there is news. */
void pty_unlock(struct pty *pty);

long pty_master_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long pty_slave_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
