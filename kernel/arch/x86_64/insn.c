/*
 * kernel/arch/x86_64/insn.c: the length of instructions in 64-bit mode: Intel SDM vol. 2, chapter 2 and the opcode
 * maps of appendix A. Rare or vendor-specific forms are "unknown", which is always a correct answer here.
 */
#include "arch/x86_64/insn.h"

struct cursor {
    const u8 *at, *end;
    bool cut; /* read over the end */
    bool operand16, address32, rex_w;
    u8 prefix_bytes; /* legacy prefixes, for what they forbid */
};

static u8 next(struct cursor *c)
{
    if (c->at == c->end) {
        c->cut = true;
        return 0;
    }
    return *c->at++;
}

static void skip(struct cursor *c, size_t n)
{
    if ((size_t)(c->end - c->at) < n)
        c->cut = true;
    else
        c->at += n;
}

/* ModRM, SIB and displacement. The ModRM byte. */
static u8 skip_modrm(struct cursor *c, struct insn *out)
{
    u8 modrm = next(c), mod = modrm >> 6, rm = modrm & 7;

    if (mod == 3)
        return modrm;
    if (rm == 4) {
        u8 base = next(c) & 7;

        if (mod == 0 && base == 5)
            skip(c, 4);
    } else if (rm == 5 && mod == 0) {
        out->relative = true;
        skip(c, 4);
    }
    if (mod == 1)
        skip(c, 1);
    if (mod == 2)
        skip(c, 4);
    return modrm;
}

/* An immediate of the operand's size, at most 32 bits. */
static void skip_imm(struct cursor *c)
{
    skip(c, c->operand16 && !c->rex_w ? 2 : 4);
}

/* A branch by 32 bits. With an operand-size prefix processors of two makers differ. */
static enum insn_result branch32(struct cursor *c, struct insn *out, enum insn_flow flow)
{
    if (c->operand16)
        return INSN_UNKNOWN;
    skip(c, 4);
    out->relative = true;
    out->flow = flow;
    return INSN_OK;
}

static enum insn_result branch8(struct cursor *c, struct insn *out, enum insn_flow flow)
{
    skip(c, 1);
    out->relative = true;
    out->flow = flow;
    return INSN_OK;
}

/* 00 to 3f: eight arithmetic operations in six forms each; the rest is prefixes and what 64-bit mode dropped. */
static enum insn_result decode_arithmetic(struct cursor *c, u8 op, struct insn *out)
{
    switch (op & 7) {
    case 4:
        skip(c, 1);
        return INSN_OK;
    case 5:
        skip_imm(c);
        return INSN_OK;
    case 6:
    case 7:
        return INSN_INVALID;
    default:
        skip_modrm(c, out);
        return INSN_OK;
    }
}

static enum insn_result decode_group5(struct cursor *c, struct insn *out)
{
    switch (skip_modrm(c, out) >> 3 & 7) {
    case 2:
    case 3:
        out->flow = INSN_BRANCH;
        break;
    case 4:
    case 5:
        out->flow = INSN_END;
        break;
    case 7:
        return INSN_INVALID;
    }
    return INSN_OK;
}

static enum insn_result decode_high(struct cursor *c, u8 op, struct insn *out)
{
    switch (op) {
    case 0xc0:
    case 0xc1:
    case 0xc6:
        skip_modrm(c, out);
        skip(c, 1);
        return INSN_OK;
    case 0xc2:
    case 0xca:
        skip(c, 2);
        out->flow = INSN_END;
        return INSN_OK;
    case 0xc3:
    case 0xcb:
    case 0xcf:
    case 0xf4:
        out->flow = INSN_END;
        return INSN_OK;
    case 0xc7:
        skip_modrm(c, out);
        skip_imm(c);
        return INSN_OK;
    case 0xc8:
        skip(c, 3);
        return INSN_OK;
    case 0xcc:
        out->padding = true;
        return INSN_OK;
    case 0xcd:
        skip(c, 1);
        out->flow = INSN_BRANCH;
        return INSN_OK;
    case 0xce:
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xea:
        return INSN_INVALID;
    case 0xe0 ... 0xe3:
        return branch8(c, out, INSN_BRANCH);
    case 0xe4 ... 0xe7:
        skip(c, 1);
        return INSN_OK;
    case 0xe8:
        return branch32(c, out, INSN_BRANCH);
    case 0xe9:
        return branch32(c, out, INSN_END);
    case 0xeb:
        return branch8(c, out, INSN_END);
    case 0xd0 ... 0xd3:
    case 0xd8 ... 0xdf:
    case 0xfe:
        skip_modrm(c, out);
        return INSN_OK;
    case 0xf6:
        if ((skip_modrm(c, out) >> 3 & 7) < 2)
            skip(c, 1);
        return INSN_OK;
    case 0xf7:
        if ((skip_modrm(c, out) >> 3 & 7) < 2)
            skip_imm(c);
        return INSN_OK;
    case 0xff:
        return decode_group5(c, out);
    default: /* c9, d7, ec to ef, f1, f5, f8 to fd: no operands */
        return op == 0xf1 ? INSN_UNKNOWN : INSN_OK;
    }
}

