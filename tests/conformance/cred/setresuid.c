/* setresuid.c: setuid(2), setreuid(2), setresuid(2), setfsuid(2), and the same of groups. */
#include "../lib/program.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#define NO ((long)-1)

struct ids {
    unsigned real, effective, saved;
};

static struct ids uids(void)
{
    struct ids ids;

    need_eq(SYS(SYS_getresuid, &ids.real, &ids.effective, &ids.saved), 0);
    return ids;
}

static struct ids gids(void)
{
    struct ids ids;

    need_eq(SYS(SYS_getresgid, &ids.real, &ids.effective, &ids.saved), 0);
    return ids;
}

static void need_ids(struct ids ids, unsigned real, unsigned effective, unsigned saved)
{
    need_eq(ids.real, real);
    need_eq(ids.effective, effective);
    need_eq(ids.saved, saved);
}

/* covers: getuid geteuid getgid getegid getresuid getresgid */
static void all_readers_agree(void **state)
{
    struct ids u = uids(), g = gids();

    (void)state;
    need_eq(SYS(SYS_getuid), u.real);
    need_eq(SYS(SYS_geteuid), u.effective);
    need_eq(SYS(SYS_getgid), g.real);
    need_eq(SYS(SYS_getegid), g.effective);
}

/* covers: getresuid EFAULT getresgid EFAULT */
static void bad_pointers_are_efault(void **state)
{
    unsigned a, b;

    (void)state;
    need_eq(SYS(SYS_getresuid, BAD_PTR, &a, &b), -EFAULT);
    need_eq(SYS(SYS_getresuid, &a, BAD_PTR, &b), -EFAULT);
    need_eq(SYS(SYS_getresuid, &a, &b, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_getresgid, &a, &b, BAD_PTR), -EFAULT);
}

/* covers: setresuid setresgid setreuid setregid */
static void minus_one_changes_nothing(void **state)
{
    struct ids u = uids(), g = gids();

    (void)state;
    need_eq(SYS(SYS_setresuid, NO, NO, NO), 0);
    need_eq(SYS(SYS_setresgid, NO, NO, NO), 0);
    need_eq(SYS(SYS_setreuid, NO, NO), 0);
    need_eq(SYS(SYS_setregid, NO, NO), 0);
    need_ids(uids(), u.real, u.effective, u.saved);
    need_ids(gids(), g.real, g.effective, g.saved);
}

/* covers: setuid EINVAL setgid EINVAL */
static void setuid_and_setgid_of_minus_one_are_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_setuid, NO), -EINVAL);
    need_eq(SYS(SYS_setgid, NO), -EINVAL);
}

static int unprivileged(void *arg)
{
    struct ids u, g;

    (void)arg;
    drop_privileges();
    u = uids();
    g = gids();
    need_eq(SYS(SYS_setuid, 0), -EPERM);
    need_eq(SYS(SYS_setuid, u.real + 1), -EPERM);
    need_eq(SYS(SYS_setgid, g.real + 1), -EPERM);
    need_eq(SYS(SYS_setreuid, u.real + 1, NO), -EPERM);
    need_eq(SYS(SYS_setreuid, NO, u.real + 1), -EPERM);
    need_eq(SYS(SYS_setregid, g.real + 1, NO), -EPERM);
    need_eq(SYS(SYS_setregid, NO, g.real + 1), -EPERM);
    need_eq(SYS(SYS_setresuid, u.real + 1, NO, NO), -EPERM);
    need_eq(SYS(SYS_setresuid, NO, u.real + 1, NO), -EPERM);
    need_eq(SYS(SYS_setresuid, NO, NO, u.real + 1), -EPERM);
    need_eq(SYS(SYS_setresgid, NO, NO, g.real + 1), -EPERM);
    need_eq(SYS(SYS_setuid, u.real), 0);
    need_eq(SYS(SYS_setgid, g.real), 0);
    need_eq(SYS(SYS_setresuid, u.real, u.real, u.real), 0);
    return 0;
}

/* covers: setuid EPERM setgid EPERM setreuid EPERM setregid EPERM setresuid EPERM setresgid
 * EPERM */
