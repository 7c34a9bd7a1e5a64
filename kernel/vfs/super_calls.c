/* kernel/vfs/super_calls.c: ustat(2), sysfs(2): older calls about file systems. */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/fcntl.h>

/* ustat(2); no UAPI header exports it. */
struct ustat_out {
    int f_tfree;
    unsigned long f_tinode;
    char f_fname[6];
    char f_fpack[6];
};

struct dev_search {
    dev_t dev;
    struct super *found; /* counted */
};

static int match_dev(struct mount *mount, void *arg)
{
    struct dev_search *search = arg;

    if (mount->super->dev != search->dev)
        return 0;
    search->found = super_get(mount->super);
    return 1;
}

long sys_ustat(unsigned int dev, struct ustat __user *user)
{
    AUTO_PATH root = {0};
    struct dev_search search = {.dev = dev};
    struct kstatfs stat = {0};
    struct ustat_out out;
    int err = 0;

    fs_root(&root);
    mount_for_each(&root, match_dev, &search)
        ;
    if (!search.found)
        return -EINVAL;
    if (search.found->ops->statfs)
        err = search.found->ops->statfs(search.found, search.found->root->inode, &stat);
    super_put(search.found);
    if (err)
        return err;
    memset(&out, 0, sizeof(out));
    out.f_tfree = (int)stat.bfree;
    out.f_tinode = stat.ffree;
    return copy_to_user((void __user *)user, &out, sizeof(out));
}

/* ---- sysfs(2): the types of file systems by name and by number ---- */

static long type_index(const char __user *user)
{
    AUTO_PATHNAME name;
    int err = pathname_get(&name, user);
    struct fs_type *type = NULL;

    if (err)
        return err;
    for (long index = 0; (type = fs_type_next(type)); index++) {
        if (streq(type->name, name.text))
            return index;
    }
    return -EINVAL;
}

static long type_name(unsigned long wanted, char __user *buf)
{
    struct fs_type *type = NULL;

    for (unsigned long index = 0; (type = fs_type_next(type)); index++) {
        if (index == wanted)
            return copy_to_user(buf, type->name, strlen(type->name) + 1);
    }
    return -EINVAL;
}

static long type_count(void)
{
    struct fs_type *type = NULL;
    long count = 0;

    while ((type = fs_type_next(type)))
        count++;
    return count;
}

long sys_sysfs(int option, unsigned long arg1, unsigned long arg2)
{
    switch (option) {
    case 1:
        return type_index((const char __user *)arg1);
    case 2:
        return type_name(arg1, (char __user *)arg2);
    case 3:
        return type_count();
    default:
        return -EINVAL;
    }
}
