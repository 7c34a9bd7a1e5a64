/* tests/fuzz/mock_fuzz.c: the life of one input on the mock target. */
#include "mock_fuzz.h"

#include <stdarg.h>

#define SETTLE_S 600 /* after which not even a closed TCP connection is remembered */
#define GIVE_UP  60  /* naps: nobody needs as many to die */

static uint32_t has_main; /* atomic */

/* The sanitizers' own view of leaks is of no use here: an instance ends with all that it has. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:allocator_may_return_null=1:handle_abort=1:detect_stack_use_after_"
           "return=0";
}

void finding(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "==== finding: ");
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nlog of the kernel:\n%s\n", mock_log());
    abort();
}

_Thread_local bool naps;

static void nap(uint64_t s, uint64_t ns)
{
    naps = true;
    mock_call(__NR_nanosleep, mock_put((uint64_t[]){s, ns}, 16), 0);
    naps = false;
}

void attend(const struct patience *patience)
{
    for (int count = 0;;) {
        long pid = mock_call(__NR_wait4, -1, 0, WNOHANG | __WALL, 0);

        if (pid == -ECHILD)
            return;
        if (pid > 0)
            continue;
        nap(patience->nap_s, patience->nap_ns);
        count++;
        if (count <= patience->kicks)
            mock_call(__NR_kill, -1, SIGUSR1);
        if (count >= patience->kill_after) {
            if (patience->before_kill)
                patience->before_kill();
            mock_call(__NR_kill, -1, SIGKILL);
        }
        if (count > patience->kill_after + GIVE_UP)
            finding("a program does not end by SIGKILL (wait4: %ld)", pid);
    }
}

bool become_main(void)
{
    if (__atomic_exchange_n(&has_main, 1, __ATOMIC_SEQ_CST))
        return false;
    mock_call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    mock_call(__NR_rt_sigprocmask, SIG_SETMASK, mock_put((uint64_t[]){UINT64_MAX}, 8), 0, 8);
    return true;
}

bool usage_take(struct mock_usage *out)
{
    long fd;

    nap(SETTLE_S, 0); /* who was reaped may not be gone yet */
    fd = mock_call(__NR_open, mock_string("/proc/sys/vm/drop_caches"), O_WRONLY, 0);
    if (fd < 0 || mock_call(__NR_write, fd, mock_string("3"), 1) != 1)
        return false;
    mock_call(__NR_close, fd);
    mock_usage(out);
    return true;
}

void instance_run(const struct mock_options *options)
{
    struct mock_result result;

    has_main = 0;
    mock_run(options, &result);
    if (result.end == MOCK_PANICKED)
        finding("the kernel panicked");
    if (result.end == MOCK_HUNG)
        finding("all threads of the instance sleep for ever");
}
