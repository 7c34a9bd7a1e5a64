/* msg.c: System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
#include "../lib/check.h"

#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
    long type;
    char text[64];
};

static int new_queue(void)
{
    return must(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
}

static void remove_queue(int id)
{
    must(msgctl(id, IPC_RMID, NULL));
}

static void put(int id, long type, const char *text)
{
    struct message m = {.type = type};

    strcpy(m.text, text);
    must(msgsnd(id, &m, strlen(text), 0));
}

static void assert_next(int id, long wanted, int flags, long type, const char *text)
{
    struct message m = {0};

    assert_returns(msgrcv(id, &m, sizeof m.text, wanted, flags), strlen(text));
    assert_int_equal(m.type, type);
    assert_memory_equal(m.text, text, strlen(text));
}

static key_t some_key(void)
{
    return (key_t)(0x6f000000 | (getpid() & 0xffff) << 4);
}

/* covers: msgsnd msgrcv */
static void messages_come_in_order(void **state)
{
    (void)state;
    int id = new_queue();

    put(id, 2, "first");
    put(id, 1, "second");
    put(id, 3, "");
    assert_next(id, 0, 0, 2, "first");
    assert_next(id, 0, 0, 1, "second");
    assert_next(id, 0, 0, 3, "");
    remove_queue(id);
}

/* covers: msgrcv MSG_EXCEPT */
static void type_selects(void **state)
{
    (void)state;
    int id = new_queue();

    put(id, 3, "three");
    put(id, 1, "one");
    put(id, 2, "two");
    put(id, 3, "again three");
    assert_next(id, 2, 0, 2, "two");
    assert_next(id, -2, 0, 1, "one"); /* the lowest type up to 2 */
    put(id, 4, "four");
    assert_next(id, 3, MSG_EXCEPT, 4, "four");
    assert_next(id, 3, 0, 3, "three");
    assert_next(id, 3, 0, 3, "again three");
    remove_queue(id);
}

/* covers: msgrcv */
static void negative_type_takes_the_lowest(void **state)
{
    (void)state;
    int id = new_queue();

    put(id, 5, "five");
    put(id, 3, "three");
    put(id, 4, "four");
    assert_next(id, -5, 0, 3, "three");
    assert_next(id, -5, 0, 4, "four");
    assert_next(id, -5, 0, 5, "five");
    remove_queue(id);
}

/* covers: msgrcv IPC_NOWAIT ENOMSG */
static void no_message_of_the_type_is_reported(void **state)
{
    (void)state;
    struct message m;
    int id = new_queue();

    assert_errno(msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT), ENOMSG);
    put(id, 1, "x");
    assert_errno(msgrcv(id, &m, sizeof m.text, 2, IPC_NOWAIT), ENOMSG);
    remove_queue(id);
}

/* covers: msgrcv E2BIG MSG_NOERROR */
static void long_message_is_refused_or_cut(void **state)
{
    (void)state;
    struct message m;
    int id = new_queue();

    put(id, 1, "abcdef");
    assert_errno(msgrcv(id, &m, 3, 0, 0), E2BIG);
    assert_returns(msgrcv(id, &m, 3, 0, MSG_NOERROR), 3);
    assert_memory_equal(m.text, "abc", 3);
    assert_errno(msgrcv(id, &m, 3, 0, IPC_NOWAIT), ENOMSG);
    remove_queue(id);
}

/* covers: msgsnd IPC_NOWAIT EAGAIN msgctl IPC_SET */
static void full_queue_would_block(void **state)
{
    (void)state;
    struct message m = {.type = 1};
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 100;
    must(msgctl(id, IPC_SET, &ds));
    must(msgsnd(id, &m, 60, IPC_NOWAIT));
    assert_errno(msgsnd(id, &m, 60, IPC_NOWAIT), EAGAIN);
    must(msgsnd(id, &m, 40, IPC_NOWAIT));
    must(msgctl(id, IPC_STAT, &ds));
    assert_int_equal(ds.msg_qnum, 2);
    assert_int_equal(ds.__msg_cbytes, 100);
    assert_int_equal(ds.msg_lspid, getpid());
    remove_queue(id);
}

