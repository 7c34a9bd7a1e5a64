/* kernel/dev/internal.h: the parts of the room to each other. */
#ifndef DEV_INTERNAL_H
#define DEV_INTERNAL_H

#include "dev/dev.h"

int mem_start(void);
int mem_populate(void);
int console_start(const struct boot_info *boot);
int console_populate(void);
int pty_start(void);
int pty_populate(void);

#endif
