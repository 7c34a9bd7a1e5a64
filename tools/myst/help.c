/* tools/myst/help.c: `myst help [SUBCOMMAND]`. */
#include "tool.h"

#include <stdio.h>

void help_subcommand(const struct subcommand *command)
{
    printf("usage: myst %s%s%s\n%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (command->details)
        printf("\n%s", command->details);
}

static void help_all(void)
{
    puts("usage: myst SUBCOMMAND [ARGS...]\n"
         "Runs unmodified Linux programs on the Mystikos kernel.\n");
    for (const struct subcommand *command = subcommands; command->name; command++)
        printf("  %-12s %s\n", command->name, command->summary);
    puts("\n'myst help SUBCOMMAND' or 'myst SUBCOMMAND --help' tells the rest.\n"
         "'myst --version' prints the version.");
}

int cmd_help(const struct invocation *invocation)
{
    int operands;
    int status = take_operands(invocation, 0, 1, &operands);
    if (status >= 0)
        return status;

    if (operands == invocation->argc) {
        help_all();
        return finish_output();
    }
    const struct subcommand *command = subcommand_find(invocation->argv[operands]);
    if (!command) {
        complain("help: there is no subcommand '%s'", invocation->argv[operands]);
        return STATUS_USAGE;
    }
    help_subcommand(command);
    return finish_output();
}
