/*
 * kernel/fs/hostfs/descriptors.c: the host descriptors that hostfs keeps.
 *
 * All processes of an instance share one host table of limited size. Descriptors of directories are
 * kept for the next look-up, the least recently used are closed first; a directory without one is
 * opened again by way of its parents. Those of open files stay as long as a file is open; of a tree that is
 * read-only for us they stay idle behind that for a while, for the next who opens the file: one look at its
 * name tells him whether a new descriptor would be any different.
 */
#include "fs/hostfs/internal.h"

#define KEPT_MIN      16U
#define KEPT_MAX      4096U
#define NEW_FILES_MAX 64U
#define IDLE_MAX      64U

struct mutex hostfs_lock;

static struct {
    struct list_head lru;      /* hostfs_lock: directories with a descriptor that nobody uses now */
    u32 kept;                  /* hostfs_lock: their number */
    u32 limit;                 /* constant after the start */
    struct list_head kept_new; /* hostfs_lock: new files that nobody has opened yet */
    u32 new_files;             /* hostfs_lock: their number */
    struct list_head idle;     /* hostfs_lock: files that nobody has open, with a descriptor */
    u32 idle_files;            /* hostfs_lock: their number */
} cache = {.lru = LIST_HEAD_INIT(cache.lru),
           .limit = KEPT_MIN,
           .kept_new = LIST_HEAD_INIT(cache.kept_new),
           .idle = LIST_HEAD_INIT(cache.idle)};

void hostfs_descriptors_start(u64 descriptors)
{
    mutex_init(&hostfs_lock, HOSTFS);
    cache.limit = (u32)MAX(MIN(descriptors / 4, (u64)KEPT_MAX), (u64)KEPT_MIN);
}

/* Closes the descriptors that were not used for longest. False: there was none to close. */
static bool cache_shrink_locked(u32 count)
{
    bool any = false;

    while (count-- > 0 && !list_empty(&cache.lru)) {
        struct hostfs_inode *oldest = list_first_entry(&cache.lru, struct hostfs_inode, lru);

        list_del(&oldest->lru);
        cache.kept--;
        host_file_close(oldest->path_file);
        oldest->path_file = -1;
        any = true;
    }
    return any;
}

/* No longer idle: its descriptor is the caller's. */
static int idle_remove_locked(struct hostfs_inode *inode)
{
    list_del(&inode->idle);
    cache.idle_files--;
    return inode->handles[FILE_READ - 1].file;
}

static bool idle_shrink_locked(void)
{
    if (list_empty(&cache.idle))
        return false;
    host_file_close(idle_remove_locked(list_first_entry(&cache.idle, struct hostfs_inode, idle)));
    return true;
}

static int host_open_locked(int dir, const char *name, int flags, umode mode)
{
    int file;

    do {
        file = host_file_open(dir, name, flags, mode);
    } while ((file == -EMFILE || file == -ENFILE) &&
             (idle_shrink_locked() || cache_shrink_locked(cache.limit / 4)));
    return file;
}

int hostfs_host_open(int dir, const char *name, int flags, umode mode)
{
    int file = host_file_open(dir, name, flags, mode);

    if (file != -EMFILE && file != -ENFILE)
        return file;
    mutex_lock(&hostfs_lock);
    file = host_open_locked(dir, name, flags, mode);
    mutex_unlock(&hostfs_lock);
    return file;
}

/* Opens a directory whose parent has a descriptor. It must still be the one that we know. */
static int open_one_locked(struct hostfs_inode *dir)
{
    struct host_stat st;
    int err, file;

    if (cache.kept >= cache.limit) {
        /* The parent's must survive. */
        struct hostfs_inode *parent = dir->parent;

        if (!parent->pins && !list_empty(&parent->lru))
            list_move_tail(&parent->lru, &cache.lru);
        cache_shrink_locked(cache.kept - cache.limit + 1);
        if (parent->path_file < 0)
            return -EMFILE;
    }
    file = host_open_locked(dir->parent->path_file, dir->name, HOST_OPEN_PATH | HOST_OPEN_DIRECTORY,
                            0);
    if (file < 0)
        return file;
    err = host_file_stat(file, "", &st);
    if (!err && !hostfs_same(dir, &st))
        err = -ENOENT;
    if (err) {
        host_file_close(file);
        return err;
    }
    dir->path_file = file;
    list_add_tail(&dir->lru, &cache.lru);
    cache.kept++;
    return 0;
}

/* From the nearest ancestor with a descriptor downwards; a loop, for a tree may be deep. */
static int open_path_locked(struct hostfs_inode *dir)
{
    while (dir->path_file < 0) {
        struct hostfs_inode *at = dir;
        int err;

        while (at->parent && at->parent->path_file < 0)
            at = at->parent;
        if (!at->parent)
            return -ENOENT; /* removed */
        err = open_one_locked(at);
        if (err)
            return err;
    }
    return 0;
}

static int pin_locked(struct hostfs_inode *dir)
{
    int err = open_path_locked(dir);

    if (err)
        return err;
    if (dir->pins++ == 0 && !list_empty(&dir->lru)) {
        list_del(&dir->lru);
        cache.kept--;
    }
    return dir->path_file;
}

