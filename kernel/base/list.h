/* kernel/base/list.h: intrusive, circular, doubly linked lists. The lock is the caller's. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/types.h"

/* Both the head of a list and a link in an element. An element off any list may point to itself. */
struct list_head {
    struct list_head *next;
    struct list_head *prev;
};

#define LIST_HEAD_INIT(name)                                                                       \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

static inline void list_init(struct list_head *list)
{
    WRITE_ONCE(list->next, list);
    list->prev = list;
}

/* May also be asked without the lock, by whoever can bear an answer that is over. */
static inline bool list_empty(const struct list_head *head)
{
    return READ_ONCE(head->next) == head;
}

static inline void list_insert_between(struct list_head *link, struct list_head *prev,
                                       struct list_head *next)
{
    link->prev = prev;
    link->next = next;
    WRITE_ONCE(prev->next, link);
    next->prev = link;
}

/* At the front, or after a given element. */
static inline void list_add(struct list_head *link, struct list_head *head)
{
    list_insert_between(link, head, head->next);
}

/* At the end, or before a given element. */
static inline void list_add_tail(struct list_head *link, struct list_head *head)
{
    list_insert_between(link, head->prev, head);
}

/* Leaves the link an empty list of its own, so that a second list_del does no harm. */
static inline void list_del(struct list_head *link)
{
    WRITE_ONCE(link->prev->next, link->next);
    link->next->prev = link->prev;
    list_init(link);
}

static inline void list_move_tail(struct list_head *link, struct list_head *head)
{
    list_del(link);
    list_add_tail(link, head);
}

static inline void list_move(struct list_head *link, struct list_head *head)
{
    list_del(link);
    list_add(link, head);
}

/* Moves all elements of from to the end of to; from is empty afterwards. */
static inline void list_splice_tail(struct list_head *from, struct list_head *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    WRITE_ONCE(to->prev->next, from->next);
    WRITE_ONCE(from->prev->next, to);
    to->prev = from->prev;
    list_init(from);
}

static inline size_t list_count(const struct list_head *head)
{
    size_t n = 0;

    for (const struct list_head *at = head->next; at != head; at = at->next)
        n++;
    return n;
}

#define list_entry(link, type, member) container_of(link, type, member)

/* NULL when the list is empty. */
#define list_first_entry(head, type, member)                                                       \
    (list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_last_entry(head, type, member)                                                        \
    (list_empty(head) ? NULL : list_entry((head)->prev, type, member))

#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

#define list_for_each(at, head) for (at = (head)->next; at != (head); at = at->next)

/* pos is no element of the list after the loop has run to its end: do not use it then. */
#define list_for_each_entry(pos, head, member)                                                     \
    for (pos = list_entry((head)->next, __typeof__(*(pos)), member); &pos->member != (head);       \
         pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, head, member)                                             \
    for (pos = list_entry((head)->prev, __typeof__(*(pos)), member); &pos->member != (head);       \
         pos = list_prev_entry(pos, member))

/* The body may delete pos; nothing else may change the list meanwhile. */
#define list_for_each_entry_safe(pos, tmp, head, member)                                           \
    for (pos = list_entry((head)->next, __typeof__(*(pos)), member),                               \
        tmp = list_next_entry(pos, member);                                                        \
         &pos->member != (head); pos = tmp, tmp = list_next_entry(tmp, member))

#endif
