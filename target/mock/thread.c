/* target/mock/thread.c: kernel threads on host threads, one to one; lending is one waiting for the other. */
#include "internal.h"

#include <asm/sigcontext.h>
#include <stdlib.h>
#include <string.h>

/* What the program's extended state takes at the end of a kernel stack block, which is no stack here. */
#define XSTATE_HEAD 576 /* the legacy area and the header */
#define XSTATE_SIZE (XSTATE_HEAD + 256 + 4)
#define XSTATE_ROOM 1024

/* Those two threads that the kernel does not make. */
static char first_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));
static char service_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));
static int32_t next_tid; /* atomic */

__thread struct carrier *carrier;

struct self; /* the kernel's: begins with struct target_thread */
struct self *self(void);

struct self *self(void)
{
    leave_if_over();
    return (struct self *)carrier->thread;
}

void leave(void)
{
    longjmp(carrier->end, 1);
}

void leave_if_over(void)
{
    if (carrier && __atomic_load_n(&instance.over, __ATOMIC_ACQUIRE))
        leave();
}

/* --- the program's state ----------------------------------------------------------------------------- */

size_t target_xstate_size(void)
{
    return XSTATE_SIZE;
}

/* Programs here make calls by calling: nobody jumps there, but sites are rewritten as if somebody did. */
uintptr_t target_call_gate(void)
{
    return MYST_RANGE_START + PAGE;
}

void *target_xstate(struct target_thread *thread)
{
    return (char *)thread + TARGET_STACK_SIZE - XSTATE_ROOM;
}

static void xstate_reset(struct target_thread *thread)
{
    struct _xstate *xstate = target_xstate(thread);
    uint32_t end = FP_XSTATE_MAGIC2;

    memset(xstate, 0, XSTATE_ROOM);
    xstate->fpstate.cwd = 0x37f;
    xstate->fpstate.mxcsr = 0x1f80;
    xstate->fpstate.mxcsr_mask = 0xffff;
    xstate->fpstate.sw_reserved.magic1 = FP_XSTATE_MAGIC1;
    xstate->fpstate.sw_reserved.extended_size = XSTATE_SIZE;
    xstate->fpstate.sw_reserved.xfeatures = 7;
    xstate->fpstate.sw_reserved.xstate_size = XSTATE_SIZE - FP_XSTATE_MAGIC2_SIZE;
    memcpy((char *)xstate + XSTATE_SIZE - FP_XSTATE_MAGIC2_SIZE, &end, sizeof(end));
}

void target_xstate_reset(void)
{
    xstate_reset(carrier->thread);
}

void target_context_reset(void)
{
    struct target_regs *regs = &carrier->thread->regs;

    memset(regs, 0, sizeof(*regs));
    regs->cs = 0x33;
    regs->ss = 0x2b;
    regs->rflags = 0x202;
    regs->orig_rax = (uint64_t)-1;
    xstate_reset(carrier->thread);
}

void target_thread_copy_context(struct target_thread *to)
{
    to->regs = carrier->thread->regs;
    memcpy(target_xstate(to), target_xstate(carrier->thread), XSTATE_ROOM);
}

/* Nothing but the kernel looks at the bases. */
void target_bases_read(void)
{
}

void target_bases_write(void)
{
}

/* --- starts and ends ------------------------------------------------------------------------------------ */

static void lender_release(struct carrier *me)
{
    uint32_t *word = me->lender_word;

    me->lender_word = NULL;
    if (!word)
        return;
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    target_wake(word, 1);
}

static void run_first(void)
{
    upcall_main(&instance.boot);
    program_run();
}

static void run_started(void)
{
    upcall_thread_start();
    program_run_child();
}

