/*
 * tests/unit/host_thread.c: what a host may answer about threads, clocks and waiting, and what a target
 * may say of faults and events.
 */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "rename.h"

#include "base/string.h"
#include "host/clock.h"
#include "host/thread.h"
#include "host/upcall.h"
#include "host/wait.h"
#include "host/xstate.h"

#include <myst/boot.h>
#include <myst/target.h>

#include "break.h"

static struct self test_self;

struct self *self(void)
{
    return &test_self;
}

void sync_assert_unlocked(const char *what)
{
}

/* ---- a host that answers what a test wants ---- */

static int64_t reply, clock_reply;
static bool takes_start;  /* the thread begins, whatever the reply is */
static bool denies_start; /* the target has taken the start back */
static struct target_space *space_reply;
static uint64_t counts[2];
static char mask_reply[32];
static size_t mask_size, size_reply;
static void *place_reply;

int target_thread_start(struct target_thread *thread)
{
    thread->start = takes_start ? 0 : denies_start ? TARGET_START_DENIED : thread->start;
    return (int)reply;
}
int target_space_fork(struct target_thread *thread)
{
    return target_thread_start(thread);
}
int target_space_blank(struct target_space **space)
{
    if (space_reply)
        *space = space_reply;
    return (int)reply;
}
int64_t target_thread_cputime(const struct target_thread *thread)
{
    return reply;
}
int64_t target_space_cputime(const struct target_thread *thread)
{
    return reply;
}
void target_fault_counts(bool whole_space, uint64_t *minor, uint64_t *major)
{
    *minor = counts[0];
    *major = counts[1];
}
int target_affinity_get(void *mask, size_t len)
{
    memcpy(mask, mask_reply, mask_size);
    return (int)reply;
}
int target_affinity_set(const struct target_thread *thread, const void *mask, size_t len)
{
    return (int)reply;
}
int target_memory_barrier(bool all, bool instructions)
{
    return (int)reply;
}
int64_t target_clock_read(enum target_clock clock)
{
    return clock_reply;
}
int64_t target_clock_resolution(enum target_clock clock)
{
    return reply;
}
uintptr_t target_vdso_clock_gettime(void)
{
    return (uintptr_t)reply;
}
uintptr_t target_call_gate(void)
{
    return (uintptr_t)reply;
}
int target_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    return (int)reply;
}
size_t target_xstate_size(void)
{
    return size_reply;
}
void *target_xstate(struct target_thread *thread)
{
    return place_reply;
}

/* What is called here, and answers nothing. */
void target_wake(const uint32_t *word, uint32_t n)
{
}
void target_service_wake(void)
{
}
void target_thread_kick(struct target_thread *thread)
{
}
void target_thread_copy_context(struct target_thread *to)
{
}
void target_context_reset(void)
{
}
void target_thread_lend(struct target_thread *thread)
{
}
void target_space_discard(struct target_space *space)
{
}
void target_thread_move(struct target_space *space)
{
}
void target_thread_exit(void)
{
    abort();
}
void target_thread_probe(struct target_thread *thread)
{
}
void target_bases_read(void)
{
}
void target_bases_write(void)
{
}
void target_exit(int status)
{
    abort();
}
void target_suspend(void)
{
}
void target_xstate_reset(void)
{
}

/* ---- threads and spaces ---- */

static int blank(void)
{
    struct target_space *space = (struct target_space *)8;

    return host_space_blank(&space);
}

