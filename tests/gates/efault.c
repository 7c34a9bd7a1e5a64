/* tests/gates/efault.c: wild pointers give EFAULT to a call, and the signal to the program itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static int faults;

static void expect(int ok, const char *what)
{
    if (!ok) {
        printf("%s\n", what);
        faults++;
    }
}

static int death_of(void (*fn)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        fn();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static volatile int *wild;

static void touch(void)
{
    *wild = 1;
}

static void touch_past_end(void)
{
    int file = open("/etc/hostname", O_RDONLY);
    volatile char *map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, file, 0);

    (void)map[4096];
}

int main(void)
{
    char *places[] = {NULL,
                      (char *)8,
                      (char *)0x7ffffffff000,
                      (char *)0x620000000000,
                      (char *)0x640000000000,
                      (char *)0x8000000000000000,
                      (char *)-8};
    char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int pipes[2];

    if (edge == MAP_FAILED || pipe(pipes) != 0)
        return 2;
    mprotect(edge + 4096, 4096, PROT_NONE);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *at = places[i];

        expect(write(pipes[1], at, 8) == -1 && errno == EFAULT, "write of a wild pointer");
        expect(open(at, O_RDONLY) == -1 && errno == EFAULT, "open of a wild name");
        expect(uname((struct utsname *)at) == -1 && errno == EFAULT, "uname to a wild pointer");
        expect(stat("/", (struct stat *)at) == -1 && errno == EFAULT, "stat to a wild pointer");
        wild = (int *)at;
        expect(death_of(touch) == SIGSEGV, "a store to a wild pointer is no SIGSEGV");
    }
    expect(uname((struct utsname *)(edge + 4090)) == -1 && errno == EFAULT, "uname over an edge");
    expect(write(pipes[1], edge + 4090, 12) == 6 || errno == EFAULT, "write over an edge");
    expect(death_of(touch_past_end) == SIGBUS, "a load past a file's end is no SIGBUS");
    if (!faults)
        printf("every wild pointer is refused\n");
    return faults != 0;
}
