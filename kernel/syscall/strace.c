/* kernel/syscall/strace.c: --strace, the calls of the instance on its log, one line each. */
#include "abi/names.h"
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "log/log.h"
#include "syscall/internal.h"
#include "syscall/syscall.h"
#include "syscall_types.h"
#include "signal/signal.h"
#include "task/task.h"

#define WORD_BITS    64
#define FILTER_WORDS DIV_ROUND_UP(SYSCALL_LIMIT, WORD_BITS)

bool strace_on; /* constant once programs run */

static struct {
    u64 wanted[FILTER_WORDS]; /* constant once programs run: the calls to print */
    s32 first;                /* atomic: the task that was printed first, 0 before */
    bool many;                /* atomic: another one was printed too */
} strace;

/* As strace -f does, a line names its task once there are several. 0: it does not. */
static pid_t task_to_name(void)
{
    pid_t tid = task_self()->tid;
    s32 first = 0;

    if (__atomic_compare_exchange_n(&strace.first, &first, tid, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        return 0;
    if (first != tid)
        __atomic_store_n(&strace.many, true, __ATOMIC_RELAXED);
    return __atomic_load_n(&strace.many, __ATOMIC_RELAXED) ? tid : 0;
}

bool strace_wants(unsigned long nr)
{
    return nr >= SYSCALL_LIMIT || (strace.wanted[nr / WORD_BITS] >> (nr % WORD_BITS) & 1);
}

/* Begins a line. */
static void line_begin(struct decoding *d)
{
    pid_t tid = task_to_name();

    decode_begin(d);
    if (tid)
        decode_put(d, "[pid %d] ", tid);
}

static void trace_signal(const siginfo_t *info)
{
    char signal[SIGNAL_TEXT_MAX];
    struct decoding d;

    line_begin(&d);
    decode_put(&d, "--- %s ", signal_text(info->si_signo, signal));
    decode_siginfo(&d, info);
    decode_put(&d, " ---\n");
    log_raw(d.text, d.len);
}

static void trace_exit(int status)
{
    char signal[SIGNAL_TEXT_MAX];
    struct decoding d;

    line_begin(&d);
    if (status & 0x7f)
        decode_put(&d, "+++ killed by %s%s +++\n", signal_text(status & 0x7f, signal),
                   status & 0x80 ? " (core dumped)" : "");
    else
        decode_put(&d, "+++ exited with %d +++\n", status >> 8 & 0xff);
    log_raw(d.text, d.len);
}

void strace_enter(struct decoding *d, unsigned long nr, const u64 args[6])
{
    line_begin(d);
    decode_enter(d, nr, args);
    if (nr < SYSCALL_LIMIT && syscall_rows[nr].result == RESULT_none)
        strace_leave(d, nr, args, 0);
}

void strace_leave(struct decoding *d, unsigned long nr, const u64 args[6], long result)
{
    if (d->len == 0) /* printed before the call, which was not expected to return */
        return;
    decode_leave(d, nr, args, result);
    log_raw(d->text, d->len);
    d->len = 0;
}

static int syscall_lookup(const char *name)
{
    u32 nr;

    if (strtou32(name, 10, &nr) == 0)
        return nr < SYSCALL_LIMIT && syscall_rows[nr].name ? (int)nr : -EINVAL;
    for (nr = 0; nr < SYSCALL_LIMIT; nr++) {
        if (syscall_rows[nr].name && streq(syscall_rows[nr].name, name))
            return (int)nr;
    }
    return -EINVAL;
}

/* One element of the list; false when it names nothing. */
static bool filter_add(u64 *wanted, const char *name)
{
    bool add = *name != '!';

    name += !add;
    if (streq(name, "all")) {
        memset(wanted, add ? 0xff : 0, FILTER_WORDS * sizeof(*wanted));
        return true;
    }

    int nr = syscall_lookup(name);

    if (nr < 0)
        return false;
    if (add)
        wanted[nr / WORD_BITS] |= 1ULL << (nr % WORD_BITS);
    else
        wanted[nr / WORD_BITS] &= ~(1ULL << (nr % WORD_BITS));
    return true;
}

int strace_set_filter(const char *filter)
{
    u64 wanted[FILTER_WORDS] = {0};

    /* "!read" means all but read. */
    if (!*filter || *filter == '!')
        memset(wanted, 0xff, sizeof(wanted));

    while (*filter) {
        const char *end = strchr(filter, ',');
        size_t len = end ? (size_t)(end - filter) : strlen(filter);
        char name[40];

        if (len >= sizeof(name))
            return -EINVAL;
        memcpy(name, filter, len);
        name[len] = '\0';
        if (!filter_add(wanted, name))
            return -EINVAL;
        filter += len + (end != NULL);
    }

    memcpy(strace.wanted, wanted, sizeof(wanted));
    strace_on = true;
    signal_trace = trace_signal;
    task_hooks.trace_exit = trace_exit;
    return 0;
}
