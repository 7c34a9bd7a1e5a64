/*
 * kernel/net/inet/ports.c: who uses which port; ip(7), and socket(7) on SO_REUSEADDR and SO_REUSEPORT.
 *
 * A port has a bucket with two lists: sockets that are bound or listen, and sessions (connections). To bind, all users
 * of the port are looked at; to connect, who listens; a new session, those between the same two names.
 */
#include "base/errno.h"
#include "base/hash.h"
#include "host/host.h"
#include "mm/alloc.h"
#include "net/inet/internal.h"
#include "time/time.h"

#define TIME_WAIT_NS  (60 * NSEC_PER_SEC) /* tcp(7): twice the maximum segment lifetime */
#define TIME_WAIT_MAX 4096                /* the oldest goes before there are more */

struct port_table tcp_ports, udp_ports, ping_ports;

/* What is left of a connection that this side ended first. */
struct time_wait {
    struct port_user user;
    struct list_head link; /* time_waits.lock */
    ktime end;             /* constant */
};

static struct {
    struct spinlock lock;   /* class OBJECT */
    struct list_head queue; /* lock; oldest first */
    u32 count;              /* lock */
} time_waits = {.lock = SPINLOCK(OBJECT), .queue = LIST_HEAD_INIT(time_waits.queue)};

void ports_init(struct port_table *table)
{
    u32 start = 0;

    /* Without luck the ports are easier to guess, and that is all. */
    if (random_bytes(&start, sizeof(start)))
        start = (u32)hash_u64((u64)time_monotonic());
    table->next = start;
    for (size_t i = 0; i < PORT_BUCKETS; i++) {
        spin_init(&table->buckets[i].lock, PORTS);
        list_init(&table->buckets[i].sockets);
        list_init(&table->buckets[i].sessions);
    }
}

/* ---- conflicts ---- */

static bool time_is_over(const struct port_user *user)
{
    return user->kind == PORT_TIME_WAIT &&
           container_of(user, struct time_wait, user)->end <= time_monotonic();
}

static bool addresses_overlap(const struct port_user *a, const struct port_user *b)
{
    return (a->families & b->families) && (ip_is_any(&a->local.ip) || ip_is_any(&b->local.ip) ||
                                           ip_equal(&a->local.ip, &b->local.ip));
}

static bool may_share(const struct port_user *user, const struct port_user *other)
{
    if (READ_ONCE(user->reuse_address) && READ_ONCE(other->reuse_address) &&
        other->kind != PORT_LISTENING)
        return true;
    return READ_ONCE(user->reuse_port) && READ_ONCE(other->reuse_port) &&
           (other->kind == PORT_TIME_WAIT || other->uid == user->uid);
}

static bool conflicts(const struct port_user *user, const struct port_user *other, bool share)
{
    return other != user && other->local.port == user->local.port && !time_is_over(other) &&
           addresses_overlap(user, other) && !(share && may_share(user, other));
}

static bool is_free_locked(struct port_bucket *bucket, const struct port_user *user, bool share)
{
    struct port_user *other;

    list_for_each_entry(other, &bucket->sockets, link) {
        if (conflicts(user, other, share))
            return false;
    }
    list_for_each_entry(other, &bucket->sessions, link) {
        if (conflicts(user, other, share))
            return false;
    }
    return true;
}

static void insert_locked(struct port_table *table, struct list_head *list, struct port_user *user)
{
    user->table = table;
    list_add(&user->link, list);
}

static bool try_take(struct port_table *table, struct port_user *user, bool share)
{
    struct port_bucket *bucket = port_bucket(table, user->local.port);
    bool is_free;

    spin_lock(&bucket->lock);
    is_free = is_free_locked(bucket, user, share);
    if (is_free)
        insert_locked(table, &bucket->sockets, user);
    spin_unlock(&bucket->lock);
    return is_free;
}

/*
 * Goes through ip_local_port_range from a place that moves, first the ports of one parity, then the others: binding
 * begins with the odd ones, connecting with the even ones, so that they do not get in each other's way.
 */
struct port_search {
    u32 low, count, start, step;
};

static struct port_search search_begin(struct port_table *table, u32 parity)
{
    struct port_search search;
    u32 low = READ_ONCE(inet_tunables.port_low), high = READ_ONCE(inet_tunables.port_high);

    search.low = low;
    search.count = high - low + 1;
    search.start =
        (__atomic_add_fetch(&table->next, 2, __ATOMIC_RELAXED) % search.count & ~1U) | parity;
    search.step = 0;
    return search;
}

static bool search_next(struct port_search *search, u16 *port)
{
    u32 half = (search->count + 1) / 2;
    u32 other = search->step >= half;

    if (search->step >= 2 * half)
        return false;
    *port =
        (u16)(search->low + ((search->start ^ other) + search->step % half * 2) % search->count);
    search->step++;
    return true;
}

