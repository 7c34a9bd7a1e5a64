/* kernel/dev/console.h: the standard descriptors of the first program. */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

struct boot_info;

/* Opens descriptors 0 to 2 of the caller, those that were open when the instance was started. */
int console_start(const struct boot_info *boot);

#endif
