/* The host's signal frame on x86-64, as its UAPI headers lay it out. */
#ifndef LINUX_FRAME_H
#define LINUX_FRAME_H

#include <asm/sigcontext.h>
#include <stddef.h>
#include <stdint.h>

struct host_stack {
    void *sp;
    int flags;
    size_t size;
};
#define HOST_SS_AUTODISARM (1U << 31)

struct host_ucontext {
    unsigned long flags;
    struct host_ucontext *link;
    struct host_stack stack;
    struct sigcontext mcontext;
    uint64_t sigmask;
};

struct host_siginfo {
    int signo, err, code, pad;
    union {
        struct {
            void *call_addr;
            int syscall;
            unsigned int arch;
        } sys;
        struct {
            void *addr;
        } fault;
        char room[112];
    };
};

struct host_sigaction {
    void (*handler)(void);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define HOST_SIGNAL_BIT(signo) (1UL << ((signo)-1))
/* The mask of every host thread of an instance: all but what it takes itself. */
#define HOST_SIGNALS_TAKEN                                                                         \
    (HOST_SIGNAL_BIT(SIGSYS) | HOST_SIGNAL_BIT(SIGSEGV) | HOST_SIGNAL_BIT(SIGBUS) |                \
     HOST_SIGNAL_BIT(SIGILL) | HOST_SIGNAL_BIT(SIGFPE) | HOST_SIGNAL_BIT(SIGTRAP) |                \
     HOST_SIGNAL_BIT(SIGURG))
#define HOST_SIGNALS_BLOCKED (~HOST_SIGNALS_TAKEN)

/*
 * Where the stack of an entry by the call gate ends. Above it the host puts the frame of a signal that arrives during such an
 * entry, and what its handler does stands below that: a fault at a user access, and a kick during it.
 */
#define GATE_STACK_TOP   40960
#define GATE_SIGNAL_ROOM (TARGET_STACK_SIZE - GATE_STACK_TOP)
#define GATE_HANDLER     12288 /* bytes of it for C */

#define HOST_SA_SIGINFO  4
#define HOST_SA_NODEFER  0x40000000
#define HOST_SA_ONSTACK  0x08000000
#define HOST_SA_RESTORER 0x04000000

#endif
