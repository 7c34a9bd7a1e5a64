/* kernel/debug/stats.h: --stats, figures on the log when the instance ends. */
#ifndef DEBUG_STATS_H
#define DEBUG_STATS_H

struct boot_info;

void stats_start(const struct boot_info *boot);

#endif
