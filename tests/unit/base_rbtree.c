/* tests/unit/base_rbtree.c: the red-black tree against a sorted array, its rules, and its sums. */
#include "unit.h"

#include "rename.h"

#include "base/rbtree.h"

#define ITEMS 200
#define STEPS 20000

struct item {
    struct rb_node node;
    int key;
    int gap;
    int max_gap;        /* of this and all below: what the update function keeps */
    unsigned int order; /* of insertion, to see that equal keys keep it */
};

static struct item items[ITEMS];
static struct item *model[ITEMS]; /* sorted as the tree ought to be */
static size_t model_count;

static struct item *item_of(const struct rb_node *node)
{
    return container_of(node, struct item, node);
}

static bool item_before(const struct rb_node *a, const struct rb_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

static int item_compare(const void *key, const struct rb_node *node)
{
    int k = *(const int *)key;

    return (k > item_of(node)->key) - (k < item_of(node)->key);
}

static void item_update(struct rb_node *node)
{
    struct item *item = item_of(node);
    int max = item->gap;

    if (node->left)
        max = MAX(max, item_of(node->left)->max_gap);
    if (node->right)
        max = MAX(max, item_of(node->right)->max_gap);
    item->max_gap = max;
}

/* The black nodes on each way down from node; fails on a broken rule. */
static int check_below(const struct rb_node *node, const struct rb_node *parent)
{
    if (!node)
        return 1;
    assert_ptr_equal(node->parent, parent);
    if (node->red) {
        assert_true(parent && !parent->red);
        assert_false(node->left && node->left->red);
        assert_false(node->right && node->right->red);
    }
    int left = check_below(node->left, node), right = check_below(node->right, node);
    assert_int_equal(left, right);

    int max = item_of(node)->gap;
    if (node->left)
        max = MAX(max, item_of(node->left)->max_gap);
    if (node->right)
        max = MAX(max, item_of(node->right)->max_gap);
    assert_int_equal(item_of(node)->max_gap, max);
    return left + !node->red;
}

static void check_tree(struct rb_tree *tree)
{
    size_t i = 0;
    struct item *item;

    check_below(tree->root, NULL);
    rb_for_each_entry(item, tree, node) {
        assert_true(i < model_count);
        assert_ptr_equal(item, model[i]);
        i++;
    }
    assert_int_equal(i, model_count);
    assert_int_equal(rb_empty(tree), model_count == 0);

    i = model_count;
    for (item = rb_last_entry(tree, struct item, node); item; item = rb_prev_entry(item, node))
        assert_ptr_equal(item, model[--i]);
    assert_int_equal(i, 0);
}

static void model_insert(struct item *item)
{
    size_t at = 0;

    while (at < model_count && model[at]->key <= item->key)
        at++;
    for (size_t i = model_count++; i > at; i--)
        model[i] = model[i - 1];
    model[at] = item;
}

static size_t model_index(const struct item *item)
{
    for (size_t i = 0; i < model_count; i++) {
        if (model[i] == item)
            return i;
    }
    fail_msg("the item is not in the model");
    return 0;
}

static void model_remove(const struct item *item)
{
    size_t at = model_index(item);

    for (model_count--; at < model_count; at++)
        model[at] = model[at + 1];
}

static void check_find(struct rb_tree *tree)
{
    int key = (int)random_below(100);
    size_t at = 0;

    while (at < model_count && model[at]->key < key)
        at++;
    struct item *from = rb_entry_or_null(rb_find_from(tree, &key, item_compare), struct item, node);
    assert_ptr_equal(from, at < model_count ? model[at] : NULL);

    struct rb_node *found = rb_find(tree, &key, item_compare);
    if (at < model_count && model[at]->key == key)
        assert_true(found && item_of(found)->key == key);
    else
        assert_null(found);
}

static void agrees_with_sorted_array(void **state)
{
    struct rb_tree tree;
    unsigned int order = 0;

    (void)state;
    random_start();
    model_count = 0;
    rb_tree_init(&tree, item_update);
    for (size_t i = 0; i < ITEMS; i++)
        rb_node_init(&items[i].node);

    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[random_below(ITEMS)];
        /* Long phases of growth and of decline, so that the tree gets full and empty. */
        bool growing = step / 1000 % 2 == 0;

        if (!rb_linked(&item->node) && (growing || random_below(4) == 0)) {
            item->key = (int)random_below(100);
            item->gap = (int)random_below(1000);
            item->order = order++;
            rb_insert(&tree, &item->node, item_before);
            model_insert(item);
        } else if (rb_linked(&item->node) && (!growing || random_below(4) == 0)) {
            rb_erase(&tree, &item->node);
            assert_false(rb_linked(&item->node));
            model_remove(item);
        } else if (rb_linked(&item->node)) {
            item->gap = (int)random_below(1000);
            rb_update(&tree, &item->node);
        }
        check_tree(&tree);
        check_find(&tree);
    }
    for (size_t i = 1; i < model_count; i++) {
        if (model[i - 1]->key == model[i]->key)
            assert_true(model[i - 1]->order < model[i]->order);
    }
}

static void replaces_a_node_in_its_place(void **state)
{
    struct rb_tree tree;

    (void)state;
    random_start();
    model_count = 0;
    rb_tree_init(&tree, item_update);
    for (size_t i = 0; i < ITEMS; i++)
        rb_node_init(&items[i].node);
    for (size_t i = 0; i < ITEMS / 2; i++) {
        items[i].key = (int)i;
        items[i].gap = (int)random_below(1000);
        rb_insert(&tree, &items[i].node, item_before);
        model_insert(&items[i]);
    }
    for (size_t i = 0; i < ITEMS / 2; i++) {
        struct item *old = &items[i], *new = &items[ITEMS / 2 + i];
        size_t at = model_index(old);
        new->key = old->key;
        new->gap = (int)random_below(1000);
        rb_replace(&tree, &old->node, &new->node);
        assert_false(rb_linked(&old->node));
        model[at] = new;
        check_tree(&tree);
    }
}

static void loop_may_erase_what_it_stands_on(void **state)
{
    struct rb_tree tree;
    struct item *item, *tmp;
    int expected = 0;

    (void)state;
    rb_tree_init(&tree, NULL);
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = (i * 37) % ITEMS;
        rb_insert(&tree, &items[i].node, item_before);
    }
    rb_for_each_entry_safe(item, tmp, &tree, node) {
        assert_int_equal(item->key, expected++);
        rb_erase(&tree, &item->node);
    }
    assert_int_equal(expected, ITEMS);
    assert_true(rb_empty(&tree));
    assert_null(rb_first(&tree));
    assert_null(rb_last(&tree));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_sorted_array),
        cmocka_unit_test(replaces_a_node_in_its_place),
        cmocka_unit_test(loop_may_erase_what_it_stands_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
