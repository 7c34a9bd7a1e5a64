/* Kernel threads on host threads: start, lend, move, exit, kick. */
#include "faults.h"
#include "frame.h"

#include <asm/errno.h>
#include <asm/hwcap2.h>
#include <asm/prctl.h>
#include <asm/signal.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>

bool has_fsgsbase;

/* --- FS and GS base ------------------------------------------------------------------------------------ */

void target_bases_read(void)
{
    struct target_regs *regs = &thread_self()->regs;
    uint64_t gs;

    if (has_fsgsbase) {
        __asm__ volatile("rdfsbase %0" : "=r"(regs->fs_base));
        __asm__ volatile("rdgsbase %0" : "=r"(gs));
    } else {
        HOST2(__NR_arch_prctl, ARCH_GET_FS, &regs->fs_base);
        HOST2(__NR_arch_prctl, ARCH_GET_GS, &gs);
    }
    if (gs != (uintptr_t)thread_self())
        regs->gs_base = gs;
}

/* A program that does not use GS sees 0 there; then the call gate finds the thread by it. */
void thread_bases_load(struct target_thread *thread)
{
    uint64_t gs = thread->regs.gs_base ? thread->regs.gs_base : (uintptr_t)thread;

    thread->self = thread;
    if (has_fsgsbase) {
        __asm__ volatile("wrfsbase %0" ::"r"(thread->regs.fs_base));
        __asm__ volatile("wrgsbase %0" ::"r"(gs));
        return;
    }
    HOST2(__NR_arch_prctl, ARCH_SET_FS, thread->regs.fs_base);
    HOST2(__NR_arch_prctl, ARCH_SET_GS, gs);
}

void target_bases_write(void)
{
    thread_bases_load(thread_self());
}

/* --- signal masks -------------------------------------------------------------------------------------- */

