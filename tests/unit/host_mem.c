/* tests/unit/host_mem.c: what a host may answer about memory and entropy, and what is made of its lies. */
#include "unit.h"

#include <errno.h>
#include <limits.h>

#include "rename.h"

#include "base/string.h"
#include "host/host.h"
#include "host/mem.h"

#include <myst/target.h>

#include "break.h"

/* ---- a host that answers what a test wants ---- */

static int64_t reply;
static char written[64]; /* through the pointer of the call: */
static size_t written_size;

static int64_t reply_data(void *to)
{
    memcpy(to, written, written_size);
    return reply;
}

int target_map_anon(uintptr_t addr, size_t len, int prot)
{
    return (int)reply;
}
int target_map_pages(uintptr_t addr, size_t len, int prot, uint64_t offset, bool shared)
{
    return (int)reply;
}
int target_map_file(uintptr_t addr, size_t len, int prot, int file, uint64_t offset)
{
    return (int)reply;
}
int target_protect(uintptr_t addr, size_t len, int prot)
{
    return (int)reply;
}
int target_unmap(uintptr_t addr, size_t len)
{
    return (int)reply;
}
int target_remap(uintptr_t old, size_t old_len, uintptr_t new_addr, size_t new_len)
{
    return (int)reply;
}
int target_advise(uintptr_t addr, size_t len, int advice)
{
    return (int)reply;
}
int target_resident(uintptr_t addr, size_t len, uint8_t *out)
{
    return (int)reply_data(out);
}
static struct target_residence residence[3];

int target_space_resident(struct target_space *space, struct target_residence *ranges, size_t n)
{
    for (size_t i = 0; i < n && i < 3; i++)
        ranges[i] = residence[i];
    return (int)reply;
}
int64_t target_space_peek(struct target_space *space, void *to, uintptr_t from, size_t len)
{
    return reply_data(to);
}
int64_t target_space_poke(struct target_space *space, uintptr_t to, const void *from, size_t len)
{
    return reply;
}
size_t target_user_read(void *to, const void *from, size_t len)
{
    return (size_t)reply;
}
size_t target_user_write(void *to, const void *from, size_t len)
{
    return (size_t)reply;
}
size_t target_user_zero(void *to, size_t len)
{
    return (size_t)reply;
}
int64_t target_user_strlen(const void *from, size_t max)
{
    return reply;
}
int target_user_cmpxchg(uint32_t *word, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    return (int)reply;
}
int target_pages_fill(uint64_t offset, uint64_t len)
{
    return (int)reply;
}
int target_pages_drop(uint64_t offset, uint64_t len)
{
    return (int)reply;
}
uint64_t target_pages_seek(uint64_t offset, uint64_t len, bool used)
{
    return (uint64_t)reply;
}
int target_random(void *to, size_t len)
{
    return (int)reply_data(to);
}

/* ---- results ---- */

#define ADDRESS 0x10000000UL
#define LEN     10UL
#define SPACE   ((struct target_space *)16)

static char buffer[64];

static int64_t call_map_anon(void)
{
    return host_map_anon(ADDRESS, PAGE_SIZE, HOST_PROT_READ);
}
static int64_t call_map_pages(void)
{
    return host_map_pages(ADDRESS, PAGE_SIZE, HOST_PROT_READ, 0, true);
}
static int64_t call_map_file(void)
{
    return host_map_file(ADDRESS, PAGE_SIZE, HOST_PROT_READ, 3, 0);
}
static int64_t call_protect(void)
{
    return host_protect(ADDRESS, PAGE_SIZE, HOST_PROT_READ);
}
static int64_t call_unmap(void)
{
    return host_unmap(ADDRESS, PAGE_SIZE);
}
static int64_t call_remap(void)
{
    return host_remap(ADDRESS, PAGE_SIZE, 2 * ADDRESS, PAGE_SIZE);
}
static int64_t call_discard(void)
{
    return host_discard(ADDRESS, PAGE_SIZE);
}
static int64_t call_resident(void)
{
    uint8_t out[1];

    return host_resident(ADDRESS, PAGE_SIZE, out);
}
static int64_t call_peek(void)
{
    return host_space_peek(SPACE, buffer, ADDRESS, LEN);
}
static int64_t call_poke(void)
{
    return host_space_poke(SPACE, ADDRESS, buffer, LEN);
}
static int64_t call_peek_nowhere(void)
{
    return host_space_peek(NULL, buffer, ADDRESS, LEN);
}
static int64_t call_user_read(void)
{
    return (int64_t)host_user_read(buffer, ADDRESS, LEN);
}
static int64_t call_user_write(void)
{
    return (int64_t)host_user_write(ADDRESS, buffer, LEN);
}
static int64_t call_user_zero(void)
{
    return (int64_t)host_user_zero(ADDRESS, LEN);
}
static int64_t call_user_strlen(void)
{
    return host_user_strlen(ADDRESS, LEN);
}
static int64_t call_user_cmpxchg(void)
{
    uint32_t seen = 0;

    return host_user_cmpxchg(ADDRESS, 1, 2, &seen);
}
static int64_t call_fill(void)
{
    return host_pages_fill(0, PAGE_SIZE);
}
static int64_t call_drop(void)
{
    return host_pages_drop(0, PAGE_SIZE);
}
static int64_t call_seek(void)
{
    return (int64_t)host_pages_seek(4 * PAGE_SIZE, 2 * PAGE_SIZE, true);
}
static int64_t call_random(void)
{
    return random_bytes(buffer, LEN);
}

