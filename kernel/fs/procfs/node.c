/* kernel/fs/procfs/node.c: inodes, directories and files of proc(5), out of the tables of the other files. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/hash.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/procfs/internal.h"
#include "mm/alloc.h"
#include "self/self.h"

#include <linux/magic.h>

const struct boot_info *procfs_boot;

struct proc_inode {
    struct inode inode;
    const struct proc_entry *entry; /* constant */
    struct subject subject;         /* constant */
};

static struct proc_inode *proc_of(struct inode *inode)
{
    return container_of(inode, struct proc_inode, inode);
}

/* --- text ---------------------------------------------------------------------------------------------- */

#define TEXT_FIRST 1024

static bool text_room(struct text *text, size_t more)
{
    size_t room = text->room ? text->room : TEXT_FIRST;
    char *data;

    while (room - text->len < more + 1)
        room *= 2;
    if (room == text->room)
        return true;
    data = krealloc(text->data, room);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void text_add(struct text *text, const void *data, size_t len)
{
    if (!text_room(text, len))
        return;
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

void text_print(struct text *text, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (!text_room(text, (size_t)n))
        return;
    va_start(args, fmt);
    vsnprintf(text->data + text->len, (size_t)n + 1, fmt, args);
    va_end(args);
    text->len += (size_t)n;
}

/* --- files ---------------------------------------------------------------------------------------------- */

struct proc_file {
    struct spinlock lock; /* class OBJECT: text, which is made anew whenever reading begins */
    struct text text;
};

static int proc_open(struct inode *inode, struct file *file)
{
    struct proc_file *pf;

    if ((file->mode & FILE_WRITE) && !proc_of(inode)->entry->store)
        return -EACCES;
    pf = kzalloc(sizeof(*pf));
    if (!pf)
        return -ENOMEM;
    spin_init(&pf->lock, OBJECT);
    file->private = pf;
    return 0;
}

static void proc_release(struct file *file)
{
    struct proc_file *pf = file->private;

    if (pf)
        kfree(pf->text.data);
    kfree(pf);
}

static bool process_gone(const struct subject *s)
{
    return s->process && READ_ONCE(s->process->state) == PROCESS_REAPED;
}

/* file->pos is held: nobody else reads this open file by position meanwhile; pread may. */
static int text_make(struct file *file, struct text *out)
{
    struct proc_inode *pi = proc_of(file->inode);
    int err = process_gone(&pi->subject) ? -ESRCH
              : pi->entry->show          ? pi->entry->show(&pi->subject, out)
                                         : -EINVAL;

    return err ? err : out->failed ? -ENOMEM : 0;
}

static ssize_t proc_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct proc_file *pf = file->private;
    struct text text = {0}, old = {0};
    ssize_t n = 0;
    int err = 0;

    if (*pos == 0 || !pf->text.data) {
        err = text_make(file, &text);
        if (err) {
            kfree(text.data);
            return err;
        }
        spin_lock(&pf->lock);
        old = pf->text;
        pf->text = text;
        spin_unlock(&pf->lock);
        kfree(old.data);
    }
    if ((u64)*pos < pf->text.len)
        n = copy_to_iter(to, pf->text.data + *pos, MIN(iter_left(to), pf->text.len - (size_t)*pos));
    if (n > 0)
        *pos += n;
    return n;
}

#define STORE_MAX 4096

static ssize_t proc_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct proc_inode *pi = proc_of(file->inode);
    size_t n = MIN(iter_left(from), (size_t)STORE_MAX);
    char *text = kmalloc(n + 1);
    ssize_t done;

    if (!text)
        return -ENOMEM;
    done = copy_from_iter(from, text, n);
    if (done >= 0) {
        text[done] = '\0';
        done = pi->entry->store(&pi->subject, text, (size_t)done);
    }
    kfree(text);
    return done;
}

static const struct file_ops proc_file_ops = {
    .open = proc_open,
    .read = proc_read,
    .write = proc_write,
    .release = proc_release,
};

/* --- inodes ---------------------------------------------------------------------------------------------- */

static const struct inode_ops proc_dir_ops, proc_link_ops, proc_text_link_ops, proc_plain_ops;
static const struct file_ops proc_dir_file_ops;

static void subject_get(const struct subject *s)
{
    if (s->process)
        process_get(s->process);
    if (s->task)
        task_get(s->task);
}

static void subject_put(const struct subject *s)
{
    if (s->task)
        task_put(s->task);
    if (s->process)
        process_put(s->process);
}

