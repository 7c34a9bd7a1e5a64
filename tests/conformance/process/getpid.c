/* getpid.c: getpid(2), gettid(2), getppid(2), getpgrp(2): numbers that are always there. */
#include "../lib/child.h"

#include <pthread.h>
#include <sys/prctl.h>

/* covers: getpid NEVER_FAILS gettid NEVER_FAILS getppid NEVER_FAILS getpgrp NEVER_FAILS */
static void what_stands_in_the_registers_does_not_matter(void **state)
{
    static const int calls[] = {SYS_getpid, SYS_gettid, SYS_getppid, SYS_getpgrp};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        need_eq(SYS(calls[i], -1, BAD_PTR, 5, -1, -1, -1), SYS(calls[i]));
    }
}

/* covers: getpid NEVER_FAILS getppid NEVER_FAILS getpgrp NEVER_FAILS */
static void numbers_are_those_that_proc_tells(void **state)
{
    int pid, parent, group;
    FILE *file = fopen("/proc/self/stat", "re");

    (void)state;
    need(file);
    need_eq(fscanf(file, "%d (%*[^)]) %*c %d %d", &pid, &parent, &group), 3);
    fclose(file);
    need_eq(SYS(SYS_getpid), pid);
    need_eq(SYS(SYS_getppid), parent);
    need_eq(SYS(SYS_getpgrp), group);
    need_eq(SYS(SYS_getpgrp), SYS(SYS_getpgid, 0));
}

struct seen {
    pid_t pid, tid, parent, group;
};

static void *look(void *arg)
{
    struct seen *seen = arg;

    *seen = (struct seen){.pid = (pid_t)SYS(SYS_getpid),
                          .tid = (pid_t)SYS(SYS_gettid),
                          .parent = (pid_t)SYS(SYS_getppid),
                          .group = (pid_t)SYS(SYS_getpgrp)};
    return NULL;
}

/* covers: getpid NEVER_FAILS gettid NEVER_FAILS getppid NEVER_FAILS getpgrp NEVER_FAILS */
static void threads_share_all_but_their_own_number(void **state)
{
    struct seen main, seen[8];
    pthread_t threads[8];

    (void)state;
    look(&main);
    need_eq(main.tid, main.pid);
    for (int i = 0; i < 8; i++) {
        need_eq(pthread_create(&threads[i], NULL, look, &seen[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
        need_eq(seen[i].pid, main.pid);
        need_eq(seen[i].parent, main.parent);
        need_eq(seen[i].group, main.group);
        need(seen[i].tid > 0 && seen[i].tid != main.tid);
    }
}

/* covers: getpid NEVER_FAILS getppid NEVER_FAILS getpgrp NEVER_FAILS */
static void child_has_a_number_of_its_own_and_the_group_of_its_parent(void **state)
{
    pid_t self = (pid_t)SYS(SYS_getpid), group = (pid_t)SYS(SYS_getpgrp);
    volatile pid_t *told = shared_alloc(4096);
    pid_t pid = child_fork();

    (void)state;
    if (pid == 0) {
        *told = (pid_t)SYS(SYS_getpid);
        need_eq(SYS(SYS_gettid), *told);
        need_eq(SYS(SYS_getppid), self);
        need_eq(SYS(SYS_getpgrp), group);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(*told, pid);
}

/* covers: getpgrp NEVER_FAILS getpid NEVER_FAILS */
static void leader_of_a_group_or_session_names_it(void **state)
{
    (void)state;
    in_child({
        need_eq(setpgid(0, 0), 0);
        need_eq(SYS(SYS_getpgrp), SYS(SYS_getpid));
    });
    in_child({
        need_eq(setsid(), getpid());
        need_eq(SYS(SYS_getpgrp), SYS(SYS_getpid));
    });
}

static int leave_an_orphan(void *arg)
{
    volatile pid_t *told = arg;
    pid_t middle;

    need_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    middle = fork();
    if (middle == 0) {
        pid_t parent = getpid();

        if (fork() == 0) {
            while (SYS(SYS_getppid) == parent) {
                nap();
            }
            *told = (pid_t)SYS(SYS_getppid);
        }
        _exit(0);
    }
    need_eq(child_end(middle), 0);
    need(wait_until(*told));
    need_eq(*told, getpid());
    need(wait(NULL) > 0);
    return 0;
}

/* covers: getppid NEVER_FAILS */
static void parent_changes_when_it_ends(void **state)
{
    (void)state;
    child_passes(leave_an_orphan, shared_alloc(4096));
}

/* covers: getpid NEVER_FAILS execve */
static void program_keeps_its_number_and_parent(void **state)
{
    char text[64], expected[64];
    pid_t pid;
    int out[2];

    (void)state;
    need_eq(pipe(out), 0);
    pid = child_fork();
    if (pid == 0) {
        need(dup2(out[1], 1) == 1);
        execl("/bin/sh", "sh", "-c", "echo $$ $PPID", NULL);
        _exit(1);
    }
    close(out[1]);
    need_eq(child_end(pid), 0);
    ssize_t n = read(out[0], text, sizeof text - 1);
    close(out[0]);
    need(n > 0);
    text[n] = '\0';
    snprintf(expected, sizeof expected, "%d %d\n", (int)pid, (int)getpid());
    need_eq(strcmp(text, expected), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_registers_does_not_matter),
        cmocka_unit_test(numbers_are_those_that_proc_tells),
        cmocka_unit_test(threads_share_all_but_their_own_number),
        cmocka_unit_test(child_has_a_number_of_its_own_and_the_group_of_its_parent),
        cmocka_unit_test(leader_of_a_group_or_session_names_it),
        cmocka_unit_test(parent_changes_when_it_ends),
        cmocka_unit_test(program_keeps_its_number_and_parent),
    };

    return cmocka_run_group_tests_name("process/getpid", tests, NULL, NULL);
}
