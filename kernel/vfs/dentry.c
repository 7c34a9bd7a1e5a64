/*
 * kernel/vfs/dentry.c: the name table, by directory and name.
 *
 * The table holds one reference of each dentry in it. A dentry that has no other is unused; the
 * pruner drops such ones when there are too many. An inode is bound once: a name that goes away
 * takes its dentry out of the table, and a new look-up makes a new one.
 */
#include "base/hash.h"
#include "vfs/internal.h"

#include "host/host.h"

#define BUCKETS       8192
#define DENTRIES_MAX  32768 /* the pruner starts here */
#define PRUNE_BUCKETS 256   /* looked at by one call */

struct bucket {
    struct spinlock lock;   /* class DENTRY */
    struct list_head chain; /* lock */
};

static struct {
    struct bucket *buckets; /* constant after the start */
    struct slab *slab;      /* constant after the start */
    struct siphash_key key; /* constant after the start */
    u32 hashed;             /* atomic: dentries in the table */
    u32 prune_next;         /* atomic: bucket where the pruner goes on */
} dentries;

int dentry_start(void)
{
    int err = random_bytes(&dentries.key, sizeof(dentries.key));

    if (err)
        return err;
    dentries.buckets = kcalloc(BUCKETS, sizeof(*dentries.buckets));
    dentries.slab = slab_create("dentry", sizeof(struct dentry), _Alignof(struct dentry));
    if (!dentries.buckets || !dentries.slab)
        return -ENOMEM;
    for (u32 i = 0; i < BUCKETS; i++) {
        spin_init(&dentries.buckets[i].lock, DENTRY);
        list_init(&dentries.buckets[i].chain);
    }
    return 0;
}

void name_hash(struct name *name)
{
    name->hash = (u32)siphash(&dentries.key, name->text, name->len);
}

static struct bucket *bucket_of(const struct dentry *parent, u32 hash)
{
    return &dentries.buckets[hash_u64((uintptr_t)parent + hash) % BUCKETS];
}

static bool dentry_is(const struct dentry *dentry, const struct dentry *parent,
                      const struct name *name)
{
    return dentry->parent == parent && dentry->name.hash == name->hash &&
           dentry->name.len == name->len && memcmp(dentry->name.text, name->text, name->len) == 0;
}

struct dentry *dentry_find(struct dentry *parent, const struct name *name)
{
    struct bucket *bucket = bucket_of(parent, name->hash);
    struct dentry *dentry;

    spin_lock(&bucket->lock);
    list_for_each_entry(dentry, &bucket->chain, hash) {
        if (!dentry_is(dentry, parent, name))
            continue;
        dentry_get(dentry);
        if (!(READ_ONCE(dentry->flags) & DENTRY_USED))
            __atomic_fetch_or(&dentry->flags, DENTRY_USED, __ATOMIC_RELAXED);
        spin_unlock(&bucket->lock);
        return dentry;
    }
    spin_unlock(&bucket->lock);
    return NULL;
}

struct dentry *dentry_find_inode(const struct inode *inode)
{
    for (u32 i = 0; i < BUCKETS; i++) {
        struct bucket *bucket = &dentries.buckets[i];
        struct dentry *dentry;

        spin_lock(&bucket->lock);
        list_for_each_entry(dentry, &bucket->chain, hash) {
            if (dentry_inode(dentry) != inode)
                continue;
            dentry_get(dentry);
            spin_unlock(&bucket->lock);
            return dentry;
        }
        spin_unlock(&bucket->lock);
    }
    return NULL;
}

struct dentry *dentry_create(struct super *super, struct dentry *parent, const struct name *name,
                             struct inode *inode)
{
    struct dentry *dentry = slab_alloc(dentries.slab);
    char *text;

    if (!dentry)
        return NULL;

    text = dentry->inline_name;
    if (name->len >= DENTRY_INLINE) {
        text = kmalloc(name->len + 1);
        if (!text) {
            slab_free(dentries.slab, dentry);
            return NULL;
        }
    }
    memcpy(text, name->text, name->len);
    text[name->len] = '\0';

    refcount_init(&dentry->ref, 1);
    spin_init(&dentry->lock, DENTRY);
    list_init(&dentry->hash);
    dentry->flags = DENTRY_UNHASHED;
    dentry->name = (struct name){.text = text, .len = name->len, .hash = name->hash};
    dentry->super = super;
    dentry->parent = parent ? dentry_get(parent) : dentry;
    dentry->inode = inode;
    return dentry;
}

static struct dentry *dentry_free(struct dentry *dentry)
{
    struct dentry *parent = dentry->parent == dentry ? NULL : dentry->parent;

