/* kernel/ipc/shm.c: System V shared memory: shmget(2), shmat(2), shmdt(2). A segment is a memory object. */
#include "ipc/shm_internal.h"

#include "abi/unexported.h"
#include "base/fmt.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "mm/mm.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "task/limits.h"
#include "task/task.h"

#include <linux/mman.h>

#define HUGE_SHIFT     26 /* shmget(2): SHM_HUGE_2MB ... hold the size's logarithm here */
#define HUGE_SIZE_MASK 0x3f
#define SHMMIN         1

/* What a mapping knows of its segment: made by shmat, shared with the mappings that fork and mremap make of it. */
struct shm_attachment {
    struct refcount ref;
    struct shm_segment *segment; /* constant; counted */
    struct ipc_ns *ns;           /* constant; counted: where the segment is */
    char name[24];               /* constant; as /proc/PID/maps shows it */
};

/* --- segments ---------------------------------------------------------------------------------------------- */

static void segment_free(struct ipc_object *object)
{
    struct shm_segment *segment = shm_segment_of(object);

    memobj_put(segment->obj);
    kfree(segment);
}

static const struct ipc_kind segment_kind = {.free = segment_free};

/* No huge pages are set aside, so those who may have some meet a lack of memory. */
static int check_huge(const struct ipc_getter *getter)
{
    u32 shift = (u32)getter->flags >> HUGE_SHIFT & HUGE_SIZE_MASK;

    if (!(getter->flags & SHM_HUGETLB))
        return 0;
    if (shift != 0 && shift != 21 && shift != 30)
        return -EINVAL;
    if (!capable(CAP_IPC_LOCK) && task_rlimit(RLIMIT_MEMLOCK) < getter->size)
        return -EPERM;
    return -ENOMEM;
}

static struct ipc_object *segment_create(const struct ipc_getter *getter)
{
    u64 size = getter->size, pages = DIV_ROUND_UP(size, PAGE_SIZE);
    struct shm_segment *segment;
    int err;

    if (size < SHMMIN || size > ipc_limit(IPC_SHMMAX))
        return ERR_PTR(-EINVAL);
    if (pages > UINT64_MAX / PAGE_SIZE || pages > ipc_limit(IPC_SHMALL))
        return ERR_PTR(-ENOSPC);
    err = check_huge(getter);
    if (err)
        return ERR_PTR(err);
    if (size > pages_limit() && !(getter->flags & SHM_NORESERVE))
        return ERR_PTR(-ENOMEM);
    segment = kzalloc(sizeof(*segment));
    if (!segment)
        return ERR_PTR(-ENOMEM);
    segment->obj = memobj_create();
    if (!segment->obj || memobj_truncate(segment->obj, pages * PAGE_SIZE)) {
        if (segment->obj)
            memobj_put(segment->obj);
        kfree(segment);
        return ERR_PTR(-ENOMEM);
    }
    ipc_object_init(&segment->object, &segment_kind, getter->key, getter->flags);
    segment->object.weight = pages;
    segment->size = size;
    segment->cpid = process_self()->pid;
    return &segment->object;
}

static int segment_fits(const struct ipc_getter *getter, const struct ipc_object *object)
{
    return getter->size > container_of(object, const struct shm_segment, object)->size ? -EINVAL
                                                                                       : 0;
}

long sys_shmget(unsigned int key, size_t size, int shmflg)
{
    struct ipc_getter getter = {
        .create = segment_create,
        .fits = segment_fits,
        .table = &ipc_ns_current()->shm,
        .key = (s32)key,
        .flags = shmflg,
        .size = size,
        .objects = IPC_SHMMNI,
        .total_weight = IPC_SHMALL,
    };

    return ipc_find_or_create(&getter);
}

/* --- attachments ------------------------------------------------------------------------------------------ */

static bool is_abandoned(const struct shm_segment *segment)
{
    return segment->object.mode & SHM_DEST && !segment->attachments;
}

/* The last one has left a segment that was removed before. */
static void destroy_abandoned(struct ipc_ns *ns, struct shm_segment *segment)
{
    bool removed = false;

    spin_lock(&ns->shm.lock);
    if (ipc_lock(&segment->object) == 0) {
        removed = is_abandoned(segment);
        if (removed)
            ipc_unlink_locked(&ns->shm, &segment->object);
        ipc_unlock(&segment->object);
    }
    spin_unlock(&ns->shm.lock);
    if (removed)
        ipc_put(&segment->object);
}

/* One more, or one less, that keeps a removed segment. Called with a space's lock held, too. */
static void count_attachment(struct shm_attachment *at, int change)
{
    struct shm_segment *segment = at->segment;
    bool abandoned;

    spin_lock(&segment->object.lock);
    segment->attachments = (u32)((int)segment->attachments + change);
    abandoned = is_abandoned(segment);
    spin_unlock(&segment->object.lock);
    if (abandoned)
        destroy_abandoned(at->ns, segment);
}

static void attachment_put(struct shm_attachment *at)
{
    if (!refcount_put(&at->ref))
        return;
    ipc_put(&at->segment->object);
    ipc_ns_put(at->ns);
    kfree(at);
}

