/* mprotect.c: mprotect(2), and brk(2). */
#include "../lib/child.h"

#include <setjmp.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static void *volatile fault_at;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    fault_at = info->si_addr;
    siglongjmp(back, 1);
}

/* cmocka sets its own handler before every case. */
static void catch_faults(void)
{
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

    need_eq(sigaction(SIGSEGV, &act, NULL), 0);
}

static bool can_read(volatile char *at)
{
    catch_faults();
    if (sigsetjmp(back, 1) == 0) {
        (void)*at;
        return true;
    }
    need_eq((long)fault_at, (long)at);
    return false;
}

static bool can_write(volatile char *at)
{
    catch_faults();
    if (sigsetjmp(back, 1) == 0) {
        *at = 1;
        return true;
    }
    need_eq((long)fault_at, (long)at);
    return false;
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    return at;
}

/* covers: mprotect PROT_NONE PROT_READ PROT_WRITE */
static void rights_are_taken_and_given_back(void **state)
{
    char *at = pages(1);

    (void)state;
    at[0] = 5;
    need_eq(SYS(SYS_mprotect, at, PAGE, PROT_READ), 0);
    need(can_read(at) && !can_write(at));
    need_eq(SYS(SYS_mprotect, at, PAGE, PROT_NONE), 0);
    need(!can_read(at) && !can_write(at));
    need_eq(SYS(SYS_mprotect, at, PAGE, RW), 0);
    need_eq(at[0], 5);
    need(can_read(at) && can_write(at));
    munmap(at, PAGE);
}

/* covers: mprotect */
static void middle_pages_are_split_off_and_joined_again(void **state)
{
    char *at = pages(5);

    (void)state;
    need_eq(SYS(SYS_mprotect, at + PAGE, 3 * PAGE, PROT_READ), 0);
    need_eq(SYS(SYS_mprotect, at + 2 * PAGE, PAGE, PROT_NONE), 0);
    need(can_write(at) && can_write(at + 5 * PAGE - 1));
    need(can_read(at + PAGE) && !can_write(at + 2 * PAGE - 1));
    need(!can_read(at + 2 * PAGE) && !can_read(at + 3 * PAGE - 1));
    need(can_read(at + 3 * PAGE) && !can_write(at + 4 * PAGE - 1));
    need_eq(SYS(SYS_mprotect, at, 5 * PAGE, RW), 0);
    for (int i = 0; i < 5; i++) {
        need(can_write(at + (size_t)i * PAGE));
    }
    munmap(at, 5 * PAGE);
}

/* covers: mprotect */
static void length_is_rounded_up_and_zero_is_nothing(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(SYS(SYS_mprotect, at, 0, PROT_NONE), 0);
    need_eq(SYS(SYS_mprotect, at, 0, 0x60), 0); /* not even a wrong right */
    need_eq(SYS(SYS_mprotect, at, -1ul, 0x60), -ENOMEM);
    need(can_write(at));
    need_eq(SYS(SYS_mprotect, at, PAGE + 1, PROT_READ), 0);
    need(!can_write(at) && !can_write(at + 2 * PAGE - 1));
    munmap(at, 2 * PAGE);
}

/* covers: mprotect EINVAL */
static void unaligned_address_or_unknown_right_is_einval(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(SYS(SYS_mprotect, at + 1, PAGE, PROT_READ), -EINVAL);
    need_eq(SYS(SYS_mprotect, at, PAGE, 0x100), -EINVAL);
    need_eq(SYS(SYS_mprotect, at, PAGE, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN), -EINVAL);
    munmap(at, PAGE);
}

/* covers: mprotect ENOMEM */
static void unmapped_range_is_enomem(void **state)
{
    char *at = pages(3);

    (void)state;
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(SYS(SYS_mprotect, at + PAGE, PAGE, PROT_READ), -ENOMEM);
    /* The pages before the hole are changed all the same. */
    need_eq(SYS(SYS_mprotect, at, 3 * PAGE, PROT_READ), -ENOMEM);
    need(!can_write(at) && can_write(at + 2 * PAGE));
    need_eq(SYS(SYS_mprotect, at, -PAGE, PROT_READ), -ENOMEM);
    munmap(at, 3 * PAGE);
}

