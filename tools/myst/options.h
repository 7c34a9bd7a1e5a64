/* tools/myst/options.h: the command line of `myst exec`. */
#pragma once

#include "settings.h"
#include "tool.h"

struct command_line {
    const char *rootfs; /* as written */
    bool help;          /* --help was given: nothing else was checked */
};

/* Reads the options, the file of --config first, and the operands into settings. Returns 0, or the
 * exit status after a complaint. */
int options_parse(const struct invocation *invocation, struct settings *settings,
                  struct command_line *line);
