/* kernel/fs/mqueue/super.c: the file system of POSIX message queues: one directory, and limits. */
#include "base/string.h"
#include "cred/cred.h"
#include "fs/mqueue/internal.h"
#include "ipc/sysv.h"
#include "mm/alloc.h"
#include "task/limits.h"

#define MQUEUE_MAGIC  0x19800202
#define STATUS_SIZE   80 /* what stat(2) shows: about what reading a queue gives */
#define COOKIE_FIRST  2  /* 0 is ".", 1 is ".." */
#define HARD_MESSAGES 65536UL
#define HARD_SIZE     (16UL << 20)
/* getrlimit(2), RLIMIT_MSGQUEUE: what each message, and each priority in use, costs besides its bytes. */
#define MESSAGE_COST  48
#define PRIORITY_COST 48

static struct mqueue_super *super_of(const struct inode *inode)
{
    return inode->super->private;
}

/* --- queues ------------------------------------------------------------------------------------------------ */

static int check_attr(const struct mq_attr *attr)
{
    bool privileged = capable(CAP_SYS_RESOURCE);
    u64 messages = privileged ? HARD_MESSAGES : ipc_limit(IPC_MQ_MSG_MAX);
    u64 size = privileged ? HARD_SIZE : ipc_limit(IPC_MQ_MSGSIZE_MAX);

    if (attr->mq_maxmsg <= 0 || attr->mq_msgsize <= 0)
        return -EINVAL;
    return (u64)attr->mq_maxmsg > messages || (u64)attr->mq_msgsize > size ? -EINVAL : 0;
}

/* The numbers have been checked, so nothing overflows. */
static u64 cost_of(const struct mq_attr *attr)
{
    u64 n = (u64)attr->mq_maxmsg;

    return n * MESSAGE_COST + MIN(n, (u64)MQ_PRIO_MAX) * PRIORITY_COST + n * (u64)attr->mq_msgsize;
}

/* Counts the queue in, if its user and the namespace may have another. */
static int charge(struct mqueue_super *fs, struct mqueue *queue)
{
    u64 limit = task_rlimit(RLIMIT_MSGQUEUE), used = 0;
    struct mqueue *at;
    int err = 0;

    spin_lock(&fs->lock);
    list_for_each_entry(at, &fs->all, all)
        used += at->user == queue->user ? at->charged : 0;
    if (fs->queues >= ipc_limit(IPC_MQ_QUEUES_MAX) && !capable(CAP_SYS_RESOURCE))
        err = -ENOSPC;
    else if (used > limit || queue->charged > limit - used)
        err = -EMFILE;
    if (!err) {
        list_add_tail(&queue->all, &fs->all);
        fs->queues++;
    }
    spin_unlock(&fs->lock);
    return err;
}

static const struct inode_ops queue_inode_ops;

int mqueue_create(struct super *super, umode mode, const struct mq_attr *attr, struct inode **out)
{
    struct mqueue_super *fs = super->private;
    struct mq_attr usual = {
        .mq_maxmsg = (long)MIN(ipc_limit(IPC_MQ_MSG_DEFAULT), ipc_limit(IPC_MQ_MSG_MAX)),
        .mq_msgsize = (long)MIN(ipc_limit(IPC_MQ_MSGSIZE_DEFAULT), ipc_limit(IPC_MQ_MSGSIZE_MAX)),
    };
    struct mqueue *queue;
    int err = attr ? check_attr(attr) : 0;

    if (err)
        return err;
    if (!attr)
        attr = &usual;
    queue = kzalloc(sizeof(*queue));
    if (!queue)
        return -ENOMEM;
    mqueue_init(queue);
    list_init(&queue->by_name);
    queue->max_messages = (u64)attr->mq_maxmsg;
    queue->max_size = (u64)attr->mq_msgsize;
    queue->user = cred_current()->uid;
    queue->charged = cost_of(attr);
    err = charge(fs, queue);
    if (err) {
        kfree(queue);
        return err;
    }
    inode_init(&queue->inode, super, S_IFREG | (mode & 07777));
    queue->inode.ops = &queue_inode_ops;
    queue->inode.fops = &mqueue_file_ops;
    queue->inode.ino = __atomic_add_fetch(&fs->next_ino, 1, __ATOMIC_RELAXED);
    queue->inode.size = STATUS_SIZE;
    queue->inode.uid = cred_current()->fsuid;
    queue->inode.gid = cred_current()->fsgid;
    queue->inode.nlink = 0;
    *out = &queue->inode;
    return 0;
}

static void inode_release(struct inode *inode)
{
    struct mqueue_super *fs = super_of(inode);

    if (inode_is(inode, S_IFDIR)) {
        kfree(inode);
        return;
    }
    spin_lock(&fs->lock);
    list_del(&mqueue_of(inode)->all);
    fs->queues--;
    spin_unlock(&fs->lock);
    mqueue_clear(mqueue_of(inode));
    kfree(mqueue_of(inode));
}

/* --- names --------------------------------------------------------------------------------------------------- */

static struct mqueue *find(struct inode *dir, const struct name *name)
{
    struct mqueue *queue;

