/*
 * kernel/fs/tmpfs/limit.c: tmpfs(5)'s size= limit.
 *
 * What files hold is counted when it changes; what programs store through mappings, when somebody asks. So that they do
 * not store more than there is room for, the holes that they have mapped are pledged. When the files and the pledges
 * together come to exceed the limit, the files with pledges become scarce: from then on each hole is counted before it
 * is touched (mm/scarce.c).
 */
#include "fs/tmpfs/internal.h"
#include "mm/mm.h"

static u64 pledge_of(const struct tmpfs_inode *inode, u64 bytes)
{
    u64 size = ALIGN_UP(memobj_size(inode->obj), PAGE_SIZE);

    return inode->mapped && !memobj_is_scarce(inode->obj) && size > bytes ? size - bytes : 0;
}

static bool exceeds_locked(const struct tmpfs_super *fs)
{
    u64 room = fs->max_bytes > fs->bytes ? fs->max_bytes - fs->bytes : 0;

    return fs->max_bytes && fs->pledged > room;
}

/* Counts a file anew. Whether the pledges exceed the limit now. */
static bool recount(struct tmpfs_super *fs, struct tmpfs_inode *inode)
{
    u64 bytes = memobj_bytes(inode->obj);
    bool exceeds;

    spin_lock(&fs->lock);
    u64 pledged = pledge_of(inode, bytes);

    fs->bytes += bytes - inode->charged;
    fs->pledged += pledged - inode->pledged;
    inode->charged = bytes;
    inode->pledged = pledged;
    exceeds = exceeds_locked(fs);
    spin_unlock(&fs->lock);
    return exceeds;
}

static void make_scarce(struct tmpfs_super *fs)
{
    ino_t at = 0;
    struct tmpfs_inode *inode;

    while ((inode = tmpfs_next_inode(fs, at))) {
        at = inode->inode.ino;
        if (inode->obj && READ_ONCE(inode->pledged)) {
            memobj_count_stores(inode->obj);
            memobj_make_scarce(inode->obj);
            recount(fs, inode);
        }
        inode_put(&inode->inode);
    }
    mm_catch_up();
}

void tmpfs_charge(struct inode *inode)
{
    struct tmpfs_super *fs = tmpfs_super(inode);

    if (recount(fs, tmpfs_inode(inode)))
        make_scarce(fs);
}

void tmpfs_map(struct inode *inode)
{
    struct tmpfs_super *fs = tmpfs_super(inode);

    spin_lock(&fs->lock);
    tmpfs_inode(inode)->mapped = true;
    spin_unlock(&fs->lock);
    tmpfs_charge(inode);
}

void tmpfs_recheck(struct tmpfs_super *fs)
{
    bool exceeds;

    spin_lock(&fs->lock);
    exceeds = exceeds_locked(fs);
    spin_unlock(&fs->lock);
    if (exceeds)
        make_scarce(fs);
}

u64 tmpfs_room(struct inode *inode)
{
    struct tmpfs_super *fs = tmpfs_super(inode);
    u64 left = UINT64_MAX; /* without a limit the instance's memory is the limit */

    spin_lock(&fs->lock);
    if (fs->max_bytes)
        left = fs->max_bytes > fs->bytes ? fs->max_bytes - fs->bytes : 0;
    spin_unlock(&fs->lock);
    return left;
}

u64 tmpfs_missing(struct inode *inode, u64 pos, u64 end)
{
    u64 first = pos >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;

    return (last - first + 1 - memobj_pages(tmpfs_inode(inode)->obj, first, last)) << PAGE_SHIFT;
}

int tmpfs_limit_write(struct inode *inode, struct iter *from, u64 pos)
{
    u64 end = pos + iter_left(from), room = tmpfs_room(inode), at = ALIGN_DOWN(pos, PAGE_SIZE);

    if (room >= end - at || room >= tmpfs_missing(inode, pos, end))
        return 0;
    for (; at < end; at += PAGE_SIZE) {
        u64 missing = tmpfs_missing(inode, at, at + PAGE_SIZE);

        if (missing > room)
            break;
        room -= missing;
    }
    if (at <= pos)
        return -ENOSPC;
    iter_truncate(from, at - pos);
    return 0;
}
