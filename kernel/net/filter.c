/* kernel/net/filter.c: see filter.h. A program is checked once, so that running it needs no check but of offsets. */
#include "net/filter.h"

#include "base/errno.h"
#include "base/refcount.h"
#include "base/string.h"
#include "host/host.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "net/interfaces.h"
#include "net/socket.h"

#include "abi/netdevice.h"
#include <linux/filter.h>

struct socket_filter {
    struct refcount ref;
    u32 n;
    struct sock_filter code[];
};

#define MACHINE_WORDS BPF_MEMWORDS

/* ---- checking ---- */

static bool known_alu(u32 code)
{
    switch (BPF_OP(code)) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_MUL:
    case BPF_DIV:
    case BPF_MOD:
    case BPF_AND:
    case BPF_OR:
    case BPF_XOR:
    case BPF_LSH:
    case BPF_RSH:
        return (code & ~0xf0U) == (BPF_ALU | BPF_SRC(code));
    default:
        return code == (BPF_ALU | BPF_NEG);
    }
}

static bool known_jump(u32 code)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ:
    case BPF_JGT:
    case BPF_JGE:
    case BPF_JSET:
        return (code & ~0xf0U) == (BPF_JMP | BPF_SRC(code));
    default:
        return code == (BPF_JMP | BPF_JA);
    }
}

static bool known_load(u32 code)
{
    switch (code) {
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
    case BPF_LD | BPF_W | BPF_IND:
    case BPF_LD | BPF_H | BPF_IND:
    case BPF_LD | BPF_B | BPF_IND:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_B | BPF_MSH:
    case BPF_LDX | BPF_IMM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return true;
    default:
        return false;
    }
}

static bool known_code(u32 code)
{
    switch (BPF_CLASS(code)) {
    case BPF_ALU:
        return known_alu(code);
    case BPF_JMP:
        return known_jump(code);
    case BPF_RET:
        return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
    case BPF_MISC:
        return code == (BPF_MISC | BPF_TAX) || code == (BPF_MISC | BPF_TXA);
    default:
        return known_load(code);
    }
}

/* Loads from SKF_AD_OFF on: facts about a packet. Attributes of netlink, and where a payload begins, are not told. */
static bool known_fact(u32 k)
{
    switch (k - (u32)SKF_AD_OFF) {
    case SKF_AD_PROTOCOL:
    case SKF_AD_PKTTYPE:
    case SKF_AD_IFINDEX:
    case SKF_AD_MARK:
    case SKF_AD_QUEUE:
    case SKF_AD_HATYPE:
    case SKF_AD_RXHASH:
    case SKF_AD_ALU_XOR_X:
    case SKF_AD_VLAN_TAG:
    case SKF_AD_VLAN_TAG_PRESENT:
    case SKF_AD_VLAN_TPID:
    case SKF_AD_RANDOM:
        return true;
    default:
        return false;
    }
}

/* The instruction at `at` of n: are its operands in range, and does it jump to one of the program? */
static bool operands_fit(const struct sock_filter *one, u32 at, u32 n)
{
    u32 left = n - at - 1;

    switch (one->code) {
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_K:
        return one->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return one->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return one->k < MACHINE_WORDS;
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
        return one->k < (u32)SKF_AD_OFF || known_fact(one->k);
    case BPF_JMP | BPF_JA:
        return one->k < left;
    default:
        return BPF_CLASS(one->code) != BPF_JMP || (one->jt < left && one->jf < left);
    }
}

/*
 * No word is loaded on a way on which it was not stored. Jumps go forward only, so one pass suffices: reached[i] has the
 * words that are stored on all ways to i.
 */
static int check_words(const struct sock_filter *code, u32 n)
{
    u16 *reached = kmalloc(n * sizeof(*reached)), words = 0;
    int err = 0;

    if (!reached)
        return -ENOMEM;
    memset(reached, 0xff, n * sizeof(*reached));
    for (u32 i = 0; i < n && !err; i++) {
        const struct sock_filter *one = &code[i];

        words &= reached[i];
        switch (one->code) {
        case BPF_ST:
        case BPF_STX:
            words |= (u16)(1U << one->k);
            break;
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
            err = words & 1U << one->k ? 0 : -EINVAL;
            break;
        case BPF_JMP | BPF_JA:
            reached[i + 1 + one->k] &= words;
            words = 0xffff;
            break;
        default:
            if (BPF_CLASS(one->code) == BPF_JMP) {
                reached[i + 1 + one->jt] &= words;
                reached[i + 1 + one->jf] &= words;
                words = 0xffff;
            }
        }
    }
    kfree(reached);
    return err;
}