/* breaks: thread_start_result space_fork_result space_blank_result memory_barrier_result */
static void a_thread_starts_or_does_not(void **state)
{
    static const int lies[] = {1, 4711, INT_MAX, -1, -EINTR, -ENOSYS, -512, INT_MIN};
    static const int errors[] = {0, -ENOMEM, -EAGAIN};
    struct self thread = {0};

    space_reply = (struct target_space *)16;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        reply = errors[i];
        assert_int_equal(host_thread_start(&thread), errors[i]);
        assert_int_equal(host_space_fork(&thread), errors[i]);
        assert_int_equal(blank(), errors[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        reply = lies[i];
        assert_int_equal(host_thread_start(&thread), -EAGAIN);
        assert_int_equal(host_space_fork(&thread), -EAGAIN);
        assert_int_equal(blank(), -EAGAIN);
        assert_int_equal(host_memory_barrier(false, false), -ENOSYS);
    }
    reply = 0;
    assert_int_equal(host_memory_barrier(false, false), 0);
}

static void expect_start(int (*start)(struct self *), int reply_, bool taken, int result)
{
    struct self thread = {0};

    reply = reply_;
    takes_start = taken;
    assert_int_equal(start(&thread), result);
    assert_int_equal(thread.thread.gone, result < 0); /* then its block can be used again */
    if (result < 0)
        assert_int_equal(thread.thread.start, 0); /* a host thread that comes later ends */
}

/* breaks: thread_start_denied space_fork_denied */
static void a_thread_that_runs_has_started_whatever_the_host_says(void **state)
{
    static int (*const starts[])(struct self *) = {host_thread_start, host_space_fork};

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        expect_start(starts[i], 0, true, 0);
        expect_start(starts[i], 0, false, 0); /* it comes later, or never, as it likes */
        expect_start(starts[i], -ENOMEM, true, 0);
        expect_start(starts[i], -4711, true, 0);
        expect_start(starts[i], -ENOMEM, false, -ENOMEM);
        denies_start = true;
        expect_start(starts[i], -ENOMEM, false, -ENOMEM);
        denies_start = false;
    }
    takes_start = false;
}

static void no_two_starts_have_one_number(void **state)
{
    struct self thread = {0};
    u64 first;

    reply = 0;
    host_thread_start(&thread);
    first = thread.thread.start;
    host_thread_start(&thread);
    assert_true(first && thread.thread.start && first != thread.thread.start);
}

/* breaks: space_blank_space */
static void a_space_that_was_not_named_is_none(void **state)
{
    reply = 0;
    space_reply = NULL;
    assert_int_equal(blank(), -EAGAIN);
    space_reply = (struct target_space *)16;
    assert_int_equal(blank(), 0);
}

/* breaks: thread_gone thread_report */
static void a_thread_says_in_one_way_where_it_is(void **state)
{
    struct self thread = {0};
    u64 rip, rbp;

    assert_false(host_thread_gone(&thread));
    assert_false(host_thread_where(&thread, &rip, &rbp));
    thread.thread.gone = 1;
    thread.thread.report = 2;
    thread.thread.report_rip = 7;
    assert_true(host_thread_gone(&thread));
    assert_true(host_thread_where(&thread, &rip, &rbp));
    assert_int_equal(rip, 7);
    for (u32 lie = 2; lie; lie <<= 1) {
        thread.thread.gone = lie;
        thread.thread.report = lie + 1;
        assert_false(host_thread_gone(&thread));
        assert_false(host_thread_where(&thread, &rip, &rbp));
    }
}

static ktime cputime_after(ktime (*read)(struct self *), struct self *thread, int64_t told)
{
    reply = told;
    return read(thread);
}

/* breaks: thread_cputime_range thread_cputime_backwards space_cputime_range space_cputime_backwards */
static void cpu_time_goes_forwards_until_the_thread_moves(void **state)
{
    ktime (*const reads[])(struct self *) = {host_thread_cputime, host_space_cputime};

    for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
        test_self = (struct self){0};
        assert_int_equal(cputime_after(reads[i], &test_self, 5), 5);
        assert_int_equal(cputime_after(reads[i], &test_self, 9), 9);
        assert_int_equal(cputime_after(reads[i], &test_self, 8), 9);
        assert_int_equal(cputime_after(reads[i], &test_self, INT64_MIN), 9);
        assert_int_equal(cputime_after(reads[i], &test_self, INT64_MAX), 9);
        host_thread_move((struct target_space *)16);
        assert_int_equal(cputime_after(reads[i], &test_self, 2), 2);
        test_self = (struct self){0};
        assert_int_equal(cputime_after(reads[i], &test_self, -1), 0);
        assert_int_equal(cputime_after(reads[i], &test_self, INT64_MAX), 0);
    }
}

