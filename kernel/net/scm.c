/* kernel/net/scm.c: files and credentials that go along with messages: SCM_RIGHTS, SCM_CREDENTIALS, SCM_PIDFD. */
#include "net/scm.h"

#include "abi/socket.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/unix/inflight.h"
#include "task/pidfd.h"
#include "task/task.h"
#include "vfs/files.h"

#define OVERFLOW_ID 65534 /* whose credentials were not told */

/* ---- what a program gives ---- */

/* How many descriptors all items hold together. */
static int count_rights(const struct message *msg, bool rights, u32 *n)
{
    struct control_item item;
    size_t at = 0;
    int err;

    *n = 0;
    while (control_next(msg->control, &at, &item, &err)) {
        if (item.level != SOL_SOCKET || item.type != SCM_RIGHTS)
            continue;
        if (!rights || item.len / sizeof(int) > SCM_FILES_MAX - *n)
            return -EINVAL;
        *n += (u32)(item.len / sizeof(int));
    }
    return err;
}

static int add_rights(struct scm *scm, const struct control_item *item)
{
    const int *fds = item->data;

    for (size_t i = 0; i < item->len / sizeof(int); i++) {
        struct file *file = fd_file_any(fds[i]);

        if (!file)
            return -EBADF;
        scm->files->files[scm->files->n++] = file;
        scm->files->sockets |= file_is_unix(file);
    }
    return 0;
}

/* unix(7): one's own, or what the capabilities allow. */
static int take_credentials(struct scm *scm, const struct control_item *item)
{
    const struct cred *cred = cred_current();
    struct process *process;
    struct ucred said;

    if (item->len != sizeof(said))
        return -EINVAL;
    memcpy(&said, item->data, sizeof(said));
    if (said.pid != process_self()->pid && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (said.uid != cred->uid && said.uid != cred->euid && said.uid != cred->suid &&
        !capable(CAP_SETUID))
        return -EPERM;
    if (said.gid != cred->gid && said.gid != cred->egid && said.gid != cred->sgid &&
        !capable(CAP_SETGID))
        return -EPERM;
    if (said.uid == UINT32_MAX || said.gid == UINT32_MAX)
        return -EINVAL;
    process = process_lookup_any(said.pid);
    if (!process)
        return -ESRCH;
    if (scm->process)
        process_put(scm->process);
    scm->process = process;
    scm->uid = said.uid;
    scm->gid = said.gid;
    return 0;
}

static int take_item(struct scm *scm, const struct control_item *item)
{
    if (item->level != SOL_SOCKET)
        return 0;
    switch (item->type) {
    case SCM_RIGHTS:
        return scm->files ? add_rights(scm, item) : 0;
    case SCM_CREDENTIALS:
        return take_credentials(scm, item);
    default:
        return -EINVAL;
    }
}

int scm_take(const struct message *msg, bool rights, struct scm *out)
{
    struct control_item item;
    size_t at = 0;
    u32 n = 0;
    int err = 0;

    *out = (struct scm){0};
    if (!msg->control)
        return 0;
    err = count_rights(msg, rights, &n);
    if (!err && n) {
        out->files = kzalloc(sizeof(*out->files) + n * sizeof(struct file *));
        if (!out->files)
            return -ENOMEM;
        out->files->uid = cred_current()->uid;
    }
    while (!err && control_next(msg->control, &at, &item, &err))
        err = take_item(out, &item);
    if (!err && out->files)
        err = inflight_add(out->files);
    if (err)
        scm_release(out);
    return err;
}

void scm_set_sender(struct scm *scm)
{
    if (scm->process)
        return;
    scm->process = process_get(process_self());
    scm->uid = cred_current()->uid;
    scm->gid = cred_current()->gid;
}

void scm_release(struct scm *scm)
{
    if (scm->files)
        inflight_reap(scm->files);
    if (scm->process)
        process_put(scm->process);
    *scm = (struct scm){0};
}

int scm_copy(const struct scm *from, struct scm *out)
{
    *out = *from;
    if (from->files) {
        out->files = inflight_copy(from->files);
        if (!out->files)
            return -ENOMEM;
    }
    if (out->process)
        process_get(out->process);
    return 0;
}

bool scm_same_sender(const struct scm *a, const struct scm *b)
{
    return a->process == b->process && a->uid == b->uid && a->gid == b->gid;
}

/* ---- what a program gets ---- */

static size_t control_left(const struct message *msg)
{
    return msg->control ? msg->control->room - msg->control->len : 0;
}

/* As many as there is room for; the program learns that some are missing. */
static void give_files(struct scm_files *files, struct message *msg)
{
    size_t left = control_left(msg);
    size_t room = left > sizeof(struct cmsghdr) ? (left - sizeof(struct cmsghdr)) / sizeof(int) : 0;
    u32 most = (u32)MIN(room, (size_t)files->n), n;
    int fds[SCM_FILES_MAX];

    inflight_remove(files);
    for (n = 0; n < most; n++) {
        fds[n] = fd_reserve(0, msg->flags & MSG_CMSG_CLOEXEC);
        if (fds[n] < 0)
            break;
    }
    if (n)
        control_put(msg, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof(int));
    for (u32 i = 0; i < n; i++)
        fd_install(fds[i], file_get(files->files[i]));
    if (n < files->n)
        msg->out_flags |= MSG_CTRUNC;
}

static void give_credentials(const struct scm *scm, struct message *msg)
{
    struct ucred cred = {.uid = OVERFLOW_ID, .gid = OVERFLOW_ID};

    if (scm->process)
        cred = (struct ucred){.pid = scm->process->pid, .uid = scm->uid, .gid = scm->gid};
    control_put(msg, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof(cred));
}

static void give_pidfd(const struct scm *scm, struct message *msg)
{
    struct file *file;
    int fd;

    if (!scm->process)
        return;
    if (control_left(msg) < CMSG_LEN(sizeof(fd))) {
        msg->out_flags |= MSG_CTRUNC;
        return;
    }
    file = pidfd_file(scm->process, 0);
    fd = IS_ERR(file) ? (int)PTR_ERR(file) : fd_create(file, O_CLOEXEC);
    control_put(msg, SOL_SOCKET, SCM_PIDFD, &fd, sizeof(fd)); /* a failure shows as the number */
}

void scm_give(struct scm *scm, struct socket *sock, struct message *msg)
{
    if (socket_option(sock, SOCKET_PASSCRED))
        give_credentials(scm, msg);
    if (scm->files)
        give_files(scm->files, msg);
    if (socket_option(sock, SOCKET_PASSPIDFD))
        give_pidfd(scm, msg);
    scm_release(scm);
}
