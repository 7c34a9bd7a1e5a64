/* futex_ops.c: futex(2), requeueing, WAKE_OP, robust lists and priority inheritance. */
#include "../lib/child.h"

#include <linux/futex.h>
#include <pthread.h>

static long futex(volatile int *word, int op, int value, const void *timeout, volatile int *word2,
                  int value3)
{
    return SYS(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, word2, value3);
}

struct waiter {
    volatile int *word;
    volatile pid_t tid;
    volatile long result;
    volatile int done;
    pthread_t thread;
};

static void *wait_here(void *arg)
{
    struct waiter *waiter = arg;

    waiter->tid = (pid_t)SYS(SYS_gettid);
    waiter->result = futex(waiter->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    waiter->done = 1;
    return NULL;
}

static void start_waiters(struct waiter *waiters, int count, volatile int *word)
{
    for (int i = 0; i < count; i++) {
        waiters[i] = (struct waiter){.word = word, .result = -9999};
        need_eq(pthread_create(&waiters[i].thread, NULL, wait_here, &waiters[i]), 0);
        need(wait_until(waiters[i].tid != 0 && thread_state(waiters[i].tid) == 'S'));
    }
}

static void end_waiters(struct waiter *waiters, int count)
{
    for (int i = 0; i < count; i++) {
        need_eq(pthread_join(waiters[i].thread, NULL), 0);
        need_eq(waiters[i].result, 0);
    }
}

/* covers: futex FUTEX_REQUEUE */
static void requeue_wakes_some_and_moves_the_rest(void **state)
{
    volatile int from = 0, to = 0;
    struct waiter waiters[4];

    (void)state;
    start_waiters(waiters, 4, &from);
    /* FUTEX_REQUEUE returns those woken and those moved. */
    need_eq(futex(&from, FUTEX_REQUEUE, 1, (void *)2, &to, 0), 3);
    need_eq(futex(&from, FUTEX_WAKE, 100, NULL, NULL, 0), 1);
    need_eq(futex(&to, FUTEX_WAKE, 100, NULL, NULL, 0), 2);
    end_waiters(waiters, 4);
}

/* covers: futex FUTEX_CMP_REQUEUE EAGAIN */
static void cmp_requeue_checks_the_value(void **state)
{
    volatile int from = 0, to = 0;
    struct waiter waiters[3];

    (void)state;
    start_waiters(waiters, 3, &from);
    need_eq(futex(&from, FUTEX_CMP_REQUEUE, 1, (void *)10, &to, 7), -EAGAIN);
    need_eq(futex(&from, FUTEX_CMP_REQUEUE, 1, (void *)10, &to, 0), 3);
    need_eq(futex(&from, FUTEX_WAKE, 100, NULL, NULL, 0), 0);
    need_eq(futex(&to, FUTEX_WAKE, 100, NULL, NULL, 0), 2);
    end_waiters(waiters, 3);
}

/* covers: futex FUTEX_REQUEUE FUTEX_CMP_REQUEUE EINVAL EFAULT */
static void requeue_checks_counts_and_pointers(void **state)
{
    volatile int from = 0, to = 0;

    (void)state;
    need_eq(futex(&from, FUTEX_REQUEUE, -1, (void *)1, &to, 0), -EINVAL);
    need_eq(futex(&from, FUTEX_CMP_REQUEUE, 1, (void *)-1, &to, 0), -EINVAL);
    need_eq(SYS(SYS_futex, &from, FUTEX_CMP_REQUEUE, 1, 1, BAD_PTR, 0), -EFAULT);
    need_eq(futex(BAD_PTR, FUTEX_CMP_REQUEUE, 1, (void *)1, &to, 0), -EFAULT);
}

/* covers: futex FUTEX_WAKE_OP */
static void wake_op_changes_the_second_word(void **state)
{
    static const struct {
        int op, arg, before, after;
    } cases[] = {{FUTEX_OP_SET, 9, 3, 9}, {FUTEX_OP_ADD, 5, 3, 8},
                 {FUTEX_OP_OR, 6, 3, 7},  {FUTEX_OP_ANDN, 1, 3, 2},
                 {FUTEX_OP_XOR, 6, 3, 5}, {FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT, 4, 3, 19}};
    volatile int one = 0, two;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        two = cases[i].before;
        need_eq(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, &two,
                      (int)FUTEX_OP((unsigned)cases[i].op, cases[i].arg, FUTEX_OP_CMP_EQ, 0)),
                0);
        need_eq(two, cases[i].after);
    }
}

