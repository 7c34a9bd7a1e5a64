/* tests/unit/base_list.c: doubly linked lists. */
#include "unit.h"

#include "rename.h"

#include "base/list.h"

struct item {
    int number;
    struct list_head link;
};

/* The list holds just these numbers, in both directions. */
static void expect(const struct list_head *head, const char *numbers)
{
    struct item *item;
    size_t count = 0;

    list_for_each_entry(item, head, link)
        assert_int_equal(item->number, numbers[count++] - '0');
    assert_int_equal(numbers[count], '\0');
    assert_int_equal(list_count(head), count);
    assert_int_equal(list_empty(head), count == 0);
    list_for_each_entry_reverse(item, head, link)
        assert_int_equal(item->number, numbers[--count] - '0');
    assert_int_equal(count, 0);
}

static struct item items[10];

static void start(void)
{
    for (int i = 0; i < 10; i++) {
        items[i].number = i;
        list_init(&items[i].link);
    }
}

static void adds_at_both_ends_and_in_between(void **state)
{
    struct list_head head = LIST_HEAD_INIT(head);

    (void)state;
    start();
    expect(&head, "");
    list_add_tail(&items[2].link, &head);
    list_add_tail(&items[3].link, &head);
    list_add(&items[1].link, &head);
    expect(&head, "123");
    list_add(&items[5].link, &items[2].link);
    list_add_tail(&items[4].link, &items[2].link);
    expect(&head, "14253");
    assert_ptr_equal(list_first_entry(&head, struct item, link), &items[1]);
    assert_ptr_equal(list_last_entry(&head, struct item, link), &items[3]);
}

static void deletion_leaves_an_empty_link(void **state)
{
    struct list_head head = LIST_HEAD_INIT(head);

    (void)state;
    start();
    for (int i = 0; i < 4; i++)
        list_add_tail(&items[i].link, &head);
    list_del(&items[1].link);
    assert_true(list_empty(&items[1].link));
    list_del(&items[1].link);
    expect(&head, "023");
    list_del(&items[0].link);
    list_del(&items[3].link);
    expect(&head, "2");
    list_del(&items[2].link);
    expect(&head, "");
    assert_null(list_first_entry(&head, struct item, link));
    assert_null(list_last_entry(&head, struct item, link));
}

static void moves_between_lists(void **state)
{
    struct list_head a = LIST_HEAD_INIT(a), b = LIST_HEAD_INIT(b);

    (void)state;
    start();
    for (int i = 0; i < 4; i++)
        list_add_tail(&items[i].link, &a);
    list_move(&items[2].link, &b);
    list_move(&items[0].link, &b);
    list_move_tail(&items[3].link, &b);
    expect(&a, "1");
    expect(&b, "023");
    list_move_tail(&items[0].link, &b);
    expect(&b, "230");

    list_splice_tail(&b, &a);
    expect(&a, "1230");
    expect(&b, "");
    list_splice_tail(&b, &a);
    expect(&a, "1230");
    list_splice_tail(&a, &b);
    expect(&a, "");
    expect(&b, "1230");
}

static void loop_may_delete_what_it_stands_on(void **state)
{
    struct list_head head = LIST_HEAD_INIT(head), *at;
    struct item *item, *tmp;
    int sum = 0;

    (void)state;
    start();
    for (int i = 0; i < 10; i++)
        list_add_tail(&items[i].link, &head);
    list_for_each_entry_safe(item, tmp, &head, link) {
        if (item->number % 3)
            list_del(&item->link);
    }
    expect(&head, "0369");
    list_for_each(at, &head)
        sum += list_entry(at, struct item, link)->number;
    assert_int_equal(sum, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_at_both_ends_and_in_between),
        cmocka_unit_test(deletion_leaves_an_empty_link),
        cmocka_unit_test(moves_between_lists),
        cmocka_unit_test(loop_may_delete_what_it_stands_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
