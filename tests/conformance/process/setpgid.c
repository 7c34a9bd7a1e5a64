/* setpgid.c: setpgid(2), getpgid(2), setsid(2), getsid(2): groups and sessions. */
#include "../lib/program.h"

static struct turn child_may_go; /* made anew by every case that needs it */

static int wait_for_turn(void *arg)
{
    (void)arg;
    turn_await(&child_may_go);
    return 0;
}

static int become_leader(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setpgid, 0, 0), 0);
    need_eq(SYS(SYS_getpgid, 0), getpid());
    need_eq(SYS(SYS_getpgid, getpid()), getpid());
    need_eq(SYS(SYS_getpgrp), getpid());
    need_eq(SYS(SYS_setpgid, 0, 0), 0);
    return 0;
}

/* covers: setpgid getpgid getpgrp */
static void setpgid_of_zero_makes_the_caller_a_group_leader(void **state)
{
    (void)state;
    child_passes(become_leader, NULL);
}

/* covers: setpgid getpgid */
static void parent_moves_a_child_into_a_new_group(void **state)
{
    pid_t pid;

    (void)state;
    turn_init(&child_may_go);
    pid = child_start(wait_for_turn, NULL);
    need_eq(SYS(SYS_getpgid, pid), SYS(SYS_getpgid, 0));
    need_eq(SYS(SYS_setpgid, pid, 0), 0);
    need_eq(SYS(SYS_getpgid, pid), pid);
    turn_give(&child_may_go);
    need_eq(child_end(pid), 0);
    turn_close(&child_may_go);
}

static int join_groups(void *arg)
{
    pid_t leader, member;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    turn_init(&child_may_go);
    leader = child_start(wait_for_turn, NULL);
    member = child_start(wait_for_turn, NULL);
    need_eq(SYS(SYS_setpgid, leader, leader), 0);
    need_eq(SYS(SYS_setpgid, member, leader), 0);
    need_eq(SYS(SYS_getpgid, member), leader);
    need_eq(SYS(SYS_setpgid, member, getpid()), 0);
    need_eq(SYS(SYS_getpgid, member), getpid());
    turn_give(&child_may_go);
    turn_give(&child_may_go);
    need_eq(child_end(leader), 0);
    need_eq(child_end(member), 0);
    return 0;
}

/* covers: setpgid */
static void child_moves_between_groups_of_the_session(void **state)
{
    (void)state;
    child_passes(join_groups, NULL);
}

static int leaderless(void *arg)
{
    pid_t leader, member;

    (void)arg;
    turn_init(&child_may_go);
    leader = child_start(wait_for_turn, NULL);
    member = child_start(wait_for_turn, NULL);
    need_eq(setpgid(leader, leader), 0);
    need_eq(setpgid(member, leader), 0);
    need_eq(kill(leader, SIGKILL), 0);
    need_eq(child_end(leader), SIGKILL);
    need_eq(SYS(SYS_getpgid, member), leader);
    need_eq(kill(-leader, 0), 0);
    turn_give(&child_may_go);
    need_eq(child_end(member), 0);
    need_errno(kill(-leader, 0), ESRCH);
    return 0;
}

/* covers: setpgid getpgid kill ESRCH */
static void group_outlives_its_leader(void **state)
{
    (void)state;
    child_passes(leaderless, NULL);
}

/* covers: setpgid EINVAL */
static void negative_group_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_setpgid, 0, -1), -EINVAL);
}

/* covers: setpgid ESRCH */
static void setpgid_of_a_process_that_is_no_child_is_esrch(void **state)
{
    (void)state;
    need_eq(SYS(SYS_setpgid, 0x3ffffffe, 0), -ESRCH);
    pid_t pid = child_start(exit_with, NULL);
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_setpgid, pid, 0), -ESRCH);
}

static int set_parent_group(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setpgid, getppid(), 0), -ESRCH);
    return 0;
}

/* covers: setpgid ESRCH */
static void child_may_not_move_its_parent(void **state)
{
    (void)state;
    child_passes(set_parent_group, NULL);
}

