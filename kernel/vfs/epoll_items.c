/*
 * kernel/vfs/epoll_items.c: the files that epoll instances watch. A wake-up of the file puts the item on the instance's
 * ready list.
 */
#include "vfs/epoll_internal.h"

#include "base/errno.h"
#include "mm/alloc.h"

#define EPOLL_DEPTH 5

struct epoll_hook { /* an item may stand in several queues */
    struct waitq_entry entry;
    struct epoll_item *item;
    struct list_head link; /* item->hooks */
};

static struct mutex epoll_links = {.lock = {.lock_class = LOCK_EPOLL_TREE}};

/* --- wake-ups -------------------------------------------------------------------------------------------- */

void epoll_item_ready(struct epoll_item *item)
{
    if (!item->is_ready) {
        item->is_ready = true;
        list_add_tail(&item->ready_link, &item->epoll->ready);
    }
}

static bool hook_wake(struct waitq_entry *entry, u32 events)
{
    struct epoll_item *item = container_of(entry, struct epoll_hook, entry)->item;
    struct epoll *ep = item->epoll;
    u32 wanted = READ_ONCE(item->event.events) & ~EPOLL_FLAGS;

    if (waitq_host(entry->queue) && !waitq_host(&ep->wait)) {
        waitq_lock_nested(&ep->wait);
        waitq_feed_by_host_locked(&ep->wait);
        waitq_unlock(&ep->wait);
    }
    if (!wanted || (events && !(events & (wanted | EPOLLERR | EPOLLHUP))))
        return false;
    waitq_lock_nested(&ep->wait);
    epoll_item_ready(item);
    waitq_wake_locked(&ep->wait, 0);
    waitq_unlock(&ep->wait);
    return true;
}

struct item_table {
    struct poll_table table;
    struct epoll_item *item;
};

static void item_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct epoll_item *item = container_of(table, struct item_table, table)->item;
    struct epoll_hook *hook = kzalloc(sizeof(*hook));

    if (!hook) {
        item->failed = true;
        return;
    }
    waitq_entry_init(&hook->entry, hook_wake, 0);
    hook->entry.exclusive = item->event.events & EPOLLEXCLUSIVE;
    hook->item = item;
    list_add_tail(&hook->link, &item->hooks);
    waitq_add(q, &hook->entry);
    if (waitq_host(q))
        waitq_feed_by_host(&item->epoll->wait);
}

u32 epoll_item_ask(const struct epoll_item *item)
{
    u32 wanted = item->event.events & ~EPOLL_FLAGS;

    return wanted ? file_poll(item->file, NULL) & (wanted | EPOLLERR | EPOLLHUP) : 0;
}

/* --- items ------------------------------------------------------------------------------------------------ */

struct item_name {
    const struct file *file;
    int fd;
};

static int item_compare(const void *key, const struct rb_node *node)
{
    const struct epoll_item *item = rb_entry(node, struct epoll_item, node);
    const struct item_name *name = key;

    if (name->fd != item->fd)
        return name->fd < item->fd ? -1 : 1;
    return name->file == item->file ? 0 : (uintptr_t)name->file < (uintptr_t)item->file ? -1 : 1;
}

static bool item_before(const struct rb_node *a, const struct rb_node *b)
{
    const struct epoll_item *item = rb_entry(a, struct epoll_item, node);
    const struct item_name name = {.file = item->file, .fd = item->fd};

    return item_compare(&name, b) < 0;
}

static struct epoll_item *item_find(struct epoll *ep, const struct file *file, int fd)
{
    const struct item_name name = {.file = file, .fd = fd};

    return rb_entry_or_null(rb_find(&ep->items, &name, item_compare), struct epoll_item, node);
}

static void item_free(struct epoll_item *item)
{
    struct epoll_hook *hook, *next;

    list_for_each_entry_safe(hook, next, &item->hooks, link) {
        waitq_remove(&hook->entry);
        kfree(hook);
    }
    spin_lock(&item->epoll->wait.lock);
    list_del(&item->ready_link);
    spin_unlock(&item->epoll->wait.lock);
    kfree(item);
}

/* epoll_links and epoll->lock are held. */
static void item_unlink(struct epoll_item *item)
{
    rb_erase(&item->epoll->items, &item->node);
    list_del(&item->watch);
    if (list_empty((struct list_head *)item->file->watchers)) {
        kfree(item->file->watchers);
        item->file->watchers = NULL;
    }
}

