/*
 * kernel/net/netlink/netlink.c: AF_NETLINK sockets, netlink(7). A request is answered while it is sent: what the kernel says
 * stands in the socket's queue when send returns. NETLINK_KOBJECT_UEVENT tells of devices, of which none ever
 * comes or goes.
 */
#include "net/netlink/netlink.h"

#include "abi/unexported.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/netlink/internal.h"
#include "task/task.h"

#include <linux/rtnetlink.h>

#define REQUEST_MAX 65536
#define GROUPS_MAX  64

static struct {
    struct spinlock lock;              /* class OBJECT */
    struct list_head bound[MAX_LINKS]; /* by protocol; lock: the sockets that have a port */
} ports = {.lock = SPINLOCK(OBJECT)};

/* ---- ports ---- */

static bool port_used_locked(int protocol, u32 portid)
{
    struct nl_sock *other;

    list_for_each_entry(other, &ports.bound[protocol], by_port)
        if (other->portid == portid)
            return true;
    return false;
}

/* 0: the process's id, or when another socket has it some number above all of those. */
static int port_bind(struct nl_sock *nl, u32 portid)
{
    static const u32 first_other = 0xfffff000U; /* netlink(7): as a negative number */
    int protocol = nl->sock.protocol, err = 0;

    spin_lock(&ports.lock);
    if (nl->portid) {
        err = portid && portid != nl->portid ? -EINVAL : 0;
    } else if (portid && port_used_locked(protocol, portid)) {
        err = -EADDRINUSE;
    } else {
        if (!portid)
            portid = (u32)task_self()->process->pid;
        for (u32 next = first_other; port_used_locked(protocol, portid); next--)
            portid = next;
        WRITE_ONCE(nl->portid, portid);
        list_add_tail(&nl->by_port, &ports.bound[protocol]);
    }
    spin_unlock(&ports.lock);
    return err;
}

static int address_check(const struct sock_addr *addr, struct sockaddr_nl *out)
{
    if (addr->len < sizeof(*out))
        return -EINVAL;
    memcpy(out, addr->bytes, sizeof(*out));
    return out->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static int nl_bind(struct socket *sock, const struct sock_addr *addr)
{
    struct nl_sock *nl = nl_of(sock);
    struct sockaddr_nl name;
    int err = address_check(addr, &name);

    if (err)
        return err;
    err = port_bind(nl, name.nl_pid);
    if (err)
        return err;
    spin_lock(&sock->lock);
    nl->groups = (nl->groups & ~0xffffffffULL) | name.nl_groups;
    spin_unlock(&sock->lock);
    return 0;
}

static int nl_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct nl_sock *nl = nl_of(sock);
    struct sockaddr_nl name;
    int err;

    if (addr->family == AF_UNSPEC) {
        WRITE_ONCE(nl->peer, 0);
        return 0;
    }
    err = address_check(addr, &name);
    if (!err && (name.nl_pid || name.nl_groups) && !capable(CAP_NET_ADMIN))
        err = -EPERM;
    if (!err && !READ_ONCE(nl->portid))
        err = port_bind(nl, 0);
    if (!err)
        WRITE_ONCE(nl->peer, name.nl_pid);
    return err;
}

static void put_name(struct sock_addr *out, u32 portid, u32 groups)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups};

    memcpy(out->bytes, &name, sizeof(name));
    out->len = sizeof(name);
}

static int nl_name_of(struct socket *sock, bool peer, struct sock_addr *out)
{
    struct nl_sock *nl = nl_of(sock);

    if (peer)
        put_name(out, READ_ONCE(nl->peer), 0);
    else
        put_name(out, READ_ONCE(nl->portid), (u32)READ_ONCE(nl->groups));
    return 0;
}

/* ---- requests ---- */

