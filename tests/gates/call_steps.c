/*
 * tests/gates/call_steps.c: a signal at every instruction of a rewritten call: site, stub, gate, the kernel's code, and the way back.
 *
 *   call_steps MYST          runs itself in an instance as below, and stops its first thread by ptrace(2) one instruction further
 *                            into a call each time; then lets the second thread signal it, and lets it go
 *   call_steps inside        thread A makes calls and checks its registers; thread B does what standard input says
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE  20 /* seconds */
#define STEPS_MAX 20000
#define ATTEMPTS  100 /* to be let go and stopped again */
#define TRAP_FLAG 0x100ULL

static void fail(const char *what, long number)
{
    fprintf(stderr, "%s (%ld, %s)\n", what, number, strerror(errno));
    exit(1);
}

/* --- inside ------------------------------------------------------------------------------------------ */

__asm__(
    ".text\n"
    ".p2align 4\n"
    "site: mov $39,%eax\n"
    "site_call: syscall\n"
    "site_behind: ret\n"
    ".p2align 4\n"
    "checked_call: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "mov $1,%ebx\n mov $2,%ebp\n mov $3,%r12d\n mov $4,%r13d\n mov $5,%r14d\n mov $6,%r15d\n"
    "mov $7,%edi\n mov $8,%esi\n mov $9,%edx\n mov $10,%r10d\n mov $11,%r8d\n mov $12,%r9d\n"
    "movq %rbx,%xmm7\n stc\n"
    "call site\n"
    "setc %cl\n"
    "cmp $1,%cl\n jne 9f\n"
    "cmp $1,%rbx\n jne 9f\n cmp $2,%rbp\n jne 9f\n cmp $3,%r12\n jne 9f\n cmp $4,%r13\n jne 9f\n"
    "cmp $5,%r14\n jne 9f\n cmp $6,%r15\n jne 9f\n cmp $7,%rdi\n jne 9f\n cmp $8,%rsi\n jne 9f\n"
    "cmp $9,%rdx\n jne 9f\n cmp $10,%r10\n jne 9f\n cmp $11,%r8\n jne 9f\n cmp $12,%r9\n jne 9f\n"
    "movq %xmm7,%rcx\n cmp $1,%rcx\n jne 9f\n"
    "1: pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
    "9: mov $-1,%rax\n jmp 1b\n"
    ".section .text_end,\"ax\",@progbits\n" /* room for stubs behind the code */
    ".p2align 12\n"
    "ret\n"
    ".text\n");
long checked_call(void);
void site(void), site_call(void), site_behind(void);

static atomic_long handled, over;

static void on_signal(int signo)
{
    (void)signo;
    handled++;
}

static void say(char answer)
{
    if (write(1, &answer, 1) != 1)
        exit(1);
}

static void *second_thread(void *arg)
{
    pthread_t first = *(pthread_t *)arg;
    long before = 0;
    char order;

    while (read(0, &order, 1) == 1 && order != 'q') {
        if (order == 's') {
            before = handled;
            pthread_kill(first, SIGUSR1);
            say('k');
        } else {
            time_t end = time(NULL) + PATIENCE;

            while (handled == before && time(NULL) < end)
                sched_yield();
            say(handled == before + 1 ? 'd' : 'x');
        }
    }
    over = 1;
    return NULL;
}

static int inside(void)
{
    pthread_t first = pthread_self(), second;
    long self = getpid(); /* a call that takes no lock: the other thread makes calls meanwhile */

    for (int i = 0; i < 1000; i++)
        if (checked_call() != self)
            return 3;
    signal(SIGUSR1, on_signal);
    if (pthread_create(&second, NULL, second_thread, &first))
        return 1;
    say('r');
    uintptr_t address = (uintptr_t)site;
    if (write(1, &address, sizeof address) != sizeof address)
        return 1;
    while (!over)
        if (checked_call() != self)
            return 3;
    return 0;
}

/* --- outside ------------------------------------------------------------------------------------------- */

static int supervisor, to_instance, from_instance;

static void order(char what, char want)
{
    char answer;

    if (write(to_instance, &what, 1) != 1 || read(from_instance, &answer, 1) != 1) {
        int status = 0;

        waitpid(supervisor, &status, 0);
        fail("the instance has gone with status", status);
    }
    if (answer != want)
        fail(answer == 'x' ? "the signal was lost, or came twice" : "an answer of another kind",
             answer);
}

