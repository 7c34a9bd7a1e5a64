/* kernel/syscall/dispatch.c: from a call's number and registers to its handler; --strace. */
#include "syscall/syscall.h"

#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "log/log.h"
#include "syscall/decode.h"
#include "syscall_types.h"

#define WORD_BITS    64
#define FILTER_WORDS DIV_ROUND_UP(SYSCALL_LIMIT, WORD_BITS)

static struct {
    bool strace;               /* constant once programs run: any bit in `printed` */
    u64 printed[FILTER_WORDS]; /* constant once programs run: the calls that --strace prints */
    u64 missed[FILTER_WORDS];  /* atomic: calls whose absence the log has named */
} syscalls;

static bool bit_test(const u64 *words, unsigned long nr)
{
    return words[nr / WORD_BITS] >> (nr % WORD_BITS) & 1;
}

const char *syscall_name(unsigned long nr)
{
    return nr < SYSCALL_LIMIT ? syscall_rows[nr].name : NULL;
}

static __cold long syscall_missing(unsigned long nr)
{
    const char *name = syscall_name(nr);

    if (name) {
        u64 bit = 1ULL << (nr % WORD_BITS);

        if (!(__atomic_fetch_or(&syscalls.missed[nr / WORD_BITS], bit, __ATOMIC_RELAXED) & bit))
            log_info("syscall", "%s (%lu) is not implemented", name, nr);
    }
    return -ENOSYS;
}

static long syscall_run(unsigned long nr, const u64 args[6])
{
    if (unlikely(nr >= SYSCALL_LIMIT || !syscall_thunks[nr]))
        return syscall_missing(nr);
    return syscall_thunks[nr](args);
}

static __cold __noinline long syscall_traced(unsigned long nr, const u64 args[6])
{
    struct decoding decoding;

    decode_enter(&decoding, nr, args);
    if (nr < SYSCALL_LIMIT && syscall_rows[nr].result == RESULT_none) {
        decode_leave(&decoding, nr, args, 0);
        log_raw(decoding.text, decoding.len);
        return syscall_run(nr, args);
    }

    long result = syscall_run(nr, args);

    decode_leave(&decoding, nr, args, result);
    log_raw(decoding.text, decoding.len);
    return result;
}

long syscall_dispatch(unsigned long nr, const u64 args[6])
{
    if (unlikely(syscalls.strace) && (nr >= SYSCALL_LIMIT || bit_test(syscalls.printed, nr)))
        return syscall_traced(nr, args);
    return syscall_run(nr, args);
}

static int syscall_lookup(const char *name)
{
    u32 nr;

    if (strtou32(name, 10, &nr) == 0)
        return nr < SYSCALL_LIMIT && syscall_rows[nr].name ? (int)nr : -EINVAL;
    for (nr = 0; nr < SYSCALL_LIMIT; nr++) {
        if (syscall_rows[nr].name && streq(syscall_rows[nr].name, name))
            return (int)nr;
    }
    return -EINVAL;
}

/* One element of the list; false when it names nothing. */
static bool filter_add(u64 *printed, const char *name)
{
    bool wanted = *name != '!';

    name += !wanted;
    if (streq(name, "all")) {
        memset(printed, wanted ? 0xff : 0, FILTER_WORDS * sizeof *printed);
        return true;
    }

    int nr = syscall_lookup(name);

    if (nr < 0)
        return false;
    if (wanted)
        printed[nr / WORD_BITS] |= 1ULL << (nr % WORD_BITS);
    else
        printed[nr / WORD_BITS] &= ~(1ULL << (nr % WORD_BITS));
    return true;
}

int strace_set_filter(const char *filter)
{
    u64 printed[FILTER_WORDS] = {0};
    bool any = false;

    /* "!read" means all but read. */
    if (!*filter || *filter == '!')
        memset(printed, 0xff, sizeof printed);

    while (*filter) {
        const char *end = strchr(filter, ',');
        size_t len = end ? (size_t)(end - filter) : strlen(filter);
        char name[40];

        if (len >= sizeof name)
            return -EINVAL;
        memcpy(name, filter, len);
        name[len] = '\0';
        if (!filter_add(printed, name))
            return -EINVAL;
        filter += len + (end != NULL);
    }

    memcpy(syscalls.printed, printed, sizeof printed);
    for (size_t i = 0; i < FILTER_WORDS; i++)
        any |= printed[i] != 0;
    syscalls.strace = any;
    return 0;
}
