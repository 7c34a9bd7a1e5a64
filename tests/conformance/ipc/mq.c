/* mq.c: POSIX message queues: mq_open(2), mq_timedsend(2), mq_timedreceive(2). */
#include "mq.h"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* covers: mq_timedsend mq_timedreceive */
static void highest_priority_comes_first(void **state)
{
    (void)state;
    int mq = new_queue(0, 8, 64);

    must(put(mq, "low", 1, NULL));
    must(put(mq, "high", 9, NULL));
    must(put(mq, "low again", 1, NULL));
    must(put(mq, "none", 0, NULL));
    assert_next(mq, "high", 9);
    assert_next(mq, "low", 1);
    assert_next(mq, "low again", 1);
    assert_next(mq, "none", 0);
    drop(mq);
}

/* covers: mq_open O_CREAT O_EXCL EEXIST ENOENT */
static void queue_is_found_by_name(void **state)
{
    (void)state;
    int mq = new_queue(0, 8, 64);
    int other = must(do_open(O_RDWR, 0, NULL));

    must(put(mq, "hello", 0, NULL));
    assert_next(other, "hello", 0);
    assert_errno(do_open(O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
    must(close(other));
    drop(mq);
    assert_errno(do_open(O_RDWR, 0, NULL), ENOENT);
    assert_errno(do_unlink(), ENOENT);
}

/* covers: mq_unlink */
static void unlinked_queue_lives_while_open(void **state)
{
    (void)state;
    int mq = new_queue(0, 8, 64);

    must(do_unlink());
    must(put(mq, "still", 0, NULL));
    assert_next(mq, "still", 0);
    must(close(mq));
}

/* covers: mq_open EACCES ENOENT ENAMETOOLONG EFAULT */
static void names_are_checked(void **state)
{
    (void)state;
    char longer[257];

    need_call(syscall(SYS_mq_unlink, "none"));
    memset(longer, 'n', 256);
    longer[256] = 0;
    assert_errno(syscall(SYS_mq_open, "", O_CREAT | O_RDWR, 0600, NULL), ENOENT);
    assert_errno(syscall(SYS_mq_open, "a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
    assert_errno(syscall(SYS_mq_open, longer, O_CREAT | O_RDWR, 0600, NULL), ENAMETOOLONG);
    assert_errno(syscall(SYS_mq_open, BAD_PTR, O_CREAT | O_RDWR, 0600, NULL), EFAULT);
}

/* covers: mq_open EINVAL EFAULT */
static void attributes_are_checked(void **state)
{
    (void)state;
    struct mq_attr attr = {.mq_maxmsg = 0, .mq_msgsize = 10};

    need_call(syscall(SYS_mq_unlink, "none"));
    name_new();
    assert_errno(do_open(O_CREAT | O_RDWR, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = -1};
    assert_errno(do_open(O_CREAT | O_RDWR, 0600, &attr), EINVAL);
    assert_errno(do_open(O_CREAT | O_RDWR, 0600, BAD_PTR), EFAULT);
}

/* covers: mq_open mq_timedsend EBADF mq_timedreceive EBADF */
static void access_mode_is_respected(void **state)
{
    (void)state;
    char buffer[64];
    int mq = new_queue(0, 8, 64);
    int r = must(do_open(O_RDONLY, 0, NULL)), w = must(do_open(O_WRONLY, 0, NULL));

    assert_errno(put(r, "x", 0, NULL), EBADF);
    assert_errno(take(w, buffer, sizeof buffer, NULL, NULL), EBADF);
    assert_errno(put(-1, "x", 0, NULL), EBADF);
    int null = must(open("/dev/null", O_RDWR));
    assert_errno(put(null, "x", 0, NULL), EBADF);
    must(close(null));
    must(close(r));
    must(close(w));
    drop(mq);
}

/* covers: mq_open EACCES mq_unlink EPERM */
static void mode_is_respected(void **state)
{
    (void)state;
    need_root();
    int mq = new_queue(0, 8, 64);
    /* queues lie in a folder with the sticky bit, so the right that is missing is the owner's */
    as_nobody(assert_errno(do_open(O_RDONLY, 0, NULL), EACCES); assert_errno(do_unlink(), EPERM));
    drop(mq);
}

/* covers: mq_getsetattr O_NONBLOCK */
static void attributes_are_told_and_nonblock_can_be_set(void **state)
{
    (void)state;
    struct mq_attr attr = {0}, change = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 99};
    int mq = new_queue(0, 5, 33);

    must(put(mq, "x", 0, NULL));
    must(syscall(SYS_mq_getsetattr, mq, NULL, &attr));
    assert_int_equal(attr.mq_flags, 0);
    assert_int_equal(attr.mq_maxmsg, 5);
    assert_int_equal(attr.mq_msgsize, 33);
    assert_int_equal(attr.mq_curmsgs, 1);
    must(syscall(SYS_mq_getsetattr, mq, &change, &attr));
    assert_int_equal(attr.mq_flags, 0); /* as it was */
    must(syscall(SYS_mq_getsetattr, mq, NULL, &attr));
    assert_int_equal(attr.mq_flags, O_NONBLOCK);
    assert_int_equal(attr.mq_maxmsg, 5);
    change.mq_flags = 1;
    assert_errno(syscall(SYS_mq_getsetattr, mq, &change, NULL), EINVAL);
    assert_errno(syscall(SYS_mq_getsetattr, -1, NULL, &attr), EBADF);
    assert_errno(syscall(SYS_mq_getsetattr, mq, NULL, BAD_PTR), EFAULT);
    drop(mq);
}

/* covers: mq_timedsend EAGAIN mq_timedreceive EAGAIN O_NONBLOCK */
static void nonblocking_queue_would_block(void **state)
{
    (void)state;
    char buffer[64];
    int mq = new_queue(O_NONBLOCK, 2, 64);

    assert_errno(take(mq, buffer, sizeof buffer, NULL, NULL), EAGAIN);
    must(put(mq, "1", 0, NULL));
    must(put(mq, "2", 0, NULL));
    assert_errno(put(mq, "3", 0, NULL), EAGAIN);
    drop(mq);
}

/* covers: mq_timedsend EMSGSIZE EINVAL mq_timedreceive EMSGSIZE */
static void sizes_are_checked(void **state)
{
    (void)state;
    char buffer[64];
    int mq = new_queue(0, 8, 10);

    assert_errno(put(mq, "elevenbytes", 0, NULL), EMSGSIZE);
    assert_errno(put(mq, "x", 32768, NULL), EINVAL);
    must(put(mq, "x", 32767, NULL));
    assert_errno(take(mq, buffer, 9, NULL, NULL), EMSGSIZE);
    assert_returns(take(mq, buffer, 10, NULL, NULL), 1);
    drop(mq);
}

/* covers: mq_timedreceive */
static void receiver_waits_for_a_message(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int mq = new_queue(0, 8, 64);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        assert_next(mq, "wake up", 3);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(put(mq, "wake up", 3, NULL));
    assert_child_ok(pid);
    drop(mq);
}

/* covers: mq_timedsend */
static void sender_waits_for_room(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int mq = new_queue(0, 1, 64);

    must(put(mq, "1", 0, NULL));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        must(put(mq, "2", 0, NULL));
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_next(mq, "1", 0);
    assert_child_ok(pid);
    assert_next(mq, "2", 0);
    drop(mq);
}

/* covers: mq_timedreceive ETIMEDOUT EINVAL mq_timedsend ETIMEDOUT */
static void deadline_ends_the_wait(void **state)
{
    (void)state;
    struct timespec past = {.tv_sec = 1}, wrong = {.tv_nsec = 1000000000}, soon;
    char buffer[64];
    int mq = new_queue(0, 1, 64);

    assert_errno(take(mq, buffer, sizeof buffer, NULL, &past), ETIMEDOUT);
    assert_errno(take(mq, buffer, sizeof buffer, NULL, &wrong), EINVAL);
    must(clock_gettime(CLOCK_REALTIME, &soon));
    soon.tv_nsec += 10000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    assert_errno(take(mq, buffer, sizeof buffer, NULL, &soon), ETIMEDOUT);
    must(put(mq, "1", 0, &past)); /* there is room, so the deadline does not matter */
    assert_errno(put(mq, "2", 0, &past), ETIMEDOUT);
    drop(mq);
}

/* covers: mq_timedreceive EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    char buffer[64];
    int mq = new_queue(0, 1, 64);

    interrupts_start(0);
    assert_errno(take(mq, buffer, sizeof buffer, NULL, NULL), EINTR);
    interrupts_stop();
    drop(mq);
}

/* covers: poll mq_open */
static void poll_follows_the_queue(void **state)
{
    (void)state;
    int mq = new_queue(0, 1, 64);
    struct pollfd p = {.fd = mq, .events = POLLIN | POLLOUT};

    must(poll(&p, 1, 0));
    assert_int_equal(p.revents, POLLOUT);
    must(put(mq, "1", 0, NULL));
    must(poll(&p, 1, 0));
    assert_int_equal(p.revents, POLLIN);
    drop(mq);
}

/* covers: mq_timedsend EFAULT mq_timedreceive EFAULT mq_unlink EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    int mq = new_queue(O_NONBLOCK, 8, 64);

    assert_errno(syscall(SYS_mq_timedsend, mq, BAD_PTR, 3ul, 0, NULL), EFAULT);
    must(put(mq, "x", 0, NULL));
    assert_errno(syscall(SYS_mq_timedreceive, mq, BAD_PTR, 64ul, NULL, NULL), EFAULT);
    assert_errno(syscall(SYS_mq_unlink, BAD_PTR), EFAULT);
    drop(mq);
}

/* covers: mq_open mq_getsetattr */
static void usual_attributes_and_empty_messages(void **state)
{
    (void)state;
    char buffer[8192];
    struct mq_attr attr;

    need_call(syscall(SYS_mq_unlink, "none"));
    name_new();
    int mq = must(do_open(O_CREAT | O_RDWR, 0600, NULL));

    must(syscall(SYS_mq_getsetattr, mq, NULL, &attr));
    assert_int_equal(attr.mq_maxmsg, 10);
    assert_int_equal(attr.mq_msgsize, 8192);
    assert_int_equal(fcntl(mq, F_GETFD), FD_CLOEXEC);
    must(put(mq, "", 3, NULL));
    assert_returns(take(mq, buffer, sizeof buffer, NULL, NULL), 0);
    assert_errno(write(mq, "x", 1), EINVAL);
    drop(mq);
}

/* covers: mq_open EINVAL */
static void existing_queue_is_opened_in_one_of_three_ways(void **state)
{
    (void)state;
    int mq = new_queue(0, 8, 64);

    assert_errno(do_open(O_RDWR | O_WRONLY, 0, NULL), EINVAL);
    assert_errno(syscall(SYS_mq_open, ".", O_RDWR, 0, NULL), EACCES);
    assert_errno(syscall(SYS_mq_unlink, "a/b"), EACCES);
    drop(mq);
}

/* covers: mq_open EINVAL EMFILE */
static void ordinary_users_have_limits(void **state)
{
    (void)state;
    need_root();
    need_call(syscall(SYS_mq_unlink, "none"));
    as_nobody(struct mq_attr many = {.mq_maxmsg = 11, .mq_msgsize = 10};
              struct mq_attr large = {.mq_maxmsg = 1, .mq_msgsize = 8193};
              struct mq_attr fits = {.mq_maxmsg = 10, .mq_msgsize = 100};
              struct rlimit few = {3000, 3000}; name_new();
              assert_errno(do_open(O_CREAT | O_RDWR, 0600, &many), EINVAL);
              assert_errno(do_open(O_CREAT | O_RDWR, 0600, &large), EINVAL);
              must(setrlimit(RLIMIT_MSGQUEUE, &few));
              int mq = must(do_open(O_CREAT | O_RDWR, 0600, &fits)); char first[64];
              strcpy(first, name); name_new();
              assert_errno(do_open(O_CREAT | O_RDWR, 0600, &fits), EMFILE); must(close(mq));
              assert_errno(do_open(O_CREAT | O_RDWR, 0600, &fits), EMFILE);
              must(syscall(SYS_mq_unlink, first));
              mq = must(do_open(O_CREAT | O_RDWR, 0600, &fits)); drop(mq));
}

/* covers: mq_open EACCES mq_unlink EPERM */
static void modes_and_owners_are_respected(void **state)
{
    (void)state;
    need_root();
    int mq = new_queue(0, 8, 64);

    as_nobody(assert_errno(do_open(O_RDONLY, 0, NULL), EACCES); assert_errno(do_unlink(), EPERM));
    must(fchmod(mq, 0604));
    as_nobody(assert_errno(do_open(O_RDWR, 0, NULL), EACCES); must(do_open(O_RDONLY, 0, NULL)));
    must(fchown(mq, NOBODY, NOBODY));
    as_nobody(must(do_open(O_RDWR, 0, NULL)));
    drop(mq);
    as_nobody(name_new(); /* the creator's own mode does not bind the creation */
              mq = must(do_open(O_CREAT | O_RDWR, 0, NULL)); must(put(mq, "x", 0, NULL));
              assert_errno(do_open(O_RDWR, 0, NULL), EACCES); drop(mq));
}

/* covers: mq_timedreceive fork */
static void one_message_wakes_one_receiver(void **state)
{
    (void)state;
    struct gate *gates[3];
    pid_t pids[3];
    int mq = new_queue(0, 8, 64), left = 0;

    for (int i = 0; i < 3; i++) {
        gates[i] = gate_new();
        pids[i] = child_fork();
        if (pids[i] == 0) {
            char buffer[64];

            gate_open(gates[i]);
            assert_returns(take(mq, buffer, sizeof buffer, NULL, NULL), 1);
            _exit(0);
        }
        gate_wait_blocked(gates[i]);
    }
    must(put(mq, "1", 0, NULL));
    assert_true(waitpid(-1, NULL, 0) > 0);
    for (int i = 0; i < 3; i++)
        left += kill(pids[i], 0) == 0;
    assert_int_equal(left, 2);
    must(put(mq, "2", 0, NULL));
    must(put(mq, "3", 0, NULL));
    assert_true(waitpid(-1, NULL, 0) > 0);
    assert_true(waitpid(-1, NULL, 0) > 0);
    drop(mq);
}

/* covers: poll mq_timedsend mq_timedreceive */
static void poll_wakes_when_the_queue_changes(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int mq = new_queue(0, 1, 64);
    pid_t pid = child_fork();

    if (pid == 0) {
        struct pollfd in = {.fd = mq, .events = POLLIN};

        gate_open(gate);
        assert_returns(poll(&in, 1, PATIENCE_MS), 1);
        assert_int_equal(in.revents, POLLIN);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(put(mq, "1", 0, NULL));
    assert_child_ok(pid);
    drop(mq);
}

/* covers: mount open read mq_open unlink */
static void queues_are_files_below_a_mount(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    char path[128], text[128] = "", wanted[128];
    struct stat st;

    need_root();
    int mq = new_queue(0, 8, 64);

    if (mount("mqueue", ".", "mqueue", 0, NULL) == -1) {
        drop(mq);
        skip_because("mqueue cannot be mounted here");
    }
    snprintf(path, sizeof path, "%s", name);
    must(put(mq, "12345", 0, NULL));
    must(syscall(SYS_mq_notify, mq, &event));
    int base = must(open(*state, O_RDONLY | O_DIRECTORY)), fd = must(openat(base, path, O_RDONLY));
    must(read(fd, text, sizeof text - 1));
    snprintf(wanted, sizeof wanted, "QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", 5, 0,
             SIGUSR1, getpid());
    assert_string_equal(text, wanted);
    must(fstat(fd, &st));
    assert_int_equal(st.st_size, 80);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    must(close(fd));
    must(unlinkat(base, path, 0));
    assert_errno(do_open(O_RDWR, 0, NULL), ENOENT);
    must(close(must(openat(base, path, O_CREAT | O_RDWR, 0600)))); /* this is a queue, too */
    must(close(must(do_open(O_RDWR, 0, NULL))));
    assert_errno(mkdirat(base, "d", 0755), EPERM);
    must(do_unlink());
    must(close(mq));
    must(close(base));
    must(umount(*state));
}

/* covers: unshare CLONE_NEWIPC mq_open */
static void another_namespace_has_other_queues(void **state)
{
    (void)state;
    need_root();
    int mq = new_queue(0, 8, 64);

    in_child(if (unshare(CLONE_NEWIPC) == -1) skip_because("no IPC namespaces can be made");
             assert_errno(do_open(O_RDWR, 0, NULL), ENOENT);
             must(do_open(O_CREAT | O_EXCL | O_RDWR, 0600, NULL)); must(put(mq, "x", 0, NULL)));
    drop(mq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(highest_priority_comes_first),
        cmocka_unit_test(queue_is_found_by_name),
        cmocka_unit_test(unlinked_queue_lives_while_open),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(attributes_are_checked),
        cmocka_unit_test(access_mode_is_respected),
        cmocka_unit_test(mode_is_respected),
        cmocka_unit_test(attributes_are_told_and_nonblock_can_be_set),
        cmocka_unit_test(nonblocking_queue_would_block),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(receiver_waits_for_a_message),
        cmocka_unit_test(sender_waits_for_room),
        cmocka_unit_test(deadline_ends_the_wait),
        cmocka_unit_test(wait_is_interrupted),
        cmocka_unit_test(poll_follows_the_queue),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(usual_attributes_and_empty_messages),
        cmocka_unit_test(existing_queue_is_opened_in_one_of_three_ways),
        cmocka_unit_test(ordinary_users_have_limits),
        cmocka_unit_test(modes_and_owners_are_respected),
        cmocka_unit_test(one_message_wakes_one_receiver),
        cmocka_unit_test(poll_wakes_when_the_queue_changes),
        tempdir_test(queues_are_files_below_a_mount),
        cmocka_unit_test(another_namespace_has_other_queues),
    };

    return cmocka_run_group_tests_name("ipc/mq", tests, NULL, NULL);
}
