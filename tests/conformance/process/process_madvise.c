/* process_madvise.c: process_madvise(2), process_mrelease(2): memory of a process that a descriptor names. */
#include "../lib/child.h"

#include <sys/uio.h>

#define NR_process_madvise  440
#define NR_process_mrelease 448

#ifndef MADV_COLD
#define MADV_COLD    20
#define MADV_PAGEOUT 21
#endif

#define PAGE 4096ul

static long advise(int pidfd, const struct iovec *iov, size_t n, int advice, unsigned flags)
{
    return SYS(NR_process_madvise, pidfd, iov, n, advice, flags);
}

static long release(int pidfd, unsigned flags)
{
    return SYS(NR_process_mrelease, pidfd, flags);
}

static int pidfd(pid_t pid)
{
    long fd = SYS(SYS_pidfd_open, pid, 0);

    need(fd >= 0);
    return (int)fd;
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);

    need(at != MAP_FAILED);
    return at;
}

/* A child that has what its parent had, its descriptor, and what to advise about. */
struct target {
    pid_t pid;
    int fd;
    char *at; /* four pages, of which the second is not there */
    struct iovec iov[2];
};

static void target_start(struct target *target)
{
    target->at = pages(4);
    need_eq(munmap(target->at + PAGE, PAGE), 0);
    target->iov[0] = (struct iovec){target->at, PAGE};
    target->iov[1] = (struct iovec){target->at + 2 * PAGE, 2 * PAGE};
    target->pid = child_start(sleep_forever, NULL);
    target->fd = pidfd(target->pid);
    if (advise(target->fd, target->iov, 2, MADV_COLD, 0) == -ENOSYS || release(-1, 0) == -ENOSYS) {
        kill(target->pid, SIGKILL);
        child_end(target->pid);
        skip_because("the calls are not in the running kernel");
    }
}

static void target_end(struct target *target)
{
    need_eq(kill(target->pid, SIGKILL), 0);
    need_eq(child_end(target->pid), SIGKILL);
    close(target->fd);
    munmap(target->at, PAGE);
    munmap(target->at + 2 * PAGE, 2 * PAGE);
}

/* covers: process_madvise MADV_COLD MADV_PAGEOUT MADV_WILLNEED EPERM */
static void hints_about_another_process_count_bytes(void **state)
{
    static const int hints[] = {MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED};
    struct target target;

    (void)state;
    target_start(&target);
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        need_eq(advise(target.fd, target.iov, 2, hints[i], 0),
                has_capability(CAP_SYS_NICE) ? (long)(3 * PAGE) : -EPERM);
    }
    target_end(&target);
}

/* covers: process_madvise EINVAL MADV_DONTNEED */
static void contents_of_another_process_are_out_of_reach(void **state)
{
    static const int others[] = {MADV_DONTNEED, MADV_FREE, MADV_NORMAL, MADV_DONTFORK, 12345, -1};
    struct target target;

    (void)state;
    target_start(&target);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        need_eq(advise(target.fd, target.iov, 2, others[i], 0), -EINVAL);
    }
    target_end(&target);
}

/* covers: process_madvise MADV_DONTNEED EINVAL */
static void caller_may_give_itself_any_advice(void **state)
{
    struct target target;
    int self = pidfd(getpid());

    (void)state;
    target_start(&target);
    target.at[0] = target.at[2 * PAGE] = target.at[3 * PAGE] = 1;
    long got = advise(self, target.iov, 2, MADV_DONTNEED, 0);
    if (got == -EINVAL) {
        target_end(&target);
        skip_because("the running kernel has hints only"); /* before Linux 6.13 */
    }
    need_eq(got, 3 * PAGE);
    need(target.at[0] == 0 && target.at[2 * PAGE] == 0 && target.at[3 * PAGE] == 0);
    need_eq(advise(self, target.iov, 2, 12345, 0), -EINVAL);
    target_end(&target);
    close(self);
}

