/*
 * kernel/net/hostsock/publish.c: --publish: connections from outside for who listens inside. The host's socket is bound from
 * the start, and listens while somebody inside does. The service thread takes what comes.
 */
#include "mm/alloc.h"
#include "net/hostsock/internal.h"
#include "time/time.h"

#define BATCH 16 /* connections that are taken in one go */

struct published {
    struct host_watch watch;
    struct timer timer;   /* runs take() on the service thread */
    int file;             /* constant; the host's socket */
    u16 family, port;     /* constant; of the host's socket; inside */
    bool watched;         /* constant */
    struct spinlock lock; /* class OBJECT */
    bool listening;       /* lock; the host's socket */
    struct hostsock *
        waiting; /* the service thread's, others see whether: accepted, the backlog inside is full */
    struct endpoint from; /* the same; whose it is */
};

static struct {
    struct published *ports; /* constant after the start */
    u32 n;
} publish;

static void take_soon(struct published *port)
{
    timer_set(&port->timer, 0);
}

static void came(struct host_watch *watch, u32 events)
{
    take_soon(container_of(watch, struct published, watch));
}

static int accept_one(struct published *port)
{
    struct target_address peer;
    int file = host_socket_accept(port->file, port->family, &peer);
    struct hostsock *accepted;
    int err;

    if (file < 0)
        return file;
    err = hostsock_create(file, port->family, SOCK_STREAM, &accepted);
    if (err)
        return err;
    WRITE_ONCE(port->waiting, accepted);
    endpoint_of(&peer, &port->from);
    return 0;
}

/* Where the connection came in, as the program is to see it: the host's own address, the port inside. */
static struct endpoint local_of(const struct published *port)
{
    struct target_address name;
    struct endpoint local = ENDPOINT_ANY;

    if (host_socket_name(port->waiting->file, port->family, false, &name) == 0)
        endpoint_of(&name, &local);
    local.port = port->port;
    return local;
}

/* False: nothing more can be done now. */
static bool hand_in_one(struct published *port)
{
    struct endpoint local;
    int err;

    if (!port->waiting && accept_one(port))
        return false;
    local = local_of(port);
    err = outside_accepted(&local, &port->from, &port->waiting->out);
    if (err == -EAGAIN)
        return false; /* publish_listening() tells when there is room */
    if (err)
        hostsock_ops.release(&port->waiting->out, true);
    WRITE_ONCE(port->waiting, NULL);
    return true;
}

static void take(struct timer *timer)
{
    struct published *port = container_of(timer, struct published, timer);

    for (int i = 0; i < BATCH; i++)
        if (!hand_in_one(port))
            return;
    take_soon(port);
}

/* The first listener opens the host's port, and it stays open: who comes later and finds nobody is turned away. */
static void host_listen(struct published *port, int backlog)
{
    bool first;

    spin_lock(&port->lock);
    first = !port->listening;
    port->listening = true;
    spin_unlock(&port->lock);
    if (first)
        (void)host_socket_listen(port->file, backlog);
}

void publish_listening(struct socket *sock, const struct endpoint *local, int backlog)
{
    for (u32 i = 0; i < publish.n; i++) {
        struct published *port = &publish.ports[i];

        if (port->port != local->port || ip_is_loopback(&local->ip))
            continue;
        if (backlog < 0)
            continue;
        waitq_feed_by_host(&sock->wait);
        host_listen(port, MAX(backlog, 1));
        if (READ_ONCE(port->waiting))
            take_soon(port);
    }
}

int publish_start(const struct boot_info *boot)
{
    const struct boot_net *net = &boot->net;

    if (!net->npublish)
        return 0;
    publish.ports = kzalloc(net->npublish * sizeof(*publish.ports));
    if (!publish.ports)
        return -ENOMEM;
    for (u32 i = 0; i < net->npublish; i++) {
        struct published *port = &publish.ports[i];
        int err;

        port->file = net->publish[i].file;
        port->family = net->publish[i].family;
        port->port = net->publish[i].port;
        spin_init(&port->lock, OBJECT);
        timer_init(&port->timer, take);
        err = host_watch_add(&port->watch, port->file, came);
        if (err)
            return err;
    }
    publish.n = net->npublish;
    return 0;
}