static void unpin_locked(struct hostfs_inode *dir)
{
    /* The root's is never given up: nothing leads back to it. */
    if (--dir->pins > 0 || &dir->inode == dir->inode.super->root->inode)
        return;
    list_add_tail(&dir->lru, &cache.lru);
    cache.kept++;
}

int hostfs_pin(struct inode *dir)
{
    int file;

    mutex_lock(&hostfs_lock);
    file = pin_locked(hostfs_inode(dir));
    mutex_unlock(&hostfs_lock);
    return file;
}

void hostfs_unpin(struct inode *dir)
{
    mutex_lock(&hostfs_lock);
    unpin_locked(hostfs_inode(dir));
    mutex_unlock(&hostfs_lock);
}

int hostfs_place_get(struct inode *inode, struct hostfs_place *place)
{
    struct hostfs_inode *at = hostfs_inode(inode), *dir;
    bool is_root = inode->super->root && inode == inode->super->root->inode;

    mutex_lock(&hostfs_lock);
    dir = is_root ? at : at->parent;
    place->file = dir ? pin_locked(dir) : -ENOENT;
    if (place->file >= 0) {
        place->dir = inode_get(&dir->inode);
        if (is_root)
            place->name.text[0] = '\0';
        else
            strlcpy(place->name.text, at->name, sizeof(place->name.text));
    }
    mutex_unlock(&hostfs_lock);
    return place->file < 0 ? place->file : 0;
}

void hostfs_place_put(struct hostfs_place *place)
{
    hostfs_unpin(place->dir);
    inode_put(place->dir);
}

/* ---- descriptors of open files ---- */

static int handle_flags(const struct inode *inode, u32 access)
{
    return (access & FILE_READ ? HOST_OPEN_READ : 0) | (access & FILE_WRITE ? HOST_OPEN_WRITE : 0) |
           (inode_is(inode, S_IFDIR) ? HOST_OPEN_DIRECTORY : 0);
}

/* By its name, or when that is gone by a descriptor that is open. */
static int host_open_inode(struct inode *inode, u32 access)
{
    struct hostfs_place place;
    u32 other;
    int file = hostfs_place_get(inode, &place);

    if (!file) {
        file = hostfs_host_open(place.file, place.name.text, handle_flags(inode, access), 0);
        hostfs_place_put(&place);
        return file;
    }
    other = inode_is(inode, S_IFREG) ? hostfs_handle_any(inode) : 0;
    if (other) {
        file =
            hostfs_host_open(hostfs_handle_file(inode, other), "", handle_flags(inode, access), 0);
        hostfs_handle_close(inode, other);
    }
    return file;
}

/* A new descriptor of exactly this object; its attributes are looked at on the way. */
static int handle_host_open(struct inode *inode, u32 access, struct host_stat *st)
{
    int err, file = host_open_inode(inode, access);

    if (file < 0)
        return file;
    err = host_file_stat(file, "", st);
    if (!err && !hostfs_same(hostfs_inode(inode), st)) {
        err = -ESTALE;
        WRITE_ONCE(hostfs_inode(inode)->checked, HOSTFS_NEVER); /* the next look-up looks again */
    }
    if (err) {
        host_file_close(file);
        return err;
    }
    hostfs_refresh(inode, st);
    return file;
}

static bool handle_share(struct inode *inode, u32 access)
{
    struct hostfs_handle *handle = &hostfs_inode(inode)->handles[access - 1];
    bool open;

    mutex_lock(&hostfs_lock);
    open = handle->users > 0;
    handle->users += open;
    mutex_unlock(&hostfs_lock);
    return open;
}

static void handle_adopt(struct inode *inode, u32 access, int file, ktime ctime)
{
    struct hostfs_handle *handle = &hostfs_inode(inode)->handles[access - 1];
    int needless = -1;

    mutex_lock(&hostfs_lock);
    if (access == FILE_READ && !list_empty(&hostfs_inode(inode)->idle))
        needless = idle_remove_locked(hostfs_inode(inode));
    if (handle->users++ == 0) {
        handle->file = file;
        handle->ctime = ctime;
    } else {
        needless = file;
    }
    mutex_unlock(&hostfs_lock);
    if (needless >= 0)
        host_file_close(needless);
}

static int handle_drop_locked(struct hostfs_inode *inode, u32 access)
{
    struct hostfs_handle *handle = &inode->handles[access - 1];

    return --handle->users == 0 ? handle->file : -1;
}

static void handle_drop(struct inode *inode, u32 access)
{
    int file;

    mutex_lock(&hostfs_lock);
    file = handle_drop_locked(hostfs_inode(inode), access);
    mutex_unlock(&hostfs_lock);
    if (file >= 0)
        host_file_close(file);
}

static bool idle_take(struct inode *inode)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    bool taken;

    mutex_lock(&hostfs_lock);
    taken = !list_empty(&own->idle);
    if (taken) {
        idle_remove_locked(own);
        own->handles[FILE_READ - 1].users++;
    }
    mutex_unlock(&hostfs_lock);
    return taken;
}