/* covers: futex FUTEX_WAKE_OP */
static void wake_op_wakes_the_second_word_when_the_comparison_holds(void **state)
{
    volatile int one = 0, two = 0;
    struct waiter first[1], second[2];

    (void)state;
    start_waiters(first, 1, &one);
    start_waiters(second, 2, &two);
    need_eq(futex(&one, FUTEX_WAKE_OP, 10, (void *)10, &two,
                  FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_GT, 0)),
            1);
    need_eq(two, 5);
    end_waiters(first, 1);
    need_eq(futex(&one, FUTEX_WAKE_OP, 10, (void *)10, &two,
                  FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 5)),
            2);
    need_eq(two, 6);
    end_waiters(second, 2);
}

/* covers: futex FUTEX_WAKE_OP ENOSYS EFAULT */
static void wake_op_checks_operation_and_pointer(void **state)
{
    volatile int one = 0, two = 0;

    (void)state;
    need_eq(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, &two, 7 << 28), -ENOSYS);
    need_eq(futex(&one, FUTEX_WAKE_OP, 1, (void *)1, BAD_PTR,
                  FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)),
            -EFAULT);
}

/* ---- robust lists ---- */

struct lock {
    struct robust_list link;
    volatile int word;
};

struct robust_page {
    struct robust_list_head head;
    struct lock locks[3];
    volatile pid_t owner;
};

static void make_list(struct robust_page *page, int held, bool pending)
{
    struct robust_list *last = &page->head.list;

    page->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, link);
    page->head.list_op_pending = NULL;
    for (int i = 0; i < held; i++) {
        last->next = &page->locks[i].link;
        last = &page->locks[i].link;
        page->locks[i].word = (int)SYS(SYS_gettid) | (int)FUTEX_WAITERS;
    }
    last->next = &page->head.list;
    if (pending) {
        page->locks[2].word = (int)SYS(SYS_gettid);
        page->head.list_op_pending = &page->locks[2].link;
    }
    need_eq(SYS(SYS_set_robust_list, &page->head, sizeof page->head), 0);
    page->owner = (pid_t)SYS(SYS_gettid);
}

static int die_with_locks(void *arg)
{
    make_list(arg, 2, true);
    SYS(SYS_exit_group, 0);
    return CHILD_FAILED;
}