static ino_t number_of(const struct proc_entry *entry, const struct subject *s)
{
    u64 id = s->task ? (u64)s->task->tid : 0;

    return (hash_u64(hash_ptr(entry) ^ hash_u64(id << 32 | (u32)s->fd)) & 0x7fffffffffffULL) | 1;
}

/* Files of a process belong to it; to root when it does not want to be looked at. */
static void owner_set(struct inode *inode, const struct subject *s)
{
    const struct cred *cred;

    if (!s->task)
        return;
    cred = task_cred(s->task);
    if (!cred)
        return;
    if (READ_ONCE(s->process->dumpable) == 1 || S_ISDIR(inode->mode)) {
        inode->uid = cred->euid;
        inode->gid = cred->egid;
    }
    cred_put(cred);
}

/* Takes over the references of the subject. */
static struct inode *proc_inode(struct super *super, const struct proc_entry *entry,
                                const struct subject *subject)
{
    struct proc_inode *pi = kzalloc(sizeof(*pi));

    if (!pi) {
        subject_put(subject);
        return NULL;
    }
    inode_init(&pi->inode, super, entry->mode);
    pi->inode.flags = INODE_IMMUTABLE | INODE_NOATIME | INODE_FIXED;
    pi->inode.uid = 0;
    pi->inode.gid = 0;
    pi->inode.ino = number_of(entry, subject);
    pi->inode.ops = entry->dir             ? &proc_dir_ops
                    : entry->follow        ? &proc_link_ops
                    : S_ISLNK(entry->mode) ? &proc_text_link_ops
                                           : &proc_plain_ops;
    pi->inode.fops = entry->dir ? &proc_dir_file_ops : S_ISLNK(entry->mode) ? NULL : &proc_file_ops;
    if (entry->dir)
        pi->inode.nlink = 2;
    pi->entry = entry;
    pi->subject = *subject;
    owner_set(&pi->inode, subject);
    return &pi->inode;
}

static void proc_inode_release(struct inode *inode)
{
    struct proc_inode *pi = proc_of(inode);

    subject_put(&pi->subject);
    kfree(pi);
}

/* --- permission: what shows the inside of a process is for those who could trace it --------------------- */

static bool may_look(const struct proc_inode *pi)
{
    return !pi->entry->guarded || !pi->subject.task || task_may_inspect(pi->subject.task, false);
}

static int proc_permission(struct inode *inode, int mask)
{
    int err = inode_permission_generic(inode, mask);

    return err ? err : may_look(proc_of(inode)) ? 0 : -EACCES;
}

/* --- directories ----------------------------------------------------------------------------------------- */

#define NAME_ROOM 64

static int find(const struct proc_inode *dir, const char *name, const struct proc_entry **entry,
                struct subject *subject)
{
    const struct proc_dir *d = dir->entry->dir;

    if (process_gone(&dir->subject))
        return -ENOENT;
    for (const struct proc_entry *e = d->entries; e && e->name; e++) {
        if (!streq(e->name, name))
            continue;
        *entry = e;
        *subject = dir->subject;
        subject_get(subject);
        return 0;
    }
    return d->lookup ? d->lookup(&dir->subject, name, entry, subject) : -ENOENT;
}

static int proc_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    const struct proc_entry *entry;
    struct subject subject = {0};
    char text[NAME_ROOM];
    int err;

    if (name->len >= sizeof(text))
        return -ENOENT;
    memcpy(text, name->text, name->len);
    text[name->len] = '\0';
    err = find(proc_of(dir), text, &entry, &subject);
    if (err)
        return err;
    *out = proc_inode(dir->super, entry, &subject);
    return *out ? 0 : -ENOMEM;
}

/* Names that are numbers come and go, and so does what stands behind self. */
static bool proc_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct proc_inode *pd = proc_of(dir);

    if (!inode)
        return false;
    if (process_gone(&proc_of(inode)->subject) || process_gone(&pd->subject))
        return false;
    return !pd->entry->dir->lookup || name->text[0] < '0' || name->text[0] > '9';
}

#define POS_FIXED   2    /* after . and .. */
#define POS_NUMBERS 1024 /* the fixed entries of a directory are fewer */

