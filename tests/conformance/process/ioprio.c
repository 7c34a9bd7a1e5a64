/* ioprio.c: ioprio_get(2), ioprio_set(2): priorities of input and output. */
#include "../lib/child.h"

#include <linux/ioprio.h>
#include <pthread.h>

#define NOBODY_THERE 0x3ffffffe

static int prio(int class, int level)
{
    return IOPRIO_PRIO_VALUE(class, level);
}

static long set(int which, int who, int value)
{
    return SYS(SYS_ioprio_set, which, who, value);
}

static long get(int which, int who)
{
    return SYS(SYS_ioprio_get, which, who);
}

/* Skips where the kernel has no block layer to sort requests for. */
static void need_ioprio(void)
{
    if (get(IOPRIO_WHO_PROCESS, 0) == -ENOSYS) {
        skip_because("ioprio_get is not in the running kernel");
    }
}

/* covers: ioprio_set IOPRIO_WHO_PROCESS ioprio_get IOPRIO_WHO_PROCESS */
static void classes_and_levels_are_kept(void **state)
{
    (void)state;
    need_ioprio();
    in_child({
        for (int level = 0; level < 8; level++) {
            need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_BE, level)), 0);
            need_eq(get(IOPRIO_WHO_PROCESS, 0), prio(IOPRIO_CLASS_BE, level));
        }
        need_eq(set(IOPRIO_WHO_PROCESS, getpid(), prio(IOPRIO_CLASS_IDLE, 0)), 0);
        need_eq(get(IOPRIO_WHO_PROCESS, getpid()), prio(IOPRIO_CLASS_IDLE, 0));
        need_eq(IOPRIO_PRIO_CLASS(get(IOPRIO_WHO_PROCESS, getpid())), IOPRIO_CLASS_IDLE);
    });
}

/* covers: ioprio_set ioprio_get */
static void without_a_class_it_follows_the_nice_value(void **state)
{
    (void)state;
    need_ioprio();
    in_child({
        need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_IDLE, 7)), 0);
        need_eq(set(IOPRIO_WHO_PROCESS, 0, 0), 0);
        need(IOPRIO_PRIO_CLASS(get(IOPRIO_WHO_PROCESS, 0)) == IOPRIO_CLASS_NONE ||
             get(IOPRIO_WHO_PROCESS, 0) == prio(IOPRIO_CLASS_BE, 4));
    });
}

/* covers: ioprio_set EINVAL ioprio_get EINVAL */
static void unknown_kinds_classes_and_levels_are_einval(void **state)
{
    (void)state;
    need_ioprio();
    need_eq(get(0, 0), -EINVAL);
    need_eq(get(4, 0), -EINVAL);
    need_eq(get(-1, 0), -EINVAL);
    need_eq(set(0, 0, prio(IOPRIO_CLASS_BE, 4)), -EINVAL);
    need_eq(set(4, 0, prio(IOPRIO_CLASS_BE, 4)), -EINVAL);
    need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(4, 0)), -EINVAL);
    need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(7, 0)), -EINVAL);
    need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_NONE, 1)), -EINVAL);
    /* what is wrong with the value comes first */
    need_eq(set(IOPRIO_WHO_PROCESS, NOBODY_THERE, prio(4, 0)), -EINVAL);
}

/* covers: ioprio_set ESRCH ioprio_get ESRCH */
static void nobody_is_esrch(void **state)
{
    static const int kinds[] = {IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER};

    (void)state;
    need_ioprio();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        need_eq(get(kinds[i], NOBODY_THERE), -ESRCH);
        need_eq(set(kinds[i], NOBODY_THERE, prio(IOPRIO_CLASS_BE, 4)), -ESRCH);
    }
}

/* covers: ioprio_set EPERM */
static void real_time_class_needs_privilege(void **state)
{
    (void)state;
    need_ioprio();
    if (has_capability(CAP_SYS_NICE)) {
        in_child({
            need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_RT, 3)), 0);
            need_eq(get(IOPRIO_WHO_PROCESS, 0), prio(IOPRIO_CLASS_RT, 3));
        });
    }
    as_nobody(need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_RT, 3)), -EPERM));
    as_nobody(need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_IDLE, 0)), 0));
}

