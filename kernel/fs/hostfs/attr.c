/* kernel/fs/hostfs/attr.c: attributes of host files. */
#include "fs/hostfs/internal.h"

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
        err = -ENOENT;
    return err;
}

int hostfs_getattr(struct inode *inode, struct kstat *stat)
{
    struct host_stat st;
    int err = hostfs_stat(inode, &st);

    inode_stat(inode, stat);
    /* Removed on the host, but still known here: what was last seen, without a name. */
    if (err == -ENOENT) {
        stat->nlink = 0;
        return 0;
    }
    if (err)
        return err;
    hostfs_refresh(inode, &st);
    inode_stat(inode, stat);
    stat->blocks = st.blocks;
    stat->blksize = st.blksize;
    return 0;
}
