/*
 * child.h: conditions that hold in any process, children, raw calls, and waiting with a deadline.
 *
 * cmocka's own assertions jump back into the runner, which is wrong in a child. need() and its kin
 * fail the case when they stand in the test's own process, and end the process with
 * CHILD_FAILED elsewhere, so that a helper can be used on both sides of a fork.
 */
#ifndef CONFORMANCE_CHILD_H
#define CONFORMANCE_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FAILED 99    /* exit status of a child whose need() was not met */
#define CHILD_SKIPPED 98   /* exit status of a child that found nothing to test */
#define WAIT_LIMIT_MS 20000 /* how long wait_until() waits before it gives up */

#define need(cond) ((cond) ? (void)0 : need_failed(__FILE__, __LINE__, #cond))
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

/* Waits until cond holds; false when WAIT_LIMIT_MS have passed without it. */
#define wait_until(cond)                                                                           \
    ({                                                                                             \
        long wait_start_ = now_ms();                                                               \
        bool wait_met_;                                                                            \
        while (!(wait_met_ = (cond)) && now_ms() - wait_start_ < WAIT_LIMIT_MS) {                  \
            pause_briefly();                                                                       \
        }                                                                                          \
        wait_met_;                                                                                 \
    })

void need_failed(const char *file, int line, const char *what);
void need_equal(const char *file, int line, const char *what, long got, long want);

long now_ms(void);
void pause_briefly(void);

/* Starts a child that runs body(arg) and exits with its result. */
pid_t child_start(int (*body)(void *), void *arg);
/* Waits for the child's end; its raw wait status. */
int child_end(pid_t pid);
/* Both in one: the raw wait status. */
int child_status(int (*body)(void *), void *arg);
/* Runs body in a child and passes its verdict on: 0 is success, CHILD_SKIPPED skips the case. */
#define child_passes(body, arg) child_verdict(__FILE__, __LINE__, (body), (arg))
void child_verdict(const char *file, int line, int (*body)(void *), void *arg);

/* The state letter of /proc/PID/task/TID/stat, or 0 when the task is gone. */
char task_state(pid_t pid, pid_t tid);
/* Waits until the task sleeps in the kernel (or is gone). */
bool task_sleeps(pid_t pid, pid_t tid);

/* Zeroed memory that children share with their parent. */
void *shared_memory(size_t size);

/* A pipe of one-byte messages, to put processes in order. */
struct gate {
    int fd[2];
};
void gate_init(struct gate *gate);
void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);
void gate_close(struct gate *gate);

#define skip_unless(cond, reason)                                                                  \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            print_message("skipped: %s\n", (reason));                                              \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* Whether the process is root with the capability (CAP_x of linux/capability.h) in force. */
bool has_cap(int cap);

#endif