/* covers: mprotect fork */
static void rights_are_private_to_a_process(void **state)
{
    char *at = pages(1);
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        need_eq(mprotect(at, PAGE, PROT_READ), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need(can_write(at));
    munmap(at, PAGE);
}

/* covers: mprotect PROT_EXEC */
static void code_can_be_written_and_then_made_executable(void **state)
{
    static const unsigned char code[] = {0x8d, 0x47, 0x01, 0xc3}; /* lea 1(%rdi), %eax ; ret */
    char *at = pages(1);

    (void)state;
    memcpy(at, code, sizeof code);
    need_eq(SYS(SYS_mprotect, at, PAGE, PROT_READ | PROT_EXEC), 0);
    need_eq(((int (*)(int))(uintptr_t)at)(41), 42);
    need(!can_write(at));
    /* Changed code takes effect: rewritten as lea 2(%rdi). */
    need_eq(SYS(SYS_mprotect, at, PAGE, RW), 0);
    at[2] = 2;
    need_eq(SYS(SYS_mprotect, at, PAGE, PROT_READ | PROT_EXEC), 0);
    need_eq(((int (*)(int))(uintptr_t)at)(41), 43);
    munmap(at, PAGE);
}

/* covers: mprotect read EFAULT write EFAULT */
static void calls_respect_the_rights_of_a_page(void **state)
{
    char *at = pages(1);
    int ends[2];

    (void)state;
    need_eq(pipe(ends), 0);
    need_eq(write(ends[1], "abc", 3), 3);
    need_eq(mprotect(at, PAGE, PROT_READ), 0);
    need_eq(SYS(SYS_read, ends[0], at, 1), -EFAULT);
    need_eq(SYS(SYS_write, ends[1], at, 1), 1);
    need_eq(mprotect(at, PAGE, PROT_NONE), 0);
    need_eq(SYS(SYS_write, ends[1], at, 1), -EFAULT);
    need_eq(mprotect(at, PAGE, RW), 0);
    need_eq(SYS(SYS_read, ends[0], at, 2), 2);
    munmap(at, PAGE);
    close(ends[0]);
    close(ends[1]);
}

/* ---- brk ---- */

static long brk_raw(long to)
{
    return SYS(SYS_brk, to);
}

static int brk_body(void *arg)
{
    long start = brk_raw(0), size = 1 << 20;
    unsigned char core;

    (void)arg;
    need_eq(brk_raw(start + size), start + size);
    need_eq(brk_raw(0), start + size);
    need(((char *)start)[size - 1] == 0);
    memset((char *)start, 7, (size_t)size);
    need_eq(brk_raw(start + size / 2), start + size / 2);
    need_errno(mincore((void *)((start + size * 3 / 4) & ~4095L), PAGE, &core), ENOMEM);
    need_eq(brk_raw(start + size), start + size);
    need_eq(((char *)start)[size - 1], 0);
    need_eq(((char *)start)[100], 7);
    need_eq(brk_raw(start), start);
    return 0;
}

/* covers: brk */
static void brk_grows_zeroed_and_shrinks(void **state)
{
    (void)state;
    child_passes(brk_body, NULL);
}

static int brk_refused(void *arg)
{
    long start = brk_raw(0);
    void *wall;

    (void)arg;
    /* What cannot be is answered by the present end, not by an error. */
    need_eq(brk_raw(1), start);
    need_eq(brk_raw(-1), start);
    wall = mmap((void *)((start + 0x20000) & ~4095L), PAGE, RW,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    need(wall != MAP_FAILED);
    need_eq(brk_raw(start + 0x40000), start);
    need_eq(munmap(wall, PAGE), 0);
    need_eq(brk_raw(start + 0x40000), start + 0x40000);
    return 0;
}

/* covers: brk */
static void impossible_brk_returns_the_present_end(void **state)
{
    (void)state;
    child_passes(brk_refused, NULL);
}

static int brk_limited(void *arg)
{
    long start = brk_raw(0);

    (void)arg;
    need_eq(setrlimit(RLIMIT_DATA, &(struct rlimit){1 << 22, 1 << 22}), 0);
    need_eq(brk_raw(start + (1L << 30)), start);
    return 0;
}

/* covers: brk */
static void brk_beyond_rlimit_data_is_refused(void **state)
{
    (void)state;
    child_passes(brk_limited, NULL);
}

static int brk_by_libc(void *arg)
{
    char *start = sbrk(0);

    (void)arg;
    need(start != (char *)-1);
    need_eq(brk(start + 3 * PAGE), 0);
    need(sbrk(0) == start + 3 * PAGE);
    start[3 * PAGE - 1] = 1;
    need_errno(brk((char *)NULL + (1ul << 47)), ENOMEM);
    need(sbrk(0) == start + 3 * PAGE);
    need(sbrk(-2 * (long)PAGE) == start + 3 * PAGE);
    need(sbrk(0) == start + PAGE);
    need_errno(sbrk(1L << 46), ENOMEM);
    return 0;
}

/* covers: brk ENOMEM */
static void libc_makes_an_error_of_an_end_that_did_not_move(void **state)
{
    (void)state;
    child_passes(brk_by_libc, NULL);
}

static int brk_within_address_space(void *arg)
{
    long start = brk_raw(0);

    (void)arg;
    need_eq(setrlimit(RLIMIT_AS, &(struct rlimit){1 << 20, 1 << 20}), 0); /* less than there is */
    need_eq(brk_raw(start + (1 << 20)), start);
    need_errno(brk((void *)(start + (1 << 20))), ENOMEM);
    return 0;
}

/* covers: brk ENOMEM */
static void brk_beyond_rlimit_as_is_refused(void **state)
{
    (void)state;
    child_passes(brk_within_address_space, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_taken_and_given_back),
        cmocka_unit_test(middle_pages_are_split_off_and_joined_again),
        cmocka_unit_test(length_is_rounded_up_and_zero_is_nothing),
        cmocka_unit_test(unaligned_address_or_unknown_right_is_einval),
        cmocka_unit_test(unmapped_range_is_enomem),
        cmocka_unit_test(rights_are_private_to_a_process),
        cmocka_unit_test(code_can_be_written_and_then_made_executable),
        cmocka_unit_test(calls_respect_the_rights_of_a_page),
        cmocka_unit_test(brk_grows_zeroed_and_shrinks),
        cmocka_unit_test(impossible_brk_returns_the_present_end),
        cmocka_unit_test(brk_beyond_rlimit_data_is_refused),
        cmocka_unit_test(libc_makes_an_error_of_an_end_that_did_not_move),
        cmocka_unit_test(brk_beyond_rlimit_as_is_refused),
    };

    return cmocka_run_group_tests_name("mm/mprotect", tests, NULL, NULL);
}