static void other_ids_are_eperm_without_privilege(void **state)
{
    (void)state;
    need_other_ids();
    child_passes(unprivileged, NULL);
}

static int swap_ids(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresgid, 21, 22, 23), 0);
    need_ids(gids(), 21, 22, 23);
    need_eq(SYS(SYS_setresuid, 11, 12, 13), 0);
    need_ids(uids(), 11, 12, 13);
    /* Unprivileged now: each may become one of the three. */
    need_eq(SYS(SYS_setresuid, 12, 13, 11), 0);
    need_ids(uids(), 12, 13, 11);
    need_eq(SYS(SYS_setresuid, NO, 12, NO), 0);
    need_ids(uids(), 12, 12, 11);
    need_eq(SYS(SYS_setresuid, NO, 14, NO), -EPERM);
    need_eq(SYS(SYS_setresgid, 23, 21, 22), 0);
    need_ids(gids(), 23, 21, 22);
    return 0;
}

/* covers: setresuid EPERM setresgid EPERM */
static void three_ids_are_set_apart_and_exchanged(void **state)
{
    (void)state;
    need_root();
    child_passes(swap_ids, NULL);
}

static int setuid_root(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setgid, 33), 0);
    need_ids(gids(), 33, 33, 33);
    need_eq(SYS(SYS_setuid, 44), 0);
    need_ids(uids(), 44, 44, 44);
    need_eq(SYS(SYS_setuid, 0), -EPERM);
    return 0;
}

/* covers: setuid EPERM setgid EPERM */
static void setuid_of_root_sets_all_three_for_good(void **state)
{
    (void)state;
    need_root();
    child_passes(setuid_root, NULL);
}

static int setuid_saved(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresuid, 50, 51, 52), 0);
    need_eq(SYS(SYS_setuid, 52), 0);
    need_ids(uids(), 50, 52, 52);
    need_eq(SYS(SYS_setuid, 50), 0);
    need_ids(uids(), 50, 50, 52);
    need_eq(SYS(SYS_setuid, 51), -EPERM);
    return 0;
}

/* covers: setuid EPERM */
static void setuid_of_a_user_sets_only_the_effective_id(void **state)
{
    (void)state;
    need_root();
    child_passes(setuid_saved, NULL);
}

static int setreuid_rules(void *arg)
{
    (void)arg;
    /* The saved id follows the new effective one when the real one is given or differs. */
    need_eq(SYS(SYS_setreuid, 60, 61), 0);
    need_ids(uids(), 60, 61, 61);
    need_eq(SYS(SYS_setreuid, 61, 60), 0);
    need_ids(uids(), 61, 60, 60);
    need_eq(SYS(SYS_setreuid, NO, 61), 0);
    need_ids(uids(), 61, 61, 60);
    return 0;
}

static int setregid_rules(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setregid, 60, 61), 0);
    need_ids(gids(), 60, 61, 61);
    need_eq(SYS(SYS_setregid, NO, 62), 0);
    need_ids(gids(), 60, 62, 62);
    return 0;
}

/* covers: setreuid setregid */
static void setreuid_moves_the_saved_id_along(void **state)
{
    (void)state;
    need_root();
    child_passes(setreuid_rules, NULL);
    child_passes(setregid_rules, NULL);
}

static int fs_ids(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setfsuid, NO), 0);
    need_eq(SYS(SYS_setfsuid, 70), 0);
    need_eq(SYS(SYS_setfsuid, NO), 70);
    need_eq(SYS(SYS_setfsgid, 71), 0);
    need_eq(SYS(SYS_setfsgid, NO), 71);
    /* A new effective id takes the file system's along. */
    need_eq(SYS(SYS_setresuid, NO, 72, NO), 0);
    need_eq(SYS(SYS_setfsuid, NO), 72);
    need_eq(SYS(SYS_setfsuid, 99), 72);
    need_eq(SYS(SYS_setfsuid, NO), 72); /* refused without an error */
    need_eq(SYS(SYS_setfsuid, 0), 72);
    need_eq(SYS(SYS_setfsuid, NO), 0);
    return 0;
}

/* covers: setfsuid setfsgid */
static void file_system_ids_answer_with_the_old_one(void **state)
{
    (void)state;
    need_root();
    child_passes(fs_ids, NULL);
}

