/* kernel/host/boot.h: what the launcher says about the run, checked. */
#ifndef HOST_BOOT_H
#define HOST_BOOT_H

#include "base/types.h"

struct boot_info;

/*
 * What was told, checked: numbers lie in their ranges, texts and lists end, descriptors are ours from here on. What
 * cannot be made good ends in NULL and the name of the field. Called once.
 */
const struct boot_info *host_boot(const struct boot_info *told, const char **field);

#endif
