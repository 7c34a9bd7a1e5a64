/* kernel/dev/events.c: what the supervisor saw outside: signals for the program, and keys of the terminal. */
#include "dev/dev.h"
#include "host/upcall.h"
#include "signal/signal.h"
#include "task/task.h"

/* As kill(2) from outside of what the instance can see: no sender. */
static void signal_main_program(int signo)
{
    AUTO(process_put) struct process *process = process_lookup(PID_MAIN);
    siginfo_t info;

    if (!process)
        return;
    siginfo_init(&info, signo, SI_USER);
    signal_send_process(process, &info);
}

void upcall_event(int event)
{
    bool terminal;
    int signo = host_event_signal(event, &terminal);

    if (signo && !(terminal && console_signal(signo)))
        signal_main_program(signo);
}