static int files_by_fsuid(void *arg)
{
    struct stat st;
    int fd;

    (void)arg;
    need_eq(chmod(".", 0777), 0);
    need_eq(SYS(SYS_setfsgid, 81), 0);
    need_eq(SYS(SYS_setfsuid, 80), 0);
    fd = open("made", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    need(fd >= 0);
    need_eq(fstat(fd, &st), 0);
    need_eq(st.st_uid, 80);
    need_eq(st.st_gid, 81);
    need_errno(open("roots", O_RDONLY), EACCES);
    need_eq(SYS(SYS_setfsuid, 0), 80);
    need((fd = open("roots", O_RDONLY)) >= 0);
    return 0;
}

/* covers: setfsuid setfsgid open EACCES */
static void files_are_made_and_checked_by_the_file_system_ids(void **state)
{
    (void)state;
    need_root();
    make_file("roots", "x");
    need_eq(chmod("roots", 0600), 0);
    child_passes(files_by_fsuid, NULL);
}

static int dumpable_after_change(void *arg)
{
    (void)arg;
    need_eq(prctl(PR_SET_DUMPABLE, 1), 0);
    need_eq(SYS(SYS_setresuid, NO, 90, NO), 0);
    need(prctl(PR_GET_DUMPABLE) != 1);
    return 0;
}

/* covers: setresuid prctl PR_GET_DUMPABLE */
static void change_of_the_effective_id_clears_dumpable(void **state)
{
    (void)state;
    need_root();
    child_passes(dumpable_after_change, NULL);
}

static int pdeathsig_after_change(void *arg)
{
    int sig = -1;

    (void)arg;
    need_eq(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
    need_eq(SYS(SYS_setresuid, NO, 90, NO), 0);
    need_eq(prctl(PR_GET_PDEATHSIG, &sig), 0);
    need_eq(sig, 0);
    return 0;
}

/* covers: setresuid prctl PR_GET_PDEATHSIG */
static void change_of_the_effective_id_clears_the_death_signal(void **state)
{
    (void)state;
    need_root();
    child_passes(pdeathsig_after_change, NULL);
}

static int print_ids(int argc, char **argv)
{
    struct ids u = uids();

    (void)argc;
    (void)argv;
    printf("%u %u %u", u.real, u.effective, u.saved);
    fflush(stdout);
    return 0;
}

static const struct role roles[] = {{"@ids", print_ids}, {NULL, NULL}};

static int exec_with_ids(void *arg)
{
    char *argv[] = {"x", "@ids", NULL}, *envp[] = {NULL};

    (void)arg;
    need_eq(SYS(SYS_setresuid, 101, 102, 103), 0);
    execve("./ids", argv, envp);
    return 127;
}

/* covers: execve setresuid */
static void exec_copies_the_effective_id_to_the_saved_one(void **state)
{
    struct run run;

    (void)state;
    need_root();
    copy_self("ids", 0755);
    run_body(&run, exec_with_ids, NULL);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "101 102 102");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_readers_agree),
        cmocka_unit_test(bad_pointers_are_efault),
        cmocka_unit_test(minus_one_changes_nothing),
        cmocka_unit_test(setuid_and_setgid_of_minus_one_are_einval),
        cmocka_unit_test(other_ids_are_eperm_without_privilege),
        cmocka_unit_test(three_ids_are_set_apart_and_exchanged),
        cmocka_unit_test(setuid_of_root_sets_all_three_for_good),
        cmocka_unit_test(setuid_of_a_user_sets_only_the_effective_id),
        cmocka_unit_test(setreuid_moves_the_saved_id_along),
        cmocka_unit_test(file_system_ids_answer_with_the_old_one),
        tempdir_test(files_are_made_and_checked_by_the_file_system_ids),
        cmocka_unit_test(change_of_the_effective_id_clears_dumpable),
        cmocka_unit_test(change_of_the_effective_id_clears_the_death_signal),
        tempdir_test(exec_copies_the_effective_id_to_the_saved_one),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result : cmocka_run_group_tests_name("cred/setresuid", tests, NULL, NULL);
}
