/* kernel/syscall/entry.c: a call of the program, from its registers and back to them. */
#include "arch/x86_64/tsc.h"
#include "base/errno.h"
#include "self/self.h"
#include "syscall/syscall.h"

/* The numbers that only the signal room understands, on the way back to the program. */
static bool wants_restart(long result)
{
    return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

static struct call_record *record_begin(struct self *me, unsigned long nr)
{
    struct call_record *record = &me->history[me->history_next % SELF_CALL_HISTORY];

    me->history_next++;
    record->nr = (u32)nr;
    record->result = 0;
    record->arg0 = me->args[0];
    record->began = tsc_read();
    return record;
}

void upcall_syscall(void)
{
    struct self *me = self();
    struct target_regs *regs = &me->thread.regs;
    unsigned long nr = regs->orig_rax;
    struct call_record *record;
    long result;

    me->args[0] = regs->rdi;
    me->args[1] = regs->rsi;
    me->args[2] = regs->rdx;
    me->args[3] = regs->r10;
    me->args[4] = regs->r8;
    me->args[5] = regs->r9;
    WRITE_ONCE(me->current_nr, (long)nr);
    record = record_begin(me, nr);

    result = syscall_dispatch(nr, me->args);

    record->result = (s32)result;
    WRITE_ONCE(me->current_nr, -1);
    regs->rax = (u64)result;
    if (wants_restart(result))
        __atomic_fetch_or(&me->thread.pending, PENDING_SIGNAL, __ATOMIC_SEQ_CST);
}
