/* kernel/fs/pseudo/node.c: inodes, directories and files of proc(5) and sysfs(5), out of their tables. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/hash.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/pseudo/pseudo.h"
#include "mm/alloc.h"
#include "self/self.h"

struct pseudo_inode {
    struct inode inode;
    const struct pseudo_entry *entry; /* constant */
    struct subject subject;           /* constant */
};

static struct pseudo_inode *pseudo_of(struct inode *inode)
{
    return container_of(inode, struct pseudo_inode, inode);
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

const struct subject *pseudo_subject(const struct file *file)
{
    return &pseudo_of(file->inode)->subject;
}

/* --- files ---------------------------------------------------------------------------------------------- */

/* What a file shows, from the moment when reading it began. Readers hold it while they copy. */
struct shown {
    struct refcount ref;
    struct text text; /* constant */
};

struct pseudo_file {
    struct spinlock lock; /* class OBJECT */
    struct shown *shown;  /* lock; counted; NULL: nobody has read yet */
};

static void shown_put(struct shown *shown)
{
    if (!shown || !refcount_put(&shown->ref))
        return;
    kfree(shown->text.data);
    kfree(shown);
}
DEFINE_AUTO(shown_put, struct shown *)

static int pseudo_open(struct inode *inode, struct file *file)
{
    const struct pseudo_entry *entry = pseudo_of(inode)->entry;
    struct pseudo_file *pf;

    if ((file->mode & FILE_WRITE) && !entry->store && !entry->numbers)
        return -EACCES;
    pf = kzalloc(sizeof(*pf));
    if (!pf)
        return -ENOMEM;
    spin_init(&pf->lock, OBJECT);
    file->private = pf;
    return 0;
}

static void pseudo_release(struct file *file)
{
    struct pseudo_file *pf = file->private;

    if (pf)
        shown_put(pf->shown);
    kfree(pf);
}

static bool process_gone(const struct subject *s)
{
    return s->process && READ_ONCE(s->process->state) == PROCESS_REAPED;
}

static int numbers_show(const struct pseudo_numbers *numbers, struct text *out)
{
    for (u32 i = 0; i < numbers->n; i++)
        text_print(out, "%s%llu", i ? "\t" : "",
                   (unsigned long long)numbers->get(numbers->first + i));
    text_print(out, "\n");
    return 0;
}

/* Fewer numbers than there are leave the rest alone. */
static ssize_t numbers_store(const struct pseudo_numbers *numbers, const char *text, size_t len)
{
    static const char blanks[] = " \t\n";
    size_t at = 0;

    for (u32 i = 0; i < numbers->n; i++) {
        u64 value;
        long n;
        int err;

        while (at < len && strchr(blanks, text[at]))
            at++;
        if (i > 0 && at == len)
            break;
        n = parse_u64(text + at, len - at, 10, &value);
        if (n < 0)
            return -EINVAL;
        at += (size_t)n;
        if (at < len && !strchr(blanks, text[at]))
            return -EINVAL;
        err = numbers->set(numbers->first + i, value);
        if (err)
            return err;
    }
    return (ssize_t)len;
}

static int entry_show(const struct pseudo_entry *entry, const struct subject *s, struct text *out)
{
    if (entry->numbers)
        return numbers_show(entry->numbers, out);
    return entry->show ? entry->show(s, out) : -EINVAL;
}

static int shown_make(struct file *file, struct shown **out)
{
    struct pseudo_inode *pi = pseudo_of(file->inode);
    AUTO(shown_put) struct shown *shown = kzalloc(sizeof(*shown));
    int err;

    if (!shown)
        return -ENOMEM;
    refcount_init(&shown->ref, 1);
    if (process_gone(&pi->subject))
        return -ESRCH;
    err = entry_show(pi->entry, &pi->subject, &shown->text);
    if (!err && shown->text.failed)
        err = -ENOMEM;
    if (!err) {
        *out = shown;
        shown = NULL;
    }
    return err;
}

/* The text to read at a position, counted; at the start it is made anew. */
static int shown_get(struct file *file, bool anew, struct shown **out)
{
    struct pseudo_file *pf = file->private;
    AUTO(shown_put) struct shown *made = NULL;
    int err = anew || !READ_ONCE(pf->shown) ? shown_make(file, &made) : 0;

    if (err)
        return err;
    spin_lock(&pf->lock);
    if (made) {
        struct shown *old = pf->shown;

        pf->shown = made;
        made = old;
    }
    refcount_get(&pf->shown->ref);
    *out = pf->shown;
    spin_unlock(&pf->lock);
    return 0;
}

static ssize_t pseudo_read(struct file *file, struct iter *to, loff_t *pos)
{
    AUTO(shown_put) struct shown *shown = NULL;
    int err = shown_get(file, *pos == 0, &shown);
    ssize_t n = 0;

    if (err)
        return err;
    if ((u64)*pos < shown->text.len)
        n = copy_to_iter(to, shown->text.data + *pos,
                         MIN(iter_left(to), shown->text.len - (size_t)*pos));
    if (n > 0)
        *pos += n;
    return n;
}

#define STORE_MAX 4096

static ssize_t pseudo_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct pseudo_inode *pi = pseudo_of(file->inode);
    size_t n = MIN(iter_left(from), (size_t)STORE_MAX);
    char *text = kmalloc(n + 1);
    ssize_t done;

