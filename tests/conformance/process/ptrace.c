/* ptrace.c: ptrace(2), one process looks into another, stops it, and changes it. */
#include "../lib/child.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

/* The kernel's call: PEEK stores the word at data, which libc hides. */
static long trace(long request, pid_t pid, const void *at, const void *data)
{
    return SYS(SYS_ptrace, request, pid, at, data);
}

static volatile long traced_word = 0x1122334455667788;

static int traceme_and_stop(void *arg)
{
    need_eq(trace(PTRACE_TRACEME, 0, NULL, NULL), 0);
    raise(SIGSTOP);
    if (arg) {
        ((void (*)(void))(uintptr_t)arg)();
    }
    return traced_word == 0x1122334455667788 ? 10 : 11;
}

static int wait_status(pid_t pid)
{
    int status = -1;

    need_eq(SYS(SYS_wait4, pid, &status, __WALL, NULL), pid);
    return status;
}

static void need_stop(pid_t pid, int sig)
{
    need_eq(wait_status(pid), sig << 8 | 0x7f);
}

static pid_t start_traced(void (*then)(void))
{
    pid_t pid = child_start(traceme_and_stop, (void *)(uintptr_t)then);

    need_stop(pid, SIGSTOP);
    return pid;
}

static void end_traced(pid_t pid, int status)
{
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_eq(wait_status(pid), status);
}

static struct user_regs_struct regs_of(pid_t pid)
{
    struct user_regs_struct regs;

    need_eq(trace(PTRACE_GETREGS, pid, NULL, &regs), 0);
    return regs;
}

/* covers: ptrace PTRACE_TRACEME PTRACE_CONT */
static void traced_child_stops_at_a_signal_and_goes_on(void **state)
{
    pid_t pid = start_traced(NULL);

    (void)state;
    end_traced(pid, 10 << 8);
}

static int traceme_twice(void *arg)
{
    (void)arg;
    need_eq(trace(PTRACE_TRACEME, 0, NULL, NULL), 0);
    need_eq(trace(PTRACE_TRACEME, 0, NULL, NULL), -EPERM);
    return 0;
}

/* covers: ptrace EPERM PTRACE_TRACEME */
static void second_traceme_is_eperm(void **state)
{
    (void)state;
    child_passes(traceme_twice, NULL);
}

/* covers: ptrace ESRCH PTRACE_CONT PTRACE_PEEKDATA PTRACE_GETREGS */
static void untraced_or_running_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    long word;

    (void)state;
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), -ESRCH);
    need_eq(trace(PTRACE_PEEKDATA, pid, (void *)&traced_word, &word), -ESRCH);
    need_eq(trace(PTRACE_GETREGS, pid, NULL, &word), -ESRCH);
    need_eq(trace(PTRACE_ATTACH, 0x3ffffffe, NULL, NULL), -ESRCH);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: ptrace PTRACE_PEEKDATA PTRACE_PEEKTEXT PTRACE_POKEDATA PTRACE_POKETEXT */
static void words_are_read_and_written(void **state)
{
    pid_t pid = start_traced(NULL);
    long word = 0;

    (void)state;
    need_eq(trace(PTRACE_PEEKDATA, pid, (void *)&traced_word, &word), 0);
    need_eq(word, 0x1122334455667788);
    need_eq(trace(PTRACE_POKEDATA, pid, (void *)&traced_word, (void *)77L), 0);
    need_eq(trace(PTRACE_PEEKTEXT, pid, (void *)&traced_word, &word), 0);
    need_eq(word, 77);
    need_eq(traced_word, 0x1122334455667788);
    /* Text is not writable for the child, but for its tracer. */
    need_eq(trace(PTRACE_PEEKTEXT, pid, (void *)(uintptr_t)start_traced, &word), 0);
    need_eq(memcmp(&word, (void *)(uintptr_t)start_traced, sizeof word), 0);
    need_eq(trace(PTRACE_POKETEXT, pid, (void *)(uintptr_t)start_traced, (void *)word), 0);
    end_traced(pid, 11 << 8);
}

