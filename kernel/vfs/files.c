/* kernel/vfs/files.c: descriptor tables. */
#include "base/bitmap.h"
#include "task/task.h"
#include "vfs/internal.h"

#include <linux/resource.h>

#define SLOTS_FIRST 64
#define SLOTS_MAX   (1U << 20) /* /proc/sys/fs/nr_open */

/* The three arrays of a table, so that they can be made without its lock. */
struct slots {
    u32 max;
    struct file **slots;
    unsigned long *taken, *cloexec;
};

static int slots_alloc(struct slots *slots, u32 max)
{
    slots->max = max;
    slots->slots = kcalloc(max, sizeof(*slots->slots));
    slots->taken = kcalloc(BITMAP_WORDS(max), sizeof(long));
    slots->cloexec = kcalloc(BITMAP_WORDS(max), sizeof(long));
    if (slots->slots && slots->taken && slots->cloexec)
        return 0;
    kfree(slots->slots);
    kfree(slots->taken);
    kfree(slots->cloexec);
    return -ENOMEM;
}

static void slots_free(struct slots *slots)
{
    kfree(slots->slots);
    kfree(slots->taken);
    kfree(slots->cloexec);
}

/* Puts larger arrays into the table, and the old ones into *slots. */
static void slots_swap_locked(struct files *files, struct slots *slots)
{
    struct slots old = {files->max, files->slots, files->taken, files->cloexec};

    memcpy(slots->slots, old.slots, old.max * sizeof(*old.slots));
    memcpy(slots->taken, old.taken, BITMAP_WORDS(old.max) * sizeof(long));
    memcpy(slots->cloexec, old.cloexec, BITMAP_WORDS(old.max) * sizeof(long));
    files->slots = slots->slots;
    files->taken = slots->taken;
    files->cloexec = slots->cloexec;
    files->max = slots->max;
    *slots = old;
}

static struct files *files_alloc(u32 max)
{
    struct files *files = kzalloc(sizeof(*files));
    struct slots slots;

    if (!files || slots_alloc(&slots, max)) {
        kfree(files);
        return NULL;
    }
    refcount_init(&files->ref, 1);
    spin_init(&files->lock, FILES);
    files->max = max;
    files->slots = slots.slots;
    files->taken = slots.taken;
    files->cloexec = slots.cloexec;
    return files;
}

struct files *files_create(void)
{
    return files_alloc(SLOTS_FIRST);
}

struct files *files_copy(struct files *from)
{
    struct files *files = files_alloc(READ_ONCE(from->max));
    struct slots slots;

    if (!files)
        return NULL;
    spin_lock(&from->lock);
    while (from->max > files->max) {
        u32 max = from->max;

        spin_unlock(&from->lock);
        if (slots_alloc(&slots, max)) {
            files_put(files);
            return NULL;
        }
        slots_swap_locked(files, &slots);
        slots_free(&slots);
        spin_lock(&from->lock);
    }
    /* A slot that is only reserved belongs to a call of the other table's user: it is free here. */
    for (u32 fd = 0; fd < from->max; fd++) {
        if (!from->slots[fd])
            continue;
        files->slots[fd] = file_get(from->slots[fd]);
        bitmap_set(files->taken, fd);
        if (bitmap_test(from->cloexec, fd))
            bitmap_set(files->cloexec, fd);
    }
    spin_unlock(&from->lock);
    return files;
}

/* close(2): the flush, the end of the owner's POSIX locks, and the reference. */
static int file_close(struct file *file, struct files *files)
{
    int err = 0;

    if (file->ops->flush && !(file->mode & FILE_PATH))
        err = file->ops->flush(file);
    locks_file_closed(file, files);
    file_put(file);
    return err;
}

void files_put(struct files *files)
{
    if (!refcount_put(&files->ref))
        return;
    for (u32 fd = 0; fd < files->max; fd++) {
        if (files->slots[fd])
            file_close(files->slots[fd], files);
    }
    slots_free(&(struct slots){files->max, files->slots, files->taken, files->cloexec});
    kfree(files);
}

