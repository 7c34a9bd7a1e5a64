/* kernel/task/prctl.c: prctl(2), personality(2). None of it is asked of the host. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/caps.h"
#include "task/internal.h"

#include "abi/newer.h"

#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#define DUMPABLE_NO   0
#define DUMPABLE_USER 1

static long set_name(const char __user *from)
{
    char name[TASK_COMM_LEN];
    ssize_t len = strncpy_from_user(name, from, sizeof name - 1);

    if (len < 0)
        return len;
    name[MIN(len, (ssize_t)sizeof name - 1)] = '\0';
    task_publish_comm(task_self(), name);
    return 0;
}

static long get_name(char __user *to)
{
    char name[TASK_COMM_LEN];

    spin_lock(&tasks_lock);
    memcpy(name, task_self()->comm, sizeof name);
    spin_unlock(&tasks_lock);
    return copy_to_user(to, name, sizeof name);
}

static long set_parent_death_signal(u64 signo)
{
    if (signo > SIGNALS)
        return -EINVAL;
    spin_lock(&tasks_lock);
    task_self()->parent_death_signal = (int)signo;
    spin_unlock(&tasks_lock);
    return 0;
}

static long set_dumpable(u64 value)
{
    if (value != DUMPABLE_NO && value != DUMPABLE_USER)
        return -EINVAL;
    __atomic_store_n(&process_self()->dumpable, (u32)value, __ATOMIC_RELAXED);
    return 0;
}

static long set_subreaper(u64 value)
{
    spin_lock(&tasks_lock);
    process_self()->subreaper = value != 0;
    spin_unlock(&tasks_lock);
    return 0;
}

static long set_timer_slack(u64 value)
{
    struct task *task = task_self();

    task->timer_slack = value ? value : task->default_timer_slack;
    return 0;
}

/* Of the auxiliary vector: as many bytes as there are, whatever room the caller has. */
static long get_auxv(void __user *to, u64 len)
{
    struct mm *mm = self()->mm;

    if (copy_to_user(to, mm->auxv, MIN(len, sizeof mm->auxv)) != 0)
        return -EFAULT;
    return sizeof mm->auxv;
}

static long get_tid_address(u64 to)
{
    return put_user((u64)task_self()->clear_child_tid, (u64 __user *)to);
}

/* prctl(2): what an operation does not use must be zero, for some of them. */
static bool unused(u64 a, u64 b, u64 c)
{
    return (a | b | c) == 0;
}

/* seccomp(2) in its older form. */
static long set_seccomp(u64 mode, u64 program)
{
    if (!task_hooks.seccomp_set)
        return -EINVAL;
    if (mode == SECCOMP_MODE_STRICT)
        return task_hooks.seccomp_set(SECCOMP_SET_MODE_STRICT, 0, NULL);
    if (mode == SECCOMP_MODE_FILTER)
        return task_hooks.seccomp_set(SECCOMP_SET_MODE_FILTER, 0, (void __user *)program);
    return -EINVAL;
}

static long set_mdwe(u64 bits)
{
    if (bits & ~(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT) || bits == PR_MDWE_NO_INHERIT)
        return -EINVAL;
    return mm_mdwe_set((u32)bits);
}

/* The operations whose arguments Linux checks down to the last. */
static long prctl_strict(int option, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
    switch (option) {
    case PR_SET_NO_NEW_PRIVS:
        if (arg2 != 1 || !unused(arg3, arg4, arg5))
            return -EINVAL;
        task_self()->no_new_privs = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        if (arg2 || !unused(arg3, arg4, arg5))
            return -EINVAL;
        return task_self()->no_new_privs;
    case PR_CAP_AMBIENT:
        return unused(arg4, arg5, 0) ? caps_ambient(arg2, arg3) : -EINVAL;
    case PR_GET_THP_DISABLE:
        return arg2 || !unused(arg3, arg4, arg5) ? -EINVAL : process_self()->thp_disabled;
    case PR_SET_THP_DISABLE: /* kept and shown: no mapping is made of huge pages anyway */
        if (!unused(arg3, arg4, arg5))
            return -EINVAL;
        process_self()->thp_disabled = arg2 != 0;
        return 0;
    case PR_GET_AUXV:
        return unused(arg4, arg5, 0) ? get_auxv((void __user *)arg2, arg3) : -EINVAL;
    case PR_SET_MDWE:
        return unused(arg3, arg4, arg5) ? set_mdwe(arg2) : -EINVAL;
    case PR_GET_MDWE:
        return arg2 || !unused(arg3, arg4, arg5) ? -EINVAL : (long)READ_ONCE(self()->mm->mdwe);
    case PR_MCE_KILL_GET:
        return arg2 || !unused(arg3, arg4, arg5) ? -EINVAL : PR_MCE_KILL_DEFAULT;
    default:
        return -EINVAL;
    }
}

long sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
               unsigned long arg5)
{
    struct task *task = task_self();

    switch (option) {
    case PR_SET_NAME:
        return set_name((const char __user *)arg2);
    case PR_GET_NAME:
        return get_name((char __user *)arg2);
    case PR_SET_PDEATHSIG:
        return set_parent_death_signal(arg2);
    case PR_GET_PDEATHSIG:
        return put_user(task->parent_death_signal, (int __user *)arg2);
    case PR_SET_DUMPABLE:
        return set_dumpable(arg2);
    case PR_GET_DUMPABLE:
        return task->process->dumpable;
    case PR_SET_CHILD_SUBREAPER:
        return set_subreaper(arg2);
    case PR_GET_CHILD_SUBREAPER:
        return put_user((int)task->process->subreaper, (int __user *)arg2);
    case PR_SET_TIMERSLACK:
        return set_timer_slack(arg2);
    case PR_GET_TIMERSLACK:
        return (long)MIN(task->timer_slack, (u64)INT64_MAX);
    case PR_SET_KEEPCAPS:
        return caps_keep_set(arg2);
    case PR_GET_KEEPCAPS:
        return !!(cred_current()->securebits & issecure_mask(SECURE_KEEP_CAPS));
    case PR_SET_SECUREBITS:
        return caps_securebits_set(arg2);
    case PR_GET_SECUREBITS:
        return cred_current()->securebits;
    case PR_CAPBSET_READ:
        return caps_bounding_read(arg2);
    case PR_CAPBSET_DROP:
        return caps_bounding_drop(arg2);
    case PR_GET_TSC:
        return put_user(PR_TSC_ENABLE, (int __user *)arg2);
    case PR_SET_TSC: /* reading the time stamp counter cannot be forbidden */
        return arg2 == PR_TSC_ENABLE ? 0 : -EINVAL;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING:
        return arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_SECCOMP:
        return task->seccomp_mode;
    case PR_SET_SECCOMP:
        return set_seccomp(arg2, arg3);
    case PR_GET_TID_ADDRESS:
        return get_tid_address(arg2);
    default:
        return prctl_strict(option, arg2, arg3, arg4, arg5);
    }
}

bool task_read_implies_exec(void)
{
    return self_is_task() && task_self()->personality & READ_IMPLIES_EXEC;
}

long sys_personality(u32 persona)
{
    struct task *task = task_self();
    u32 old = task->personality;

    if (persona != UINT32_MAX)
        task->personality = persona;
    return old;
}
