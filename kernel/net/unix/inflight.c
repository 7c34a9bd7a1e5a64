/*
 * kernel/net/unix/inflight.c: files on their way, and the search for sockets that only queues hold, unix(7).
 *
 * The search: a socket is a candidate when all references of its file come from queues. Of those, take away the
 * ones from queues of candidates; who has some left is reached from outside, and so is what lies in its queue, and so on. The
 * rest can never be read again: what lies in their queues is freed, which closes them. While the lock is held no
 * file leaves its flight, so nothing that is reached now becomes a candidate, and no candidate gets a descriptor.
 */
#include "net/unix/inflight.h"

#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/unix/internal.h"
#include "task/limits.h"

#include <linux/resource.h>

#define COLLECT_ABOVE 4096
/* Where many are on their way, only so many ends of sockets as a share of them are worth a search. */
#define SEARCH_SHARE 16

static struct {
    struct mutex lock;        /* class UNIX_INFLIGHT: sockets, and what unix_sock says of it */
    struct list_head sockets; /* unix_sock.inflight_link */
    u32 count;                /* of them; read without the lock */
    u32 enough;               /* with more of them, senders look for garbage, too */
    u32 ends;                 /* atomic: sockets that ended since the last search */
} inflight = {.lock = {.lock = SPINLOCK(UNIX_INFLIGHT)},
              .sockets = LIST_HEAD_INIT(inflight.sockets),
              .enough = COLLECT_ABOVE};

/* ---- how many files a user has on their way ---- */

struct inflight_user {
    struct list_head link;
    uid_t uid;
    u32 files;
};

static struct {
    struct spinlock lock; /* class OBJECT */
    struct list_head list;
} users = {.lock = SPINLOCK(OBJECT), .list = LIST_HEAD_INIT(users.list)};

static struct inflight_user *user_find_locked(uid_t uid)
{
    struct inflight_user *user;

    list_for_each_entry(user, &users.list, link) {
        if (user->uid == uid)
            return user;
    }
    return NULL;
}

static int user_charge(uid_t uid, u32 files)
{
    struct inflight_user *fresh = kzalloc(sizeof(*fresh)), *user;
    bool many;

    if (!fresh)
        return -ENOMEM;
    spin_lock(&users.lock);
    user = user_find_locked(uid);
    many = user && user->files > task_rlimit(RLIMIT_NOFILE) && !capable(CAP_SYS_RESOURCE) &&
           !capable(CAP_SYS_ADMIN);
    if (!many) {
        if (!user) {
            user = TAKE(fresh);
            user->uid = uid;
            list_add(&user->link, &users.list);
        }
        user->files += files;
    }
    spin_unlock(&users.lock);
    kfree(fresh);
    return many ? -ETOOMANYREFS : 0;
}

static void user_uncharge(uid_t uid, u32 files)
{
    struct inflight_user *user;

    spin_lock(&users.lock);
    user = user_find_locked(uid);
    user->files -= files;
    if (user->files)
        user = NULL;
    else
        list_del(&user->link);
    spin_unlock(&users.lock);
    kfree(user);
}

/* ---- setting out and arriving ---- */

static struct unix_sock *unix_of_file(struct file *file)
{
    return file_is_unix(file) ? unix_of(socket_of(file)) : NULL;
}

static void sockets_count(struct scm_files *files, int by)
{
    mutex_lock(&inflight.lock);
    for (u32 i = 0; i < files->n; i++) {
        struct unix_sock *u = unix_of_file(files->files[i]);

        if (!u)
            continue;
        u->inflight += (u32)by;
        if (by > 0 && u->inflight == 1) {
            list_add_tail(&u->inflight_link, &inflight.sockets);
            WRITE_ONCE(inflight.count, inflight.count + 1);
        } else if (!u->inflight) {
            list_del(&u->inflight_link);
            WRITE_ONCE(inflight.count, inflight.count - 1);
        }
    }
    mutex_unlock(&inflight.lock);
}

int inflight_add(struct scm_files *files)
{
    int err = user_charge(files->uid, files->n);

    if (err)
        return err;
    files->in_flight = true;
    if (files->sockets) {
        sockets_count(files, 1);
        if (READ_ONCE(inflight.count) > READ_ONCE(inflight.enough))
            inflight_collect();
    }
    return 0;
}

void inflight_remove(struct scm_files *files)
{
    if (!files->in_flight)
        return;
    files->in_flight = false;
    if (files->sockets)
        sockets_count(files, -1);
    user_uncharge(files->uid, files->n);
}

struct scm_files *inflight_copy(struct scm_files *files)
{
    size_t size = sizeof(*files) + files->n * sizeof(struct file *);
    struct scm_files *copy = kzalloc(size);

    if (!copy)
        return NULL;
    copy->n = files->n;
    copy->uid = files->uid;
    copy->sockets = files->sockets;
    mutex_lock(&inflight.lock); /* a new reference from outside must not come amid a search */
    for (u32 i = 0; i < files->n; i++)
        copy->files[i] = file_get(files->files[i]);
    mutex_unlock(&inflight.lock);
    return copy;
}

/* ---- closing ---- */

/* A thread that is putting files. What it closes in doing so queues up here instead of deepening its stack. */
struct reaper {
    struct list_head link;
    struct self *thread;
    struct list_head files; /* scm_files.reap */
};

static struct {
    struct spinlock lock; /* class OBJECT */
    struct list_head active;
} reapers = {.lock = SPINLOCK(OBJECT), .active = LIST_HEAD_INIT(reapers.active)};

