/* kernel/fs/procfs/maps.c: maps and smaps of a process, and the mounts that it sees. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "fs/procfs/internal.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "self/self.h"
#include "vfs/mmap.h"

static int maps_show(const struct subject *s, struct text *out, enum maps_kind kind)
{
    struct mm *mm = task_mm(s->task);
    AUTO_PATH root = {0};
    size_t len = 0;
    char *text;

    if (!mm)
        return 0; /* a zombie has none */
    fs_root(&root);
    text = maps_text(mm, task_space(s->task), &root, kind, &len);
    mm_put(mm);
    if (IS_ERR_OR_NULL(text))
        return text ? (int)PTR_ERR(text) : -ENOMEM;
    text_add(out, text, len);
    kfree(text);
    return 0;
}

int proc_maps(const struct subject *s, struct text *out)
{
    return maps_show(s, out, MAPS_PLAIN);
}

int proc_smaps(const struct subject *s, struct text *out)
{
    return maps_show(s, out, MAPS_SMAPS);
}

int proc_smaps_rollup(const struct subject *s, struct text *out)
{
    return maps_show(s, out, MAPS_ROLLUP);
}

/* --- mounts: proc(5), fstab(5) ----------------------------------------------------------------------------- */

struct mounts_walk {
    struct text *out;
    struct path root;
    char *buf, *root_buf;
    bool info;
    struct text mounts; /* of counted pointers */
};

static void mount_flags(struct mounts_walk *walk, const struct mount *mount)
{
    static const struct {
        u32 flag;
        const char *name;
    } names[] = {
        {MOUNT_NOSUID, ",nosuid"},   {MOUNT_NODEV, ",nodev"},           {MOUNT_NOEXEC, ",noexec"},
        {MOUNT_NOATIME, ",noatime"}, {MOUNT_NODIRATIME, ",nodiratime"},
    };

    text_print(walk->out, "%s", mount_readonly(mount) ? "ro" : "rw");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (mount->flags & names[i].flag)
            text_print(walk->out, "%s", names[i].name);
    if (!(mount->flags & (MOUNT_NOATIME | MOUNT_STRICTATIME)))
        text_print(walk->out, ",relatime");
}

static void super_options(struct mounts_walk *walk, struct mount *mount)
{
    struct super *super = mount->super;
    char options[256] = "";

    if (super->ops->show_options)
        super->ops->show_options(super, options, sizeof(options));
    text_print(walk->out, "%s", options);
}

/* What the mount shows of its file system. */
static void mount_root(struct mounts_walk *walk, struct mount *mount)
{
    char *text = dentry_text(mount->root, walk->root_buf, PATH_MAX);

    text_print(walk->out, "%s", IS_ERR(text) ? "/" : text);
}

static void mount_line(struct mounts_walk *walk, struct mount *mount)
{
    struct path top = {mount, mount->root};
    char *where = path_text(&top, &walk->root, walk->buf, PATH_MAX);
    const char *source = mount->source ? mount->source : "none";

    if (IS_ERR(where))
        return;
    if (walk->info) {
        text_print(walk->out, "%d %d %u:%u ", mount->id, mount->parent->id,
                   dev_major(mount->super->dev), dev_minor(mount->super->dev));
        mount_root(walk, mount);
        text_print(walk->out, " %s ", where);
    } else {
        text_print(walk->out, "%s %s %s ", source, where, mount->super->type->name);
    }
    mount_flags(walk, mount);
    if (walk->info)
        text_print(walk->out, " - %s %s %s", mount->super->type->name, source,
                   mount->super->flags & SUPER_RDONLY ? "ro" : "rw");
    super_options(walk, mount);
    text_print(walk->out, walk->info ? "\n" : " 0 0\n");
}

/* With the tree locked the mounts are only collected: finding out where they are takes its lock again. */
static int mount_collect(struct mount *mount, void *arg)
{
    struct mounts_walk *walk = arg;

    mount_get(mount);
    text_add(&walk->mounts, &mount, sizeof(mount));
    if (walk->mounts.failed)
        mount_put(mount);
    return walk->mounts.failed ? -ENOMEM : 0;
}

static int mounts_show(struct text *out, bool info)
{
    struct mounts_walk walk = {.out = out, .info = info, .buf = kmalloc(2 * PATH_MAX)};
    struct mount **mounts;
    int err;

    if (!walk.buf)
        return -ENOMEM;
    walk.root_buf = walk.buf + PATH_MAX;
    fs_root(&walk.root);
    err = mount_for_each(&walk.root, mount_collect, &walk);
    mounts = (struct mount **)walk.mounts.data;
    for (size_t i = 0; i < walk.mounts.len / sizeof(*mounts); i++) {
        if (!err)
            mount_line(&walk, mounts[i]);
        mount_put(mounts[i]);
    }
    kfree(walk.mounts.data);
    path_put(&walk.root);
    kfree(walk.buf);
    return err;
}

int proc_mounts(const struct subject *s, struct text *out)
{
    return mounts_show(out, false);
}

int proc_mountinfo(const struct subject *s, struct text *out)
{
    return mounts_show(out, true);
}