int filter_check(const struct sock_filter *code, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (!known_code(code[i].code) || !operands_fit(&code[i], i, n))
            return -EINVAL;
    }
    return BPF_CLASS(code[n - 1].code) == BPF_RET ? check_words(code, n) : -EINVAL;
}

/* ---- running ---- */

struct machine {
    u32 a, x, words[MACHINE_WORDS];
};

static bool load_byte(const struct filter_packet *packet, u32 at, u8 *out)
{
    if ((s32)at < 0) {
        if (at < (u32)SKF_NET_OFF)
            return false;
        at -= (u32)SKF_NET_OFF;
        if (at < packet->net_len) {
            *out = packet->net[at];
            return true;
        }
        at -= packet->net_len;
    }
    if (at < packet->head_len) {
        *out = packet->head[at];
        return true;
    }
    at -= packet->head_len;
    if (at >= packet->data_len)
        return false;
    *out = packet->data[at];
    return true;
}

/* In network order. */
static bool load_bytes(const struct filter_packet *packet, u32 at, u32 code, u32 *out)
{
    u32 n = BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1, value = 0;
    u8 byte;

    while (n--) {
        if (!load_byte(packet, at++, &byte))
            return false;
        value = value << 8 | byte;
    }
    *out = value;
    return true;
}

/* All packets come over lo: no queues, no hashes, no VLANs. */
static void load_fact(struct machine *m, const struct filter_packet *packet, u32 k)
{
    switch (k - (u32)SKF_AD_OFF) {
    case SKF_AD_PROTOCOL:
        m->a = packet->protocol;
        break;
    case SKF_AD_IFINDEX:
        m->a = LOOPBACK_INDEX;
        break;
    case SKF_AD_MARK:
        m->a = packet->mark;
        break;
    case SKF_AD_HATYPE:
        m->a = ARPHRD_LOOPBACK;
        break;
    case SKF_AD_ALU_XOR_X:
        m->a ^= m->x;
        break;
    case SKF_AD_RANDOM:
        if (random_bytes(&m->a, sizeof(m->a)))
            m->a = 0;
        break;
    default:
        m->a = 0;
    }
}

/* False: the packet ends before what is to be loaded, and the program with it. */
static bool load(struct machine *m, const struct filter_packet *packet,
                 const struct sock_filter *one)
{
    u32 all = packet->head_len + packet->data_len;
    u8 byte;

    switch (one->code) {
    case BPF_LD | BPF_W | BPF_LEN:
        m->a = all;
        return true;
    case BPF_LDX | BPF_W | BPF_LEN:
        m->x = all;
        return true;
    case BPF_LD | BPF_IMM:
        m->a = one->k;
        return true;
    case BPF_LDX | BPF_IMM:
        m->x = one->k;
        return true;
    case BPF_LD | BPF_MEM:
        m->a = m->words[one->k];
        return true;
    case BPF_LDX | BPF_MEM:
        m->x = m->words[one->k];
        return true;
    case BPF_LDX | BPF_B | BPF_MSH: /* the length of a header of IPv4 */
        if (!load_byte(packet, one->k, &byte))
            return false;
        m->x = (byte & 0xfU) * 4;
        return true;
    default:
        if (BPF_MODE(one->code) == BPF_IND)
            return load_bytes(packet, m->x + one->k, one->code, &m->a);
        if (one->k < (u32)SKF_AD_OFF)
            return load_bytes(packet, one->k, one->code, &m->a);
        load_fact(m, packet, one->k);
        return true;
    }
}

/* False: a division by zero, which ends the program. */
static bool compute(struct machine *m, const struct sock_filter *one)
{
    u32 operand = BPF_SRC(one->code) == BPF_X ? m->x : one->k;

    switch (BPF_OP(one->code)) {
    case BPF_ADD:
        m->a += operand;
        return true;
    case BPF_SUB:
        m->a -= operand;
        return true;
    case BPF_MUL:
        m->a *= operand;
        return true;
    case BPF_DIV:
        m->a = operand ? m->a / operand : 0;
        return operand;
    case BPF_MOD:
        m->a = operand ? m->a % operand : 0;
        return operand;
    case BPF_AND:
        m->a &= operand;
        return true;
    case BPF_OR:
        m->a |= operand;
        return true;
    case BPF_XOR:
        m->a ^= operand;
        return true;
    case BPF_LSH:
        m->a <<= operand & 31;
        return true;
    case BPF_RSH:
        m->a >>= operand & 31;
        return true;
    default: /* BPF_NEG */
        m->a = -m->a;
        return true;
    }
}

