/* kernel/vfs/mount_query.c: statmount(2) and listmount(2): what /proc/self/mountinfo tells, without text. */
#include "abi/newer.h"
#include "base/sort.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/mount.h>

#define UNIQUE_FIRST (1UL << 31) /* what is less is an id of the other kind */
#define LIST_MAX     1000000UL   /* ids that one call may ask for */
#define STRINGS_MAX  (3 * PATH_MAX)

#define SUPPORTED                                                                                  \
    (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM | STATMOUNT_MNT_ROOT |    \
     STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE | STATMOUNT_MNT_OPTS | STATMOUNT_SB_SOURCE |          \
     STATMOUNT_OPT_ARRAY | STATMOUNT_SUPPORTED_MASK)

/* ---- the request ---- */

static int request_get(struct mnt_id_req *req, const struct mnt_id_req __user *user)
{
    u32 size;
    int err = get_user(size, &user->size);

    *req = (struct mnt_id_req){0};
    if (err)
        return err;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < MNT_ID_REQ_SIZE_VER0)
        return -EINVAL;
    err = copy_struct_from_user(req, sizeof(*req), user, size);
    if (err)
        return err;
    if (req->spare || req->mnt_id < UNIQUE_FIRST)
        return -EINVAL;
    /* Only the caller's own namespace can be asked, which needs no number. */
    return req->mnt_ns_id ? -ENOENT : 0;
}

struct search {
    u64 unique;
    struct mount *found; /* counted */
};

static int match(struct mount *mount, void *arg)
{
    struct search *search = arg;

    if (mount->unique != search->unique)
        return 0;
    search->found = mount_get(mount);
    return 1;
}

/* A mount that the caller can reach, counted; NULL. */
static struct mount *mount_by_unique(const struct path *root, u64 unique)
{
    struct search search = {.unique = unique};

    return mount_for_each(root, match, &search) ? search.found : NULL;
}

/* ---- statmount ---- */

/* Behind the structure stands text, STRINGS_MAX at most, into which its fields are offsets. */
struct answer {
    struct statmount *head;
    u32 used; /* of the text */
};

static int add_text(struct answer *answer, u64 what, u32 *field, const char *text, size_t len)
{
    /* Offset 0 is the empty text, which fields show that were not asked for. */
    if (answer->used == 0)
        answer->head->str[answer->used++] = '\0';
    if (len >= STRINGS_MAX - answer->used)
        return -EOVERFLOW;
    memcpy(answer->head->str + answer->used, text, len);
    answer->head->str[answer->used + len] = '\0';
    *field = answer->used;
    answer->used += (u32)len + 1;
    answer->head->mask |= what;
    return 0;
}

