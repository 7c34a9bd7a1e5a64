/* kernel/fs/procfs/memory.c: /proc/PID/mem, proc_pid_mem(5): a program's memory as a file. */
#include "base/errno.h"
#include "fs/procfs/internal.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/mm.h"

#include <linux/fs.h>

/* The space that the process had when the file was opened stays the one that is meant, as on Linux. */
static int mem_open(struct inode *inode, struct file *file)
{
    const struct subject *s = pseudo_subject(file);

    if (!task_may_inspect(s->task, true))
        return -EACCES;
    file->private = task_mm(s->task);
    return 0;
}

static void mem_release(struct file *file)
{
    if (file->private)
        mm_put(file->private);
}

/* Where the space of the open file still is; NULL: nowhere any more. */
static struct target_space *mem_space(struct file *file)
{
    const struct subject *s = pseudo_subject(file);
    struct mm *mm = task_mm(s->task);
    bool same = mm && mm == file->private;

    if (mm)
        mm_put(mm);
    return same ? task_space(s->task) : NULL;
}

/* Pages one by one: the first that cannot be reached ends it. */
static ssize_t mem_transfer(struct file *file, struct iter *it, loff_t *pos, bool write)
{
    struct target_space *space = mem_space(file);
    char *page = space ? kmalloc(PAGE_SIZE) : NULL;
    ssize_t done = 0, n = 0;

    if (!space)
        return 0;
    if (!page)
        return -ENOMEM;
    while (iter_left(it) > 0) {
        u64 at = (u64)*pos;
        size_t want = MIN(PAGE_SIZE - at % PAGE_SIZE, iter_left(it));

        if (write) {
            n = copy_from_iter(it, page, want);
            if (n > 0)
                n = host_space_poke(space, at, page, (size_t)n) == n ? n : -EIO;
        } else {
            n = host_space_peek(space, page, at, want) == (s64)want ? copy_to_iter(it, page, want)
                                                                    : -EIO;
        }
        if (n <= 0)
            break;
        done += n;
        *pos += n;
        if ((size_t)n < want)
            break;
    }
    kfree(page);
    return done ? done : n;
}

static ssize_t mem_read(struct file *file, struct iter *to, loff_t *pos)
{
    return mem_transfer(file, to, pos, false);
}

static ssize_t mem_write(struct file *file, struct iter *from, loff_t *pos)
{
    return mem_transfer(file, from, pos, true);
}

/* Every number is an offset here, and there is no end. */
static loff_t mem_seek(struct file *file, loff_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += file->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    file->pos = offset;
    return offset;
}

const struct file_ops proc_mem_ops = {
    .open = mem_open,
    .read = mem_read,
    .write = mem_write,
    .seek = mem_seek,
    .release = mem_release,
};
