/*
 * kernel/net/scm.h: what goes along with a message between sockets of the instance, cmsg(3), unix(7): open files
 * and the sender's credentials. The one place where the net room sees descriptors.
 */
#ifndef NET_SCM_H
#define NET_SCM_H

#include "base/list.h"
#include "net/socket.h"

struct process;

#define SCM_FILES_MAX 253 /* unix(7) */

/* Open files on their way. Owned by one message. */
struct scm_files {
    struct list_head reap; /* own: while they wait to be put */
    u32 n;
    uid_t uid;      /* constant: whose descriptors are counted */
    bool in_flight; /* own: counted, see scm_files_launch() */
    bool sockets;   /* constant: some are sockets of AF_UNIX */
    struct file *files[];
};

struct scm {
    struct scm_files *files; /* NULL: none */
    struct process *process; /* counted; NULL: the sender's credentials are not told */
    uid_t uid;
    gid_t gid;
};

/*
 * What a program gave along with a message. rights: SCM_RIGHTS is allowed. -EINVAL, -EBADF, -EPERM, -ESRCH, -ENOMEM,
 * -ETOOMANYREFS; then nothing is to be released.
 */
int scm_take(const struct message *msg, bool rights, struct scm *out);
/* The calling thread's own credentials, unless it gave some. */
void scm_set_sender(struct scm *scm);
void scm_release(struct scm *scm);
/* A second one for the same: what MSG_PEEK shows. -ENOMEM. */
int scm_copy(const struct scm *from, struct scm *out);
bool scm_same_sender(const struct scm *a, const struct scm *b);

/* Tells the program what its options ask for, and installs the files. Releases scm. */
void scm_give(struct scm *scm, struct socket *sock, struct message *msg);

#endif
