/* kernel/rewrite/site.c: see site.h. */
#include "rewrite/site.h"

#include "arch/x86_64/insn.h"
#include "base/string.h"

#define SHORT_REACH    127 /* bytes: jmp rel8, from its end */
#define FUNCTION_ALIGN 16  /* padding ends at a multiple of it */
#define PADDING_MAX    64
#define SYNC_FROM      64 /* bytes in front of the load: where decoding starts */
#define MOVED_MAX      3  /* instructions between load and call, */
#define MOVED_BYTES    24 /* and how long they may be */
#define LEA_SIZE       7  /* lea rel32(%rip),%rcx */

static bool in_one_page(u32 at, u32 len)
{
    return at / PAGE_SIZE == (at + len - 1) / PAGE_SIZE;
}

static const struct site *site_starting(const struct text_bytes *text, u32 offset)
{
    for (u32 i = 0; i < text->nsites; i++)
        if (text->sites[i].start == offset)
            return &text->sites[i];
    return NULL;
}

/*
 * The instruction as the program's author knows it: a rewritten one goes on behind itself, as the original did.
 * Length and the rest are the same.
 */
static enum insn_result original_insn(const struct text_bytes *text, u32 at, struct insn *out)
{
    enum insn_result result = insn_decode(text->bytes + at, text->size - at, out);

    if (result == INSN_OK && out->flow == INSN_END && site_starting(text, at))
        out->flow = INSN_BRANCH;
    return result;
}

/* --- a hole: padding that nothing runs through, and that a short jump reaches --------------------------------- */

/* Bytes of padding from `at` to a border of alignment; 0 when something else stands in between. */
static u32 padding_run(const struct text_bytes *text, u32 at)
{
    u32 i = at;

    while (i < text->size && i - at < PADDING_MAX) {
        struct insn insn;

        if (insn_decode(text->bytes + i, text->size - i, &insn) != INSN_OK || !insn.padding)
            return 0;
        i += insn.len;
        if (IS_ALIGNED(i, (u32)FUNCTION_ALIGN))
            return i - at;
    }
    return 0;
}

/*
 * Decodes onwards from behind the site, which is certainly the begin of an instruction. Padding that follows what
 * never goes on behind itself (ret, jmp), and ends where a function or a loop may begin, is reached by nothing.
 */
static bool find_hole(const struct text_bytes *text, u32 at, struct site *out)
{
    u32 origin = at + SYSCALL_SIZE, pos = origin;
    bool ended = false;

    while (pos <= origin + SHORT_REACH && pos < text->size) {
        u32 run = ended ? padding_run(text, pos) : 0;
        struct insn insn;

        if (run >= JUMP_SIZE && in_one_page(pos, JUMP_SIZE)) {
            out->hole = pos;
            out->hole_size = (u8)run;
            return true;
        }
        ended = false;
        if (run) {
            pos += run;
            continue;
        }
        if (original_insn(text, pos, &insn) != INSN_OK)
            return false;
        ended = insn.flow == INSN_END;
        pos += insn.len;
    }
    return false;
}

/* --- a load: mov $nr,%eax in front, with a few instructions in between ---------------------------------- */

/*
 * Does every way to decode the bytes in front lead to an instruction that begins at `at`? Some begin within
 * INSN_MAX bytes is a true one, so that is certain then.
 */
static bool is_boundary(const struct text_bytes *text, u32 at)
{
    if (at < SYNC_FROM)
        return false;
    for (u32 start = at - SYNC_FROM; start < at - SYNC_FROM + INSN_MAX; start++) {
        u32 pos = start;

        while (pos < at) {
            struct insn insn;
            enum insn_result result = original_insn(text, pos, &insn);

            if (result == INSN_UNKNOWN)
                return false;
            if (result == INSN_INVALID)
                break; /* no program begins an instruction here */
            pos += insn.len;
        }
        if (pos > at)
            return false;
    }
    return true;
}

static bool loads(const u8 *code, u32 nr)
{
    u32 value;

    memcpy(&value, code + 1, sizeof(value));
    return code[0] == 0xb8 && value == nr;
}

