/* kernel/ipc/mqueue_notify.c: mq_notify(2): a signal when a message comes to an empty queue. */
#include "fs/mqueue/mqueue.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/task.h"

struct signal_watcher {
    struct mq_watcher watcher;
    struct process *process; /* counted */
    sigval_t value;
};

static void watcher_free(struct mq_watcher *watcher)
{
    struct signal_watcher *own = container_of(watcher, struct signal_watcher, watcher);

    process_put(own->process);
    kfree(own);
}

/* sigaction(2), SI_MESGQ: who has sent the message. */
static void watcher_signal(struct mq_watcher *watcher)
{
    struct signal_watcher *own = container_of(watcher, struct signal_watcher, watcher);
    siginfo_t info;

    if (watcher->notify == SIGEV_SIGNAL && watcher->signo) {
        siginfo_user(&info, watcher->signo, SI_MESGQ);
        info.si_value = own->value;
        signal_send_process(own->process, &info);
    }
    watcher_free(watcher);
}

static struct mq_watcher *watcher_create(const struct sigevent *event)
{
    struct signal_watcher *own = kzalloc(sizeof(*own));

    if (!own)
        return NULL;
    own->process = process_get(process_self());
    own->value = event->sigev_value;
    own->watcher = (struct mq_watcher){
        .arrived = watcher_signal,
        .free = watcher_free,
        .owner = own->process,
        .notify = event->sigev_notify,
        .signo = event->sigev_notify == SIGEV_SIGNAL ? event->sigev_signo : 0,
        .pid = own->process->pid,
    };
    return &own->watcher;
}

/* SIGEV_THREAD is told by a message to an AF_NETLINK socket, of which there are none. */
static int check_event(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
        return event->sigev_signo < 0 || event->sigev_signo > SIGNALS ? -EINVAL : 0;
    case SIGEV_THREAD: {
        char cookie[NOTIFY_COOKIE_LEN];

        if (copy_from_user(cookie, (const void __user *)event->sigev_value.sival_ptr,
                           sizeof(cookie)))
            return -EFAULT;
        AUTO_FD socket = fd_borrow(event->sigev_signo);

        return socket.file ? -EINVAL : -EBADF;
    }
    default:
        return -EINVAL;
    }
}

long sys_mq_notify(int mqdes, const struct sigevent __user *sevp)
{
    struct sigevent event;
    struct mq_watcher *watcher;
    int err = 0;

    if (sevp && copy_from_user(&event, sevp, sizeof(event)))
        return -EFAULT;
    if (sevp)
        err = check_event(&event);
    if (err)
        return err;

    AUTO_FD ref = fd_borrow(mqdes);
    struct mqueue *queue = ref.file ? mqueue_of_file(ref.file) : NULL;

    if (!queue)
        return -EBADF;
    if (!sevp) {
        mqueue_unwatch(queue, process_self());
        return 0;
    }
    watcher = watcher_create(&event);
    if (!watcher)
        return -ENOMEM;
    err = mqueue_watch(queue, watcher);
    if (err)
        watcher_free(watcher);
    return err;
}
