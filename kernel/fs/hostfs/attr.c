/*
 * kernel/fs/hostfs/attr.c: attributes of host files, and how long we believe what we know.
 *
 * Others may change the host's tree at any time. What is read-only for us is looked at again after
 * a second; of what we can write, only directories are believed that long, as one call a component
 * of a path would be many.
 */
#include "fs/hostfs/internal.h"

#include "host/clock.h"

#define BELIEVED NSEC_PER_SEC

static bool believed(const ktime *checked)
{
    return host_clock_read(HOST_CLOCK_MONOTONIC) - READ_ONCE(*checked) < BELIEVED;
}

/* By an open descriptor if there is one, since the name may be gone; else by the name. */
int hostfs_stat(struct inode *inode, struct host_stat *st)
{
    u32 access = hostfs_handle_any(inode);
    struct hostfs_place place;
    int err;

    if (access) {
        err = host_file_stat(hostfs_handle_file(inode, access), "", st);
        hostfs_handle_close(inode, access);
        return err;
    }
    err = hostfs_place_get(inode, &place);
    if (err)
        return err;
    err = host_file_stat(place.file, place.name.text, st);
    hostfs_place_put(&place);
    if (!err && !hostfs_same(hostfs_inode(inode), st))
        err = -ESTALE;
    return err;
}

int hostfs_getattr(struct inode *inode, struct kstat *stat)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    struct host_stat st;
    int err = 0;

    if (hostfs_super(inode)->writable || !believed(&own->checked)) {
        err = hostfs_stat(inode, &st);
        if (!err)
            hostfs_refresh(inode, &st);
    }
    inode_stat(inode, stat);
    stat->blocks = READ_ONCE(own->blocks);
    stat->blksize = READ_ONCE(own->blksize);
    /*
     * Gone from the host, but still known here: what was last seen. Its other names are not known.
     */
    if ((err == -ENOENT || err == -ESTALE) && READ_ONCE(own->parent))
        stat->nlink = 0;
    return err == -ENOENT || err == -ESTALE ? 0 : err;
}

/* ---- names that were looked up before ---- */

static int stat_name(struct inode *dir, const struct name *name, struct host_stat *st)
{
    struct hostfs_name text;
    int err, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    err = host_file_stat(file, text.text, st);
    hostfs_unpin(dir);
    return err;
}

/* A name that was not there still is not, if the directory did not change since we know it. */
static bool still_missing(struct inode *dir)
{
    struct hostfs_inode *own = hostfs_inode(dir);
    struct host_stat st;
    int err, file;

    if (!hostfs_super(dir)->writable && believed(&own->entries_checked))
        return true;
    file = hostfs_pin(dir);
    if (file < 0)
        return false;
    err = host_file_stat(file, "", &st);
    hostfs_unpin(dir);
    if (err || st.mtime != own->entries_mtime)
        return false;
    WRITE_ONCE(own->entries_checked, host_clock_read(HOST_CLOCK_MONOTONIC));
    return true;
}

bool hostfs_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct host_stat st;
    int err;

    if (!inode)
        return still_missing(dir);
    if ((!hostfs_super(dir)->writable || S_ISDIR(inode->mode)) &&
        believed(&hostfs_inode(inode)->checked))
        return true;
    err = stat_name(dir, name, &st);
    /* A host that cannot say does not make a name vanish, nor what is mounted there. */
    if (err)
        return err != -ENOENT && err != -ENOTDIR;
    if (!hostfs_same(hostfs_inode(inode), &st))
        return false;
    hostfs_refresh(inode, &st);
    hostfs_need_place(inode, dir, name);
    return true;
}

/* ---- changes ---- */

static int set_size(struct inode *inode, u64 size)
{
    int err, access = hostfs_handle_for(inode, FILE_WRITE);

    if (access < 0)
        return access;
    err = hostfs_shared_resize_locked(inode, size);
    if (!err)
        err = host_file_truncate(hostfs_handle_file(inode, (u32)access), size);
    hostfs_handle_close(inode, (u32)access);
    return err;
}

/* At a place: a directory's descriptor and a name in it, or a descriptor of the file and "". */
static int set_at(int file, const char *name, const struct iattr *attr)
{
    int err = 0;

    /* The owner first: a change of it takes set-user-id bits away. */
    if (attr->valid & (ATTR_UID | ATTR_GID))
        err = host_file_chown(file, name, attr->valid & ATTR_UID ? attr->uid : (uid_t)-1,
                              attr->valid & ATTR_GID ? attr->gid : (gid_t)-1);
    if (!err && (attr->valid & ATTR_MODE))
        err = host_file_chmod(file, name, attr->mode & 07777);
    /* A change of the size sets the time by itself. */
    if (!err && (attr->valid & (ATTR_ATIME | ATTR_MTIME)) && !(attr->valid & ATTR_SIZE))
        err = host_file_utimes(file, name, attr->valid & ATTR_ATIME ? attr->atime : HOST_TIME_LEAVE,
                               attr->valid & ATTR_MTIME ? attr->mtime : HOST_TIME_LEAVE);
    return err;
}

int hostfs_setattr(struct inode *inode, const struct iattr *attr)
{
    struct hostfs_place place;
    struct host_stat st;
    int err = attr->valid & ATTR_SIZE ? set_size(inode, attr->size) : 0;

    if (err)
        return err;
    err = hostfs_place_get(inode, &place);
    if (!err) {
        err = set_at(place.file, place.name.text, attr);
        hostfs_place_put(&place);
    } else if (err == -ENOENT) {
        /* The name is gone, but the file is open. */
        u32 access = hostfs_handle_any(inode);

        if (access) {
            err = set_at(hostfs_handle_file(inode, access), "", attr);
            hostfs_handle_close(inode, access);
        }
    }
    if (attr->valid & ATTR_SIZE)
        inode->truncations++;
    if (!hostfs_stat(inode, &st))
        hostfs_refresh(inode, &st);
    return err;
}
