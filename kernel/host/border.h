/*
 * kernel/host/border.h: how a reply of the target is checked. Every rule has a name and a text in
 * border.tbl, one check written with a macro of this file, and a test that breaks it. The macros take
 * the rule's bare name; so tools/gen/border.py finds the place.
 *
 * In unit tests one rule at a time can be broken: its check then lets everything pass, which some test
 * has to notice (`make mutation`).
 */
#ifndef HOST_BORDER_H
#define HOST_BORDER_H

#include "base/types.h"
#include "border_rules.h"

enum border_rule {
#define BORDER_ENUM(rule) BORDER_RULE_##rule,
    FOR_BORDER_RULES(BORDER_ENUM)
#undef BORDER_ENUM
        BORDER_RULES
};

#ifdef MYST_MOCK
extern enum border_rule border_broken; /* whose check is off; BORDER_RULES: none */

static inline bool border_holds(enum border_rule rule, bool holds)
{
    return holds || rule == border_broken;
}
#else
#define border_holds(rule, holds) (holds)
#endif

/* Does the reply keep to the rule? The condition is evaluated once. */
#define BORDER(rule, condition) border_holds(BORDER_RULE_##rule, condition)

/* Of a call that answers 0 or an errno of a list that 0 ends: that, else -EIO. */
#define BORDER_DONE(rule, reply, errors) border_done(BORDER_RULE_##rule, reply, errors)

/* Of a call that has failed: an errno of the list, else -EIO. */
#define BORDER_ERRNO(rule, reply, errors) border_errno(BORDER_RULE_##rule, reply, errors)

/* Of a call that answers 0 to `most`, or an errno of the list: that, else -EIO. Two rules. */
#define BORDER_COUNT(count_rule, errno_rule, reply, most, errors)                                  \
    border_count(BORDER_RULE_##count_rule, BORDER_RULE_##errno_rule, reply, most, errors)

/*
 * Before a call that fills kernel memory: what a host leaves out of it is zero then, and not what stood
 * there, which the program must not see.
 */
#define BORDER_CLEAR(rule, to, len) border_clear(BORDER_RULE_##rule, to, len)

/* A time that goes forwards: the newest that was given out, when the reply lies before it. */
#define BORDER_LATEST(rule, newest, reply) border_latest(BORDER_RULE_##rule, newest, reply)

int border_done(enum border_rule rule, s64 reply, const u8 *errors);
int border_errno(enum border_rule rule, s64 reply, const u8 *errors);
s64 border_count(enum border_rule count, enum border_rule err, s64 reply, size_t most,
                 const u8 *errors);
ktime border_latest(enum border_rule rule, ktime *newest, ktime reply);
void border_clear(enum border_rule rule, void *to, size_t len);

#endif