/* False: the kernel was told that there is no thread, and has believed it. */
static bool start_taken(struct carrier *me)
{
    uint64_t number = me->start;

    return !number || __atomic_compare_exchange_n(&me->thread->start, &number, 0, false,
                                                  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* The block is another's, or nobody's. */
static void come_too_late(struct carrier *me)
{
    space_leave(me->space);
    free(me);
    sched_thread_ends();
}

static void *carrier_main(void *arg)
{
    struct carrier *me = arg;
    struct target_thread *thread = me->thread;

    if (!start_taken(me)) {
        come_too_late(me);
        return NULL;
    }
    carrier = me;
    if (!setjmp(me->end)) {
        me->run();
        leave(); /* no kind of thread returns */
    }
    carrier = NULL;
    /* from here on nothing but the mark is the kernel's */
    __atomic_store_n(&thread->gone, 1, __ATOMIC_SEQ_CST);
    lender_release(me);
    free(me);
    sched_thread_ends();
    return NULL;
}

/* The thread is ready to run: it has a block, a space, and what `run` needs. */
static int carrier_start(struct target_thread *thread, void (*run)(void), struct script first,
                         uint32_t *lender_word)
{
    struct carrier *new = calloc(1, sizeof(*new));
    pthread_attr_t attr;
    int err;

    if (!new)
        return -ENOMEM;
    new->thread = thread;
    new->run = run;
    new->first = first;
    new->lender_word = lender_word;
    new->space = thread->space;
    new->start = __atomic_load_n(&thread->start, __ATOMIC_ACQUIRE);
    thread->sp = new;
    __atomic_store_n(&thread->host_tid, __atomic_add_fetch(&next_tid, 1, __ATOMIC_SEQ_CST),
                     __ATOMIC_SEQ_CST);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 1 << 20);
    sched_thread_starts();
    err = pthread_create(&new->id, &attr, carrier_main, new);
    pthread_attr_destroy(&attr);
    if (err) {
        sched_thread_ends();
        free(new);
        return -EAGAIN;
    }
    return 0;
}

static int thread_start(struct target_thread *thread, struct target_space *space,
                        uint32_t *lender_word)
{
    int err;

    space_enter(space, thread);
    err = carrier_start(thread, run_started, carrier->child, lender_word);
    if (err)
        space_leave(space);
    return err;
}

int target_thread_start(struct target_thread *thread)
{
    int err = -EAGAIN;

    if (!request_fails("thread", ASKER)) {
        space_join(carrier->thread->space);
        err = thread_start(thread, carrier->thread->space, NULL);
    }
    RESULT(thread_start, err);
}

int target_space_fork(struct target_thread *thread)
{
    struct target_space *space = NULL;
    int err = -EAGAIN;

    if (!request_fails("fork", ASKER))
        space = space_copy(carrier->thread->space);
    if (space)
        err = thread_start(thread, space, NULL);
    RESULT(space_fork, err);
}

void target_thread_lend(struct target_thread *thread)
{
    /* in the block, which outlives this stack when the instance ends meanwhile */
    uint32_t *back = (uint32_t *)&carrier->thread->frame;

    *back = 0;
    thread->lender = carrier->thread;
    space_join(carrier->thread->space);
    if (thread_start(thread, carrier->thread->space, back))
        abort(); /* of the test: the host has no thread for it */
    while (!__atomic_load_n(back, __ATOMIC_SEQ_CST))
        sched_wait(back, 0, TARGET_FOREVER);
}

void target_thread_exit(void)
{
    struct target_thread *thread = carrier->thread;

    __atomic_store_n(&thread->host_tid, 0, __ATOMIC_SEQ_CST);
    space_leave(thread->space);
    leave();
}

/* Who believes a false name would stand in a space of somebody else's. */
static void name_refused(void)
{
    static const char text[] = "mock: a space that is no blank was named\n";

    target_log(text, sizeof(text) - 1);
    instance_end(MOCK_EXITED, 1 << 8);
    leave();
}

void target_space_discard(struct target_space *space)
{
    if (!space_blank_take(space))
        name_refused();
    space_leave(space);
}

int target_space_blank(struct target_space **space)
{
    int err = -EAGAIN;

    *space = request_fails("space", ASKER) ? NULL : space_blank_new();
    if (*space) {
        err = 0;
        OFFER(space_blank, space, *space);
    }
    RESULT(space_blank, err);
}

void target_thread_move(struct target_space *space)
{
    struct target_thread *thread = carrier->thread;

    if (!space_blank_take(space))
        name_refused();
    space_leave(thread->space);
    space_enter(space, thread);
    thread->lender = NULL;
    lender_release(carrier);
    thread->regs.fs_base = 0;
    thread->regs.gs_base = 0;
}

/* --- the two threads that the kernel does not make ------------------------------------------------------- */

void thread_first_start(struct target_space *space)
{
    struct target_thread *thread = (void *)first_block;

    memset(thread, 0, TARGET_THREAD_ROOM);
    xstate_reset(thread);
    space_enter(space, thread);
    if (carrier_start(thread, run_first, (struct script){0}, NULL))
        abort();
}

void thread_service_start(void)
{
    struct target_thread *thread = (void *)service_block;

    memset(thread, 0, TARGET_THREAD_ROOM);
    if (carrier_start(thread, service_run, (struct script){0}, NULL))
        abort();
}

/* --- questions about threads ------------------------------------------------------------------------------ */

static uint32_t report_answers; /* atomic */

uint32_t mock_report_answers(void)
{
    return __atomic_load_n(&report_answers, __ATOMIC_SEQ_CST);
}

/* A debugger or a sanitizer shows where a thread is; only that it runs its program is told here. */
void target_thread_probe(struct target_thread *thread)
{
    if (__atomic_load_n(&thread->mode, __ATOMIC_SEQ_CST) != TARGET_IN_USER)
        return;
    thread->report_rip = thread->report_rbp = 0;
    OFFER(thread_probe, rip, thread->report_rip);
    OFFER(thread_probe, rbp, thread->report_rbp);
    __atomic_store_n(&thread->report, 2, __ATOMIC_RELEASE);
    __atomic_add_fetch(&report_answers, 1, __ATOMIC_SEQ_CST);
}

/* As if a thread used the processor whenever it was alive. */
int64_t target_thread_cputime(const struct target_thread *thread)
{
    (void)thread;
    RESULT(thread_cputime, sched_now());
}

int64_t target_space_cputime(const struct target_thread *thread)
{
    (void)thread;
    RESULT(space_cputime, sched_now());
}

void target_fault_counts(bool whole_space, uint64_t *minor, uint64_t *major)
{
    *minor = whole_space ? 20 : 10;
    *major = 1;
    OFFER(fault_counts, minor, *minor);
    OFFER(fault_counts, major, *major);
}

/* Two processors. */
int target_affinity_get(void *mask, size_t len)
{
    int n = len < sizeof(long) ? -EINVAL : (int)sizeof(long);

    if (n > 0) {
        memset(mask, 0, (size_t)n);
        *(unsigned char *)mask = 3;
        OFFER_BYTES(affinity_get, mask, mask, (size_t)n);
    }
    RESULT(affinity_get, n);
}

int target_affinity_set(const struct target_thread *thread, const void *mask, size_t len)
{
    (void)thread;
    RESULT(affinity_set, len && *(const unsigned char *)mask & 3 ? 0 : -EINVAL);
}

int target_memory_barrier(bool all, bool instructions)
{
    (void)all, (void)instructions;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    RESULT(memory_barrier, 0);
}
