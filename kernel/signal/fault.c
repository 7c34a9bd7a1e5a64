/* kernel/signal/fault.c: faults of the program, and of the kernel's own access to it. */
#include "base/errno.h"
#include "host/upcall.h"
#include "mm/mm.h"
#include "rewrite/rewrite.h"
#include "self/self.h"
#include "signal/internal.h"

#define DEBUG_EXCEPTION 1

static bool is_page_fault(const struct target_fault *fault)
{
    return fault->trapno == 14 && (fault->signo == SIGSEGV || fault->signo == SIGBUS);
}

void upcall_fault(const struct target_fault *told)
{
    const struct target_fault fault = host_fault(told);
    struct task_signals *s = &task_self()->signals;
    int signo = (int)fault.signo, code = fault.code;
    siginfo_t info;

    if (is_page_fault(&fault) &&
        mm_fault(fault.address, fault.error, (int)fault.signo, &signo, &code) == 0)
        return;
    if (fault.trapno == DEBUG_EXCEPTION)
        rewrite_step();
    else
        rewrite_settle();
    s->fault_trapno = fault.trapno;
    s->fault_error = fault.error;
    s->fault_address = fault.trapno == 14 ? fault.address : s->fault_address;
    siginfo_init(&info, signo, code);
    info.si_addr = (void *)fault.address;
    signal_force(&info);
}

bool upcall_kernel_fault(const struct target_fault *told)
{
    const struct target_fault fault = host_fault(told);
    int signo = (int)fault.signo, code = fault.code;

    if (!self()->mm || !is_page_fault(&fault))
        return false;
    return mm_fault(fault.address, fault.error, (int)fault.signo, &signo, &code) == 0;
}
