/* getuid.c: getuid(2), geteuid(2), getgid(2), getegid(2), setfsuid(2), setfsgid(2): never an error. */
#include "../lib/child.h"

#include <pthread.h>

#define NO 0xffffffffL /* an id of -1 */

struct told {
    unsigned real, effective, saved, fs;
};

static struct told proc_ids(const char *key)
{
    char line[256], path[64];
    struct told ids = {0};
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)gettid());
    file = fopen(path, "re");
    need(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            need_eq(sscanf(line + strlen(key), "%u %u %u %u", &ids.real, &ids.effective, &ids.saved,
                           &ids.fs),
                    4);
        }
    }
    fclose(file);
    return ids;
}

static void need_told(void)
{
    struct told u = proc_ids("Uid:"), g = proc_ids("Gid:");

    need_eq(SYS(SYS_getuid), u.real);
    need_eq(SYS(SYS_geteuid), u.effective);
    need_eq(SYS(SYS_getgid), g.real);
    need_eq(SYS(SYS_getegid), g.effective);
    need_eq(SYS(SYS_setfsuid, NO), u.fs);
    need_eq(SYS(SYS_setfsgid, NO), g.fs);
}

/* covers: getuid NEVER_FAILS geteuid NEVER_FAILS getgid NEVER_FAILS getegid NEVER_FAILS */
static void ids_are_those_that_proc_tells(void **state)
{
    (void)state;
    need_told();
    as_nobody(need_told());
}

static int tell_apart(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresgid, 21, 22, 23), 0);
    need_eq(SYS(SYS_setresuid, 11, 12, 13), 0);
    need_eq(SYS(SYS_getuid), 11);
    need_eq(SYS(SYS_geteuid), 12);
    need_eq(SYS(SYS_getgid), 21);
    need_eq(SYS(SYS_getegid), 22);
    need_told();
    return 0;
}

/* covers: getuid NEVER_FAILS geteuid NEVER_FAILS getgid NEVER_FAILS getegid NEVER_FAILS */
static void real_and_effective_ids_are_told_apart(void **state)
{
    (void)state;
    need_root();
    child_passes(tell_apart, NULL);
}

/* covers: getuid NEVER_FAILS geteuid NEVER_FAILS getgid NEVER_FAILS getegid NEVER_FAILS */
static void what_stands_in_the_registers_does_not_matter(void **state)
{
    static const int calls[] = {SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        need_eq(SYS(calls[i], -1, BAD_PTR, 5, -1, -1, -1), SYS(calls[i]));
    }
}

static int greatest_ids(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresgid, 0xfffffffe, 0xfffffffe, 0xfffffffe), 0);
    need_eq(SYS(SYS_setresuid, 0xfffffffe, 0xfffffffe, 0xfffffffe), 0);
    need_eq(SYS(SYS_getuid), 0xfffffffel);
    need_eq(SYS(SYS_geteuid), 0xfffffffel);
    need_eq(SYS(SYS_getgid), 0xfffffffel);
    need_eq(SYS(SYS_getegid), 0xfffffffel);
    return 0;
}

/* covers: getuid NEVER_FAILS geteuid NEVER_FAILS getgid NEVER_FAILS getegid NEVER_FAILS */
static void greatest_id_is_no_error(void **state)
{
    (void)state;
    need_root();
    child_passes(greatest_ids, NULL);
}

static void *change_own(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresuid, 31, 32, 33), 0);
    need_eq(SYS(SYS_getuid), 31);
    need_eq(SYS(SYS_geteuid), 32);
    need_told();
    return NULL;
}

static int threads_differ(void *arg)
{
    pthread_t thread;

    (void)arg;
    need_eq(pthread_create(&thread, NULL, change_own, NULL), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(SYS(SYS_getuid), 0);
    need_eq(SYS(SYS_geteuid), 0);
    return 0;
}

/* covers: getuid NEVER_FAILS geteuid NEVER_FAILS */
static void ids_belong_to_the_thread(void **state)
{
    (void)state;
    need_root();
    child_passes(threads_differ, NULL);
}

/* covers: setfsuid NEVER_FAILS setfsgid NEVER_FAILS */
static void unprivileged_take_one_of_their_own_ids_only(void **state)
{
    (void)state;
    as_nobody({
        long uid = SYS(SYS_getuid), gid = SYS(SYS_getgid);

        need_eq(SYS(SYS_setfsuid, uid + 1), uid);
        need_eq(SYS(SYS_setfsuid, NO), uid); /* nothing has changed, and nobody said so */
        need_eq(SYS(SYS_setfsgid, gid + 1), gid);
        need_eq(SYS(SYS_setfsgid, NO), gid);
        need_eq(SYS(SYS_setfsuid, uid), uid);
        need_eq(SYS(SYS_setfsgid, gid), gid);
    });
}

static int saved_id(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresuid, 41, 42, 43), 0);
    for (long id = 41; id <= 43; id++) {
        SYS(SYS_setfsuid, id);
        need_eq(SYS(SYS_setfsuid, NO), id);
    }
    need_eq(SYS(SYS_setfsuid, 44), 43);
    need_eq(SYS(SYS_setfsuid, NO), 43);
    return 0;
}

/* covers: setfsuid NEVER_FAILS */
static void real_effective_and_saved_id_may_be_taken(void **state)
{
    (void)state;
    need_root();
    child_passes(saved_id, NULL);
}

static int capabilities_follow(void *arg)
{
    static const int lost[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
                               CAP_FSETID};

    (void)arg;
    need(has_capability(CAP_CHOWN) && has_capability(CAP_KILL));
    need_eq(SYS(SYS_setfsuid, 50), 0);
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        need(!has_capability(lost[i]));
    }
    need(has_capability(CAP_KILL));
    need_eq(SYS(SYS_setfsuid, 0), 50);
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        need(has_capability(lost[i]));
    }
    return 0;
}

/* covers: setfsuid NEVER_FAILS */
static void capabilities_for_files_go_and_come_with_the_id_zero(void **state)
{
    (void)state;
    need_root();
    child_passes(capabilities_follow, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_that_proc_tells),
        cmocka_unit_test(real_and_effective_ids_are_told_apart),
        cmocka_unit_test(what_stands_in_the_registers_does_not_matter),
        cmocka_unit_test(greatest_id_is_no_error),
        cmocka_unit_test(ids_belong_to_the_thread),
        cmocka_unit_test(unprivileged_take_one_of_their_own_ids_only),
        cmocka_unit_test(real_effective_and_saved_id_may_be_taken),
        cmocka_unit_test(capabilities_for_files_go_and_come_with_the_id_zero),
    };

    return cmocka_run_group_tests_name("cred/getuid", tests, NULL, NULL);
}
