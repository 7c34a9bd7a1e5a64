/* tests/unit/rewrite_site.c: which call sites are rewritten and how, and where instructions end. */
#include "unit.h"

#include "rename.h"

#include "arch/x86_64/insn.h"
#include "base/string.h"
#include "rewrite/site.h"

#define CODE_SIZE  512
#define TEXT_SIZE  1024
#define GATE       512
#define FIRST_STUB 528

#define NOP10     0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
#define NOP8      0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
#define RET       0xc3
#define SYSCALL   0x0f, 0x05
#define LOAD(n)   0xb8, n, 0, 0, 0
#define CMP_ERROR 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff /* cmp $-4096,%rax */

static u8 text[TEXT_SIZE];
static struct site sites[8];
static struct text_bytes code;

static void start(void)
{
    /* an instruction that no decoding in front of it can miss: add %al,%al */
    for (size_t i = 0; i < TEXT_SIZE; i++)
        text[i] = i % 2 ? 0xc0 : 0x00;
    memset(sites, 0, sizeof sites);
    code = (struct text_bytes){text, CODE_SIZE, sites, 0};
}

static void put(u32 at, const u8 *bytes, size_t n)
{
    memcpy(text + at, bytes, n);
}
#define PUT(at, ...)                                                                               \
    do {                                                                                           \
        static const u8 put_[] = {__VA_ARGS__};                                                    \
        put(at, put_, sizeof put_);                                                                \
    } while (0)

static bool find(u32 at, u32 nr)
{
    return site_find(&code, at, nr, &sites[code.nsites]);
}

static const struct site *write(u32 stub)
{
    struct site *site = &sites[code.nsites++];

    site->stub = stub;
    site_write(text, site, GATE);
    return site;
}

static s32 relative_at(u32 at)
{
    s32 value;

    memcpy(&value, text + at, sizeof value);
    return value;
}

static u32 jump_target(u32 at)
{
    if (text[at] == 0xeb)
        return at + 2 + (u32)(s8)text[at + 1];
    assert_int_equal(text[at], 0xe9);
    return at + 5 + (u32)relative_at(at + 1);
}

/* lea to RCX: where the call returns to */
static u32 lea_target(u32 at)
{
    assert_int_equal(text[at], 0x48);
    assert_int_equal(text[at + 1], 0x8d);
    assert_int_equal(text[at + 2], 0x0d);
    return at + 7 + (u32)relative_at(at + 3);
}

/* ---- sites ---- */

static void read_of_glibc_jumps_through_the_padding_behind_it(void **state)
{
    start();
    /* xor %eax,%eax; syscall; cmp; ja; ret; padding up to the next function */
    PUT(187, 0x31, 0xc0, SYSCALL, CMP_ERROR, 0x77, 0x54, RET, NOP8);
    assert_true(find(189, 0));
    const struct site *site = write(FIRST_STUB);

    assert_int_equal(site->form, SITE_HOLE);
    assert_int_equal(site->start, 189);
    assert_int_equal(text[188], 0xc0); /* what stands in front is untouched, */
    assert_int_equal(text[191], 0x48); /* and what stands behind */
    assert_int_equal(jump_target(189), site->hole);
    assert_int_equal(site->hole, 200);
    assert_int_equal(jump_target(site->hole), FIRST_STUB);
    assert_int_equal(lea_target(FIRST_STUB), 191);
    assert_int_equal(jump_target(FIRST_STUB + 7), GATE);
    for (u32 i = site->hole + JUMP_SIZE; i < 208; i++)
        assert_int_equal(text[i], 0xcc);
}

static void without_padding_the_load_in_front_becomes_the_jump(void **state)
{
    start();
    PUT(192, LOAD(39), SYSCALL);
    assert_true(find(197, 39));
    const struct site *site = write(FIRST_STUB);

    assert_int_equal(site->form, SITE_LOAD);
    assert_int_equal(jump_target(192), FIRST_STUB);
    assert_int_equal(text[197], 0x0f); /* whoever jumps to it makes a call as before */
    assert_int_equal(text[198], 0x05);
    assert_int_equal(text[FIRST_STUB], 0xb8);
    assert_int_equal(text[FIRST_STUB + 1], 39);
    assert_int_equal(lea_target(FIRST_STUB + 5), 199);
    assert_int_equal(jump_target(FIRST_STUB + 12), GATE);
}

static void one_instruction_may_stand_between_load_and_call(void **state)
{
    start();
    PUT(192, LOAD(0xca), 0x40, 0x80, 0xf6, 0x81, SYSCALL); /* xor $0x81,%sil */
    assert_true(find(201, 0xca));
    const struct site *site = write(FIRST_STUB);

    assert_int_equal(site->form, SITE_LOAD);
    assert_int_equal(site->moved, 9);
    assert_memory_equal(text + FIRST_STUB + 5, text + 197, 4);
    assert_int_equal(lea_target(FIRST_STUB + 9), 203);
}

