/*
 * kernel/ipc/sysv_internal.h: what the three kinds of System V objects have in common: numbers, keys, permissions,
 * removal. See sysvipc(7).
 *
 * An object is counted. The table of its kind holds one reference until it is removed; after that it is only a
 * piece of memory that somebody still looks at, and says so by `removed`.
 */
#ifndef IPC_SYSV_INTERNAL_H
#define IPC_SYSV_INTERNAL_H

#include "base/errno.h"
#include "base/hashtable.h"
#include "base/idtable.h"
#include "base/list.h"
#include "base/refcount.h"
#include "ipc/sysv.h"
#include "sync/sync.h"
#include "sync/waitq.h"

#include <linux/ipc.h>

struct ipc_object;
struct process;
struct sem_undo_list;
struct task;

/* ---- objects and their tables: sysv.c ---- */

struct ipc_kind {
    /* It is out of the table: those who wait are woken. The object's lock is held. */
    void (*removed)(struct ipc_object *object);
    void (*free)(struct ipc_object *object);
};

struct ipc_object {
    struct refcount ref;
    const struct ipc_kind *kind; /* constant */
    int id;                      /* constant once it is in the table; so are the next three */
    u16 seq;
    uid_t cuid;
    gid_t cgid;
    u64 weight;              /* constant; pages or semaphores, which the table adds up */
    struct hash_node by_key; /* the table's lock */
    s32 key;                 /* the table's lock and the object's */
    struct spinlock lock;    /* class IPC_OBJECT: the rest, and what each kind has besides */
    bool removed;
    uid_t uid;
    gid_t gid;
    umode mode;
    s64 ctime; /* s since the epoch, as all times here */
};

#define IPC_INDEXES                                                                                \
    32768U /* objects of a kind in a namespace; a number is seq * IPC_INDEXES + index */
#define IPC_BUCKETS 64

struct ipc_table {
    struct spinlock lock; /* class IPC_IDS, taken before an object's: everything here */
    struct idtable ids;   /* by index */
    struct hashtable keys;
    struct hash_node *buckets[IPC_BUCKETS];
    u32 used;
    u32 last; /* the index that was given out last; numbers are not used again soon */
    u16 seq;
    u64 weight; /* of all objects together */
};

void ipc_table_init(struct ipc_table *table);
void ipc_table_clear(struct ipc_table *table); /* removes all objects */

/* A new object's common part, the caller's by owner and creator; one reference. */
void ipc_object_init(struct ipc_object *object, const struct ipc_kind *kind, s32 key, int flags);
static inline struct ipc_object *ipc_get(struct ipc_object *object)
{
    refcount_get(&object->ref);
    return object;
}
void ipc_put(struct ipc_object *object);
DEFINE_AUTO(ipc_put, struct ipc_object *)

/*
 * shmget(2), semget(2), msgget(2): finds by key, or makes. Returns the number.
 * create: ERR_PTR. fits: does an object that was found suit the call? Its lock is held.
 */
struct ipc_getter {
    struct ipc_object *(*create)(const struct ipc_getter *getter);
    int (*fits)(const struct ipc_getter *getter, const struct ipc_object *object);
    struct ipc_table *table;
    s32 key;
    int flags;
    u64 size;                             /* bytes, or semaphores */
    enum ipc_limit objects, total_weight; /* IPC_LIMITS: there is no limit */
};
long ipc_find_or_create(const struct ipc_getter *getter);

/* By number, counted: ERR_PTR(-EINVAL). */
struct ipc_object *ipc_lookup(struct ipc_table *table, int id);
/* By index: of SHM_STAT and its kin. */
struct ipc_object *ipc_lookup_index(struct ipc_table *table, int index);
/* The lowest index >= *index, counted; NULL: none. */
struct ipc_object *ipc_next(struct ipc_table *table, u32 *index);
/* Takes the object's lock: 0, or -EIDRM without it. */
int ipc_lock(struct ipc_object *object);
void ipc_unlock(struct ipc_object *object);

