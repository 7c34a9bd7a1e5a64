/*
 * target/mock/wait.c: sleeping, waking, and time.
 *
 * One lock guards all sleepers. Time stands still while a host thread runs, but for a tick at each look at
 * the clock; when all sleep it jumps to the next deadline. When none of them has one the instance hangs,
 * and is ended with that verdict: nothing from outside could ever wake it.
 */
#include "internal.h"

#define TICK 100 /* ns that a look at a clock takes */

struct sleeper {
    struct sleeper *next, **link;
    struct target_thread *thread;
    const uint32_t *word; /* what target_wake() names; NULL: it waits for the host */
    int64_t deadline;
    bool woken;
    pthread_cond_t cond;
};

static struct {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t ended; /* alive became 0 */
    struct sleeper *sleepers;
    uint32_t alive, running; /* host threads of the instance; those that do not sleep */
    int64_t now;             /* atomic; ns since the start */
} sched = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static uint32_t service_word;  /* atomic: counts wake-ups of the service thread */
static uint64_t events[2];     /* atomic: a set of numbers of enum target_event */
static uint32_t report_wanted; /* atomic */

void sched_reset(void)
{
    sched.now = 1000000000; /* a time of 0 has a meaning of its own here and there */
    events[0] = events[1] = 0;
    report_wanted = 0;
}

int64_t sched_now(void)
{
    return __atomic_add_fetch(&sched.now, TICK, __ATOMIC_RELAXED);
}

static void wake_locked(struct sleeper *sleeper)
{
    if (sleeper->woken)
        return;
    sleeper->woken = true;
    sched.running++;
    pthread_cond_signal(&sleeper->cond);
}

/* Called when the last running thread has gone to sleep or ended. */
static void advance_locked(void)
{
    int64_t next = TARGET_FOREVER;

    if (sched.running || !sched.alive)
        return;
    for (struct sleeper *s = sched.sleepers; s; s = s->next)
        next = s->deadline < next ? s->deadline : next;
    if (next == TARGET_FOREVER && !__atomic_exchange_n(&instance.over, 1, __ATOMIC_SEQ_CST))
        instance.result = (struct mock_result){.end = MOCK_HUNG};
    if (next > __atomic_load_n(&sched.now, __ATOMIC_RELAXED) && next != TARGET_FOREVER)
        __atomic_store_n(&sched.now, next, __ATOMIC_RELAXED);
    for (struct sleeper *s = sched.sleepers; s; s = s->next)
        if (s->deadline <= next)
            wake_locked(s);
}

void sched_thread_starts(void)
{
    pthread_mutex_lock(&sched.lock);
    sched.alive++;
    sched.running++;
    pthread_mutex_unlock(&sched.lock);
}

void sched_thread_ends(void)
{
    pthread_mutex_lock(&sched.lock);
    sched.running--;
    if (--sched.alive == 0)
        pthread_cond_signal(&sched.ended);
    advance_locked();
    pthread_mutex_unlock(&sched.lock);
}

void sched_all_ended(void)
{
    pthread_mutex_lock(&sched.lock);
    while (sched.alive)
        pthread_cond_wait(&sched.ended, &sched.lock);
    pthread_mutex_unlock(&sched.lock);
}

void sched_wake_all(void)
{
    pthread_mutex_lock(&sched.lock);
    for (struct sleeper *s = sched.sleepers; s; s = s->next)
        wake_locked(s);
    pthread_mutex_unlock(&sched.lock);
}

/* The first end counts. */
void instance_end(enum mock_end end, int status)
{
    pthread_mutex_lock(&sched.lock);
    if (!__atomic_exchange_n(&instance.over, 1, __ATOMIC_SEQ_CST))
        instance.result = (struct mock_result){end, status};
    pthread_mutex_unlock(&sched.lock);
    sched_wake_all();
}

/* Sleeps until somebody wakes it or its deadline comes; sched.lock is held. */
static void sleep_locked(struct sleeper *sleeper)
{
    pthread_cond_init(&sleeper->cond, NULL);
    sleeper->thread = carrier ? carrier->thread : NULL;
    sleeper->next = sched.sleepers;
    sleeper->link = &sched.sleepers;
    if (sleeper->next)
        sleeper->next->link = &sleeper->next;
    sched.sleepers = sleeper;
    sched.running--;
    advance_locked();
    while (!sleeper->woken)
        pthread_cond_wait(&sleeper->cond, &sched.lock);
    *sleeper->link = sleeper->next;
    if (sleeper->next)
        sleeper->next->link = sleeper->link;
    pthread_cond_destroy(&sleeper->cond);
}

static bool is_past(int64_t deadline)
{
    return deadline != TARGET_FOREVER && deadline <= __atomic_load_n(&sched.now, __ATOMIC_RELAXED);
}

