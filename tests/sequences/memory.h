/*
 * tests/sequences/memory.h: a sequence that runs out of memory, at one request after the other.
 *
 * With SEQUENCE_MEMORY in its environment a program of sequences does not look at what its scripts get; it
 * counts their requests for memory, and runs each script again and again, each time in a fresh instance with
 * one request failing:
 *
 *     SEQUENCE_MEMORY=sites   the first and the last request of each site that no earlier script failed
 *     SEQUENCE_MEMORY=all     every request; and again with those after it failing too, MEMORY_SPAN in all
 *
 * A site is the place in the kernel that asks. A script ends at the first answer that it did not expect, or
 * waits for ever; then its processes are killed. What counts: the instance neither panics nor hangs, no
 * sanitizer complains, the script passes when it runs again, and the kernel then has in use what it had before. SEQUENCE_MEMORY_LOG names a
 * file that gets a line a run, `try SITE REQUEST` before it and `done SITE REQUEST FAILED` after it, for
 * tests/gates/memory.
 */
#ifndef SEQUENCES_MEMORY_H
#define SEQUENCES_MEMORY_H

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MEMORY_SPAN     5
#define MEMORY_SITES    4096       /* a power of two */
#define MEMORY_PATIENCE 2000000000 /* ms of the instance's time, which passes at once */
#define MEMORY_TEXT     4096
#define MEMORY_STATUS   97 /* the script did not begin */

struct memory_site {
    uintptr_t caller;
    uint32_t requests; /* atomic, and so is the next: of the run */
    uint32_t failures; /* runs of all scripts in which it was the first to fail */
    uint32_t booted;   /* runs that failed it before there was a script */
};

static struct {
    struct memory_site sites[MEMORY_SITES]; /* by hash; callers appear by compare-and-exchange */
    bool booting;                           /* requests fail before there is a script */
    bool cold;                              /* or in the first run of the script */
    bool armed;                             /* atomic, and so is all below but the last */
    struct memory_site *failing;            /* NULL: none */
    uint32_t request, span;                 /* that fails, from 1, and how many from there */
    uint32_t left;                          /* of the span */
    uint32_t failed;
    mock_script *script;
} memory;

static inline struct memory_site *memory_site(uintptr_t caller)
{
    for (size_t i = caller * 0x9e3779b97f4a7c15UL >> 52;; i = (i + 1) % MEMORY_SITES) {
        struct memory_site *site = &memory.sites[i];
        uintptr_t there = 0;

        if (__atomic_compare_exchange_n(&site->caller, &there, caller, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST) ||
            there == caller)
            return site;
    }
}

