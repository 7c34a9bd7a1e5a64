/*
 * kernel/base/idtable.c: a growing table from small numbers to pointers.
 *
 * A radix tree with 64 children a node; it is as high as the largest number that was taken needs.
 * Each node knows in one word which of its children are there, and in another which are full, so
 * that the search for a free number never enters a full subtree. No node is empty.
 */
#include "base/idtable.h"
#include "base/errno.h"
#include "base/string.h"

#define SLOT_BITS  6
#define SLOTS      (1U << SLOT_BITS)
#define HEIGHT_MAX 5 /* six levels of six bits cover 32 */
#define NOT_FOUND  UINT64_MAX

struct idnode {
    u64 used; /* slots that hold a child, or, in a leaf, a number that is taken */
    u64 full; /* slots below which no number is free */
    void *slot[SLOTS];
};

/* How many numbers one slot of a node at this height stands for. */
static u64 slot_span(unsigned int height)
{
    return 1ULL << (SLOT_BITS * height);
}

static unsigned int slot_index(u64 id, unsigned int height)
{
    return (unsigned int)(id >> (SLOT_BITS * height)) % SLOTS;
}

static bool covers(const struct idtable *table, u32 id)
{
    return table->root && id < slot_span(table->height + 1);
}

void idtable_init(struct idtable *table, const struct idtable_memory *memory)
{
    *table = (struct idtable){.memory = memory};
}

static struct idnode *node_new(struct idtable *table)
{
    struct idnode *node = table->memory->alloc(sizeof *node);

    if (node)
        memset(node, 0, sizeof *node);
    return node;
}

static void node_free(struct idtable *table, struct idnode *node)
{
    table->memory->free(node, sizeof *node);
}

/* The recursion is as deep as the tree is high, HEIGHT_MAX at most; so it is in find_free. */
static void free_below(struct idtable *table, struct idnode *node, unsigned int height)
{
    for (unsigned int i = 0; height > 0 && i < SLOTS; i++) {
        if (node->used & BIT(i))
            free_below(table, node->slot[i], height - 1);
    }
    node_free(table, node);
}

void idtable_destroy(struct idtable *table)
{
    if (table->root)
        free_below(table, table->root, table->height);
    idtable_init(table, table->memory);
}

static struct idnode *find_leaf(const struct idtable *table, u32 id)
{
    if (!covers(table, id))
        return NULL;

    struct idnode *node = table->root;
    for (unsigned int height = table->height; node && height > 0; height--)
        node = node->slot[slot_index(id, height)];
    return node;
}

bool idtable_taken(const struct idtable *table, u32 id)
{
    const struct idnode *leaf = find_leaf(table, id);

    return leaf && (leaf->used & BIT(id % SLOTS));
}

void *idtable_find(const struct idtable *table, u32 id)
{
    const struct idnode *leaf = find_leaf(table, id);

    return leaf ? leaf->slot[id % SLOTS] : NULL;
}

void *idtable_replace(struct idtable *table, u32 id, void *ptr)
{
    struct idnode *leaf = find_leaf(table, id);

    if (!leaf || !(leaf->used & BIT(id % SLOTS)))
        return NULL;
    void *old = leaf->slot[id % SLOTS];
    leaf->slot[id % SLOTS] = ptr;
    return old;
}

/* Puts new roots on top until id is covered. */
static long grow(struct idtable *table, u32 id)
{
    if (!table->root) {
        for (table->height = 0; id >= slot_span(table->height + 1);)
            table->height++;
        table->root = node_new(table);
        return table->root ? 0 : -ENOMEM;
    }
    while (!covers(table, id)) {
        struct idnode *root = node_new(table);
        if (!root)
            return -ENOMEM;
        root->slot[0] = table->root;
        root->used = BIT(0);
        root->full = table->root->full == UINT64_MAX ? BIT(0) : 0;
        table->root = root;
        table->height++;
    }
    return 0;
}

/*
 * Takes away what holds nothing: empty nodes on the way to id, then roots with the first child
 * alone.
 */
static void shrink(struct idtable *table, u32 id)
{
    struct idnode *path[HEIGHT_MAX + 1] = {0}, *node = table->root;
    unsigned int height;

    for (height = table->height; node; node = node->slot[slot_index(id, height--)]) {
        path[height] = node;
        if (height == 0)
            break;
    }
    for (height = 0; height <= table->height; height++) {
        if (!path[height])
            continue;
        if (path[height]->used)
            break;
        node_free(table, path[height]);
        if (height == table->height) {
            idtable_init(table, table->memory);
            return;
        }
        unsigned int i = slot_index(id, height + 1);
        path[height + 1]->slot[i] = NULL;
        path[height + 1]->used &= ~BIT(i);
    }
    while (table->height > 0 && table->root->used == BIT(0)) {
        struct idnode *root = table->root;
        table->root = root->slot[0];
        table->height--;
        node_free(table, root);
    }
}

