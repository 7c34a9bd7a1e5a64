/* tests/gates/misbehave.c: makes the kernel of a debug build deadlock, fault, or take locks in a wrong order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_CALL 0x6d797374 /* kernel/debug/debug.h */
enum { DEADLOCK = 1, FAULT = 2, ORDER = 3 };

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "deadlock") == 0) {
        write(1, "ready\n", 6); /* from now on the supervisor takes signals */
        pid_t child = fork();

        syscall(DEBUG_CALL, DEADLOCK, child == 0);
    } else {
        syscall(DEBUG_CALL, strcmp(what, "fault") == 0 ? FAULT : ORDER);
    }
    printf("the kernel goes on: %s\n", strerror(errno));
    return 1;
}