static void not_one_that_knows_where_it_stands(void **state)
{
    start();
    PUT(192, LOAD(1), 0x48, 0x8d, 0x35, 1, 2, 3, 0, SYSCALL); /* lea rel32(%rip),%rsi */
    assert_false(find(204, 1));
    start();
    PUT(192, LOAD(1), 0x75, 0x00, SYSCALL); /* jne */
    assert_false(find(199, 1));
}

static void the_load_must_be_of_the_number_that_was_called(void **state)
{
    start();
    PUT(192, LOAD(39), SYSCALL);
    assert_false(find(197, 40));
}

static void bytes_that_only_look_like_a_load_are_left_alone(void **state)
{
    start();
    PUT(191, 0x41, LOAD(39), SYSCALL); /* mov $39,%r8d */
    assert_false(find(197, 39));
    start();
    PUT(190, 0xc7, 0x45, LOAD(39), SYSCALL); /* movl $39,-0x48(%rbp) */
    assert_false(find(197, 39));
}

static void only_system_calls_are_sites(void **state)
{
    start();
    PUT(192, LOAD(39), 0x0f, 0x34, RET, NOP10);
    assert_false(find(197, 39));
    assert_false(find(CODE_SIZE - 1, 39));
}

static void padding_that_is_run_through_is_no_hole(void **state)
{
    start();
    /* the loop behind the call is aligned: nothing ends in front of the padding */
    PUT(194, SYSCALL, 0x89, 0xc2, NOP10);
    assert_false(find(194, 0));
}

static void padding_must_end_where_a_function_can_begin(void **state)
{
    start();
    PUT(194, SYSCALL, RET, NOP8, 0x89, 0xc2);
    assert_false(find(194, 0));
}

static void four_bytes_of_padding_are_too_few(void **state)
{
    start();
    PUT(194, SYSCALL, 0x48, 0x89, 0xc2, 0x48, 0x89, 0xc2, 0x90, RET, 0x0f, 0x1f, 0x40, 0x00);
    assert_false(find(194, 0));
    text[203] = 0x90; /* nop instead of the ret's place: a run of five */
    text[202] = RET;
    assert_true(find(194, 0));
    assert_int_equal(sites[0].hole, 203);
}

static void padding_out_of_reach_is_no_hole(void **state)
{
    start();
    PUT(194, SYSCALL);
    PUT(194 + 2 + 128, RET, NOP10, 0x90);
    assert_false(find(194, 0));
}

static void int3_between_functions_is_padding(void **state)
{
    start();
    PUT(192, 0x90, 0x90, SYSCALL, RET, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
        0xcc);
    assert_true(find(194, 0));
    assert_int_equal(sites[0].hole, 197);
}

static void a_hole_has_room_for_two(void **state)
{
    start();
    PUT(160, SYSCALL, SYSCALL, RET, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
        0xcc);
    assert_true(find(160, 0));
    write(FIRST_STUB);
    assert_true(find(162, 0));
    const struct site *second = write(FIRST_STUB + 12);

    assert_int_equal(sites[0].hole, 165);
    assert_int_equal(second->hole, 170);
    assert_int_equal(jump_target(165), FIRST_STUB);
    assert_int_equal(jump_target(170), FIRST_STUB + 12);
}

/* The first site's jump never goes on behind itself, but the call that it stands for does. */
static void what_follows_a_rewritten_site_is_not_dead(void **state)
{
    start();
    PUT(192, 0x90, 0x90, SYSCALL, NOP10, 0x90, 0x90);
    PUT(208, RET, NOP10, 0x90, 0x90, 0x90, 0x90, 0x90);
    assert_true(find(194, 0));
    assert_int_equal(write(FIRST_STUB)->hole, 209);
    PUT(190, SYSCALL);
    assert_true(find(190, 0));
    assert_int_equal(sites[1].hole, 214); /* and not 196 */
}

static void a_site_across_pages_says_so(void **state)
{
    static u8 pages[2 * 4096];
    struct site site;
    struct text_bytes two = {pages, sizeof pages, NULL, 0};

    memset(pages, 0x90, sizeof pages);
    pages[4095] = 0x0f, pages[4096] = 0x05;
    pages[4097] = RET;
    assert_true(site_find(&two, 4095, 0, &site));
    assert_true(site.straddles);
    /* but the load in front lies on one */
    pages[4090] = 0xb8, pages[4091] = 39;
    memset(pages + 4092, 0, 3);
    assert_true(site_find(&two, 4095, 39, &site));
    assert_false(site.straddles);
    assert_int_equal(site.form, SITE_LOAD);
    memset(pages, 0x90, sizeof pages);
    pages[4093] = 0xb8, pages[4094] = 39;
    memset(pages + 4095, 0, 3);
    pages[4098] = 0x0f, pages[4099] = 0x05;
    assert_true(site_find(&two, 4098, 39, &site));
    assert_true(site.straddles);
}