int port_take(struct port_table *table, struct port_user *user)
{
    struct port_search search;

    if (user->local.port)
        return try_take(table, user, true) ? 0 : -EADDRINUSE;
    search = search_begin(table, 1);
    while (search_next(&search, &user->local.port)) {
        if (try_take(table, user, false))
            return 0;
    }
    user->local.port = 0;
    return -EADDRINUSE;
}

int port_listen(struct port_user *user)
{
    struct port_bucket *bucket = port_bucket(user->table, user->local.port);
    int err = 0;

    spin_lock(&bucket->lock);
    if (is_free_locked(bucket, user, true))
        user->kind = PORT_LISTENING;
    else
        err = -EADDRINUSE;
    spin_unlock(&bucket->lock);
    return err;
}

void port_listen_end(struct port_user *user)
{
    struct port_bucket *bucket = port_bucket(user->table, user->local.port);

    spin_lock(&bucket->lock);
    user->kind = PORT_BOUND;
    spin_unlock(&bucket->lock);
}

/* ---- sessions ---- */

static void time_wait_end_locked(struct port_user *user)
{
    struct time_wait *tw = container_of(user, struct time_wait, user);

    list_del(&user->link);
    user->table = NULL;
    spin_lock(&time_waits.lock);
    list_del(&tw->link);
    time_waits.count--;
    spin_unlock(&time_waits.lock);
    kfree(tw);
}

/* The bucket of the session's port is locked. A TIME_WAIT of the same names gives way: nothing is under way any more. */
static bool session_is_unique_locked(struct port_bucket *bucket, const struct port_user *session)
{
    struct port_user *other, *next;

    list_for_each_entry_safe(other, next, &bucket->sessions, link) {
        if (!endpoint_equal(&other->local, &session->local) ||
            !endpoint_equal(&other->peer, &session->peer))
            continue;
        if (other->kind != PORT_TIME_WAIT)
            return false;
        time_wait_end_locked(other);
    }
    return true;
}

static bool somebody_bound_locked(struct port_bucket *bucket, const struct port_user *session)
{
    struct port_user *other;

    list_for_each_entry(other, &bucket->sockets, link) {
        if (other->local.port == session->local.port && addresses_overlap(session, other))
            return true;
    }
    return false;
}

static int connect_from_chosen(struct port_table *table, struct port_user *session)
{
    struct port_search search = search_begin(table, 0);

    while (search_next(&search, &session->local.port)) {
        struct port_bucket *bucket = port_bucket(table, session->local.port);
        bool ok;

        spin_lock(&bucket->lock);
        ok = !somebody_bound_locked(bucket, session) && session_is_unique_locked(bucket, session);
        if (ok)
            insert_locked(table, &bucket->sessions, session);
        spin_unlock(&bucket->lock);
        if (ok)
            return 0;
    }
    return -EADDRNOTAVAIL;
}

int port_connect(struct port_table *table, struct port_user *bound, struct port_user *session)
{
    struct port_bucket *bucket;
    int err = 0;

    session->kind = PORT_CONNECTED;
    if (!bound->table)
        return connect_from_chosen(table, session);
    session->local.port = bound->local.port;
    session->chosen = bound->chosen;
    bucket = port_bucket(table, session->local.port);
    spin_lock(&bucket->lock);
    if (session_is_unique_locked(bucket, session)) {
        list_del(&bound->link);
        bound->table = NULL;
        insert_locked(table, &bucket->sessions, session);
    } else {
        err = -EADDRNOTAVAIL;
    }
    spin_unlock(&bucket->lock);
    return err;
}

void port_give_back(struct port_user *session, struct port_user *bound)
{
    struct port_table *table = session->table;
    struct port_bucket *bucket = port_bucket(table, session->local.port);

    spin_lock(&bucket->lock);
    list_del(&session->link);
    session->table = NULL;
    bound->kind = PORT_BOUND;
    insert_locked(table, &bucket->sockets, bound);
    spin_unlock(&bucket->lock);
}

void port_join(struct port_table *table, struct port_user *session)
{
    struct port_bucket *bucket = port_bucket(table, session->local.port);

    session->kind = PORT_CONNECTED;
    spin_lock(&bucket->lock);
    insert_locked(table, &bucket->sessions, session);
    spin_unlock(&bucket->lock);
}

void port_release(struct port_user *user)
{
    struct port_table *table = user->table;
    struct port_bucket *bucket;

    if (!table)
        return;
    bucket = port_bucket(table, user->local.port);
    spin_lock(&bucket->lock);
    list_del(&user->link);
    user->table = NULL;
    spin_unlock(&bucket->lock);
}