/* covers: exit_group set_robust_list FUTEX_OWNER_DIED */
static void death_of_the_owner_marks_its_locks(void **state)
{
    struct robust_page *page = shared_alloc(4096);

    (void)state;
    need_eq(child_status(die_with_locks, page), 0);
    need_eq((unsigned)page->locks[0].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
    need_eq((unsigned)page->locks[1].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
    need_eq((unsigned)page->locks[2].word, FUTEX_OWNER_DIED);
    munmap(page, 4096);
}

static int die_with_foreign_lock(void *arg)
{
    struct robust_page *page = arg;

    make_list(page, 2, false);
    page->locks[1].word = 1234567; /* somebody else's */
    SYS(SYS_exit_group, 0);
    return CHILD_FAILED;
}

/* covers: set_robust_list exit_group */
static void lock_of_another_owner_is_left_alone(void **state)
{
    struct robust_page *page = shared_alloc(4096);

    (void)state;
    need_eq(child_status(die_with_foreign_lock, page), 0);
    need_eq((unsigned)page->locks[0].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
    need_eq(page->locks[1].word, 1234567);
    munmap(page, 4096);
}

static int hold_until_told(void *arg)
{
    struct robust_page *page = arg;

    make_list(page, 1, false);
    return sleep_forever(NULL);
}

static int wait_for_lock(void *arg)
{
    struct robust_page *page = arg;
    int value = page->locks[0].word;

    while (!((unsigned)page->locks[0].word & FUTEX_OWNER_DIED)) {
        SYS(SYS_futex, &page->locks[0].word, FUTEX_WAIT, value, NULL, NULL, 0);
    }
    return 0;
}

/* covers: set_robust_list FUTEX_OWNER_DIED futex FUTEX_WAIT */
static void death_of_the_owner_wakes_a_waiter_in_another_process(void **state)
{
    struct robust_page *page = shared_alloc(4096);
    pid_t owner, waiter;

    (void)state;
    owner = child_start(hold_until_told, page);
    need(wait_until(page->owner == owner));
    waiter = child_start(wait_for_lock, page);
    need(wait_until(process_state(waiter) == 'S'));
    need_eq(kill(owner, SIGKILL), 0);
    need_eq(child_end(owner), SIGKILL);
    need_eq(child_end(waiter), 0);
    munmap(page, 4096);
}

static int circular_list(void *arg)
{
    struct robust_page *page = arg;

    make_list(page, 2, false);
    page->locks[1].link.next = &page->locks[0].link;
    SYS(SYS_exit_group, 5);
    return CHILD_FAILED;
}

static int wild_list(void *arg)
{
    struct robust_page *page = arg;

    make_list(page, 1, false);
    page->locks[0].link.next = BAD_PTR;
    SYS(SYS_exit_group, 6);
    return CHILD_FAILED;
}

/* covers: set_robust_list exit_group */
static void circular_and_wild_lists_do_not_hinder_the_end(void **state)
{
    struct robust_page *page = shared_alloc(4096);

    (void)state;
    need_eq(child_status(circular_list, page), 5 << 8);
    need_eq(child_status(wild_list, page), 6 << 8);
    munmap(page, 4096);
}

/* covers: set_robust_list EINVAL */
static void wrong_size_of_the_head_is_einval(void **state)
{
    struct robust_list_head head;

    (void)state;
    need_eq(SYS(SYS_set_robust_list, &head, sizeof head - 1), -EINVAL);
    need_eq(SYS(SYS_set_robust_list, &head, 0), -EINVAL);
}

static int get_list(void *arg)
{
    static struct robust_list_head head;
    void *at = NULL;
    size_t size = 0;

    (void)arg;
    head.list.next = &head.list;
    need_eq(SYS(SYS_set_robust_list, &head, sizeof head), 0);
    need_eq(SYS(SYS_get_robust_list, 0, &at, &size), 0);
    need(at == &head && size == sizeof head);
    need_eq(SYS(SYS_get_robust_list, getpid(), &at, &size), 0);
    need(at == &head);
    need_eq(SYS(SYS_get_robust_list, 0x3ffffffe, &at, &size), -ESRCH);
    need_eq(SYS(SYS_get_robust_list, 0, BAD_PTR, &size), -EFAULT);
    return 0;
}

/* covers: set_robust_list get_robust_list ESRCH EFAULT */
static void list_is_read_back(void **state)
{
    (void)state;
    child_passes(get_list, NULL);
}

/* ---- priority inheritance ---- */

struct pi_job {
    volatile int word;
    volatile pid_t tid;
    volatile long locked, unlocked;
};

static void *take_pi(void *arg)
{
    struct pi_job *job = arg;

    job->tid = (pid_t)SYS(SYS_gettid);
    job->locked = futex(&job->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    job->unlocked = futex(&job->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    return NULL;
}

static bool pi_missing(void)
{
    volatile int word = 0;
    long got = futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);

    return got == -ENOSYS;
}

/* covers: futex FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI */
static void pi_lock_is_handed_to_the_waiter(void **state)
{
    struct pi_job job = {0};
    pid_t self = (pid_t)SYS(SYS_gettid);
    pthread_t thread;

    (void)state;
    if (pi_missing()) {
        skip_because("priority inheritance is not in the running kernel");
    }
    need_eq(futex(&job.word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq(job.word, self);
    need_eq(pthread_create(&thread, NULL, take_pi, &job), 0);
    need(wait_until((unsigned)job.word == (FUTEX_WAITERS | (unsigned)self)));
    need_eq(futex(&job.word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need(job.locked == 0 && job.unlocked == 0);
    need_eq(job.word, 0);
}

/* covers: futex EDEADLK EPERM EAGAIN ESRCH FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI */
static void pi_lock_knows_its_owner(void **state)
{
    volatile int word = 0;

    (void)state;
    if (pi_missing()) {
        skip_because("priority inheritance is not in the running kernel");
    }
    need_eq(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), -EPERM);
    need_eq(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), -EDEADLK);
    need_eq(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq(word, 0);
    word = 0x3ffffffe; /* no such thread */
    need_eq(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), -ESRCH);
}

static void *die_with_pi(void *arg)
{
    struct pi_job *job = arg;

    job->locked = futex(&job->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    job->tid = (pid_t)SYS(SYS_gettid);
    (void)wait_until((unsigned)job->word & FUTEX_WAITERS);
    return NULL;
}

/* covers: futex FUTEX_LOCK_PI */
static void pi_lock_of_a_dead_owner_goes_to_the_waiter(void **state)
{
    struct pi_job job = {0};
    pid_t self = (pid_t)SYS(SYS_gettid);
    pthread_t thread;

    (void)state;
    if (pi_missing()) {
        skip_because("priority inheritance is not in the running kernel");
    }
    need_eq(pthread_create(&thread, NULL, die_with_pi, &job), 0);
    need(wait_until(job.tid != 0));
    need_eq(futex(&job.word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq((unsigned)job.word & FUTEX_TID_MASK, self);
    need((unsigned)job.word & FUTEX_OWNER_DIED);
    need_eq(futex(&job.word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
    need_eq(pthread_join(thread, NULL), 0);
}

static void *hold_pi(void *arg)
{
    struct pi_job *job = arg;

    job->locked = futex(&job->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    job->tid = (pid_t)SYS(SYS_gettid);
    (void)wait_until(job->unlocked != 0);
    return NULL;
}

/* covers: futex FUTEX_LOCK_PI ETIMEDOUT */
static void pi_lock_gives_up_at_its_deadline(void **state)
{
    struct pi_job job = {0};
    struct timespec past = {.tv_sec = 1};
    pthread_t thread;

    (void)state;
    if (pi_missing()) {
        skip_because("priority inheritance is not in the running kernel");
    }
    need_eq(pthread_create(&thread, NULL, hold_pi, &job), 0);
    need(wait_until(job.tid != 0));
    need_eq(futex(&job.word, FUTEX_LOCK_PI, 0, &past, NULL, 0), -ETIMEDOUT);
    job.unlocked = 1;
    need_eq(pthread_join(thread, NULL), 0);
}

#define ROUNDS 2000

static pthread_mutex_t pi_mutex;
static volatile long pi_count;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        need_eq(pthread_mutex_lock(&pi_mutex), 0);
        pi_count = pi_count + 1;
        need_eq(pthread_mutex_unlock(&pi_mutex), 0);
    }
    return NULL;
}

/* not yet inside: PI mutexes lose a hand-over under contention */
/* covers: futex FUTEX_LOCK_PI FUTEX_UNLOCK_PI */
static void pi_mutex_excludes(void **state)
{
    pthread_mutexattr_t attr;
    pthread_t threads[4];

    (void)state;
    if (pi_missing()) {
        skip_because("priority inheritance is not in the running kernel");
    }
    need_eq(pthread_mutexattr_init(&attr), 0);
    need_eq(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT), 0);
    need_eq(pthread_mutex_init(&pi_mutex, &attr), 0);
    pi_count = 0;
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
    }
    need_eq(pi_count, 4 * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requeue_wakes_some_and_moves_the_rest),
        cmocka_unit_test(cmp_requeue_checks_the_value),
        cmocka_unit_test(requeue_checks_counts_and_pointers),
        cmocka_unit_test(wake_op_changes_the_second_word),
        cmocka_unit_test(wake_op_wakes_the_second_word_when_the_comparison_holds),
        cmocka_unit_test(wake_op_checks_operation_and_pointer),
        cmocka_unit_test(death_of_the_owner_marks_its_locks),
        cmocka_unit_test(lock_of_another_owner_is_left_alone),
        cmocka_unit_test(death_of_the_owner_wakes_a_waiter_in_another_process),
        cmocka_unit_test(circular_and_wild_lists_do_not_hinder_the_end),
        cmocka_unit_test(wrong_size_of_the_head_is_einval),
        cmocka_unit_test(list_is_read_back),
        cmocka_unit_test(pi_lock_is_handed_to_the_waiter),
        cmocka_unit_test(pi_lock_knows_its_owner),
        cmocka_unit_test(pi_lock_of_a_dead_owner_goes_to_the_waiter),
        cmocka_unit_test(pi_lock_gives_up_at_its_deadline),
        cmocka_unit_test(pi_mutex_excludes),
    };

    return cmocka_run_group_tests_name("futex/futex_ops", tests, NULL, NULL);
}
