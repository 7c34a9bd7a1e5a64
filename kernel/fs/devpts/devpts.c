/* kernel/fs/devpts/devpts.c: devpts: see devpts.h; mount options as mount(8) has them. */
#include "fs/devpts/devpts.h"

#include "base/fmt.h"
#include "base/idtable.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "dev/tty.h"
#include "mm/alloc.h"
#include "vfs/vfs.h"

#include <linux/magic.h>
#include <linux/major.h>

#define INO_ROOT  1
#define INO_PTMX  2
#define INO_NODES 3 /* and the number */

#define POS_PTMX  2
#define POS_NODES 3 /* and the number */

#define PTMX_MINOR 2
#define NAME_SIZE  12
#define MAX_ALL    4096U /* terminals of the instance: /proc/sys/kernel/pty/max */

struct options {
    uid_t uid;
    gid_t gid;
    bool has_uid, has_gid; /* else the opener's */
    umode mode, ptmx_mode;
    u32 max;
};

struct devpts {
    struct spinlock lock; /* class OBJECT: all below, and inode->private of the nodes */
    struct options options;
    struct idtable nodes; /* struct inode, counted; NULL: the number is taken still */
    struct inode *ptmx;   /* constant until the shutdown; counted */
};

static u32 devpts_count; /* atomic; numbers that are taken, in all mounts */

static struct fs_type devpts_type;

static struct devpts *devpts_of(const struct inode *inode)
{
    return inode->super->private;
}

/* ---- numbers ---- */

static void *nodes_alloc(size_t size)
{
    return kmalloc(size);
}

static void nodes_free(void *mem, size_t size)
{
    (void)size;
    kfree(mem);
}

static const struct idtable_memory nodes_memory = {nodes_alloc, nodes_free};

static s64 number_take(struct devpts *fs)
{
    s64 number = -ENOSPC;

    if (__atomic_add_fetch(&devpts_count, 1, __ATOMIC_RELAXED) <= MAX_ALL) {
        spin_lock(&fs->lock);
        number =
            fs->options.max ? idtable_alloc(&fs->nodes, NULL, 0, fs->options.max - 1) : -ENOSPC;
        spin_unlock(&fs->lock);
    }
    if (number < 0)
        __atomic_sub_fetch(&devpts_count, 1, __ATOMIC_RELAXED);
    return number;
}

static void number_free(struct devpts *fs, u32 number)
{
    spin_lock(&fs->lock);
    idtable_remove(&fs->nodes, number);
    spin_unlock(&fs->lock);
    __atomic_sub_fetch(&devpts_count, 1, __ATOMIC_RELAXED);
}

/* ---- nodes ---- */

static struct inode *node_create(struct super *super, umode mode, ino_t ino, dev_t rdev);

int devpts_add(struct super *super, struct tty *tty, u32 *number, struct inode **node)
{
    struct devpts *fs = super->private;
    s64 nr = number_take(fs);
    struct inode *inode;

    if (nr < 0)
        return (int)nr;
    inode = node_create(super, S_IFCHR | READ_ONCE(fs->options.mode), INO_NODES + (ino_t)nr,
                        dev_make(UNIX98_PTY_SLAVE_MAJOR, (u32)nr));
    if (!inode) {
        number_free(fs, (u32)nr);
        return -ENOMEM;
    }
    inode->uid = fs->options.has_uid ? fs->options.uid : cred_current()->fsuid;
    inode->gid = fs->options.has_gid ? fs->options.gid : cred_current()->fsgid;
    tty->rdev = inode->rdev;
    spin_lock(&fs->lock);
    inode->private = tty;
    idtable_replace(&fs->nodes, (u32)nr, inode_get(inode));
    spin_unlock(&fs->lock);
    inode_touch(super->root->inode, ATTR_MTIME | ATTR_CTIME);
    super_activate(super);
    *number = (u32)nr;
    *node = inode;
    return 0;
}

/* The number as its name. */
static int name_of(u32 number, char buf[NAME_SIZE])
{
    return scnprintf(buf, NAME_SIZE, "%u", number);
}

void devpts_remove(struct inode *node)
{
    struct devpts *fs = devpts_of(node);
    char name[NAME_SIZE];

    spin_lock(&fs->lock);
    node->private = NULL;
    idtable_replace(&fs->nodes, dev_minor(node->rdev), NULL);
    spin_unlock(&fs->lock);
    inode_lock(node);
    node->nlink = 0;
    inode_unlock(node);
    name_of(dev_minor(node->rdev), name);
    dentry_forget(node->super->root, name);
    super_deactivate(node->super);
    inode_put(node);
}

void devpts_free(struct inode *node, u32 number)
{
    number_free(devpts_of(node), number);
    inode_put(node);
}

