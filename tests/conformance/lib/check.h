/*
 * What every conformance test includes: cmocka with the headers it needs, checked calls,
 * a private folder for each case, children, and ways to wait without fixed sleeps.
 *
 * A test runs natively first and then inside, from the same binary; it may be process 1 of its
 * namespace, and root or not. An assertion that fails in a child made by child_fork() aborts that
 * child, so that its parent sees it; in a thread other than the main one, assert nothing.
 *
 * TEST PATTERN runs only the cases that match, TEST -PATTERN all but those.
 *
 * Above each case stands a line "covers: CALL WORD... CALL WORD..." that tells the table of calls
 * what the case proves: a name in lower case is a system call, the words in upper case after it are
 * errnos, flags and commands of that call; a call without words is covered for plain success. Of a call
 * that has no errors and no flags it says NEVER_FAILS or NEVER_RETURNS.
 */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* cmocka.h relies on these four */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Longest time that a wait for an event may take before the case fails. */
#define PATIENCE_MS 6000

/* An unprivileged user, whom root becomes to meet permission checks. */
#define NOBODY 65534

/* An address that is never mapped: user programs end below it, and it is canonical. */
#define BAD_PTR ((void *)0x7ffffffff000ull)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- checked calls ---- */

void check_failed(const char *expr, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *errno_name(int err);

/* Evaluates a call that must not return -1; its value is the macro's. */
#define must(expr)                                                                                 \
    ({                                                                                             \
        errno = 0;                                                                                 \
        __typeof__(expr) must_value = (expr);                                                      \
        if (must_value == (__typeof__(expr))-1)                                                    \
            check_failed(#expr, __FILE__, __LINE__, "failed with %s", errno_name(errno));          \
        must_value;                                                                                \
    })

/* Evaluates a call that must return -1 with the given errno. */
#define assert_errno(expr, expected)                                                               \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long errno_value = (long)(expr);                                                           \
        int errno_seen = errno;                                                                    \
        if (errno_value != -1)                                                                     \
            check_failed(#expr, __FILE__, __LINE__, "returned %ld, expected %s", errno_value,      \
                         errno_name(expected));                                                    \
        if (errno_seen != (expected))                                                              \
            check_failed(#expr, __FILE__, __LINE__, "failed with %s, expected %s",                 \
                         errno_name(errno_seen), errno_name(expected));                            \
    } while (0)

/* Evaluates a call that must return exactly this value; shows both numbers, and errno on -1. */
#define assert_returns(expr, expected)                                                             \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long returns_value = (long)(expr);                                                         \
        int returns_errno = errno;                                                                 \
        if (returns_value != (long)(expected))                                                     \
            check_failed(#expr, __FILE__, __LINE__, "returned %ld (%s), expected %ld",             \
                         returns_value, returns_value == -1 ? errno_name(returns_errno) : "-",     \
                         (long)(expected));                                                        \
    } while (0)

/* Like assert_true for a condition, with the condition's text in the message. */
#define check(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            check_failed(#cond, __FILE__, __LINE__, "does not hold");                              \
    } while (0)

/* ---- skipping ---- */

/* The exit code by which a child says that its case is to be skipped. */
#define SKIPPED_IN_CHILD 77

/* Ends the case as skipped and prints why; also in a child, where in_child() passes it on. */
#define skip_because(...)                                                                          \
    do {                                                                                           \
        print_message("[  REASON  ] %s: ", __func__);                                              \
        print_message(__VA_ARGS__);                                                                \
        print_message("\n");                                                                       \
        child_skips();                                                                             \
        skip();                                                                                    \
    } while (0)

void child_skips(void); /* ends a child made by child_fork(); else returns */

#define need_root()                                                                                \
    do {                                                                                           \
        if (geteuid() != 0)                                                                        \
            skip_because("needs root");                                                            \
    } while (0)

/* Skips where other users' ids do not exist: in the user namespace of an ordinary user. */
void need_other_ids(void);

