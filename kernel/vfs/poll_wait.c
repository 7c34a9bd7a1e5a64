/* kernel/vfs/poll_wait.c: see poll_wait.h. */
#include "vfs/poll_wait.h"

#include "base/errno.h"
#include "host/ready.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "sync/waitq.h"
#include "task/task.h"
#include "time/time.h"
#include "vfs/file.h"

#include <linux/personality.h>

/* Room for one more. NULL: no memory. */
static struct poll_entry *entry_alloc(struct poll_set *set)
{
    struct poll_chunk *chunk = set->chunks;

    if (set->n < POLL_INLINE)
        return &set->entries[set->n++];
    if (!chunk || chunk->n == POLL_CHUNK) {
        chunk = kmalloc(sizeof(*chunk));
        if (!chunk)
            return NULL;
        chunk->next = set->chunks;
        chunk->n = 0;
        set->chunks = chunk;
    }
    return &chunk->entries[chunk->n++];
}

static void set_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct poll_set *set = container_of(table, struct poll_set, table);
    struct poll_entry *entry = entry_alloc(set);

    if (!entry) {
        set->error = -ENOMEM;
        return;
    }
    waitq_entry_init(&entry->wait, NULL, table->events);
    entry->file = file_get(file);
    waitq_add(q, &entry->wait);
}

/* Whoever does not sleep wants to know one thing of a queue. */
static void set_note(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct poll_set *set = container_of(table, struct poll_set, table);

    set->host |= waitq_host(q);
}

void poll_set_init(struct poll_set *set, bool sleeps)
{
    set->table = (struct poll_table){.queue = sleeps ? set_queue : set_note};
    set->chunks = NULL;
    set->n = 0;
    set->error = 0;
    set->host = false;
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

static bool fed_by_host(const struct poll_entry *entries, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (waitq_host(entries[i].wait.queue))
            return true;
    return false;
}

int poll_set_sleep(struct poll_set *set, ktime deadline)
{
    bool host = fed_by_host(set->entries, set->n);

    for (const struct poll_chunk *chunk = set->chunks; chunk && !host; chunk = chunk->next)
        host = fed_by_host(chunk->entries, chunk->n);
    wait_on_host(host);
    return wait_sleep(WAIT_INTERRUPTIBLE, deadline);
}

bool poll_set_look(struct poll_set *set)
{
    if (set->looked || !set->host)
        return false;
    set->looked = true;
    host_ready_look();
    return true;
}

static void entries_release(struct poll_entry *entries, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        waitq_remove(&entries[i].wait);
        file_put(entries[i].file);
    }
}

void poll_set_release(struct poll_set *set)
{
    struct poll_chunk *chunk, *next;

    wait_disarm();
    entries_release(set->entries, set->n);
    for (chunk = set->chunks; chunk; chunk = next) {
        next = chunk->next;
        entries_release(chunk->entries, chunk->n);
        kfree(chunk);
    }
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

bool poll_tells_rest(void)
{
    return !(task_self()->personality & STICKY_TIMEOUTS);
}

void poll_remaining(struct timespec __user *timeout, ktime deadline)
{
    ktime left = deadline ? deadline - time_monotonic() : 0;
    struct timespec ts = timespec_of(left > 0 ? left : 0);

    if (timeout && deadline != KTIME_FOREVER && poll_tells_rest())
        (void)copy_to_user_partial(timeout, &ts, sizeof(ts));
}