static void answer_error(struct nl_answer *answer, int err)
{
    const struct nlmsghdr *request = answer->request;
    struct nlmsgerr what = {.error = err, .msg = *request};
    bool whole = err && !nl_option(answer->to, NETLINK_CAP_ACK);
    u8 *at;

    answer->flags = whole ? 0 : NLM_F_CAPPED;
    at = answer_begin(answer, NLMSG_ERROR, &what, sizeof(what));
    /* The request stands behind its header. What is too long for an answer is cut. */
    if (at && whole && request->nlmsg_len > sizeof(*request)) {
        size_t rest = request->nlmsg_len - sizeof(*request);
        struct nl_packet *packet = answer->packet;

        if (NLMSG_ALIGN(rest) <= packet->room - packet->len) {
            memcpy(packet->data + packet->len, (const u8 *)request + sizeof(*request), rest);
            packet->len += (u32)NLMSG_ALIGN(rest);
        }
    }
    answer_end(answer);
}

static void request_answer(struct nl_sock *nl, const struct nlmsghdr *request)
{
    bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    struct nl_answer answer = {.to = nl, .request = request, .flags = dump ? NLM_F_MULTI : 0};
    int err = 0, done = 0;

    if (!(request->nlmsg_flags & NLM_F_REQUEST))
        return;
    if (request->nlmsg_type >= NLMSG_MIN_TYPE)
        err = rtnetlink_request(&answer);
    else if (request->nlmsg_type != NLMSG_NOOP)
        return;
    if (!err && answer.err)
        err = answer.err;
    kfree(err ? TAKE(answer.packet) : NULL);
    answer.err = 0;
    if (!err && dump && request->nlmsg_type >= NLMSG_MIN_TYPE) {
        answer_begin(&answer, NLMSG_DONE, &done, sizeof(done));
        answer_end(&answer);
    } else if (err || (request->nlmsg_flags & NLM_F_ACK)) {
        answer_error(&answer, err);
    }
    if (answer.err) { /* no memory even for that */
        spin_lock(&nl->sock.lock);
        nl->overrun = true;
        spin_unlock(&nl->sock.lock);
    }
}

/* A malformed length ends it; what stands before was answered. */
static void requests_answer(struct nl_sock *nl, const u8 *data, size_t len)
{
    while (len >= NLMSG_HDRLEN) {
        const struct nlmsghdr *request = (const struct nlmsghdr *)data;
        size_t step;

        if (request->nlmsg_len < NLMSG_HDRLEN || request->nlmsg_len > len)
            return;
        request_answer(nl, request);
        step = NLMSG_ALIGN(request->nlmsg_len);
        if (step >= len)
            return;
        data += step;
        len -= step;
    }
}

static ssize_t nl_send(struct socket *sock, struct message *msg)
{
    struct nl_sock *nl = nl_of(sock);
    size_t len = iter_left(msg->data);
    u32 to = READ_ONCE(nl->peer);
    struct sockaddr_nl name;
    ssize_t got;
    int err = 0;
    u8 *data;

    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (msg->addr) {
        err = address_check(msg->addr, &name);
        if (err)
            return err;
        if ((name.nl_pid || name.nl_groups) && !capable(CAP_NET_ADMIN))
            return -EPERM;
        to = name.nl_pid;
    }
    if (!READ_ONCE(nl->portid))
        err = port_bind(nl, 0);
    if (!err && (len > REQUEST_MAX || len > sock->send_buffer))
        err = -EMSGSIZE;
    if (!err && (to || sock->protocol != NETLINK_ROUTE))
        err = -ECONNREFUSED; /* nobody else listens there */
    if (err)
        return err;
    data = kmalloc(MAX(len, (size_t)1));
    if (!data)
        return -ENOBUFS;
    got = len ? copy_from_iter(msg->data, data, len) : 0;
    if (got >= 0 && (size_t)got == len)
        requests_answer(nl, data, len);
    kfree(data);
    return got < 0 ? got : (size_t)got == len ? got : -EFAULT;
}

