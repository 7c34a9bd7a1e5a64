/*
 * kernel/debug/report.c: the hang report: every thread with its current call, backtrace, locks and last
 * calls. SIGQUIT to the supervisor, a panic, and a fault of the kernel print it.
 *
 * It looks at a kernel that may hang, or be broken: it waits for no lock, allocates nothing, and
 * follows no pointer of a stack that leaves the stack's own block.
 */
#include "debug/debug.h"

#include "arch/x86_64/tsc.h"
#include "base/atomic.h"
#include "base/fmt.h"
#include "base/list.h"
#include "debug/stats.h"
#include "debug/symbols.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/thread.h"
#include "host/wait.h"
#include "log/log.h"
#include "sync/sync.h"
#include "syscall/decode.h"
#include "syscall/syscall.h"
#include "syscall_types.h"
#include "task/task.h"

#include <myst/boot.h>

#define THREADS_MAX   512
#define FRAMES_MAX    40
#define ROUND         (1000 * 1000) /* ns between two looks */
#define LOCK_ROUNDS   20
#define ANSWER_ROUNDS 100 /* all threads together have 100 ms to say where they are */
#define LINE          256

static struct {
    u64 tsc;
    ktime clock;
} start; /* of the instance; constant */
#define COLUMNS 100

/* Who is looked at. One report at a time: `busy` is its lock, which nobody waits for. */
static struct {
    u32 busy; /* atomic */
    u32 count, left_out;
    struct task *tasks[THREADS_MAX]; /* counted */
} report;

static void __printf(1, 2) print(const char *fmt, ...)
{
    char line[LINE];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vscnprintf(line, sizeof line, fmt, args);
    va_end(args);
    host_log(line, (size_t)len);
}

static void pause_round(void)
{
    u32 never = 0;

    host_wait(&never, 0, host_clock_read(HOST_CLOCK_MONOTONIC) + ROUND);
}

/* --- who there is ---------------------------------------------------------------------------------- */

static bool in_kernel_memory(const void *p)
{
    u64 address = (u64)p;

    return address >= MYST_OBJECTS_START && address < MYST_OBJECTS_END &&
           address % sizeof(u64) == 0;
}

static void collect(void)
{
    struct process *process;
    struct task *task;

    report.count = report.left_out = 0;
    for_each_process(process) {
        if (!in_kernel_memory(process))
            return;
        for_each_thread(task, process) {
            if (!in_kernel_memory(task) || report.count + report.left_out > PID_LIMIT)
                return;
            if (!task->self)
                continue;
            if (report.count < THREADS_MAX)
                report.tasks[report.count++] = task_get(task);
            else
                report.left_out++;
        }
    }
}

static void collect_threads(void)
{
    bool locked = false;

    for (int i = 0; i < LOCK_ROUNDS && !locked; i++) {
        locked = spin_trylock(&tasks_lock);
        if (!locked)
            pause_round();
    }
    if (!locked)
        print("  (the list of threads is locked and may change meanwhile)\n");
    collect();
    if (locked)
        spin_unlock(&tasks_lock);
}

/*
 * A thread that has ended meanwhile is left as it is: to free it takes locks that may be what everything
 * hangs on.
 */
static void release_threads(void)
{
    for (u32 i = 0; i < report.count; i++) {
        if (refcount_read(&report.tasks[i]->ref) > 1)
            task_put(report.tasks[i]);
    }
    report.count = 0;
}

static void ask_threads(void)
{
    u32 missing = 1;

    for (u32 i = 0; i < report.count; i++) {
        if (report.tasks[i]->self != self())
            host_thread_probe(report.tasks[i]->self);
    }
    for (int round = 0; round < ANSWER_ROUNDS && missing; round++) {
        pause_round();
        missing = 0;
        for (u32 i = 0; i < report.count; i++) {
            u64 rip, rbp;

            if (report.tasks[i]->self != self())
                missing += !host_thread_where(report.tasks[i]->self, &rip, &rbp);
        }
    }
}

/* --- one thread ------------------------------------------------------------------------------------ */