static int wrong_group(void *arg)
{
    pid_t other;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    need_eq(SYS(SYS_setpgid, 0, 0x3ffffffe), -EPERM);
    other = child_start(sleep_forever, NULL);
    /* A process, but no group. */
    need_eq(SYS(SYS_setpgid, 0, other), -EPERM);
    need_eq(kill(other, SIGKILL), 0);
    child_end(other);
    return 0;
}

/* covers: setpgid EPERM */
static void group_that_does_not_exist_is_eperm(void **state)
{
    (void)state;
    child_passes(wrong_group, NULL);
}

static int new_session(void *arg)
{
    struct turn *ready = arg;

    need(setsid() > 0);
    turn_give(ready);
    turn_await(&child_may_go);
    return 0;
}

static int group_of_other_session(void *arg)
{
    struct turn ready;
    pid_t pid, member;

    (void)arg;
    turn_init(&child_may_go);
    turn_init(&ready);
    pid = child_start(new_session, &ready);
    turn_await(&ready);
    need_eq(SYS(SYS_setpgid, 0, pid), -EPERM);
    /* The child is a session leader, and of another session. */
    need_eq(SYS(SYS_setpgid, pid, 0), -EPERM);
    need_eq(SYS(SYS_setpgid, pid, getpgrp()), -EPERM);
    member = child_start(wait_for_turn, NULL);
    need_eq(SYS(SYS_setpgid, member, pid), -EPERM);
    turn_give(&child_may_go);
    turn_give(&child_may_go);
    need_eq(child_end(pid), 0);
    need_eq(child_end(member), 0);
    return 0;
}

/* covers: setpgid EPERM */
static void other_session_is_eperm(void **state)
{
    (void)state;
    child_passes(group_of_other_session, NULL);
}

static int leader_stays(void *arg)
{
    (void)arg;
    need(setsid() == getpid());
    need_eq(SYS(SYS_setpgid, 0, 0), -EPERM);
    return 0;
}

/* covers: setpgid EPERM */
static void session_leader_may_not_change_its_group(void **state)
{
    (void)state;
    child_passes(leader_stays, NULL);
}

static int tell_and_wait(int argc, char **argv)
{
    char byte;

    (void)argc;
    (void)argv;
    need_eq(write(STDOUT_FILENO, "x", 1), 1);
    return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : CHILD_FAILED;
}

static const struct role roles[] = {{"@wait", tell_and_wait}, {NULL, NULL}};

