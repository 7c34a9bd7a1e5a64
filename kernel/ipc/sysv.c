/* kernel/ipc/sysv.c: numbers, keys and permissions of System V objects, sysvipc(7). */
#include "base/hash.h"
#include "cred/cred.h"
#include "ipc/sysv_internal.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "time/time.h"

s64 ipc_now(void)
{
    return time_realtime() / NSEC_PER_SEC;
}

/* --- objects ---------------------------------------------------------------------------------------------- */

void ipc_object_init(struct ipc_object *object, const struct ipc_kind *kind, s32 key, int flags)
{
    const struct cred *cred = cred_current();

    refcount_init(&object->ref, 1);
    object->kind = kind;
    spin_init(&object->lock, IPC_OBJECT);
    hash_node_init(&object->by_key);
    object->key = key;
    object->uid = object->cuid = cred->euid;
    object->gid = object->cgid = cred->egid;
    object->mode = (umode)flags & 0777;
    object->ctime = ipc_now();
}

void ipc_put(struct ipc_object *object)
{
    if (refcount_put(&object->ref))
        object->kind->free(object);
}

int ipc_lock(struct ipc_object *object)
{
    spin_lock(&object->lock);
    if (!object->removed)
        return 0;
    spin_unlock(&object->lock);
    return -EIDRM;
}

void ipc_unlock(struct ipc_object *object)
{
    spin_unlock(&object->lock);
}

/* --- tables ------------------------------------------------------------------------------------------------- */

static void node_free(void *mem, size_t size)
{
    kfree(mem);
}

static const struct idtable_memory node_memory = {.alloc = kmalloc, .free = node_free};

void ipc_table_init(struct ipc_table *table)
{
    spin_init(&table->lock, IPC_IDS);
    idtable_init(&table->ids, &node_memory);
    hashtable_init(&table->keys, table->buckets, IPC_BUCKETS);
    table->last = IPC_INDEXES - 1;
    table->seq = UINT16_MAX; /* so that the first number of all is 0 */
}

static struct ipc_object *find_key_locked(struct ipc_table *table, s32 key)
{
    struct ipc_object *object;

    hashtable_for_each_in(object, &table->keys, hash_u64((u32)key), by_key) {
        if (object->key == key)
            return object;
    }
    return NULL;
}

/*
 * The next free index, in turns over half as many again as are in use: whoever still has the number of an object
 * that was removed does not soon meet another by it.
 */
static s64 index_alloc(struct ipc_table *table, struct ipc_object *object)
{
    u32 turn = MIN(MAX(table->used * 3 / 2, 64U), IPC_INDEXES);
    s64 index = -ENOSPC;

    if (table->last + 1 < turn)
        index = idtable_alloc(&table->ids, object, table->last + 1, turn - 1);
    return index == -ENOSPC ? idtable_alloc(&table->ids, object, 0, IPC_INDEXES - 1) : index;
}

static long publish_locked(const struct ipc_getter *getter, struct ipc_object *object)
{
    struct ipc_table *table = getter->table;
    s64 index;

    if (table->used >= ipc_limit(getter->objects))
        return -ENOSPC;
    if (getter->total_weight != IPC_LIMITS &&
        table->weight + object->weight > ipc_limit(getter->total_weight))
        return -ENOSPC;
    index = index_alloc(table, object);
    if (index < 0)
        return index;
    if (index <= table->last)
        table->seq++;
    table->last = (u32)index;
    table->used++;
    table->weight += object->weight;
    object->seq = table->seq;
    object->id = (int)(table->seq * IPC_INDEXES + (u32)index);
    if (object->key != IPC_PRIVATE)
        hashtable_add(&table->keys, &object->by_key, hash_u64((u32)object->key));
    ipc_get(object);
    return object->id;
}

void ipc_forget_key_locked(struct ipc_object *object)
{
    hashtable_del(&object->by_key);
    object->key = IPC_PRIVATE;
}

void ipc_unlink_locked(struct ipc_table *table, struct ipc_object *object)
{
    object->removed = true;
    ipc_forget_key_locked(object);
    idtable_remove(&table->ids, (u32)object->id % IPC_INDEXES);
    table->used--;
    table->weight -= object->weight;
    if (object->kind->removed)
        object->kind->removed(object);
}

void ipc_table_clear(struct ipc_table *table)
{
    for (;;) {
        struct ipc_object *object;
        u32 index = 0;

        spin_lock(&table->lock);
        object = idtable_next(&table->ids, &index);
        if (object) {
            spin_lock(&object->lock);
            ipc_unlink_locked(table, object);
            spin_unlock(&object->lock);
        }
        spin_unlock(&table->lock);
        if (!object)
            break;
        ipc_put(object);
    }
    idtable_destroy(&table->ids);
}

/* --- finding ---------------------------------------------------------------------------------------------- */

struct ipc_object *ipc_lookup_index(struct ipc_table *table, int index)
{
    struct ipc_object *object;

    spin_lock(&table->lock);
    object = idtable_find(&table->ids, (u32)index % IPC_INDEXES);
    if (object)
        ipc_get(object);
    spin_unlock(&table->lock);
    return object ? object : ERR_PTR(-EINVAL);
}

struct ipc_object *ipc_lookup(struct ipc_table *table, int id)
{
    struct ipc_object *object = id < 0 ? ERR_PTR(-EINVAL) : ipc_lookup_index(table, id);

    if (IS_ERR(object) || object->id == id)
        return object;
    ipc_put(object);
    return ERR_PTR(-EINVAL);
}

struct ipc_object *ipc_next(struct ipc_table *table, u32 *index)
{
    struct ipc_object *object;

