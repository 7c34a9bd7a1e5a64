/* target/linux/launch/supervisor.h: the parent of all host processes of an instance. */
#pragma once

#include "shared.h"

/* Before the first child exists: terminal modes are remembered, signals are blocked by the caller. */
void supervisor_prepare(struct target_shared *shared);

/* Reaps, forwards signals, stops and continues with the terminal, until the instance ends: myst's exit status. */
int supervisor_run(struct target_shared *shared);