int files_unshare(void)
{
    struct files *files = self()->files, *own;

    if (refcount_read(&files->ref) == 1)
        return 0;
    own = files_copy(files);
    if (!own)
        return -ENOMEM;
    spin_lock(&tasks_lock); /* /proc may be looking */
    self()->files = own;
    spin_unlock(&tasks_lock);
    files_put(files);
    return 0;
}

/* Takes the file out of its slot, which becomes free. NULL: there is none. */
static struct file *slot_empty_locked(struct files *files, u32 fd)
{
    struct file *file;

    if (fd >= files->max || !files->slots[fd])
        return NULL;
    file = files->slots[fd];
    files->slots[fd] = NULL;
    bitmap_clear(files->taken, fd);
    bitmap_clear(files->cloexec, fd);
    files->next_free = MIN(files->next_free, fd);
    return file;
}

void files_close_on_exec(struct files *files)
{
    for (u32 fd = 0; fd < files->max; fd++) {
        struct file *file = NULL;

        spin_lock(&files->lock);
        if (bitmap_test(files->cloexec, fd))
            file = slot_empty_locked(files, fd);
        spin_unlock(&files->lock);
        if (file)
            file_close(file, files);
    }
}

/* ---- look-up ---- */

struct file *files_lookup(struct files *files, int fd)
{
    struct file *file = NULL;

    spin_lock(&files->lock);
    if ((u32)fd < files->max && files->slots[fd])
        file = file_get(files->slots[fd]);
    spin_unlock(&files->lock);
    return file;
}

struct file *files_next(struct files *files, int *fd, bool *cloexec)
{
    struct file *file = NULL;

    spin_lock(&files->lock);
    for (u32 at = (u32)*fd; at < files->max; at++) {
        if (!files->slots[at])
            continue;
        file = file_get(files->slots[at]);
        *fd = (int)at;
        if (cloexec)
            *cloexec = bitmap_test(files->cloexec, at);
        break;
    }
    spin_unlock(&files->lock);
    return file;
}

struct file *fd_file_any(int fd)
{
    return files_lookup(self()->files, fd);
}

struct file *fd_file(int fd)
{
    struct file *file = fd_file_any(fd);

    if (file && (file->mode & FILE_PATH)) {
        file_put(file);
        return NULL;
    }
    return file;
}

struct fd_ref fd_borrow_any(int fd)
{
    struct files *files = self()->files;

    /* Only users of the table change it; alone, the caller does not while it is in this call. */
    if (refcount_read(&files->ref) > 1) {
        struct file *file = files_lookup(files, fd);

        return (struct fd_ref){.file = file, .counted = file};
    }
    return (struct fd_ref){.file = (u32)fd < files->max ? files->slots[fd] : NULL};
}

struct fd_ref fd_borrow(int fd)
{
    struct fd_ref ref = fd_borrow_any(fd);

    if (ref.file && (ref.file->mode & FILE_PATH)) {
        fd_return(&ref);
        return (struct fd_ref){0};
    }
    return ref;
}

/* ---- changes ---- */

static u32 fd_limit(void)
{
    return (u32)MIN(rlimit(RLIMIT_NOFILE), (u64)SLOTS_MAX);
}

/* Makes room for descriptor fd. The lock is released and taken again. */
static int files_grow_locked(struct files *files, u32 fd)
{
    u32 max = files->max;
    struct slots slots;

    while (max <= fd)
        max *= 2;
    spin_unlock(&files->lock);
    if (slots_alloc(&slots, max)) {
        spin_lock(&files->lock);
        return -ENOMEM;
    }
    spin_lock(&files->lock);
    if (max > files->max)
        slots_swap_locked(files, &slots);
    spin_unlock(&files->lock);
    slots_free(&slots);
    spin_lock(&files->lock);
    return 0;
}

