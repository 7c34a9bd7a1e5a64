/* tools/myst/message.c: one line for each thing that goes wrong, and memory that is there. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 16384 /* two paths of PATH_MAX and the words around them */

/* Names in archives and arguments may hold anything; a control character would break the promise of
 * one line, or drive the reader's terminal. */
static void neutralize(char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f)
            *text = '?';
    }
}

void complain(const char *format, ...)
{
    static const char prefix[] = "myst: ";
    static char line[MESSAGE_MAX + 1];
    const size_t start = sizeof prefix - 1;
    va_list args;

    memcpy(line, prefix, sizeof prefix);
    va_start(args, format);
    vsnprintf(line + start, MESSAGE_MAX - start, format, args);
    va_end(args);
    neutralize(line);

    size_t length = strlen(line);
    line[length++] = '\n';
    /* One write, so that lines of two instances do not mix; with standard error gone there is nobody
     * left to tell. */
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}

int finish_output(void)
{
    int failed = ferror(stdout);

    errno = 0;
    if (fclose(stdout) != 0 || failed) {
        complain("standard output: %s", errno ? strerror(errno) : "write error");
        return STATUS_FAILED;
    }
    return 0;
}

int take_operands(const struct invocation *invocation, int min, int max, int *operands)
{
    const char *name = invocation->argv[0];
    int first = 1;

    if (first < invocation->argc && strcmp(invocation->argv[first], "--help") == 0) {
        help_subcommand(subcommand_find(name));
        return finish_output();
    }
    if (first < invocation->argc && strcmp(invocation->argv[first], "--") == 0) {
        first++;
    } else if (first < invocation->argc && invocation->argv[first][0] == '-' &&
               invocation->argv[first][1] != '\0') {
        complain("%s: unknown option %s (see 'myst help %s')", name, invocation->argv[first], name);
        return STATUS_USAGE;
    }

    int count = invocation->argc - first;
    if (count < min || count > max) {
        complain("%s: %s (see 'myst help %s')", name,
                 count < min ? "an operand is missing" : "too many operands", name);
        return STATUS_USAGE;
    }
    *operands = first;
    return -1;
}

void *must_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);

    if (!memory) {
        complain("out of memory");
        exit(STATUS_NOT_STARTED);
    }
    return memory;
}

void *must_alloc(size_t size)
{
    return memset(must_realloc(NULL, size), 0, size);
}

char *must_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(must_realloc(NULL, size), text, size);
}

char *must_printf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        complain("out of memory");
        exit(STATUS_NOT_STARTED);
    }
    return text;
}