/* How many instructions are passed over. */
static u32 jump(const struct machine *m, const struct sock_filter *one)
{
    u32 operand = BPF_SRC(one->code) == BPF_X ? m->x : one->k;

    switch (BPF_OP(one->code)) {
    case BPF_JEQ:
        return m->a == operand ? one->jt : one->jf;
    case BPF_JGT:
        return m->a > operand ? one->jt : one->jf;
    case BPF_JGE:
        return m->a >= operand ? one->jt : one->jf;
    case BPF_JSET:
        return m->a & operand ? one->jt : one->jf;
    default: /* BPF_JA */
        return one->k;
    }
}

/* Jumps go forward, and the last instruction returns. */
u32 filter_eval(const struct sock_filter *code, const struct filter_packet *packet)
{
    struct machine m = {0};

    for (const struct sock_filter *one = code;; one++) {
        switch (BPF_CLASS(one->code)) {
        case BPF_LD:
        case BPF_LDX:
            if (!load(&m, packet, one))
                return 0;
            break;
        case BPF_ST:
            m.words[one->k] = m.a;
            break;
        case BPF_STX:
            m.words[one->k] = m.x;
            break;
        case BPF_ALU:
            if (!compute(&m, one))
                return 0;
            break;
        case BPF_JMP:
            one += jump(&m, one);
            break;
        case BPF_MISC:
            if (one->code == (BPF_MISC | BPF_TAX))
                m.x = m.a;
            else
                m.a = m.x;
            break;
        default: /* BPF_RET */
            return BPF_RVAL(one->code) == BPF_A ? m.a : one->k;
        }
    }
}

u32 filter_run(struct socket *sock, const struct filter_packet *packet)
{
    struct socket_filter *filter;
    u32 keep;

    if (!READ_ONCE(sock->filter))
        return UINT32_MAX;
    spin_lock(&sock->lock);
    filter = sock->filter;
    if (filter)
        refcount_get(&filter->ref);
    spin_unlock(&sock->lock);
    if (!filter)
        return UINT32_MAX;
    keep = filter_eval(filter->code, packet);
    filter_put(filter);
    return keep;
}

/* ---- attaching ---- */

void filter_put(struct socket_filter *filter)
{
    if (filter && refcount_put(&filter->ref))
        kfree(filter);
}

static struct socket_filter *filter_create(const struct sock_fprog *program)
{
    size_t size = program->len * sizeof(struct sock_filter);
    struct socket_filter *filter;
    int err;

    if (!program->len || program->len > BPF_MAXINSNS || !program->filter)
        return ERR_PTR(-EINVAL);
    if (size > READ_ONCE(net_limits.optmem_max))
        return ERR_PTR(-ENOMEM);
    filter = kmalloc(sizeof(*filter) + size);
    if (!filter)
        return ERR_PTR(-ENOMEM);
    refcount_init(&filter->ref, 1);
    filter->n = program->len;
    err = copy_from_user(filter->code, (const void __user *)program->filter, size);
    if (!err)
        err = filter_check(filter->code, filter->n);
    if (!err)
        return filter;
    kfree(filter);
    return ERR_PTR(err);
}

/* The new one instead of the old one; NULL: none. */
static int filter_replace(struct socket *sock, struct socket_filter *filter)
{
    struct socket_filter *old = filter;
    int err = 0;

    spin_lock(&sock->lock);
    if (socket_option(sock, SOCKET_LOCK_FILTER)) {
        err = -EPERM;
    } else if (!filter && !sock->filter) {
        err = -ENOENT;
    } else {
        old = sock->filter;
        WRITE_ONCE(sock->filter, filter);
    }
    spin_unlock(&sock->lock);
    filter_put(old);
    return err;
}

int filter_attach(struct socket *sock, const void *value, u32 len)
{
    struct socket_filter *filter;
    struct sock_fprog program;

    if (len != sizeof(program))
        return -EINVAL;
    if (socket_option(sock, SOCKET_LOCK_FILTER))
        return -EPERM;
    memcpy(&program, value, sizeof(program));
    filter = filter_create(&program);
    return IS_ERR(filter) ? (int)PTR_ERR(filter) : filter_replace(sock, filter);
}

int filter_detach(struct socket *sock)
{
    return filter_replace(sock, NULL);
}

int filter_tell(struct socket *sock, void __user *to, u32 room)
{
    struct socket_filter *filter;
    int result = 0;

    spin_lock(&sock->lock);
    filter = sock->filter;
    if (filter)
        refcount_get(&filter->ref);
    spin_unlock(&sock->lock);
    if (!filter)
        return 0;
    if (room && room < filter->n)
        result = -EINVAL;
    else if (room && copy_to_user(to, filter->code, filter->n * sizeof(filter->code[0])))
        result = -EFAULT;
    else
        result = (int)filter->n;
    filter_put(filter);
    return result;
}