/* covers: process_madvise ENOMEM EINVAL */
static void pieces_before_a_wrong_one_count(void **state)
{
    struct target target;
    int self = pidfd(getpid());

    (void)state;
    target_start(&target);
    target.iov[1] = (struct iovec){target.at + PAGE, PAGE};
    need_eq(advise(self, target.iov, 2, MADV_COLD, 0), PAGE);
    need_eq(advise(self, target.iov + 1, 1, MADV_COLD, 0), -ENOMEM);
    target.iov[1] = (struct iovec){target.at + 1, PAGE};
    need_eq(advise(self, target.iov, 2, MADV_COLD, 0), PAGE);
    need_eq(advise(self, target.iov + 1, 1, MADV_COLD, 0), -EINVAL);
    need_eq(advise(self, target.iov, 0, MADV_COLD, 0), 0);
    target_end(&target);
    close(self);
}

/* covers: process_madvise EBADF EFAULT EINVAL ESRCH */
static void descriptor_vector_and_flags_are_checked(void **state)
{
    struct target target;
    int file = open("/", O_RDONLY | O_CLOEXEC);

    (void)state;
    target_start(&target);
    need_eq(advise(-1, target.iov, 2, MADV_COLD, 0), -EBADF);
    need_eq(advise(file, target.iov, 2, MADV_COLD, 0), -EBADF);
    need_eq(advise(target.fd, target.iov, 2, MADV_COLD, 1), -EINVAL);
    need_eq(advise(target.fd, BAD_PTR, 2, MADV_COLD, 0), -EFAULT);
    need_eq(advise(target.fd, target.iov, 1025, MADV_COLD, 0), -EINVAL);
    int fd = dup(target.fd);
    target_end(&target);
    need_eq(advise(fd, target.iov, 1, MADV_COLD, 0), -ESRCH);
    close(fd);
    close(file);
}

/* covers: process_madvise EACCES */
static void process_of_another_user_is_eacces(void **state)
{
    struct target target;

    (void)state;
    need_root();
    target_start(&target);
    as_nobody(need_eq(advise(target.fd, target.iov, 2, MADV_COLD, 0), -EACCES));
    target_end(&target);
}

/* covers: process_mrelease EINVAL EBADF */
static void process_that_lives_is_not_released(void **state)
{
    struct target target;
    int self = pidfd(getpid());

    (void)state;
    target_start(&target);
    need_eq(release(target.fd, 1), -EINVAL);
    need_eq(release(target.fd, 0), -EINVAL);
    need_eq(release(self, 0), -EINVAL);
    need_eq(release(-1, 0), -EBADF);
    need_eq(release(0, 0), -EBADF);
    need_eq(kill(target.pid, 0), 0);
    target_end(&target);
    close(self);
}

/* covers: process_mrelease ESRCH kill */
static void process_that_was_killed_is_released(void **state)
{
    struct target target;

    (void)state;
    target_start(&target);
    need_eq(kill(target.pid, SIGKILL), 0);
    long got = release(target.fd, 0);
    need(got == 0 || got == -ESRCH); /* or it was faster */
    need_eq(waitid(P_PID, (id_t)target.pid, NULL, WEXITED | WNOWAIT), 0);
    need_eq(release(target.fd, 0), -ESRCH);
    need_eq(child_end(target.pid), SIGKILL);
    need_eq(release(target.fd, 0), -ESRCH);
    close(target.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_about_another_process_count_bytes),
        cmocka_unit_test(contents_of_another_process_are_out_of_reach),
        cmocka_unit_test(caller_may_give_itself_any_advice),
        cmocka_unit_test(pieces_before_a_wrong_one_count),
        cmocka_unit_test(descriptor_vector_and_flags_are_checked),
        cmocka_unit_test(process_of_another_user_is_eacces),
        cmocka_unit_test(process_that_lives_is_not_released),
        cmocka_unit_test(process_that_was_killed_is_released),
    };

    return cmocka_run_group_tests_name("process/process_madvise", tests, NULL, NULL);
}
