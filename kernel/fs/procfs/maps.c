/* kernel/fs/procfs/maps.c: maps and smaps of a process, and the mounts that it sees. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "fs/procfs/internal.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "self/self.h"

struct maps_walk {
    struct text *out;
    struct mm *mm;
    struct path root;
    char *buf; /* PATH_MAX */
    bool details;
};

static const char *region_name(const struct maps_walk *walk, const struct vma *vma)
{
    const struct mm *mm = walk->mm;

    if (vma->at.name)
        return vma->at.name;
    if (vma->at.kind != VMA_ANON)
        return NULL;
    if (vma->start <= mm->brk && vma->end > mm->start_brk && mm->brk > mm->start_brk &&
        vma->start < mm->brk)
        return "[heap]";
    if (vma->start <= mm->start_stack && mm->start_stack < vma->end)
        return "[stack]";
    return NULL;
}

/* A line of maps: columns up to the inode, then, padded to column 73, the name. */
static void maps_line(struct maps_walk *walk, const struct vma *vma)
{
    const struct file *file = vma->at.owner;
    const char *name = region_name(walk, vma);
    struct inode *inode = file ? file->inode : NULL;
    dev_t dev = inode ? inode->super->dev : 0;
    char line[128];
    int n;

    n = snprintf(line, sizeof(line), "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
                 (unsigned long long)vma->start, (unsigned long long)vma->end,
                 vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-',
                 vma->flags & VM_EXEC ? 'x' : '-', vma->flags & VM_SHARED ? 's' : 'p',
                 (unsigned long long)(inode ? vma->at.offset : 0), dev_major(dev), dev_minor(dev),
                 (unsigned long long)(inode ? inode->ino : 0));
    if (inode) {
        char *text = file_text((struct file *)file, &walk->root, walk->buf, PATH_MAX);
        name = IS_ERR(text) ? "?" : text;
    }
    text_add(walk->out, line, (size_t)n);
    if (name)
        text_print(walk->out, "%*s%s", MAX(73 - n, 0), "", name);
    text_print(walk->out, "\n");
}

static void smaps_lines(struct maps_walk *walk, const struct vma *vma)
{
    unsigned long long kib = (vma->end - vma->start) >> 10;

    text_print(walk->out,
               "Size:           %8llu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n"
               "Rss:            %8llu kB\nPss:            %8llu kB\n",
               kib, 0ULL, 0ULL);
    text_print(walk->out, "VmFlags: %s%s%s%smr mw me\n", vma->flags & VM_READ ? "rd " : "",
               vma->flags & VM_WRITE ? "wr " : "", vma->flags & VM_EXEC ? "ex " : "",
               vma->flags & VM_SHARED ? "sh " : "");
}

static int maps_visit(const struct vma *vma, void *arg)
{
    struct maps_walk *walk = arg;

    maps_line(walk, vma);
    if (walk->details)
        smaps_lines(walk, vma);
    return 0;
}

static int maps_show(const struct subject *s, struct text *out, bool details)
{
    struct mm *mm = task_mm(s->task);
    struct maps_walk walk = {.out = out, .mm = mm, .details = details};

    if (!mm)
        return 0; /* a zombie has none */
    walk.buf = kmalloc(PATH_MAX);
    if (!walk.buf) {
        mm_put(mm);
        return -ENOMEM;
    }
    fs_root(&walk.root);
    mm_for_each_vma(mm, maps_visit, &walk);
    path_put(&walk.root);
    kfree(walk.buf);
    mm_put(mm);
    return 0;
}

int proc_maps(const struct subject *s, struct text *out)
{
    return maps_show(s, out, false);
}

int proc_smaps(const struct subject *s, struct text *out)
{
    return maps_show(s, out, true);
}

/* --- mounts: proc(5), fstab(5) ----------------------------------------------------------------------------- */

struct mounts_walk {
    struct text *out;
    struct path root;
    char *buf;
    bool info;
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

static int mount_visit(struct mount *mount, void *arg)
{
    struct mounts_walk *walk = arg;
    struct path top = {mount, mount->root};
    char *where = path_text(&top, &walk->root, walk->buf, PATH_MAX);
    const char *source = mount->source ? mount->source : "none";

    if (IS_ERR(where))
        return 0;
    if (walk->info)
        text_print(walk->out, "%d %d %u:%u / %s ", mount->id, mount->parent->id,
                   dev_major(mount->super->dev), dev_minor(mount->super->dev), where);
    else
        text_print(walk->out, "%s %s %s ", source, where, mount->super->type->name);
    mount_flags(walk, mount);
    if (walk->info)
        text_print(walk->out, " - %s %s %s", mount->super->type->name, source,
                   mount->super->flags & SUPER_RDONLY ? "ro" : "rw");
    super_options(walk, mount);
    text_print(walk->out, walk->info ? "\n" : " 0 0\n");
    return 0;
}

static int mounts_show(struct text *out, bool info)
{
    struct mounts_walk walk = {.out = out, .info = info, .buf = kmalloc(PATH_MAX)};

    if (!walk.buf)
        return -ENOMEM;
    fs_root(&walk.root);
    mount_for_each(&walk.root, mount_visit, &walk);
    path_put(&walk.root);
    kfree(walk.buf);
    return 0;
}

int proc_mounts(const struct subject *s, struct text *out)
{
    return mounts_show(out, false);
}

int proc_mountinfo(const struct subject *s, struct text *out)
{
    return mounts_show(out, true);
}
