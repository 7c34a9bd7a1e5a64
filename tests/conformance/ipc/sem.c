/* sem.c: System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2). */
#include "sem.h"

#include <sched.h>

static key_t some_key(void)
{
    return (key_t)(0x6e000000 | (getpid() & 0xffff) << 4);
}

/* covers: semget semctl GETVAL */
static void new_semaphores_are_zero(void **state)
{
    (void)state;
    int id = new_set(3);

    for (int i = 0; i < 3; i++)
        assert_int_equal(value_of(id, i), 0);
    remove_set(id);
}

/* covers: semop semctl SETVAL */
static void values_go_up_and_down(void **state)
{
    (void)state;
    int id = new_set(1);

    must(semctl(id, 0, SETVAL, 5));
    must(op(id, 0, 3, 0));
    must(op(id, 0, -6, 0));
    assert_int_equal(value_of(id, 0), 2);
    assert_int_equal(semctl(id, 0, GETPID), getpid());
    remove_set(id);
}

/* covers: semctl SETALL GETALL */
static void all_values_are_set_and_read_at_once(void **state)
{
    (void)state;
    unsigned short in[3] = {1, 2, 3}, out[3] = {0};
    int id = new_set(3);

    must(semctl(id, 0, SETALL, in));
    must(semctl(id, 0, GETALL, out));
    assert_memory_equal(in, out, sizeof in);
    remove_set(id);
}

/* covers: semop IPC_NOWAIT EAGAIN */
static void operation_that_cannot_go_on_would_block(void **state)
{
    (void)state;
    int id = new_set(1);

    assert_errno(op(id, 0, -1, IPC_NOWAIT), EAGAIN);
    must(op(id, 0, 1, 0));
    assert_errno(op(id, 0, 0, IPC_NOWAIT), EAGAIN); /* waits for zero */
    must(op(id, 0, -1, IPC_NOWAIT));
    must(op(id, 0, 0, IPC_NOWAIT));
    remove_set(id);
}