struct tty *devpts_terminal(struct inode *node)
{
    struct tty *tty;

    if (node->super->type != &devpts_type)
        return NULL;
    spin_lock(&devpts_of(node)->lock);
    tty = node->private;
    if (tty)
        tty_get(tty);
    spin_unlock(&devpts_of(node)->lock);
    return tty;
}

/* ---- the directory ---- */

/* The node of that name: counted, or NULL. */
static struct inode *node_find(struct devpts *fs, const struct name *name)
{
    struct inode *inode = NULL;
    u64 number;
    long len;

    if (name->len == 4 && memcmp(name->text, "ptmx", 4) == 0)
        return inode_get(fs->ptmx);
    len = parse_u64(name->text, name->len, 10, &number);
    if (len != (long)name->len || number >= DEVPTS_MAX || (name->text[0] == '0' && len > 1))
        return NULL;
    spin_lock(&fs->lock);
    inode = idtable_find(&fs->nodes, (u32)number);
    if (inode)
        inode_get(inode);
    spin_unlock(&fs->lock);
    return inode;
}

static int devpts_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    *out = node_find(devpts_of(dir), name);
    return *out ? 0 : -ENOENT;
}

/* Nodes come and go by the opening and closing of masters. */
static bool devpts_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct inode *now = node_find(devpts_of(dir), name);

    if (now)
        inode_put(now);
    return now == inode;
}

static bool emit_node(struct dir_context *dir, u32 number)
{
    char name[NAME_SIZE];
    int len = name_of(number, name);

    return dir->emit(dir, name, (size_t)len, INO_NODES + number, S_IFCHR >> 12);
}

static void emit_nodes(struct devpts *fs, struct dir_context *dir)
{
    for (;;) {
        u32 number = (u32)(dir->pos - POS_NODES);
        bool found;

        spin_lock(&fs->lock);
        found = idtable_next(&fs->nodes, &number) != NULL;
        spin_unlock(&fs->lock);
        if (!found || !emit_node(dir, number))
            return;
        dir->pos = POS_NODES + (loff_t)number + 1;
    }
}

static int devpts_iterate(struct file *file, struct dir_context *dir)
{
    ino_t parent = file->path.dentry->parent->inode->ino;

    if (dir->pos == 0) {
        if (!dir->emit(dir, ".", 1, INO_ROOT, S_IFDIR >> 12))
            return 0;
        dir->pos = 1;
    }
    if (dir->pos == 1) {
        if (!dir->emit(dir, "..", 2, parent, S_IFDIR >> 12))
            return 0;
        dir->pos = POS_PTMX;
    }
    if (dir->pos == POS_PTMX) {
        if (!dir->emit(dir, "ptmx", 4, INO_PTMX, S_IFCHR >> 12))
            return 0;
        dir->pos = POS_NODES;
    }
    emit_nodes(devpts_of(file->inode), dir);
    return 0;
}

static const struct inode_ops dir_ops = {.lookup = devpts_lookup, .revalidate = devpts_revalidate};
static const struct file_ops dir_file_ops = {.iterate = devpts_iterate};
static const struct inode_ops node_ops;

static struct inode *node_create(struct super *super, umode mode, ino_t ino, dev_t rdev)
{
    struct inode *inode = kzalloc(sizeof(*inode));

    if (!inode)
        return NULL;
    inode_init(inode, super, mode);
    inode->ino = ino;
    inode->rdev = rdev;
    inode->ops = S_ISDIR(mode) ? &dir_ops : &node_ops;
    inode->fops = S_ISDIR(mode) ? &dir_file_ops : NULL;
    inode->nlink = S_ISDIR(mode) ? 2 : 1;
    return inode;
}

/* ---- which one an open of /dev/ptmx means ---- */

int devpts_of_ptmx(const struct path *ptmx, struct path *root)
{
    struct path dir = {.mount = ptmx->mount, .dentry = ptmx->dentry->parent};
    int err = 0;

    if (ptmx->mount->super->type == &devpts_type) {
        *root = (struct path){.mount = ptmx->mount, .dentry = ptmx->mount->super->root};
        path_get(root);
        return 0;
    }
    err = path_lookup_at(&dir, "pts", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, root);
    if (!err &&
        (root->mount->super->type != &devpts_type || root->dentry != root->mount->super->root))
        err = -ENODEV;
    return err == -ENOENT ? -ENODEV : err;
}

/* ---- options: uid=, gid=, mode=, ptmxmode=, max=, newinstance ---- */

static int mode_of(const char *value, umode *mode)
{
    u64 number;

    if (strtou64(value, 8, &number))
        return -EINVAL;
    *mode = (umode)(number & 0777);
    return 0;
}