/* Skips unless this thread has the capability (a CAP_ constant) in effect. */
#define need_capability(cap)                                                                       \
    do {                                                                                           \
        if (!has_capability(cap))                                                                  \
            skip_because("needs " #cap);                                                           \
    } while (0)

/* Skips when the expression fails with ENOSYS: the running kernel lacks the call. */
#define need_call(expr)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((long)(expr) == -1 && errno == ENOSYS)                                                 \
            skip_because("%s is not in the running kernel", #expr);                                \
    } while (0)

bool has_capability(int cap);

/* Becomes NOBODY for good when root, else stays; for use in a child. */
void drop_privileges(void);

/* ---- a folder for each case ---- */

/*
 * cmocka fixtures: the case starts with an empty private folder as its current directory, mode
 * 0755, umask 022; *state is the absolute path. The teardown removes it with all it holds.
 */
int tempdir_setup(void **state);
int tempdir_teardown(void **state);
#define tempdir_test(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

/*
 * For a child that is about to mount something in the folder of its case: gives it mounts of its
 * own. A kernel without such namespaces has nobody to hide them from, and the teardown unmounts.
 */
bool own_mounts(void);

/* Makes a file with this text (NULL: empty), mode 0644. */
void make_file(const char *path, const char *text);
/* Asserts that a file's content is exactly this text. */
void assert_file_text(const char *path, const char *text);
bool path_exists(const char *path); /* does not follow a last symbolic link */

/* ---- children ---- */

/*
 * fork() for tests: flushes stdio first; the child is killed with its parent, has cmocka's signal
 * handlers taken out, and aborts when an assertion fails. It ends with _exit().
 */
pid_t child_fork(void);
int child_wait(pid_t pid);  /* the wait status; fails after PATIENCE_MS */
void child_kill(pid_t pid); /* SIGKILL and reap */
bool children_failed(void); /* whether one that was not waited for yet has ended badly */
/* Runs body in a child, which exits with 0 when body returns; gives the wait status. */
int run_in_child(void (*body)(void *arg), void *arg);

#define assert_exited(status, code)                                                                \
    do {                                                                                           \
        int exited_status = (status);                                                              \
        if (!WIFEXITED(exited_status) || WEXITSTATUS(exited_status) != (code))                     \
            check_failed(#status, __FILE__, __LINE__, "wait status 0x%x, expected exit code %d",   \
                         (unsigned)exited_status, (int)(code));                                    \
    } while (0)

#define assert_killed_by(status, sig)                                                              \
    do {                                                                                           \
        int killed_status = (status);                                                              \
        if (!WIFSIGNALED(killed_status) || WTERMSIG(killed_status) != (sig))                       \
            check_failed(#status, __FILE__, __LINE__, "wait status 0x%x, expected signal %d",      \
                         (unsigned)killed_status, (int)(sig));                                     \
    } while (0)

/* Waits for a child made by child_fork() and asserts that it exited with code 0. */
#define assert_child_ok(pid) assert_exited(child_wait(pid), 0)

/* Runs statements in a child and asserts that it comes to their end. */
#define in_child(...)                                                                              \
    do {                                                                                           \
        pid_t in_child_pid = child_fork();                                                         \
        if (in_child_pid == 0) {                                                                   \
            __VA_ARGS__;                                                                           \
            _exit(0);                                                                              \
        }                                                                                          \
        int in_child_status = child_wait(in_child_pid);                                            \
        if (WIFEXITED(in_child_status) && WEXITSTATUS(in_child_status) == SKIPPED_IN_CHILD)        \
            skip();                                                                                \
        assert_exited(in_child_status, 0);                                                         \
    } while (0)

/* The same without privileges: meets permission checks although the test runs as root. */
#define as_nobody(...) in_child(drop_privileges(); __VA_ARGS__)

/* Zeroed memory that children share with the parent; lives until the test ends. */
void *shared_alloc(size_t size);

/* ---- waiting ---- */

int64_t now_ms(void); /* CLOCK_MONOTONIC */
int64_t now_ns(void);
void nap(void); /* 1 ms, between two looks */

/* Looks at a condition until it holds; false after PATIENCE_MS. */
#define wait_until(cond)                                                                           \
    ({                                                                                             \
        int64_t until_end = now_ms() + PATIENCE_MS;                                                \
        bool until_met;                                                                            \
        while (!(until_met = (cond)) && now_ms() < until_end)                                      \
            nap();                                                                                 \
        until_met;                                                                                 \
    })

#define assert_eventually(cond)                                                                    \
    do {                                                                                           \
        if (!wait_until(cond))                                                                     \
            check_failed(#cond, __FILE__, __LINE__, "did not come true in time");                  \
    } while (0)

/* The state letter of /proc/PID/stat, or of a thread of this process; 0 when it is gone. */
char process_state(pid_t pid);
char thread_state(pid_t tid);

/*
 * A flag in shared memory: the child calls gate_open() as the last thing before the call that is
 * to block; gate_wait_blocked() waits for that and then until the child sleeps in the call.
 */
struct gate {
    volatile pid_t tid;
};
struct gate *gate_new(void);
void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);         /* until opened */
void gate_wait_blocked(struct gate *gate); /* until opened and asleep ('S') */

/* ---- signals ---- */

extern volatile sig_atomic_t caught[65]; /* times that each signal was handled */

void catch_signal(int sig, int sa_flags); /* counts it in caught[]; sets the count to 0 */
void default_signal(int sig);

/*
 * SIGALRM every few milliseconds until stopped: interrupts a blocking call for certain, also when
 * the first one comes too early. sa_flags is 0 or SA_RESTART.
 */
void interrupts_start(int sa_flags);
void interrupts_stop(void);
void interrupts_abandon(void); /* stops them when a case fails in between */

#endif
