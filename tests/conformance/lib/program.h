/*
 * program.h: runs programs, the test's own binary among them, and collects what they print.
 *
 * A test that execs itself names a role in argv[1] ("@dump"); its main() asks program_role() first.
 */
#ifndef CONFORMANCE_PROGRAM_H
#define CONFORMANCE_PROGRAM_H

#include "child.h"

struct role {
    const char *name; /* with its @; matches the start of argv[1] */
    int (*main)(int argc, char **argv);
};

struct run {
    int status;     /* as from wait4 */
    size_t length;  /* of out, without the zero that ends it */
    char out[8192]; /* standard output */
};

/* The path of the test's own binary. */
const char *self_path(void);

/* The exit status of the role named in argv[1], or -1 when there is none: an ordinary start. */
int program_role(const struct role *roles, int argc, char **argv);

/* Runs body(arg), which is to exec, in a child with standard output in a pipe. */
void run_body(struct run *run, int (*body)(void *), void *arg);

/* Runs path with these arguments; the child exits with 127 when the exec fails. */
void run_program(struct run *run, const char *path, char *const argv[], char *const envp[]);

/*
 * SYS() in a child, for an exec that is to fail: its negative errno, or 0 when a program started
 * after all, which in the test's own process would end the test with that program's success.
 */
#define EXEC(...) EXEC_PAD(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define EXEC_PAD(nr, a, b, c, d, e, f, ...)                                                        \
    exec_result((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
long exec_result(long nr, long a, long b, long c, long d, long e);

/* Writes a script or another file with mode 0755. */
void make_program(const char *path, const void *bytes, size_t size);

/* Copies the test's own binary. */
void copy_self(const char *path, mode_t mode);

#endif
