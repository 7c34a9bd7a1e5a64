/* futex_waitv.c: futex_waitv(2), and the calls futex_wait, futex_wake and futex_requeue. */
#include "../lib/child.h"

#include <linux/futex.h>
#include <pthread.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define CALL_FUTEX_WAKE    454
#define CALL_FUTEX_WAIT    455
#define CALL_FUTEX_REQUEUE 456

#define SIZE_U32  2   /* FUTEX2_SIZE_U32 */
#define PRIVATE   128 /* FUTEX2_PRIVATE */
#define EVERY_BIT 0xffffffffUL

/* As in linux/futex.h; older headers do not have it. */
struct wait_entry {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static struct wait_entry entry(volatile int *word, int value)
{
    return (struct wait_entry){
        .value = (uint64_t)value, .address = (uintptr_t)word, .flags = SIZE_U32 | PRIVATE};
}

static long waitv(struct wait_entry *entries, unsigned count, struct timespec *deadline)
{
    long got = SYS(SYS_futex_waitv, entries, count, 0, deadline, CLOCK_MONOTONIC);

    if (got == -ENOSYS) {
        skip_because("futex_waitv is not in the running kernel");
    }
    return got;
}

static struct timespec soon(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += PATIENCE_MS / 1000;
    return at;
}

struct waiter {
    volatile int *words;
    volatile pid_t tid;
    volatile long result;
    pthread_t thread;
};

static void *wait_for_three(void *arg)
{
    struct waiter *waiter = arg;
    struct wait_entry entries[3] = {entry(&waiter->words[0], 0), entry(&waiter->words[1], 0),
                                    entry(&waiter->words[2], 0)};
    struct timespec at = soon();

    waiter->tid = (pid_t)SYS(SYS_gettid);
    waiter->result = SYS(SYS_futex_waitv, entries, 3, 0, &at, CLOCK_MONOTONIC);
    return NULL;
}

/* covers: futex_waitv futex FUTEX_WAKE */
static void waitv_returns_the_index_of_the_woken_word(void **state)
{
    volatile int words[3] = {0, 0, 0}, probe = 0;
    struct wait_entry other = entry(&probe, 1);

    (void)state;
    need_eq(waitv(&other, 1, NULL), -EAGAIN);
    for (int i = 0; i < 3; i++) {
        struct waiter waiter = {.words = words};

        need_eq(pthread_create(&waiter.thread, NULL, wait_for_three, &waiter), 0);
        need(wait_until(waiter.tid != 0 && thread_state(waiter.tid) == 'S'));
        need_eq(SYS(SYS_futex, &words[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
        need_eq(pthread_join(waiter.thread, NULL), 0);
        need_eq(waiter.result, i);
    }
}

/* covers: futex_waitv EAGAIN */
static void any_other_value_is_eagain(void **state)
{
    volatile int words[2] = {3, 4};
    struct wait_entry entries[2] = {entry(&words[0], 3), entry(&words[1], 5)};

    (void)state;
    need_eq(waitv(entries, 2, NULL), -EAGAIN);
}

/* covers: futex_waitv ETIMEDOUT */
static void deadline_is_absolute(void **state)
{
    volatile int word = 0;
    struct wait_entry one = entry(&word, 0);
    struct timespec at;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &at);
    need_eq(waitv(&one, 1, &at), -ETIMEDOUT);
}

/* covers: futex_waitv EINVAL EFAULT */
static void waitv_checks_its_arguments(void **state)
{
    volatile int word = 0;
    struct wait_entry one = entry(&word, 0);

    (void)state;
    need_eq(waitv(&one, 0, NULL), -EINVAL);
    need_eq(waitv(&one, 129, NULL), -EINVAL);
    need_eq(SYS(SYS_futex_waitv, &one, 1, 1, NULL, CLOCK_MONOTONIC), -EINVAL);
    need_eq(waitv(NULL, 1, NULL), -EINVAL);
    need_eq(waitv(BAD_PTR, 1, NULL), -EFAULT);
    one.reserved = 1;
    need_eq(waitv(&one, 1, NULL), -EINVAL);
    one = entry(&word, 0);
    one.flags |= 0x40000000;
    need_eq(waitv(&one, 1, NULL), -EINVAL);
    one = entry(&word, 0);
    one.address++;
    need_eq(waitv(&one, 1, NULL), -EINVAL);
    one = entry(BAD_PTR, 0);
    need_eq(waitv(&one, 1, NULL), -EFAULT);
}

static long wake(volatile int *word, unsigned long mask, int count, unsigned flags)
{
    long got = SYS(CALL_FUTEX_WAKE, word, mask, count, flags);

    if (got == -ENOSYS) {
        skip_because("futex_wake is not in the running kernel");
    }
    return got;
}

static void *wait_for_one(void *arg)
{
    struct waiter *waiter = arg;
    struct timespec at = soon();

    waiter->tid = (pid_t)SYS(SYS_gettid);
    waiter->result =
        SYS(CALL_FUTEX_WAIT, waiter->words, 0, 5, SIZE_U32 | PRIVATE, &at, CLOCK_MONOTONIC);
    return NULL;
}

/* covers: futex_wait FUTEX2_SIZE_U32 FUTEX2_PRIVATE futex_wake FUTEX2_SIZE_U32 FUTEX2_PRIVATE */
static void wake_with_a_common_bit_wakes_a_waiter(void **state)
{
    volatile int word = 0;
    struct waiter waiter = {.words = &word};

    (void)state;
    need_eq(wake(&word, EVERY_BIT, 1, SIZE_U32 | PRIVATE), 0);
    need_eq(pthread_create(&waiter.thread, NULL, wait_for_one, &waiter), 0);
    need(wait_until(waiter.tid != 0 && thread_state(waiter.tid) == 'S'));
    need_eq(wake(&word, 2, 1, SIZE_U32 | PRIVATE), 0);
    need_eq(wake(&word, 4, 1, SIZE_U32 | PRIVATE), 1);
    need_eq(pthread_join(waiter.thread, NULL), 0);
    need_eq(waiter.result, 0);
}

/* covers: futex_wait EAGAIN EINVAL ETIMEDOUT futex_wake EINVAL */
static void wait_and_wake_check_their_arguments(void **state)
{
    volatile int word = 7;
    struct timespec at;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &at);
    need_eq(wake(&word, EVERY_BIT, 1, 0), -EINVAL);
    need_eq(wake(&word, EVERY_BIT, 1, 0x1000), -EINVAL);
    need_eq(wake(&word, 0, 1, SIZE_U32), -EINVAL);
    need_eq(SYS(CALL_FUTEX_WAIT, &word, 8, EVERY_BIT, SIZE_U32, NULL, 0), -EAGAIN);
    need_eq(SYS(CALL_FUTEX_WAIT, &word, 7, 0, SIZE_U32, NULL, 0), -EINVAL);
    need_eq(SYS(CALL_FUTEX_WAIT, &word, 7, EVERY_BIT, 0x1000, NULL, 0), -EINVAL);
    need_eq(SYS(CALL_FUTEX_WAIT, &word, 7, EVERY_BIT, SIZE_U32, &at, CLOCK_MONOTONIC), -ETIMEDOUT);
    need_eq(SYS(CALL_FUTEX_WAIT, &word, 7, EVERY_BIT, SIZE_U32, &at, 77), -EINVAL);
}

/* covers: futex_requeue EAGAIN EINVAL */
static void requeue_moves_waiters_when_the_value_holds(void **state)
{
    volatile int from = 0, to = 0;
    struct wait_entry pair[2] = {entry(&from, 0), entry(&to, 0)};
    struct waiter waiter = {.words = &from};

    (void)state;
    need_eq(wake(&from, EVERY_BIT, 1, SIZE_U32 | PRIVATE), 0);
    need_eq(pthread_create(&waiter.thread, NULL, wait_for_one, &waiter), 0);
    need(wait_until(waiter.tid != 0 && thread_state(waiter.tid) == 'S'));
    pair[0].value = 9;
    need_eq(SYS(CALL_FUTEX_REQUEUE, pair, 0, 0, 10), -EAGAIN);
    need_eq(SYS(CALL_FUTEX_REQUEUE, pair, 1, 0, 10), -EINVAL);
    need_eq(SYS(CALL_FUTEX_REQUEUE, NULL, 0, 0, 10), -EINVAL);
    pair[0].value = 0;
    need_eq(SYS(CALL_FUTEX_REQUEUE, pair, 0, 0, 10), 1);
    need_eq(wake(&from, EVERY_BIT, 1, SIZE_U32 | PRIVATE), 0);
    need_eq(wake(&to, EVERY_BIT, 1, SIZE_U32 | PRIVATE), 1);
    need_eq(pthread_join(waiter.thread, NULL), 0);
    need_eq(waiter.result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waitv_returns_the_index_of_the_woken_word),
        cmocka_unit_test(any_other_value_is_eagain),
        cmocka_unit_test(deadline_is_absolute),
        cmocka_unit_test(waitv_checks_its_arguments),
        cmocka_unit_test(wake_with_a_common_bit_wakes_a_waiter),
        cmocka_unit_test(wait_and_wake_check_their_arguments),
        cmocka_unit_test(requeue_moves_waiters_when_the_value_holds),
    };

    return cmocka_run_group_tests_name("futex/futex_waitv", tests, NULL, NULL);
}