/* ---- TIME_WAIT ---- */

/* The oldest one, when its time is over or there are too many: its port, to find its bucket by. */
static bool time_wait_to_end(u16 *port, struct time_wait **out)
{
    bool found;

    spin_lock(&time_waits.lock);
    *out = list_first_entry(&time_waits.queue, struct time_wait, link);
    found = *out && (time_waits.count > TIME_WAIT_MAX || (*out)->end <= time_monotonic());
    if (found)
        *port = (*out)->user.local.port;
    spin_unlock(&time_waits.lock);
    return found;
}

/* Buckets are locked before the queue: what was seen in the queue is looked up in its bucket again. */
static void time_wait_prune(void)
{
    struct time_wait *oldest;
    u16 port;

    while (time_wait_to_end(&port, &oldest)) {
        struct port_bucket *bucket = port_bucket(&tcp_ports, port);
        struct port_user *user, *next;

        spin_lock(&bucket->lock);
        list_for_each_entry_safe(user, next, &bucket->sessions, link) {
            if (user == &oldest->user) {
                time_wait_end_locked(user);
                break;
            }
        }
        spin_unlock(&bucket->lock);
    }
}

void port_time_wait(struct port_user *session)
{
    struct time_wait *tw;
    struct port_table *table = session->table;
    struct port_bucket *bucket;

    if (!table)
        return;
    time_wait_prune();
    tw = kmalloc(sizeof(*tw));
    bucket = port_bucket(table, session->local.port);
    spin_lock(&bucket->lock);
    list_del(&session->link);
    session->table = NULL;
    if (tw) {
        tw->user = *session;
        tw->user.kind = PORT_TIME_WAIT;
        tw->user.sock = NULL;
        tw->user.ino = 0;
        tw->end = time_monotonic() + TIME_WAIT_NS;
        insert_locked(table, &bucket->sessions, &tw->user);
        spin_lock(&time_waits.lock);
        list_add_tail(&tw->link, &time_waits.queue);
        time_waits.count++;
        spin_unlock(&time_waits.lock);
    }
    spin_unlock(&bucket->lock);
}

/* ---- who is meant ---- */

bool port_matches(const struct port_user *user, const struct in6_addr *ip)
{
    if (!(user->families & (ip_is_v4(ip) ? IN_V4 : IN_V6)))
        return false;
    return ip_is_any(&user->local.ip) || ip_equal(&user->local.ip, ip);
}

/* How closely a user fits what comes from peer to local; 0: not at all. */
static int fit(const struct port_user *user, const struct endpoint *local,
               const struct endpoint *peer)
{
    int score = 1;

    if (user->local.port != local->port || !port_matches(user, &local->ip))
        return 0;
    if (user->peer.port) {
        if (user->peer.port != peer->port || !ip_equal(&user->peer.ip, &peer->ip))
            return 0;
        score += 8;
    }
    if (!ip_is_any(&user->local.ip))
        score += 4;
    if (user->families != (IN_V4 | IN_V6))
        score += 2;
    return score;
}

/* SO_REUSEPORT: of several that fit alike, the peer's name decides, so that one peer always meets the same. */
static struct inet_sock *find_best(struct port_table *table, u8 kind, const struct endpoint *local,
                                   const struct endpoint *peer)
{
    struct port_bucket *bucket = port_bucket(table, local->port);
    struct inet_sock *found = NULL;
    struct port_user *user;
    u32 count = 0, pick = 0;
    int best = 0;

    spin_lock(&bucket->lock);
    list_for_each_entry(user, &bucket->sockets, link) {
        int score = user->kind == kind ? fit(user, local, peer) : 0;

        if (score && score > best) {
            best = score;
            found = user->sock;
            count = 0;
        }
        if (score && score == best && READ_ONCE(user->reuse_port))
            count++;
    }
    if (count > 1) {
        pick = (u32)(hash_u64((u64)peer->port << 32 | peer->ip.s6_addr32[3]) >> 32) % count;
        list_for_each_entry(user, &bucket->sockets, link) {
            if (user->kind == kind && READ_ONCE(user->reuse_port) &&
                fit(user, local, peer) == best && pick-- == 0) {
                found = user->sock;
                break;
            }
        }
    }
    if (found)
        inet_get(found);
    spin_unlock(&bucket->lock);
    return found;
}

struct inet_sock *port_find_listener(struct port_table *table, const struct endpoint *local,
                                     const struct endpoint *peer)
{
    return find_best(table, PORT_LISTENING, local, peer);
}

struct inet_sock *port_find_receiver(struct port_table *table, const struct endpoint *local,
                                     const struct endpoint *peer)
{
    return find_best(table, PORT_BOUND, local, peer);
}
