/* kernel/skeleton.c: stands in for rooms that are not built yet; each definition goes when its room comes. */
#include "log/log.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "task/task.h"

#include <myst/boot.h>

#define STAND_IN __attribute__((weak))

STAND_IN void upcall_fault(const struct target_fault *fault)
{
    panic("the program faults: signal %u at %llx, address %llx", fault->signo,
          (unsigned long long)self()->thread.regs.rip, (unsigned long long)fault->address);
}

STAND_IN bool upcall_kernel_fault(const struct target_fault *fault)
{
    return false;
}

STAND_IN int64_t upcall_service(void)
{
    return TARGET_FOREVER;
}

STAND_IN void upcall_event(int event)
{
}

STAND_IN void upcall_report(void)
{
}

STAND_IN void upcall_broken(const struct target_fault *fault, uint64_t rip, uint64_t rbp,
                            uint64_t rsp)
{
    panic("the kernel faults: signal %u at %llx, address %llx, frame %llx, stack %llx",
          fault->signo, (unsigned long long)rip, (unsigned long long)fault->address,
          (unsigned long long)rbp, (unsigned long long)rsp);
}

/* --- the signal room --------------------------------------------------------------------------- */

STAND_IN int signal_process_init(struct process *process, const struct process *parent, bool share)
{
    struct sighand *sighand = kzalloc(sizeof *sighand);

    if (!sighand)
        return -ENOMEM;
    spin_init(&sighand->lock, SIGHAND);
    process->signals.sighand = sighand;
    return 0;
}

STAND_IN void signal_process_release(struct process *process)
{
    kfree(process->signals.sighand);
}

STAND_IN void signal_task_init(struct task *task, const struct task *parent, bool keep_altstack)
{
}

STAND_IN void signal_task_release(struct task *task)
{
}

STAND_IN int signal_exec_unshare(struct process *process)
{
    return 0;
}

STAND_IN void signal_exec_reset(struct task *task)
{
}

STAND_IN void signal_clear_handlers(struct process *process)
{
}

STAND_IN void siginfo_init(siginfo_t *info, int signo, int code)
{
    info->si_signo = signo;
    info->si_code = code;
}

STAND_IN void siginfo_kernel(siginfo_t *info, int signo)
{
    siginfo_init(info, signo, SI_KERNEL);
}

STAND_IN void siginfo_user(siginfo_t *info, int signo, int code)
{
    siginfo_init(info, signo, code);
}

STAND_IN int signal_send_process(struct process *process, const siginfo_t *info)
{
    return 0;
}

STAND_IN bool signal_pending(bool fatal_only)
{
    return false;
}

STAND_IN void signal_deliver(void)
{
    __atomic_fetch_and(&self()->thread.pending, ~(u32)PENDING_SIGNAL, __ATOMIC_SEQ_CST);
}
