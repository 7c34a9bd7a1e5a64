/*
 * tests/fuzz/lies.h: a host that lies while the scripts of tests/sequences run.
 *
 * A lie names a field of a reply, the how-manieth of these replies it is told in, and how the truth is changed. What
 * the program gets of it does not matter, as long as it is an answer: findings are what sanitizers see, panics,
 * programs that cannot be killed once the host tells the truth again, and secrets that reach the host.
 */
#ifndef FUZZ_LIES_H
#define FUZZ_LIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void lies_case(void **state);
void lies_case_add(const char *name, lies_case *run);
size_t lies_cases(void);
const char *lies_case_name(size_t i);

#define LIE_KINDS                                                                                  \
    X(negative) /* an errno by `value`; bytes: all ones */                                         \
    X(large)    /* the largest number of the type; bytes: 0x7f */                                  \
    X(more)     /* one more; bytes: the first one */                                               \
    X(less)     /* one less; bytes: the last one */                                                \
    X(zero)                                                                                        \
    X(stale)     /* what the last reply of the kind said */                                        \
    X(torn)      /* the upper half of it is zero */                                                \
    X(sign)      /* the highest bit is the other way; bytes: of each */                            \
    X(shifted)   /* by `value` bits, or bytes */                                                   \
    X(damaged)   /* the byte at `value` has other bits */                                          \
    X(page_more) /* `value` + 1 pages more; bytes: 0x40 */                                         \
    X(delayed)   /* true, but late: other threads run first */

enum lie_kind {
#define X(kind) LIE_##kind,
    LIE_KINDS
#undef X
        LIE_COUNT
};
extern const char *const lie_kind_names[LIE_COUNT];

struct lie {
    unsigned int reply; /* enum mock_reply */
    unsigned int nth;   /* from 0 */
    enum lie_kind kind;
    bool again; /* and every time after that */
    uint8_t value;
};

/* Runs a case with these lies; `told`, if not NULL, becomes how many were. Does not return from a finding. */
void lies_run(size_t i, const struct lie *lies, size_t count, unsigned int *told);
/* How often the last run offered a reply. */
unsigned int lies_offered(unsigned int reply);

#endif
