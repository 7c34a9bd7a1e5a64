/* kernel/fs/mqueue/queue.c: messages of a POSIX queue: in and out, waiting, and what a file of one answers. */
#include "base/fmt.h"
#include "fs/mqueue/internal.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "task/task.h"

#define STATUS_MAX 96 /* of what reading the file shows */

void mqueue_init(struct mqueue *queue)
{
    spin_init(&queue->lock, OBJECT);
    list_init(&queue->messages);
    waitq_init(&queue->receivers, "mq_receive");
    waitq_init(&queue->senders, "mq_send");
    waitq_init(&queue->pollers, "mqueue");
}

void mqueue_clear(struct mqueue *queue)
{
    struct mq_message *message, *next;

    list_for_each_entry_safe(message, next, &queue->messages, link)
        kfree(message);
    if (queue->watcher)
        queue->watcher->free(queue->watcher);
}

struct mqueue *mqueue_of_file(const struct file *file)
{
    return file->ops == &mqueue_file_ops ? mqueue_of(file->inode) : NULL;
}

void mqueue_attr(struct mqueue *queue, const struct file *file, struct mq_attr *out)
{
    *out = (struct mq_attr){
        .mq_flags = file_nonblocking(file) ? O_NONBLOCK : 0,
        .mq_maxmsg = (long)queue->max_messages,
        .mq_msgsize = (long)queue->max_size,
    };
    spin_lock(&queue->lock);
    out->mq_curmsgs = (long)queue->count;
    spin_unlock(&queue->lock);
}

/* --- sending and receiving ---------------------------------------------------------------------------------- */

/* Behind those of the same or a higher priority. */
static void insert(struct mqueue *queue, struct mq_message *message)
{
    struct mq_message *at;

    list_for_each_entry_reverse(at, &queue->messages, link) {
        if (at->priority >= message->priority)
            break;
    }
    list_add(&message->link, &at->link);
    queue->count++;
    queue->bytes += message->size;
}

/*
 * After each change one of each side that can go on. Whoever was woken twice before he went on wakes the next one
 * when he does.
 */
static void wake(struct mqueue *queue)
{
    u32 events = 0;

    if (queue->count > 0) {
        waitq_wake_one(&queue->receivers, 0);
        events |= POLLIN | POLLRDNORM;
    }
    if (queue->count < queue->max_messages) {
        waitq_wake_one(&queue->senders, 0);
        events |= POLLOUT | POLLWRNORM;
    }
    waitq_wake(&queue->pollers, events);
}

static int wait_result(int err)
{
    return err == -EINTR ? -ERESTARTSYS : err;
}

static void touch(struct mqueue *queue)
{
    inode_touch(&queue->inode, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
}

int mqueue_send(struct file *file, struct mq_message *message, ktime deadline)
{
    struct mqueue *queue = mqueue_of(file->inode);
    struct mq_watcher *told = NULL;
    int err = 0;

    if (message->size > queue->max_size)
        return -EMSGSIZE;
    spin_lock(&queue->lock);
    if (queue->count >= queue->max_messages && file_nonblocking(file))
        err = -EAGAIN;
    else
        err = wait_result(wait_event(&queue->senders, &queue->lock,
                                     queue->count < queue->max_messages, deadline));
    if (!err) {
        if (queue->count == 0 && !queue->waiting)
            told = TAKE(queue->watcher);
        insert(queue, message);
        wake(queue);
    }
    spin_unlock(&queue->lock);
    if (!err)
        touch(queue);
    if (told)
        told->arrived(told);
    return err;
}

struct mq_message *mqueue_receive(struct file *file, size_t room, ktime deadline)
{
    struct mqueue *queue = mqueue_of(file->inode);
    struct mq_message *message = NULL;
    int err;

    if (room < queue->max_size)
        return ERR_PTR(-EMSGSIZE);
    spin_lock(&queue->lock);
    if (!queue->count && file_nonblocking(file)) {
        err = -EAGAIN;
    } else {
        queue->waiting++;
        err = wait_result(wait_event(&queue->receivers, &queue->lock, queue->count > 0, deadline));
        queue->waiting--;
    }
    if (!err) {
        message = list_first_entry(&queue->messages, struct mq_message, link);
        list_del(&message->link);
        queue->count--;
        queue->bytes -= message->size;
        wake(queue);
    }
    spin_unlock(&queue->lock);
    if (err)
        return ERR_PTR(err);
    touch(queue);
    return message;
}

/* --- notification ------------------------------------------------------------------------------------------- */

int mqueue_watch(struct mqueue *queue, struct mq_watcher *watcher)
{
    bool busy;

    spin_lock(&queue->lock);
    busy = queue->watcher != NULL;
    if (!busy)
        queue->watcher = watcher;
    spin_unlock(&queue->lock);
    return busy ? -EBUSY : 0;
}

void mqueue_unwatch(struct mqueue *queue, const void *owner)
{
    struct mq_watcher *watcher = NULL;

    spin_lock(&queue->lock);
    if (queue->watcher && queue->watcher->owner == owner)
        watcher = TAKE(queue->watcher);
    spin_unlock(&queue->lock);
    if (watcher)
        watcher->free(watcher);
}

/* --- files -------------------------------------------------------------------------------------------------- */

/* mq_overview(7): how full the queue is, and who is to be told. */
static ssize_t mqueue_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct mqueue *queue = mqueue_of(file->inode);
    char text[STATUS_MAX];
    ssize_t n;
    int len;

    spin_lock(&queue->lock);
    const struct mq_watcher *watcher = queue->watcher;

    len = scnprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                    (unsigned long long)queue->bytes, watcher ? watcher->notify : 0,
                    watcher ? watcher->signo : 0, watcher ? watcher->pid : 0);
    spin_unlock(&queue->lock);
    if (*pos >= len)
        return 0;
    n = copy_to_iter(to, text + *pos, MIN(iter_left(to), (size_t)(len - *pos)));
    if (n > 0)
        *pos += n;
    return n;
}

static u32 mqueue_poll(struct file *file, struct poll_table *table)
{
    struct mqueue *queue = mqueue_of(file->inode);
    u64 count;

    poll_wait(file, &queue->pollers, table);
    spin_lock(&queue->lock);
    count = queue->count;
    spin_unlock(&queue->lock);
    return (count ? POLLIN | POLLRDNORM : 0) |
           (count < queue->max_messages ? POLLOUT | POLLWRNORM : 0);
}

/* mq_close(3): a notification of the process that closes goes with the descriptor. */
static int mqueue_flush(struct file *file)
{
    if (self_is_task())
        mqueue_unwatch(mqueue_of(file->inode), process_self());
    return 0;
}

const struct file_ops mqueue_file_ops = {
    .read = mqueue_read,
    .poll = mqueue_poll,
    .flush = mqueue_flush,
};