/* covers: ioprio_set EPERM ioprio_get */
static void process_of_another_user_is_eperm_to_change(void **state)
{
    pid_t self = getpid();

    (void)state;
    need_ioprio();
    need_root();
    as_nobody({
        need(get(IOPRIO_WHO_PROCESS, self) >= 0);
        need_eq(set(IOPRIO_WHO_PROCESS, self, prio(IOPRIO_CLASS_BE, 4)), -EPERM);
    });
}

static int lead_group(void *arg)
{
    struct turn *turn = arg;
    pid_t pid;

    need_eq(setpgid(0, 0), 0);
    pid = child_fork();
    if (pid == 0) {
        need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_BE, 2)), 0);
        turn_give(&turn[0]);
        turn_await(&turn[1]);
        _exit(get(IOPRIO_WHO_PROCESS, 0) == prio(IOPRIO_CLASS_BE, 6) ? 0 : 1);
    }
    need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_IDLE, 0)), 0);
    turn_await(&turn[0]);
    need_eq(get(IOPRIO_WHO_PGRP, 0), prio(IOPRIO_CLASS_BE, 2)); /* the highest of them */
    need_eq(get(IOPRIO_WHO_PGRP, getpgrp()), prio(IOPRIO_CLASS_BE, 2));
    need_eq(set(IOPRIO_WHO_PGRP, 0, prio(IOPRIO_CLASS_BE, 6)), 0);
    need_eq(get(IOPRIO_WHO_PROCESS, 0), prio(IOPRIO_CLASS_BE, 6));
    turn_give(&turn[1]);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: ioprio_get IOPRIO_WHO_PGRP ioprio_set IOPRIO_WHO_PGRP */
static void group_tells_its_highest_and_is_set_as_a_whole(void **state)
{
    struct turn turn[2];

    (void)state;
    need_ioprio();
    turn_init(&turn[0]);
    turn_init(&turn[1]);
    child_passes(lead_group, turn);
    turn_close(&turn[0]);
    turn_close(&turn[1]);
}

static int of_one_user(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresuid, 7654, 7654, 7654), 0);
    need_eq(set(IOPRIO_WHO_USER, 7654, prio(IOPRIO_CLASS_BE, 1)), 0);
    need_eq(get(IOPRIO_WHO_USER, 7654), prio(IOPRIO_CLASS_BE, 1));
    need_eq(get(IOPRIO_WHO_PROCESS, 0), prio(IOPRIO_CLASS_BE, 1));
    return 0;
}

/* covers: ioprio_get IOPRIO_WHO_USER ioprio_set IOPRIO_WHO_USER */
static void processes_of_a_user_are_set_together(void **state)
{
    (void)state;
    need_ioprio();
    need_root();
    child_passes(of_one_user, NULL);
}

static void *own_priority(void *arg)
{
    (void)arg;
    need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_BE, 5)), 0);
    need_eq(get(IOPRIO_WHO_PROCESS, (int)gettid()), prio(IOPRIO_CLASS_BE, 5));
    return NULL;
}

/* covers: ioprio_set IOPRIO_WHO_PROCESS ioprio_get fork */
static void threads_have_their_own_and_children_inherit(void **state)
{
    (void)state;
    need_ioprio();
    in_child({
        pthread_t thread;

        need_eq(set(IOPRIO_WHO_PROCESS, 0, prio(IOPRIO_CLASS_BE, 3)), 0);
        need_eq(pthread_create(&thread, NULL, own_priority, NULL), 0);
        need_eq(pthread_join(thread, NULL), 0);
        need_eq(get(IOPRIO_WHO_PROCESS, 0), prio(IOPRIO_CLASS_BE, 3));
        pid_t pid = fork();
        if (pid == 0) {
            _exit(get(IOPRIO_WHO_PROCESS, 0) == prio(IOPRIO_CLASS_BE, 3) ? 0 : 1);
        }
        need_eq(child_end(pid), 0);
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_levels_are_kept),
        cmocka_unit_test(without_a_class_it_follows_the_nice_value),
        cmocka_unit_test(unknown_kinds_classes_and_levels_are_einval),
        cmocka_unit_test(nobody_is_esrch),
        cmocka_unit_test(real_time_class_needs_privilege),
        cmocka_unit_test(process_of_another_user_is_eperm_to_change),
        cmocka_unit_test(group_tells_its_highest_and_is_set_as_a_whole),
        cmocka_unit_test(processes_of_a_user_are_set_together),
        cmocka_unit_test(threads_have_their_own_and_children_inherit),
    };

    return cmocka_run_group_tests_name("process/ioprio", tests, NULL, NULL);
}
