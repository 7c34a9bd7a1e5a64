/* tests/gates/misbehave.c: makes the kernel of a debug build deadlock, fault, or misuse its locks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_CALL 0x6d797374 /* kernel/debug/debug.h */
enum { DEADLOCK = 1, FAULT = 2, ORDER = 3, LOCKED_UACCESS = 4, LOCKED_HOST = 5, LOCKED_SLEEP = 6 };

static const struct {
    const char *name;
    int what;
} ways[] = {
    {"fault", FAULT},
    {"order", ORDER},
    {"locked-uaccess", LOCKED_UACCESS},
    {"locked-host", LOCKED_HOST},
    {"locked-sleep", LOCKED_SLEEP},
};

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "deadlock") == 0) {
        write(1, "ready\n", 6); /* from now on the supervisor takes signals */
        pid_t child = fork();

        syscall(DEBUG_CALL, DEADLOCK, child == 0);
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(what, ways[i].name) == 0)
            syscall(DEBUG_CALL, ways[i].what);
    }
    printf("the kernel goes on: %s\n", strerror(errno));
    return 1;
}