int sched_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct sleeper sleeper = {.word = word, .deadline = deadline};
    int result = 0;

    leave_if_over();
    pthread_mutex_lock(&sched.lock);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected ||
        __atomic_load_n(&instance.over, __ATOMIC_SEQ_CST)) {
        result = 0;
    } else if (is_past(deadline)) {
        result = -ETIMEDOUT;
    } else {
        sleep_locked(&sleeper);
        if (is_past(deadline) && __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected)
            result = -ETIMEDOUT;
    }
    pthread_mutex_unlock(&sched.lock);
    leave_if_over();
    return result;
}

int target_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    RESULT(wait, sched_wait(word, expected, deadline));
}

void target_wake(const uint32_t *word, uint32_t n)
{
    pthread_mutex_lock(&sched.lock);
    for (struct sleeper *s = sched.sleepers; s && n; s = s->next) {
        if (s->word == word && !s->woken) {
            wake_locked(s);
            n--;
        }
    }
    pthread_mutex_unlock(&sched.lock);
}

/* --- waiting for the host ------------------------------------------------------------------------------- */

static bool is_kicked(struct target_thread *thread)
{
    return __atomic_load_n(&thread->pending, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&thread->wake, __ATOMIC_SEQ_CST) == 1;
}

int sched_host_wait(bool (*ready)(void *arg), void *arg, int64_t deadline)
{
    struct target_thread *thread = carrier->thread;
    int result = 0;

    leave_if_over();
    __atomic_store_n(&thread->mode, TARGET_IN_HOST, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&sched.lock);
    while (!ready(arg)) {
        struct sleeper sleeper = {.deadline = deadline};

        result = is_kicked(thread) ? -EINTR : is_past(deadline) ? -ETIMEDOUT : 0;
        if (result || __atomic_load_n(&instance.over, __ATOMIC_ACQUIRE))
            break;
        sleep_locked(&sleeper);
    }
    pthread_mutex_unlock(&sched.lock);
    __atomic_store_n(&thread->mode, TARGET_IN_KERNEL, __ATOMIC_SEQ_CST);
    leave_if_over();
    return result;
}

void sched_event(void)
{
    pthread_mutex_lock(&sched.lock);
    for (struct sleeper *s = sched.sleepers; s; s = s->next)
        if (!s->word)
            wake_locked(s);
    pthread_mutex_unlock(&sched.lock);
}

/* Whoever waits for the host looks again; a script in its program sees the mark at its next step. */
void target_thread_kick(struct target_thread *thread)
{
    if (__atomic_load_n(&thread->mode, __ATOMIC_SEQ_CST) != TARGET_IN_HOST)
        return;
    pthread_mutex_lock(&sched.lock);
    for (struct sleeper *s = sched.sleepers; s; s = s->next)
        if (!s->word && s->thread == thread)
            wake_locked(s);
    pthread_mutex_unlock(&sched.lock);
}

/* --- clocks ----------------------------------------------------------------------------------------------- */

int64_t target_clock_read(enum target_clock clock)
{
    int64_t now = sched_now();

    RESULT(clock_read, clock == TARGET_CLOCK_REALTIME ? now + MOCK_EPOCH : now);
}

int64_t target_clock_resolution(enum target_clock clock)
{
    (void)clock;
    RESULT(clock_resolution, (int64_t)1);
}

/* --- the service thread ------------------------------------------------------------------------------------ */

void target_service_wake(void)
{
    __atomic_add_fetch(&service_word, 1, __ATOMIC_SEQ_CST);
    target_wake(&service_word, 1);
}

void mock_event(int event)
{
    __atomic_fetch_or(&events[event / 64 & 1], 1UL << event % 64, __ATOMIC_SEQ_CST);
    target_service_wake();
}

void mock_report(void)
{
    __atomic_store_n(&report_wanted, 1, __ATOMIC_SEQ_CST);
    target_service_wake();
}

static void events_hand_out(void)
{
    for (int i = 0; i < 2; i++) {
        uint64_t set = __atomic_exchange_n(&events[i], 0, __ATOMIC_SEQ_CST);

        for (; set; set &= set - 1) {
            int event = i * 64 + __builtin_ctzl(set);

            OFFER(event, event, event);
            upcall_event(event);
        }
    }
}

void service_run(void)
{
    for (;;) {
        uint32_t seen = __atomic_load_n(&service_word, __ATOMIC_SEQ_CST);
        int64_t deadline;

        events_hand_out();
        if (__atomic_exchange_n(&report_wanted, 0, __ATOMIC_SEQ_CST))
            upcall_report();
        deadline = upcall_service();
        sched_wait(&service_word, seen, deadline);
    }
}
