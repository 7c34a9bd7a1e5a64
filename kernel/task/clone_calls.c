/* kernel/task/clone_calls.c: the four calls that make tasks, and their rules about flags. */
#include "task/clone.h"

#include "abi/newer.h"
#include "base/errno.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/namespaces.h"

#include <linux/sched.h>
#include <myst/boot.h>
#include <asm/signal.h>

#define CLONE_NAMESPACES                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET | CLONE_NEWTIME)

/* clone(2), "EINVAL", in both of its forms. */
static int check_flags(u64 flags)
{
    if ((flags & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
        return -EINVAL;
    if ((flags & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
        return -EINVAL;
    if (flags & CLONE_THREAD && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if (flags & CLONE_SIGHAND && !(flags & CLONE_VM))
        return -EINVAL;
    if (flags & CLONE_THREAD && flags & (CLONE_NEWUSER | CLONE_NEWPID))
        return -EINVAL;
    if (flags & CLONE_PIDFD && flags & CLONE_DETACHED)
        return -EINVAL;
    if (flags & CLONE_SIGHAND && flags & CLONE_CLEAR_SIGHAND)
        return -EINVAL;
    return 0;
}

/* Of most kinds there is one namespace: as on a Linux that was configured so. */
static int check_namespaces(u64 flags)
{
    if (!(flags & CLONE_NAMESPACES))
        return 0;
    if (flags & CLONE_NAMESPACES & ~CLONE_NEWUSER && !(flags & CLONE_NEWUSER) &&
        !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (flags & CLONE_SYSVSEM && flags & CLONE_NEWIPC)
        return -EINVAL;
    return flags & CLONE_NAMESPACES & ~(u64)NAMESPACES_OWN ? -EINVAL : 0;
}

static long clone_checked(const struct clone_request *req)
{
    int err = check_flags(req->flags);

    if (!err && req->flags & CLONE_SETTLS && req->tls >= MYST_USER_END)
        err = -EPERM;
    if (!err)
        err = check_namespaces(req->flags);
    return err ? err : task_clone(req);
}

long sys_clone(unsigned long flags, unsigned long stack, int __user *parent_tid,
               void __user *child_tid, unsigned long tls)
{
    struct clone_request req = {
        .flags = (u32)flags & ~(u32)CSIGNAL,
        .exit_signal = (int)(flags & CSIGNAL),
        .stack = stack,
        .tls = tls,
        .pidfd = (int __user *)parent_tid,
        .parent_tid = (u32 __user *)parent_tid,
        .child_tid = (u32 __user *)child_tid,
    };

    /* Both would be stored in the same place. */
    if (flags & CLONE_PIDFD && flags & CLONE_PARENT_SETTID)
        return -EINVAL;
    return clone_checked(&req);
}

long sys_fork(void)
{
    struct clone_request req = {.exit_signal = SIGCHLD};

    return clone_checked(&req);
}

long sys_vfork(void)
{
    struct clone_request req = {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD};

    return clone_checked(&req);
}

#define CLONE3_FLAGS                                                                               \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PIDFD | CLONE_PTRACE |              \
     CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |                    \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_UNTRACED | CLONE_CHILD_SETTID | CLONE_IO | \
     CLONE_NAMESPACES | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)

#define SET_TID_MAX 32 /* levels of pid namespaces; here is one */

static int check_clone3(const struct clone_args *args)
{
    if (args->flags & ~(u64)CLONE3_FLAGS)
        return -EINVAL;
    if (args->exit_signal > SIGNALS)
        return -EINVAL;
    if (args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal)
        return -EINVAL;
    if (args->set_tid_size > SET_TID_MAX || !args->set_tid != !args->set_tid_size)
        return -EINVAL;
    if (!args->stack != !args->stack_size)
        return -EINVAL;
    if (args->stack && !user_range_ok((void __user *)args->stack, args->stack_size))
        return -EINVAL;
    if (args->flags & CLONE_INTO_CGROUP)
        return args->cgroup > INT32_MAX ? -EINVAL : -EBADF; /* no descriptor is a control group */
    return 0;
}

/* The caller may choose the number, if it is free. */
static int read_set_tid(const struct clone_args *args, pid_t *tid)
{
    *tid = 0;
    if (!args->set_tid_size)
        return 0;
    if (args->set_tid_size > 1)
        return -EINVAL;
    if (copy_from_user(tid, (const void __user *)args->set_tid, sizeof *tid) != 0)
        return -EFAULT;
    if (*tid <= 0 || *tid >= PID_LIMIT)
        return -EINVAL;
    return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

long sys_clone3(const struct clone_args __user *cl_args, size_t size)
{
    struct clone_args args = {0};
    pid_t tid;
    int err;

    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    err = copy_struct_from_user(&args, sizeof args, cl_args, size);
    if (!err)
        err = check_clone3(&args);
    if (!err)
        err = read_set_tid(&args, &tid);
    if (err)
        return err;

    struct clone_request req = {
        .flags = args.flags,
        .set_tid = tid,
        .exit_signal = (int)args.exit_signal,
        .stack = args.stack + args.stack_size,
        .tls = args.tls,
        .pidfd = (int __user *)args.pidfd,
        .parent_tid = (u32 __user *)args.parent_tid,
        .child_tid = (u32 __user *)args.child_tid,
    };
    return clone_checked(&req);
}