    if (dentry->inode) {
        if (dentry->inode->watches && READ_ONCE(dentry->inode->nlink) == 0)
            inotify_inode_gone(dentry->inode);
        inode_put(dentry->inode);
    }
    if (dentry->name.text != dentry->inline_name)
        kfree(dentry->name.text);
    slab_free(dentries.slab, dentry);
    return parent;
}

void dentry_put(struct dentry *dentry)
{
    /* A loop, for a deep tree must not use up the kernel stack. */
    while (dentry && refcount_put(&dentry->ref))
        dentry = dentry_free(dentry);
}

void dentry_hash(struct dentry *dentry)
{
    struct bucket *bucket = bucket_of(dentry->parent, dentry->name.hash);

    spin_lock(&bucket->lock);
    dentry_get(dentry);
    __atomic_fetch_and(&dentry->flags, ~(u32)DENTRY_UNHASHED, __ATOMIC_RELEASE);
    __atomic_fetch_or(&dentry->flags, DENTRY_USED, __ATOMIC_RELAXED);
    list_add(&dentry->hash, &bucket->chain);
    spin_unlock(&bucket->lock);
    __atomic_fetch_add(&dentry->parent->cached, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&dentries.hashed, 1, __ATOMIC_RELAXED);
}

void dentry_unhash(struct dentry *dentry)
{
    struct bucket *bucket;

    /* A rename may move the dentry to another bucket before we have the lock of the one we computed. */
    for (;;) {
        spin_lock(&dentry->lock);
        bucket = bucket_of(dentry->parent, dentry->name.hash);
        spin_unlock(&dentry->lock);

        spin_lock(&bucket->lock);
        if (dentry_unhashed(dentry)) {
            spin_unlock(&bucket->lock);
            return;
        }
        if (bucket == bucket_of(dentry->parent, dentry->name.hash))
            break;
        spin_unlock(&bucket->lock);
    }
    list_del(&dentry->hash);
    __atomic_fetch_or(&dentry->flags, DENTRY_UNHASHED, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&dentry->parent->cached, 1, __ATOMIC_RELAXED);
    spin_unlock(&bucket->lock);
    __atomic_fetch_sub(&dentries.hashed, 1, __ATOMIC_RELAXED);
    dentry_put(dentry);
}

void dentry_instantiate(struct dentry *dentry, struct inode *inode)
{
    spin_lock(&dentry->lock);
    __atomic_store_n(&dentry->inode, inode, __ATOMIC_RELEASE);
    spin_unlock(&dentry->lock);
}

struct dentry *dentry_parent(struct dentry *dentry)
{
    struct dentry *parent;

    spin_lock(&dentry->lock);
    parent = dentry_get(dentry->parent);
    spin_unlock(&dentry->lock);
    return parent;
}

bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor)
{
    AUTO(dentry_put) struct dentry *at = dentry_get(dentry);

    for (;;) {
        struct dentry *parent;

        if (at == ancestor)
            return true;
        parent = dentry_parent(at);
        if (parent == at) {
            dentry_put(parent);
            return false;
        }
        dentry_put(at);
        at = parent;
    }
}

int dentry_move_prepare(struct dentry *target, char **text)
{
    *text = NULL;
    if (target->name.len < DENTRY_INLINE)
        return 0;
    *text = kmemdup(target->name.text, target->name.len + 1);
    return *text ? 0 : -ENOMEM;
}

void dentry_move(struct dentry *dentry, struct dentry *target, char *text)
{
    struct dentry *old_parent;
    const char *old_text = NULL;
    bool hashed = !dentry_unhashed(dentry);

    dentry_get(dentry);
    if (hashed)
        dentry_unhash(dentry);

    spin_lock(&dentry->lock);
    old_parent = dentry->parent;
    dentry->parent = dentry_get(target->parent);
    if (dentry->name.text != dentry->inline_name)
        old_text = dentry->name.text;
    if (!text) {
        memcpy(dentry->inline_name, target->name.text, target->name.len + 1);
        text = dentry->inline_name;
    }
    dentry->name = (struct name){.text = text, .len = target->name.len, .hash = target->name.hash};
    spin_unlock(&dentry->lock);

    if (hashed)
        dentry_hash(dentry);
    kfree(old_text);
    dentry_put(old_parent);
    dentry_put(dentry);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
    struct dentry *parent;
    struct name name;
    char text[DENTRY_INLINE];
    bool a_inline, b_inline;

    dentry_unhash(a);
    dentry_unhash(b);
    spin_lock(&a->lock);
    spin_lock_nested(&b->lock);
    a_inline = a->name.text == a->inline_name;
    b_inline = b->name.text == b->inline_name;
    name = a->name;
    parent = a->parent;
    memcpy(text, a->inline_name, sizeof(text));

    a->name = b->name;
    a->parent = b->parent;
    memcpy(a->inline_name, b->inline_name, sizeof(text));
    if (b_inline)
        a->name.text = a->inline_name;
    b->name = name;
    b->parent = parent;
    memcpy(b->inline_name, text, sizeof(text));
    if (a_inline)
        b->name.text = b->inline_name;
    spin_unlock(&b->lock);
    spin_unlock(&a->lock);
    dentry_hash(a);
    dentry_hash(b);
}

