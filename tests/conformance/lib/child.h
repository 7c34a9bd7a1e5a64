/*
 * child.h: conditions that hold in any process, raw calls, and turns between processes.
 *
 * cmocka's own assertions jump back into the runner, which is wrong in a child. need() and its kin
 * fail the case when they stand in the test's own process, and end the process with
 * CHILD_FAILED elsewhere, so that a helper can be used on both sides of a fork.
 */
#ifndef CONFORMANCE_CHILD_H
#define CONFORMANCE_CHILD_H

#include "check.h"

#define CHILD_FAILED  99 /* exit status of a child whose need() was not met */
#define CHILD_SKIPPED 98 /* exit status of a child that found nothing to test */

#define need(cond)    ((cond) ? (void)0 : need_failed(__FILE__, __LINE__, #cond))
#define need_eq(a, b) need_equal(__FILE__, __LINE__, #a " == " #b, (long)(a), (long)(b))

/* The libc call fails with this errno. */
#define need_errno(call, err)                                                                      \
    do {                                                                                           \
        errno = 0;                                                                                 \
        need_equal(__FILE__, __LINE__, #call " fails", (long)(call), -1L);                         \
        need_equal(__FILE__, __LINE__, #call " sets " #err, errno, (err));                         \
    } while (0)

/* A call by number, past libc: the kernel's own result, a negative errno on failure. */
#define SYS(...) SYS_PAD(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define SYS_PAD(nr, a, b, c, d, e, f, ...)                                                         \
    sys_raw((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline long sys_raw(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

void need_failed(const char *file, int line, const char *what);
void need_equal(const char *file, int line, const char *what, long got, long want);

/* Starts a child that runs body(arg) and exits with its result. */
pid_t child_start(int (*body)(void *), void *arg);
/* Waits for the child's end; its raw wait status. */
int child_end(pid_t pid);
/* Both in one: the raw wait status. */
int child_status(int (*body)(void *), void *arg);
/* Runs body in a child and passes its verdict on: 0 is success, CHILD_SKIPPED skips the case. */
#define child_passes(body, arg) child_verdict(__FILE__, __LINE__, (body), (arg))
void child_verdict(const char *file, int line, int (*body)(void *), void *arg);

/* Ready-made bodies: exit with the number in arg; wait for signals until one kills. */
int exit_with(void *arg);
int sleep_forever(void *arg);

/* The state letter of /proc/PID/task/TID/stat, or 0 when the task is gone. */
char task_state(pid_t pid, pid_t tid);
/* Waits until the task sleeps in the kernel (or is gone). */
bool task_sleeps(pid_t pid, pid_t tid);

/* A pipe of one-byte messages, to put processes in order. */
struct turn {
    int fd[2];
};
void turn_init(struct turn *turn);
void turn_give(struct turn *turn);
void turn_await(struct turn *turn);
void turn_close(struct turn *turn);

#endif