/* Does the load's successor lead to `at` by a few instructions that are the same anywhere? */
static bool movable(const struct text_bytes *text, u32 from, u32 at)
{
    for (u32 n = 0; from < at; n++) {
        struct insn insn;

        if (n == MOVED_MAX || insn_decode(text->bytes + from, at - from, &insn) != INSN_OK ||
            insn.relative || insn.flow != INSN_PLAIN)
            return false;
        from += insn.len;
    }
    return true;
}

static bool find_load(const struct text_bytes *text, u32 at, u32 nr, struct site *out)
{
    for (u32 between = 0; between <= MOVED_BYTES && at >= LOAD_SIZE + between; between++) {
        u32 load = at - LOAD_SIZE - between;

        if (!loads(text->bytes + load, nr) || site_starting(text, load) ||
            !movable(text, load + LOAD_SIZE, at) || !is_boundary(text, load))
            continue;
        out->start = load;
        out->moved = (u8)(LOAD_SIZE + between);
        return true;
    }
    return false;
}

bool site_find(const struct text_bytes *text, u32 at, u32 nr, struct site *out)
{
    bool hole, load;

    *out = (struct site){.at = at, .start = at, .nr = nr};
    if (at + SYSCALL_SIZE > text->size || text->bytes[at] != 0x0f || text->bytes[at + 1] != 0x05)
        return false;
    hole = find_hole(text, at, out);
    if (hole && in_one_page(at, SYSCALL_SIZE)) {
        out->form = SITE_HOLE;
    } else {
        load = find_load(text, at, nr, out);
        out->straddles = !load || !in_one_page(out->start, LOAD_SIZE);
        out->form = load ? SITE_LOAD : SITE_HOLE;
        if (!load && !hole)
            return false;
    }
    out->stub_size = (u8)(out->moved + LEA_SIZE + JUMP_SIZE);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void put_relative(u8 *field, u32 target, u32 next)
{
    s32 distance = (s32)(target - next);

    memcpy(field, &distance, sizeof(distance));
}

static void jump_write(u8 *bytes, u32 at, u32 target)
{
    bytes[at] = 0xe9;
    put_relative(bytes + at + 1, target, at + JUMP_SIZE);
}

void site_write(u8 *bytes, const struct site *site, u32 gate)
{
    u32 at = site->stub;

    memcpy(bytes + at, bytes + site->start, site->moved);
    at += site->moved;
    bytes[at] = 0x48, bytes[at + 1] = 0x8d, bytes[at + 2] = 0x0d;
    put_relative(bytes + at + 3, site->at + SYSCALL_SIZE, at + LEA_SIZE);
    at += LEA_SIZE;
    jump_write(bytes, at, gate);
    if (site->form == SITE_LOAD) {
        jump_write(bytes, site->start, site->stub);
        return;
    }
    memset(bytes + site->hole, 0xcc, site->hole_size); /* what was cut is padding still */
    jump_write(bytes, site->hole, site->stub);
    bytes[site->at] = 0xeb;
    bytes[site->at + 1] = (u8)(site->hole - (site->at + SYSCALL_SIZE));
}

void site_restore(u8 *bytes, const struct site *site)
{
    if (site->form == SITE_LOAD) {
        memcpy(bytes + site->start, bytes + site->stub, LOAD_SIZE);
        return;
    }
    bytes[site->at] = 0x0f;
    bytes[site->at + 1] = 0x05;
}

void gate_write(u8 *gate, u64 entry)
{
    gate[0] = 0x49, gate[1] = 0xbb; /* movabs $entry,%r11 */
    memcpy(gate + 2, &entry, sizeof(entry));
    gate[10] = 0x41, gate[11] = 0xff, gate[12] = 0xe3; /* jmp *%r11 */
}

bool site_original(const struct site *site, u32 offset, u32 *original)
{
    *original = site->at;
    if (site->form == SITE_HOLE && offset >= site->hole && offset < site->hole + JUMP_SIZE)
        return true;
    if (offset < site->stub || offset >= site->stub + site->stub_size)
        return false;
    if (offset < site->stub + site->moved)
        *original = site->start + (offset - site->stub);
    return true;
}
