/*
 * kernel/base/hashtable.h: intrusive hash tables with a fixed number of buckets. The lock is the
 * caller's; the hash too (see base/hash.h), of which the low bits choose the bucket.
 */
#ifndef BASE_HASHTABLE_H
#define BASE_HASHTABLE_H

#include "base/types.h"

struct hash_node {
    struct hash_node *next;
    struct hash_node **link; /* the pointer that leads here; NULL when in no table */
};

struct hashtable {
    struct hash_node **buckets; /* constant */
    size_t mask;                /* number of buckets less one; constant */
};

/* count is a power of two. */
static inline void hashtable_init(struct hashtable *table, struct hash_node **buckets, size_t count)
{
    table->buckets = buckets;
    table->mask = count - 1;
    for (size_t i = 0; i < count; i++)
        buckets[i] = NULL;
}

/* A table whose buckets are an array, initialised where it is declared. */
#define HASHTABLE_INIT(array)                                                                      \
    {                                                                                              \
        .buckets = (array), .mask = ARRAY_SIZE(array) - 1                                          \
    }

static inline struct hash_node **hashtable_bucket(const struct hashtable *table, u64 hash)
{
    return &table->buckets[hash & table->mask];
}

static inline void hash_node_init(struct hash_node *node)
{
    node->link = NULL;
}

static inline bool hash_node_linked(const struct hash_node *node)
{
    return node->link != NULL;
}

/* The newest is found first. */
static inline void hashtable_add(struct hashtable *table, struct hash_node *node, u64 hash)
{
    struct hash_node **bucket = hashtable_bucket(table, hash);

    node->next = *bucket;
    node->link = bucket;
    if (node->next)
        node->next->link = &node->next;
    *bucket = node;
}

/* Does nothing for a node that is in no table. */
static inline void hashtable_del(struct hash_node *node)
{
    if (!node->link)
        return;
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    node->link = NULL;
}

#define HASH_ENTRY_(node, type, member, var)                                                       \
    ({                                                                                             \
        struct hash_node *var = (node);                                                            \
        var ? container_of(var, type, member) : NULL;                                              \
    })
#define hash_entry_or_null(node, type, member) HASH_ENTRY_(node, type, member, UNIQUE(node_))

/* All entries in the hash's bucket: the body compares the keys. pos is NULL after the last. */
#define hashtable_for_each_in(pos, table, hash, member)                                            \
    for (pos = hash_entry_or_null(*hashtable_bucket(table, hash), __typeof__(*(pos)), member);     \
         pos; pos = hash_entry_or_null(pos->member.next, __typeof__(*(pos)), member))

/*
 * Every entry; i is a size_t. The body may delete pos. A break leaves one bucket, not the loop:
 * return from a function of your own instead.
 */
#define hashtable_for_each(pos, tmp, i, table, member)                                             \
    for (i = 0; i <= (table)->mask; i++)                                                           \
        for (pos = hash_entry_or_null((table)->buckets[i], __typeof__(*(pos)), member);            \
             pos &&                                                                                \
             (tmp = hash_entry_or_null(pos->member.next, __typeof__(*(pos)), member), true);       \
             pos = tmp)

#endif