int fd_reserve(int lowest, bool cloexec)
{
    struct files *files = self()->files;
    u32 limit = fd_limit(), fd;
    int err = 0;

    spin_lock(&files->lock);
    for (;;) {
        u32 from = MAX(files->next_free, (u32)lowest);

        fd = from < files->max ? (u32)bitmap_next_zero(files->taken, files->max, from) : from;
        if (fd >= limit)
            err = -EMFILE;
        if (err || fd < files->max)
            break;
        err = files_grow_locked(files, fd);
        if (err)
            break;
    }
    if (!err) {
        if (fd == files->next_free)
            files->next_free = fd + 1;
        bitmap_set(files->taken, fd);
        if (cloexec)
            bitmap_set(files->cloexec, fd);
        else
            bitmap_clear(files->cloexec, fd);
    }
    spin_unlock(&files->lock);
    return err ? err : (int)fd;
}

void fd_install(int fd, struct file *file)
{
    struct files *files = self()->files;

    spin_lock(&files->lock);
    __atomic_store_n(&files->slots[fd], file, __ATOMIC_RELEASE);
    spin_unlock(&files->lock);
}

void fd_release(int fd)
{
    struct files *files = self()->files;

    spin_lock(&files->lock);
    bitmap_clear(files->taken, (u32)fd);
    bitmap_clear(files->cloexec, (u32)fd);
    files->next_free = MIN(files->next_free, (u32)fd);
    spin_unlock(&files->lock);
}

int fd_create(struct file *file, int flags)
{
    int fd = fd_reserve(0, flags & O_CLOEXEC);

    if (fd < 0)
        file_put(file);
    else
        fd_install(fd, file);
    return fd;
}

int fd_close(int fd)
{
    struct files *files = self()->files;
    struct file *file;

    spin_lock(&files->lock);
    file = slot_empty_locked(files, (u32)fd);
    spin_unlock(&files->lock);
    return file ? file_close(file, files) : -EBADF;
}

int fd_replace(struct file *file, int fd, bool cloexec)
{
    struct files *files = self()->files;
    struct file *old;
    int err = 0;

    if ((u32)fd >= fd_limit()) {
        file_put(file);
        return -EBADF;
    }
    spin_lock(&files->lock);
    if ((u32)fd >= files->max)
        err = files_grow_locked(files, (u32)fd);
    /* dup2(2): the number is taken by an open that has not finished in another thread. */
    if (!err && !files->slots[fd] && bitmap_test(files->taken, (u32)fd))
        err = -EBUSY;
    if (err) {
        spin_unlock(&files->lock);
        file_put(file);
        return err;
    }
    old = files->slots[fd];
    __atomic_store_n(&files->slots[fd], file, __ATOMIC_RELEASE);
    bitmap_set(files->taken, (u32)fd);
    if (cloexec)
        bitmap_set(files->cloexec, (u32)fd);
    else
        bitmap_clear(files->cloexec, (u32)fd);
    spin_unlock(&files->lock);
    if (old)
        file_close(old, files);
    return fd;
}

int fd_cloexec(int fd)
{
    struct files *files = self()->files;
    int set = -EBADF;

    spin_lock(&files->lock);
    if ((u32)fd < files->max && files->slots[fd])
        set = bitmap_test(files->cloexec, (u32)fd);
    spin_unlock(&files->lock);
    return set;
}

int fd_set_cloexec(int fd, bool set)
{
    struct files *files = self()->files;
    int err = -EBADF;

    spin_lock(&files->lock);
    if ((u32)fd < files->max && files->slots[fd]) {
        err = 0;
        if (set)
            bitmap_set(files->cloexec, (u32)fd);
        else
            bitmap_clear(files->cloexec, (u32)fd);
    }
    spin_unlock(&files->lock);
    return err;
}
