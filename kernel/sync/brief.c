/*
 * kernel/sync/brief.c: a brief look at the wait word before a thread sleeps.
 *
 * To sleep and to be woken costs two calls of the host and the way of its scheduler; where another processor
 * runs whoever is to wake us, the wake-up often comes before that is over. Whether it does is a matter of what the
 * thread waits for, so each learns: a look that was in vain makes the next less likely.
 */
#include "base/atomic.h"
#include "host/clock.h"
#include "self/self.h"
#include "sync/internal.h"

/*
 * Longer than the host takes to wake a thread: else of two that answer each other none ever finds the other looking, and
 * neither learns.
 */
#define BRIEF      (50 * NSEC_PER_USEC)
#define SAMPLE     256 /* pauses whose time is taken at the start */
#define PAUSES_MIN 16U
#define PAUSES_MAX 16384U
#define TRUST_MAX  8
#define PROBE      64 /* of so many sleeps without trust, one looks all the same */

static u32 pauses; /* constant after the start; 0: another processor is not to be had */

void brief_start(u32 cpus)
{
    ktime start = host_clock_read(HOST_CLOCK_MONOTONIC), spent;

    if (cpus < 2)
        return;
    for (int i = 0; i < SAMPLE; i++)
        cpu_relax();
    spent = host_clock_read(HOST_CLOCK_MONOTONIC) - start;
    pauses = (u32)(BRIEF * SAMPLE / MAX(spent, (ktime)1));
    pauses = MAX(MIN(pauses, PAUSES_MAX), PAUSES_MIN);
}

void brief_look(const u32 *word, u32 unchanged)
{
    struct self *me = self();
    u32 left = pauses;

    if (!left || (!me->wait_trust && ++me->wait_doubts % PROBE))
        return;
    while (left && __atomic_load_n(word, __ATOMIC_ACQUIRE) == unchanged) {
        cpu_relax();
        left--;
    }
    if (left && me->wait_trust < TRUST_MAX)
        me->wait_trust++;
    if (!left && me->wait_trust)
        me->wait_trust--;
}
