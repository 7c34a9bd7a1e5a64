/* personality.c: personality(2): what it changes for a 64-bit program. */
#include "../lib/program.h"

#include <poll.h>
#include <sys/personality.h>
#include <sys/select.h>
#include <sys/utsname.h>

#define ASK 0xffffffffL
#define RW  (PROT_READ | PROT_WRITE)

static long persona(long value)
{
    return SYS(SYS_personality, value);
}

/* covers: personality NEVER_FAILS */
static void any_value_is_kept_and_the_old_one_told(void **state)
{
    static const unsigned values[] = {PER_LINUX32,
                                      0x12345678,
                                      0xfffffffe,
                                      PER_SOLARIS,
                                      ADDR_LIMIT_3GB | SHORT_INODE | WHOLE_SECONDS,
                                      0};

    (void)state;
    in_child({
        long old = persona(ASK);

        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            need_eq(persona(values[i]), old);
            need_eq(persona(ASK), values[i]);
            old = values[i];
        }
        need_eq(persona((5L << 32) | PER_BSD), 0); /* the upper half of the register is ignored */
        need_eq(persona(ASK), PER_BSD);
    });
}

/* covers: personality UNAME26 PER_LINUX32 uname */
static void name_of_the_system_follows(void **state)
{
    struct utsname name;

    (void)state;
    in_child({
        need(persona(UNAME26) >= 0);
        need_eq(uname(&name), 0);
        need_eq(strncmp(name.release, "2.6.", 4), 0);
        need_eq(strcmp(name.machine, "x86_64"), 0);
        need(persona(PER_LINUX32) >= 0);
        need_eq(uname(&name), 0);
        need(strncmp(name.release, "2.6.", 4) != 0);
        need_eq(strcmp(name.machine, "i686"), 0);
    });
}

static bool is_code(const void *at)
{
    unsigned long start, end;
    char line[512], rights[8];
    bool code = false;
    FILE *file = fopen("/proc/self/maps", "re");

    need(file);
    while (fgets(line, sizeof line, file)) {
        need_eq(sscanf(line, "%lx-%lx %7s", &start, &end, rights), 3);
        if ((unsigned long)at >= start && (unsigned long)at < end) {
            code = rights[2] == 'x';
        }
    }
    fclose(file);
    return code;
}

/* covers: personality READ_IMPLIES_EXEC mmap mprotect */
static void what_can_be_read_becomes_code(void **state)
{
    (void)state;
    in_child({
        char *before = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *at, *none;

        need(persona(READ_IMPLIES_EXEC) >= 0);
        at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        need(before != MAP_FAILED && at != MAP_FAILED && none != MAP_FAILED);
        need(!is_code(before) && is_code(at) && !is_code(none));
        need_eq(mprotect(none, 4096, RW), 0);
        need(is_code(none));
        need_eq(mprotect(none, 4096, PROT_WRITE), 0);
        need(!is_code(none));
        need_eq(mprotect(before, 4096, RW), 0);
        need(is_code(before));
    });
}

/* covers: personality STICKY_TIMEOUTS select ppoll pselect6 */
static void timeouts_are_left_as_they_were(void **state)
{
    (void)state;
    in_child({
        struct timeval tv = {.tv_usec = 3000};
        struct timespec ts = {.tv_nsec = 3000000}, old = ts;

        need(persona(STICKY_TIMEOUTS) >= 0);
        need_eq(SYS(SYS_select, 0, NULL, NULL, NULL, &tv), 0);
        need_eq(tv.tv_usec, 3000);
        need_eq(SYS(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL), 0);
        need_eq(SYS(SYS_ppoll, NULL, 0, &ts, NULL, 8), 0);
        need_eq(memcmp(&ts, &old, sizeof ts), 0);
        persona(0);
        need_eq(SYS(SYS_select, 0, NULL, NULL, NULL, &tv), 0);
        need_eq(tv.tv_usec, 0);
    });
}

struct places {
    void *stack, *mapping, *code, *heap;
};

/* In a new program: where things are. */
static int tell_places(int argc, char **argv)
{
    struct places places = {
        .stack = &places,
        .mapping = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        .code = (void *)tell_places,
        .heap = (void *)SYS(SYS_brk, 0),
    };

    (void)argc, (void)argv;
    return write(1, &places, sizeof places) == sizeof places ? 0 : 1;
}

static struct places places_of_a_program(unsigned value)
{
    char *argv[] = {"personality", "@places", NULL}, *envp[] = {NULL};
    struct places places;
    int out[2];
    pid_t pid;

    need_eq(pipe(out), 0);
    pid = child_fork();
    if (pid == 0) {
        persona(value);
        dup2(out[1], 1);
        execve("/proc/self/exe", argv, envp);
        _exit(127);
    }
    need_eq(child_end(pid), 0);
    need_eq(read(out[0], &places, sizeof places), sizeof places);
    close(out[0]);
    close(out[1]);
    return places;
}

/* covers: personality ADDR_NO_RANDOMIZE execve */
static void program_lies_at_the_same_place_each_time(void **state)
{
    struct places one = places_of_a_program(ADDR_NO_RANDOMIZE);
    struct places two = places_of_a_program(ADDR_NO_RANDOMIZE);
    struct places other = places_of_a_program(0);

    (void)state;
    need_eq(memcmp(&one, &two, sizeof one), 0);
    need(one.stack != other.stack && one.mapping != other.mapping);
    need(one.code != other.code && one.heap != other.heap);
    need_eq((unsigned long)one.stack >> 24, 0x7fffff); /* directly below the end */
    need_eq((unsigned long)one.code >> 24, 0x555555);
}

/* In a new program: what is left of the personality. */
static int tell_persona(int argc, char **argv)
{
    (void)argc, (void)argv;
    return (int)(persona(ASK) >> 16);
}

/* covers: personality READ_IMPLIES_EXEC ADDR_NO_RANDOMIZE UNAME26 execve */
static void program_keeps_all_but_the_right_to_execute(void **state)
{
    char *argv[] = {"personality", "@persona", NULL}, *envp[] = {NULL};
    pid_t pid = child_fork();

    (void)state;
    if (pid == 0) {
        persona(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | UNAME26);
        execve("/proc/self/exe", argv, envp);
        _exit(127);
    }
    need_eq(child_end(pid), ((ADDR_NO_RANDOMIZE | UNAME26) >> 16) << 8);
}

static const struct role roles[] = {
    {"@places", tell_places},
    {"@persona", tell_persona},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_is_kept_and_the_old_one_told),
        cmocka_unit_test(name_of_the_system_follows),
        cmocka_unit_test(what_can_be_read_becomes_code),
        cmocka_unit_test(timeouts_are_left_as_they_were),
        cmocka_unit_test(program_lies_at_the_same_place_each_time),
        cmocka_unit_test(program_keeps_all_but_the_right_to_execute),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result
                       : cmocka_run_group_tests_name("process/personality", tests, NULL, NULL);
}
