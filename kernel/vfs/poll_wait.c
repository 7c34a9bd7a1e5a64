/* kernel/vfs/poll_wait.c: see poll_wait.h. */
#include "vfs/poll_wait.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "signal/signal.h"
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

static void set_host(struct poll_table *table, struct file *file, int host_file)
{
    struct poll_set *set = container_of(table, struct poll_set, table);

    if (!grow((void **)&set->host, set->inline_host, set->nhost, &set->host_room,
              sizeof(*set->host))) {
        set->error = -ENOMEM;
        return;
    }
    set->host[set->nhost++] = (struct host_pollfd){.file = host_file, .events = (s16)table->events};
}

void poll_set_init(struct poll_set *set)
{
    set->table = (struct poll_table){.queue = set_queue, .host = set_host};
    set->entries = set->inline_list;
    set->n = 0;
    set->room = POLL_INLINE;
    set->host = set->inline_host;
    set->nhost = 0;
    set->host_room = POLL_INLINE;
    set->error = 0;
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
    set->table.host = NULL;
}

void poll_set_arm(struct poll_set *set)
{
    wait_arm("poll");
}

int poll_set_sleep(struct poll_set *set, ktime deadline)
{
    int n;

    if (!set->nhost)
        return wait_sleep(WAIT_INTERRUPTIBLE, deadline);
    if (signal_pending(false))
        return -EINTR;
    signal_settle();
    n = host_poll(set->host, set->nhost, deadline);
    if (n == -EINTR)
        return signal_pending(false) ? -EINTR : 0;
    if (n < 0)
        return n;
    return n == 0 && deadline != KTIME_FOREVER && time_monotonic() >= deadline ? -ETIMEDOUT : 0;
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
    if (set->host != set->inline_host)
        kfree(set->host);
}

int poll_deadline(const struct timespec __user *timeout, ktime *deadline)
{
    struct timespec ts;

    *deadline = KTIME_FOREVER;
    if (!timeout)
        return 0;
    if (copy_from_user(&ts, timeout, sizeof(ts)))
        return -EFAULT;
    if (!timespec_valid(&ts))
        return -EINVAL;
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
