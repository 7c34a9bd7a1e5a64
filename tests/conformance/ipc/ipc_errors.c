/* ipc_errors.c: errors that System V IPC, message queues and event descriptors have in common: ids that are gone, limits. */
#include "mq.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/timerfd.h>

/* covers: msgctl IPC_RMID IPC_STAT EINVAL msgsnd EINVAL msgrcv EINVAL semctl IPC_RMID EINVAL semop EINVAL
   covers: shmctl IPC_RMID EINVAL shmat EINVAL */
static void removed_objects_are_unknown(void **state)
{
    (void)state;
    int queue = must(msgget(IPC_PRIVATE, 0600)), set = must(semget(IPC_PRIVATE, 1, 0600));
    int segment = must(shmget(IPC_PRIVATE, 4096, 0600));
    struct {
        long type;
        char text[4];
    } message = {.type = 1};
    struct sembuf op = {0, 1, 0};
    struct msqid_ds ds;

    must(msgctl(queue, IPC_RMID, NULL));
    must(semctl(set, 0, IPC_RMID));
    must(shmctl(segment, IPC_RMID, NULL));
    for (int i = 0; i < 2; i++) {
        assert_errno(msgctl(queue, IPC_RMID, NULL), EINVAL);
        assert_errno(msgctl(queue, IPC_STAT, &ds), EINVAL);
        assert_errno(msgsnd(queue, &message, 4, IPC_NOWAIT), EINVAL);
        assert_errno(msgrcv(queue, &message, 4, 0, IPC_NOWAIT), EINVAL);
        assert_errno(semctl(set, 0, IPC_RMID), EINVAL);
        assert_errno(semctl(set, 0, GETPID), EINVAL);
        assert_errno(semop(set, &op, 1), EINVAL);
        assert_errno(shmctl(segment, IPC_RMID, NULL), EINVAL);
        assert_errno((long)shmat(segment, NULL, 0), EINVAL);
        queue = set = segment = -1;
    }
}

/* covers: semtimedop EINTR EAGAIN EIDRM */
static void timed_operation_is_interrupted(void **state)
{
    (void)state;
    int set = must(semget(IPC_PRIVATE, 1, 0600));
    struct timespec long_time = {.tv_sec = 5}, none = {0};
    struct sembuf op = {0, -1, 0};

    assert_errno(semtimedop(set, &op, 1, &none), EAGAIN);
    interrupts_start(0);
    assert_errno(semtimedop(set, &op, 1, &long_time), EINTR);
    interrupts_stop();
    must(semctl(set, 0, IPC_RMID));
}

/* covers: mq_timedsend EINTR mq_getsetattr EBADF EFAULT EINVAL mq_timedsend EBADF mq_notify EBADF */
static void queues_refuse_what_they_must(void **state)
{
    (void)state;
    struct mq_attr attr = {.mq_flags = O_APPEND};
    int mq = new_queue(0, 1, 64), fds[2];

    must(put(mq, "full", 0, NULL));
    interrupts_start(0);
    assert_errno(put(mq, "more", 0, NULL), EINTR);
    interrupts_stop();
    assert_errno(syscall(SYS_mq_getsetattr, mq, &attr, NULL), EINVAL);
    assert_errno(syscall(SYS_mq_getsetattr, mq, BAD_PTR, NULL), EFAULT);
    assert_errno(syscall(SYS_mq_getsetattr, mq, NULL, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_mq_getsetattr, -1, NULL, &attr), EBADF);
    must(pipe(fds));
    assert_errno(syscall(SYS_mq_getsetattr, fds[0], NULL, &attr), EBADF);
    assert_errno(put(fds[1], "x", 0, NULL), EBADF);
    assert_errno(syscall(SYS_mq_notify, fds[0], NULL), EBADF);
    must(close(fds[0]));
    must(close(fds[1]));
    drop(mq);
}