/* covers: ptrace EIO PTRACE_PEEKDATA PTRACE_POKEDATA */
static void unmapped_word_or_unknown_request_is_eio(void **state)
{
    pid_t pid = start_traced(NULL);
    long word;

    (void)state;
    need_eq(trace(PTRACE_PEEKDATA, pid, (void *)8, &word), -EIO);
    need_eq(trace(PTRACE_POKEDATA, pid, (void *)8, (void *)1), -EIO);
    need_eq(trace(0x7777, pid, NULL, NULL), -EIO);
    need_eq(trace(PTRACE_CONT, pid, NULL, (void *)99), -EIO);
    end_traced(pid, 10 << 8);
}

/* covers: ptrace PTRACE_CONT PTRACE_GETSIGINFO */
static void tracer_suppresses_or_replaces_a_signal(void **state)
{
    pid_t pid = start_traced(NULL);
    siginfo_t info;

    (void)state;
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_stop(pid, SIGTERM);
    need_eq(trace(PTRACE_GETSIGINFO, pid, NULL, &info), 0);
    need_eq(info.si_signo, SIGTERM);
    need_eq(info.si_code, SI_USER);
    need_eq(info.si_pid, getpid());
    end_traced(pid, 10 << 8);
    pid = start_traced(NULL);
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_stop(pid, SIGTERM);
    need_eq(trace(PTRACE_CONT, pid, NULL, (void *)SIGUSR1), 0);
    need_eq(wait_status(pid), SIGUSR1);
}

static void call_getppid(void)
{
    _exit(SYS(SYS_getppid) == 4321 ? 20 : 21);
}

/* covers: ptrace PTRACE_SYSCALL PTRACE_O_TRACESYSGOOD PTRACE_SETOPTIONS PTRACE_SETREGS */
static void system_calls_stop_at_entry_and_exit_and_can_be_changed(void **state)
{
    pid_t pid = start_traced(call_getppid);
    struct user_regs_struct regs;

    (void)state;
    need_eq(trace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0);
    do {
        need_eq(trace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        need_stop(pid, SIGTRAP | 0x80);
        regs = regs_of(pid);
    } while (regs.orig_rax != SYS_getppid);
    need_eq((long)regs.rax, -ENOSYS);
    need_eq(trace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
    need_stop(pid, SIGTRAP | 0x80);
    regs = regs_of(pid);
    need_eq(regs.rax, getpid());
    regs.rax = 4321;
    need_eq(trace(PTRACE_SETREGS, pid, NULL, &regs), 0);
    end_traced(pid, 20 << 8);
}

static void call_getuid(void)
{
    _exit(SYS(SYS_getuid) == -ENOSYS ? 22 : 23);
}

/* covers: ptrace PTRACE_SYSCALL PTRACE_SETREGS PTRACE_POKEUSR PTRACE_PEEKUSR */
static void call_number_changed_to_minus_one_skips_the_call(void **state)
{
    pid_t pid = start_traced(call_getuid);
    struct user_regs_struct regs;
    long number = 0;

    (void)state;
    do {
        need_eq(trace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        need_stop(pid, SIGTRAP);
        regs = regs_of(pid);
    } while (regs.orig_rax != SYS_getuid);
    void *orig_rax = (void *)offsetof(struct user_regs_struct, orig_rax);
    need_eq(trace(PTRACE_PEEKUSR, pid, orig_rax, &number), 0);
    need_eq(number, SYS_getuid);
    need_eq(trace(PTRACE_POKEUSR, pid, orig_rax, (void *)-1L), 0);
    end_traced(pid, 22 << 8);
}

/* covers: ptrace PTRACE_GETREGSET PTRACE_SETREGSET PTRACE_GETFPREGS EINVAL */
static void register_sets_are_read_by_their_note_type(void **state)
{
    pid_t pid = start_traced(NULL);
    struct user_regs_struct regs = regs_of(pid), set;
    struct user_fpregs_struct fp;
    struct iovec io = {&set, sizeof set};

    (void)state;
    need_eq(trace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io), 0);
    need_eq(io.iov_len, sizeof set);
    need(set.rip == regs.rip && set.rsp == regs.rsp);
    io.iov_len = 8;
    need_eq(trace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io), 0);
    need_eq(io.iov_len, 8);
    io = (struct iovec){&set, sizeof set};
    need_eq(trace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io), 0);
    need_eq(trace(PTRACE_GETREGSET, pid, (void *)0x77777, &io), -EINVAL);
    need_eq(trace(PTRACE_GETFPREGS, pid, NULL, &fp), 0);
    need_eq(fp.mxcsr & 0x1f80, 0x1f80);
    end_traced(pid, 10 << 8);
}