/* breaks: fault_counts_minor fault_counts_major */
static void counts_of_faults_can_be_added(void **state)
{
    u64 minor, major;

    counts[0] = 3;
    counts[1] = 4;
    host_fault_counts(true, &minor, &major);
    assert_int_equal(minor, 3);
    assert_int_equal(major, 4);
    counts[0] = UINT64_MAX;
    host_fault_counts(true, &minor, &major);
    assert_true(minor == UINT32_MAX && major == 4);
    counts[1] = 1UL << 32;
    host_fault_counts(true, &minor, &major);
    assert_true(minor == UINT32_MAX && major == UINT32_MAX);
}

static size_t affinity(int64_t told, const char *bits, size_t size, u8 *mask, size_t len)
{
    reply = told;
    mask_size = size;
    memcpy(mask_reply, bits, size);
    return host_affinity(mask, len);
}

/* breaks: affinity_get_count affinity_get_mask */
static void a_processor_is_left_to_run_on(void **state)
{
    u8 mask[32];

    assert_int_equal(affinity(8, "\x06\0\0\0\0\0\0\0", 8, mask, 16), 8);
    assert_memory_equal(mask, "\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    /* more than was told is not taken */
    assert_int_equal(affinity(8, "\x06\0\0\0\0\0\0\0\x11\x11", 10, mask, 16), 8);
    assert_memory_equal(mask, "\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    /* too many, none, an error, no processor */
    assert_int_equal(affinity(17, "\x06", 1, mask, 16), 8);
    assert_int_equal(mask[0], 1);
    assert_int_equal(affinity(0, "\x06", 1, mask, 16), 8);
    assert_int_equal(mask[0], 1);
    assert_int_equal(affinity(-EINVAL, "\x06", 1, mask, 16), 8);
    assert_int_equal(mask[0], 1);
    assert_int_equal(affinity(8, "\0\0\0\0\0\0\0\0\x01", 9, mask, 16), 8);
    assert_memory_equal(mask, "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

/* ---- the extended state ---- */

/* The end of FXSAVE's 512 bytes, of which Linux uses the part that the processor leaves: struct _fpx_sw_bytes. */
static struct {
    u8 fxsave[464];
    struct _fpx_sw_bytes head;
    u8 more[4096];
} own_state __attribute__((aligned(64)));

#define STATE_SIZE 2696 /* AVX-512 */

static void state_says(u32 magic, u32 extended_size, u32 xstate_size)
{
    own_state.head.magic1 = magic;
    own_state.head.extended_size = extended_size;
    own_state.head.xstate_size = xstate_size;
}

static int start_with(size_t size)
{
    size_reply = size;
    return host_xstate_start();
}

/* breaks: xstate_size */
static void the_size_of_the_state_is_possible_and_asked_once(void **state)
{
    assert_int_equal(start_with(0), -EIO);
    assert_int_equal(start_with(511), -EIO);
    assert_int_equal(start_with(16385), -EIO);
    assert_int_equal(start_with(SIZE_MAX), -EIO);
    assert_int_equal(start_with(512), 0);
    assert_int_equal(start_with(STATE_SIZE), 0);
    size_reply = 4096;
    assert_int_equal(host_xstate_size(), STATE_SIZE);
}

/* breaks: xstate_place xstate_head */
static void the_state_lies_where_it_can_and_knows_its_size(void **state)
{
    struct self thread = {0};

    assert_int_equal(start_with(STATE_SIZE), 0);
    place_reply = &own_state;
    state_says(FP_XSTATE_MAGIC1, STATE_SIZE, STATE_SIZE - 4);
    assert_ptr_equal(host_xstate(&thread), &own_state);
    state_says(0, UINT32_MAX, UINT32_MAX); /* a legacy frame says nothing */
    assert_ptr_equal(host_xstate(&thread), &own_state);

    state_says(FP_XSTATE_MAGIC1, STATE_SIZE + 1, STATE_SIZE - 4);
    assert_null(host_xstate(&thread));
    state_says(FP_XSTATE_MAGIC1, STATE_SIZE, STATE_SIZE - 3);
    assert_null(host_xstate(&thread));
    state_says(FP_XSTATE_MAGIC1, STATE_SIZE, UINT32_MAX);
    assert_null(host_xstate(&thread));
    state_says(FP_XSTATE_MAGIC1, STATE_SIZE, 575); /* shorter than its own head */
    assert_null(host_xstate(&thread));

    state_says(FP_XSTATE_MAGIC1, STATE_SIZE, STATE_SIZE - 4);
    place_reply = (char *)&own_state + 16;
    assert_null(host_xstate(&thread));
    place_reply = NULL;
    assert_null(host_xstate(&thread));
}

/* ---- clocks ---- */

static ktime read_after(enum host_clock clock, int64_t told)
{
    clock_reply = told;
    return host_clock_read(clock);
}

/* breaks: clock_read_backwards */
static void monotonic_time_never_steps_back(void **state)
{
    static const enum host_clock clocks[] = {HOST_CLOCK_MONOTONIC, HOST_CLOCK_BOOTTIME};

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        assert_int_equal(read_after(clocks[i], 1000), 1000);
        assert_int_equal(read_after(clocks[i], 2000), 2000);
        assert_int_equal(read_after(clocks[i], 1999), 2000);
        assert_int_equal(read_after(clocks[i], 0), 2000);
        assert_int_equal(read_after(clocks[i], 2001), 2001);
    }
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, 2000), 2000);
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, 1000), 1000); /* that one is set */
}