static int set_option(void *arg, const char *key, const char *value)
{
    struct options *options = arg;

    /* Every mount is a new instance. */
    if (streq(key, "newinstance"))
        return value ? -EINVAL : 0;
    if (!value)
        return -EINVAL;
    if (streq(key, "mode"))
        return mode_of(value, &options->mode);
    if (streq(key, "ptmxmode"))
        return mode_of(value, &options->ptmx_mode);
    if (streq(key, "uid")) {
        options->has_uid = true;
        return strtou32(value, 10, &options->uid) ? -EINVAL : 0;
    }
    if (streq(key, "gid")) {
        options->has_gid = true;
        return strtou32(value, 10, &options->gid) ? -EINVAL : 0;
    }
    if (streq(key, "max"))
        return strtou32(value, 10, &options->max) || options->max > DEVPTS_MAX ? -EINVAL : 0;
    return -EINVAL;
}

static int parse(struct options *options, const char *text)
{
    *options = (struct options){.mode = 0600, .max = DEVPTS_MAX};
    return options_for_each(text, set_option, options);
}

static int devpts_show_options(struct super *super, char *buf, size_t size)
{
    struct devpts *fs = super->private;
    struct options o;
    int len = 0;

    spin_lock(&fs->lock);
    o = fs->options;
    spin_unlock(&fs->lock);
    if (o.has_uid)
        len += scnprintf(buf + len, size - (size_t)len, ",uid=%u", o.uid);
    if (o.has_gid)
        len += scnprintf(buf + len, size - (size_t)len, ",gid=%u", o.gid);
    len +=
        scnprintf(buf + len, size - (size_t)len, ",mode=%03o,ptmxmode=%03o", o.mode, o.ptmx_mode);
    if (o.max < DEVPTS_MAX)
        len += scnprintf(buf + len, size - (size_t)len, ",max=%u", o.max);
    return len;
}

static int devpts_remount(struct super *super, const char *text)
{
    struct devpts *fs = super->private;
    struct options options;
    int err = parse(&options, text);

    if (err)
        return err;
    spin_lock(&fs->lock);
    fs->options = options;
    spin_unlock(&fs->lock);
    inode_lock(fs->ptmx);
    fs->ptmx->mode = S_IFCHR | options.ptmx_mode;
    inode_unlock(fs->ptmx);
    return 0;
}

/* ---- the file system ---- */

static void devpts_inode_release(struct inode *inode)
{
    kfree(inode);
}

static int devpts_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    *out = (struct kstatfs){
        .type = super->magic, .bsize = PAGE_SIZE, .frsize = PAGE_SIZE, .namelen = super->name_max};
    return 0;
}

/* Slaves that are still open keep their nodes, and these the super. */
static void devpts_shutdown(struct super *super)
{
    struct devpts *fs = super->private;

    if (fs->ptmx)
        inode_put(fs->ptmx);
    fs->ptmx = NULL;
}

static void devpts_release(struct super *super)
{
    struct devpts *fs = super->private;

    if (fs)
        idtable_destroy(&fs->nodes);
    kfree(fs);
}

static const struct super_ops devpts_super_ops = {
    .inode_release = devpts_inode_release,
    .statfs = devpts_statfs,
    .show_options = devpts_show_options,
    .remount = devpts_remount,
    .shutdown = devpts_shutdown,
    .release = devpts_release,
};

static int devpts_fill(struct super *super, const char *options)
{
    struct devpts *fs = super->private;
    struct inode *root;
    int err = parse(&fs->options, options);

    if (err)
        return err;
    spin_init(&fs->lock, OBJECT);
    idtable_init(&fs->nodes, &nodes_memory);
    fs->ptmx = node_create(super, S_IFCHR | fs->options.ptmx_mode, INO_PTMX,
                           dev_make(TTYAUX_MAJOR, PTMX_MINOR));
    root = node_create(super, S_IFDIR | 0755, INO_ROOT, 0);
    if (fs->ptmx && root)
        return super_set_root(super, root);
    if (root)
        inode_put(root);
    return -ENOMEM;
}

static int devpts_mount(const struct fs_type *type, const char *source, const char *options,
                        struct super **out)
{
    struct super *super = super_create(type, &devpts_super_ops, DEVPTS_SUPER_MAGIC);
    int err;

    if (!super)
        return -ENOMEM;
    super->private = kzalloc(sizeof(struct devpts));
    err = super->private ? devpts_fill(super, options) : -ENOMEM;
    if (!err) {
        *out = super;
        return 0;
    }
    if (super->private)
        devpts_shutdown(super);
    super_put(super);
    return err;
}

static struct fs_type devpts_type = {.name = "devpts", .mount = devpts_mount, .flags = FS_NODEV};

int devpts_start(void)
{
    return fs_type_register(&devpts_type);
}