    list_for_each_entry(queue, &super_of(dir)->names, by_name) {
        if (queue->name_len == name->len && memcmp(queue->name, name->text, name->len) == 0)
            return queue;
    }
    return NULL;
}

static int dir_lookup_name(struct inode *dir, const struct name *name, struct inode **out)
{
    struct mqueue *queue = find(dir, name);

    if (!queue)
        return -ENOENT;
    *out = inode_get(&queue->inode);
    return 0;
}

/* A queue gets its one name. */
static int dir_link(struct inode *inode, struct inode *dir, const struct name *name)
{
    struct mqueue *queue = mqueue_of(inode);
    struct mqueue_super *fs = super_of(dir);

    if (inode->nlink)
        return -EPERM;
    if (name->len > NAME_LONGEST)
        return -ENAMETOOLONG;
    memcpy(queue->name, name->text, name->len);
    queue->name_len = name->len;
    queue->position = fs->next_position++;
    list_add_tail(&queue->by_name, &fs->names);
    inode_get(inode);
    inode->nlink = 1;
    inode_touch(dir, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
    return 0;
}

/* open(2) with O_CREAT, below a mount. */
static int dir_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                      struct inode **out)
{
    int err = S_ISREG(mode) ? mqueue_create(dir->super, mode, NULL, out) : -EPERM;

    if (err)
        return err;
    err = dir_link(*out, dir, name);
    if (err)
        inode_put(*out);
    return err;
}

static int dir_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    list_del(&mqueue_of(inode)->by_name);
    inode->nlink = 0;
    inode_touch(dir, ATTR_ATIME | ATTR_MTIME | ATTR_CTIME);
    inode_put(inode);
    return 0;
}

static int dir_iterate(struct file *file, struct dir_context *dir)
{
    struct mqueue *queue;

    for (; dir->pos < COOKIE_FIRST; dir->pos++) {
        if (!dir->emit(dir, "..", (size_t)dir->pos + 1, file->inode->ino, S_IFDIR >> 12))
            return 0;
    }
    list_for_each_entry(queue, &super_of(file->inode)->names, by_name) {
        if ((loff_t)queue->position < dir->pos)
            continue;
        dir->pos = (loff_t)queue->position;
        if (!dir->emit(dir, queue->name, queue->name_len, queue->inode.ino, S_IFREG >> 12))
            return 0;
        dir->pos++;
    }
    return 0;
}

static const struct inode_ops dir_inode_ops = {
    .lookup = dir_lookup_name,
    .create = dir_create,
    .link = dir_link,
    .unlink = dir_unlink,
};
static const struct file_ops dir_file_ops = {.iterate = dir_iterate};
static const struct inode_ops queue_inode_ops;

/* --- the file system ------------------------------------------------------------------------------------------ */

static int mqueue_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    *out = (struct kstatfs){
        .type = MQUEUE_MAGIC, .bsize = PAGE_SIZE, .namelen = NAME_LONGEST, .frsize = PAGE_SIZE};
    return 0;
}

/* No mount is left: those who have no file open go. */
static void mqueue_shutdown(struct super *super)
{
    struct mqueue_super *fs = super->private;
    struct mqueue *queue;

    while ((queue = list_first_entry(&fs->names, struct mqueue, by_name))) {
        list_del(&queue->by_name);
        inode_put(&queue->inode);
    }
}

static void mqueue_release(struct super *super)
{
    kfree(super->private);
}

static const struct super_ops mqueue_super_ops = {
    .inode_release = inode_release,
    .statfs = mqueue_statfs,
    .shutdown = mqueue_shutdown,
    .release = mqueue_release,
};

/* mount(2): what the caller's namespace has. */
static int mqueue_mount(const struct fs_type *type, const char *source, const char *options,
                        struct super **out)
{
    *out = ipc_queues()->super;
    super_activate(*out);
    return 0;
}

static struct fs_type mqueue_type = {
    .name = "mqueue", .mount = mqueue_mount, .flags = FS_NODEV | FS_SINGLE};

int mqueue_start(void)
{
    return fs_type_register(&mqueue_type);
}

static int super_fill(struct super *super)
{
    struct mqueue_super *fs = kzalloc(sizeof(*fs));
    struct inode *root = kzalloc(sizeof(*root));

    super->private = fs;
    if (!fs || !root) {
        kfree(root);
        return -ENOMEM;
    }
    spin_init(&fs->lock, OBJECT);
    list_init(&fs->all);
    list_init(&fs->names);
    fs->next_position = COOKIE_FIRST;
    fs->next_ino = 1;
    inode_init(root, super, S_IFDIR | 01777);
    root->ops = &dir_inode_ops;
    root->fops = &dir_file_ops;
    root->ino = 1;
    root->nlink = 2;
    return super_set_root(super, root);
}

int mqueue_mount_create(struct mount **out)
{
    struct super *super = super_create(&mqueue_type, &mqueue_super_ops, MQUEUE_MAGIC);
    int err;

    if (!super)
        return -ENOMEM;
    super->name_max = NAME_LONGEST;
    err = super_fill(super);
    if (err) {
        super_put(super);
        return err;
    }
    *out = mount_of_super(super, "mqueue", 0);
    super_deactivate(super);
    return *out ? 0 : -ENOMEM;
}