static void up_to_three_instructions_may_stand_in_between(void **state)
{
    start();
    PUT(192, LOAD(1), 0x31, 0xff, 0x31, 0xf6, 0x31, 0xd2, SYSCALL);
    assert_true(find(203, 1));
    assert_int_equal(sites[0].moved, 11);
    start();
    PUT(192, LOAD(1), 0x31, 0xff, 0x31, 0xf6, 0x31, 0xd2, 0x31, 0xc9, SYSCALL);
    assert_false(find(205, 1));
}

static void padding_of_long_nops_may_cross_a_border(void **state)
{
    start();
    PUT(160, SYSCALL, RET, NOP10, NOP10, NOP8, 0x90); /* 163 to 192, over 176 */
    assert_true(find(160, 0));
    const struct site *site = write(FIRST_STUB);

    assert_int_equal(site->hole, 163);
    for (u32 i = site->hole + JUMP_SIZE; i < 192; i++)
        assert_int_equal(text[i], 0xcc);
    assert_int_equal(text[192], 0x00);
}

static void a_restored_site_is_the_original(void **state)
{
    u8 before[TEXT_SIZE];

    start();
    PUT(128, LOAD(39), SYSCALL);
    PUT(192, 0x31, 0xc0, SYSCALL, RET, NOP10, 0x90);
    memcpy(before, text, sizeof text);
    assert_true(find(133, 39));
    write(FIRST_STUB);
    assert_true(find(194, 0));
    write(FIRST_STUB + 17);
    for (u32 i = 0; i < code.nsites; i++)
        site_restore(text, &sites[i]);
    assert_memory_equal(text, before, 197); /* the hole behind stays a jump */
}

static void a_thread_in_a_hole_or_stub_is_told_where_it_is(void **state)
{
    u32 original = 0;

    start();
    PUT(128, LOAD(0xca), 0x40, 0x80, 0xf6, 0x81, SYSCALL);
    assert_true(find(137, 0xca));
    const struct site *load = write(FIRST_STUB);

    assert_true(site_original(load, FIRST_STUB, &original));
    assert_int_equal(original, 128);
    assert_true(site_original(load, FIRST_STUB + 5, &original));
    assert_int_equal(original, 133);
    assert_true(site_original(load, FIRST_STUB + 9, &original));
    assert_int_equal(original, 137);
    assert_true(site_original(load, FIRST_STUB + 16, &original));
    assert_int_equal(original, 137);
    assert_false(site_original(load, FIRST_STUB + 21, &original));
    assert_false(site_original(load, 128, &original));
    assert_false(site_original(load, 0, &original));

    PUT(192, 0x31, 0xc0, SYSCALL, RET, NOP10, 0x90);
    assert_true(find(194, 0));
    const struct site *hole = write(FIRST_STUB + 21);

    assert_true(site_original(hole, hole->hole, &original));
    assert_int_equal(original, 194);
    assert_false(site_original(hole, hole->hole + 5, &original));
    assert_true(site_original(hole, FIRST_STUB + 21 + 7, &original));
    assert_int_equal(original, 194);
}

/* ---- instructions ---- */

struct known {
    u8 bytes[INSN_MAX];
    u8 len;
    enum insn_flow flow;
};

