/*
 * Every lock's class, in the order in which they are taken: a thread that holds a lock may take only locks of
 * classes that stand further down (of its own class only by spin_lock_nested). Checked in debug builds.
 */
#ifndef SYNC_LOCK_CLASSES_H
#define SYNC_LOCK_CLASSES_H

#define LOCK_CLASSES(X)                                                                            \
    X(EXEC)          /* task: one exec or ptrace attach of a process at a time */                  \
    X(UNIX_BIND)     /* net: one socket getting its name */                                        \
    X(RENAME)        /* vfs: renames of directories between directories, one a superblock */       \
    X(MOUNT)         /* vfs: the mount tree */                                                     \
    X(EPOLL_TREE)    /* ipc: nesting of epoll instances */                                         \
    X(EPOLL)         /* ipc: one epoll instance's interest list */                                 \
    X(ASYNC)         /* vfs: which files signal their owners */                                    \
    X(FILE_POS)      /* vfs: a file's position */                                                  \
    X(INODE)         /* vfs: a directory's entries, a file's size */                               \
    X(COPY_UP)       /* overlay: copying one inode up */                                           \
    X(OVERLAY_UPPER) /* overlay: inodes of an upper layer, below those that show them */           \
    X(PIPE)          /* ipc: a pipe's buffers */                                                   \
    X(TTY)           /* dev: a terminal's discipline */                                            \
    X(UNIX_INFLIGHT) /* net: which sockets lie in queues, and the search for garbage */            \
    X(READY)         /* host: who watches the host's readiness queue, and for whom */              \
    X(SOCKET)        /* net: a socket's state */                                                   \
    X(PORTS)         /* net: who uses a port: a bucket of the table */                             \
    X(CONNECTION)    /* net: both directions of a TCP connection */                                \
    X(MM)            /* mm: a space's vma tree */                                                  \
    X(REWRITE)       /* rewrite: what is known of the texts of programs */                         \
    X(MEMOBJ)        /* mm: a memory object's extents */                                           \
    X(HOSTFS)        /* hostfs: the cache of open host descriptors */                              \
    X(UNDO_LIST)     /* ipc: a list of what semop(2) did with SEM_UNDO */                          \
    X(IPC_IDS)       /* ipc: a table of System V objects */                                        \
    X(IPC_OBJECT)    /* ipc: a System V segment, semaphore set or message queue */                 \
    X(TASKS)         /* task: the tree of processes, groups and sessions */                        \
    X(SIGHAND)       /* signal: a process's actions and queues */                                  \
    X(FUTEX)         /* ipc: a futex bucket */                                                     \
    X(DENTRY)        /* vfs: a dentry's children and the name table */                             \
    X(MOUNT_HASH)    /* vfs: a bucket of the table of mount points */                              \
    X(FILES)         /* vfs: a descriptor table */                                                 \
    X(FS_CONTEXT)    /* vfs: root and working directory */                                         \
    X(CRED)          /* cred: tables of identifiers */                                             \
    X(TIMERFDS)      /* ipc: the list of timer descriptors */                                      \
    X(OBJECT)        /* a small object's own lock (eventfd, timerfd ...) */                        \
    X(WAITQ)         /* sync: a wait queue's list */                                               \
    X(TIMERS)        /* time: the timer queue */                                                   \
    X(ASYNC_DUE)     /* vfs: owners of files, and the files that have something to tell theirs */  \
    X(SLAB)          /* mm: a slab cache */                                                        \
    X(PAGES)         /* mm: the page run allocator */                                              \
    X(LOG)           /* log: the line buffer */

enum lock_class {
#define X(name) LOCK_##name,
    LOCK_CLASSES(X)
#undef X
        LOCK_CLASS_COUNT
};

#endif
