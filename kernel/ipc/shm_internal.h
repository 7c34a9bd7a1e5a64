/* kernel/ipc/shm_internal.h: a segment, between shm.c (attaching) and shm_ctl.c. */
#ifndef IPC_SHM_INTERNAL_H
#define IPC_SHM_INTERNAL_H

#include "ipc/sysv_internal.h"

struct memobj;

struct shm_segment {
    struct ipc_object object; /* its lock guards the rest; mode also has SHM_DEST and SHM_LOCKED */
    struct memobj *obj;       /* constant; counted */
    u64 size;                 /* constant; as asked for */
    pid_t cpid;               /* constant */
    pid_t lpid;
    u32 attachments; /* mappings, and calls of shmat that are under way */
    uid_t locker;    /* with SHM_LOCKED: whose limit it counts against */
    s64 atime, dtime;
};

static inline struct shm_segment *shm_segment_of(struct ipc_object *object)
{
    return container_of(object, struct shm_segment, object);
}

#endif
