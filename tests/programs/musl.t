# tags: trap
# Programs of another C library: musl, dynamic and static.

cat > prog.c << 'END'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *n) { return (void *)((long)n * 2); }
static volatile int seen;
static void on(int sig) { seen = sig; }
int main(int argc, char **argv)
{
    pthread_t t;
    void *r;
    pthread_create(&t, NULL, work, (void *)21);
    pthread_join(t, &r);
    signal(SIGUSR1, on);
    raise(SIGUSR1);
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    int status;
    waitpid(pid, &status, 0);
    printf("%s %ld %d %d\n", argv[1], (long)r, seen == SIGUSR1, WEXITSTATUS(status));
    FILE *p = popen("echo through popen", "r");
    char line[100];
    if (fgets(line, sizeof line, p))
        fputs(line, stdout);
    return pclose(p);
}
END

#== runs linked statically
musl-gcc -static -O2 -o prog prog.c && ./prog static

#== runs with musl's own loader
musl-gcc -O2 -o prog prog.c && ./prog dynamic