static void mask_set(uint64_t mask)
{
    HOST4(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

void thread_signals_block(void)
{
    mask_set(~0UL);
}

void thread_signals_open(void)
{
    mask_set(HOST_SIGNALS_BLOCKED);
}

/* --- a new host thread or process ---------------------------------------------------------------------- */

/* Every host process dies with the supervisor, also when that was gone before this line. */
void host_process_init(void)
{
    HOST2(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
    if (HOST1(__NR_getppid, 0) != shared.supervisor_pid)
        HOST1(__NR_exit_group, 1);
}

/* Where a host thread stands first: on the kernel stack of its thread, in its space. */
void thread_first_entry(void *arg)
{
    struct target_thread *thread = arg;

    FAULT_DELAY();
    __atomic_store_n(&thread->host_tid, (int32_t)HOST1(__NR_gettid, 0), __ATOMIC_SEQ_CST);
    thread->host_pid = (int32_t)HOST1(__NR_getpid, 0);
    thread_bases_load(thread);
    thread_signals_open();
    upcall_thread_start();
    thread_return();
}

static void process_first_entry(void *arg)
{
    struct target_thread *thread = arg;

    host_process_init();
    thread->space->host_pid = (int32_t)HOST1(__NR_getpid, 0);
    thread_first_entry(arg);
}

/* The new host thread begins with all signals blocked, so that no kick meets a half-made thread. */
static long clone_blocked(unsigned long flags, struct target_thread *thread, void (*fn)(void *))
{
    void *stack =
        (char *)thread->frame - 256; /* below the host frame that will be returned through */
    long pid;

    thread_signals_block();
    pid = host_clone_started(flags, stack, fn, thread, &thread->start);
    thread_signals_open();
    return pid;
}

static int clone_error(long err)
{
    return err == -ENOMEM ? -ENOMEM : -EAGAIN;
}

/* After an error. False: the thread runs all the same. */
static bool start_denied(struct target_thread *thread, uint64_t number)
{
    return __atomic_compare_exchange_n(&thread->start, &number, TARGET_START_DENIED, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int target_thread_start(struct target_thread *thread)
{
    struct target_space *space = thread_self()->space;
    uint64_t number = thread->start;
    long pid;

    FAULT(EAGAIN, ENOMEM);
    thread->space = space;
    __atomic_fetch_add(&space->users, 1, __ATOMIC_RELAXED);
    pid = clone_blocked(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                            CLONE_SYSVSEM,
                        thread, thread_first_entry);
    if (pid < 0 && start_denied(thread, number)) {
        __atomic_fetch_sub(&space->users, 1, __ATOMIC_RELAXED);
        return clone_error(pid);
    }
    return 0;
}

int target_space_fork(struct target_thread *thread)
{
    uint64_t number = thread->start;
    struct target_space *space;
    long pid;

    FAULT(EAGAIN, ENOMEM);
    space = space_new(SPACE_USED);
    if (!space)
        return -EAGAIN;
    thread->space = space;
    space->users = 1;
    pid = clone_blocked(CLONE_FILES | CLONE_PARENT, thread, process_first_entry);
    if (pid < 0 && start_denied(thread, number)) {
        space_free(space);
        return clone_error(pid);
    }
    /* nothing of the child is touched here: it may have ended, and its slot may be another's */
    return 0;
}

/* --- lending --------------------------------------------------------------------------------------------- */

static void lent_entry(void *arg)
{
    struct target_thread *thread = arg;

    thread_bases_load(thread);
    upcall_thread_start();
    thread_return();
}

void target_thread_lend(struct target_thread *thread)
{
    struct target_thread *self = thread_self();

    thread->lender = self;
    thread->space = self->space;
    thread->host_pid = self->host_pid;
    __atomic_fetch_add(&self->space->users, 1, __ATOMIC_RELAXED);
    target_bases_read();
    __atomic_store_n(&thread->host_tid, self->host_tid, __ATOMIC_SEQ_CST);
    thread_switch_call(self, (char *)thread->frame - 256, lent_entry, thread);
    /* the borrower has gone, and with it whatever it loaded */
    thread_bases_load(self);
}

/* --- exit ------------------------------------------------------------------------------------------------ */

void target_thread_exit(void)
{
    struct target_thread *thread = thread_self();
    struct target_thread *lender = thread->lender;
    struct target_space *space = thread->space;

    FAULT_DELAY();
    __atomic_store_n(&thread->host_tid, 0, __ATOMIC_SEQ_CST);
    space_leave(space);
    if (lender && thread->gated)
        altstack_disarm(); /* it is this thread's */
    if (lender)
        thread_resume(lender, &thread->gone);
    thread_signals_block();
    host_thread_leave(&thread->gone);
}

/* --- moving to a blank space ------------------------------------------------------------------------------ */

struct move {
    struct target_thread *thread;
    struct target_space *to;
};

/* On the lender's host thread, but not on its stack yet: the mover's stack is still ours. */
static void move_published(struct target_space *to, struct target_thread *thread)
{
    to->job = thread;
    __atomic_store_n(&to->job_word, 1, __ATOMIC_RELEASE);
    HOST3(__NR_futex, &to->job_word, 1 /* FUTEX_WAKE */, 1);
}

static void move_from_lender(void *arg)
{
    struct move move = *(struct move *)arg;
    struct target_thread *lender = move.thread->lender;

    move.thread->lender = NULL;
    move_published(move.to, move.thread);
    thread_signals_open();
    thread_resume(lender, NULL);
}

static void move_from_own(void *arg)
{
    struct move move = *(struct move *)arg;

    host_thread_publish_and_leave(&move.to->job, move.thread, &move.to->job_word);
}

void target_thread_move(struct target_space *to)
{
    struct target_thread *thread = thread_self();
    struct move move = {thread, to};

    FAULT_DELAY();
    __atomic_store_n(&thread->host_tid, 0, __ATOMIC_SEQ_CST);
    thread_signals_block();
    space_leave(thread->space);
    /*
     * The borrowed host thread continues below the lender's saved frames; its own host thread needs no stack
     * after the publication. Either way this stack is left before anybody else can stand on it.
     */
    if (thread->lender)
        thread_switch_call(thread, (char *)thread->lender->sp - 512, move_from_lender, &move);
    else
        thread_switch_call(thread, (char *)thread - 0 + TARGET_THREAD_ROOM + 2048, move_from_own,
                           &move);
    /* in the new space, on the blank's host thread */
    thread->regs.fs_base = 0;
    thread->regs.gs_base = 0;
    thread_bases_load(thread);
    thread_signals_open();
}

void space_enter(struct target_space *space, struct target_thread *thread)
{
    thread->space = space;
    thread->host_pid = space->host_pid;
    __atomic_store_n(&space->users, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&thread->host_tid, space->host_pid, __ATOMIC_SEQ_CST);
    thread_resume(thread, NULL);
}

/* --- kicks ------------------------------------------------------------------------------------------------- */

void target_thread_kick(struct target_thread *thread)
{
    int32_t tid;

    FAULT_DELAY();
    /*
     * The mark is set before; whoever moves a thread publishes its host thread and reads the mark after. A kick
     * that comes late or meets another thread is harmless. One is enough until the thread publishes a mode
     * again and looks at its marks: more would pile up on its stack while it is on the way into the kernel.
     */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&thread->mode, __ATOMIC_SEQ_CST) == TARGET_IN_KERNEL ||
        __atomic_exchange_n(&thread->kicked, 1, __ATOMIC_SEQ_CST))
        return;
    tid = __atomic_load_n(&thread->host_tid, __ATOMIC_SEQ_CST);
    if (tid)
        HOST2(__NR_tkill, tid, KICK_SIGNAL);
}

void target_thread_probe(struct target_thread *thread)
{
    int32_t tid = __atomic_load_n(&thread->host_tid, __ATOMIC_SEQ_CST);

    if (!tid && thread->sp) {
        /* its host thread is lent: it goes on where thread_switch_call() has left it */
        const uint64_t *saved = thread->sp;

        thread->report_rbp = saved[SWITCH_RBP];
        thread->report_rip = saved[SWITCH_RIP];
        __atomic_store_n(&thread->report, 2, __ATOMIC_RELEASE);
        return;
    }
    __atomic_store_n(&thread->report, 1, __ATOMIC_SEQ_CST);
    if (tid)
        HOST2(__NR_tkill, tid, KICK_SIGNAL);
}

/* clockid of a CPU time: clock_getres(2); kind 2 is a process's, 6 a thread's */
static int64_t cpu_clock_read(int32_t id, unsigned kind)
{
    struct {
        int64_t sec, nsec;
    } ts;

    if (!id || HOST2(__NR_clock_gettime, (int)((~(unsigned)id << 3) | kind), &ts) < 0)
        return 0;
    return ts.sec * 1000000000 + ts.nsec;
}

int64_t target_thread_cputime(const struct target_thread *thread)
{
    return cpu_clock_read(__atomic_load_n(&thread->host_tid, __ATOMIC_RELAXED), 6);
}

int64_t target_space_cputime(const struct target_thread *thread)
{
    return cpu_clock_read(thread->host_pid, 2);
}

void target_fault_counts(bool whole_space, uint64_t *minor, uint64_t *major)
{
    struct rusage usage;

    *minor = *major = 0;
    if (HOST2(__NR_getrusage, whole_space ? RUSAGE_SELF : RUSAGE_THREAD, &usage) < 0)
        return;
    *minor = (uint64_t)usage.ru_minflt;
    *major = (uint64_t)usage.ru_majflt;
}

int target_affinity_get(void *mask, size_t len)
{
    return (int)HOST3(__NR_sched_getaffinity, 0, len, mask);
}

/* membarrier(2): the host's threads of a process are the space's; it has to be told of the intent first. */
int target_memory_barrier(bool all, bool instructions)
{
    int err, command = all            ? MEMBARRIER_CMD_GLOBAL
                       : instructions ? MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE
                                      : MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    int intent = instructions ? MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE
                              : MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

    FAULT(ENOMEM);
    err = all ? 0 : (int)HOST3(__NR_membarrier, intent, 0, 0);
    return err ? err : (int)HOST3(__NR_membarrier, command, 0, 0);
}

int target_affinity_set(const struct target_thread *thread, const void *mask, size_t len)
{
    int32_t tid = __atomic_load_n(&thread->host_tid, __ATOMIC_RELAXED);

    return tid ? (int)HOST3(__NR_sched_setaffinity, tid, len, mask) : 0;
}