static const struct {
    int64_t (*call)(void);
    const char *name;
} changes[] = {
    {call_map_anon, "map_anon"}, {call_map_pages, "map_pages"}, {call_map_file, "map_file"},
    {call_protect, "protect"},   {call_unmap, "unmap"},         {call_remap, "remap"},
    {call_discard, "advise"},    {call_resident, "resident"},
};

static void expect(const char *name, int64_t (*call)(void), int64_t answered, int64_t expected)
{
    int64_t got;

    reply = answered;
    got = call();
    if (got != expected)
        fail_msg("%s: the target says %lld, the kernel hears %lld and not %lld", name,
                 (long long)answered, (long long)got, (long long)expected);
}

/*
 * breaks: map_anon_result map_pages_result map_file_result protect_result unmap_result remap_result
 * advise_result resident_result
 */
static void a_change_of_the_space_is_done_or_has_an_errno(void **state)
{
    static const int errors[] = {0, -ENOMEM, -EACCES, -EAGAIN, -EINVAL};
    static const int lies[] = {1, 4096, INT_MAX, -1, -EINTR, -ENOSYS, -EIO, -512, INT_MIN};

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(errors); j++)
            expect(changes[i].name, changes[i].call, errors[j], errors[j]);
        for (size_t j = 0; j < ARRAY_SIZE(lies); j++)
            expect(changes[i].name, changes[i].call, lies[j], -EIO);
    }
    expect("remap", call_remap, -EFAULT, -EFAULT);
    expect("map_file", call_map_file, -EFAULT, -EIO);
}

/* breaks: space_peek_count space_peek_errno space_poke_count space_poke_errno */
static void another_space_is_reached_in_part_at_most(void **state)
{
    int64_t (*const calls[])(void) = {call_peek, call_poke};

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        expect("all", calls[i], LEN, LEN);
        expect("part", calls[i], 3, 3);
        expect("nothing", calls[i], 0, 0);
        expect("one too many", calls[i], LEN + 1, -EIO);
        expect("very many", calls[i], INT64_MAX, -EIO);
        expect("the lowest number", calls[i], INT64_MIN, -EIO);
        expect("a fault", calls[i], -EFAULT, -EFAULT);
        expect("nobody there", calls[i], -ESRCH, -ESRCH);
        expect("an error of another call", calls[i], -ENOENT, -EIO);
        expect("a restart", calls[i], -512, -EIO);
    }
    expect("no space", call_peek_nowhere, LEN, -ESRCH);
}

/* breaks: user_read_result user_write_result user_zero_result */
static void no_more_can_be_missing_than_was_asked(void **state)
{
    int64_t (*const calls[])(void) = {call_user_read, call_user_write, call_user_zero};

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        expect("nothing is missing", calls[i], 0, 0);
        expect("something is", calls[i], 3, 3);
        expect("all is", calls[i], LEN, LEN);
        expect("one more", calls[i], LEN + 1, LEN);
        expect("an errno", calls[i], -EFAULT, LEN);
        expect("much more", calls[i], INT64_MAX, LEN);
    }
}

/* breaks: user_strlen_result user_cmpxchg_result */
static void strings_and_words_are_there_or_fault(void **state)
{
    expect("strlen", call_user_strlen, 0, 0);
    expect("strlen", call_user_strlen, LEN, LEN);
    expect("strlen", call_user_strlen, LEN + 1, -EFAULT);
    expect("strlen", call_user_strlen, INT64_MAX, -EFAULT);
    expect("strlen", call_user_strlen, -EFAULT, -EFAULT);
    expect("strlen", call_user_strlen, -EIO, -EFAULT);
    expect("strlen", call_user_strlen, INT64_MIN, -EFAULT);
    expect("cmpxchg", call_user_cmpxchg, 0, 0);
    expect("cmpxchg", call_user_cmpxchg, 1, -EFAULT);
    expect("cmpxchg", call_user_cmpxchg, -EFAULT, -EFAULT);
    expect("cmpxchg", call_user_cmpxchg, -EAGAIN, -EFAULT);
}

