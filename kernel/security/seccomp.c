/*
 * kernel/security/seccomp.c: seccomp(2): strict mode, and filters.
 *
 * A thread's filters are a chain, the newest first, that grows only at its head; threads and processes that come of it
 * share what there was. So a thread walks its chain without a lock: whatever TSYNC puts in its place holds the old one.
 */
#include "security/seccomp.h"

#include "base/errno.h"
#include "base/refcount.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "net/filter.h"
#include "syscall_proto.h"
#include "task/task.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define CHAIN_MAX   32768 /* instructions of all filters, seccomp(2), ENOMEM */
#define FILTER_COST 4     /* what each filter adds to them */
#define DATA_WORDS  (sizeof(struct seccomp_data) / sizeof(u32))
#define SYS_SECCOMP 1 /* si_code */
#define ERRNO_MAX   4095
#define FILTER_FLAGS                                                                               \
    (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |        \
     SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

struct seccomp_filter {
    struct refcount ref;
    struct seccomp_filter *prev; /* constant once it is attached; counted */
    u32 n, cost;                 /* constant; cost: of the chain from here on */
    struct sock_filter code[];
};

bool seccomp_used;

static struct seccomp_filter *filter_get(struct seccomp_filter *filter)
{
    if (filter)
        refcount_get(&filter->ref);
    return filter;
}

static void filter_drop(struct seccomp_filter *filter)
{
    while (filter && refcount_put(&filter->ref)) {
        struct seccomp_filter *prev = filter->prev;

        kfree(filter);
        filter = prev;
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------- */

/* The strongest answer of all filters; of equal ones that of the newest. */
static u32 ask_filters(const struct seccomp_filter *filter, unsigned long nr, const u64 args[6])
{
    union {
        struct seccomp_data data;
        u32 words[DATA_WORDS];
    } call = {.data = {.nr = (int)nr,
                       .arch = AUDIT_ARCH_X86_64,
                       .instruction_pointer = self()->thread.regs.rip}};
    struct filter_packet packet = {.head = (const u8 *)call.words, .head_len = sizeof call};
    u32 result = SECCOMP_RET_ALLOW;

    for (int i = 0; i < 6; i++)
        call.data.args[i] = args[i];
    for (size_t i = 0; i < DATA_WORDS; i++) /* packets are in network order */
        call.words[i] = __builtin_bswap32(call.words[i]);
    for (; filter; filter = filter->prev) {
        u32 one = filter_eval(filter->code, &packet);

        if ((s32)(one & SECCOMP_RET_ACTION_FULL) < (s32)(result & SECCOMP_RET_ACTION_FULL))
            result = one;
    }
    return result;
}

static void __attribute__((noreturn)) die(bool process, int signo)
{
    if (process || READ_ONCE(process_self()->nthreads) == 1)
        process_exit_by_signal(signo, signo == SIGSYS);
    task_exit(signo);
}

static void trap(unsigned long nr, u32 data)
{
    siginfo_t info = {.si_signo = SIGSYS, .si_code = SYS_SECCOMP, .si_errno = (int)data};

    info.si_call_addr = (void *)self()->thread.regs.rip;
    info.si_syscall = (int)nr;
    info.si_arch = AUDIT_ARCH_X86_64;
    signal_force(&info);
}

static bool obey(u32 answer, unsigned long nr, long *result)
{
    u32 data = answer & SECCOMP_RET_DATA;

    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_LOG:
        log_info("seccomp", "call %lu of process %d", nr, process_self()->pid);
        return true;
    case SECCOMP_RET_ALLOW:
        return true;
    case SECCOMP_RET_ERRNO:
        *result = -(long)MIN(data, (u32)ERRNO_MAX);
        return false;
    case SECCOMP_RET_TRACE: /* nobody traces */
        *result = -ENOSYS;
        return false;
    case SECCOMP_RET_TRAP: /* the handler finds the registers as they were before the call */
        trap(nr, data);
        *result = (long)nr;
        return false;
    case SECCOMP_RET_KILL_THREAD:
        die(false, SIGSYS);
    default:
        die(true, SIGSYS);
    }
}

static bool strict_permits(unsigned long nr)
{
    return nr == __NR_read || nr == __NR_write || nr == __NR_exit || nr == __NR_rt_sigreturn;
}

bool seccomp_permits(unsigned long nr, const u64 args[6], long *result)
{
    struct task *task = task_self();

    switch (__atomic_load_n(&task->seccomp_mode, __ATOMIC_ACQUIRE)) {
    case SECCOMP_MODE_DISABLED:
        return true;
    case SECCOMP_MODE_STRICT:
        if (!strict_permits(nr))
            die(false, SIGKILL);
        return true;
    default:
        return obey(ask_filters(__atomic_load_n(&task->seccomp, __ATOMIC_ACQUIRE), nr, args), nr,
                    result);
    }
}

/* ---- filters ----------------------------------------------------------------------------------------------- */

/* seccomp(2): of the packet filter's instructions those that look at words of struct seccomp_data, and compute. */
static bool looks_at_calls_only(const struct sock_filter *one)
{
    switch (BPF_CLASS(one->code)) {
    case BPF_LD:
        if (one->code == (BPF_LD | BPF_W | BPF_ABS))
            return one->k < sizeof(struct seccomp_data) && one->k % 4 == 0;
        return one->code == (BPF_LD | BPF_W | BPF_LEN) || one->code == (BPF_LD | BPF_IMM) ||
               one->code == (BPF_LD | BPF_MEM);
    case BPF_LDX:
        return one->code != (BPF_LDX | BPF_B | BPF_MSH);
    case BPF_ALU:
        return BPF_OP(one->code) != BPF_MOD;
    default:
        return true;
    }
}

static int check_program(const struct sock_filter *code, u32 n)
{
    int err = filter_check(code, n);

    for (u32 i = 0; i < n && !err; i++)
        err = looks_at_calls_only(&code[i]) ? 0 : -EINVAL;
    return err;
}

static struct seccomp_filter *filter_create(const struct sock_fprog __user *from)
{
    struct seccomp_filter *filter;
    struct sock_fprog program;
    size_t size;
    int err;

    if (copy_from_user(&program, from, sizeof program) != 0)
        return ERR_PTR(-EFAULT);
    if (!program.len || program.len > BPF_MAXINSNS)
        return ERR_PTR(-EINVAL);
    if (!task_self()->no_new_privs && !capable(CAP_SYS_ADMIN))
        return ERR_PTR(-EACCES);
    size = program.len * sizeof program.filter[0];
    filter = kmalloc(sizeof *filter + size);
    if (!filter)
        return ERR_PTR(-ENOMEM);
    refcount_init(&filter->ref, 1);
    filter->prev = NULL;
    filter->n = program.len;
    filter->cost = program.len + FILTER_COST;
    err = copy_from_user(filter->code, (const void __user *)program.filter, size);
    if (!err)
        err = check_program(filter->code, filter->n);
    if (!err)
        return filter;
    kfree(filter);
    return ERR_PTR(err);
}

static bool is_ancestor(const struct seccomp_filter *old, const struct seccomp_filter *filter)
{
    while (filter && filter != old)
        filter = filter->prev;
    return filter == old;
}

/* One that ends makes no call any more. */
static bool is_other(const struct task *task, const struct task *me)
{
    return task != me && !task_is_leaving(task);
}

/* A thread that cannot take over the caller's filters: its id; 0: all can. tasks_lock is held. */
static pid_t find_other_locked(const struct task *me)
{
    struct task *task;

    for_each_thread(task, me->process) {
        if (is_other(task, me) && task->seccomp_mode != SECCOMP_MODE_DISABLED &&
            (task->seccomp_mode != SECCOMP_MODE_FILTER || !is_ancestor(task->seccomp, me->seccomp)))
            return task->tid;
    }
    return 0;
}

static void set_locked(struct task *task, struct seccomp_filter *filter, u32 filters)
{
    task->seccomp_filters = filters;
    __atomic_store_n(&task->seccomp, filter, __ATOMIC_RELEASE);
    __atomic_store_n(&task->seccomp_mode, SECCOMP_MODE_FILTER, __ATOMIC_RELEASE);
}

/* All other threads of the process take over the caller's filters. What they drop stays, as part of those. */
static void share_locked(struct task *me)
{
    struct task *task;

    for_each_thread(task, me->process) {
        struct seccomp_filter *old = task->seccomp;

        if (!is_other(task, me))
            continue;
        set_locked(task, filter_get(me->seccomp), me->seccomp_filters);
        if (me->no_new_privs)
            WRITE_ONCE(task->no_new_privs, true);
        filter_drop(old);
    }
}

static long attach_locked(struct task *me, struct seccomp_filter *filter, u32 flags)
{
    pid_t other = flags & SECCOMP_FILTER_FLAG_TSYNC ? find_other_locked(me) : 0;

    if (me->seccomp_mode == SECCOMP_MODE_STRICT)
        return -EINVAL;
    if (me->seccomp)
        filter->cost += me->seccomp->cost;
    if (filter->cost > CHAIN_MAX)
        return -ENOMEM;
    if (other)
        return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : other;
    filter->prev = me->seccomp;
    set_locked(me, filter, me->seccomp_filters + 1);
    if (flags & SECCOMP_FILTER_FLAG_TSYNC)
        share_locked(me);
    return 0;
}

static long set_filter(u32 flags, const struct sock_fprog __user *program)
{
    struct seccomp_filter *filter;
    long result;

    if (flags & ~(u32)FILTER_FLAGS)
        return -EINVAL;
    filter = filter_create(program);
    if (IS_ERR(filter))
        return PTR_ERR(filter);
    WRITE_ONCE(seccomp_used, true);
    spin_lock(&tasks_lock);
    result = attach_locked(task_self(), filter, flags);
    spin_unlock(&tasks_lock);
    if (result)
        filter_drop(filter);
    return result;
}

/* ---- the call ---------------------------------------------------------------------------------------------- */

static long set_strict(void)
{
    struct task *me = task_self();
    long err = 0;

    WRITE_ONCE(seccomp_used, true);
    spin_lock(&tasks_lock);
    if (me->seccomp_mode == SECCOMP_MODE_FILTER)
        err = -EINVAL;
    else
        __atomic_store_n(&me->seccomp_mode, SECCOMP_MODE_STRICT, __ATOMIC_RELEASE);
    spin_unlock(&tasks_lock);
    return err;
}

static long action_available(const u32 __user *from)
{
    u32 action;

    if (copy_from_user(&action, from, sizeof action) != 0)
        return -EFAULT;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

long sys_seccomp(u32 operation, u32 flags, void __user *args)
{
    switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || args ? -EINVAL : set_strict();
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(flags, args);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : action_available(args);
    default: /* nobody is notified: the filters of Linux before 5.0 */
        return -EINVAL;
    }
}

/* A new thread is restricted as its maker is. tasks_lock is held. */
static void inherit_locked(struct task *child)
{
    struct task *me = task_self();

    child->seccomp = filter_get(me->seccomp);
    child->seccomp_filters = me->seccomp_filters;
    child->seccomp_mode = me->seccomp_mode;
}

void seccomp_start(void)
{
    task_hooks.seccomp_set = sys_seccomp;
    task_hooks.seccomp_inherit = inherit_locked;
    task_hooks.seccomp_release = filter_drop;
}