/* Does its name still lead to it, and was nothing done since that could keep us from opening it? */
static bool idle_is_current(struct inode *inode)
{
    struct hostfs_place place;
    struct host_stat st;
    int err = hostfs_place_get(inode, &place);

    if (err)
        return false;
    err = host_file_stat(place.file, place.name.text, &st);
    hostfs_place_put(&place);
    if (err || !hostfs_same(hostfs_inode(inode), &st) ||
        st.ctime != hostfs_inode(inode)->handles[FILE_READ - 1].ctime)
        return false;
    hostfs_refresh(inode, &st);
    return true;
}

int hostfs_handle_open(struct inode *inode, u32 access)
{
    struct host_stat st;
    int file;

    if (handle_share(inode, access))
        return 0;
    if (access == FILE_READ && idle_take(inode)) {
        if (idle_is_current(inode))
            return 0;
        handle_drop(inode, FILE_READ);
    }
    file = handle_host_open(inode, access, &st);
    if (file < 0)
        return file;
    handle_adopt(inode, access, file, st.ctime);
    return 0;
}

u32 hostfs_handle_any(struct inode *inode)
{
    for (u32 access = 1; access <= 3; access++)
        if (READ_ONCE(hostfs_inode(inode)->handles[access - 1].users) &&
            handle_share(inode, access))
            return access;
    return 0;
}

/* The last user of a descriptor leaves: it becomes idle. False: it has other users, or is not kept. */
static bool idle_add(struct inode *inode)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct hostfs_handle *handle = &own->handles[FILE_READ - 1];
    bool added;

    mutex_lock(&hostfs_lock);
    added = handle->users == 1 && own->parent;
    if (added) {
        if (cache.idle_files >= IDLE_MAX)
            idle_shrink_locked();
        handle->users = 0;
        list_add_tail(&own->idle, &cache.idle);
        cache.idle_files++;
    }
    mutex_unlock(&hostfs_lock);
    return added;
}

/* What a directory was read by serves as well to look up its names, which mostly comes next. False: it has one. */
static bool path_adopt(struct inode *inode)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct hostfs_handle *handle = &own->handles[FILE_READ - 1];
    bool adopted;

    mutex_lock(&hostfs_lock);
    adopted = handle->users == 1 && own->path_file < 0 && own->parent;
    if (adopted) {
        if (cache.kept >= cache.limit)
            cache_shrink_locked(cache.kept - cache.limit + 1);
        handle->users = 0;
        own->path_file = handle->file;
        list_add_tail(&own->lru, &cache.lru);
        cache.kept++;
    }
    mutex_unlock(&hostfs_lock);
    return adopted;
}

void hostfs_handle_close(struct inode *inode, u32 access)
{
    bool kept = false;

    if (access == FILE_READ && inode_is(inode, S_IFDIR))
        kept = path_adopt(inode);
    else if (access == FILE_READ && inode_is(inode, S_IFREG) && !hostfs_super(inode)->writable)
        kept = idle_add(inode);
    if (!kept)
        handle_drop(inode, access);
}

/* ---- descriptors of new files ---- */

static void unkeep_locked(struct hostfs_inode *inode)
{
    int file;

    if (list_empty(&inode->kept))
        return;
    list_del(&inode->kept);
    cache.new_files--;
    file = handle_drop_locked(inode, FILE_READ | FILE_WRITE);
    if (file >= 0)
        host_file_close(file);
}

void hostfs_handle_keep(struct inode *inode, int file)
{
    struct hostfs_inode *own = hostfs_inode(inode);

    handle_adopt(inode, FILE_READ | FILE_WRITE, file, 0);
    mutex_lock(&hostfs_lock);
    if (cache.new_files >= NEW_FILES_MAX)
        unkeep_locked(list_first_entry(&cache.kept_new, struct hostfs_inode, kept));
    list_add_tail(&own->kept, &cache.kept_new);
    cache.new_files++;
    mutex_unlock(&hostfs_lock);
}

int hostfs_handle_for(struct inode *inode, u32 access)
{
    const u32 both = FILE_READ | FILE_WRITE;
    int err = 0;

    if (!handle_share(inode, access)) {
        if (handle_share(inode, both))
            access = both;
        else
            err = hostfs_handle_open(inode, access);
    }
    if (!list_empty(&hostfs_inode(inode)->kept)) {
        mutex_lock(&hostfs_lock);
        unkeep_locked(hostfs_inode(inode));
        mutex_unlock(&hostfs_lock);
    }
    return err ? err : (int)access;
}

/* The inode is going away: nobody uses it, its lock is not held by anyone. */
void hostfs_descriptors_release(struct hostfs_inode *inode)
{
    mutex_lock(&hostfs_lock);
    unkeep_locked(inode);
    if (!list_empty(&inode->idle))
        host_file_close(idle_remove_locked(inode));
    if (inode->path_file >= 0) {
        if (!list_empty(&inode->lru)) {
            list_del(&inode->lru);
            cache.kept--;
        }
        host_file_close(inode->path_file);
        inode->path_file = -1;
    }
    mutex_unlock(&hostfs_lock);
}
