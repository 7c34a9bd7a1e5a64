/* kernel/ipc/mqueue_notify.c: mq_notify(2): a signal or a datagram when a message comes to an empty queue. */
#include "fs/mqueue/mqueue.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "net/netlink/netlink.h"
#include "syscall_proto.h"
#include "task/task.h"

struct notice {
    struct mq_watcher watcher;
    struct process *process; /* counted */
    sigval_t value;
    /* SIGEV_THREAD: the C library's thread reads a netlink socket, and knows the request by its cookie */
    struct file *socket; /* counted, or NULL */
    struct nl_packet *cookie;
};

static void notice_free(struct notice *notice)
{
    if (notice->socket)
        file_put(notice->socket);
    if (notice->cookie)
        netlink_packet_free(notice->cookie);
    process_put(notice->process);
    kfree(notice);
}

/* The cookie's last byte says why the thread gets it back. */
static void notice_tell_thread(struct notice *notice, u8 why)
{
    u8 *cookie = netlink_packet_data(notice->cookie);

    cookie[NOTIFY_COOKIE_LEN - 1] = why;
    netlink_deliver(notice->socket, TAKE(notice->cookie));
}

static void watcher_free(struct mq_watcher *watcher)
{
    struct notice *notice = container_of(watcher, struct notice, watcher);

    if (notice->cookie)
        notice_tell_thread(notice, NOTIFY_REMOVED);
    notice_free(notice);
}

/* sigaction(2), SI_MESGQ: who has sent the message. */
static void watcher_tell(struct mq_watcher *watcher)
{
    struct notice *notice = container_of(watcher, struct notice, watcher);
    siginfo_t info;

    if (notice->cookie) {
        notice_tell_thread(notice, NOTIFY_WOKENUP);
    } else if (watcher->notify == SIGEV_SIGNAL && watcher->signo) {
        siginfo_user(&info, watcher->signo, SI_MESGQ);
        info.si_value = notice->value;
        signal_send_process(notice->process, &info);
    }
    notice_free(notice);
}

/* SIGEV_THREAD: the socket, and the datagram that will go into it. */
static int prepare_thread(struct notice *notice, const struct sigevent *event)
{
    u8 cookie[NOTIFY_COOKIE_LEN];

    if (copy_from_user(cookie, (const void __user *)event->sigev_value.sival_ptr, sizeof(cookie)))
        return -EFAULT;
    notice->socket = fd_file(event->sigev_signo);
    if (!notice->socket)
        return -EBADF;
    if (!file_is_netlink(notice->socket))
        return -EINVAL;
    notice->cookie = netlink_packet(cookie, sizeof(cookie));
    return notice->cookie ? 0 : -ENOMEM;
}

static int check_event(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case SIGEV_NONE:
    case SIGEV_THREAD:
        return 0;
    case SIGEV_SIGNAL:
        return event->sigev_signo < 0 || event->sigev_signo > SIGNALS ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

static struct notice *notice_create(const struct sigevent *event)
{
    int err = check_event(event);
    struct notice *notice = err ? ERR_PTR(err) : kzalloc(sizeof(*notice));

    if (IS_ERR_OR_NULL(notice))
        return notice ? notice : ERR_PTR(-ENOMEM);
    notice->process = process_get(process_self());
    notice->value = event->sigev_value;
    notice->watcher = (struct mq_watcher){
        .arrived = watcher_tell,
        .free = watcher_free,
        .owner = notice->process,
        .notify = event->sigev_notify,
        .signo = event->sigev_notify == SIGEV_SIGNAL ? event->sigev_signo : 0,
        .pid = notice->process->pid,
    };
    if (event->sigev_notify == SIGEV_THREAD)
        err = prepare_thread(notice, event);
    if (!err)
        return notice;
    notice_free(notice);
    return ERR_PTR(err);
}

long sys_mq_notify(int mqdes, const struct sigevent __user *sevp)
{
    struct notice *notice = NULL;
    struct sigevent event;
    int err = 0;

    if (sevp && copy_from_user(&event, sevp, sizeof(event)))
        return -EFAULT;
    if (sevp)
        notice = notice_create(&event);
    if (IS_ERR(notice))
        return PTR_ERR(notice);

    AUTO_FD ref = fd_borrow(mqdes);
    struct mqueue *queue = ref.file ? mqueue_of_file(ref.file) : NULL;

    if (!queue)
        err = -EBADF;
    else if (notice)
        err = mqueue_watch(queue, &notice->watcher);
    else
        mqueue_unwatch(queue, process_self());
    if (err && notice)
        notice_free(notice);
    return err;
}