/* breaks: clock_read_range */
static void time_can_be_reckoned_with(void **state)
{
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, -1), 0);
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, INT64_MIN), 0);
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, INT64_MAX), INT64_MAX / 2);
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, INT64_MAX / 2 + 1), INT64_MAX / 2);
    assert_int_equal(read_after(HOST_CLOCK_REALTIME, INT64_MAX / 2), INT64_MAX / 2);
    /* Deadlines lie ahead of it, and must come. */
    assert_int_equal(read_after(HOST_CLOCK_MONOTONIC, 5000), 5000);
    assert_int_equal(read_after(HOST_CLOCK_MONOTONIC, INT64_MAX), 5000);
    assert_int_equal(read_after(HOST_CLOCK_MONOTONIC, -1), 5000);
    assert_int_equal(read_after(HOST_CLOCK_MONOTONIC, 5001), 5001);
}

/* breaks: clock_resolution_range */
static void a_clock_ticks_at_least_once_a_second(void **state)
{
    static const int64_t lies[] = {0, -1, INT64_MIN, 1000000001, INT64_MAX};

    reply = 1000000000;
    assert_int_equal(host_clock_resolution(HOST_CLOCK_REALTIME), 1000000000);
    reply = 4;
    assert_int_equal(host_clock_resolution(HOST_CLOCK_REALTIME), 4);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        reply = lies[i];
        assert_int_equal(host_clock_resolution(HOST_CLOCK_REALTIME), 1);
    }
}

/* breaks: vdso_place */
static void the_program_calls_the_hosts_code_where_that_is_mapped(void **state)
{
    static const uint64_t lies[] = {
        1, 0x400000, MYST_TEXT_BASE, MYST_HOST_BASE - 1, MYST_WINDOW_BASE, UINT64_MAX};

    reply = 0;
    assert_int_equal(host_vdso_clock_gettime(), 0);
    reply = (int64_t)MYST_HOST_BASE + 64;
    assert_int_equal(host_vdso_clock_gettime(), MYST_HOST_BASE + 64);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        reply = (int64_t)lies[i];
        assert_int_equal(host_vdso_clock_gettime(), 0);
    }
}

/* breaks: call_gate_place */
static void programs_jump_to_the_kernels_own_code(void **state)
{
    static const uint64_t lies[] = {1, 0x400000, MYST_RANGE_START - 1, MYST_RANGE_END, UINT64_MAX};

    reply = 0;
    assert_int_equal(host_call_gate(), 0);
    reply = (int64_t)MYST_TEXT_BASE + 64;
    assert_int_equal(host_call_gate(), MYST_TEXT_BASE + 64);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        reply = (int64_t)lies[i];
        assert_int_equal(host_call_gate(), 0);
    }
}

/* ---- waiting ---- */

static int wait_after(int64_t told, ktime now, ktime deadline)
{
    u32 word = 0;

    reply = told;
    clock_reply = now;
    return host_wait(&word, 0, deadline);
}