static void lengths_are_those_of_the_manual(void **state)
{
    static const struct known known[] = {
        {{0x90}, 1, INSN_PLAIN},
        {{0xc3}, 1, INSN_END},
        {{0xf3, 0xc3}, 2, INSN_END},
        {{0xb8, 1, 2, 3, 4}, 5, INSN_PLAIN},
        {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10, INSN_PLAIN},
        {{0x66, 0xb8, 1, 2}, 4, INSN_PLAIN},
        {{0x48, 0x8b, 0x04, 0x25, 1, 2, 3, 4}, 8, INSN_PLAIN},
        {{0x64, 0x48, 0x8b, 0x04, 0x25, 1, 2, 3, 4}, 9, INSN_PLAIN},
        {{0x8b, 0x44, 0x24, 0x10}, 4, INSN_PLAIN},
        {{0x8b, 0x05, 1, 2, 3, 4}, 6, INSN_PLAIN},
        {{0xf7, 0xc0, 1, 2, 3, 4}, 6, INSN_PLAIN},
        {{0xf7, 0xd8}, 2, INSN_PLAIN},
        {{0xf6, 0xc1, 1}, 3, INSN_PLAIN},
        {{0xff, 0xe0}, 2, INSN_END},
        {{0xff, 0xd0}, 2, INSN_BRANCH},
        {{0xe8, 1, 2, 3, 4}, 5, INSN_BRANCH},
        {{0x0f, 0x84, 1, 2, 3, 4}, 6, INSN_BRANCH},
        {{0x0f, 0x05}, 2, INSN_BRANCH},
        {{0x0f, 0x0b}, 2, INSN_END},
        {{0x0f, 0xb6, 0xc0}, 3, INSN_PLAIN},
        {{0x66, 0x0f, 0x38, 0x00, 0xc1}, 5, INSN_PLAIN},
        {{0x66, 0x0f, 0x3a, 0x0f, 0xc1, 4}, 6, INSN_PLAIN},
        {{0xc5, 0xf8, 0x77}, 3, INSN_PLAIN},
        {{0xc4, 0xe2, 0x7d, 0x18, 0x07}, 5, INSN_PLAIN},
        {{0xc4, 0xe3, 0x7d, 0x06, 0xc1, 0x31}, 6, INSN_PLAIN},
        {{0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x44, 0x24, 0x01}, 8, INSN_PLAIN},
        {{0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8}, 10, INSN_PLAIN},
        {{0xc8, 1, 2, 3}, 4, INSN_PLAIN},
        {{0xc2, 1, 2}, 3, INSN_END},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        struct insn insn;

        assert_int_equal(insn_decode(known[i].bytes, INSN_MAX, &insn), INSN_OK);
        assert_int_equal(insn.len, known[i].len);
        assert_int_equal(insn.flow, known[i].flow);
        /* one byte less is not enough, and is not read over */
        u8 *cut = malloc(known[i].len - 1U);

        assert_non_null(cut);
        memcpy(cut, known[i].bytes, known[i].len - 1U);
        if (known[i].bytes[0] != 0xf3)
            assert_int_equal(insn_decode(cut, known[i].len - 1U, &insn), INSN_UNKNOWN);
        free(cut);
    }
}

static void what_64_bit_mode_dropped_is_invalid(void **state)
{
    static const u8 dropped[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
                                 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea};

    for (size_t i = 0; i < sizeof dropped; i++) {
        u8 bytes[INSN_MAX] = {dropped[i]};
        struct insn insn;

        assert_int_equal(insn_decode(bytes, sizeof bytes, &insn), INSN_INVALID);
    }
}

static void nothing_is_read_behind_the_end(void **state)
{
    random_start();
    for (int round = 0; round < 100000; round++) {
        size_t n = random_below(INSN_MAX + 1);
        u8 *bytes = malloc(n ? n : 1);
        struct insn insn;

        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (u8)random_u64();
        if (insn_decode(bytes, n, &insn) == INSN_OK)
            assert_in_range(insn.len, 1, n);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_of_glibc_jumps_through_the_padding_behind_it),
        cmocka_unit_test(without_padding_the_load_in_front_becomes_the_jump),
        cmocka_unit_test(one_instruction_may_stand_between_load_and_call),
        cmocka_unit_test(not_one_that_knows_where_it_stands),
        cmocka_unit_test(the_load_must_be_of_the_number_that_was_called),
        cmocka_unit_test(bytes_that_only_look_like_a_load_are_left_alone),
        cmocka_unit_test(only_system_calls_are_sites),
        cmocka_unit_test(padding_that_is_run_through_is_no_hole),
        cmocka_unit_test(padding_must_end_where_a_function_can_begin),
        cmocka_unit_test(four_bytes_of_padding_are_too_few),
        cmocka_unit_test(padding_out_of_reach_is_no_hole),
        cmocka_unit_test(int3_between_functions_is_padding),
        cmocka_unit_test(a_hole_has_room_for_two),
        cmocka_unit_test(what_follows_a_rewritten_site_is_not_dead),
        cmocka_unit_test(a_site_across_pages_says_so),
        cmocka_unit_test(up_to_three_instructions_may_stand_in_between),
        cmocka_unit_test(padding_of_long_nops_may_cross_a_border),
        cmocka_unit_test(a_restored_site_is_the_original),
        cmocka_unit_test(a_thread_in_a_hole_or_stub_is_told_where_it_is),
        cmocka_unit_test(lengths_are_those_of_the_manual),
        cmocka_unit_test(what_64_bit_mode_dropped_is_invalid),
        cmocka_unit_test(nothing_is_read_behind_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
