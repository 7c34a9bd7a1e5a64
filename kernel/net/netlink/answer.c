/* kernel/net/netlink/answer.c: messages as netlink(7) lays them out, made and taken apart. */
#include "base/string.h"
#include "mm/alloc.h"
#include "net/filter.h"
#include "net/netlink/internal.h"

#define PACKET_ROOM 8192 /* what programs have buffers for */

static u8 *take(struct nl_answer *answer, size_t n)
{
    struct nl_packet *packet = answer->packet;
    u8 *at;

    if (answer->err || !packet)
        return NULL;
    if (n > packet->room - packet->len) {
        answer->err = -EMSGSIZE;
        return NULL;
    }
    at = packet->data + packet->len;
    packet->len += (u32)n;
    memset(at, 0, n);
    return at;
}

void packet_deliver(struct nl_sock *nl, struct nl_packet *packet)
{
    struct filter_packet seen = {.data = packet->data, .data_len = packet->len};
    bool fits;

    if (!filter_run(&nl->sock, &seen)) {
        kfree(packet);
        return;
    }
    spin_lock(&nl->sock.lock);
    fits = nl->queued + packet->len <= nl->sock.receive_buffer;
    if (fits) {
        list_add_tail(&packet->link, &nl->queue);
        nl->queued += packet->len;
    } else {
        nl->overrun = true;
    }
    spin_unlock(&nl->sock.lock);
    if (!fits)
        kfree(packet);
    waitq_wake(&nl->sock.wait, POLLIN | POLLRDNORM | POLLERR);
}

static void packet_queue(struct nl_answer *answer)
{
    struct nl_packet *packet = TAKE(answer->packet);

    if (packet)
        packet_deliver(answer->to, packet);
}

static bool packet_open(struct nl_answer *answer)
{
    if (answer->packet)
        return true;
    answer->packet = kmalloc(sizeof(*answer->packet) + PACKET_ROOM);
    if (!answer->packet) {
        answer->err = -ENOBUFS;
        return false;
    }
    answer->packet->len = 0;
    answer->packet->room = PACKET_ROOM;
    return true;
}

void *answer_begin(struct nl_answer *answer, u16 type, const void *fixed, size_t n)
{
    struct nlmsghdr *header;
    u8 *at;

    if (answer->err || !packet_open(answer))
        return NULL;
    /* A message that might not fit begins a packet of its own. */
    if (answer->packet->len > PACKET_ROOM / 2) {
        packet_queue(answer);
        if (!packet_open(answer))
            return NULL;
    }
    answer->start = answer->packet->len;
    at = take(answer, NLMSG_HDRLEN + NLMSG_ALIGN(n));
    if (!at)
        return NULL;
    header = (struct nlmsghdr *)at;
    header->nlmsg_type = type;
    header->nlmsg_flags = answer->flags;
    header->nlmsg_seq = answer->request->nlmsg_seq;
    header->nlmsg_pid = answer->to->portid;
    memcpy(at + NLMSG_HDRLEN, fixed, n);
    return at + NLMSG_HDRLEN;
}

void answer_attr(struct nl_answer *answer, u16 type, const void *data, size_t n)
{
    u8 *at = take(answer, NLA_HDRLEN + NLA_ALIGN(n));

    if (!at)
        return;
    *(struct nlattr *)at = (struct nlattr){.nla_len = (u16)(NLA_HDRLEN + n), .nla_type = type};
    memcpy(at + NLA_HDRLEN, data, n);
}

void answer_string(struct nl_answer *answer, u16 type, const char *text)
{
    answer_attr(answer, type, text, strlen(text) + 1);
}

u32 answer_nest(struct nl_answer *answer, u16 type)
{
    u8 *at = take(answer, NLA_HDRLEN);

    if (!at)
        return 0;
    ((struct nlattr *)at)->nla_type = type;
    return (u32)(at - answer->packet->data);
}

void answer_nest_end(struct nl_answer *answer, u32 at)
{
    if (!answer->err)
        ((struct nlattr *)(answer->packet->data + at))->nla_len = (u16)(answer->packet->len - at);
}

void answer_end(struct nl_answer *answer)
{
    struct nl_packet *packet = answer->packet;
    u16 type;

    if (answer->err)
        return;
    struct nlmsghdr *header = (struct nlmsghdr *)(packet->data + answer->start);
    header->nlmsg_len = packet->len - answer->start;
    type = header->nlmsg_type;
    /* What is no part of a dump goes out at once, and so does a dump's end. */
    if (!(answer->flags & NLM_F_MULTI) || type == NLMSG_DONE)
        packet_queue(answer);
}

int attributes_find(const struct nlmsghdr *request, size_t fixed, const struct nlattr **found,
                    u16 most)
{
    size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(fixed), len = request->nlmsg_len;

    memset(found, 0, (most + 1UL) * sizeof(*found));
    while (at < len && len - at >= NLA_HDRLEN) {
        const struct nlattr *attr = (const struct nlattr *)((const u8 *)request + at);
        u16 type = attr->nla_type & NLA_TYPE_MASK;

        if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len - at)
            return -EINVAL;
        if (type <= most)
            found[type] = attr;
        at += NLA_ALIGN(attr->nla_len);
    }
    return 0;
}