/* May the caller do this? wanted: S_I bits of all classes, 0444 or 0222. The lock is held. 0 or -EACCES. */
#define IPC_READ  0444
#define IPC_WRITE 0222
int ipc_permission(const struct ipc_object *object, int wanted);
/* IPC_RMID: owner, creator or CAP_SYS_ADMIN. The lock is held. 0 or -EPERM. */
int ipc_control(const struct ipc_object *object);
/* By number, counted and locked, for who may control it: ERR_PTR(-EINVAL, -EIDRM, -EPERM). */
struct ipc_object *ipc_control_open(struct ipc_table *table, int id);
/* By number, counted and locked, and the caller has the permission: ERR_PTR(-EINVAL, -EIDRM, -EACCES). */
struct ipc_object *ipc_open(struct ipc_table *table, int id, int wanted);
/* IPC_STAT and the two others: the object, counted and locked; *result is what the call returns. */
struct ipc_object *ipc_stat_open(struct ipc_table *table, int id, bool by_index, bool any,
                                 long *result);

/* IPC_RMID: -EINVAL, -EIDRM, -EPERM. */
int ipc_remove(struct ipc_table *table, int id);
/* Out of the table; the lock of both is held, and the table's reference is the caller's to put. */
void ipc_unlink_locked(struct ipc_table *table, struct ipc_object *object);
void ipc_forget_key_locked(struct ipc_object *object);

void ipc_perm_fill(const struct ipc_object *object, struct ipc64_perm *out);
/* IPC_SET's part that all kinds have: the lock is held. -EINVAL: no such user. */
int ipc_perm_set(struct ipc_object *object, const struct ipc64_perm *perm);
/* IPC_SET of a kind that has no more than that. -EINVAL, -EIDRM, -EPERM. */
int ipc_set(struct ipc_table *table, int id, const struct ipc64_perm *perm);
u32 ipc_highest_index(struct ipc_table *table); /* 0 also when there is none */
s64 ipc_now(void);

/* ---- namespaces: ipc_ns.c ---- */

struct ipc_ns {
    struct refcount ref;
    struct ipc_table shm, sem, msg;
    u64 limits[IPC_LIMITS]; /* atomic */
    struct mount *queues;   /* constant; counted */
};

struct ipc_ns *ipc_ns_current(void); /* the caller's, which keeps it */
static inline struct ipc_ns *ipc_ns_get(struct ipc_ns *ns)
{
    refcount_get(&ns->ref);
    return ns;
}
void ipc_ns_put(struct ipc_ns *ns);

/* ---- semaphores, between sem.c (operations), sem_undo.c and sem_ctl.c ---- */

struct sem {
    int value; /* 0 to SEMVMX */
    pid_t pid; /* who changed it last */
};

struct sem_set {
    struct ipc_object object; /* its lock guards all */
    struct list_head waiters; /* in order of arrival */
    struct list_head undos;   /* undo->of_set */
    s64 otime;
    u32 n; /* constant */
    struct sem sems[];
};

/* What semop(2) asks for. */
struct sem_request {
    const struct sembuf *ops;
    u32 n;
    struct sem_undo *undo; /* with SEM_UNDO */
    pid_t pid;
    bool alters;
    u32 blocking; /* the operation that could not be done when it was last tried */
};

struct sem_waiter {
    struct sem_request request; /* the set's lock: everything */
    struct list_head link;
    int result; /* SEM_WAITS until it has been done, or has failed */
    struct waitq *woken;
};
#define SEM_WAITS 1

static inline struct sem_set *sem_set_of(struct ipc_object *object)
{
    return container_of(object, struct sem_set, object);
}

/* Values have changed: those who can go on are served and woken. The lock is held. */
void sem_serve_waiters(struct sem_set *set);

/* What is taken back at the end of those who did it: one list is shared by CLONE_SYSVSEM. */
struct sem_undo {
    struct list_head of_list; /* the list's lock */
    struct list_head of_set;  /* the set's lock; empty once the set is removed */
    struct sem_set *set;      /* constant; counted */
    s16 adjust[];             /* the set's lock */
};

/* The caller's for this set, made when there is none. ERR_PTR(-ENOMEM, -EIDRM). */
struct sem_undo *sem_undo_get(struct sem_set *set);
/* SETVAL, SETALL: what was done to a semaphore before is not taken back. The set's lock is held. */
void sem_undo_forget(struct sem_set *set, u32 semaphore);
void sem_undo_start(void);

#endif
