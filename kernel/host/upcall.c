/* kernel/host/upcall.c: see upcall.h. */
#include "host/upcall.h"

#include "host/border.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#define SIGNALS_MAX        64
#define EXCEPTION_LAST     31 /* Intel SDM vol. 3, 6.3: vectors 0 to 31 are exceptions */
#define GENERAL_PROTECTION 13

static bool is_fault_signal(u32 signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL ||
           signo == SIGTRAP;
}

struct target_fault host_fault(const struct target_fault *told)
{
    struct target_fault fault = *told;

    if (!BORDER(fault_signo, is_fault_signal(fault.signo)))
        fault.signo = SIGSEGV;
    if (!BORDER(fault_code, fault.code > 0 && fault.code <= SI_KERNEL))
        fault.code = SI_KERNEL;
    if (!BORDER(fault_trapno, fault.trapno <= EXCEPTION_LAST))
        fault.trapno = GENERAL_PROTECTION;
    return fault;
}

int host_event_signal(int event, bool *terminal)
{
    int signo;

    *terminal = event > TARGET_EVENT_TTY_SIGNAL;
    signo = event - (*terminal ? TARGET_EVENT_TTY_SIGNAL : TARGET_EVENT_SIGNAL);
    return BORDER(event_signal, signo > 0 && signo <= SIGNALS_MAX) ? signo : 0;
}
