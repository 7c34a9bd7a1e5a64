/* kernel/dev/mem.c: null(4), zero, full(4), random(4). */
#include "base/errno.h"
#include "base/string.h"
#include "dev/internal.h"
#include "host/host.h"
#include "vfs/vfs.h"

#define MEM_MAJOR 1

static ssize_t null_read(struct file *file, struct iter *to, loff_t *pos)
{
    return 0;
}

static ssize_t null_write(struct file *file, struct iter *from, loff_t *pos)
{
    size_t n = iter_left(from);

    iter_advance(from, n);
    return (ssize_t)n;
}

static loff_t any_seek(struct file *file, loff_t offset, int whence)
{
    return 0;
}

static ssize_t zero_read(struct file *file, struct iter *to, loff_t *pos)
{
    return zero_iter(to, iter_left(to));
}

/* zero(4): a mapping is memory of its own, as with MAP_ANONYMOUS. */
static int zero_mapping(struct file *file, bool shared, bool write, struct file_mapping *out)
{
    return 0;
}

static ssize_t full_write(struct file *file, struct iter *from, loff_t *pos)
{
    return -ENOSPC;
}

#define RANDOM_PIECE 256

static ssize_t random_read(struct file *file, struct iter *to, loff_t *pos)
{
    u8 piece[RANDOM_PIECE];
    ssize_t done = 0;

    while (iter_left(to)) {
        size_t n = MIN(iter_left(to), sizeof(piece));
        ssize_t put = random_bytes(piece, n);

        if (put == 0)
            put = copy_to_iter(to, piece, n);
        if (put < 0)
            return done ? done : put;
        done += put;
        if ((size_t)put < n)
            break;
    }
    memset(piece, 0, sizeof(piece));
    return done;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write, .seek = any_seek};
static const struct file_ops zero_ops = {
    .read = zero_read, .write = null_write, .seek = any_seek, .mapping = zero_mapping};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write, .seek = any_seek};
/* What is written is mixed into nothing: the host's generator needs no help of ours. */
static const struct file_ops random_ops = {
    .read = random_read, .write = null_write, .seek = any_seek};

static const struct {
    const char *name;
    u32 minor;
    const struct file_ops *ops;
} devices[] = {
    {"null", 3, &null_ops},     {"zero", 5, &zero_ops},      {"full", 7, &full_ops},
    {"random", 8, &random_ops}, {"urandom", 9, &random_ops},
};

int mem_start(void)
{
    int err = 0;

    for (size_t i = 0; i < ARRAY_SIZE(devices) && !err; i++)
        err = dev_register_char(MEM_MAJOR, devices[i].minor, 1, devices[i].name, devices[i].ops);
    return err;
}

int mem_populate(void)
{
    char path[32] = "/dev/";
    int err = 0;

    for (size_t i = 0; i < ARRAY_SIZE(devices) && !err; i++) {
        strlcpy(path + 5, devices[i].name, sizeof(path) - 5);
        err = vfs_mknod(path, S_IFCHR | 0666, dev_make(MEM_MAJOR, devices[i].minor));
    }
    return err;
}