static enum insn_result decode_one_byte(struct cursor *c, u8 op, struct insn *out)
{
    if (op < 0x40)
        return decode_arithmetic(c, op, out);
    if (op >= 0xc0)
        return decode_high(c, op, out);
    switch (op) {
    case 0x60:
    case 0x61:
    case 0x82:
    case 0x9a:
        return INSN_INVALID;
    case 0x63:
    case 0x84 ... 0x8e:
        skip_modrm(c, out);
        return INSN_OK;
    case 0x8f: /* pop; with another digit it is the prefix of AMD's XOP */
        return skip_modrm(c, out) >> 3 & 7 ? INSN_UNKNOWN : INSN_OK;
    case 0x68:
    case 0xa9:
        skip_imm(c);
        return INSN_OK;
    case 0x69:
    case 0x81:
        skip_modrm(c, out);
        skip_imm(c);
        return INSN_OK;
    case 0x6b:
    case 0x80:
    case 0x83:
        skip_modrm(c, out);
        skip(c, 1);
        return INSN_OK;
    case 0x6a:
    case 0xa8:
    case 0xb0 ... 0xb7:
        skip(c, 1);
        return INSN_OK;
    case 0x70 ... 0x7f:
        return branch8(c, out, INSN_BRANCH);
    case 0x90:
        out->padding = true;
        return INSN_OK;
    case 0xa0 ... 0xa3:
        skip(c, c->address32 ? 4 : 8);
        return INSN_OK;
    case 0xb8 ... 0xbf:
        skip(c, c->rex_w ? 8 : c->operand16 ? 2 : 4);
        return INSN_OK;
    default:
        return INSN_OK;
    }
}

static bool has_imm8_0f(u8 op)
{
    return (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || op == 0xc2 ||
           (op >= 0xc4 && op <= 0xc6);
}

static enum insn_result decode_0f(struct cursor *c, struct insn *out)
{
    u8 op = next(c);

    switch (op) {
    case 0x05: /* syscall */
    case 0x07:
    case 0x34:
    case 0x35:
        out->flow = INSN_BRANCH;
        return INSN_OK;
    case 0x0b:
        out->flow = INSN_END;
        return INSN_OK;
    case 0x06:
    case 0x08:
    case 0x09:
    case 0x30 ... 0x33:
    case 0x37:
    case 0x77:
    case 0xa0 ... 0xa2:
    case 0xa8 ... 0xaa:
    case 0xc8 ... 0xcf:
        return INSN_OK;
    case 0x04:
    case 0x0a:
    case 0x0c:
        return INSN_INVALID;
    case 0x0e:
    case 0x0f:
    case 0x24 ... 0x27:
    case 0x36:
    case 0x39:
    case 0x3b ... 0x3f:
    case 0x78 ... 0x7b:
    case 0xa6:
    case 0xa7:
    case 0xb9:
    case 0xff:
        return INSN_UNKNOWN;
    case 0x38:
        next(c);
        skip_modrm(c, out);
        return INSN_OK;
    case 0x3a:
        next(c);
        skip_modrm(c, out);
        skip(c, 1);
        return INSN_OK;
    case 0x80 ... 0x8f:
        return branch32(c, out, INSN_BRANCH);
    case 0x1f:
        out->padding = (skip_modrm(c, out) >> 3 & 7) == 0;
        out->relative = false;
        return INSN_OK;
    default:
        skip_modrm(c, out);
        if (has_imm8_0f(op))
            skip(c, 1);
        return INSN_OK;
    }
}

/* Behind a VEX or EVEX prefix that names an opcode map. */
static enum insn_result decode_vex(struct cursor *c, u8 map, struct insn *out)
{
    u8 op = next(c);

    if (map == 1 && op == 0x77)
        return INSN_OK;
    if (map < 1 || map > 3)
        return INSN_UNKNOWN;
    skip_modrm(c, out);
    if (map == 3 || (map == 1 && has_imm8_0f(op)))
        skip(c, 1);
    return INSN_OK;
}

/* Legacy prefixes and a REX prefix; the opcode's first byte. A REX before a legacy prefix does nothing. */
static u8 skip_prefixes(struct cursor *c, bool *rex)
{
    *rex = false;
    for (;;) {
        u8 byte = next(c);

        switch (byte) {
        case 0x66:
            c->operand16 = true;
            break;
        case 0x67:
            c->address32 = true;
            break;
        case 0xf0:
        case 0xf2:
        case 0xf3:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x26:
        case 0x64:
        case 0x65:
            break;
        case 0x40 ... 0x4f:
            c->rex_w = byte & 8;
            *rex = true;
            continue;
        default:
            return byte;
        }
        c->rex_w = *rex = false;
        c->prefix_bytes++;
    }
}

enum insn_result insn_decode(const u8 *code, size_t size, struct insn *out)
{
    struct cursor c = {.at = code, .end = code + MIN(size, (size_t)INSN_MAX)};
    enum insn_result result;
    bool rex;
    u8 op;

    *out = (struct insn){.flow = INSN_PLAIN};
    op = skip_prefixes(&c, &rex);
    if (c.cut)
        return INSN_UNKNOWN;
    if (op == 0x0f) {
        result = decode_0f(&c, out);
    } else if (op == 0xc5 && !rex) {
        next(&c);
        result = decode_vex(&c, 1, out);
    } else if (op == 0xc4 && !rex) {
        u8 map = next(&c) & 0x1f;

        next(&c);
        result = decode_vex(&c, map, out);
    } else if (op == 0x62 && !rex) {
        u8 map = next(&c) & 7;

        next(&c), next(&c);
        result = decode_vex(&c, map, out);
    } else if (op == 0xc4 || op == 0xc5 || op == 0x62) {
        result = INSN_INVALID;
    } else {
        result = decode_one_byte(&c, op, out);
    }
    /* xchg %r8d,%eax; pause */
    if (op == 0x90 && (rex || (c.prefix_bytes && !c.operand16)))
        out->padding = false;
    if (op == 0xcc && (rex || c.prefix_bytes))
        out->padding = false;
    if (c.cut)
        return INSN_UNKNOWN;
    out->len = (u8)(c.at - code);
    return result;
}