static bool emit_fixed(struct proc_inode *pi, struct dir_context *dir)
{
    const struct proc_entry *entries = pi->entry->dir->entries;
    u32 i = 0;

    for (const struct proc_entry *e = entries; e && e->name; e++, i++) {
        if (dir->pos > POS_FIXED + (loff_t)i)
            continue;
        if (!dir->emit(dir, e->name, strlen(e->name), number_of(e, &pi->subject),
                       (u8)(e->mode >> 12)))
            return false;
        dir->pos = POS_FIXED + i + 1;
    }
    return true;
}

static bool emit_numbers(struct proc_inode *pi, struct dir_context *dir)
{
    const struct proc_dir *d = pi->entry->dir;
    u32 number;

    dir->pos = MAX(dir->pos, (loff_t)POS_NUMBERS);
    for (number = (u32)(dir->pos - POS_NUMBERS); d->next(&pi->subject, &number); number++) {
        struct subject subject = pi->subject;
        char text[16];
        int n = snprintf(text, sizeof(text), "%u", number);

        subject.fd = (int)number;
        dir->pos = POS_NUMBERS + number;
        if (!dir->emit(dir, text, (size_t)n, number_of(d->numbered(), &subject),
                       (u8)(d->numbered()->mode >> 12)))
            return false;
        dir->pos = POS_NUMBERS + number + 1;
    }
    return true;
}

static int proc_iterate(struct file *file, struct dir_context *dir)
{
    struct proc_inode *pi = proc_of(file->inode);
    struct dentry *dentry = file->path.dentry;

    if (process_gone(&pi->subject))
        return -ENOENT;
    if (dir->pos == 0) {
        if (!dir->emit(dir, ".", 1, file->inode->ino, S_IFDIR >> 12))
            return 0;
        dir->pos = 1;
    }
    if (dir->pos == 1) {
        if (!dir->emit(dir, "..", 2, dentry->parent->inode->ino, S_IFDIR >> 12))
            return 0;
        dir->pos = 2;
    }
    if (dir->pos < POS_NUMBERS && !emit_fixed(pi, dir))
        return 0;
    if (pi->entry->dir->next)
        emit_numbers(pi, dir);
    return 0;
}

static const struct inode_ops proc_dir_ops = {
    .lookup = proc_lookup,
    .revalidate = proc_revalidate,
    .permission = proc_permission,
};
static const struct file_ops proc_dir_file_ops = {.iterate = proc_iterate};
static const struct inode_ops proc_plain_ops = {.permission = proc_permission};

/* --- links -------------------------------------------------------------------------------------------------- */

static int proc_readlink(struct inode *inode, char *buf, size_t size)
{
    struct proc_inode *pi = proc_of(inode);

    return may_look(pi) ? pi->entry->link(&pi->subject, buf, size) : -EACCES;
}

static int proc_follow(struct inode *inode, struct path *out)
{
    struct proc_inode *pi = proc_of(inode);

    return may_look(pi) ? pi->entry->follow(&pi->subject, out) : -EACCES;
}

static const struct inode_ops proc_link_ops = {.readlink = proc_readlink, .follow = proc_follow};

/* self and thread-self are ordinary links: their text is walked. */
static const struct inode_ops proc_text_link_ops = {.readlink = proc_readlink};

/* --- the file system ------------------------------------------------------------------------------------- */

static int proc_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    *out = (struct kstatfs){
        .type = PROC_SUPER_MAGIC, .bsize = PAGE_SIZE, .namelen = 255, .frsize = PAGE_SIZE};
    return 0;
}

static const struct super_ops proc_super_ops = {
    .inode_release = proc_inode_release,
    .statfs = proc_statfs,
};

static const struct proc_entry root_entry = {
    .name = "/", .mode = S_IFDIR | 0555, .dir = &proc_root_dir};

static int proc_mount(const struct fs_type *type, const char *source, const char *options,
                      struct super **out)
{
    struct super *super = super_create(type, &proc_super_ops, PROC_SUPER_MAGIC);
    struct subject nobody = {0};
    struct inode *root;

    if (!super)
        return -ENOMEM;
    super->flags |= SUPER_NODEV | SUPER_NOEXEC;
    root = proc_inode(super, &root_entry, &nobody);
    if (!root || super_set_root(super, root)) {
        super_put(super);
        return -ENOMEM;
    }
    *out = super;
    return 0;
}

static struct fs_type proc_type = {.name = "proc", .mount = proc_mount, .flags = FS_NODEV};

int procfs_start(const struct boot_info *boot)
{
    procfs_boot = boot;
    return fs_type_register(&proc_type);
}
