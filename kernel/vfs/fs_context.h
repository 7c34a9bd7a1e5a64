/* kernel/vfs/fs_context.h: root, working directory and umask. Shared by CLONE_FS. */
#ifndef VFS_FS_CONTEXT_H
#define VFS_FS_CONTEXT_H

#include "base/refcount.h"
#include "sync/sync.h"
#include "vfs/path.h"

struct fs_context {
    struct refcount ref;
    struct spinlock lock; /* class FS_CONTEXT: everything below */
    struct path root;     /* counted */
    struct path cwd;      /* counted */
    umode umask;          /* also read without */
};

struct fs_context *fs_context_create(const struct path *root,
                                     umode umask); /* cwd: root. NULL: no memory */
struct fs_context *fs_context_copy(struct fs_context *from);
static inline struct fs_context *fs_context_get(struct fs_context *fs)
{
    refcount_get(&fs->ref);
    return fs;
}
void fs_context_put(struct fs_context *fs);
int fs_context_unshare(void); /* makes the caller's its own */

void fs_root(struct path *out); /* the caller's, counted */
void fs_cwd(struct path *out);
void fs_set_root(struct fs_context *fs, const struct path *root);
void fs_set_cwd(struct fs_context *fs, const struct path *cwd);

#endif
