/* target/linux/launch/image.h: the memory of an instance, as the launcher lays it out. */
#pragma once

#include "launch.h"
#include "shared.h"

/*
 * Maps the kernel's range in the calling process: the page window over a fresh memfd, the kernel's text, data and
 * symbols out of this program's own file. NULL after one line on standard error.
 */
struct target_shared *image_map(int *window_file, uint64_t *entry);

/* Copies options and the host's facts into kernel memory, behind .data and .bss. 0 or -1 after a line. */
int image_fill_boot(struct target_shared *shared, const struct launch_options *options);

/* The ranges of the host's vDSO and its data, and its clock function, into shared. */
void image_find_vdso(struct target_shared *shared);

/* One line on standard error: "myst: ...". */
void launch_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