static void print_frame(u64 rip)
{
    char text[SYMBOL_TEXT];

    print("      %s\n", symbol_text(rip, text));
}

/* Frames lie in the thread's own block, each above the one that it called. */
static void print_backtrace(const struct self *thread, u64 rip, u64 rbp)
{
    u64 low = (u64)thread + TARGET_THREAD_ROOM, end = (u64)thread + TARGET_STACK_SIZE;

    print("    backtrace:\n");
    print_frame(rip);
    for (int n = 0; n < FRAMES_MAX; n++) {
        if (rbp < low || rbp > end - 2 * sizeof(u64) || rbp % sizeof(u64))
            return;

        const u64 *frame = (const u64 *)rbp;

        if (frame[1] < MYST_TEXT_BASE || frame[1] >= MYST_DATA_BASE)
            return;
        print_frame(frame[1] - 1); /* in the call, not after it: it may end its function */
        low = rbp + sizeof(u64);
        rbp = frame[0];
    }
    print("      ...\n");
}

static void print_where(const struct self *thread)
{
    u64 rip, rbp;

    if (thread == self()) {
        print_backtrace(thread, (u64)__builtin_return_address(0), (u64)__builtin_frame_address(0));
    } else if (!host_thread_where(thread, &rip, &rbp)) {
        print("    gives no answer\n");
    } else if (rip == 0) {
        print("    runs the program at %#llx\n", (unsigned long long)thread->thread.regs.rip);
    } else {
        print_backtrace(thread, rip, rbp);
    }
}

/* The thread that holds a lock, 0 when none does. */
static pid_t holder(const void *lock)
{
    for (u32 i = 0; i < report.count; i++) {
        const struct self *thread = report.tasks[i]->self;

        for (u32 j = 0; j < MIN(READ_ONCE(thread->nheld), (u32)SELF_MAX_LOCKS); j++) {
            if (thread->held[j].lock == lock)
                return report.tasks[i]->tid;
        }
    }
    return 0;
}

/* Debug builds know the callers, too. */
#ifdef MYST_DEBUG
static void print_taker(const struct held_lock *held)
{
    for (u32 i = 1; i < SELF_LOCK_FRAMES; i++) {
        u64 rip = READ_ONCE(held->stack[i]);

        if (rip < MYST_TEXT_BASE || rip >= MYST_DATA_BASE)
            return;
        print_frame(rip - 1);
    }
}
#else
static void print_taker(const struct held_lock *held)
{
    (void)held;
}
#endif

static void print_locks(const struct self *thread)
{
    const void *waiting_for = READ_ONCE(thread->waiting_for);
    char lock[SYMBOL_TEXT], where[SYMBOL_TEXT];

    for (u32 i = 0; i < MIN(READ_ONCE(thread->nheld), (u32)SELF_MAX_LOCKS); i++) {
        const struct held_lock *held = &thread->held[i];

        print("    holds lock %s %s, taken by %s\n",
              lock_class_name((unsigned int)held->lock_class), symbol_text((u64)held->lock, lock),
              symbol_text((u64)held->where - 1, where));
        print_taker(held);
    }
    if (!waiting_for)
        return;

    pid_t by = holder(waiting_for);

    print("    waits for %s %s", thread->waiting_name ? thread->waiting_name : "?",
          symbol_text((u64)waiting_for, lock));
    if (by)
        print(", which thread %d holds", by);
    print("\n");
}

/* The rate of the counter follows from what it and the clock have done since the start. */
static u64 milliseconds_since(u64 tsc)
{
    u64 now = tsc_read();
    u64 ran = (u64)(host_clock_read(HOST_CLOCK_MONOTONIC) - start.clock) / NSEC_PER_MSEC;
    u64 rate = (now - start.tsc) / MAX(ran, 1ULL);

    return now > tsc ? (now - tsc) / MAX(rate, 1ULL) : 0;
}

