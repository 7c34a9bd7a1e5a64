/* kernel/vfs/device.c: which driver stands behind the number of a device node. */
#include "vfs/internal.h"

struct device {
    struct list_head list;
    bool block;
    u32 major, first, count;
    const char *name;
    const struct file_ops *ops;
};

static struct {
    struct spinlock lock;  /* class FILES: list */
    struct list_head list; /* devices; never removed */
} devices = {.lock = SPINLOCK(FILES), .list = LIST_HEAD_INIT(devices.list)};

const struct file_ops *fifo_ops;

static struct device *device_find_locked(bool block, u32 major, u32 first, u32 count)
{
    struct device *device;

    list_for_each_entry(device, &devices.list, list) {
        if (device->block == block && device->major == major &&
            first < device->first + device->count && device->first < first + count)
            return device;
    }
    return NULL;
}

static int device_register(bool block, u32 major, u32 first, u32 count, const char *name,
                           const struct file_ops *ops)
{
    struct device *device = kzalloc(sizeof(*device));
    int err = 0;

    if (!device)
        return -ENOMEM;
    *device = (struct device){
        .block = block, .major = major, .first = first, .count = count, .name = name, .ops = ops};
    spin_lock(&devices.lock);
    if (device_find_locked(block, major, first, count))
        err = -EEXIST;
    else
        list_add_tail(&device->list, &devices.list);
    spin_unlock(&devices.lock);
    if (err)
        kfree(device);
    return err;
}

int dev_register_char(u32 major, u32 first_minor, u32 minors, const char *name,
                      const struct file_ops *ops)
{
    return device_register(false, major, first_minor, minors, name, ops);
}

int dev_register_block(u32 major, u32 first_minor, u32 minors, const char *name,
                       const struct file_ops *ops)
{
    return device_register(true, major, first_minor, minors, name, ops);
}

const char *dev_at(bool block, u32 index, u32 *major)
{
    const char *name = NULL;
    struct device *device;

    spin_lock(&devices.lock);
    list_for_each_entry(device, &devices.list, list) {
        if (device->block == block && index-- == 0) {
            *major = device->major;
            name = device->name;
            break;
        }
    }
    spin_unlock(&devices.lock);
    return name;
}

int dev_open(struct inode *inode, struct file *file)
{
    struct device *device;

    spin_lock(&devices.lock);
    device = device_find_locked(inode_is(inode, S_IFBLK), dev_major(inode->rdev),
                                dev_minor(inode->rdev), 1);
    spin_unlock(&devices.lock);
    if (!device)
        return -ENXIO;
    file->ops = device->ops;
    return 0;
}