static int tasks_of(int pid)
{
    char path[64];
    int n = 0;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* The one child of the supervisor that has two threads. */
static int find_program(int supervisor)
{
    char path[64];
    int pid;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", supervisor, supervisor);
    FILE *children = fopen(path, "r");
    if (!children)
        fail("/proc has no children", supervisor);
    while (fscanf(children, "%d", &pid) == 1) {
        if (tasks_of(pid) == 2) {
            fclose(children);
            return pid;
        }
    }
    fail("no process has two threads", supervisor);
    return -1;
}

#define EVENT_STOP 128 /* PTRACE_EVENT_STOP */

/* Goes on by `request` until the stop that was asked for; signals that come in between are passed on. */
static void wait_stop(int tid, enum __ptrace_request request, int event)
{
    int status;

    for (;;) {
        if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
            fail("the thread did not stop", status);
        if (WSTOPSIG(status) == SIGTRAP && status >> 16 == event)
            return;
        /* a step's own trap may be told only when the thread is stopped for something else */
        bool signal = !(status >> 16) && WSTOPSIG(status) != SIGTRAP;
        if (ptrace(request, tid, 0, signal ? (long)WSTOPSIG(status) : 0L) < 0)
            fail("the thread does not go on", status);
    }
}

static struct user_regs_struct regs_of(int tid)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
        fail("PTRACE_GETREGS", tid);
    return regs;
}

static uintptr_t rip_of(int tid)
{
    return regs_of(tid).rip;
}

static long peek(int tid, uintptr_t address)
{
    errno = 0;
    long value = ptrace(PTRACE_PEEKDATA, tid, address, 0);

    if (errno)
        fail("PTRACE_PEEKDATA", tid);
    return value;
}

/*
 * pushf and popf are done for the thread: the trap flag by which the host steps would be seen by the one, and be taken for the
 * program's own after the other.
 */
static int step_flags(int tid, struct user_regs_struct *regs, int opcode)
{
    switch (opcode) {
    case 0x9c:
        regs->rsp -= 8;
        if (ptrace(PTRACE_POKEDATA, tid, regs->rsp, regs->eflags & ~TRAP_FLAG) < 0)
            fail("PTRACE_POKEDATA", tid);
        break;
    case 0x9d:
        regs->eflags = (unsigned long)peek(tid, regs->rsp);
        regs->rsp += 8;
        break;
    default:
        return 0;
    }
    regs->rip++;
    if (ptrace(PTRACE_SETREGS, tid, 0, regs) < 0)
        fail("PTRACE_SETREGS", tid);
    return 1;
}

static uintptr_t step(int tid)
{
    struct user_regs_struct regs = regs_of(tid);

    if (step_flags(tid, &regs, (int)(peek(tid, regs.rip) & 0xff)))
        return regs.rip;
    if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) < 0)
        fail("PTRACE_SINGLESTEP", tid);
    wait_stop(tid, PTRACE_SINGLESTEP, 0);
    return rip_of(tid);
}

/* False: it is in the middle of something long, as the copying of a text that is to be rewritten. */
static int reach(int tid, uintptr_t address)
{
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0)
        fail("PTRACE_INTERRUPT", tid);
    wait_stop(tid, PTRACE_CONT, EVENT_STOP);
    for (long i = 0; i < STEPS_MAX; i++) {
        if (rip_of(tid) == address)
            return 1;
        step(tid);
    }
    return 0;
}

/* Stops the thread `steps` instructions behind the site's begin. False: the call is over by then. */
static int stop_in_call(int tid, uintptr_t address, long steps)
{
    uintptr_t behind = address + ((uintptr_t)site_behind - (uintptr_t)site);

    if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0)
        fail("PTRACE_SEIZE", tid);
    for (int i = 0; !reach(tid, address); i++) {
        if (i == ATTEMPTS || ptrace(PTRACE_CONT, tid, 0, 0) < 0)
            fail("the site is not reached", i);
        usleep(1000); /* without steps it gets further in this than in all attempts together */
    }
    for (long i = 0; i < steps; i++)
        if (step(tid) == behind)
            return 0;
    return 1;
}

static int start_instance(const char *myst, const char *self)
{
    int in[2], out[2], pid;

    if (pipe(in) || pipe(out))
        fail("pipe", 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(myst, myst, "exec", "/", self, "inside", NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_instance = in[1];
    from_instance = out[0];
    return pid;
}

int main(int argc, char **argv)
{
    static char self[4096];
    uintptr_t address;
    long steps = 0;
    int tid, status;
    char ready;

    if (argc == 2 && strcmp(argv[1], "inside") == 0)
        return inside();
    if (argc != 2 || !realpath("/proc/self/exe", self))
        return 2;
    supervisor = start_instance(argv[1], self);
    if (read(from_instance, &ready, 1) != 1 || ready != 'r' ||
        read(from_instance, &address, sizeof address) != sizeof address)
        fail("the program did not start", 0);
    tid = find_program(supervisor);
    while (stop_in_call(tid, address, steps)) {
        order('s', 'k');
        if (ptrace(PTRACE_DETACH, tid, 0, 0) < 0)
            fail("PTRACE_DETACH", tid);
        order('w', 'd');
        if (++steps > STEPS_MAX)
            fail("a call has no end", steps);
    }
    ptrace(PTRACE_DETACH, tid, 0, 0);
    if (write(to_instance, "q", 1) != 1 || waitpid(supervisor, &status, 0) != supervisor || status)
        fail("the program ended badly", status);
    if (steps < 20)
        fail("too few instructions for a rewritten call", steps);
    fprintf(stderr, "%ld instructions\n", steps);
    return 0;
}