/*
 * Which dentries are to go: those of a super; or, when nobody uses them, those in a directory, all, or those that
 * nobody has used since the pruner last came by.
 */
struct prune {
    struct super *super;
    struct dentry *parent;
    bool all;
};

static bool to_be_pruned(struct dentry *dentry, const struct prune *what)
{
    if (what->super)
        return dentry->super == what->super;
    /* Nobody can find it while we hold the bucket's lock, so a count of one stays one. */
    if (__atomic_load_n(&dentry->ref.count, __ATOMIC_ACQUIRE) != 1)
        return false;
    if (what->parent)
        return dentry->parent == what->parent;
    return what->all ||
           !(__atomic_fetch_and(&dentry->flags, ~(u32)DENTRY_USED, __ATOMIC_RELAXED) & DENTRY_USED);
}

static void bucket_take(struct bucket *bucket, const struct prune *what, struct list_head *taken)
{
    struct dentry *dentry, *next;

    spin_lock(&bucket->lock);
    list_for_each_entry_safe(dentry, next, &bucket->chain, hash) {
        if (!to_be_pruned(dentry, what))
            continue;
        __atomic_fetch_or(&dentry->flags, DENTRY_UNHASHED, __ATOMIC_RELEASE);
        list_move(&dentry->hash, taken);
        __atomic_fetch_sub(&dentry->parent->cached, 1, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&dentries.hashed, 1, __ATOMIC_RELAXED);
    }
    spin_unlock(&bucket->lock);
}

static void put_taken(struct list_head *taken)
{
    struct dentry *dentry;

    while ((dentry = list_first_entry(taken, struct dentry, hash))) {
        list_del(&dentry->hash);
        dentry_put(dentry);
    }
}

void dentry_prune_super(struct super *super)
{
    struct list_head taken = LIST_HEAD_INIT(taken);

    for (u32 i = 0; i < BUCKETS; i++)
        bucket_take(&dentries.buckets[i], &(struct prune){.super = super}, &taken);
    put_taken(&taken);
}

void dentry_prune_children(struct dentry *parent)
{
    struct list_head taken = LIST_HEAD_INIT(taken);

    for (u32 i = 0; i < BUCKETS && __atomic_load_n(&parent->cached, __ATOMIC_RELAXED); i++)
        bucket_take(&dentries.buckets[i], &(struct prune){.parent = parent}, &taken);
    put_taken(&taken);
}

/* A name keeps the one above it: with each round those that are left without names below can go. */
void dentry_prune_all(void)
{
    u32 before, left = __atomic_load_n(&dentries.hashed, __ATOMIC_RELAXED);

    do {
        struct list_head taken = LIST_HEAD_INIT(taken);

        before = left;
        for (u32 i = 0; i < BUCKETS; i++)
            bucket_take(&dentries.buckets[i], &(struct prune){.all = true}, &taken);
        put_taken(&taken);
        left = __atomic_load_n(&dentries.hashed, __ATOMIC_RELAXED);
    } while (left < before);
}

void dentry_prune(void)
{
    struct list_head taken = LIST_HEAD_INIT(taken);

    if (__atomic_load_n(&dentries.hashed, __ATOMIC_RELAXED) < DENTRIES_MAX)
        return;
    for (u32 i = 0; i < PRUNE_BUCKETS; i++) {
        u32 next = __atomic_fetch_add(&dentries.prune_next, 1, __ATOMIC_RELAXED);

        bucket_take(&dentries.buckets[next % BUCKETS], &(struct prune){0}, &taken);
    }
    put_taken(&taken);
}

void dentry_forget(struct dentry *dir, const char *text)
{
    struct name name = {.text = text, .len = (u32)strlen(text)};
    struct dentry *dentry;

    name_hash(&name);
    dentry = dentry_find(dir, &name);
    if (!dentry)
        return;
    dentry_unhash(dentry);
    dentry_put(dentry);
}
