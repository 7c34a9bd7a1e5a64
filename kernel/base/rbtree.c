/*
 * kernel/base/rbtree.c: intrusive red-black trees.
 *
 * The rules that insertion and erasure restore: the root is black, a red node has black children,
 * and each way from a node down to a missing child passes as many black nodes as any other.
 */
#include "base/rbtree.h"

static bool is_red(const struct rb_node *node)
{
    return node && node->red;
}

static void update_one(struct rb_tree *tree, struct rb_node *node)
{
    if (tree->update)
        tree->update(node);
}

/* From node to the root; node may be NULL. */
static void update_path(struct rb_tree *tree, struct rb_node *node)
{
    if (!tree->update)
        return;
    for (; node; node = node->parent)
        tree->update(node);
}

void rb_update(struct rb_tree *tree, struct rb_node *node)
{
    update_path(tree, node);
}

/* Makes the pointer that leads to old lead to new. */
static void replace_child(struct rb_tree *tree, struct rb_node *parent, struct rb_node *old,
                          struct rb_node *new)
{
    if (!parent)
        tree->root = new;
    else if (parent->left == old)
        parent->left = new;
    else
        parent->right = new;
}

static void set_left(struct rb_node *node, struct rb_node *child)
{
    node->left = child;
    if (child)
        child->parent = node;
}

static void set_right(struct rb_node *node, struct rb_node *child)
{
    node->right = child;
    if (child)
        child->parent = node;
}

/* The right child comes up, node goes down to its left. What lies below both stays the same. */
static void rotate_left(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *up = node->right, *parent = node->parent;

    set_right(node, up->left);
    set_left(up, node);
    up->parent = parent;
    replace_child(tree, parent, node, up);
    update_one(tree, node);
    update_one(tree, up);
}

static void rotate_right(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *up = node->left, *parent = node->parent;

    set_left(node, up->right);
    set_right(up, node);
    up->parent = parent;
    replace_child(tree, parent, node, up);
    update_one(tree, node);
    update_one(tree, up);
}

/* node is red and may have a red parent: nothing else is wrong. */
static void fix_insert(struct rb_tree *tree, struct rb_node *node)
{
    while (is_red(node->parent)) {
        struct rb_node *parent = node->parent;
        struct rb_node *grand = parent->parent; /* exists: the root is black */
        bool on_left = parent == grand->left;
        struct rb_node *uncle = on_left ? grand->right : grand->left;

        if (is_red(uncle)) {
            parent->red = false;
            uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        /* The inner grandchild first becomes the outer one, so that one rotation is enough. */
        if (node == (on_left ? parent->right : parent->left)) {
            if (on_left)
                rotate_left(tree, parent);
            else
                rotate_right(tree, parent);
            parent = node;
        }
        parent->red = false;
        grand->red = true;
        if (on_left)
            rotate_right(tree, grand);
        else
            rotate_left(tree, grand);
        break;
    }
    tree->root->red = false;
}

void rb_insert_at(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
                  struct rb_node **link)
{
    *node = (struct rb_node){.parent = parent, .red = true};
    *link = node;
    update_path(tree, node);
    fix_insert(tree, node);
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, rb_before_fn *before)
{
    struct rb_node *parent = NULL, **link = &tree->root;

    while (*link) {
        parent = *link;
        link = before(node, parent) ? &parent->left : &parent->right;
    }
    rb_insert_at(tree, node, parent, link);
}

/* The ways through node (which may be NULL) below parent pass one black node too few. */
static void fix_erase(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
    while (parent && !is_red(node)) {
        bool on_left = node == parent->left;
        struct rb_node *sibling = on_left ? parent->right : parent->left;

        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            if (on_left)
                rotate_left(tree, parent);
            else
                rotate_right(tree, parent);
            sibling = on_left ? parent->right : parent->left;
        }

        struct rb_node *inner = on_left ? sibling->left : sibling->right;
        struct rb_node *outer = on_left ? sibling->right : sibling->left;

        if (!is_red(inner) && !is_red(outer)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        /* With only the inner one red, inner and sibling change places; the colours are set below. */
        if (!is_red(outer)) {
            if (on_left)
                rotate_right(tree, sibling);
            else
                rotate_left(tree, sibling);
            outer = sibling;
            sibling = inner;
        }
        sibling->red = parent->red;
        parent->red = false;
        outer->red = false;
        if (on_left)
            rotate_left(tree, parent);
        else
            rotate_right(tree, parent);
        return;
    }
    if (node)
        node->red = false;
}

void rb_erase(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *child, *parent; /* what fills the gap, and the node below which it does */
    bool red;                       /* the colour that went missing there */

    if (!node->left || !node->right) {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        red = node->red;
        replace_child(tree, parent, node, child);
        if (child)
            child->parent = parent;
    } else {
        /* The next in order has no left child: it leaves its place and takes node's. */
        struct rb_node *heir = rb_next(node);
        child = heir->right;
        red = heir->red;
        if (heir->parent == node) {
            parent = heir;
        } else {
            parent = heir->parent;
            set_left(parent, child);
            set_right(heir, node->right);
        }
        set_left(heir, node->left);
        heir->red = node->red;
        heir->parent = node->parent;
        replace_child(tree, node->parent, node, heir);
    }

    update_path(tree, parent);
    if (!red)
        fix_erase(tree, child, parent);
    rb_node_init(node);
}

void rb_replace(struct rb_tree *tree, struct rb_node *old, struct rb_node *new)
{
    *new = *old;
    replace_child(tree, old->parent, old, new);
    set_left(new, old->left);
    set_right(new, old->right);
    rb_node_init(old);
    update_path(tree, new);
}

static struct rb_node *leftmost(struct rb_node *node)
{
    while (node && node->left)
        node = node->left;
    return node;
}

static struct rb_node *rightmost(struct rb_node *node)
{
    while (node && node->right)
        node = node->right;
    return node;
}

struct rb_node *rb_first(const struct rb_tree *tree)
{
    return leftmost(tree->root);
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
    return rightmost(tree->root);
}

struct rb_node *rb_next(const struct rb_node *node)
{
    if (node->right)
        return leftmost(node->right);
    while (node->parent && node == node->parent->right)
        node = node->parent;
    return node->parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    if (node->left)
        return rightmost(node->left);
    while (node->parent && node == node->parent->left)
        node = node->parent;
    return node->parent;
}

struct rb_node *rb_find(const struct rb_tree *tree, const void *key, rb_compare_fn *compare)
{
    struct rb_node *node = tree->root;

    while (node) {
        int order = compare(key, node);
        if (order == 0)
            break;
        node = order < 0 ? node->left : node->right;
    }
    return node;
}

struct rb_node *rb_find_from(const struct rb_tree *tree, const void *key, rb_compare_fn *compare)
{
    struct rb_node *node = tree->root, *best = NULL;

    while (node) {
        if (compare(key, node) <= 0) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}