static u64 attributes(const struct mount *mount)
{
    static const struct {
        u32 flag;
        u64 attribute;
    } map[] = {
        {MOUNT_RDONLY, MOUNT_ATTR_RDONLY},         {MOUNT_NOSUID, MOUNT_ATTR_NOSUID},
        {MOUNT_NODEV, MOUNT_ATTR_NODEV},           {MOUNT_NOEXEC, MOUNT_ATTR_NOEXEC},
        {MOUNT_NOATIME, MOUNT_ATTR_NOATIME},       {MOUNT_STRICTATIME, MOUNT_ATTR_STRICTATIME},
        {MOUNT_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MOUNT_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
    };
    u32 flags = READ_ONCE(mount->flags);
    u64 out = 0;

    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        out |= flags & map[i].flag ? map[i].attribute : 0;
    return out;
}

static void tell_numbers(struct statmount *out, const struct mount *mount, u64 mask)
{
    const struct super *super = mount->super;

    if (mask & STATMOUNT_SB_BASIC) {
        out->sb_dev_major = dev_major(super->dev);
        out->sb_dev_minor = dev_minor(super->dev);
        out->sb_magic = super->magic;
        out->sb_flags = READ_ONCE(super->flags) & SUPER_RDONLY ? MS_RDONLY : 0;
    }
    if (mask & STATMOUNT_MNT_BASIC) {
        mutex_lock(&mount_lock);
        out->mnt_parent_id = mount->parent->unique;
        out->mnt_parent_id_old = (u32)mount->parent->id;
        mutex_unlock(&mount_lock);
        out->mnt_id = mount->unique;
        out->mnt_id_old = (u32)mount->id;
        out->mnt_attr = attributes(mount);
        out->mnt_propagation = MS_PRIVATE; /* no mount has peers */
    }
    if (mask & STATMOUNT_SUPPORTED_MASK)
        out->supported_mask = SUPPORTED;
    out->mask |= mask & (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM |
                         STATMOUNT_SUPPORTED_MASK);
}

static int tell_place(struct answer *answer, struct mount *mount, const struct path *root, u64 mask)
{
    struct path top = {mount, mount->root};
    char *buf = kmalloc(PATH_MAX), *text;
    int err = buf ? 0 : -ENOMEM;

    if (!err && (mask & STATMOUNT_MNT_ROOT)) {
        text = dentry_text(mount->root, buf, PATH_MAX);
        err = IS_ERR(text) ? (int)PTR_ERR(text)
                           : add_text(answer, STATMOUNT_MNT_ROOT, &answer->head->mnt_root, text,
                                      strlen(text));
    }
    if (!err && (mask & STATMOUNT_MNT_POINT)) {
        text = path_text(&top, root, buf, PATH_MAX);
        err = IS_ERR(text) ? (int)PTR_ERR(text)
                           : add_text(answer, STATMOUNT_MNT_POINT, &answer->head->mnt_point, text,
                                      strlen(text));
    }
    kfree(buf);
    return err;
}

/* Options as one text, and as texts of their own, each ended by a zero. */
static int tell_options(struct answer *answer, struct super *super, u64 mask)
{
    char options[256] = ",";
    size_t len;
    int err = 0;

    if (super->ops->show_options)
        super->ops->show_options(super, options, sizeof(options));
    len = strlen(options + 1);
    if (len == 0)
        return 0;
    if (mask & STATMOUNT_MNT_OPTS)
        err = add_text(answer, STATMOUNT_MNT_OPTS, &answer->head->mnt_opts, options + 1, len);
    if (err || !(mask & STATMOUNT_OPT_ARRAY))
        return err;
    answer->head->opt_num = 1;
    for (char *at = options + 1; (at = strchr(at, ',')); *at++ = '\0')
        answer->head->opt_num++;
    return add_text(answer, STATMOUNT_OPT_ARRAY, &answer->head->opt_array, options + 1, len);
}

static int tell(struct answer *answer, struct mount *mount, const struct path *root, u64 mask)
{
    const char *type = mount->super->type->name, *source = mount->source;
    int err = 0;

    tell_numbers(answer->head, mount, mask);
    if (mask & STATMOUNT_FS_TYPE)
        err = add_text(answer, STATMOUNT_FS_TYPE, &answer->head->fs_type, type, strlen(type));
    if (!err && (mask & (STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT)))
        err = tell_place(answer, mount, root, mask);
    if (!err && (mask & (STATMOUNT_MNT_OPTS | STATMOUNT_OPT_ARRAY)))
        err = tell_options(answer, mount->super, mask);
    if (!err && (mask & STATMOUNT_SB_SOURCE))
        err =
            add_text(answer, STATMOUNT_SB_SOURCE, &answer->head->sb_source, source, strlen(source));
    return err;
}

/* Text must fit whole; of the structure the program gets what it has room for. */
static int answer_put(const struct answer *answer, void __user *buf, size_t size)
{
    size_t all = sizeof(*answer->head) + answer->used;

    if (answer->used && size < all)
        return -EOVERFLOW;
    answer->head->size = (u32)MIN(size, all);
    return copy_to_user(buf, answer->head, MIN(size, all));
}

long sys_statmount(const struct mnt_id_req __user *user, void __user *buf, size_t size,
                   unsigned int flags)
{
    AUTO_PATH root = {0};
    struct answer answer = {0};
    struct mnt_id_req req;
    struct mount *mount;
    int err;

    if (flags)
        return -EINVAL;
    err = request_get(&req, user);
    if (err)
        return err;
    fs_root(&root);
    mount = mount_by_unique(&root, req.mnt_id);
    if (!mount)
        return -ENOENT;
    answer.head = kzalloc(sizeof(*answer.head) + STRINGS_MAX);
    err = answer.head ? tell(&answer, mount, &root, req.param) : -ENOMEM;
    if (!err)
        err = answer_put(&answer, buf, size);
    kfree(answer.head);
    mount_put(mount);
    return err;
}

/* ---- listmount ---- */

/* Ids of the mounts below one, which is not of them itself. */
struct id_list {
    u64 *ids; /* room for as many as there were when they were counted */
    size_t n, room;
    u64 after; /* only those behind this one, or, in reverse, in front of it; 0: all */
    u64 above;
    bool reverse;
};

static int count_mount(struct mount *mount, void *arg)
{
    (*(size_t *)arg)++;
    return 0;
}

static int add_id(struct mount *mount, void *arg)
{
    struct id_list *list = arg;
    bool wanted =
        !list->after || (list->reverse ? mount->unique < list->after : mount->unique > list->after);

    if (wanted && mount->unique != list->above && list->n < list->room)
        list->ids[list->n++] = mount->unique;
    return 0;
}

static int upwards(const void *a, const void *b)
{
    u64 first = *(const u64 *)a, second = *(const u64 *)b;

    return first < second ? -1 : first > second;
}

static int downwards(const void *a, const void *b)
{
    return upwards(b, a);
}

static long list_below(const struct path *from, struct id_list *list, u64 __user *out, size_t n)
{
    mount_for_each(from, count_mount, &list->room)
        ;
    list->ids = kmalloc(MAX(list->room, 1UL) * sizeof(*list->ids));
    if (!list->ids)
        return -ENOMEM;
    mount_for_each(from, add_id, list)
        ;
    sort(list->ids, list->n, sizeof(*list->ids), list->reverse ? downwards : upwards);
    n = MIN(n, list->n);
    int err = copy_to_user(out, list->ids, n * sizeof(*list->ids));

    kfree(list->ids);
    return err ? err : (long)n;
}

long sys_listmount(const struct mnt_id_req __user *user, u64 __user *ids, size_t n,
                   unsigned int flags)
{
    AUTO_PATH from = {0};
    struct id_list list = {.reverse = flags & LISTMOUNT_REVERSE};
    struct mnt_id_req req;
    int err;

    if (flags & ~(unsigned int)LISTMOUNT_REVERSE)
        return -EINVAL;
    if (n > LIST_MAX)
        return -EOVERFLOW;
    if (!user_limit_ok(ids, n * sizeof(*ids)))
        return -EFAULT;
    err = request_get(&req, user);
    if (err)
        return err;
    if (req.param && req.param < UNIQUE_FIRST)
        return -EINVAL;
    fs_root(&from);
    if (req.mnt_id != LSMT_ROOT) {
        struct mount *mount = mount_by_unique(&from, req.mnt_id);

        if (!mount)
            return -ENOENT;
        path_release(&from);
        from = (struct path){mount, dentry_get(mount->root)};
    }
    list.after = req.param;
    list.above = req.mnt_id;
    return list_below(&from, &list, ids, n);
}
