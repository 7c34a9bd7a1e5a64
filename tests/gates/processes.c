/*
 * tests/gates/processes.c: children by the thousand. usage: processes fork|vfork|exec COUNT
 * fork: the child's memory is its own, its status arrives; vfork: what the child writes is seen;
 * exec: the program moves to another image and keeps its number, in turn with vfork.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what, long n)
{
    printf("%s, child %ld\n", what, n);
    return 1;
}

static int status_of(pid_t pid)
{
    int status;

    if (pid <= 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int forks(long count)
{
    volatile long number = -1;

    for (long n = 0; n < count; n++) {
        pid_t pid = fork();

        if (pid == 0) {
            number = n;
            _exit((int)(number & 0x7f));
        }
        if (status_of(pid) != (n & 0x7f))
            return fail("fork: wrong status", n);
        if (number != -1)
            return fail("fork: the child wrote into its parent", n);
    }
    return 0;
}

static int vforks(long count)
{
    volatile long number;

    for (long n = 0; n < count; n++) {
        number = -1;
        pid_t pid = vfork();

        if (pid == 0) {
            number = n;
            _exit(3);
        }
        if (number != n)
            return fail("vfork: what the child wrote is not there", n);
        if (status_of(pid) != 3)
            return fail("vfork: wrong status", n);
    }
    return 0;
}

/* The new image says by its status whether it is the process that was asked to become it. */
static int execs(const char *self, long count)
{
    for (long n = 0; n < count; n++) {
        char text[24];
        pid_t pid = vfork();

        if (pid == 0) {
            snprintf(text, sizeof text, "%d", getpid());
            execl(self, self, "image", text, (char *)NULL);
            _exit(99);
        }
        if (status_of(pid) != 42)
            return fail("exec: wrong status", n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long number = argc == 3 ? atol(argv[2]) : 0;

    if (argc == 3 && strcmp(argv[1], "image") == 0)
        return number == getpid() ? 42 : 1;
    if (argc == 3 && strcmp(argv[1], "fork") == 0)
        return forks(number);
    if (argc == 3 && strcmp(argv[1], "vfork") == 0)
        return vforks(number);
    if (argc == 3 && strcmp(argv[1], "exec") == 0)
        return execs(argv[0], number);
    return 2;
}