static void mapping_get(void *owner)
{
    struct shm_attachment *at = owner;
    struct shm_segment *segment = at->segment;

    refcount_get(&at->ref);
    spin_lock(&segment->object.lock);
    segment->atime = ipc_now();
    segment->lpid = process_self()->pid;
    spin_unlock(&segment->object.lock);
    count_attachment(at, 1);
}

/* The service thread and the like have no process, when they are the last to look at a space. */
static void mapping_put(void *owner)
{
    struct shm_attachment *at = owner;
    struct shm_segment *segment = at->segment;

    spin_lock(&segment->object.lock);
    segment->dtime = ipc_now();
    if (self_is_task())
        segment->lpid = process_self()->pid;
    spin_unlock(&segment->object.lock);
    count_attachment(at, -1);
    attachment_put(at);
}

static const struct vma_ops segment_vma_ops = {.get = mapping_get, .put = mapping_put};

/* Not yet mapped, but counted among those who keep the segment. */
static struct shm_attachment *attachment_create(int shmid, int wanted)
{
    struct shm_attachment *at = kzalloc(sizeof(*at));
    struct ipc_ns *ns = ipc_ns_current();
    struct ipc_object *object;

    if (!at)
        return ERR_PTR(-ENOMEM);
    object = ipc_open(&ns->shm, shmid, wanted);
    if (IS_ERR(object)) {
        kfree(at);
        return ERR_PTR(PTR_ERR(object));
    }
    refcount_init(&at->ref, 1);
    at->segment = shm_segment_of(object);
    at->segment->attachments++;
    scnprintf(at->name, sizeof(at->name), "/SYSV%08x (deleted)", (u32)object->key);
    ipc_unlock(object);
    at->ns = ipc_ns_get(ns);
    return at;
}

/* shmat(2): where the segment goes; a place that is not free needs SHM_REMAP. */
static int choose_address(u64 *addr, int flags, u64 *map_flags)
{
    *map_flags = MAP_SHARED;
    if (!*addr)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (!IS_ALIGNED(*addr, PAGE_SIZE)) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        *addr = ALIGN_DOWN(*addr, PAGE_SIZE);
        if (!*addr && flags & SHM_REMAP)
            return -EINVAL;
    }
    *map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return 0;
}

static s64 attachment_map(struct shm_attachment *at, u64 addr, u64 map_flags, int flags)
{
    bool writable = !(flags & SHM_RDONLY);
    struct map_request req = {
        .addr = addr,
        .len = ALIGN_UP(at->segment->size, PAGE_SIZE),
        .prot = PROT_READ | (writable ? PROT_WRITE : 0) | (flags & SHM_EXEC ? PROT_EXEC : 0),
        .flags = map_flags,
        .may = VM_MAYREAD | (writable ? VM_MAYWRITE : 0) | VM_MAYEXEC,
        .at =
            {
                .kind = VMA_MEMOBJ,
                .obj = at->segment->obj,
                .host_file = -1,
                .ops = &segment_vma_ops,
                .owner = at,
                .name = at->name,
            },
    };
    s64 where = mm_map(&req);

    return where == -EEXIST ? -EINVAL : where;
}

long sys_shmat(int shmid, unsigned long shmaddr, int shmflg)
{
    struct shm_attachment *at;
    u64 addr = shmaddr, map_flags;
    int wanted = IPC_READ | (shmflg & SHM_RDONLY ? 0 : IPC_WRITE) | (shmflg & SHM_EXEC ? 0111 : 0);
    s64 result;
    int err = shmid < 0 ? -EINVAL : choose_address(&addr, shmflg, &map_flags);

    if (err)
        return err;
    at = attachment_create(shmid, wanted);
    if (IS_ERR(at))
        return PTR_ERR(at);
    result = attachment_map(at, addr, map_flags, shmflg);
    count_attachment(at, -1);
    attachment_put(at);
    return result;
}

/* --- shmdt ------------------------------------------------------------------------------------------------ */

/* The parts that are left of an attachment that began at an address. */
struct parts {
    u64 base, end;
    const struct shm_attachment *at; /* NULL: the first one decides; only compared */
    u64 start, len;                  /* the next part; len 0: there is none */
};

static int find_part(const struct vma *vma, void *arg)
{
    struct parts *parts = arg;

    if (vma->at.ops != &segment_vma_ops || vma->start < parts->base || vma->start >= parts->end ||
        vma->start - vma->at.offset != parts->base)
        return 0;
    if (parts->at && parts->at != vma->at.owner)
        return 0;
    if (!parts->at) {
        parts->at = vma->at.owner;
        parts->end = parts->base + ALIGN_UP(parts->at->segment->size, PAGE_SIZE);
    }
    parts->start = vma->start;
    parts->len = MIN(vma->end, parts->end) - vma->start;
    return 1;
}

long sys_shmdt(unsigned long shmaddr)
{
    struct parts parts = {.base = shmaddr, .end = UINT64_MAX};
    int err = -EINVAL;

    if (!IS_ALIGNED(shmaddr, PAGE_SIZE))
        return -EINVAL;
    while (mm_for_each_vma(self()->mm, find_part, &parts)) {
        err = mm_unmap(parts.start, parts.len);
        if (err)
            break;
    }
    return err;
}