/* covers: setpgid EACCES */
static void child_that_has_executed_a_program_is_eacces(void **state)
{
    char *argv[] = {"x", "@wait", NULL}, *envp[] = {NULL}, byte;
    int in[2], out[2];
    pid_t pid;

    (void)state;
    need_eq(pipe2(in, O_CLOEXEC), 0);
    need_eq(pipe2(out, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execve(self_path(), argv, envp);
        _exit(127);
    }
    need_eq(read(out[0], &byte, 1), 1);
    need_eq(SYS(SYS_setpgid, pid, pid), -EACCES);
    close(in[1]);
    need_eq(child_end(pid), 0);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

/* covers: getpgid ESRCH */
static void getpgid_of_no_process_is_esrch(void **state)
{
    (void)state;
    need_eq(SYS(SYS_getpgid, 0x3ffffffe), -ESRCH);
    need_eq(SYS(SYS_getpgid, -1), -ESRCH);
}

static int session_body(void *arg)
{
    pid_t pid;

    (void)arg;
    need_eq(SYS(SYS_setsid), getpid());
    need_eq(SYS(SYS_getsid, 0), getpid());
    need_eq(SYS(SYS_getsid, getpid()), getpid());
    need_eq(getpgrp(), getpid());
    pid = fork();
    if (pid == 0) {
        need_eq(SYS(SYS_getsid, 0), getppid());
        need_eq(SYS(SYS_getpgid, 0), getppid());
        _exit(0);
    }
    need_eq(SYS(SYS_getsid, pid), getpid());
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: setsid getsid */
static void setsid_makes_a_session_and_a_group(void **state)
{
    (void)state;
    child_passes(session_body, NULL);
}

static int second_setsid(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setsid), getpid());
    need_eq(SYS(SYS_setsid), -EPERM);
    return 0;
}

/* covers: setsid EPERM */
static void setsid_of_a_session_leader_is_eperm(void **state)
{
    (void)state;
    child_passes(second_setsid, NULL);
}

static int leader_setsid(void *arg)
{
    (void)arg;
    need_eq(setpgid(0, 0), 0);
    need_eq(SYS(SYS_setsid), -EPERM);
    return 0;
}

/* covers: setsid EPERM */
static void setsid_of_a_plain_group_leader_is_eperm(void **state)
{
    (void)state;
    child_passes(leader_setsid, NULL);
}

static int group_id_in_use(void *arg)
{
    pid_t member, group = getpid();

    (void)arg;
    turn_init(&child_may_go);
    need_eq(setpgid(0, 0), 0);
    member = child_start(wait_for_turn, NULL);
    /* Out of its own group, which another process keeps: still no session of that number. */
    pid_t other = child_start(wait_for_turn, NULL);
    need_eq(setpgid(other, other), 0);
    need_eq(setpgid(0, other), 0);
    need_eq(SYS(SYS_getpgid, member), group);
    need_eq(SYS(SYS_setsid), -EPERM);
    turn_give(&child_may_go);
    turn_give(&child_may_go);
    need_eq(child_end(member), 0);
    need_eq(child_end(other), 0);
    return 0;
}

/* covers: setsid EPERM */
static void setsid_while_a_group_has_the_callers_number_is_eperm(void **state)
{
    (void)state;
    child_passes(group_id_in_use, NULL);
}

/* covers: getsid ESRCH */
static void getsid_of_no_process_is_esrch(void **state)
{
    (void)state;
    need_eq(SYS(SYS_getsid, 0x3ffffffe), -ESRCH);
    need_eq(SYS(SYS_getsid, -1), -ESRCH);
}

static int see_other_session(void *arg)
{
    struct turn ready;
    pid_t pid;

    (void)arg;
    turn_init(&child_may_go);
    turn_init(&ready);
    pid = child_start(new_session, &ready);
    turn_await(&ready);
    need_eq(SYS(SYS_getsid, pid), pid);
    need_eq(SYS(SYS_getpgid, pid), pid);
    turn_give(&child_may_go);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: getsid getpgid */
static void other_sessions_can_be_asked_about(void **state)
{
    (void)state;
    child_passes(see_other_session, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setpgid_of_zero_makes_the_caller_a_group_leader),
        cmocka_unit_test(parent_moves_a_child_into_a_new_group),
        cmocka_unit_test(child_moves_between_groups_of_the_session),
        cmocka_unit_test(group_outlives_its_leader),
        cmocka_unit_test(negative_group_is_einval),
        cmocka_unit_test(setpgid_of_a_process_that_is_no_child_is_esrch),
        cmocka_unit_test(child_may_not_move_its_parent),
        cmocka_unit_test(group_that_does_not_exist_is_eperm),
        cmocka_unit_test(other_session_is_eperm),
        cmocka_unit_test(session_leader_may_not_change_its_group),
        cmocka_unit_test(child_that_has_executed_a_program_is_eacces),
        cmocka_unit_test(getpgid_of_no_process_is_esrch),
        cmocka_unit_test(setsid_makes_a_session_and_a_group),
        cmocka_unit_test(setsid_of_a_session_leader_is_eperm),
        cmocka_unit_test(setsid_of_a_plain_group_leader_is_eperm),
        cmocka_unit_test(setsid_while_a_group_has_the_callers_number_is_eperm),
        cmocka_unit_test(getsid_of_no_process_is_esrch),
        cmocka_unit_test(other_sessions_can_be_asked_about),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result : cmocka_run_group_tests_name("process/setpgid", tests, NULL, NULL);
}