/* ---- receiving ---- */

static struct nl_packet *packet_take_locked(struct nl_sock *nl, bool peek)
{
    struct nl_packet *packet = list_first_entry(&nl->queue, struct nl_packet, link);

    if (!peek) {
        list_del(&packet->link);
        nl->queued -= packet->len;
    }
    return packet;
}

/* A peek copies: the packet may be taken by another thread while the program's memory is written. */
static struct nl_packet *packet_copy(const struct nl_packet *packet)
{
    struct nl_packet *copy = kmalloc(sizeof(*copy) + packet->len);

    if (copy)
        memcpy(copy, packet, sizeof(*copy) + packet->len);
    return copy;
}

static int packet_get(struct nl_sock *nl, const struct message *msg, struct nl_packet **out)
{
    struct socket *sock = &nl->sock;
    bool peek = msg->flags & MSG_PEEK;
    int err;

    spin_lock(&sock->lock);
    err = socket_wait(sock, msg->flags, sock->receive_timeout,
                      !list_empty(&nl->queue) || nl->overrun);
    if (!err && nl->overrun) {
        nl->overrun = false;
        err = -ENOBUFS;
    }
    if (!err) {
        *out = packet_take_locked(nl, peek);
        if (peek)
            *out = packet_copy(*out);
        if (!*out)
            err = -ENOMEM;
    }
    spin_unlock(&sock->lock);
    return err;
}

static ssize_t nl_receive(struct socket *sock, struct message *msg)
{
    struct nl_sock *nl = nl_of(sock);
    struct nl_packet *packet;
    size_t n;
    ssize_t result;
    int err;

    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    err = packet_get(nl, msg, &packet);
    if (err)
        return err;
    n = MIN((size_t)packet->len, iter_left(msg->data));
    result = n ? copy_to_iter(msg->data, packet->data, n) : 0;
    if (result >= 0) {
        if (n < packet->len)
            msg->out_flags |= MSG_TRUNC;
        if (msg->flags & MSG_TRUNC)
            result = packet->len;
        if (msg->addr)
            put_name(msg->addr, 0, 0);
        if (nl_option(nl, NETLINK_PKTINFO)) {
            struct nl_pktinfo info = {.group = 0};

            control_put(msg, SOL_NETLINK, NETLINK_PKTINFO, &info, sizeof(info));
        }
    }
    kfree(packet);
    return result;
}

static u32 nl_poll(struct socket *sock, struct poll_table *table)
{
    struct nl_sock *nl = nl_of(sock);
    u32 mask = POLLOUT | POLLWRNORM | POLLWRBAND;

    poll_wait(&sock->file, &sock->wait, table);
    spin_lock(&sock->lock);
    if (!list_empty(&nl->queue))
        mask |= POLLIN | POLLRDNORM;
    if (nl->overrun || sock->error)
        mask |= POLLERR;
    spin_unlock(&sock->lock);
    return mask;
}

/* ---- options ---- */

static int set_membership(struct nl_sock *nl, u32 group, bool member)
{
    int err;

    if (group == 0 || group > GROUPS_MAX)
        return -EINVAL;
    err = READ_ONCE(nl->portid) ? 0 : port_bind(nl, 0);
    if (err)
        return err;
    spin_lock(&nl->sock.lock);
    nl->groups = member ? nl->groups | BIT(group - 1) : nl->groups & ~BIT(group - 1);
    spin_unlock(&nl->sock.lock);
    return 0;
}

static bool is_switch(int option)
{
    return option == NETLINK_PKTINFO || option == NETLINK_BROADCAST_ERROR ||
           option == NETLINK_NO_ENOBUFS || option == NETLINK_LISTEN_ALL_NSID ||
           option == NETLINK_CAP_ACK || option == NETLINK_EXT_ACK ||
           option == NETLINK_GET_STRICT_CHK;
}

