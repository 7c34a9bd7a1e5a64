/* target/linux/faults.c: see faults.h. */
#include "faults.h"

#define WARM_UP                                                                                    \
    200 /* decisions at the start of an instance, of which fewer are faults: it shall mostly boot */
#define WARM_UP_FACTOR 8
#define DELAY_MAX      200000 /* ns */
#define LINE           128

enum kind { FAIL, STOP_SHORT, END_EARLY, BE_SLOW };

static uint32_t decisions; /* atomic; of all sites */

/* The finalizer of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators"). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15UL;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
    return x ^ x >> 31;
}

/* FNV-1a */
static uint64_t name_hash(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325UL;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3UL;
    return hash;
}

/*
 * Where everything fails programs do not get far. So most seeds leave sites out (A. Groce and others, "Swarm
 * Testing"): all, a half, a quarter, or an eighth of them fail.
 */
static bool takes_part(uint64_t place)
{
    uint64_t left_out = (1UL << shared.fault_seed % 4) - 1;

    return (mix(shared.fault_seed ^ place) >> 32 & left_out) == 0;
}

/* 0: no fault this time; else random bits that say which. *nth is the number of the call at this site. */
static uint64_t decide(struct fault_site *site, enum kind kind, uint32_t *nth)
{
    uint64_t interval = shared.fault_interval, place = mix(name_hash(site->name) + kind), bits;

    *nth = __atomic_fetch_add(&site->calls, 1, __ATOMIC_RELAXED);
    if (__atomic_fetch_add(&decisions, 1, __ATOMIC_RELAXED) < WARM_UP)
        interval *= WARM_UP_FACTOR;
    bits = mix(mix(shared.fault_seed + place) + *nth);
    return bits % interval || !takes_part(place) ? 0 : bits / interval | 1UL << 63;
}

/* --- telling of it, with -v ------------------------------------------------------------------------------ */

static char *put_text(char *at, const char *end, const char *text)
{
    while (*text && at < end)
        *at++ = *text++;
    return at;
}

static char *put_number(char *at, const char *end, uint64_t number)
{
    char digits[21], *first = digits + sizeof(digits) - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return put_text(at, end, first);
}

static void tell(const struct fault_site *site, uint32_t nth, const char *what, uint64_t number)
{
    char line[LINE], *at = line;
    const char *end = line + sizeof(line) - 1;

    if (!shared.boot.verbose)
        return;
    at = put_text(at, end, "myst: host fault: ");
    at = put_text(at, end, site->name);
    at = put_text(at, end, " call ");
    at = put_number(at, end, nth);
    at = put_text(at, end, what);
    at = put_number(at, end, number);
    *at++ = '\n';
    target_log(line, (size_t)(at - line));
}

/* --- the faults ------------------------------------------------------------------------------------------- */

bool fault_happens(struct fault_site *site)
{
    uint32_t nth;

    return decide(site, END_EARLY, &nth) != 0;
}

int fault_error(struct fault_site *site, const uint8_t *errors, size_t n)
{
    uint32_t nth;
    uint64_t bits = decide(site, FAIL, &nth);
    int error;

    if (!bits)
        return 0;
    error = errors[bits % n];
    tell(site, nth, " fails with errno ", (uint64_t)error);
    return -error;
}

size_t fault_short(struct fault_site *site, size_t len)
{
    uint32_t nth;
    uint64_t bits = decide(site, STOP_SHORT, &nth);

    if (!bits || len < 2)
        return len;
    len = 1 + bits % (len - 1);
    tell(site, nth, " stops at ", len);
    return len;
}

void fault_delay(struct fault_site *site)
{
    struct {
        int64_t sec, nsec;
    } time = {0, 0};
    uint32_t nth;
    uint64_t bits = decide(site, BE_SLOW, &nth);

    if (!bits)
        return;
    time.nsec = (int64_t)(bits % DELAY_MAX);
    HOST2(__NR_nanosleep, &time, 0);
}