/* covers: ptrace PTRACE_SINGLESTEP PTRACE_GETSIGINFO TRAP_TRACE */
static void single_step_stops_after_every_instruction(void **state)
{
    pid_t pid = start_traced(NULL);
    struct user_regs_struct before = regs_of(pid), after;
    siginfo_t info;
    int moved = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        need_eq(trace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        need_stop(pid, SIGTRAP);
        after = regs_of(pid);
        moved += after.rip != before.rip;
        before = after;
    }
    need(moved >= 19);
    need_eq(trace(PTRACE_GETSIGINFO, pid, NULL, &info), 0);
    need_eq(info.si_code, TRAP_TRACE);
    end_traced(pid, 10 << 8);
}

static void fork_and_exit(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(5);
    }
    _exit(child_end(pid) == 5 << 8 ? 24 : 25);
}

/* covers: ptrace PTRACE_O_TRACEFORK PTRACE_GETEVENTMSG PTRACE_EVENT_FORK */
static void fork_event_tells_the_child_which_is_traced_too(void **state)
{
    pid_t pid = start_traced(fork_and_exit);
    unsigned long child = 0;

    (void)state;
    need_eq(trace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEFORK), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_eq(wait_status(pid) >> 8, SIGTRAP | PTRACE_EVENT_FORK << 8);
    need_eq(trace(PTRACE_GETEVENTMSG, pid, NULL, &child), 0);
    need(child > 0);
    need_stop((pid_t)child, SIGSTOP);
    need_eq(trace(PTRACE_CONT, (pid_t)child, NULL, NULL), 0);
    need_eq(wait_status((pid_t)child), 5 << 8);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    /* The end of its child is a signal for it, which stops it first. */
    int status = wait_status(pid);
    if (WIFSTOPPED(status)) {
        need_eq(WSTOPSIG(status), SIGCHLD);
        end_traced(pid, 24 << 8);
    } else {
        need_eq(status, 24 << 8);
    }
}

static void exec_true(void)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};

    execve("/bin/true", argv, envp);
    _exit(127);
}

/* covers: ptrace PTRACE_TRACEME execve */
static void exec_of_a_traced_process_stops_by_sigtrap(void **state)
{
    pid_t pid = start_traced(exec_true);

    (void)state;
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_stop(pid, SIGTRAP);
    end_traced(pid, 0);
}

/* covers: ptrace PTRACE_O_TRACEEXEC PTRACE_EVENT_EXEC PTRACE_GETEVENTMSG */
static void exec_event_tells_the_former_thread(void **state)
{
    pid_t pid = start_traced(exec_true);
    unsigned long former = 0;

    (void)state;
    need_eq(trace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEEXEC), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_eq(wait_status(pid) >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
    need_eq(trace(PTRACE_GETEVENTMSG, pid, NULL, &former), 0);
    need_eq(former, pid);
    end_traced(pid, 0);
}

/* covers: ptrace PTRACE_O_TRACEEXIT PTRACE_EVENT_EXIT PTRACE_GETEVENTMSG */
static void exit_event_tells_the_status_before_the_end(void **state)
{
    pid_t pid = start_traced(NULL);
    unsigned long status = 0;

    (void)state;
    need_eq(trace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEEXIT), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), 0);
    need_eq(wait_status(pid) >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    need_eq(trace(PTRACE_GETEVENTMSG, pid, NULL, &status), 0);
    need_eq(status, 10 << 8);
    end_traced(pid, 10 << 8);
}