static int nl_set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    struct nl_sock *nl = nl_of(sock);
    u32 number = 0;

    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (len >= sizeof(number)) /* as on Linux, less is nothing */
        memcpy(&number, value, sizeof(number));
    if (option == NETLINK_ADD_MEMBERSHIP || option == NETLINK_DROP_MEMBERSHIP)
        return set_membership(nl, number, option == NETLINK_ADD_MEMBERSHIP);
    if (option == NETLINK_LISTEN_ALL_NSID && !capable(CAP_NET_BROADCAST))
        return -EPERM;
    if (!is_switch(option))
        return -ENOPROTOOPT;
    spin_lock(&sock->lock);
    nl->flags = number ? nl->flags | (u32)BIT(option) : nl->flags & ~(u32)BIT(option);
    spin_unlock(&sock->lock);
    return 0;
}

static int nl_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    struct nl_sock *nl = nl_of(sock);
    u64 groups = READ_ONCE(nl->groups);
    u32 number;

    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (option == NETLINK_LIST_MEMBERSHIPS) {
        memcpy(value, &groups, MIN(*len, (u32)sizeof(groups)));
        *len = sizeof(groups);
        return 0;
    }
    if (!is_switch(option))
        return -ENOPROTOOPT;
    if (*len < sizeof(number))
        return -EINVAL;
    number = nl_option(nl, option);
    memcpy(value, &number, sizeof(number));
    *len = sizeof(number);
    return 0;
}

/* ---- life ---- */

static void nl_release(struct socket *sock)
{
    struct nl_sock *nl = nl_of(sock);
    struct nl_packet *packet, *next;

    spin_lock(&ports.lock);
    list_del(&nl->by_port);
    spin_unlock(&ports.lock);
    list_for_each_entry_safe(packet, next, &nl->queue, link)
        kfree(packet);
    kfree(nl);
}

static const struct socket_ops nl_ops = {
    .name = "NETLINK",
    .bind = nl_bind,
    .connect = nl_connect,
    .name_of = nl_name_of,
    .send = nl_send,
    .receive = nl_receive,
    .poll = nl_poll,
    .set_option = nl_set_option,
    .get_option = nl_get_option,
    .release = nl_release,
};

static int nl_create(int type, int protocol, int flags, struct socket **out)
{
    struct nl_sock *nl;
    int err;

    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != NETLINK_ROUTE && protocol != NETLINK_KOBJECT_UEVENT)
        return -EPROTONOSUPPORT;
    nl = kzalloc(sizeof(*nl));
    if (!nl)
        return -ENOMEM;
    list_init(&nl->queue);
    list_init(&nl->by_port);
    err = socket_init(&nl->sock, &nl_ops, AF_NETLINK, type, protocol, flags);
    if (err)
        kfree(nl);
    else
        *out = &nl->sock;
    return err;
}

/* ---- datagrams for mq_notify(2) ---- */

bool file_is_netlink(const struct file *file)
{
    return file_is_socket(file) && socket_of((struct file *)(uintptr_t)file)->ops == &nl_ops;
}

struct nl_packet *netlink_packet(const void *data, u32 len)
{
    struct nl_packet *packet = kmalloc(sizeof(*packet) + len);

    if (!packet)
        return NULL;
    packet->len = packet->room = len;
    memcpy(packet->data, data, len);
    return packet;
}

void *netlink_packet_data(struct nl_packet *packet)
{
    return packet->data;
}

void netlink_packet_free(struct nl_packet *packet)
{
    kfree(packet);
}

void netlink_deliver(struct file *socket, struct nl_packet *packet)
{
    packet_deliver(nl_of(socket_of(socket)), packet);
}

static const struct socket_family nl_family = {.family = AF_NETLINK, .create = nl_create};

void netlink_start(void)
{
    for (int i = 0; i < MAX_LINKS; i++)
        list_init(&ports.bound[i]);
    socket_register(&nl_family);
}
