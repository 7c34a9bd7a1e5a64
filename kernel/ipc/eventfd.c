/* kernel/ipc/eventfd.c: eventfd2(2), a counter that wakes its readers. */
#include "abi/unexported.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "ipc/eventfd.h"
#include "mm/alloc.h"
#include "sync/waitq.h"
#include "syscall_proto.h"
#include "vfs/vfs.h"

#define COUNT_MAX (UINT64_MAX - 1) /* eventfd2(2): writes block rather than pass this */

struct eventfd {
    struct file file;
    u32 id;               /* constant; /proc/PID/fdinfo tells two of them apart */
    bool semaphore;       /* constant after creation */
    struct spinlock lock; /* class OBJECT */
    u64 count;            /* under lock */
    struct waitq changed; /* woken when count moves; readers and writers wait here */
};

static u32 last_id; /* atomic */

static struct eventfd *eventfd_of(struct file *file)
{
    return container_of(file, struct eventfd, file);
}

static ssize_t eventfd_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct eventfd *efd = eventfd_of(file);
    u64 value = 0;
    int err;

    if (iter_left(to) < sizeof(value))
        return -EINVAL;

    spin_lock(&efd->lock);
    err = file_wait(file, &efd->changed, &efd->lock, efd->count > 0);
    if (err == 0) {
        value = efd->semaphore ? 1 : efd->count;
        efd->count -= value;
        waitq_wake(&efd->changed, POLLOUT);
    }
    spin_unlock(&efd->lock);

    /* As on Linux, what a bad address could not take is gone. */
    return err ? err : copy_to_iter(to, &value, sizeof(value));
}

static ssize_t eventfd_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct eventfd *efd = eventfd_of(file);
    u64 value;
    int err;

    if (iter_left(from) < sizeof(value))
        return -EINVAL;
    if (copy_from_iter(from, &value, sizeof(value)) != sizeof(value))
        return -EFAULT;
    if (value > COUNT_MAX)
        return -EINVAL;

    spin_lock(&efd->lock);
    err = file_wait(file, &efd->changed, &efd->lock, COUNT_MAX - efd->count >= value);
    if (err == 0) {
        efd->count += value;
        waitq_wake(&efd->changed, POLLIN);
    }
    spin_unlock(&efd->lock);
    return err ? err : (ssize_t)sizeof(value);
}

static u32 eventfd_poll(struct file *file, struct poll_table *table)
{
    struct eventfd *efd = eventfd_of(file);
    u64 count;

    poll_wait(file, &efd->changed, table);
    spin_lock(&efd->lock);
    count = efd->count;
    spin_unlock(&efd->lock);
    return (count > 0 ? POLLIN : 0) | (count < COUNT_MAX ? POLLOUT : 0);
}

static int eventfd_fdinfo(struct file *file, char *buf, size_t size)
{
    struct eventfd *efd = eventfd_of(file);
    u64 count;

    spin_lock(&efd->lock);
    count = efd->count;
    spin_unlock(&efd->lock);
    return snprintf(buf, size, "eventfd-count: %16llx\neventfd-id: %u\neventfd-semaphore: %d\n",
                    (unsigned long long)count, efd->id, efd->semaphore);
}

static void eventfd_release(struct file *file)
{
    kfree(eventfd_of(file));
}

static const struct file_ops eventfd_ops = {
    .name = "[eventfd]",
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .fdinfo = eventfd_fdinfo,
    .release = eventfd_release,
};

bool file_is_eventfd(const struct file *file)
{
    return file->ops == &eventfd_ops;
}

void eventfd_signal(struct file *file)
{
    struct eventfd *efd = eventfd_of(file);

    spin_lock(&efd->lock);
    efd->count += efd->count < COUNT_MAX;
    waitq_wake(&efd->changed, POLLIN);
    spin_unlock(&efd->lock);
}

long sys_eventfd2(unsigned int initval, int flags)
{
    struct eventfd *efd;
    int err;

    if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        return -EINVAL;
    efd = kzalloc(sizeof(*efd));
    if (!efd)
        return -ENOMEM;

    efd->id = __atomic_fetch_add(&last_id, 1, __ATOMIC_RELAXED);
    efd->semaphore = flags & EFD_SEMAPHORE;
    efd->count = initval;
    spin_init(&efd->lock, OBJECT);
    waitq_init(&efd->changed, "eventfd");
    err = file_init(&efd->file, &eventfd_ops, NULL, O_RDWR | (flags & EFD_NONBLOCK));
    if (err) {
        kfree(efd);
        return err;
    }
    return fd_create(&efd->file, flags & EFD_CLOEXEC);
}

long sys_eventfd(unsigned int initval)
{
    return sys_eventfd2(initval, 0);
}
