/* kernel/dev/dev.h: the room's face: terminals and memory devices. */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include "base/types.h"

struct boot_info;
struct file;

/* Registers the drivers. After vfs_start(). */
int dev_start(const struct boot_info *boot);

/* Makes the device nodes in a fresh file system that is mounted at /dev. */
int dev_populate(void);

/* Opens descriptors 0, 1 and 2 of the main program; those that the launcher got closed stay closed. */
int dev_open_console(const struct boot_info *boot);

/* A signal from the terminal, as the supervisor saw it: to its foreground group. False: there is none. */
bool console_signal(int signo);

#endif
