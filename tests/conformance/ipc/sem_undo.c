/* sem_undo.c: SEM_UNDO of semop(2): what is taken back at the end of who did it. */
#include "sem.h"

#include <sched.h>

/* covers: semop SEM_UNDO */
static void undo_flag_takes_changes_back_at_exit(void **state)
{
    (void)state;
    int id = new_set(1);

    must(op(id, 0, 5, 0));
    in_child(must(op(id, 0, -3, SEM_UNDO)); must(op(id, 0, 1, 0));
             assert_int_equal(value_of(id, 0), 3));
    assert_int_equal(value_of(id, 0), 6);
    remove_set(id);
}

/* covers: semctl SETVAL semop SEM_UNDO */
static void setting_a_value_forgets_the_undo(void **state)
{
    (void)state;
    int id = new_set(1);

    in_child(must(op(id, 0, 5, SEM_UNDO)); must(semctl(id, 0, SETVAL, 9)));
    assert_int_equal(value_of(id, 0), 9);
    remove_set(id);
}

/* covers: semop SEM_UNDO clone CLONE_SYSVSEM */
static void shared_undo_waits_for_the_last_sharer(void **state)
{
    (void)state;
    int id = new_set(1);

    in_child(must(op(id, 0, 1, SEM_UNDO));
             pid_t pid = (pid_t)syscall(SYS_clone, CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0);
             if (pid == 0) {
                 must(op(id, 0, 4, SEM_UNDO));
                 _exit(0);
             } assert_child_ok(pid);
             assert_int_equal(value_of(id, 0), 5));
    assert_int_equal(value_of(id, 0), 0);
    in_child(must(op(id, 0, 1, SEM_UNDO)); in_child(must(op(id, 0, 4, SEM_UNDO)));
             assert_int_equal(value_of(id, 0), 1));
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: unshare CLONE_SYSVSEM semop SEM_UNDO */
static void leaving_the_sharers_takes_changes_back(void **state)
{
    (void)state;
    int id = new_set(1);

    in_child(must(op(id, 0, 3, SEM_UNDO)); must(unshare(CLONE_SYSVSEM));
             assert_int_equal(value_of(id, 0), 0); must(op(id, 0, 2, SEM_UNDO)));
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semop SEM_UNDO execve */
static void undo_survives_exec(void **state)
{
    (void)state;
    int id = new_set(1), fds[2];

    must(pipe(fds));
    pid_t pid = child_fork();
    if (pid == 0) {
        must(op(id, 0, 3, SEM_UNDO));
        must(dup2(fds[0], 0));
        must(close(fds[1]));
        execl("/bin/cat", "cat", NULL);
        _exit(1);
    }
    must(close(fds[0]));
    assert_eventually(value_of(id, 0) == 3);
    must(close(fds[1]));
    assert_child_ok(pid);
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semop SEM_UNDO */
static void undo_stops_at_zero(void **state)
{
    (void)state;
    int id = new_set(1);

    in_child(must(op(id, 0, 5, SEM_UNDO)); must(op(id, 0, -3, 0)));
    assert_int_equal(value_of(id, 0), 0);
    remove_set(id);
}

/* covers: semop SEM_UNDO */
static void undo_wakes_who_waits(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_set(1), fds[2];
    char c;

    must(pipe(fds));
    must(op(id, 0, 1, 0));
    pid_t holder = child_fork();
    if (holder == 0) {
        must(op(id, 0, -1, SEM_UNDO));
        must(close(fds[1]));
        must(read(fds[0], &c, 1)); /* until the other end is closed */
        _exit(0);
    }
    assert_eventually(value_of(id, 0) == 0);
    pid_t waiter = child_fork();
    if (waiter == 0) {
        must(close(fds[1]));
        gate_open(gate);
        must(op(id, 0, -1, 0));
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(close(fds[1]));
    assert_child_ok(holder);
    assert_child_ok(waiter);
    remove_set(id);
}

/* covers: semop SEM_UNDO ERANGE */
static void undo_has_a_limit(void **state)
{
    (void)state;
    int id = new_set(2);

    in_child(struct sembuf ops[] = {{1, 1, SEM_UNDO}, {0, 10, SEM_UNDO}};
             must(op(id, 0, 32767, SEM_UNDO)); must(op(id, 0, -32767, 0));
             assert_errno(semop(id, ops, 2), ERANGE); assert_int_equal(value_of(id, 1), 0));
    remove_set(id);
}

/* covers: semctl SETALL EFAULT ERANGE semop SEM_UNDO */
static void setting_all_forgets_the_undo(void **state)
{
    (void)state;
    unsigned short values[2] = {4, 5}, wrong[2] = {1, 40000};
    int id = new_set(2);

    in_child(must(op(id, 0, 5, SEM_UNDO)); must(semctl(id, 0, SETALL, values)));
    assert_int_equal(value_of(id, 0), 4);
    assert_errno(semctl(id, 0, SETALL, wrong), ERANGE);
    assert_int_equal(value_of(id, 0), 4);
    assert_errno(semctl(id, 0, SETALL, BAD_PTR), EFAULT);
    remove_set(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undo_flag_takes_changes_back_at_exit),
        cmocka_unit_test(setting_a_value_forgets_the_undo),
        cmocka_unit_test(shared_undo_waits_for_the_last_sharer),
        cmocka_unit_test(leaving_the_sharers_takes_changes_back),
        cmocka_unit_test(undo_survives_exec),
        cmocka_unit_test(undo_stops_at_zero),
        cmocka_unit_test(undo_wakes_who_waits),
        cmocka_unit_test(undo_has_a_limit),
        cmocka_unit_test(setting_all_forgets_the_undo),
    };

    return cmocka_run_group_tests_name("ipc/sem_undo", tests, NULL, NULL);
}
