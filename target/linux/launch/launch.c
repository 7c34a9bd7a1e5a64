/* target/linux/launch/launch.c: starts an instance in the hosted target, and supervises it to its end. */
#include "launch.h"

#include "image.h"
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <unistd.h>

#define RSEQ_SIGNATURE      0x53053053 /* glibc's, on x86 */
#define BLANKS_PER_INSTANCE 2

void launch_complain(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "myst: %s\n", text);
}

/* glibc registers restartable sequences for each thread; the zygote has to take that back. */
static void note_rseq(struct target_shared *shared)
{
    if (!__rseq_size)
        return;
    shared->unmap_from_rseq = (uint64_t)((char *)__builtin_thread_pointer() + __rseq_offset);
    /* the area that is registered is 32 bytes or, with newer glibc, what the kernel says */
    shared->rseq_size = __rseq_size < 32 ? 32 : __rseq_size;
    shared->rseq_signature = RSEQ_SIGNATURE;
}

/* The log keeps its way out when the program closes standard error; descriptors 0..2 are the console. */
static int log_open(void)
{
    int file = fcntl(2, F_DUPFD_CLOEXEC, 3);

    return file < 0 ? 2 : file;
}

static pid_t zygote_fork(uint64_t entry)
{
    pid_t pid = fork();

    if (pid == 0) {
        ((void (*)(void))entry)();
        _exit(125);
    }
    return pid;
}

int launch(const struct launch_options *options)
{
    struct target_shared *shared;
    sigset_t all, old;
    uint64_t entry;
    int window;

    fflush(NULL);
    shared = image_map(&window, &entry);
    if (!shared || image_fill_boot(shared, options) < 0)
        return 125;
    image_find_vdso(shared);
    note_rseq(shared);
    shared->log_file = log_open();
    shared->ready_file = epoll_create1(EPOLL_CLOEXEC);
    if (shared->ready_file < 0) {
        launch_complain("the host gives no descriptor to wait with: %s", strerror(errno));
        return 125;
    }
    shared->supervisor_pid = getpid();
    shared->fault_seed = options->fault_seed;
    shared->fault_interval = options->fault_interval;
    shared->blanks_wanted = BLANKS_PER_INSTANCE;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    supervisor_prepare(shared);
    if (zygote_fork(entry) < 0) {
        launch_complain("the host refuses to make a process: %s", strerror(errno));
        return 125;
    }
    return supervisor_run(shared);
}
