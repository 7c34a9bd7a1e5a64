/*
 * tests/fuzz/mock_lies.c: every lie in order: each field of each reply, told false in each way, while the
 * sequences run that ask for it.
 *
 *     mock_lies CASES [FIELD [KIND [CASE]]]
 *
 * tells each lie in up to CASES of the cases that get the reply; names choose a part. Each field has a process
 * of its own, so one finding does not hide others.
 */
#include "lies.h"

#include "mock_fuzz.h"

#include <unistd.h>

#define CASES_MAX 128
#define RUN_SECONDS                                                                                \
    60 /* for a case that takes a tenth of one: then it hangs, and SIGALRM ends the process */

static uint8_t asks[CASES_MAX][MOCK_REPLIES]; /* whether a case, told the truth, gets the reply */
static const char *only_kind, *only_case;

static void name_of(unsigned int reply, char *to, size_t size)
{
    snprintf(to, size, "%s.%s", mock_replies[reply].call, mock_replies[reply].field);
}

/* One lie, in up to `most` cases; where to begin differs, so that all cases are used. */
static unsigned int tell_one(unsigned int reply, enum lie_kind kind, unsigned int most)
{
    unsigned int done = 0, told, n = 0;
    char name[80];

    name_of(reply, name, sizeof(name));
    for (size_t i = 0; i < lies_cases() && n < most; i++) {
        size_t which = (i + reply * 7 + kind) % lies_cases();
        /* The first one alone, or all, or those after the start. */
        struct lie lie = {reply, (reply + kind + n) % 3 == 2 ? 40 : 0, kind,
                          (reply + kind + n) % 3 > 0, (uint8_t)(kind * 37 + n * 11)};

        if (!asks[which][reply] || (only_case && strcmp(only_case, lies_case_name(which))))
            continue;
        dprintf(STDERR_FILENO, "lie: %s %s %s\n", name, lie_kind_names[kind],
                lies_case_name(which));
        alarm(RUN_SECONDS);
        lies_run(which, &lie, 1, &told);
        alarm(0);
        done += told > 0;
        n++;
    }
    return done;
}

static int tell_field(unsigned int reply, unsigned int most)
{
    unsigned int told = 0;

    for (unsigned int kind = 0; kind < LIE_COUNT; kind++)
        if (!only_kind || !strcmp(only_kind, lie_kind_names[kind]))
            told += tell_one(reply, kind, most);
    printf("%u\n", told);
    return 0;
}

/* In a child, whose report is kept; adds to *told. True: nothing was found. */
static bool field_holds(unsigned int reply, unsigned int most, unsigned long *told)
{
    int out[2], status = -1;
    char text[16384], name[80];
    ssize_t n;
    size_t len = 0;
    pid_t pid;

    if (pipe(out) || (pid = fork()) < 0)
        return false;
    if (!pid) {
        dup2(out[1], STDERR_FILENO);
        dup2(out[1], STDOUT_FILENO);
        _exit(tell_field(reply, most) || fflush(stdout));
    }
    close(out[1]);
    while ((n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0) {
        len += (size_t)n;
        if (len > sizeof(text) / 2) { /* the end is what counts */
            memmove(text, text + len - sizeof(text) / 4, sizeof(text) / 4);
            len = sizeof(text) / 4;
        }
    }
    close(out[0]);
    waitpid(pid, &status, 0);
    text[len] = 0;
    if (status == 0) {
        char *end = strrchr(text, '\n');
        while (end && end > text && end[-1] != '\n')
            end--;
        *told += end ? strtoul(end, NULL, 10) : 0;
        return true;
    }
    name_of(reply, name, sizeof(name));
    printf("FOUND with %s:\n%s\n", name, text);
    return false;
}

static void learn(void)
{
    for (size_t i = 0; i < lies_cases(); i++) {
        lies_run(i, NULL, 0, NULL);
        for (unsigned int reply = 0; reply < MOCK_REPLIES; reply++)
            asks[i][reply] = lies_offered(reply) > 0;
    }
}

int main(int argc, char **argv)
{
    unsigned int most = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1, unused = 0,
                 found = 0;
    unsigned long told = 0;

    only_kind = argc > 3 ? argv[3] : NULL;
    only_case = argc > 4 ? argv[4] : NULL;
    learn();
    for (unsigned int reply = 0; reply < MOCK_REPLIES; reply++) {
        char name[80];
        bool asked = false;

        name_of(reply, name, sizeof(name));
        if (argc > 2 && strcmp(argv[2], name))
            continue;
        for (size_t i = 0; i < lies_cases(); i++)
            asked |= asks[i][reply];
        if (!asked) {
            printf("no sequence asks for %s\n", name);
            unused++;
        } else if (!field_holds(reply, most, &told)) {
            found++;
        }
        fflush(stdout);
    }
    printf("%d fields of replies, %u of them never asked for; %lu lies told; %u fields with "
           "findings\n",
           MOCK_REPLIES, unused, told, found);
    return found || unused; /* a field that nobody asks for is not tried */
}