static void print_call(const struct self *thread)
{
    long nr = READ_ONCE(thread->current_nr);
    const struct call_record *record =
        &thread->history[(thread->history_next - 1) % SELF_CALL_HISTORY];
    const char *name = nr >= 0 ? syscall_name((unsigned long)nr) : NULL;
    char line[LINE];
    int len;

    if (nr < 0)
        return;
    len = name ? scnprintf(line, sizeof line, "    in %s(", name)
               : scnprintf(line, sizeof line, "    in call %ld(", nr);
    for (u32 i = 0; i < (name ? MIN(syscall_rows[nr].nargs, 6U) : 6); i++)
        len += scnprintf(line + len, sizeof line - (size_t)len, "%s%#llx", i ? ", " : "",
                         (unsigned long long)thread->args[i]);
    print("%s) for %llu ms\n", line, (unsigned long long)milliseconds_since(record->began));
}

/* The last calls, oldest first: name(first argument)=result. */
static void print_history(const struct self *thread)
{
    u32 next = READ_ONCE(thread->history_next);
    u32 count = MIN(next, (u32)SELF_CALL_HISTORY);
    char line[LINE];
    int len = 0;

    if (count == 0)
        return;
    print("    last calls:\n");
    for (u32 i = next - count; i != next; i++) {
        const struct call_record *record = &thread->history[i % SELF_CALL_HISTORY];
        const char *name = syscall_name(record->nr);
        char call[64];
        int n = scnprintf(call, sizeof call, " %s(%#llx)", name ? name : "?",
                          (unsigned long long)record->arg0);

        if (i + 1 != next || thread->current_nr < 0)
            n += scnprintf(call + n, sizeof call - (size_t)n, "=%d", record->result);
        if (len + n > COLUMNS) {
            print("     %s\n", line);
            len = 0;
        }
        len += scnprintf(line + len, sizeof line - (size_t)len, "%s", call);
    }
    print("     %s\n", line);
}

static void print_thread(const struct task *task)
{
    const struct self *thread = task->self;

    print("  thread %d of process %d (%.*s), host thread %d of %d%s\n", task->tid,
          task->process->pid, TASK_COMM_LEN, task->comm, thread->thread.host_tid,
          thread->thread.host_pid, thread == self() ? ": prints this" : "");
    print_call(thread);
    print_where(thread);
    print_locks(thread);
    print_history(thread);
}

/* --- the report ------------------------------------------------------------------------------------- */

static bool report_begin(void)
{
    return __atomic_exchange_n(&report.busy, 1, __ATOMIC_ACQUIRE) == 0;
}

static void report_end(void)
{
    __atomic_store_n(&report.busy, 0, __ATOMIC_RELEASE);
}

static void report_all(void)
{
    if (!report_begin())
        return;
    print("myst: report: what every thread does\n");
    collect_threads();
    ask_threads();
    if (!self_is_task()) {
        print("  thread of the kernel's own: prints this\n");
        print_locks(self());
    }
    for (u32 i = 0; i < report.count; i++)
        print_thread(report.tasks[i]);
    if (report.left_out)
        print("  and %u threads more\n", report.left_out);
    print("myst: report: end\n");
    release_threads();
    report_end();
}

void upcall_report(void)
{
    report_all();
}

/* A fault in the report itself comes here again, and then ends the instance at once. */
void upcall_broken(const struct target_fault *fault, uint64_t rip, uint64_t rbp, uint64_t rsp)
{
    static u32 broken;
    char text[SYMBOL_TEXT];

    print("myst: the kernel faults at %s: signal %u, address %#llx, stack %#llx\n",
          symbol_text(rip, text), fault->signo, (unsigned long long)fault->address,
          (unsigned long long)rsp);
    if (!__atomic_exchange_n(&broken, 1, __ATOMIC_SEQ_CST)) {
        print_backtrace(self(), rip, rbp);
        report_all();
    }
    host_panic();
}

void debug_start(const struct boot_info *boot)
{
    panic_report = report_all;
    start.tsc = tsc_read();
    start.clock = host_clock_read(HOST_CLOCK_MONOTONIC);
    stats_start(boot);
}