    if (!text)
        return -ENOMEM;
    done = copy_from_iter(from, text, n);
    if (done >= 0) {
        text[done] = '\0';
        done = pi->entry->numbers ? numbers_store(pi->entry->numbers, text, (size_t)done)
                                  : pi->entry->store(&pi->subject, text, (size_t)done);
    }
    kfree(text);
    return done;
}

static const struct file_ops pseudo_file_ops = {
    .open = pseudo_open,
    .read = pseudo_read,
    .write = pseudo_write,
    .release = pseudo_release,
};

/* --- inodes ---------------------------------------------------------------------------------------------- */

static const struct inode_ops pseudo_dir_ops, pseudo_link_ops, pseudo_text_link_ops,
    pseudo_plain_ops;
static const struct file_ops pseudo_dir_file_ops;

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

static ino_t number_of(const struct pseudo_entry *entry, const struct subject *s)
{
    u64 id = s->task ? (u64)s->task->tid : 0;

    return (hash_u64(hash_ptr(entry) ^ hash_u64(id << 32 | (u32)s->number)) & 0x7fffffffffffULL) |
           1;
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
static struct inode *pseudo_inode(struct super *super, const struct pseudo_entry *entry,
                                  const struct subject *subject)
{
    struct pseudo_inode *pi = kzalloc(sizeof(*pi));

    if (!pi) {
        subject_put(subject);
        return NULL;
    }
    inode_init(&pi->inode, super, entry->mode_of ? entry->mode_of(subject) : entry->mode);
    pi->inode.flags = INODE_IMMUTABLE | INODE_NOATIME | INODE_FIXED;
    pi->inode.uid = 0;
    pi->inode.gid = 0;
    pi->inode.ino = number_of(entry, subject);
    pi->inode.ops = entry->dir             ? &pseudo_dir_ops
                    : entry->follow        ? &pseudo_link_ops
                    : S_ISLNK(entry->mode) ? &pseudo_text_link_ops
                                           : &pseudo_plain_ops;
    pi->inode.fops = entry->dir             ? &pseudo_dir_file_ops
                     : entry->fops          ? entry->fops
                     : S_ISLNK(entry->mode) ? NULL
                                            : &pseudo_file_ops;
    if (entry->dir)
        pi->inode.nlink = 2;
    pi->entry = entry;
    pi->subject = *subject;
    owner_set(&pi->inode, subject);
    return &pi->inode;
}

static void pseudo_inode_release(struct inode *inode)
{
    struct pseudo_inode *pi = pseudo_of(inode);

    subject_put(&pi->subject);
    kfree(pi);
}

/* --- permission: what shows the inside of a process is for those who could trace it --------------------- */

static bool may_look(const struct pseudo_inode *pi)
{
    struct task *task = pi->subject.task;

    if (!pi->entry->guarded || !task)
        return true;
    /* init is nothing but a name: there is no program to look into */
    return task->self ? task_may_inspect(task, false)
                      : cred_capable(cred_current(), CAP_SYS_PTRACE);
}

static int pseudo_permission(struct inode *inode, int mask)
{
    int err = inode_permission_generic(inode, mask);

    return err ? err : may_look(pseudo_of(inode)) ? 0 : -EACCES;
}

/* --- directories ----------------------------------------------------------------------------------------- */

#define NAME_ROOM 64

static int find(const struct pseudo_inode *dir, const char *name, const struct pseudo_entry **entry,
                struct subject *subject)
{
    const struct pseudo_dir *d = dir->entry->dir;

    if (process_gone(&dir->subject))
        return -ENOENT;
    for (const struct pseudo_entry *e = d->entries; e && e->name; e++) {
        if (!streq(e->name, name))
            continue;
        *entry = e;
        *subject = dir->subject;
        subject_get(subject);
        return 0;
    }
    return d->lookup ? d->lookup(&dir->subject, name, entry, subject) : -ENOENT;
}

static int pseudo_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    const struct pseudo_entry *entry;
    struct subject subject = {0};
    char text[NAME_ROOM];
    int err;

    if (name->len >= sizeof(text))
        return -ENOENT;
    memcpy(text, name->text, name->len);
    text[name->len] = '\0';
    err = find(pseudo_of(dir), text, &entry, &subject);
    if (err)
        return err;
    *out = pseudo_inode(dir->super, entry, &subject);
    return *out ? 0 : -ENOMEM;
}