static inline bool memory_fails(void *arg, const char *what, uintptr_t caller)
{
    struct memory_site *site;
    uint32_t request, left;

    if (sequence_watches || !__atomic_load_n(&memory.armed, __ATOMIC_SEQ_CST))
        return false;
    site = memory_site(caller);
    request = __atomic_add_fetch(&site->requests, 1, __ATOMIC_SEQ_CST);
    if (site == memory.failing && request == memory.request)
        __atomic_store_n(&memory.left, memory.span, __ATOMIC_SEQ_CST);
    left = __atomic_load_n(&memory.left, __ATOMIC_SEQ_CST);
    if (!left || !__atomic_compare_exchange_n(&memory.left, &left, left - 1, false,
                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return false;
    __atomic_add_fetch(&memory.failed, 1, __ATOMIC_SEQ_CST);
    return true;
}

/* --- one run ---------------------------------------------------------------------------------------------- */

static inline int memory_child(void *arg)
{
    bool fail = arg != NULL;

    /* names that a script leaves behind go with its mounts */
    if (mock_call(__NR_unshare, CLONE_NEWNS | CLONE_NEWIPC) ||
        mock_call(__NR_mount, mock_string("none"), mock_string("/dev/shm"), mock_string("tmpfs"), 0,
                  0))
        return MEMORY_STATUS;
    __atomic_store_n(&memory.armed, fail, __ATOMIC_SEQ_CST);
    return memory.script(NULL);
}

/* What a wait status became, or -1: it waited for something that no longer comes. */
static inline long memory_attempt(bool fail)
{
    long pid = must(mock_fork(memory_child, fail ? &memory : NULL));
    long fd = must(mock_call(__NR_pidfd_open, pid, 0)), status = -1;
    struct pollfd poll = {.fd = (int)fd, .events = POLLIN};

    if (mock_call(__NR_poll, mock_put(&poll, sizeof(poll)), 1, MEMORY_PATIENCE) == 1)
        status = mock_wait(pid);
    __atomic_store_n(&memory.armed, false, __ATOMIC_SEQ_CST);
    mock_reply_hook(NULL, NULL); /* of a script that did not get to its end */
    must(mock_call(__NR_close, fd));
    mock_call(__NR_kill, -1, SIGKILL);
    while (mock_call(__NR_wait4, -1, 0, 0x40000000 /* __WALL */, 0) > 0)
        ;
    return status;
}

/* What a script left in a directory of the root. */
static inline void memory_remove_all(const char *path, int depth)
{
    char *bytes = malloc(MEMORY_TEXT), *name = malloc(MEMORY_TEXT);
    long fd = mock_call(__NR_open, mock_string(path), O_RDONLY | O_DIRECTORY, 0), n = 1;

    while (fd >= 0 && n > 0) {
        mock_user at = mock_room(MEMORY_TEXT);

        n = must(mock_call(__NR_getdents64, fd, at, MEMORY_TEXT));
        mock_load(bytes, at, (size_t)n);
        for (struct dirent64 *d = (void *)bytes; (char *)d < bytes + n;
             d = (void *)((char *)d + d->d_reclen)) {
            if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
                continue;
            snprintf(name, MEMORY_TEXT, "%s/%s", path, d->d_name);
            if (mock_call(__NR_unlink, mock_string(name)) && depth) {
                memory_remove_all(name, depth - 1);
                mock_call(__NR_rmdir, mock_string(name));
            }
        }
    }
    if (fd >= 0)
        must(mock_call(__NR_close, fd));
    free(bytes);
    free(name);
}

/*
 * A script that ran before finds what that run left, as a file that was copied up. Cold: the first run fails, and
 * what is compared with is an instance in which none did.
 */
static inline int memory_main(void *arg)
{
    static struct mock_usage before;
    struct mock_usage after;
    long status;

    sequence_watches = true;
    must(mock_call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    if (!memory.cold) {
        expect_equal(memory_attempt(false), 0);
        usage(&before);
    }
    status = memory_attempt(true);
    expect(status == 0 || memory.failing);
    memory_remove_all("/work", 3);
    expect_equal(memory_attempt(false), 0); /* all is as if nothing had happened */
    usage(&after);
    if (memory.cold && !memory.failing)
        before = after;
    if (after.objects != before.objects || after.bytes != before.bytes)
        mock_usage_print(&before);
    expect_equal(after.objects, before.objects);
    expect_equal(after.bytes, before.bytes);
    expect_equal(after.runs, before.runs);
    expect_equal(after.host_files, before.host_files);
    return 0;
}

/* --- all runs of a script ------------------------------------------------------------------------------- */

static inline void memory_log(const char *word, const struct memory_site *site, uint32_t request,
                              uint32_t failed)
{
    static int fd = -2;
    extern const char __executable_start[];
    const char *path = getenv("SEQUENCE_MEMORY_LOG");
    char line[128];
    int len = snprintf(line, sizeof(line), "%s %#lx %u %u\n", word,
                       site->caller - (uintptr_t)__executable_start, request, failed);

    if (fd == -2)
        fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
    if (fd >= 0 && write(fd, line, (size_t)len) != len)
        perror(path);
}

static inline int memory_booted(void *arg)
{
    __atomic_store_n(&memory.armed, false, __ATOMIC_SEQ_CST);
    return 0;
}

/* One instance. False: it did not come to a good end. */
static inline bool memory_run(struct mock_options *options)
{
    struct mock_result result;

    for (size_t i = 0; i < MEMORY_SITES; i++)
        memory.sites[i].requests = 0;
    memory.left = memory.failed = 0;
    sequence_failed = 0;
    memory.armed = memory.booting;
    mock_fail_hook(memory_fails, NULL);
    mock_run(options, &result);
    mock_fail_hook(NULL, NULL);
    if (!sequence_failed && result.end == MOCK_EXITED && (result.status == 0 || memory.booting))
        return true;
    fprintf(stderr, "ended with %d, status %#x: %s\n%s%s", result.end, result.status,
            sequence_failed ? sequence_failure : "", mock_log(), mock_output());
    return false;
}

static inline bool memory_run_failing(struct mock_options *options, struct memory_site *site,
                                      uint32_t request, uint32_t span)
{
    bool good;

    memory.failing = site;
    memory.request = request;
    memory.span = span;
    memory_log("try", site, request, 0);
    good = memory_run(options);
    site->failures += memory.failed && !memory.booting;
    memory_log("done", site, request, memory.failed);
    if (!good) {
        memory_log("bad", site, request, memory.failed);
        fprintf(stderr, "... at request %u of %u\n", request, span);
    }
    return good;
}

/* Lets requests fail that options.main makes, or the start of the instance. How many runs ended badly. */
static inline unsigned int memory_fail_each(struct mock_options *options)
{
    static uint32_t wanted[MEMORY_SITES];
    bool all = !strcmp(getenv("SEQUENCE_MEMORY"), "all") && !memory.booting && !memory.cold;
    unsigned int bad = 0;

    memory.failing = NULL;
    if (!memory_run(options))
        fail_msg("the script does not pass");
    for (size_t i = 0; i < MEMORY_SITES; i++)
        wanted[i] = memory.sites[i].requests;
    for (size_t i = 0; i < MEMORY_SITES; i++) {
        struct memory_site *site = &memory.sites[i];

        if (!wanted[i] || (memory.booting ? site->booted++ : !all && site->failures))
            continue;
        for (uint32_t k = 1; all && k <= wanted[i]; k++) {
            bad += !memory_run_failing(options, site, k, 1);
            bad += !memory_run_failing(options, site, k, MEMORY_SPAN);
        }
        if (!all) {
            bad += !memory_run_failing(options, site, 1, 1);
            if (wanted[i] > 1)
                bad += !memory_run_failing(options, site, wanted[i], MEMORY_SPAN);
        }
    }
    return bad;
}

static inline void memory_exhaust(mock_script *script, struct mock_options options)
{
    unsigned int bad;

    sequence_tolerant = true;
    memory.script = script;
    options.main = memory_main;
    bad = memory_fail_each(&options);
    memory.cold = true;
    bad += memory_fail_each(&options);
    memory.cold = false;
    memory.booting = true;
    options.main = memory_booted;
    bad += memory_fail_each(&options);
    memory.booting = false;
    if (bad)
        fail_msg("%u runs did not end well", bad);
}

#endif