/* breaks: wait_result wait_early */
static void a_wait_ends_at_its_deadline_or_looks_again(void **state)
{
    static const int lies[] = {1, INT_MAX, -EINTR, -EAGAIN, -EFAULT, -512, INT_MIN};
    const ktime start = 1000000;

    assert_int_equal(wait_after(0, start, start + 10), 0);
    assert_int_equal(wait_after(-ETIMEDOUT, start + 9, start + 10), 0); /* too early */
    assert_int_equal(wait_after(-ETIMEDOUT, start + 10, start + 10), -ETIMEDOUT);
    assert_int_equal(wait_after(-ETIMEDOUT, start + 10, KTIME_FOREVER), 0); /* never */
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        assert_int_equal(wait_after(lies[i], start + 20, start + 10), 0);
}

/* ---- what is handed in ---- */

/* breaks: fault_signo fault_code fault_trapno */
static void a_fault_is_one_that_a_processor_can_have(void **state)
{
    static const u32 signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct target_fault told = {.code = 1, .address = 5, .trapno = 14, .error = 6}, fault;

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        told.signo = signals[i];
        fault = host_fault(&told);
        assert_memory_equal(&fault, &told, sizeof(fault));
    }
    told.signo = SIGKILL;
    assert_int_equal(host_fault(&told).signo, SIGSEGV);
    told.signo = 0;
    assert_int_equal(host_fault(&told).signo, SIGSEGV);
    told.signo = UINT32_MAX;
    assert_int_equal(host_fault(&told).signo, SIGSEGV);

    told.code = 0; /* SI_USER: somebody's kill() */
    assert_int_equal(host_fault(&told).code, 0x80);
    told.code = -1;
    assert_int_equal(host_fault(&told).code, 0x80);
    told.code = 0x81;
    assert_int_equal(host_fault(&told).code, 0x80);

    told.trapno = 31;
    assert_int_equal(host_fault(&told).trapno, 31);
    told.trapno = 32;
    assert_int_equal(host_fault(&told).trapno, 13);
    told.trapno = UINT64_MAX;
    assert_int_equal(host_fault(&told).trapno, 13);
}

/* breaks: event_signal */
static void an_event_is_a_signal_or_nothing(void **state)
{
    static const int lies[] = {0, -1, INT_MIN, 129, 130, INT_MAX};
    bool terminal;

    assert_int_equal(host_event_signal(SIGTERM, &terminal), SIGTERM);
    assert_false(terminal);
    assert_int_equal(host_event_signal(64, &terminal), 64);
    assert_false(terminal);
    assert_int_equal(host_event_signal(TARGET_EVENT_TTY_SIGNAL + SIGINT, &terminal), SIGINT);
    assert_true(terminal);
    assert_int_equal(host_event_signal(TARGET_EVENT_TTY_SIGNAL + 64, &terminal), 64);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        assert_int_equal(host_event_signal(lies[i], &terminal), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_starts_or_does_not),
        cmocka_unit_test(a_thread_that_runs_has_started_whatever_the_host_says),
        cmocka_unit_test(no_two_starts_have_one_number),
        cmocka_unit_test(a_space_that_was_not_named_is_none),
        cmocka_unit_test(a_thread_says_in_one_way_where_it_is),
        cmocka_unit_test(cpu_time_goes_forwards_until_the_thread_moves),
        cmocka_unit_test(counts_of_faults_can_be_added),
        cmocka_unit_test(a_processor_is_left_to_run_on),
        cmocka_unit_test(the_size_of_the_state_is_possible_and_asked_once),
        cmocka_unit_test(the_state_lies_where_it_can_and_knows_its_size),
        cmocka_unit_test(monotonic_time_never_steps_back),
        cmocka_unit_test(time_can_be_reckoned_with),
        cmocka_unit_test(a_clock_ticks_at_least_once_a_second),
        cmocka_unit_test(the_program_calls_the_hosts_code_where_that_is_mapped),
        cmocka_unit_test(programs_jump_to_the_kernels_own_code),
        cmocka_unit_test(a_wait_ends_at_its_deadline_or_looks_again),
        cmocka_unit_test(a_fault_is_one_that_a_processor_can_have),
        cmocka_unit_test(an_event_is_a_signal_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