/* Names that are numbers come and go, and so does what stands behind self. */
static bool pseudo_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct pseudo_inode *pd = pseudo_of(dir);

    if (!inode)
        return false;
    if (process_gone(&pseudo_of(inode)->subject) || process_gone(&pd->subject))
        return false;
    return !pd->entry->dir->lookup || name->text[0] < '0' || name->text[0] > '9';
}

#define POS_FIXED   2    /* after . and .. */
#define POS_NUMBERS 1024 /* the fixed entries of a directory are fewer */

static bool emit_fixed(struct pseudo_inode *pi, struct dir_context *dir)
{
    const struct pseudo_entry *entries = pi->entry->dir->entries;
    u32 i = 0;

    for (const struct pseudo_entry *e = entries; e && e->name; e++, i++) {
        if (dir->pos > POS_FIXED + (loff_t)i)
            continue;
        if (!dir->emit(dir, e->name, strlen(e->name), number_of(e, &pi->subject),
                       (u8)(e->mode >> 12)))
            return false;
        dir->pos = POS_FIXED + i + 1;
    }
    return true;
}

static bool emit_numbers(struct pseudo_inode *pi, struct dir_context *dir)
{
    const struct pseudo_dir *d = pi->entry->dir;
    u32 number;

    dir->pos = MAX(dir->pos, (loff_t)POS_NUMBERS);
    for (number = (u32)(dir->pos - POS_NUMBERS); d->next(&pi->subject, &number); number++) {
        struct subject subject = pi->subject;
        char text[32];
        int n = snprintf(text, sizeof(text), "%s%u", d->prefix ? d->prefix : "", number);

        subject.number = (int)number;
        dir->pos = POS_NUMBERS + number;
        if (!dir->emit(dir, text, (size_t)n, number_of(d->numbered(), &subject),
                       (u8)(d->numbered()->mode >> 12)))
            return false;
        dir->pos = POS_NUMBERS + number + 1;
    }
    return true;
}

static int pseudo_iterate(struct file *file, struct dir_context *dir)
{
    struct pseudo_inode *pi = pseudo_of(file->inode);
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

static const struct inode_ops pseudo_dir_ops = {
    .lookup = pseudo_lookup,
    .revalidate = pseudo_revalidate,
    .permission = pseudo_permission,
};
static const struct file_ops pseudo_dir_file_ops = {.iterate = pseudo_iterate};

/* A file that is made as it is read has no size: O_TRUNC, which shells set, changes nothing. */
static int pseudo_setattr(struct inode *inode, const struct iattr *attr)
{
    struct iattr rest = *attr;

    rest.valid &= ~(u32)ATTR_SIZE;
    inode_setattr(inode, &rest);
    return 0;
}

static const struct inode_ops pseudo_plain_ops = {.permission = pseudo_permission,
                                                  .setattr = pseudo_setattr};

/* --- links -------------------------------------------------------------------------------------------------- */

static int pseudo_readlink(struct inode *inode, char *buf, size_t size)
{
    struct pseudo_inode *pi = pseudo_of(inode);

    return may_look(pi) ? pi->entry->link(&pi->subject, buf, size) : -EACCES;
}

static int pseudo_follow(struct inode *inode, struct path *out)
{
    struct pseudo_inode *pi = pseudo_of(inode);

    return may_look(pi) ? pi->entry->follow(&pi->subject, out) : -EACCES;
}

static const struct inode_ops pseudo_link_ops = {.readlink = pseudo_readlink,
                                                 .follow = pseudo_follow};

/* self and thread-self are ordinary links: their text is walked. */
static const struct inode_ops pseudo_text_link_ops = {.readlink = pseudo_readlink};

/* --- the file system ------------------------------------------------------------------------------------- */

static int pseudo_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    *out = (struct kstatfs){
        .type = super->magic, .bsize = PAGE_SIZE, .namelen = 255, .frsize = PAGE_SIZE};
    return 0;
}

static const struct super_ops pseudo_super_ops = {
    .inode_release = pseudo_inode_release,
    .statfs = pseudo_statfs,
};

int pseudo_mount(const struct fs_type *type, u64 magic, const struct pseudo_entry *top,
                 struct super **out)
{
    struct super *super = super_create(type, &pseudo_super_ops, magic);
    struct subject nobody = {0};
    struct inode *root;

    if (!super)
        return -ENOMEM;
    super->flags |= SUPER_NODEV | SUPER_NOEXEC;
    root = pseudo_inode(super, top, &nobody);
    if (!root || super_set_root(super, root)) {
        super_put(super);
        return -ENOMEM;
    }
    *out = super;
    return 0;
}