/* covers: mq_unlink ENOENT ENAMETOOLONG EACCES EFAULT mq_open O_CLOEXEC EISDIR */
static void names_of_queues_are_checked(void **state)
{
    (void)state;
    char longest[300];
    int mq = new_queue(O_CLOEXEC, 1, 64);

    assert_returns(fcntl(mq, F_GETFD), FD_CLOEXEC);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_errno(syscall(SYS_mq_unlink, longest), ENAMETOOLONG);
    assert_errno(syscall(SYS_mq_unlink, "conformance.none"), ENOENT);
    assert_errno(syscall(SYS_mq_unlink, ""), ENOENT);
    assert_errno(syscall(SYS_mq_unlink, "a/b"), EACCES);
    assert_errno(syscall(SYS_mq_open, "a/b", O_RDWR, 0, NULL), EACCES);
    assert_errno(syscall(SYS_mq_open, "", O_RDWR, 0, NULL), ENOENT);
    drop(mq);
}

/* covers: timerfd_create EMFILE epoll_create EMFILE eventfd2 EMFILE pipe2 EMFILE mq_open EMFILE memfd_create EMFILE */
static void descriptors_have_a_limit(void **state)
{
    (void)state;
    int fds[2];

    in_child(struct rlimit none = {0}; must(setrlimit(RLIMIT_NOFILE, &none));
             assert_errno(timerfd_create(CLOCK_MONOTONIC, 0), EMFILE);
             assert_errno(epoll_create1(0), EMFILE); assert_errno(epoll_create(1), EMFILE);
             assert_errno(eventfd(0, EFD_CLOEXEC), EMFILE); assert_errno(pipe2(fds, 0), EMFILE);
             assert_errno(memfd_create("x", 0), EMFILE);
             assert_errno(syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL), EMFILE));
}

/* covers: read EAGAIN EINVAL EFAULT ECANCELED write EAGAIN EINVAL */
static void event_descriptors_refuse_short_and_empty_reads(void **state)
{
    (void)state;
    int event = must(eventfd(0, EFD_NONBLOCK)),
        timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    uint64_t count;

    assert_errno(read(event, &count, 8), EAGAIN);
    assert_errno(read(timer, &count, 8), EAGAIN);
    assert_errno(read(timer, &count, 7), EINVAL);
    assert_errno(write(timer, &count, 8), EINVAL);
    must(close(timer));
    must(close(event));
}

/* covers: epoll_ctl EBADF EINVAL EPERM ENOENT EEXIST ELOOP */
static void interest_lists_refuse_what_they_must(void **state)
{
    (void)state;
    struct epoll_event event = {.events = EPOLLIN};
    int ep = must(epoll_create1(0)), other = must(epoll_create1(0));
    int file = must(open("/", O_RDONLY)), fds[2];

    must(pipe(fds));
    assert_errno(epoll_ctl(ep, EPOLL_CTL_ADD, file, &event), EPERM);
    assert_errno(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event), EINVAL);
    assert_errno(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &event), EINVAL);
    assert_errno(epoll_ctl(ep, 77, fds[0], &event), EINVAL);
    assert_errno(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event), ENOENT);
    assert_errno(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL), ENOENT);
    must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event));
    assert_errno(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), EEXIST);
    must(epoll_ctl(ep, EPOLL_CTL_ADD, other, &event));
    assert_errno(epoll_ctl(other, EPOLL_CTL_ADD, ep, &event), ELOOP);
    must(close(fds[0]));
    must(close(fds[1]));
    assert_errno(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), EBADF);
    must(close(file));
    must(close(other));
    must(close(ep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removed_objects_are_unknown),
        cmocka_unit_test(timed_operation_is_interrupted),
        cmocka_unit_test(queues_refuse_what_they_must),
        cmocka_unit_test(names_of_queues_are_checked),
        cmocka_unit_test(descriptors_have_a_limit),
        cmocka_unit_test(event_descriptors_refuse_short_and_empty_reads),
        cmocka_unit_test(interest_lists_refuse_what_they_must),
    };

    return cmocka_run_group_tests_name("ipc/ipc_errors", tests, NULL, NULL);
}
