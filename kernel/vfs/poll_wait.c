/* kernel/vfs/poll_wait.c: see poll_wait.h. */
#include "vfs/poll_wait.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/ready.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "sync/waitq.h"
#include "time/time.h"
#include "vfs/file.h"

/* A growing array that starts inside the structure. False: no memory. */
static bool grow(void **items, const void *first, u32 n, u32 *room, size_t size)
{
    void *larger;

    if (n < *room)
        return true;
    larger = kmalloc((size_t)*room * 2 * size);
    if (!larger)
        return false;
    memcpy(larger, *items, n * size);
    if (*items != first)
        kfree(*items);
    *items = larger;
    *room *= 2;
    return true;
}

/* Entries do not move once queues link them: behind the inline ones they are allocated one by one. */
static void set_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct poll_set *set = container_of(table, struct poll_set, table);
    struct poll_entry *entry;

    if (set->n < POLL_INLINE)
        entry = &set->inline_entries[set->n];
    else if (!(entry = kmalloc(sizeof(*entry)))) {
        set->error = -ENOMEM;
        return;
    }
    if (!grow((void **)&set->entries, set->inline_list, set->n, &set->room,
              sizeof(*set->entries))) {
        if (set->n >= POLL_INLINE)
            kfree(entry);
        set->error = -ENOMEM;
        return;
    }
    set->entries[set->n++] = entry;
    waitq_entry_init(&entry->wait, NULL, table->events);
    entry->file = file_get(file);
    waitq_add(q, &entry->wait);
}

void poll_set_init(struct poll_set *set)
{
    set->table = (struct poll_table){.queue = set_queue};
    set->entries = set->inline_list;
    set->n = 0;
    set->room = POLL_INLINE;
    set->error = 0;
    set->looked = false;
}

u32 poll_set_ask(struct poll_set *set, struct file *file, u32 events)
{
    events |= POLLERR | POLLHUP;
    set->table.events = events;
    return file_poll(file, &set->table) & events;
}

void poll_set_registered(struct poll_set *set)
{
    set->table.queue = NULL;
}

void poll_set_arm(struct poll_set *set)
{
    wait_arm("poll");
}

static bool fed_by_host(const struct poll_set *set)
{
    for (u32 i = 0; i < set->n; i++)
        if (waitq_host(set->entries[i]->wait.queue))
            return true;
    return false;
}

int poll_set_sleep(struct poll_set *set, ktime deadline)
{
    wait_on_host(fed_by_host(set));
    return wait_sleep(WAIT_INTERRUPTIBLE, deadline);
}

bool poll_set_look(struct poll_set *set)
{
    if (set->looked || !fed_by_host(set))
        return false;
    set->looked = true;
    host_ready_look();
    return true;
}

void poll_set_release(struct poll_set *set)
{
    wait_disarm();
    for (u32 i = 0; i < set->n; i++) {
        waitq_remove(&set->entries[i]->wait);
        file_put(set->entries[i]->file);
        if (i >= POLL_INLINE)
            kfree(set->entries[i]);
    }
    if (set->entries != set->inline_list)
        kfree(set->entries);
}

int poll_deadline(const struct timespec __user *timeout, ktime *deadline)
{
    struct timespec ts;
    int given = timespec_from_user(&ts, timeout);

    *deadline = KTIME_FOREVER;
    if (given <= 0)
        return given;
    *deadline = ts.tv_sec || ts.tv_nsec ? host_deadline(ts.tv_sec, ts.tv_nsec) : 0;
    return 0;
}

void poll_remaining(struct timespec __user *timeout, ktime deadline)
{
    ktime left = deadline ? deadline - time_monotonic() : 0;
    struct timespec ts = timespec_of(left > 0 ? left : 0);

    if (timeout && deadline != KTIME_FOREVER)
        (void)copy_to_user_partial(timeout, &ts, sizeof(ts));
}