long idtable_insert(struct idtable *table, u32 id, void *ptr)
{
    struct idnode *path[HEIGHT_MAX + 1];

    if (idtable_taken(table, id))
        return -EEXIST;
    long err = grow(table, id);
    if (err)
        goto fail;

    struct idnode *node = table->root;
    for (unsigned int height = table->height; height > 0; height--) {
        unsigned int i = slot_index(id, height);
        path[height] = node;
        if (!(node->used & BIT(i))) {
            struct idnode *child = node_new(table);
            if (!child) {
                err = -ENOMEM;
                goto fail;
            }
            node->slot[i] = child;
            node->used |= BIT(i);
        }
        node = node->slot[i];
    }

    node->slot[id % SLOTS] = ptr;
    node->used |= BIT(id % SLOTS);
    node->full |= BIT(id % SLOTS);
    for (unsigned int height = 1; height <= table->height && node->full == UINT64_MAX; height++) {
        node = path[height];
        node->full |= BIT(slot_index(id, height));
    }
    return 0;

fail:
    if (table->root)
        shrink(table, id);
    return err;
}

void *idtable_remove(struct idtable *table, u32 id)
{
    struct idnode *node = table->root;

    if (!idtable_taken(table, id))
        return NULL;
    for (unsigned int height = table->height; height > 0; height--) {
        unsigned int i = slot_index(id, height);
        node->full &= ~BIT(i);
        node = node->slot[i];
    }
    void *ptr = node->slot[id % SLOTS];
    node->slot[id % SLOTS] = NULL;
    node->used &= ~BIT(id % SLOTS);
    node->full &= ~BIT(id % SLOTS);
    shrink(table, id);
    return ptr;
}

/* The lowest free number >= from below node, both counted from the first number below it. */
static u64 find_free(const struct idnode *node, unsigned int height, u64 from)
{
    u64 span = slot_span(height);

    while (from < SLOTS * span) {
        u64 open = ~node->full & (UINT64_MAX << (from / span));
        if (!open)
            return NOT_FOUND;
        unsigned int i = (unsigned int)__builtin_ctzll(open);
        u64 start = i * span;
        from = MAX(from, start);
        if (!(node->used & BIT(i)))
            return from;
        u64 found = find_free(node->slot[i], height - 1, from - start);
        if (found != NOT_FOUND)
            return start + found;
        from = start + span;
    }
    return NOT_FOUND;
}

s64 idtable_alloc(struct idtable *table, void *ptr, u32 first, u32 last)
{
    u64 id = first;

    if (covers(table, first)) {
        id = find_free(table->root, table->height, first);
        if (id == NOT_FOUND)
            id = slot_span(table->height + 1);
    }
    if (id > last)
        return -ENOSPC;
    long err = idtable_insert(table, (u32)id, ptr);
    return err ? err : (s64)id;
}

/* The lowest number >= from that is taken, from the root down each time: trees are low. */
static u64 next_taken(const struct idtable *table, u64 from)
{
    while (from < slot_span(table->height + 1)) {
        const struct idnode *node = table->root;
        unsigned int height = table->height;

        for (;; height--) {
            u64 span = slot_span(height);
            unsigned int at = slot_index(from, height);
            u64 there = node->used & (UINT64_MAX << at);
            if (!there) {
                /* Go on behind this node. */
                from = (from / (span * SLOTS) + 1) * span * SLOTS;
                break;
            }
            unsigned int i = (unsigned int)__builtin_ctzll(there);
            if (i != at)
                from = from / (span * SLOTS) * span * SLOTS + i * span;
            if (height == 0)
                return from;
            node = node->slot[i];
        }
    }
    return NOT_FOUND;
}

void *idtable_next(const struct idtable *table, u32 *id)
{
    u64 at = *id;

    if (!table->root)
        return NULL;
    for (; (at = next_taken(table, at)) != NOT_FOUND; at++) {
        void *ptr = idtable_find(table, (u32)at);
        if (ptr) {
            *id = (u32)at;
            return ptr;
        }
    }
    return NULL;
}
