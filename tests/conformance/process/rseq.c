/* rseq.c: rseq(2), membarrier(2), kcmp(2): what run-time libraries ask of the kernel. */
#include "../lib/child.h"

#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sys/rseq.h>

#define SIGNATURE RSEQ_SIG

#include "../../../kernel/abi/newer.h" /* MEMBARRIER_CMD_GET_REGISTRATIONS */

#define AREA_SIZE 32

/* libc has registered an area for every thread; a case first takes that away. */
static void *libc_area(void)
{
    return (char *)__builtin_thread_pointer() + __rseq_offset;
}

static long rseq(void *area, unsigned size, int flags, unsigned signature)
{
    return SYS(SYS_rseq, area, size, flags, signature);
}

static bool unregister_libc(void)
{
    if (__rseq_size == 0) {
        return false;
    }
    need_eq(rseq(libc_area(), AREA_SIZE, RSEQ_FLAG_UNREGISTER, SIGNATURE), 0);
    return true;
}

static struct rseq area __attribute__((aligned(64)));

static int registers(void *arg)
{
    unsigned cpu = 9999;

    (void)arg;
    if (!unregister_libc()) {
        return CHILD_SKIPPED;
    }
    memset(&area, 0, sizeof area);
    area.cpu_id = (unsigned)RSEQ_CPU_ID_UNINITIALIZED;
    need_eq(rseq(&area, AREA_SIZE, 0, SIGNATURE), 0);
    need((int)area.cpu_id >= 0);
    need_eq(area.cpu_id, area.cpu_id_start);
    SYS(SYS_getcpu, &cpu, NULL, NULL);
    need(cpu < 8192);
    need_eq(rseq(&area, AREA_SIZE, 0, SIGNATURE), -EBUSY);
    need_eq(rseq(&area, AREA_SIZE, 0, 1), -EPERM);
    need_eq(rseq(libc_area(), AREA_SIZE, 0, SIGNATURE), -EINVAL);
    need_eq(rseq(&area, AREA_SIZE, RSEQ_FLAG_UNREGISTER, 1), -EPERM);
    need_eq(rseq(libc_area(), AREA_SIZE, RSEQ_FLAG_UNREGISTER, SIGNATURE), -EINVAL);
    need_eq(rseq(&area, AREA_SIZE, RSEQ_FLAG_UNREGISTER, SIGNATURE), 0);
    need_eq((int)area.cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
    need_eq(rseq(&area, AREA_SIZE, RSEQ_FLAG_UNREGISTER, SIGNATURE), -EINVAL);
    return 0;
}

/* covers: rseq EBUSY EPERM EINVAL RSEQ_FLAG_UNREGISTER */
static void area_is_registered_once_and_filled(void **state)
{
    (void)state;
    child_passes(registers, NULL);
}

static int refused(void *arg)
{
    (void)arg;
    if (!unregister_libc()) {
        return CHILD_SKIPPED;
    }
    need_eq(rseq((char *)&area + 4, AREA_SIZE, 0, SIGNATURE), -EINVAL);
    need_eq(rseq(&area, 16, 0, SIGNATURE), -EINVAL);
    need_eq(rseq(&area, AREA_SIZE, 0x40, SIGNATURE), -EINVAL);
    need_eq(rseq((void *)0xffff800000000000UL, AREA_SIZE, 0, SIGNATURE), -EFAULT);
    return 0;
}

/* covers: rseq EINVAL EFAULT */
static void alignment_size_flags_and_address_are_checked(void **state)
{
    (void)state;
    child_passes(refused, NULL);
}

static void no_op(int sig)
{
    (void)sig;
}

/*
 * A critical section that only a signal ends: it spins until aborted. The signature stands before
 * the abort handler, as the kernel demands.
 */
static long spin_until_aborted(void)
{
    static struct rseq_cs section __attribute__((aligned(32)));
    long aborted = 0;

    __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, 8(%[cs])\n\t"
                     "lea 2f(%%rip), %%rcx\n\tsub %%rax, %%rcx\n\tmov %%rcx, 16(%[cs])\n\t"
                     "lea 3f(%%rip), %%rax\n\tmov %%rax, 24(%[cs])\n\t"
                     "mov %[cs], 8(%[area])\n"
                     "1:\tpause\n\tjmp 1b\n"
                     "2:\tjmp 4f\n\t"
                     ".byte 0x0f, 0xb9, 0x3d\n\t.long %c[sig]\n"
                     "3:\tmov $1, %[aborted]\n"
                     "4:"
                     : [aborted] "+r"(aborted)
                     : [cs] "r"(&section), [area] "r"(&area), [sig] "i"(SIGNATURE)
                     : "rax", "rcx", "memory", "cc");
    return aborted;
}

static int aborts(void *arg)
{
    (void)arg;
    if (!unregister_libc()) {
        return CHILD_SKIPPED;
    }
    memset(&area, 0, sizeof area);
    need_eq(rseq(&area, AREA_SIZE, 0, SIGNATURE), 0);
    signal(SIGALRM, no_op);
    interrupts_start(SA_RESTART);
    need_eq(spin_until_aborted(), 1);
    interrupts_stop();
    need_eq(area.rseq_cs, 0);
    return 0;
}

/* covers: rseq RSEQ_CS */
static void signal_in_a_critical_section_aborts_it(void **state)
{
    (void)state;
    child_passes(aborts, NULL);
}

static int wrong_signature(void *arg)
{
    if (!unregister_libc()) {
        return CHILD_SKIPPED;
    }
    memset(&area, 0, sizeof area);
    need_eq(rseq(&area, AREA_SIZE, 0, 0x12345678), 0);
    interrupts_start(SA_RESTART);
    (void)arg;
    spin_until_aborted();
    return 0;
}

