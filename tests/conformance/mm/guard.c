/* guard.c: madvise(2): MADV_GUARD_INSTALL, MADV_GUARD_REMOVE: pages that every access faults on. */
#include "../lib/child.h"

#include <setjmp.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile int fault_code;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    fault_code = info->si_code;
    siglongjmp(back, 1);
}

/* Touching it is SIGSEGV, and to a call EFAULT. */
static bool is_guarded(volatile char *at)
{
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    volatile bool faulted = true;
    int ends[2];

    fault_code = 0;
    need_eq(sigaction(SIGSEGV, &act, &old), 0);
    if (sigsetjmp(back, 1) == 0) {
        (void)*at;
        faulted = false;
    }
    need_eq(sigaction(SIGSEGV, &old, NULL), 0);
    need_eq(pipe(ends), 0);
    need_eq(SYS(SYS_write, ends[1], at, 1), faulted ? -EFAULT : 1);
    close(ends[0]);
    close(ends[1]);
    return faulted;
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    if (SYS(SYS_madvise, at, 0, MADV_GUARD_INSTALL) == -EINVAL) {
        munmap(at, (size_t)count * PAGE);
        skip_because("MADV_GUARD_INSTALL is not in the running kernel");
    }
    memset(at, 'x', (size_t)count * PAGE);
    return at;
}

static long guard(char *at, unsigned long size)
{
    return SYS(SYS_madvise, at, size, MADV_GUARD_INSTALL);
}

static long unguard(char *at, unsigned long size)
{
    return SYS(SYS_madvise, at, size, MADV_GUARD_REMOVE);
}

/* covers: madvise MADV_GUARD_INSTALL MADV_GUARD_REMOVE */
static void guarded_page_faults_and_loses_its_contents(void **state)
{
    char *at = pages(3);

    (void)state;
    need_eq(guard(at + PAGE, PAGE), 0);
    need_eq(guard(at + PAGE, PAGE), 0);
    need(is_guarded(at + PAGE));
    need_eq(fault_code, SEGV_MAPERR);
    need(at[PAGE - 1] == 'x' && at[2 * PAGE] == 'x');
    need_eq(unguard(at, 3 * PAGE), 0);
    need(!is_guarded(at + PAGE));
    need(at[0] == 'x' && at[PAGE] == 0 && at[2 * PAGE - 1] == 0 && at[2 * PAGE] == 'x');
    munmap(at, 3 * PAGE);
}

/* covers: madvise MADV_GUARD_INSTALL mprotect */
static void guard_outlives_other_rights_and_advice(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(guard(at, PAGE), 0);
    need_eq(mprotect(at, 2 * PAGE, PROT_READ), 0);
    need(is_guarded(at));
    need_eq(mprotect(at, 2 * PAGE, RW), 0);
    need_eq(madvise(at, 2 * PAGE, MADV_DONTNEED), 0);
    need(is_guarded(at));
    need_eq(at[PAGE], 0);
    need_eq(unguard(at, PAGE), 0);
    at[0] = 1;
    munmap(at, 2 * PAGE);
}

/* covers: madvise MADV_POPULATE_READ MADV_POPULATE_WRITE EFAULT mlock ENOMEM */
static void guarded_page_cannot_be_touched_in_advance(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(guard(at + PAGE, PAGE), 0);
    need_errno(madvise(at, 2 * PAGE, MADV_POPULATE_READ), EFAULT);
    need_errno(madvise(at, 2 * PAGE, MADV_POPULATE_WRITE), EFAULT);
    need_errno(mlock(at, 2 * PAGE), ENOMEM);
    munmap(at, 2 * PAGE);
}

/* covers: madvise MADV_GUARD_INSTALL EINVAL */
static void locked_page_cannot_be_guarded(void **state)
{
    char *at = pages(1);

    (void)state;
    need_eq(mlock(at, PAGE), 0);
    need_errno(madvise(at, PAGE, MADV_GUARD_INSTALL), EINVAL);
    need_eq(unguard(at, PAGE), 0);
    need_eq(at[0], 'x');
    munmap(at, PAGE);
}

/* covers: madvise MADV_GUARD_INSTALL ENOMEM */
static void gaps_are_passed_over_and_told(void **state)
{
    char *at = pages(3);

    (void)state;
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_errno(madvise(at, 3 * PAGE, MADV_GUARD_INSTALL), ENOMEM);
    need(is_guarded(at) && is_guarded(at + 2 * PAGE));
    need_errno(madvise(at, 3 * PAGE, MADV_GUARD_REMOVE), ENOMEM);
    need(!is_guarded(at) && !is_guarded(at + 2 * PAGE));
    munmap(at, 3 * PAGE);
}

/* covers: madvise MADV_GUARD_INSTALL fork */
static void child_inherits_guards(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(guard(at, PAGE), 0);
    in_child({
        need(is_guarded(at));
        need_eq(at[PAGE], 'x');
        need_eq(unguard(at, PAGE), 0);
        at[0] = 2;
    });
    need(is_guarded(at));
    munmap(at, 2 * PAGE);
}

/* covers: madvise MADV_GUARD_INSTALL */
static void file_keeps_what_a_guard_hides(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    char *shared, *own;

    (void)state;
    munmap(pages(1), PAGE);
    need_eq(ftruncate(fd, 2 * PAGE), 0);
    shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    own = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
    need(shared != MAP_FAILED && own != MAP_FAILED);
    shared[PAGE] = 's';
    own[PAGE] = 'p';
    if (SYS(SYS_madvise, shared + PAGE, PAGE, MADV_GUARD_INSTALL) == -EINVAL) {
        skip_because("the running kernel guards anonymous memory only");
    }
    need_eq(guard(own + PAGE, PAGE), 0);
    need(is_guarded(shared + PAGE) && is_guarded(own + PAGE));
    need(!is_guarded(shared) && !is_guarded(own));
    need_eq(unguard(shared, 2 * PAGE), 0);
    need_eq(unguard(own, 2 * PAGE), 0);
    need_eq(shared[PAGE], 's');
    need_eq(own[PAGE], 's');
    munmap(shared, 2 * PAGE);
    munmap(own, 2 * PAGE);
    close(fd);
}

/* covers: madvise MADV_GUARD_INSTALL munmap mmap MAP_FIXED */
static void guard_goes_with_its_mapping(void **state)
{
    char *at = pages(2);

    (void)state;
    need_eq(guard(at, 2 * PAGE), 0);
    need(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    need(!is_guarded(at) && is_guarded(at + PAGE));
    need_eq(munmap(at, 2 * PAGE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guarded_page_faults_and_loses_its_contents),
        cmocka_unit_test(guard_outlives_other_rights_and_advice),
        cmocka_unit_test(guarded_page_cannot_be_touched_in_advance),
        cmocka_unit_test(locked_page_cannot_be_guarded),
        cmocka_unit_test(gaps_are_passed_over_and_told),
        cmocka_unit_test(child_inherits_guards),
        cmocka_unit_test(file_keeps_what_a_guard_hides),
        cmocka_unit_test(guard_goes_with_its_mapping),
    };

    return cmocka_run_group_tests_name("mm/guard", tests, NULL, NULL);
}