    spin_lock(&table->lock);
    object = idtable_next(&table->ids, index);
    if (object)
        ipc_get(object);
    spin_unlock(&table->lock);
    return object;
}

u32 ipc_highest_index(struct ipc_table *table)
{
    u32 index, highest = 0;
    struct ipc_object *object;

    spin_lock(&table->lock);
    idtable_for_each(&table->ids, index, object)
        highest = index;
    spin_unlock(&table->lock);
    return highest;
}

/* What was looked up, locked, if the caller passes the check; else it is put. */
static struct ipc_object *open_checked(struct ipc_object *object,
                                       int (*check)(const struct ipc_object *object, int wanted),
                                       int wanted)
{
    int err;

    if (IS_ERR(object))
        return object;
    err = ipc_lock(object);
    if (!err) {
        err = check(object, wanted);
        if (!err)
            return object;
        ipc_unlock(object);
    }
    ipc_put(object);
    return ERR_PTR(err);
}

struct ipc_object *ipc_open(struct ipc_table *table, int id, int wanted)
{
    return open_checked(ipc_lookup(table, id), ipc_permission, wanted);
}

static int may_control(const struct ipc_object *object, int wanted)
{
    (void)wanted;
    return ipc_control(object);
}

struct ipc_object *ipc_control_open(struct ipc_table *table, int id)
{
    return open_checked(ipc_lookup(table, id), may_control, 0);
}

struct ipc_object *ipc_stat_open(struct ipc_table *table, int id, bool by_index, bool any,
                                 long *result)
{
    struct ipc_object *object =
        open_checked(by_index ? ipc_lookup_index(table, id) : ipc_lookup(table, id), ipc_permission,
                     any ? 0 : IPC_READ);

    if (!IS_ERR(object))
        *result = by_index ? object->id : 0;
    return object;
}

static long open_existing_locked(const struct ipc_getter *getter, struct ipc_object *object)
{
    int err;

    if ((getter->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
        return -EEXIST;
    spin_lock(&object->lock);
    err = getter->fits ? getter->fits(getter, object) : 0;
    if (!err)
        err = ipc_permission(object, getter->flags);
    spin_unlock(&object->lock);
    return err ? err : object->id;
}

long ipc_find_or_create(const struct ipc_getter *getter)
{
    AUTO(ipc_put) struct ipc_object *fresh = NULL;
    struct ipc_table *table = getter->table;
    bool may_create = getter->key == IPC_PRIVATE || getter->flags & IPC_CREAT;

    for (;;) {
        struct ipc_object *found = NULL;
        long result = 0;

        spin_lock(&table->lock);
        if (getter->key != IPC_PRIVATE)
            found = find_key_locked(table, getter->key);
        if (found)
            result = open_existing_locked(getter, found);
        else if (!may_create)
            result = -ENOENT;
        else if (fresh)
            result = publish_locked(getter, fresh);
        spin_unlock(&table->lock);
        if (found || fresh || result)
            return result;
        fresh = getter->create(getter);
        if (IS_ERR(fresh))
            return PTR_ERR(fresh);
    }
}

/* --- permissions -------------------------------------------------------------------------------------------- */

int ipc_permission(const struct ipc_object *object, int wanted)
{
    const struct cred *cred = cred_current();
    u32 asked = ((u32)wanted >> 6 | (u32)wanted >> 3 | (u32)wanted) & 7, granted = object->mode;

    if (cred->euid == object->cuid || cred->euid == object->uid)
        granted >>= 6;
    else if (cred_in_group(cred, object->cgid) || cred_in_group(cred, object->gid))
        granted >>= 3;
    return asked & ~granted && !cred_capable(cred, CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_control(const struct ipc_object *object)
{
    const struct cred *cred = cred_current();

    return cred->euid == object->cuid || cred->euid == object->uid ||
                   cred_capable(cred, CAP_SYS_ADMIN)
               ? 0
               : -EPERM;
}

int ipc_remove(struct ipc_table *table, int id)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(table, id);
    int err;

    if (IS_ERR(object))
        return (int)PTR_ERR(object);
    spin_lock(&table->lock);
    err = ipc_lock(object);
    if (!err) {
        err = ipc_control(object);
        if (!err)
            ipc_unlink_locked(table, object);
        ipc_unlock(object);
    }
    spin_unlock(&table->lock);
    if (!err)
        ipc_put(object);
    return err;
}

void ipc_perm_fill(const struct ipc_object *object, struct ipc64_perm *out)
{
    *out = (struct ipc64_perm){
        .key = object->key,
        .uid = object->uid,
        .gid = object->gid,
        .cuid = object->cuid,
        .cgid = object->cgid,
        .mode = object->mode,
        .seq = object->seq,
    };
}

int ipc_perm_set(struct ipc_object *object, const struct ipc64_perm *perm)
{
    if (perm->uid == (uid_t)-1 || perm->gid == (gid_t)-1)
        return -EINVAL;
    object->uid = perm->uid;
    object->gid = perm->gid;
    object->mode = (object->mode & ~0777U) | (perm->mode & 0777);
    object->ctime = ipc_now();
    return 0;
}

int ipc_set(struct ipc_table *table, int id, const struct ipc64_perm *perm)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_control_open(table, id);

    if (IS_ERR(object))
        return (int)PTR_ERR(object);
    int err = ipc_perm_set(object, perm);

    ipc_unlock(object);
    return err;
}

int ipc_id(const struct ipc64_perm *perm, u32 index)
{
    return (int)(perm->seq * IPC_INDEXES + index);
}
