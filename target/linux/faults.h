/*
 * Failures of the host on demand: `myst exec --host-faults SEED`. A call of the target says at its entry which
 * errors the host could answer; now and then it is given one of them instead of making the call.
 *
 * What is injected keeps contract 2: a host may fail, be slow, and do less than it was asked, but none of this is a lie.
 */
#ifndef LINUX_FAULTS_H
#define LINUX_FAULTS_H

#include "linux.h"

/* One place where a fault can be injected. Which of its calls fail depends on the seed, its name, and the count. */
struct fault_site {
    const char *name;
    uint32_t calls; /* atomic */
};

bool fault_happens(struct fault_site *site);
int fault_error(struct fault_site *site, const uint8_t *errors, size_t n);
size_t fault_short(struct fault_site *site, size_t len);
void fault_delay(struct fault_site *site);

#define fault_on() __builtin_expect(shared.fault_interval != 0, 0)

/* Returns one of the errors (without their sign) from the calling function. */
#define FAULT(...)                                                                                 \
    do {                                                                                           \
        static struct fault_site site_ = {.name = __func__};                                       \
        static const uint8_t errors_[] = {__VA_ARGS__};                                            \
        int err_ = fault_on() ? fault_error(&site_, errors_, sizeof(errors_)) : 0;                 \
        if (err_)                                                                                  \
            return err_;                                                                           \
    } while (0)

/* A wait ends before its time. */
#define FAULT_HAPPENS()                                                                            \
    ({                                                                                             \
        static struct fault_site site_ = {.name = __func__};                                       \
        fault_on() && fault_happens(&site_);                                                       \
    })

/* How much of len bytes the host will do: all of it, or at least one byte. */
#define FAULT_SHORT(len)                                                                           \
    ({                                                                                             \
        static struct fault_site site_ = {.name = __func__};                                       \
        fault_on() ? fault_short(&site_, (len)) : (len);                                           \
    })

/* The host takes its time: others get ahead where they seldom do. */
#define FAULT_DELAY()                                                                              \
    do {                                                                                           \
        static struct fault_site site_ = {.name = __func__};                                       \
        if (fault_on())                                                                            \
            fault_delay(&site_);                                                                   \
    } while (0)

#endif
