/*
 * kernel/net/unix/names.c: addresses of AF_UNIX, unix(7): names in the file system, which are socket nodes, and abstract
 * ones, which begin with a zero byte and stand in a table.
 */
#include "base/fmt.h"
#include "base/hash.h"
#include "base/string.h"
#include "host/host.h"
#include "mm/alloc.h"
#include "net/unix/internal.h"
#include "self/self.h"

#include <linux/stat.h>

#define PATH_OFFSET   offsetof(struct sockaddr_un, sun_path)
#define AUTOBIND_MASK 0xfffffU /* five digits */

static struct hash_node *abstract_buckets[256];
static struct {
    struct spinlock lock;      /* class OBJECT: all of it; inode->endpoint of sockets' nodes */
    struct siphash_key key;    /* constant after the start */
    struct hashtable abstract; /* name_node */
    struct list_head all;      /* unix_sock.all */
    u32 last;                  /* the last name that unix_autobind() tried */
} names = {.lock = SPINLOCK(OBJECT),
           .abstract = HASHTABLE_INIT(abstract_buckets),
           .all = LIST_HEAD_INIT(names.all)};

void unix_names_start(void)
{
    /* Without random numbers the table works as well; it is only easier to make it slow. */
    if (random_bytes(&names.key, sizeof(names.key)) || random_bytes(&names.last, sizeof(u32)))
        names.last = 0;
}

void unix_name_put(struct unix_name *name)
{
    if (refcount_put(&name->ref))
        kfree(name);
}

void unix_name_tell(const struct unix_sock *u, struct sock_addr *out)
{
    const struct unix_name *name = unix_name(u);

    out->len = name ? name->len : (u32)PATH_OFFSET;
    out->family = AF_UNIX;
    if (name)
        memcpy(out->bytes, &name->address, name->len);
}

int unix_address_check(const struct sock_addr *addr)
{
    if (addr->len <= PATH_OFFSET || addr->len > sizeof(struct sockaddr_un))
        return -EINVAL;
    return addr->family == AF_UNIX ? 0 : -EINVAL;
}

static bool is_abstract(const struct unix_name *name)
{
    return !name->address.sun_path[0];
}

/* NULL: no memory. Of a path the name ends with its first zero byte, which is counted. */
static struct unix_name *name_create(const struct sock_addr *addr)
{
    struct unix_name *name =
        kzalloc(sizeof(*name) + 1); /* a path of the full length is ended, too */

    if (!name)
        return NULL;
    refcount_init(&name->ref, 1);
    name->len = addr->len;
    memcpy(&name->address, addr->bytes, addr->len);
    if (!is_abstract(name))
        name->len = (u32)(PATH_OFFSET + strlen(name->address.sun_path) + 1);
    return name;
}

/* ---- all of them ---- */

void unix_names_add(struct unix_sock *u)
{
    spin_lock(&names.lock);
    list_add_tail(&u->all, &names.all);
    spin_unlock(&names.lock);
}

void unix_names_remove(struct unix_sock *u)
{
    struct path path;

    spin_lock(&names.lock);
    list_del(&u->all);
    hashtable_del(&u->name_node);
    path = u->path;
    u->path = (struct path){0};
    if (path.dentry && path_inode(&path)->endpoint == u)
        path_inode(&path)->endpoint = NULL;
    spin_unlock(&names.lock);
    path_release(&path);
}

struct unix_sock *unix_names_next(struct unix_sock *last)
{
    struct list_head *next;
    struct unix_sock *u = NULL;

    spin_lock(&names.lock);
    /* One that was closed meanwhile has left the list, and ends the walk. */
    next = last ? last->all.next : names.all.next;
    if (next != &names.all && (!last || next != &last->all))
        u = unix_get(list_entry(next, struct unix_sock, all));
    spin_unlock(&names.lock);
    if (last)
        unix_put(last);
    return u;
}

/* ---- abstract names ---- */

/* Sockets of different types may have the same one. */
static u64 abstract_hash(const void *address, u32 len, int type)
{
    return siphash(&names.key, address, len) ^ (u32)type;
}

static struct unix_sock *abstract_find_locked(const void *address, u32 len, int type)
{
    struct unix_sock *u;

    hashtable_for_each_in(u, &names.abstract, abstract_hash(address, len, type), name_node) {
        const struct unix_name *name = unix_name(u);

        if (u->sock.type == type && name->len == len && !memcmp(&name->address, address, len))
            return u;
    }
    return NULL;
}

