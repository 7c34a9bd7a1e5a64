/* futex_wait.c: futex(2), waiting and waking: WAIT, WAKE, the BITSET forms, timeouts. */
/* tags: trap */
#include "../lib/child.h"

#include <linux/futex.h>
#include <pthread.h>

static long futex(volatile int *word, int op, int value, const struct timespec *timeout,
                  volatile int *word2, int value3)
{
    return SYS(SYS_futex, word, op, value, timeout, word2, value3);
}

struct waiter {
    volatile int *word;
    int op, value, mask;
    volatile pid_t tid;
    volatile long result;
    volatile int done;
    pthread_t thread;
};

static void *wait_here(void *arg)
{
    struct waiter *waiter = arg;

    waiter->tid = (pid_t)SYS(SYS_gettid);
    waiter->result = futex(waiter->word, waiter->op, waiter->value, NULL, NULL, waiter->mask);
    waiter->done = 1;
    return NULL;
}

static void start_waiter(struct waiter *waiter)
{
    waiter->tid = 0;
    waiter->done = 0;
    waiter->result = -9999;
    need_eq(pthread_create(&waiter->thread, NULL, wait_here, waiter), 0);
    need(wait_until(waiter->tid != 0 && thread_state(waiter->tid) == 'S'));
}

static void end_waiter(struct waiter *waiter)
{
    need_eq(pthread_join(waiter->thread, NULL), 0);
}

/* covers: futex EAGAIN FUTEX_WAIT FUTEX_WAIT_BITSET */
static void other_value_is_eagain(void **state)
{
    volatile int word = 5;

    (void)state;
    need_eq(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), -EAGAIN);
    need_eq(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 6, NULL, NULL, 0), -EAGAIN);
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 4, NULL, NULL, FUTEX_BITSET_MATCH_ANY), -EAGAIN);
}

/* covers: futex FUTEX_WAKE */
static void wake_without_waiter_is_zero(void **state)
{
    volatile int word = 0;

    (void)state;
    need_eq(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    need_eq(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1000, NULL, NULL, 0), 0);
}

/* covers: futex FUTEX_WAIT FUTEX_WAKE FUTEX_PRIVATE_FLAG */
static void wake_wakes_a_waiter(void **state)
{
    static const int flags[] = {0, FUTEX_PRIVATE_FLAG};
    volatile int word = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct waiter waiter = {.word = &word, .op = FUTEX_WAIT | flags[i]};

        start_waiter(&waiter);
        need_eq(waiter.done, 0);
        need_eq(futex(&word, FUTEX_WAKE | flags[i], 1, NULL, NULL, 0), 1);
        end_waiter(&waiter);
        need_eq(waiter.result, 0);
    }
}

/* covers: futex FUTEX_WAKE */
static void wake_wakes_as_many_as_asked(void **state)
{
    volatile int word = 0;
    struct waiter waiter[4];
    int done = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        waiter[i] = (struct waiter){.word = &word, .op = FUTEX_WAIT_PRIVATE};
        start_waiter(&waiter[i]);
    }
    need_eq(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
    need(wait_until(waiter[0].done + waiter[1].done + waiter[2].done + waiter[3].done == 2));
    for (int i = 0; i < 4; i++) {
        done += waiter[i].done;
    }
    need_eq(done, 2);
    need_eq(futex(&word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0), 2);
    for (int i = 0; i < 4; i++) {
        end_waiter(&waiter[i]);
        need_eq(waiter[i].result, 0);
    }
}

/* covers: futex FUTEX_WAIT */
static void change_of_the_word_alone_wakes_nobody(void **state)
{
    volatile int word = 0;
    struct waiter waiter = {.word = &word, .op = FUTEX_WAIT_PRIVATE};

    (void)state;
    start_waiter(&waiter);
    word = 1;
    for (int i = 0; i < 10; i++) {
        nap();
    }
    need_eq(waiter.done, 0);
    need_eq(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    end_waiter(&waiter);
}

/* covers: futex FUTEX_WAKE */
static void waiters_on_different_words_are_apart(void **state)
{
    volatile int words[2] = {0, 0};
    struct waiter waiter = {.word = &words[0], .op = FUTEX_WAIT_PRIVATE};

    (void)state;
    start_waiter(&waiter);
    need_eq(futex(&words[1], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    need_eq(futex(&words[0], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
    end_waiter(&waiter);
}

/* covers: futex ETIMEDOUT FUTEX_WAIT */
static void relative_timeout_is_etimedout(void **state)
{
    volatile int word = 0;
    int64_t start = now_ms();

    (void)state;
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_nsec = 20000000}, NULL, 0),
            -ETIMEDOUT);
    need(now_ms() - start >= 19);
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){0}, NULL, 0), -ETIMEDOUT);
}

