/* kernel/ipc/mqueue.c: mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_getsetattr(2). */
#include "base/string.h"
#include "fs/mqueue/mqueue.h"
#include "ipc/sysv.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "time/time.h"

/* The root of the caller's queues. */
static struct path queues(void)
{
    struct mount *mount = ipc_queues();

    return (struct path){.mount = mount, .dentry = mount->root};
}

/* mq_open(2): a name of one component, which libc has freed of its slash. */
static int name_get(struct pathname *name, const char __user *text)
{
    int err = pathname_get(name, text);

    if (err)
        return err;
    if (!name->len)
        return -ENOENT;
    if (name->len > NAME_MAX)
        return -ENAMETOOLONG;
    return strchr(name->text, '/') || streq(name->text, ".") || streq(name->text, "..") ? -EACCES
                                                                                        : 0;
}

/* --- names --------------------------------------------------------------------------------------------------- */

struct queue_request {
    const char *name;
    int flags;
    umode mode;
    const struct mq_attr *attr; /* NULL: the usual */
};

static int queue_make(const struct queue_request *req, struct path *out)
{
    AUTO(inode_put) struct inode *inode = NULL;
    struct path dir = queues();
    umode mode = req->mode & 0777 & ~self()->fs->umask;
    int err = mqueue_create(dir.mount->super, mode, req->attr, &inode);

    return err ? err : vfs_link_at(&dir, req->name, inode, out);
}

/*
 * What is there, or is made. *created: by this call, so its permissions do not bind it. The caller releases the path,
 * also after an error.
 */
static int queue_find(const struct queue_request *req, struct path *out, bool *created)
{
    struct path dir = queues();
    int err;

    *created = false;
    do {
        err = path_lookup_at(&dir, req->name, 0, out);
        if (err != -ENOENT || !(req->flags & O_CREAT))
            break;
        err = queue_make(req, out);
        *created = !err;
    } while (err == -EEXIST); /* somebody else has made it meanwhile */
    if (!err && !*created && (req->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        err = -EEXIST;
    return err;
}

static int queue_open(const struct queue_request *req)
{
    AUTO_PATH path = {0};
    bool created;
    struct file *file;
    int err = queue_find(req, &path, &created);

    if (err)
        return err;
    if ((req->flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    file = created ? file_open_created(&path, req->flags & (O_ACCMODE | O_NONBLOCK))
                   : file_open_path(&path, req->flags & (O_ACCMODE | O_NONBLOCK));
    return IS_ERR(file) ? (int)PTR_ERR(file) : fd_create(file, O_CLOEXEC);
}

long sys_mq_open(const char __user *name, int oflag, umode mode, const struct mq_attr __user *attr)
{
    struct mq_attr wanted;
    AUTO_PATHNAME text;
    int err = name_get(&text, name);

    if (!err && attr && copy_from_user(&wanted, attr, sizeof(wanted)))
        err = -EFAULT;
    if (err)
        return err;

    struct queue_request req = {
        .name = text.text, .flags = oflag, .mode = mode, .attr = attr ? &wanted : NULL};

    return queue_open(&req);
}

long sys_mq_unlink(const char __user *name)
{
    struct path dir = queues();
    AUTO_PATHNAME text;
    int err = name_get(&text, name);

    return err ? err : vfs_unlink_at(&dir, text.text);
}

/* --- messages ------------------------------------------------------------------------------------------------ */

static int deadline_get(const struct timespec __user *timeout, ktime *deadline)
{
    struct timespec ts;
    int given = timespec_from_user(&ts, timeout);

    *deadline = KTIME_FOREVER;
    if (given <= 0)
        return given;
    *deadline = time_deadline(CLOCK_REALTIME, ts.tv_sec, ts.tv_nsec);
    return 0;
}

/* A descriptor of a queue that is open this way. */
static struct fd_ref queue_borrow(int fd, u32 mode)
{
    struct fd_ref ref = fd_borrow(fd);

    if (ref.file && mqueue_of_file(ref.file) && (ref.file->mode & mode) == mode)
        return ref;
    if (ref.file)
        fd_return(&ref);
    return (struct fd_ref){0};
}

static long send_message(struct file *file, const void __user *text, size_t size, u32 priority,
                         ktime deadline)
{
    struct mq_attr attr;
    struct mq_message *message;
    int err;

    mqueue_attr(mqueue_of_file(file), file, &attr);
    if (size > (size_t)attr.mq_msgsize)
        return -EMSGSIZE;
    message = kmalloc(sizeof(*message) + size);
    if (!message)
        return -ENOMEM;
    message->priority = priority;
    message->size = size;
    err = copy_from_user(message->text, text, size);
    if (!err)
        err = mqueue_send(file, message, deadline);
    if (err)
        kfree(message);
    return err;
}

long sys_mq_timedsend(int mqdes, const void __user *msg_ptr, size_t msg_len, unsigned int msg_prio,
                      const struct timespec __user *abs_timeout)
{
    ktime deadline;
    int err = msg_prio >= MQ_PRIO_MAX ? -EINVAL : deadline_get(abs_timeout, &deadline);

    if (err)
        return err;

    AUTO_FD ref = queue_borrow(mqdes, FILE_WRITE);

    return ref.file ? send_message(ref.file, msg_ptr, msg_len, msg_prio, deadline) : -EBADF;
}

long sys_mq_timedreceive(int mqdes, void __user *msg_ptr, size_t msg_len,
                         unsigned int __user *msg_prio, const struct timespec __user *abs_timeout)
{
    struct mq_message *message;
    ktime deadline;
    long result = deadline_get(abs_timeout, &deadline);

    if (result)
        return result;

    AUTO_FD ref = queue_borrow(mqdes, FILE_READ);

    if (!ref.file)
        return -EBADF;
    message = mqueue_receive(ref.file, msg_len, deadline);
    if (IS_ERR(message))
        return PTR_ERR(message);
    result = (long)message->size;
    if ((msg_prio && put_user(message->priority, msg_prio)) ||
        copy_to_user(msg_ptr, message->text, message->size))
        result = -EFAULT;
    kfree(message);
    return result;
}

long sys_mq_getsetattr(int mqdes, const struct mq_attr __user *newattr,
                       struct mq_attr __user *oldattr)
{
    struct mq_attr wanted, old;

    if (newattr && copy_from_user(&wanted, newattr, sizeof(wanted)))
        return -EFAULT;
    if (newattr && wanted.mq_flags & ~(long)O_NONBLOCK)
        return -EINVAL;

    AUTO_FD ref = queue_borrow(mqdes, 0);

    if (!ref.file)
        return -EBADF;
    mqueue_attr(mqueue_of_file(ref.file), ref.file, &old);
    if (newattr && wanted.mq_flags)
        __atomic_or_fetch(&ref.file->flags, O_NONBLOCK, __ATOMIC_RELAXED);
    else if (newattr)
        __atomic_and_fetch(&ref.file->flags, ~(u32)O_NONBLOCK, __ATOMIC_RELAXED);
    return oldattr ? copy_to_user(oldattr, &old, sizeof(old)) : 0;
}
