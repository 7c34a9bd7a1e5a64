/* Time, entropy, the console, and the ends of an instance. */
#include "faults.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/time.h>

struct host_timespec {
    int64_t sec, nsec;
};

static const int host_clocks[TARGET_CLOCKS] = {
    [TARGET_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
    [TARGET_CLOCK_REALTIME] = CLOCK_REALTIME,
    [TARGET_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
};

int64_t target_clock_read(enum target_clock clock)
{
    long (*vdso)(int, struct host_timespec *) = (void *)shared.host_clock_gettime;
    struct host_timespec ts = {0, 0};

    FAULT_DELAY();
    /* the supervisor, which runs a report, has its vDSO elsewhere */
    if (vdso && thread_self()->host_pid != shared.supervisor_pid)
        vdso(host_clocks[clock], &ts);
    else
        HOST2(__NR_clock_gettime, host_clocks[clock], &ts);
    return ts.sec * 1000000000 + ts.nsec;
}

int64_t target_clock_resolution(enum target_clock clock)
{
    struct host_timespec ts = {0, 1};

    HOST2(__NR_clock_getres, host_clocks[clock], &ts);
    return ts.sec * 1000000000 + ts.nsec;
}

uintptr_t target_vdso_clock_gettime(void)
{
    return shared.host_clock_gettime;
}

int target_random(void *to, size_t len)
{
    FAULT(EIO);
    for (size_t done = 0; done < len;) {
        long n = HOST3(__NR_getrandom, (char *)to + done, len - done, 0);
        if (n <= 0 && n != -EINTR)
            return -EIO;
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

void target_log(const char *text, size_t len)
{
    while (len) {
        long n = HOST3(__NR_write, shared.log_file, text, len);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            return; /* a log that cannot be written has nowhere to say so */
        text += n;
        len -= (size_t)n;
    }
}

const void *target_symbols(size_t *size)
{
    *size = shared.symbols_size;
    return *size ? (const void *)IMAGE_BASE : NULL;
}

static void end(void) __attribute__((noreturn));
static void end(void)
{
    __atomic_store_n(&shared.ended, 1, __ATOMIC_SEQ_CST);
    HOST2(__NR_kill, shared.supervisor_pid, SIGCHLD);
    HOST1(__NR_exit_group, 0);
    __builtin_unreachable();
}

void target_exit(int status)
{
    uint32_t expected = 0;

    /* of two that end at once the first one's status counts */
    static uint32_t taken;
    if (__atomic_compare_exchange_n(&taken, &expected, 1, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
        shared.exit_status = status;
    end();
}

void target_panic(void)
{
    __atomic_store_n(&shared.panicked, 1, __ATOMIC_SEQ_CST);
    end();
}

void target_suspend(void)
{
    __atomic_store_n(&shared.suspend, 1, __ATOMIC_SEQ_CST);
    HOST2(__NR_kill, shared.supervisor_pid, SIGCHLD);
}

/* --- console ----------------------------------------------------------------------------------------------- */

int64_t target_console_read(int console, void *to, size_t len)
{
    struct target_thread *thread = thread_self();

    FAULT(EINTR, EIO, EAGAIN);
    __atomic_store_n(&thread->wake, 0, __ATOMIC_RELAXED);
    return HOST_BLOCKING4(thread, __NR_read, console, to, FAULT_SHORT(len), 0);
}

int64_t target_console_write(int console, const void *from, size_t len)
{
    struct target_thread *thread = thread_self();

    FAULT(EINTR, EIO, EAGAIN, ENOSPC);
    __atomic_store_n(&thread->wake, 0, __ATOMIC_RELAXED);
    return HOST_BLOCKING4(thread, __NR_write, console, from, FAULT_SHORT(len), 0);
}

int64_t target_console_seek(int console, int64_t offset, int whence)
{
    return HOST3(__NR_lseek, console, offset, whence);
}

int target_console_ioctl(int console, unsigned int request, void *arg, size_t len)
{
    static const unsigned int known[] = {TCGETS, TCSETS, TCSETSW,  TCSETSF,  TIOCGWINSZ, TIOCSWINSZ,
                                         TCFLSH, TCSBRK, FIONREAD, TIOCOUTQ, TCXONC};

    (void)len;
    FAULT(EINTR, EIO);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == request)
            return (int)HOST3(__NR_ioctl, console, request, arg);
    return -ENOTTY;
}
