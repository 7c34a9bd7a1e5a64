/* kernel/host/border.c: see border.h. */
#include "host/border.h"

#include "base/errno.h"
#include "base/string.h"

#ifdef MYST_MOCK
enum border_rule border_broken = BORDER_RULES;
#endif

static bool listed(s64 reply, const u8 *errors)
{
    for (; *errors; errors++)
        if (reply == -(s64)*errors)
            return true;
    return false;
}

int border_errno(enum border_rule rule, s64 reply, const u8 *errors)
{
    return border_holds(rule, listed(reply, errors)) ? (int)reply : -EIO;
}

int border_done(enum border_rule rule, s64 reply, const u8 *errors)
{
    return reply == 0 ? 0 : border_errno(rule, reply, errors);
}

s64 border_count(enum border_rule count, enum border_rule err, s64 reply, size_t most,
                 const u8 *errors)
{
    if (reply >= 0)
        return border_holds(count, (u64)reply <= most) ? reply : -EIO;
    return border_errno(err, reply, errors);
}

ktime border_latest(enum border_rule rule, ktime *newest, ktime reply)
{
    ktime seen = __atomic_load_n(newest, __ATOMIC_RELAXED);

    while (reply > seen) {
        if (__atomic_compare_exchange_n(newest, &seen, reply, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return reply;
    }
    return border_holds(rule, reply == seen) ? reply : seen;
}

void border_clear(enum border_rule rule, void *to, size_t len)
{
    if (!border_holds(rule, false))
        memset(to, 0, len);
}
