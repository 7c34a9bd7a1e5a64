/* kernel/rewrite/hot.h: where calls still trap, for --stats. */
#ifndef REWRITE_HOT_H
#define REWRITE_HOT_H

#include "base/types.h"

#define HOT_NAME 80

struct hot_site {
    char name[HOT_NAME]; /* the file's; its end when it is longer */
    u64 offset;          /* of the instruction in the file; without a file its address */
    u64 ino;
    u32 nr; /* of the last call there */
    u64 count;
};

extern bool hot_counting; /* constant once programs run */

/* The calling thread made call nr by the instruction at addr. No lock may be held. */
void hot_count(u64 addr, u32 nr);
/* The n sites that trapped most often, the hottest first; how many there are. */
u32 hot_top(struct hot_site *out, u32 n);

#endif