/* breaks: pages_seek_range */
static void page_that_has_memory_is_in_the_range(void **state)
{
    static const int64_t lies[] = {0, 3 * PAGE_SIZE, 4 * PAGE_SIZE + 1, 7 * PAGE_SIZE, INT64_MAX,
                                   -1};

    expect("seek", call_seek, 4 * PAGE_SIZE, 4 * PAGE_SIZE);
    expect("seek", call_seek, 5 * PAGE_SIZE, 5 * PAGE_SIZE);
    expect("seek", call_seek, 6 * PAGE_SIZE, 6 * PAGE_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        expect("seek", call_seek, lies[i], 6 * PAGE_SIZE);
}

/* breaks: pages_fill_result pages_drop_result random_result */
static void kernel_memory_and_entropy_are_there_or_not(void **state)
{
    static const int lies[] = {1, 4096, INT_MAX, -EINTR, -ENOSPC, -ENOMEM, INT_MIN};

    expect("fill", call_fill, 0, 0);
    expect("drop", call_drop, 0, 0);
    expect("random", call_random, 0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        expect("fill", call_fill, lies[i], -ENOMEM);
        expect("drop", call_drop, lies[i], -ENOMEM);
        expect("random", call_random, lies[i], -EIO);
    }
}

/* ---- what is written ---- */

/* breaks: resident_bits */
static void only_one_bit_says_that_a_page_is_there(void **state)
{
    uint8_t out[4];

    reply = 0;
    written_size = 4;
    memcpy(written, "\x01\x00\xff\xfe", 4);
    assert_int_equal(host_resident(ADDRESS, 4 * PAGE_SIZE, out), 0);
    assert_memory_equal(out, "\x01\x00\x01\x00", 4);
    written_size = 0;
}

/* breaks: resident_cleared space_peek_cleared random_cleared */
static void what_is_not_written_is_zero(void **state)
{
    static const char zeros[LEN];
    uint8_t out[LEN];

    written_size = 0;
    memset(out, 1, sizeof(out));
    reply = 0;
    assert_int_equal(host_resident(ADDRESS, LEN * PAGE_SIZE, out), 0);
    assert_memory_equal(out, zeros, LEN);

    memset(buffer, 's', sizeof(buffer));
    reply = LEN;
    assert_int_equal(call_peek(), LEN);
    assert_memory_equal(buffer, zeros, LEN);
    assert_int_equal(buffer[LEN], 's');

    memset(buffer, 's', sizeof(buffer));
    reply = 0;
    assert_int_equal(call_random(), 0);
    assert_memory_equal(buffer, zeros, LEN);
    assert_int_equal(buffer[LEN], 's');
}

static struct host_residence resident_after(int told, uint64_t own, uint64_t shared)
{
    struct host_residence ranges[40] = {{.addr = ADDRESS, .len = 4 * PAGE_SIZE}};

    reply = told;
    /* it says that another range was asked for, too */
    residence[0] = (struct target_residence){0, SIZE_MAX, own, shared};
    if (host_space_resident(SPACE, ranges, ARRAY_SIZE(ranges)) != (told ? -EIO : 0))
        fail_msg("the target says %d", told);
    assert_int_equal(ranges[0].len, 4 * PAGE_SIZE);
    return ranges[0];
}

/* breaks: space_resident_result space_resident_own space_resident_shared */
static void no_more_pages_are_there_than_the_range_has(void **state)
{
    struct host_residence got = resident_after(0, 1, 3);

    assert_true(got.own == 1 && got.shared == 3);
    got = resident_after(0, 5, 0);
    assert_true(got.own == 0 && got.shared == 0);
    got = resident_after(0, 2, 3);
    assert_true(got.own == 2 && got.shared == 0);
    got = resident_after(0, UINT64_MAX, UINT64_MAX);
    assert_true(got.own == 0 && got.shared == 0);
    got = resident_after(-ESRCH, 1, 1);
    assert_true(got.own == 0 && got.shared == 0);
    got = resident_after(1, 1, 1);
    assert_true(got.own == 0 && got.shared == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_the_space_is_done_or_has_an_errno),
        cmocka_unit_test(another_space_is_reached_in_part_at_most),
        cmocka_unit_test(no_more_can_be_missing_than_was_asked),
        cmocka_unit_test(strings_and_words_are_there_or_fault),
        cmocka_unit_test(kernel_memory_and_entropy_are_there_or_not),
        cmocka_unit_test(page_that_has_memory_is_in_the_range),
        cmocka_unit_test(only_one_bit_says_that_a_page_is_there),
        cmocka_unit_test(what_is_not_written_is_zero),
        cmocka_unit_test(no_more_pages_are_there_than_the_range_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