static struct list_head *watchers_of(struct file *file)
{
    if (!file->watchers) {
        struct list_head *list = kmalloc(sizeof(*list));

        if (list)
            list_init(list);
        file->watchers = list;
    }
    return file->watchers;
}

/* How many instances deep does what is below reach? Too deep, or back to `top`: -ELOOP. epoll_links is held. */
static int tree_check(const struct epoll *ep, const struct epoll *top, int depth)
{
    struct epoll_item *item;

    if (ep == top || depth > EPOLL_DEPTH)
        return -ELOOP;
    rb_for_each_entry(item, &ep->items, node) {
        if (item->file->ops == &epoll_ops && tree_check(item->file->private, top, depth + 1))
            return -ELOOP;
    }
    return 0;
}

static int item_insert(struct epoll *ep, struct epoll_item *item)
{
    struct list_head *watchers = watchers_of(item->file);

    if (!watchers)
        return -ENOMEM;
    if (item_find(ep, item->file, item->fd))
        return -EEXIST;
    rb_insert(&ep->items, &item->node, item_before);
    list_add_tail(&item->watch, watchers);
    return 0;
}

static int item_register(struct epoll_item *item)
{
    struct item_table table = {.table = {.queue = item_queue, .events = ~0U}, .item = item};
    u32 mask = file_poll(item->file, &table.table) & (item->event.events | EPOLLERR | EPOLLHUP);

    if (item->failed)
        return -ENOMEM;
    if (mask & ~EPOLL_FLAGS) {
        spin_lock(&item->epoll->wait.lock);
        epoll_item_ready(item);
        waitq_wake_locked(&item->epoll->wait, 0);
        spin_unlock(&item->epoll->wait.lock);
    }
    return 0;
}

int epoll_item_add(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = kzalloc(sizeof(*item));
    int err = 0;

    if (!item)
        return -ENOMEM;
    list_init(&item->ready_link);
    list_init(&item->hooks);
    item->epoll = ep;
    item->file = file;
    item->fd = fd;
    item->event = *event;

    mutex_lock(&epoll_links);
    if (file->ops == &epoll_ops)
        err = tree_check(file->private, ep, 1);
    mutex_lock(&ep->lock);
    if (!err)
        err = item_insert(ep, item);
    if (!err) {
        err = item_register(item);
        if (err)
            item_unlink(item);
    }
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    if (err)
        item_free(item);
    return err;
}

int epoll_item_delete(struct epoll *ep, struct file *file, int fd)
{
    struct epoll_item *item;

    mutex_lock(&epoll_links);
    mutex_lock(&ep->lock);
    item = item_find(ep, file, fd);
    if (item)
        item_unlink(item);
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    if (!item)
        return -ENOENT;
    item_free(item);
    return 0;
}

int epoll_item_modify(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll_item *item;
    int err = -ENOENT;

    mutex_lock(&ep->lock);
    item = item_find(ep, file, fd);
    if (item && ((item->event.events | event->events) & EPOLLEXCLUSIVE)) {
        err = -EINVAL;
    } else if (item) {
        WRITE_ONCE(item->event.events, event->events);
        item->event.data = event->data;
        if (epoll_item_ask(item)) {
            spin_lock(&ep->wait.lock);
            epoll_item_ready(item);
            waitq_wake_locked(&ep->wait, 0);
            spin_unlock(&ep->wait.lock);
        }
        err = 0;
    }
    mutex_unlock(&ep->lock);
    return err;
}

void epoll_file_gone(struct file *file)
{
    struct list_head gone = LIST_HEAD_INIT(gone);
    struct epoll_item *item, *next;

    if (!READ_ONCE(file->watchers))
        return;
    mutex_lock(&epoll_links);
    while (file->watchers) {
        item = list_first_entry((struct list_head *)file->watchers, struct epoll_item, watch);
        mutex_lock(&item->epoll->lock);
        item_unlink(item);
        mutex_unlock(&item->epoll->lock);
        list_add_tail(&item->gone, &gone);
    }
    mutex_unlock(&epoll_links);
    list_for_each_entry_safe(item, next, &gone, gone)
        item_free(item);
}

void epoll_items_clear(struct epoll *ep)
{
    struct list_head gone = LIST_HEAD_INIT(gone);
    struct epoll_item *item, *next;

    mutex_lock(&epoll_links);
    mutex_lock(&ep->lock);
    rb_for_each_entry_safe(item, next, &ep->items, node) {
        item_unlink(item);
        list_add_tail(&item->gone, &gone);
    }
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    list_for_each_entry_safe(item, next, &gone, gone)
        item_free(item);
}
