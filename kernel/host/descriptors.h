/*
 * kernel/host/descriptors.h: the table of the host descriptors that are ours. A host that hands one out
 * twice would have two files of the program become one, and the close of one take the other away; 0, 1
 * and 2 are the console's. For the files of kernel/host/ that open something.
 */
#ifndef HOST_DESCRIPTORS_H
#define HOST_DESCRIPTORS_H

#include "base/errno.h"
#include "host/border.h"

#define DESCRIPTORS_MAX (1 << 20) /* a host process seldom may have more */

/* Takes a new descriptor (not an errno) into the table: it, or -EIO when it cannot be one or is open already. */
#define BORDER_DESCRIPTOR(range_rule, twice_rule, reply)                                           \
    descriptor_take(BORDER_RULE_##range_rule, BORDER_RULE_##twice_rule, reply)

int descriptor_take(enum border_rule range, enum border_rule twice, s64 reply);

/* Before it is closed, since the host may hand the number out again at once. False: it was not ours. */
bool descriptor_drop(int fd);

#endif