/* covers: semop EAGAIN */
static void several_operations_happen_together_or_not_at_all(void **state)
{
    (void)state;
    struct sembuf ops[] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
    int id = new_set(2);

    must(op(id, 0, 1, 0));
    assert_errno(semop(id, ops, 2), EAGAIN);
    assert_int_equal(value_of(id, 0), 1);
    must(op(id, 1, 1, 0));
    must(semop(id, ops, 2));
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semop semctl GETNCNT */
static void waiter_goes_on_when_the_value_suffices(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_set(1);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        must(op(id, 0, -2, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_int_equal(semctl(id, 0, GETNCNT), 1);
    must(op(id, 0, 1, 0));
    assert_int_equal(semctl(id, 0, GETNCNT), 1);
    must(op(id, 0, 1, 0));
    assert_child_ok(pid);
    assert_int_equal(semctl(id, 0, GETNCNT), 0);
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semop semctl GETZCNT */
static void waiter_for_zero_goes_on_at_zero(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_set(1);

    must(op(id, 0, 1, 0));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        must(op(id, 0, 0, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_int_equal(semctl(id, 0, GETZCNT), 1);
    must(op(id, 0, -1, 0));
    assert_child_ok(pid);
    remove_set(id);
}

/* covers: semop EIDRM */
static void waiter_fails_when_the_set_is_removed(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_set(1);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        assert_errno(op(id, 0, -1, 0), EIDRM);
        _exit(0);
    }
    gate_wait_blocked(gate);
    remove_set(id);
    assert_child_ok(pid);
}

/* covers: semop EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    int id = new_set(1);

    interrupts_start(0);
    assert_errno(op(id, 0, -1, 0), EINTR);
    interrupts_stop();
    interrupts_start(SA_RESTART); /* makes no difference, see signal(7) */
    assert_errno(op(id, 0, -1, 0), EINTR);
    interrupts_stop();
    remove_set(id);
}

/* covers: semtimedop EAGAIN EINVAL EFAULT */
static void timeout_ends_the_wait(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_nsec = 20000000};
    struct sembuf buf = {0, -1, 0};
    int id = new_set(1);
    int64_t start = now_ns();

    assert_errno(semtimedop(id, &buf, 1, &timeout), EAGAIN);
    assert_true(now_ns() - start >= 20000000);
    timeout.tv_nsec = 1000000000;
    assert_errno(semtimedop(id, &buf, 1, &timeout), EINVAL);
    assert_errno(semtimedop(id, &buf, 1, BAD_PTR), EFAULT);
    remove_set(id);
}

/* covers: semget IPC_CREAT IPC_EXCL EEXIST ENOENT EINVAL */
static void key_finds_the_set(void **state)
{
    (void)state;
    key_t key = some_key();

    assert_errno(semget(key, 1, 0600), ENOENT);
    int id = must(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600));
    assert_returns(semget(key, 2, 0600), id);
    assert_returns(semget(key, 0, 0600), id);
    assert_errno(semget(key, 3, 0600), EINVAL);
    assert_errno(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    remove_set(id);
}

/* covers: semget EINVAL */
static void count_must_be_valid(void **state)
{
    (void)state;
    assert_errno(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    assert_errno(semget(IPC_PRIVATE, -1, 0600), EINVAL);
}

/* covers: semop ERANGE semctl ERANGE SETVAL */
static void values_have_a_limit(void **state)
{
    (void)state;
    int id = new_set(1);

    must(op(id, 0, 32767, 0));
    assert_errno(op(id, 0, 1, 0), ERANGE);
    assert_errno(semctl(id, 0, SETVAL, 32768), ERANGE);
    assert_errno(semctl(id, 0, SETVAL, -1), ERANGE);
    assert_int_equal(value_of(id, 0), 32767);
    remove_set(id);
}

/* covers: semop EFBIG EINVAL E2BIG semctl EINVAL */
static void bad_numbers_are_refused(void **state)
{
    (void)state;
    static struct sembuf many[501];
    int id = new_set(1);

    assert_errno(op(id, 1, 1, 0), EFBIG);
    assert_errno(op(-1, 0, 1, 0), EINVAL);
    assert_errno(semop(id, many, 0), EINVAL);
    assert_errno(semop(id, many, 501), E2BIG);
    assert_errno(semctl(id, 1, GETVAL), EINVAL);
    assert_errno(semctl(id, -1, GETVAL), EINVAL);
    assert_errno(semctl(id, 0, 77), EINVAL);
    remove_set(id);
    errno = 0;
    assert_int_equal(op(id, 0, 1, 0), -1);
    assert_true(errno == EINVAL || errno == EIDRM);
}

/* covers: semop EFAULT semctl EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    int id = new_set(1);

    assert_errno(syscall(SYS_semop, id, BAD_PTR, 1ul), EFAULT);
    assert_errno(semctl(id, 0, GETALL, BAD_PTR), EFAULT);
    assert_errno(semctl(id, 0, IPC_STAT, BAD_PTR), EFAULT);
    remove_set(id);
}

/* covers: semctl IPC_STAT IPC_SET */
static void status_is_told_and_set(void **state)
{
    (void)state;
    struct semid_ds ds;
    int id = new_set(4);

    must(semctl(id, 0, IPC_STAT, &ds));
    assert_int_equal(ds.sem_nsems, 4);
    assert_int_equal(ds.sem_perm.mode & 0777, 0600);
    assert_int_equal(ds.sem_otime, 0);
    assert_true(ds.sem_ctime > 0);
    ds.sem_perm.mode = 0640;
    must(semctl(id, 0, IPC_SET, &ds));
    must(op(id, 0, 1, 0));
    must(semctl(id, 0, IPC_STAT, &ds));
    assert_int_equal(ds.sem_perm.mode & 0777, 0640);
    assert_true(ds.sem_otime > 0);
    remove_set(id);
}

/* covers: semop EACCES semctl EACCES EPERM */
static void mode_is_respected(void **state)
{
    (void)state;
    need_root();
    int id = new_set(1);
    as_nobody(assert_errno(op(id, 0, 1, 0), EACCES); assert_errno(semctl(id, 0, GETVAL), EACCES);
              assert_errno(semctl(id, 0, IPC_RMID), EPERM));
    remove_set(id);
}

/* covers: semctl SETVAL SETALL semop */
static void setting_values_wakes_who_waits(void **state)
{
    (void)state;
    struct gate *gate = gate_new(), *gate2 = gate_new();
    unsigned short values[1] = {2};
    int id = new_set(1);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        must(op(id, 0, -1, 0));
        gate_open(gate2);
        must(op(id, 0, -2, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(semctl(id, 0, SETVAL, 1));
    gate_wait_blocked(gate2);
    must(semctl(id, 0, SETALL, values));
    assert_child_ok(pid);
    remove_set(id);
}

/* covers: semop */
static void a_waiter_who_goes_on_lets_others_go_on(void **state)
{
    (void)state;
    struct gate *first = gate_new(), *second = gate_new();
    int id = new_set(2);
    pid_t a = child_fork();

    if (a == 0) {
        gate_open(first);
        must(op(id, 1, -1, 0));
        _exit(0);
    }
    gate_wait_blocked(first);
    pid_t b = child_fork();
    if (b == 0) {
        struct sembuf ops[] = {{0, -1, 0}, {1, 1, 0}};

        gate_open(second);
        must(semop(id, ops, 2));
        _exit(0);
    }
    gate_wait_blocked(second);
    must(op(id, 0, 1, 0));
    assert_child_ok(b);
    assert_child_ok(a);
    assert_int_equal(semctl(id, 1, GETPID), a);
    remove_set(id);
}

/* covers: semop */
static void operations_see_those_before_them(void **state)
{
    (void)state;
    struct sembuf ops[40];
    int id = new_set(1);

    for (int i = 0; i < 40; i++)
        ops[i] = (struct sembuf){0, i % 2 ? -1 : 1, 0};
    must(semop(id, ops, 40));
    assert_int_equal(value_of(id, 0), 0);
    ops[39].sem_op = 0; /* not zero here */
    ops[39].sem_flg = IPC_NOWAIT;
    assert_errno(semop(id, ops, 40), EAGAIN);
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semctl SEM_STAT SEM_STAT_ANY SEM_INFO IPC_INFO EINVAL EACCES EFAULT */
static void sets_are_found_by_index(void **state)
{
    (void)state;
    struct semid_ds ds;
    struct seminfo info;
    int id = new_set(3), index = id % 32768;

    assert_returns(semctl(index, 0, SEM_STAT, &ds), id);
    assert_int_equal(ds.sem_nsems, 3);
    assert_returns(semctl(index, 0, SEM_STAT_ANY, &ds), id);
    assert_true(semctl(0, 0, SEM_INFO, &info) >= index);
    assert_true(info.semusz >= 1);
    assert_true(info.semaem >= 3);
    assert_true(semctl(0, 0, IPC_INFO, &info) >= index);
    assert_int_equal(info.semvmx, 32767);
    assert_int_equal(info.semaem, 32767);
    assert_errno(semctl(32767, 0, SEM_STAT, &ds), EINVAL);
    assert_errno(semctl(0, 0, IPC_INFO, BAD_PTR), EFAULT);
    assert_errno(semctl(id, 0, IPC_SET, BAD_PTR), EFAULT);
    assert_errno(semctl(-1, 0, GETVAL), EINVAL);
    if (geteuid() == 0)
        as_nobody(assert_errno(semctl(index, 0, SEM_STAT, &ds), EACCES);
                  assert_returns(semctl(index, 0, SEM_STAT_ANY, &ds), id);
                  assert_errno(semctl(id, 0, IPC_SET, &ds), EPERM));
    remove_set(id);
}

/* covers: semop EACCES semctl EACCES SETVAL SETALL GETALL */
static void reading_and_writing_are_permitted_apart(void **state)
{
    (void)state;
    need_root();
    unsigned short values[1] = {1};
    int id = must(semget(IPC_PRIVATE, 1, IPC_CREAT | 0604));

    as_nobody(assert_returns(semctl(id, 0, GETVAL), 0); must(semctl(id, 0, GETALL, values));
              must(op(id, 0, 0, 0)); assert_errno(op(id, 0, 1, 0), EACCES);
              assert_errno(semctl(id, 0, SETVAL, 1), EACCES);
              assert_errno(semctl(id, 0, SETALL, values), EACCES));
    remove_set(id);
}

/* covers: semget EACCES */
static void existing_set_needs_the_wanted_permission(void **state)
{
    (void)state;
    need_root();
    key_t key = some_key();
    int id = must(semget(key, 1, IPC_CREAT | 0604));

    as_nobody(assert_returns(semget(key, 1, 0), id); assert_returns(semget(key, 1, 0400), id);
              assert_errno(semget(key, 1, 0600), EACCES));
    remove_set(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_semaphores_are_zero),
        cmocka_unit_test(values_go_up_and_down),
        cmocka_unit_test(all_values_are_set_and_read_at_once),
        cmocka_unit_test(operation_that_cannot_go_on_would_block),
        cmocka_unit_test(several_operations_happen_together_or_not_at_all),
        cmocka_unit_test(waiter_goes_on_when_the_value_suffices),
        cmocka_unit_test(waiter_for_zero_goes_on_at_zero),
        cmocka_unit_test(waiter_fails_when_the_set_is_removed),
        cmocka_unit_test(wait_is_interrupted),
        cmocka_unit_test(timeout_ends_the_wait),
        cmocka_unit_test(key_finds_the_set),
        cmocka_unit_test(count_must_be_valid),
        cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(status_is_told_and_set),
        cmocka_unit_test(mode_is_respected),
        cmocka_unit_test(setting_values_wakes_who_waits),
        cmocka_unit_test(a_waiter_who_goes_on_lets_others_go_on),
        cmocka_unit_test(operations_see_those_before_them),
        cmocka_unit_test(sets_are_found_by_index),
        cmocka_unit_test(reading_and_writing_are_permitted_apart),
        cmocka_unit_test(existing_set_needs_the_wanted_permission),
    };

    return cmocka_run_group_tests_name("ipc/sem", tests, NULL, NULL);
}
