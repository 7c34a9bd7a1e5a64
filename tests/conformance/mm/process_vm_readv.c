/* process_vm_readv.c: process_vm_readv(2), process_vm_writev(2), process_madvise(2). */
#include "../lib/child.h"

#include <sys/uio.h>

#define PAGE 4096ul

static char *memory; /* private: the child's copy differs from the parent's */
static char *holed;  /* three pages, the middle one unmapped */

static int setup(void **state)
{
    (void)state;
    memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    holed = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || holed == MAP_FAILED) {
        return -1;
    }
    memset(memory, 'p', 4 * PAGE);
    return munmap(holed + PAGE, PAGE);
}

static int teardown(void **state)
{
    (void)state;
    munmap(holed, 3 * PAGE);
    return munmap(memory, 4 * PAGE);
}

static int fill_and_sleep(void *ready)
{
    memset(memory, 'c', 4 * PAGE);
    memory[0] = 'C';
    holed[0] = 'h';
    turn_give(ready);
    return sleep_forever(NULL);
}

static pid_t start_child(void)
{
    struct turn ready;
    pid_t pid;

    turn_init(&ready);
    pid = child_start(fill_and_sleep, &ready);
    turn_await(&ready);
    turn_close(&ready);
    return pid;
}

static void end_child(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

static long transfer(long nr, pid_t pid, void *local, size_t local_size, void *remote,
                     size_t remote_size)
{
    struct iovec here = {local, local_size}, there = {remote, remote_size};

    return SYS(nr, pid, &here, 1, &there, 1, 0);
}

/* covers: process_vm_readv */
static void memory_of_a_child_is_read(void **state)
{
    char got[100];
    pid_t pid = start_child();

    (void)state;
    need_eq(transfer(SYS_process_vm_readv, pid, got, 100, memory, 100), 100);
    need(got[0] == 'C' && got[1] == 'c' && got[99] == 'c');
    need_eq(memory[0], 'p');
    end_child(pid);
}

/* covers: process_vm_writev process_vm_readv */
static void memory_of_a_child_is_written(void **state)
{
    char got[8] = "";
    pid_t pid = start_child();

    (void)state;
    need_eq(transfer(SYS_process_vm_writev, pid, "written", 7, memory + PAGE - 3, 7), 7);
    need_eq(transfer(SYS_process_vm_readv, pid, got, 7, memory + PAGE - 3, 7), 7);
    need_eq(strcmp(got, "written"), 0);
    need_eq(memory[PAGE], 'p');
    end_child(pid);
}

/* covers: process_vm_readv */
static void pieces_on_both_sides_need_not_match(void **state)
{
    char one[3], two[5];
    struct iovec here[2] = {{one, 3}, {two, 5}};
    struct iovec there[3] = {{memory, 1}, {memory + PAGE, 2}, {memory + 3 * PAGE, 100}};
    pid_t pid = start_child();

    (void)state;
    need_eq(SYS(SYS_process_vm_readv, pid, here, 2, there, 3, 0), 8);
    need_eq(memcmp(one, "Ccc", 3), 0);
    need_eq(memcmp(two, "ccccc", 5), 0);
    end_child(pid);
}

/* covers: process_vm_readv EFAULT */
static void transfer_stops_at_a_hole(void **state)
{
    static char got[2 * PAGE];
    pid_t pid = start_child();

    (void)state;
    need_eq(transfer(SYS_process_vm_readv, pid, got, 2 * PAGE, holed, 2 * PAGE), PAGE);
    need_eq(got[0], 'h');
    need_eq(transfer(SYS_process_vm_readv, pid, got, 10, holed + PAGE, 10), -EFAULT);
    need_eq(transfer(SYS_process_vm_readv, pid, BAD_PTR, 10, memory, 10), -EFAULT);
    end_child(pid);
}

/* covers: process_vm_readv EINVAL ESRCH EFAULT process_vm_writev EINVAL ESRCH */
static void both_calls_check_their_arguments(void **state)
{
    char byte = 0;
    struct iovec io = {&byte, 1};

    (void)state;
    need_eq(SYS(SYS_process_vm_readv, getpid(), &io, 1, &io, 1, 1), -EINVAL);
    need_eq(SYS(SYS_process_vm_writev, getpid(), &io, 1, &io, 1, 1), -EINVAL);
    need_eq(SYS(SYS_process_vm_readv, getpid(), &io, 1025, &io, 1, 0), -EINVAL);
    need_eq(SYS(SYS_process_vm_readv, 0x3ffffffe, &io, 1, &io, 1, 0), -ESRCH);
    need_eq(SYS(SYS_process_vm_writev, 0x3ffffffe, &io, 1, &io, 1, 0), -ESRCH);
    need_eq(SYS(SYS_process_vm_readv, getpid(), BAD_PTR, 1, &io, 1, 0), -EFAULT);
    need_eq(SYS(SYS_process_vm_readv, getpid(), &io, 1, BAD_PTR, 1, 0), -EFAULT);
    need_eq(SYS(SYS_process_vm_readv, getpid(), &io, 0, &io, 1, 0), 0);
}

/* covers: process_vm_readv process_vm_writev */
static void process_reads_and_writes_itself(void **state)
{
    char got[4];

    (void)state;
    need_eq(transfer(SYS_process_vm_readv, getpid(), got, 4, memory, 4), 4);
    need_eq(memcmp(got, "pppp", 4), 0);
    need_eq(transfer(SYS_process_vm_writev, getpid(), "self", 4, memory, 4), 4);
    need_eq(memcmp(memory, "self", 4), 0);
}

static int read_as_nobody(void *arg)
{
    char byte;

    drop_privileges();
    need_eq(transfer(SYS_process_vm_readv, *(pid_t *)arg, &byte, 1, memory, 1), -EPERM);
    return 0;
}

/* covers: process_vm_readv EPERM */
static void process_of_another_user_is_eperm(void **state)
{
    pid_t pid;

    (void)state;
    need_root();
    pid = start_child();
    child_passes(read_as_nobody, &pid);
    end_child(pid);
}

/* covers: process_madvise EBADF EINVAL */
static void process_madvise_takes_hints_for_a_pidfd(void **state)
{
    struct iovec io = {memory, PAGE};
    int fd = (int)SYS(SYS_pidfd_open, getpid(), 0);
    long got;

    (void)state;
    need(fd >= 0);
    got = SYS(SYS_process_madvise, fd, &io, 1, MADV_WILLNEED, 0);
    if (got == -ENOSYS) {
        skip_because("process_madvise is not in the running kernel");
    }
    need_eq(got, PAGE);
    need_eq(SYS(SYS_process_madvise, fd, &io, 1, MADV_WILLNEED, 1), -EINVAL);
    need_eq(SYS(SYS_process_madvise, 1000000, &io, 1, MADV_WILLNEED, 0), -EBADF);
    need_eq(memory[0], 'p');
    close(fd);
}

int main(void)
{
#define with_memory(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_memory(memory_of_a_child_is_read),
        with_memory(memory_of_a_child_is_written),
        with_memory(pieces_on_both_sides_need_not_match),
        with_memory(transfer_stops_at_a_hole),
        with_memory(both_calls_check_their_arguments),
        with_memory(process_reads_and_writes_itself),
        with_memory(process_of_another_user_is_eperm),
        with_memory(process_madvise_takes_hints_for_a_pidfd),
    };

    return cmocka_run_group_tests_name("mm/process_vm_readv", tests, NULL, NULL);
}