/* covers: futex ETIMEDOUT FUTEX_WAIT_BITSET FUTEX_CLOCK_REALTIME */
static void bitset_timeout_is_absolute_on_either_clock(void **state)
{
    volatile int word = 0;
    struct timespec at;
    int64_t start = now_ms();

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &at);
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, FUTEX_BITSET_MATCH_ANY), -ETIMEDOUT);
    at.tv_nsec += 20000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, FUTEX_BITSET_MATCH_ANY), -ETIMEDOUT);
    need(now_ms() - start >= 19);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec--;
    need_eq(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &at, NULL,
                  FUTEX_BITSET_MATCH_ANY),
            -ETIMEDOUT);
}

/* covers: futex EINVAL FUTEX_WAIT */
static void malformed_timeout_is_einval(void **state)
{
    volatile int word = 0;

    (void)state;
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_nsec = 1000000000}, NULL, 0),
            -EINVAL);
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_nsec = -1}, NULL, 0), -EINVAL);
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_sec = -1}, NULL, 0), -EINVAL);
}

/* covers: futex EFAULT FUTEX_WAIT FUTEX_WAKE */
static void bad_pointers_are_efault(void **state)
{
    volatile int word = 0;

    (void)state;
    need_eq(futex(BAD_PTR, FUTEX_WAIT, 0, NULL, NULL, 0), -EFAULT);
    need_eq(futex(BAD_PTR, FUTEX_WAKE, 1, NULL, NULL, 0), -EFAULT);
    need_eq(futex(NULL, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), -EFAULT);
    need_eq(futex(&word, FUTEX_WAIT, 0, BAD_PTR, NULL, 0), -EFAULT);
}

/* covers: futex EINVAL FUTEX_WAIT FUTEX_WAKE */
static void unaligned_word_is_einval(void **state)
{
    volatile int words[2] = {0, 0};
    volatile int *odd = (volatile int *)((uintptr_t)words + 1);

    (void)state;
    need_eq(futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0), -EINVAL);
    need_eq(futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0), -EINVAL);
}

/* covers: futex ENOSYS */
static void unknown_operation_is_enosys(void **state)
{
    volatile int word = 0;

    (void)state;
    need_eq(futex(&word, 99, 0, NULL, NULL, 0), -ENOSYS);
    need_eq(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), -ENOSYS);
}

/* covers: futex EINVAL FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET */
static void empty_bitset_is_einval(void **state)
{
    volatile int word = 0;

    (void)state;
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), -EINVAL);
    need_eq(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), -EINVAL);
}

/* covers: futex FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET */
static void only_waiters_with_a_common_bit_are_woken(void **state)
{
    volatile int word = 0;
    struct waiter one = {.word = &word, .op = FUTEX_WAIT_BITSET_PRIVATE, .mask = 1};
    struct waiter two = {.word = &word, .op = FUTEX_WAIT_BITSET_PRIVATE, .mask = 6};

    (void)state;
    start_waiter(&one);
    start_waiter(&two);
    need_eq(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 8), 0);
    need_eq(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4), 1);
    end_waiter(&two);
    need_eq(one.done, 0);
    need_eq(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
    end_waiter(&one);
}

struct shared_words {
    volatile int word;
    volatile pid_t ready;
};

