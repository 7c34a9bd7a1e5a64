/* tools/myst/user.h: who the program is to be. */
#pragma once

#include "launch.h"

/* Sets uid, gid and groups: from text, USER[:GROUP] as --user has it, or the caller's when text is
 * NULL. Names come from etc/passwd and etc/group of the root file system, which is open in options.
 * Returns 0, or the exit status after a complaint. */
int user_resolve(const char *text, struct launch_options *options);
