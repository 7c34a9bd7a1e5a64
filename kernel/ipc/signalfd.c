/* kernel/ipc/signalfd.c: signalfd4(2), pending signals that are read. */
#include "abi/unexported.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/list.h"
#include "mm/alloc.h"
#include "signal/signal.h"
#include "sync/waitq.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "vfs/vfs.h"

#include <linux/signalfd.h>

#define NEVER_TAKEN (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* A process on whose queue somebody polls: it stays until no poll can refer to it any more. */
struct polled {
    struct list_head link;
    struct process *process; /* counted */
};

struct signalfd {
    struct file file;
    u64 set;                 /* atomic */
    struct spinlock lock;    /* class OBJECT */
    struct list_head polled; /* lock; each process once */
};

static struct signalfd *signalfd_of(struct file *file)
{
    return container_of(file, struct signalfd, file);
}

static u64 signalfd_set(struct signalfd *sfd)
{
    return __atomic_load_n(&sfd->set, __ATOMIC_RELAXED);
}

/* sigaction(2) says which fields belong to which signals and codes. */
static void record_fill(struct signalfd_siginfo *record, const siginfo_t *info)
{
    *record = (struct signalfd_siginfo){
        .ssi_signo = (u32)info->si_signo,
        .ssi_errno = info->si_errno,
        .ssi_code = info->si_code,
    };
    if (info->si_code == SI_TIMER) {
        record->ssi_tid = (u32)info->si_tid;
        record->ssi_overrun = (u32)info->si_overrun;
        record->ssi_ptr = (u64)info->si_ptr;
        record->ssi_int = info->si_int;
        return;
    }
    if (info->si_code == SI_SIGIO || (info->si_signo == SIGPOLL && info->si_code > 0)) {
        record->ssi_band = (u32)info->si_band;
        record->ssi_fd = info->si_fd;
        return;
    }
    if (info->si_code > 0 && info->si_code != SI_KERNEL) {
        switch (info->si_signo) {
        case SIGILL:
        case SIGFPE:
        case SIGSEGV:
        case SIGBUS:
        case SIGTRAP:
            record->ssi_addr = (u64)info->si_addr;
            return;
        case SIGSYS:
            record->ssi_call_addr = (u64)info->si_call_addr;
            record->ssi_syscall = info->si_syscall;
            record->ssi_arch = info->si_arch;
            return;
        case SIGCHLD:
            record->ssi_status = info->si_status;
            record->ssi_utime = (u64)info->si_utime;
            record->ssi_stime = (u64)info->si_stime;
            break;
        }
    }
    record->ssi_pid = (u32)info->si_pid;
    record->ssi_uid = info->si_uid;
    if (info->si_code < 0 && info->si_code != SI_TKILL) {
        record->ssi_ptr = (u64)info->si_ptr;
        record->ssi_int = info->si_int;
    }
}

/* The next signal: its number, or an error. */
static int signalfd_take(struct signalfd *sfd, bool wait, siginfo_t *info)
{
    struct process_signals *signals = &process_self()->signals;
    struct sighand *sighand = signals->sighand;

    for (;;) {
        int signo = signal_dequeue(signalfd_set(sfd), info);
        int err;

        if (signo)
            return signo;
        if (!wait)
            return -EAGAIN;
        spin_lock(&sighand->lock);
        err = file_wait(&sfd->file, &signals->arrived, &sighand->lock,
                        signal_pending_set() & signalfd_set(sfd));
        spin_unlock(&sighand->lock);
        if (err)
            return err;
    }
}

static ssize_t signalfd_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct signalfd_siginfo record;
    ssize_t done = 0;

    if (iter_left(to) < sizeof(record))
        return -EINVAL;
    while (iter_left(to) >= sizeof(record)) {
        siginfo_t info;
        int signo = signalfd_take(signalfd_of(file), done == 0, &info);

        if (signo < 0)
            return done ? done : signo;
        record_fill(&record, &info);
        if (copy_to_iter(to, &record, sizeof(record)) != sizeof(record))
            return done ? done : -EFAULT;
        done += (ssize_t)sizeof(record);
    }
    return done;
}

static ssize_t signalfd_write(struct file *file, struct iter *from, loff_t *pos)
{
    return -EINVAL;
}

/* Keeps the caller's process, and with it the queue, as long as the file. */
static bool process_keep(struct signalfd *sfd, struct process *process)
{
    struct polled *entry, *new = kmalloc(sizeof(*new));
    bool known = false;

    spin_lock(&sfd->lock);
    list_for_each_entry(entry, &sfd->polled, link)
        known |= entry->process == process;
    if (!known && new) {
        new->process = process_get(process);
        list_add(&new->link, &sfd->polled);
    }
    spin_unlock(&sfd->lock);
    if (known)
        kfree(new);
    return known || new;
}

static u32 signalfd_poll(struct file *file, struct poll_table *table)
{
    struct signalfd *sfd = signalfd_of(file);
    struct process *process = process_self();

    if (table && table->queue && !process_keep(sfd, process))
        return POLLERR;
    poll_wait(file, &process->signals.arrived, table);
    return signal_pending_set() & signalfd_set(sfd) ? POLLIN : 0;
}

static int signalfd_fdinfo(struct file *file, char *buf, size_t size)
{
    return snprintf(buf, size, "sigmask:\t%016llx\n",
                    (unsigned long long)signalfd_set(signalfd_of(file)));
}

static void signalfd_release(struct file *file)
{
    struct signalfd *sfd = signalfd_of(file);
    struct polled *entry, *next;

    list_for_each_entry_safe(entry, next, &sfd->polled, link) {
        process_put(entry->process);
        kfree(entry);
    }
    kfree(sfd);
}

static const struct file_ops signalfd_ops = {
    .name = "[signalfd]",
    .read = signalfd_read,
    .write = signalfd_write,
    .poll = signalfd_poll,
    .fdinfo = signalfd_fdinfo,
    .release = signalfd_release,
};

static long signalfd_create(u64 set, int flags)
{
    struct signalfd *sfd = kzalloc(sizeof(*sfd));
    int err;

    if (!sfd)
        return -ENOMEM;
    sfd->set = set;
    spin_init(&sfd->lock, OBJECT);
    list_init(&sfd->polled);
    err = file_init(&sfd->file, &signalfd_ops, NULL, O_RDWR | (flags & SFD_NONBLOCK));
    if (err) {
        kfree(sfd);
        return err;
    }
    return fd_create(&sfd->file, flags & SFD_CLOEXEC);
}

long sys_signalfd4(int fd, const sigset_t __user *mask, size_t sizemask, int flags)
{
    u64 set;

    if (sizemask != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, mask, sizeof(set)))
        return -EFAULT;
    if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
        return -EINVAL;
    set &= ~NEVER_TAKEN;
    if (fd == -1)
        return signalfd_create(set, flags);

    AUTO_FD ref = fd_borrow(fd);

    if (!ref.file)
        return -EBADF;
    if (ref.file->ops != &signalfd_ops)
        return -EINVAL;
    __atomic_store_n(&signalfd_of(ref.file)->set, set, __ATOMIC_RELAXED);
    waitq_wake(&process_self()->signals.arrived, 0);
    return fd;
}

long sys_signalfd(int fd, const sigset_t __user *mask, size_t sizemask)
{
    return sys_signalfd4(fd, mask, sizemask, 0);
}