/* covers: rseq */
static void abort_handler_without_the_signature_is_sigsegv(void **state)
{
    int status = child_status(wrong_signature, NULL);

    (void)state;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED) {
        skip_because("libc did not register");
    }
    need_eq(status & 0x7f, SIGSEGV);
}

/* covers: membarrier MEMBARRIER_CMD_QUERY MEMBARRIER_CMD_GLOBAL EINVAL EPERM */
static void barrier_commands_are_told_and_carried_out(void **state)
{
    long commands = SYS(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    pid_t pid;

    (void)state;
    if (commands == -ENOSYS) {
        skip_because("membarrier is not in the running kernel");
    }
    need(commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED));
    need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0), -EINVAL);
    need_eq(SYS(SYS_membarrier, 1 << 30, 0, 0), -EINVAL);
    if (commands & MEMBARRIER_CMD_GLOBAL) {
        need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
    }
    pid = child_fork();
    if (pid == 0) {
        need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), -EPERM);
        need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
        need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

static long barrier(int cmd)
{
    return SYS(SYS_membarrier, cmd, 0, 0);
}

/* covers: membarrier MEMBARRIER_CMD_GLOBAL_EXPEDITED MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED
 * MEMBARRIER_CMD_PRIVATE_EXPEDITED MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED EPERM
 * MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE
 * MEMBARRIER_CMD_GET_REGISTRATIONS */
static void private_barriers_are_registered_one_by_one(void **state)
{
    static const int commands[] = {MEMBARRIER_CMD_PRIVATE_EXPEDITED,
                                   MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE};
    long known = barrier(MEMBARRIER_CMD_QUERY);

    (void)state;
    if (known == -ENOSYS) {
        skip_because("membarrier is not in the running kernel");
    }
    in_child({
        long registered = 0;

        need_eq(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED), 0); /* needs no registration */
        need_eq(barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED), 0);
        registered |= MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
            if (!(known & commands[i])) {
                continue;
            }
            need_eq(barrier(commands[i]), -EPERM);
            need_eq(barrier(commands[i] << 1), 0); /* the registration's bit is the next one */
            need_eq(barrier(commands[i]), 0);
            registered |= commands[i] << 1;
            if (known & MEMBARRIER_CMD_GET_REGISTRATIONS) {
                need_eq(barrier(MEMBARRIER_CMD_GET_REGISTRATIONS), registered);
            }
        }
        in_child(need_eq(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), 0)); /* inherited */
    });
}

/* covers: membarrier EINVAL */
static void unknown_commands_and_flags_are_einval(void **state)
{
    (void)state;
    if (barrier(MEMBARRIER_CMD_QUERY) == -ENOSYS) {
        skip_because("membarrier is not in the running kernel");
    }
    need_eq(barrier(-1), -EINVAL);
    need_eq(barrier(3), -EINVAL);
    need_eq(barrier(1 << 20), -EINVAL);
    need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0), -EINVAL);
    need_eq(SYS(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 2, 0), -EINVAL);
}

static long compare(pid_t one, pid_t two, int kind, long a, long b)
{
    return SYS(SYS_kcmp, one, two, kind, a, b);
}

/* covers: kcmp KCMP_FILE KCMP_VM KCMP_FILES KCMP_FS KCMP_SIGHAND EBADF EINVAL ESRCH */
static void kcmp_tells_what_processes_share(void **state)
{
    pid_t self = getpid(), pid = child_start(sleep_forever, NULL);
    int one = open("/", O_RDONLY | O_CLOEXEC), same = dup(one);
    int other = open("/", O_RDONLY | O_CLOEXEC);
    long got = compare(self, self, KCMP_FILE, one, same);

    (void)state;
    if (got == -ENOSYS || got == -EPERM) {
        kill(pid, SIGKILL);
        child_end(pid);
        skip_because("kcmp is not to be had here");
    }
    need_eq(got, 0);
    need(compare(self, self, KCMP_FILE, one, other) > 0);
    need_eq(compare(self, pid, KCMP_FILE, 0, 0), 0); /* inherited: the same open file */
    need(compare(self, pid, KCMP_VM, 0, 0) > 0);
    need(compare(self, pid, KCMP_FILES, 0, 0) > 0);
    need(compare(self, pid, KCMP_FS, 0, 0) > 0);
    need(compare(self, pid, KCMP_SIGHAND, 0, 0) > 0);
    need_eq(compare(self, self, KCMP_VM, 0, 0), 0);
    need_eq(compare(self, self, KCMP_FILE, one, 1000000), -EBADF);
    need_eq(compare(self, self, 77, 0, 0), -EINVAL);
    need_eq(compare(self, 0x3ffffffe, KCMP_VM, 0, 0), -ESRCH);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    close(one);
    close(same);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(area_is_registered_once_and_filled),
        cmocka_unit_test(alignment_size_flags_and_address_are_checked),
        cmocka_unit_test(signal_in_a_critical_section_aborts_it),
        cmocka_unit_test(abort_handler_without_the_signature_is_sigsegv),
        cmocka_unit_test(barrier_commands_are_told_and_carried_out),
        cmocka_unit_test(private_barriers_are_registered_one_by_one),
        cmocka_unit_test(unknown_commands_and_flags_are_einval),
        cmocka_unit_test(kcmp_tells_what_processes_share),
    };

    return cmocka_run_group_tests_name("process/rseq", tests, NULL, NULL);
}
