/* tests/fuzz/lies.c: telling lies, and looking at what a host gets to see. */
#include "lies.h"

#include "mock_fuzz.h"

#include <pthread.h>
#include <unistd.h>

#define CASES_MAX 128
#define KEPT      256 /* bytes of a reply that are told again later */

static struct {
    const char *name;
    lies_case *run;
} cases[CASES_MAX];
static size_t case_count;

static struct {
    const struct lie *lies; /* constant while an instance runs */
    size_t count;
    uint32_t on;                    /* atomic */
    uint32_t told;                  /* atomic */
    uint32_t offered[MOCK_REPLIES]; /* atomic */
    pthread_mutex_t lock;           /* last */
    struct {
        size_t size;
        uint8_t bytes[KEPT];
    } last[MOCK_REPLIES];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char *const lie_kind_names[LIE_COUNT] = {
#define X(kind) #kind,
    LIE_KINDS
#undef X
};

void lies_case_add(const char *name, lies_case *run)
{
    if (case_count == CASES_MAX)
        abort();
    cases[case_count].name = name;
    cases[case_count++].run = run;
}

size_t lies_cases(void)
{
    return case_count;
}

const char *lies_case_name(size_t i)
{
    return cases[i].name;
}

/* --- lies ------------------------------------------------------------------------------------------------------ */

static int64_t false_number(int64_t truth, size_t size, const struct lie *lie)
{
    unsigned int bits = (unsigned int)size * 8;

    switch (lie->kind) {
    case LIE_negative:
        return -1 - (int64_t)lie->value * (lie->value & 1 ? 1 : 40);
    case LIE_large:
        return (int64_t)(~0UL >> (65 - bits));
    case LIE_more:
        return (int64_t)((uint64_t)truth + 1);
    case LIE_less:
        return (int64_t)((uint64_t)truth - 1);
    case LIE_torn:
        return (int64_t)((uint64_t)truth & ((1UL << bits / 2) - 1));
    case LIE_sign:
        return (int64_t)((uint64_t)truth ^ 1UL << (bits - 1));
    case LIE_shifted:
        return (int64_t)((uint64_t)truth << (1 + lie->value % bits) % 64);
    case LIE_damaged:
        return (int64_t)((uint64_t)truth ^ (uint64_t)(lie->value | 1) << 8 * (lie->value % size));
    case LIE_page_more:
        return (int64_t)((uint64_t)truth + 4096UL * (lie->value + 1UL));
    default:
        return 0;
    }
}

static void lie_in_number(void *value, size_t size, const struct lie *lie)
{
    int64_t number = 0;

    memcpy(&number, value, size);
    if (size < 8) /* as wide as it was */
        number = (int64_t)((uint64_t)number << (64 - 8 * size)) >> (64 - 8 * size);
    number = false_number(number, size, lie);
    memcpy(value, &number, size);
}

static void lie_in_bytes(uint8_t *bytes, size_t size, const struct lie *lie)
{
    size_t half = size / 2, shift = lie->value % size;

    switch (lie->kind) {
    case LIE_negative:
        memset(bytes, 0xff, size);
        break;
    case LIE_large:
        memset(bytes, 0x7f, size);
        break;
    case LIE_more:
        bytes[0]++;
        break;
    case LIE_less:
        bytes[size - 1]--;
        break;
    case LIE_torn:
        memset(bytes + half, 0, size - half);
        break;
    case LIE_sign:
        for (size_t i = 0; i < size; i++)
            bytes[i] ^= 0x80;
        break;
    case LIE_shifted:
        memmove(bytes, bytes + shift, size - shift);
        break;
    case LIE_damaged:
        bytes[shift] ^= lie->value | 1;
        break;
    case LIE_page_more:
        memset(bytes, 0x40, size);
        break;
    default:
        memset(bytes, 0, size);
        break;
    }
}

/* Keeps what is said, for the next time; `stale` is what was said the last time. */
static void say_again(unsigned int reply, void *value, size_t size, bool stale)
{
    uint8_t truth[KEPT];
    size_t n = size < KEPT ? size : KEPT;

    memcpy(truth, value, n);
    pthread_mutex_lock(&state.lock);
    if (stale)
        memcpy(value, state.last[reply].bytes,
               n < state.last[reply].size ? n : state.last[reply].size);
    memcpy(state.last[reply].bytes, truth, n);
    state.last[reply].size = n;
    pthread_mutex_unlock(&state.lock);
}

static void delay(void)
{
    usleep(300);
}

static void tell(const struct lie *lie, void *value, size_t size)
{
    bool number = mock_replies[lie->reply].kind != MOCK_BYTES && size <= 8;

    __atomic_add_fetch(&state.told, 1, __ATOMIC_RELAXED);
    if (lie->kind == LIE_delayed)
        delay();
    else if (lie->kind == LIE_stale)
        return; /* is done already */
    else if (number)
        lie_in_number(value, size, lie);
    else
        lie_in_bytes(value, size, lie);
}

/*
 * A host may stop time, or never wake anybody, and a word that changes at each look keeps a program busy until it
 * is killed, for which time would have to pass: no findings. So of these some are always true.
 */
static bool keeps_going(unsigned int reply, uint32_t nth)
{
    return nth % 2 &&
           (reply == MOCK_REPLY_user_read_data || reply == MOCK_REPLY_user_cmpxchg_seen ||
            reply == MOCK_REPLY_wait_result || reply == MOCK_REPLY_clock_read_result ||
            reply == MOCK_REPLY_poll_result || reply == MOCK_REPLY_ready_wait_result);
}

static void answer(void *arg, enum mock_reply reply, void *value, size_t size)
{
    uint32_t nth = __atomic_fetch_add(&state.offered[reply], 1, __ATOMIC_RELAXED);
    const struct lie *lie = NULL;

    for (size_t i = 0; i < state.count && !lie; i++) {
        const struct lie *at = &state.lies[i];

        if (at->reply == reply &&
            (at->nth == nth || (at->again && nth > at->nth && !keeps_going(reply, nth))))
            lie = at;
    }
    if (naps && (reply == MOCK_REPLY_user_read_data || reply == MOCK_REPLY_user_read_result))
        lie = NULL;
    if (lie && lie->kind == LIE_stale && reply == MOCK_REPLY_user_read_data)
        lie = NULL; /* its own secret for an argument is the program's to give away */
    if (!__atomic_load_n(&state.on, __ATOMIC_SEQ_CST))
        lie = NULL;
    say_again(reply, value, size, lie && lie->kind == LIE_stale);
    if (lie)
        tell(lie, value, size);
}

/* --- secrets ----------------------------------------------------------------------------------------------------- */

static const char secret[] = "the-program's-own-secret";

/*
 * In data as much of it has to be found as no program's own can be taken for. An address, a name or another argument
 * may hold no more than a piece, and what nobody wrote to may be no more than the padding of a structure.
 */
#define SMALL_REQUEST 64
#define LONG_PIECE    16
#define SHORT_PIECE   8
#define PADDING       2

/* What no host may see: the program's secret, and memory of the kernel that was never written to. */
static void look(void *arg, const void *sent, size_t size)
{
    static const uint8_t fresh[][LONG_PIECE] = {
        {[0 ... LONG_PIECE - 1] = 0xa5}, /* target/mock/heap.c */
        {[0 ... LONG_PIECE - 1] = 0xaa}, /* clang's -ftrivial-auto-var-init=pattern */
    };
    bool small = size <= SMALL_REQUEST;
    size_t piece = small ? SHORT_PIECE : LONG_PIECE;

    for (size_t at = 0; at + piece <= sizeof(secret); at++)
        if (memmem(sent, size, secret + at, piece))
            finding("the host was sent the program's secret");
    for (size_t i = 0; i < 2; i++)
        if (memmem(sent, size, fresh[i], small ? PADDING : LONG_PIECE))
            finding("the host was sent memory that was never written to");
}

/* The secret stands in the program's memory, in pages of the kernel, and where such have been. */
static void plant_secret(void)
{
    int ends[2];
    mock_user at = mock_room(8), page;
    long memory;
    char text[4096];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = secret[i % sizeof(secret)];
    page = mock_put(text, sizeof(text));
    mock_call(__NR_pipe2, at, 0);
    mock_load(ends, at, 8);
    mock_call(__NR_write, ends[1], page, sizeof(text));
    memory = mock_call(__NR_memfd_create, mock_string("secret"), 0);
    mock_call(__NR_write, memory, page, sizeof(text));
    mock_call(__NR_close, memory);
    mock_call(__NR_close, ends[0]);
    mock_call(__NR_close, ends[1]);
}

/* --- an instance --------------------------------------------------------------------------------------------------- */

static const struct mock_options *inner;

static void truth_again(void)
{
    __atomic_store_n(&state.on, 0, __ATOMIC_SEQ_CST);
}

static int run_inner(void *arg)
{
    mock_call(__NR_rt_sigprocmask, SIG_SETMASK, mock_put((uint64_t[]){0}, 8), 0, 8);
    plant_secret();
    return inner->main(inner->arg);
}

static int run_main(void *arg)
{
    if (!become_main())
        return inner->main(inner->arg);
    if (mock_fork(run_inner, NULL) > 0)
        attend(&(struct patience){.nap_s = 1000, .kill_after = 4, .before_kill = truth_again});
    return 0;
}

/* In place of mock_run(), for the cases. */
void lies_instance(const struct mock_options *options, struct mock_result *result);
void lies_instance(const struct mock_options *options, struct mock_result *result)
{
    struct mock_options outer = *options;

    inner = options;
    outer.main = run_main;
    __atomic_store_n(&state.on, 1, __ATOMIC_SEQ_CST);
    instance_run(&outer);
    *result = (struct mock_result){.end = MOCK_EXITED};
}

void lies_no_hook(mock_reply_func *hook, void *arg);
void lies_no_hook(mock_reply_func *hook, void *arg)
{
}

void lies_run(size_t i, const struct lie *lies, size_t count, unsigned int *told)
{
    state.lies = lies;
    state.count = count;
    state.told = 0;
    memset(state.offered, 0, sizeof(state.offered));
    memset(state.last, 0, sizeof(state.last));
    mock_reply_hook(answer, NULL);
    mock_sent_hook(look, NULL);
    cases[i].run(NULL);
    mock_fail_hook(NULL, NULL);
    if (told)
        *told = state.told;
}

unsigned int lies_offered(unsigned int reply)
{
    return state.offered[reply];
}