/* Gives the socket the name, which is taken over unless -EADDRINUSE. */
static int abstract_bind(struct unix_sock *u, struct unix_name *name)
{
    int err = -EADDRINUSE;

    spin_lock(&names.lock);
    if (!abstract_find_locked(&name->address, name->len, u->sock.type)) {
        __atomic_store_n(&u->name, name, __ATOMIC_RELEASE);
        hashtable_add(&names.abstract, &u->name_node,
                      abstract_hash(&name->address, name->len, u->sock.type));
        err = 0;
    }
    spin_unlock(&names.lock);
    return err;
}

static int autobind_locked(struct unix_sock *u)
{
    struct sock_addr addr = {.len = PATH_OFFSET + 6};
    struct unix_name *name;

    addr.family = AF_UNIX;
    name = name_create(&addr);
    if (!name)
        return -ENOMEM;
    for (u32 i = 0; i <= AUTOBIND_MASK; i++) {
        u32 number = __atomic_add_fetch(&names.last, 1, __ATOMIC_RELAXED) & AUTOBIND_MASK;

        snprintf(name->address.sun_path + 1, 6, "%05x", number);
        if (!abstract_bind(u, name))
            return 0;
    }
    unix_name_put(name);
    return -ENOSPC;
}

int unix_autobind(struct unix_sock *u)
{
    int err;

    if (unix_name(u))
        return 0;
    mutex_lock(&u->bind_lock);
    err = unix_name(u) ? 0 : autobind_locked(u);
    mutex_unlock(&u->bind_lock);
    return err;
}

/* ---- names in the file system ---- */

static int path_bind(struct unix_sock *u, struct unix_name *name)
{
    umode mode = S_IFSOCK | (READ_ONCE(u->sock.file.inode->mode) & 0777);
    struct path path;
    int err = vfs_mknod_path(name->address.sun_path, mode, &path);

    if (err)
        return err == -EEXIST ? -EADDRINUSE : err;
    spin_lock(&names.lock);
    u->path = path;
    path_inode(&path)->endpoint = u;
    __atomic_store_n(&u->name, name, __ATOMIC_RELEASE);
    spin_unlock(&names.lock);
    return 0;
}

static int bind_locked(struct unix_sock *u, const struct sock_addr *addr)
{
    struct unix_name *name;
    int err;

    if (unix_name(u))
        return -EINVAL;
    name = name_create(addr);
    if (!name)
        return -ENOMEM;
    err = is_abstract(name) ? abstract_bind(u, name) : path_bind(u, name);
    if (err)
        unix_name_put(name);
    return err;
}

int unix_bind(struct socket *sock, const struct sock_addr *addr)
{
    struct unix_sock *u = unix_of(sock);
    int err;

    if (addr->len == PATH_OFFSET && addr->family == AF_UNIX)
        return unix_autobind(u);
    err = unix_address_check(addr);
    if (err)
        return err;
    mutex_lock(&u->bind_lock);
    err = bind_locked(u, addr);
    mutex_unlock(&u->bind_lock);
    return err;
}

/* ---- finding ---- */

static int path_find(const struct unix_name *name, int type, struct unix_sock **out)
{
    AUTO_PATH path = {0};
    struct unix_sock *u = NULL;
    int err = path_lookup(AT_FDCWD, name->address.sun_path, LOOKUP_FOLLOW, &path);

    if (!err)
        err = inode_permission(path_inode(&path), MAY_WRITE);
    if (err)
        return err;
    if (!inode_is(path_inode(&path), S_IFSOCK))
        return -ECONNREFUSED;
    spin_lock(&names.lock);
    if (path_inode(&path)->endpoint)
        u = unix_get(path_inode(&path)->endpoint);
    spin_unlock(&names.lock);
    if (!u)
        return -ECONNREFUSED;
    if (u->sock.type != type) {
        unix_put(u);
        return -EPROTOTYPE;
    }
    path_accessed(&path);
    *out = u;
    return 0;
}

static int abstract_find(const struct sock_addr *addr, int type, struct unix_sock **out)
{
    struct unix_sock *u;

    spin_lock(&names.lock);
    u = abstract_find_locked(addr->bytes, addr->len, type);
    if (u)
        *out = unix_get(u);
    spin_unlock(&names.lock);
    return u ? 0 : -ECONNREFUSED;
}

int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out)
{
    struct unix_name *name;
    int err = unix_address_check(addr);

    if (err)
        return err;
    if (!addr->bytes[PATH_OFFSET])
        return abstract_find(addr, type, out);
    name = name_create(addr);
    if (!name)
        return -ENOMEM;
    err = path_find(name, type, out);
    unix_name_put(name);
    return err;
}