/* covers: ptrace PTRACE_ATTACH PTRACE_DETACH EPERM */
static void attach_stops_and_detach_lets_go(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(trace(PTRACE_ATTACH, pid, NULL, NULL), 0);
    need_stop(pid, SIGSTOP);
    need_eq(trace(PTRACE_ATTACH, pid, NULL, NULL), -EPERM);
    need_eq(trace(PTRACE_ATTACH, getpid(), NULL, NULL), -EPERM);
    need_eq(trace(PTRACE_DETACH, pid, NULL, NULL), 0);
    need_eq(trace(PTRACE_CONT, pid, NULL, NULL), -ESRCH);
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(wait_status(pid), SIGTERM);
}

/* covers: ptrace PTRACE_SEIZE PTRACE_INTERRUPT PTRACE_EVENT_STOP */
static void seize_does_not_stop_and_interrupt_does(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(trace(PTRACE_SEIZE, pid, NULL, NULL), 0);
    need_eq(SYS(SYS_wait4, pid, NULL, __WALL | WNOHANG, NULL), 0);
    need_eq(trace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    need_eq(wait_status(pid) >> 8, SIGTRAP | PTRACE_EVENT_STOP << 8);
    need_eq(trace(PTRACE_DETACH, pid, NULL, (void *)SIGUSR2), 0);
    int status = -1;
    /* A signal with detach takes effect only at a signal stop; here it ends nothing. */
    need_eq(SYS(SYS_wait4, pid, &status, __WALL | WNOHANG, NULL), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(wait_status(pid), SIGKILL);
}

static int attach_as_nobody(void *arg)
{
    drop_privileges();
    need_eq(trace(PTRACE_ATTACH, *(pid_t *)arg, NULL, NULL), -EPERM);
    need_eq(trace(PTRACE_SEIZE, *(pid_t *)arg, NULL, NULL), -EPERM);
    return 0;
}

/* covers: ptrace PTRACE_ATTACH PTRACE_SEIZE EPERM */
static void process_of_another_user_is_eperm(void **state)
{
    pid_t pid;

    (void)state;
    need_root();
    pid = child_start(sleep_forever, NULL);
    child_passes(attach_as_nobody, &pid);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

static int trace_and_leave(void *arg)
{
    pid_t pid = *(pid_t *)arg;
    int status;

    need_eq(trace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_EXITKILL), 0);
    need_eq(SYS(SYS_wait4, pid, &status, __WALL | WNOHANG, NULL), 0);
    return 0;
}

/* covers: ptrace PTRACE_O_EXITKILL */
static void exitkill_ends_the_traced_process_with_its_tracer(void **state)
{
    pid_t pid;

    (void)state;
    need_root(); /* a sibling may be traced without being an ancestor */
    pid = child_start(sleep_forever, NULL);
    child_passes(trace_and_leave, &pid);
    need_eq(child_end(pid), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traced_child_stops_at_a_signal_and_goes_on),
        cmocka_unit_test(second_traceme_is_eperm),
        cmocka_unit_test(untraced_or_running_process_is_esrch),
        cmocka_unit_test(words_are_read_and_written),
        cmocka_unit_test(unmapped_word_or_unknown_request_is_eio),
        cmocka_unit_test(tracer_suppresses_or_replaces_a_signal),
        cmocka_unit_test(system_calls_stop_at_entry_and_exit_and_can_be_changed),
        cmocka_unit_test(call_number_changed_to_minus_one_skips_the_call),
        cmocka_unit_test(register_sets_are_read_by_their_note_type),
        cmocka_unit_test(single_step_stops_after_every_instruction),
        cmocka_unit_test(fork_event_tells_the_child_which_is_traced_too),
        cmocka_unit_test(exec_of_a_traced_process_stops_by_sigtrap),
        cmocka_unit_test(exec_event_tells_the_former_thread),
        cmocka_unit_test(exit_event_tells_the_status_before_the_end),
        cmocka_unit_test(attach_stops_and_detach_lets_go),
        cmocka_unit_test(seize_does_not_stop_and_interrupt_does),
        cmocka_unit_test(process_of_another_user_is_eperm),
        cmocka_unit_test(exitkill_ends_the_traced_process_with_its_tracer),
    };

    return cmocka_run_group_tests_name("process/ptrace", tests, NULL, NULL);
}
