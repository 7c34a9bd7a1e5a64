/*
 * tests/unit/break.h: switches off the check of the border rule that the environment names:
 * MYST_BREAK=RULE. Then a case whose comment says that it breaks the rule must fail; tests/gates/border
 * tries that for every rule. Included once, by each host_*.c, behind the kernel's headers.
 */
#ifndef UNIT_BREAK_H
#define UNIT_BREAK_H

#include "host/border.h"

static __attribute__((constructor)) void break_rule(void)
{
#define RULE_NAME(rule) #rule,
    static const char *const names[] = {FOR_BORDER_RULES(RULE_NAME)};
#undef RULE_NAME
    const char *wanted = getenv("MYST_BREAK");

    if (!wanted)
        return;
    for (int i = 0; i < BORDER_RULES; i++)
        if (strcmp(names[i], wanted) == 0)
            border_broken = (enum border_rule)i;
    if (border_broken == BORDER_RULES) {
        fprintf(stderr, "no rule %s\n", wanted);
        exit(2);
    }
}

#endif
