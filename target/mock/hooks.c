/* target/mock/hooks.c: the two places where a test interferes. */
#include "internal.h"

const struct mock_reply_info mock_replies[MOCK_REPLIES] = {
#define X(call, field, kind) {#call, #field, MOCK_##kind},
    MOCK_REPLY_TABLE(X)
#undef X
};

static struct {
    mock_reply_func *reply; /* atomic, and so is the next; the arguments are set before */
    mock_fail_func *fail;
    mock_sent_func *sent;
    void *reply_arg, *fail_arg, *sent_arg;
    uint64_t requests, failing; /* atomic: mock_fail_nth() */
} hooks;

void mock_reply_hook(mock_reply_func *hook, void *arg)
{
    __atomic_store_n(&hooks.reply, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.reply_arg, arg, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.reply, hook, __ATOMIC_SEQ_CST);
}

void reply_offer(enum mock_reply reply, void *value, size_t size)
{
    mock_reply_func *hook = __atomic_load_n(&hooks.reply, __ATOMIC_ACQUIRE);

    if (hook && size)
        hook(__atomic_load_n(&hooks.reply_arg, __ATOMIC_RELAXED), reply, value, size);
}

struct target_fault fault_told(struct target_fault fault)
{
    OFFER(fault, signo, fault.signo);
    OFFER(fault, code, fault.code);
    OFFER(fault, address, fault.address);
    OFFER(fault, trapno, fault.trapno);
    OFFER(fault, error, fault.error);
    return fault;
}

void mock_sent_hook(mock_sent_func *hook, void *arg)
{
    __atomic_store_n(&hooks.sent, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.sent_arg, arg, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.sent, hook, __ATOMIC_SEQ_CST);
}

void sent_show(const void *data, size_t size)
{
    mock_sent_func *hook = __atomic_load_n(&hooks.sent, __ATOMIC_ACQUIRE);

    if (hook && size)
        hook(__atomic_load_n(&hooks.sent_arg, __ATOMIC_RELAXED), data, size);
}

void mock_fail_hook(mock_fail_func *hook, void *arg)
{
    __atomic_store_n(&hooks.fail, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.fail_arg, arg, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.fail, hook, __ATOMIC_SEQ_CST);
}

bool request_fails(const char *what, const void *caller)
{
    mock_fail_func *hook = __atomic_load_n(&hooks.fail, __ATOMIC_ACQUIRE);

    return hook &&
           hook(__atomic_load_n(&hooks.fail_arg, __ATOMIC_RELAXED), what, (uintptr_t)caller);
}

static bool fail_one(void *arg, const char *what, uintptr_t caller)
{
    (void)arg, (void)what, (void)caller;
    return __atomic_add_fetch(&hooks.requests, 1, __ATOMIC_RELAXED) ==
           __atomic_load_n(&hooks.failing, __ATOMIC_RELAXED);
}

void mock_fail_nth(uint64_t n)
{
    __atomic_store_n(&hooks.requests, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hooks.failing, n, __ATOMIC_SEQ_CST);
    mock_fail_hook(fail_one, NULL);
}

uint64_t mock_requests(void)
{
    return __atomic_load_n(&hooks.requests, __ATOMIC_RELAXED);
}