static struct reaper *reaper_find_locked(void)
{
    struct reaper *reaper;

    list_for_each_entry(reaper, &reapers.active, link) {
        if (reaper->thread == self())
            return reaper;
    }
    return NULL;
}

static struct scm_files *reaper_next(struct reaper *reaper)
{
    struct scm_files *files;

    spin_lock(&reapers.lock);
    files = list_first_entry(&reaper->files, struct scm_files, reap);
    if (files)
        list_del(&files->reap);
    else
        list_del(&reaper->link);
    spin_unlock(&reapers.lock);
    return files;
}

void inflight_reap(struct scm_files *files)
{
    struct reaper mine = {.thread = self()}, *reaper;

    spin_lock(&reapers.lock);
    reaper = reaper_find_locked();
    if (!reaper) {
        list_init(&mine.files);
        list_add(&mine.link, &reapers.active);
    }
    list_add_tail(&files->reap, reaper ? &reaper->files : &mine.files);
    spin_unlock(&reapers.lock);
    if (reaper)
        return;
    while ((files = reaper_next(&mine))) {
        inflight_remove(files);
        for (u32 i = 0; i < files->n; i++)
            file_put(files->files[i]);
        kfree(files);
    }
}

/* ---- the search ---- */

typedef void child_fn(struct unix_sock *child, struct list_head *arg);

static void packets_visit(struct unix_sock *u, child_fn *visit, struct list_head *arg)
{
    struct unix_packet *packet;

    list_for_each_entry(packet, &u->queue, link) {
        struct scm_files *files = packet->scm.files;

        for (u32 i = 0; files && i < files->n; i++) {
            struct unix_sock *child = unix_of_file(files->files[i]);

            if (child && child->mark != UNIX_UNMARKED)
                visit(child, arg);
        }
    }
}

/* Of a listening socket also what its connections have got already. */
static void children_visit(struct unix_sock *u, child_fn *visit, struct list_head *arg)
{
    struct unix_sock *connection;

    spin_lock(&u->sock.lock);
    packets_visit(u, visit, arg);
    list_for_each_entry(connection, &u->connections, accept_link) {
        spin_lock_nested(&connection->sock.lock);
        packets_visit(connection, visit, arg);
        spin_unlock(&connection->sock.lock);
    }
    spin_unlock(&u->sock.lock);
}

static void child_uncount(struct unix_sock *child, struct list_head *arg)
{
    child->held--;
}

static void child_reach(struct unix_sock *child, struct list_head *reached)
{
    if (child->mark == UNIX_REACHED)
        return;
    child->mark = UNIX_REACHED;
    list_move_tail(&child->inflight_link, reached);
}

static void packets_seize(struct unix_sock *u, struct list_head *out)
{
    struct unix_packet *packet, *next;

    list_for_each_entry_safe(packet, next, &u->queue, link) {
        if (!packet->scm.files)
            continue;
        unix_packet_unqueue(u, packet);
        list_add_tail(&packet->link, out);
    }
}

static void garbage_seize(struct unix_sock *u, struct list_head *out)
{
    struct unix_sock *connection;

    spin_lock(&u->sock.lock);
    packets_seize(u, out);
    list_for_each_entry(connection, &u->connections, accept_link) {
        spin_lock_nested(&connection->sock.lock);
        packets_seize(connection, out);
        spin_unlock(&connection->sock.lock);
    }
    spin_unlock(&u->sock.lock);
}

/* Marks those that are reached from outside. Lock held. */
static void search_locked(struct list_head *candidates, struct list_head *reached)
{
    struct unix_sock *u, *next;

    list_for_each_entry_safe(u, next, &inflight.sockets, inflight_link) {
        if (refcount_read(&u->sock.file.ref) != u->inflight)
            continue;
        u->mark = UNIX_CANDIDATE;
        u->held = u->inflight;
        list_move_tail(&u->inflight_link, candidates);
    }
    list_for_each_entry(u, candidates, inflight_link)
        children_visit(u, child_uncount, NULL);
    list_for_each_entry_safe(u, next, candidates, inflight_link) {
        if (u->held)
            child_reach(u, reached);
    }
    list_for_each_entry(u, reached, inflight_link) /* it grows at its end */
        children_visit(u, child_reach, reached);
}

void inflight_collect(void)
{
    struct list_head candidates, reached, garbage;
    struct unix_sock *u;

    list_init(&candidates);
    list_init(&reached);
    list_init(&garbage);
    mutex_lock(&inflight.lock);
    search_locked(&candidates, &reached);
    list_for_each_entry(u, &candidates, inflight_link)
        garbage_seize(u, &garbage);
    list_splice_tail(&candidates, &inflight.sockets);
    list_splice_tail(&reached, &inflight.sockets);
    list_for_each_entry(u, &inflight.sockets, inflight_link)
        u->mark = UNIX_UNMARKED;
    __atomic_store_n(&inflight.ends, 0, __ATOMIC_RELAXED);
    inflight.enough = MAX(inflight.count * 2, (u32)COLLECT_ABOVE);
    mutex_unlock(&inflight.lock);
    unix_packets_free(&garbage);
}

void inflight_socket_ended(void)
{
    u32 count = READ_ONCE(inflight.count);

    if (count && __atomic_add_fetch(&inflight.ends, 1, __ATOMIC_RELAXED) >= count / SEARCH_SHARE)
        inflight_collect();
}
