/*
 * kernel/base/rbtree.h: intrusive red-black trees. The lock is the caller's.
 *
 * A tree may keep a value in each node that sums up the node's subtree (the largest gap between
 * mappings, for instance): its update function computes that of one node from the node itself and
 * its two children, and is called, children first, for each node whose subtree has changed.
 */
#ifndef BASE_RBTREE_H
#define BASE_RBTREE_H

#include "base/types.h"

struct rb_node {
    struct rb_node *parent; /* NULL in the root; the node itself when it is in no tree */
    struct rb_node *left;
    struct rb_node *right;
    bool red;
};

struct rb_tree {
    struct rb_node *root;
    void (*update)(struct rb_node *node); /* constant; may be NULL */
};

/* True when a belongs before b; equal nodes keep the order of their insertion. */
typedef bool rb_before_fn(const struct rb_node *a, const struct rb_node *b);

/* Negative, zero or positive as the key is before, equal to, or behind the node. */
typedef int rb_compare_fn(const void *key, const struct rb_node *node);

static inline void rb_tree_init(struct rb_tree *tree, void (*update)(struct rb_node *node))
{
    tree->root = NULL;
    tree->update = update;
}

static inline bool rb_empty(const struct rb_tree *tree)
{
    return !tree->root;
}

/* Makes rb_linked false for a node that never was in a tree; rb_erase does the same. */
static inline void rb_node_init(struct rb_node *node)
{
    node->parent = node;
}

static inline bool rb_linked(const struct rb_node *node)
{
    return node->parent != node;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, rb_before_fn *before);

/*
 * Inserts at a place that the caller has found: *link is an empty child pointer of parent, or
 * &tree->root with no parent.
 */
void rb_insert_at(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
                  struct rb_node **link);

void rb_erase(struct rb_tree *tree, struct rb_node *node);

/* new takes old's place in the order. */
void rb_replace(struct rb_tree *tree, struct rb_node *old, struct rb_node *new);

/* Tells the tree that what the update function reads in this node has changed. */
void rb_update(struct rb_tree *tree, struct rb_node *node);

/* In order; NULL at the end. */
struct rb_node *rb_first(const struct rb_tree *tree);
struct rb_node *rb_last(const struct rb_tree *tree);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* A node that is equal to the key, or NULL. */
struct rb_node *rb_find(const struct rb_tree *tree, const void *key, rb_compare_fn *compare);

/* The first node that is not before the key, or NULL. */
struct rb_node *rb_find_from(const struct rb_tree *tree, const void *key, rb_compare_fn *compare);

#define rb_entry(node, type, member) container_of(node, type, member)

/* NULL stays NULL, so that results of the functions above can be wrapped directly. */
#define rb_entry_or_null(node, type, member) RB_ENTRY_(node, type, member, UNIQUE(node_))
#define RB_ENTRY_(node, type, member, var)                                                         \
    ({                                                                                             \
        struct rb_node *var = (node);                                                              \
        var ? rb_entry(var, type, member) : NULL;                                                  \
    })

#define rb_first_entry(tree, type, member) rb_entry_or_null(rb_first(tree), type, member)
#define rb_last_entry(tree, type, member)  rb_entry_or_null(rb_last(tree), type, member)
#define rb_next_entry(pos, member)                                                                 \
    rb_entry_or_null(rb_next(&(pos)->member), __typeof__(*(pos)), member)
#define rb_prev_entry(pos, member)                                                                 \
    rb_entry_or_null(rb_prev(&(pos)->member), __typeof__(*(pos)), member)

/* pos is NULL after the loop has run to its end. */
#define rb_for_each_entry(pos, tree, member)                                                       \
    for (pos = rb_first_entry(tree, __typeof__(*(pos)), member); pos;                              \
         pos = rb_next_entry(pos, member))

/* The body may erase pos; nothing else may change the tree meanwhile. */
#define rb_for_each_entry_safe(pos, tmp, tree, member)                                             \
    for (pos = rb_first_entry(tree, __typeof__(*(pos)), member);                                   \
         pos && (tmp = rb_next_entry(pos, member), true); pos = tmp)

#endif