static int wait_in_child(void *arg)
{
    struct shared_words *words = arg;

    words->ready = getpid();
    return futex(&words->word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1;
}

static void woken_through(struct shared_words *child_view, struct shared_words *own_view)
{
    pid_t pid = child_start(wait_in_child, child_view);

    need(wait_until(own_view->ready == pid && process_state(pid) == 'S'));
    need_eq(futex(&own_view->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    need_eq(futex(&own_view->word, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    need_eq(child_end(pid), 0);
}

/* covers: futex FUTEX_WAIT FUTEX_WAKE MAP_SHARED */
static void shared_memory_wakes_another_process_and_private_does_not(void **state)
{
    struct shared_words *words = shared_alloc(4096);

    (void)state;
    woken_through(words, words);
}

/* covers: futex FUTEX_WAIT FUTEX_WAKE MAP_SHARED */
static void two_mappings_of_one_file_are_the_same_futex(void **state)
{
    int fd = memfd_create("futex", MFD_CLOEXEC);
    struct shared_words *one, *two;

    (void)state;
    need_eq(ftruncate(fd, 4096), 0);
    one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(one != MAP_FAILED && two != MAP_FAILED && one != two);
    woken_through(one, two);
    munmap(one, 4096);
    munmap(two, 4096);
    close(fd);
}

static struct shared_words private_words;

/* covers: futex FUTEX_WAIT FUTEX_WAKE fork */
static void private_memory_after_fork_is_another_futex(void **state)
{
    pid_t pid;

    (void)state;
    private_words.word = 0;
    pid = child_start(wait_in_child, &private_words);
    need(wait_until(process_state(pid) == 'S'));
    need_eq(futex(&private_words.word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: futex FUTEX_WAIT EINTR */
static void handler_without_sa_restart_ends_a_wait_with_eintr(void **state)
{
    volatile int word = 0;
    struct timespec at;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 30;
    interrupts_start(0);
    need_eq(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), -EINTR);
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, FUTEX_BITSET_MATCH_ANY), -EINTR);
    interrupts_stop();
}

/* covers: futex FUTEX_WAIT FUTEX_WAIT_BITSET EINTR SA_RESTART */
static void timed_wait_is_eintr_also_with_sa_restart(void **state)
{
    volatile int word = 0;
    struct timespec at;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 30;
    interrupts_start(SA_RESTART);
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_sec = 30}, NULL, 0), -EINTR);
    need_eq(futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, FUTEX_BITSET_MATCH_ANY), -EINTR);
    interrupts_stop();
}

static int stop_parent(void *arg)
{
    pid_t parent = getppid();

    (void)arg;
    need(wait_until(process_state(parent) == 'S'));
    need_eq(kill(parent, SIGSTOP), 0);
    need(wait_until(process_state(parent) == 'T'));
    need_eq(kill(parent, SIGCONT), 0);
    return 0;
}

static int timed_wait_over_a_stop(void *arg)
{
    volatile int word = 0;
    int64_t start = now_ms();
    pid_t pid = child_start(stop_parent, NULL);

    (void)arg;
    need_eq(futex(&word, FUTEX_WAIT, 0, &(struct timespec){.tv_nsec = 100000000}, NULL, 0),
            -ETIMEDOUT);
    need(now_ms() - start >= 99 && now_ms() - start < PATIENCE_MS);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: futex FUTEX_WAIT ETIMEDOUT restart_syscall */
static void stopped_and_continued_wait_keeps_its_deadline(void **state)
{
    (void)state;
    child_passes(timed_wait_over_a_stop, NULL);
}

struct ping {
    volatile int word;
    int rounds;
};

static void *pong(void *arg)
{
    struct ping *ping = arg;

    for (int i = 0; i < ping->rounds; i++) {
        while (ping->word != 1) {
            futex(&ping->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        }
        ping->word = 0;
        futex(&ping->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    return NULL;
}

/* covers: futex FUTEX_WAIT FUTEX_WAKE */
static void two_threads_alternate_without_losing_a_wake(void **state)
{
    struct ping ping = {.rounds = 5000};
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, pong, &ping), 0);
    for (int i = 0; i < ping.rounds; i++) {
        ping.word = 1;
        futex(&ping.word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        while (ping.word != 0) {
            futex(&ping.word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
        }
    }
    need_eq(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_value_is_eagain),
        cmocka_unit_test(wake_without_waiter_is_zero),
        cmocka_unit_test(wake_wakes_a_waiter),
        cmocka_unit_test(wake_wakes_as_many_as_asked),
        cmocka_unit_test(change_of_the_word_alone_wakes_nobody),
        cmocka_unit_test(waiters_on_different_words_are_apart),
        cmocka_unit_test(relative_timeout_is_etimedout),
        cmocka_unit_test(bitset_timeout_is_absolute_on_either_clock),
        cmocka_unit_test(malformed_timeout_is_einval),
        cmocka_unit_test(bad_pointers_are_efault),
        cmocka_unit_test(unaligned_word_is_einval),
        cmocka_unit_test(unknown_operation_is_enosys),
        cmocka_unit_test(empty_bitset_is_einval),
        cmocka_unit_test(only_waiters_with_a_common_bit_are_woken),
        cmocka_unit_test(shared_memory_wakes_another_process_and_private_does_not),
        cmocka_unit_test(two_mappings_of_one_file_are_the_same_futex),
        cmocka_unit_test(private_memory_after_fork_is_another_futex),
        cmocka_unit_test(handler_without_sa_restart_ends_a_wait_with_eintr),
        cmocka_unit_test(timed_wait_is_eintr_also_with_sa_restart),
        cmocka_unit_test(stopped_and_continued_wait_keeps_its_deadline),
        cmocka_unit_test(two_threads_alternate_without_losing_a_wake),
    };

    return cmocka_run_group_tests_name("futex/futex_wait", tests, NULL, NULL);
}
