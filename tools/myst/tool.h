/* tools/myst/tool.h: what the subcommands of myst share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of myst itself; those of a program pass through. The split of 125, 126 and 127 is
 * that of chroot(1) and env(1). */
enum {
    STATUS_FAILED = 1,        /* mkcpio, excpio, syscalls: the work could not be done */
    STATUS_USAGE = 2,         /* the command line or the configuration file says something wrong */
    STATUS_NOT_STARTED = 125, /* exec: myst itself failed before the program */
    STATUS_CANNOT_EXEC = 126, /* exec: the program is there but cannot be executed */
};

struct invocation {
    int argc; /* argv[0] is the subcommand's name */
    char **argv;
    unsigned closed_stdio; /* bit n: descriptor n was closed at the start */
};

struct subcommand {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    const char *details; /* the rest of `myst help NAME`; may be NULL */
    int (*run)(const struct invocation *invocation);
};

extern const struct subcommand subcommands[]; /* ends with a NULL name */
extern const char version_text[];

const struct subcommand *subcommand_find(const char *name);

int cmd_exec(const struct invocation *invocation);
int cmd_mkcpio(const struct invocation *invocation);
int cmd_excpio(const struct invocation *invocation);
int cmd_syscalls(const struct invocation *invocation);
int cmd_help(const struct invocation *invocation);
int cmd_version(const struct invocation *invocation);

/* help.c: the usage of one subcommand on standard output. */
void help_subcommand(const struct subcommand *command);

/* message.c */

/* Prints "myst: ..." as one line on standard error, whatever bytes the arguments hold. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what standard output holds; 0, or STATUS_FAILED after a complaint. */
int finish_output(void);

/* Checks that a subcommand has min to max operands and no options but --help; returns the exit
 * status when there is nothing left to do, else -1. *operands is the index of the first. */
int take_operands(const struct invocation *invocation, int min, int max, int *operands);

/* Memory that is there, or the end of the tool with a complaint. */
void *must_alloc(size_t size);
void *must_realloc(void *old, size_t size);
char *must_strdup(const char *text);
char *must_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