/* covers: msgrcv */
static void receiver_waits_for_a_message(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_queue();
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        assert_next(id, 7, 0, 7, "for you");
        _exit(0);
    }
    gate_wait_blocked(gate);
    put(id, 6, "not for you");
    put(id, 7, "for you");
    assert_child_ok(pid);
    remove_queue(id);
}

/* covers: msgsnd */
static void sender_waits_for_room(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct message m = {.type = 1};
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 64;
    must(msgctl(id, IPC_SET, &ds));
    must(msgsnd(id, &m, 64, 0));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        must(msgsnd(id, &m, 1, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(msgrcv(id, &m, sizeof m.text, 0, 0), 64);
    assert_child_ok(pid);
    remove_queue(id);
}

/* covers: msgrcv EIDRM */
static void waiter_fails_when_the_queue_is_removed(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_queue();
    pid_t pid = child_fork();

    if (pid == 0) {
        struct message m;
        gate_open(gate);
        assert_errno(msgrcv(id, &m, sizeof m.text, 0, 0), EIDRM);
        _exit(0);
    }
    gate_wait_blocked(gate);
    remove_queue(id);
    assert_child_ok(pid);
}

/* covers: msgrcv EINTR SA_RESTART */
static void wait_is_interrupted(void **state)
{
    (void)state;
    struct message m;
    int id = new_queue();

    interrupts_start(0);
    assert_errno(msgrcv(id, &m, sizeof m.text, 0, 0), EINTR);
    interrupts_stop();
    interrupts_start(SA_RESTART);
    assert_errno(msgrcv(id, &m, sizeof m.text, 0, 0), EINTR);
    interrupts_stop();
    remove_queue(id);
}

/* covers: msgget IPC_CREAT IPC_EXCL EEXIST ENOENT */
static void key_finds_the_queue(void **state)
{
    (void)state;
    key_t key = some_key();

    assert_errno(msgget(key, 0600), ENOENT);
    int id = must(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    assert_returns(msgget(key, 0600), id);
    assert_errno(msgget(key, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    remove_queue(id);
}

/* covers: msgsnd EINVAL msgrcv EINVAL msgctl EINVAL */
static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct message m = {.type = 0};
    int id = new_queue();

    assert_errno(msgsnd(id, &m, 1, 0), EINVAL);
    m.type = -1;
    assert_errno(msgsnd(id, &m, 1, 0), EINVAL);
    m.type = 1;
    assert_errno(syscall(SYS_msgsnd, id, &m, -1l, 0), EINVAL);
    assert_errno(syscall(SYS_msgsnd, id, &m, 1l << 30, 0), EINVAL);
    assert_errno(syscall(SYS_msgrcv, id, &m, -1l, 0l, 0), EINVAL);
    assert_errno(msgsnd(-1, &m, 1, 0), EINVAL);
    assert_errno(msgrcv(-1, &m, 1, 0, 0), EINVAL);
    assert_errno(msgctl(id, 77, NULL), EINVAL);
    remove_queue(id);
}

/* covers: msgsnd EFAULT msgrcv EFAULT msgctl EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    int id = new_queue();

    assert_errno(syscall(SYS_msgsnd, id, BAD_PTR, 1ul, 0), EFAULT);
    put(id, 1, "x");
    assert_errno(syscall(SYS_msgrcv, id, BAD_PTR, 8ul, 0l, 0), EFAULT);
    assert_errno(msgctl(id, IPC_STAT, BAD_PTR), EFAULT);
    remove_queue(id);
}

/* covers: msgsnd EACCES msgrcv EACCES msgctl EPERM */
static void mode_is_respected(void **state)
{
    (void)state;
    need_root();
    int id = new_queue();
    as_nobody(struct message m = {.type = 1}; assert_errno(msgsnd(id, &m, 1, 0), EACCES);
              assert_errno(msgrcv(id, &m, 1, 0, IPC_NOWAIT), EACCES);
              assert_errno(msgctl(id, IPC_RMID, NULL), EPERM));
    remove_queue(id);
}

/* covers: msgrcv MSG_COPY EINVAL ENOMSG E2BIG IPC_NOWAIT */
static void copies_leave_the_message(void **state)
{
    (void)state;
    struct message m = {0};
    int id = new_queue();

    put(id, 3, "first");
    put(id, 1, "second");
    errno = 0;
    if (msgrcv(id, &m, sizeof m.text, 1, MSG_COPY | IPC_NOWAIT) == -1 && errno == ENOSYS) {
        remove_queue(id);
        skip_because("the running kernel has no MSG_COPY");
    }
    assert_int_equal(m.type, 1);
    assert_memory_equal(m.text, "second", 6);
    assert_errno(msgrcv(id, &m, sizeof m.text, 2, MSG_COPY | IPC_NOWAIT), ENOMSG);
    assert_errno(msgrcv(id, &m, 2, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
    assert_errno(msgrcv(id, &m, 2, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR), EINVAL);
    assert_errno(msgrcv(id, &m, sizeof m.text, 0, MSG_COPY), EINVAL);
    assert_errno(msgrcv(id, &m, sizeof m.text, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT), EINVAL);
    assert_next(id, 0, 0, 3, "first");
    assert_next(id, 0, 0, 1, "second");
    remove_queue(id);
}

/* covers: msgsnd EINTR EIDRM */
static void waiting_sender_fails_when_interrupted_or_removed(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct message m = {.type = 1};
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 10;
    must(msgctl(id, IPC_SET, &ds));
    must(msgsnd(id, &m, 10, 0));
    interrupts_start(SA_RESTART);
    assert_errno(msgsnd(id, &m, 1, 0), EINTR);
    interrupts_stop();
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_errno(msgsnd(id, &m, 1, 0), EIDRM);
        _exit(0);
    }
    gate_wait_blocked(gate);
    remove_queue(id);
    assert_child_ok(pid);
}

/* covers: msgsnd EAGAIN */
static void empty_messages_are_limited_too(void **state)
{
    (void)state;
    struct message m = {.type = 1};
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 2;
    must(msgctl(id, IPC_SET, &ds));
    must(msgsnd(id, &m, 0, IPC_NOWAIT));
    must(msgsnd(id, &m, 0, IPC_NOWAIT));
    assert_errno(msgsnd(id, &m, 0, IPC_NOWAIT), EAGAIN);
    remove_queue(id);
}

/* covers: msgctl IPC_SET msgsnd */
static void more_room_lets_a_sender_go_on(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct message m = {.type = 1};
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    ds.msg_qbytes = 5;
    must(msgctl(id, IPC_SET, &ds));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        must(msgsnd(id, &m, 20, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    ds.msg_qbytes = 100;
    must(msgctl(id, IPC_SET, &ds));
    assert_child_ok(pid);
    remove_queue(id);
}

/* covers: msgrcv E2BIG */
static void waiting_receiver_learns_of_a_long_message(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_queue();
    pid_t pid = child_fork();

    if (pid == 0) {
        struct message m;

        gate_open(gate);
        assert_errno(msgrcv(id, &m, 2, 0, 0), E2BIG);
        _exit(0);
    }
    gate_wait_blocked(gate);
    put(id, 1, "long");
    assert_child_ok(pid);
    assert_next(id, 0, IPC_NOWAIT, 1, "long");
    remove_queue(id);
}

/* covers: msgctl IPC_SET EPERM EFAULT */
static void only_the_privileged_set_more_room(void **state)
{
    (void)state;
    need_root();
    struct msqid_ds ds;
    int id = new_queue();
    bool more = has_capability(CAP_SYS_RESOURCE);

    must(msgctl(id, IPC_STAT, &ds));
    as_nobody(assert_errno(msgctl(id, IPC_SET, &ds), EPERM));
    ds.msg_qbytes = more ? 1000000 : 1000;
    ds.msg_perm.mode = 0622;
    must(msgctl(id, IPC_SET, &ds));
    must(msgctl(id, IPC_STAT, &ds));
    assert_int_equal(ds.msg_qbytes, more ? 1000000 : 1000);
    assert_int_equal(ds.msg_perm.mode & 0777, 0622);
    as_nobody(int own = new_queue(); struct msqid_ds mine; must(msgctl(own, IPC_STAT, &mine));
              mine.msg_qbytes = 1000000; assert_errno(msgctl(own, IPC_SET, &mine), EPERM);
              remove_queue(own));
    assert_errno(msgctl(id, IPC_SET, BAD_PTR), EFAULT);
    remove_queue(id);
}

/* covers: msgctl IPC_STAT msgsnd msgrcv */
static void status_follows_the_traffic(void **state)
{
    (void)state;
    struct msqid_ds ds;
    int id = new_queue();

    must(msgctl(id, IPC_STAT, &ds));
    assert_int_equal(ds.msg_stime, 0);
    assert_int_equal(ds.msg_rtime, 0);
    assert_int_equal(ds.msg_lspid, 0);
    put(id, 1, "abc");
    assert_next(id, 0, 0, 1, "abc");
    must(msgctl(id, IPC_STAT, &ds));
    assert_true(ds.msg_stime > 0);
    assert_true(ds.msg_rtime > 0);
    assert_int_equal(ds.msg_lrpid, getpid());
    assert_int_equal(ds.msg_qnum, 0);
    assert_int_equal(ds.__msg_cbytes, 0);
    remove_queue(id);
}

/* covers: msgctl MSG_STAT MSG_STAT_ANY MSG_INFO IPC_INFO EINVAL EACCES EFAULT */
static void queues_are_found_by_index(void **state)
{
    (void)state;
    struct msqid_ds ds;
    struct msginfo info;
    int id = new_queue(), index = id % 32768;

    put(id, 1, "12345");
    assert_returns(msgctl(index, MSG_STAT, &ds), id);
    assert_int_equal(ds.msg_qnum, 1);
    assert_returns(msgctl(index, MSG_STAT_ANY, &ds), id);
    assert_true(msgctl(0, MSG_INFO, (struct msqid_ds *)&info) >= index);
    assert_true(info.msgpool >= 1);
    assert_true(info.msgmap >= 1);
    assert_true(info.msgtql >= 5);
    assert_true(msgctl(0, IPC_INFO, (struct msqid_ds *)&info) >= index);
    assert_true(info.msgmax > 0);
    assert_errno(msgctl(32767, MSG_STAT, &ds), EINVAL);
    assert_errno(msgctl(0, MSG_INFO, BAD_PTR), EFAULT);
    assert_errno(msgctl(-1, IPC_STAT, &ds), EINVAL);
    if (geteuid() == 0)
        as_nobody(assert_errno(msgctl(index, MSG_STAT, &ds), EACCES);
                  assert_returns(msgctl(index, MSG_STAT_ANY, &ds), id);
                  assert_errno(msgctl(id, IPC_STAT, &ds), EACCES));
    remove_queue(id);
}

/* covers: msgget EACCES */
static void existing_queue_needs_the_wanted_permission(void **state)
{
    (void)state;
    need_root();
    key_t key = some_key();
    int id = must(msgget(key, IPC_CREAT | 0604));

    as_nobody(assert_returns(msgget(key, 0400), id); assert_errno(msgget(key, 0600), EACCES));
    remove_queue(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order),
        cmocka_unit_test(type_selects),
        cmocka_unit_test(negative_type_takes_the_lowest),
        cmocka_unit_test(no_message_of_the_type_is_reported),
        cmocka_unit_test(long_message_is_refused_or_cut),
        cmocka_unit_test(full_queue_would_block),
        cmocka_unit_test(receiver_waits_for_a_message),
        cmocka_unit_test(sender_waits_for_room),
        cmocka_unit_test(waiter_fails_when_the_queue_is_removed),
        cmocka_unit_test(wait_is_interrupted),
        cmocka_unit_test(key_finds_the_queue),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(mode_is_respected),
        cmocka_unit_test(copies_leave_the_message),
        cmocka_unit_test(waiting_sender_fails_when_interrupted_or_removed),
        cmocka_unit_test(empty_messages_are_limited_too),
        cmocka_unit_test(more_room_lets_a_sender_go_on),
        cmocka_unit_test(waiting_receiver_learns_of_a_long_message),
        cmocka_unit_test(only_the_privileged_set_more_room),
        cmocka_unit_test(status_follows_the_traffic),
        cmocka_unit_test(queues_are_found_by_index),
        cmocka_unit_test(existing_queue_needs_the_wanted_permission),
    };

    return cmocka_run_group_tests_name("ipc/msg", tests, NULL, NULL);
}
