/* kernel/vfs/files.h: descriptor tables. Shared by threads that were made with CLONE_FILES. */
#ifndef VFS_FILES_H
#define VFS_FILES_H

#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"
#include "vfs/file.h"

struct files {
    struct refcount ref;  /* threads that use the table, and reports that look at it */
    struct spinlock lock; /* class FILES: everything below */
    u32 max;              /* slots */
    u32 next_free;        /* no lower descriptor is free */
    struct file **slots;
    unsigned long *taken; /* a slot is reserved before it has a file */
    unsigned long *cloexec;
};

struct files *files_create(void);             /* NULL: no memory */
struct files *files_copy(struct files *from); /* fork; NULL: no memory */
static inline struct files *files_get(struct files *files)
{
    refcount_get(&files->ref);
    return files;
}
void files_put(struct files *files); /* the last one closes all */
DEFINE_AUTO(files_put, struct files *)
int files_unshare(void); /* makes the caller's table its own */
void files_close_on_exec(struct files *files);

/* Of the caller's table. fd_file: not O_PATH ones. A counted file, or NULL (EBADF). */
struct file *fd_file(int fd);
struct file *fd_file_any(int fd); /* O_PATH too */

/*
 * The cheap way for the length of one call: no reference is taken while the table is not shared.
 *     AUTO_FD fd = fd_borrow(nr);  if (!fd.file) return -EBADF;
 */
struct fd_ref {
    struct file *file;
    bool counted;
};
struct fd_ref fd_borrow(int fd);
struct fd_ref fd_borrow_any(int fd);
static inline void fd_return(struct fd_ref *ref)
{
    if (ref->counted)
        file_put(ref->file);
}
#define AUTO_FD __attribute__((cleanup(fd_return))) struct fd_ref

/* A descriptor in two steps, so that nothing has to be undone: reserve, then install or release. */
int fd_reserve(int lowest, bool cloexec);   /* >= 0, -EMFILE, -ENOMEM */
void fd_install(int fd, struct file *file); /* takes over the reference */
void fd_release(int fd);                    /* a reserved one */
/* Both: takes over the reference, also when it fails. O_CLOEXEC in flags. */
int fd_create(struct file *file, int flags);
int fd_close(int fd); /* close(2) */

/* Of another table (procfs, pidfd_getfd, kcmp): counted, NULL when there is none. */
struct file *files_lookup(struct files *files, int fd);
/* The lowest open descriptor >= *fd, counted, or NULL. */
struct file *files_next(struct files *files, int *fd, bool *cloexec);

#endif
