/* kernel/vfs/mmap.c: mmap(2) and remap_file_pages(2): mappings of open files. */
#include "vfs/mmap.h"

#include "mm/memobj.h"
#include "mm/mm.h"
#include "mm/text.h"
#include "rewrite/rewrite.h"
#include "self/self.h"
#include "vfs/file.h"
#include "vfs/files.h"
#include "vfs/mount.h"

#include "syscall_proto.h"

#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <myst/boot.h>

#define MAP_TYPES 0xfUL /* the field of MAP_SHARED, MAP_PRIVATE and MAP_SHARED_VALIDATE */
/* What MAP_SHARED_VALIDATE knows; MAP_SHARED and MAP_PRIVATE ignore the rest. */
#define MAP_KNOWN                                                                                  \
    (MAP_TYPES | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |           \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_HUGETLB | MAP_FIXED_NOREPLACE | MAP_UNINITIALIZED | 0x3fUL << MAP_HUGE_SHIFT)

#define MAY_ALL (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* ---- what a mapping asks of its file ------------------------------------------------------------------ */

static void mapped_file_get(void *owner)
{
    file_get(owner);
}

static void mapped_file_put(void *owner)
{
    file_put(owner);
}

static int mapped_file_sync(void *owner, u64 offset, u64 len)
{
    struct file *file = owner;

    return file->ops->fsync
               ? file->ops->fsync(file, (loff_t)offset, (loff_t)(offset + len - 1), false)
               : 0;
}

static int mapped_file_punch(void *owner, u64 offset, u64 len)
{
    struct file *file = owner;

    if (!file->ops->fallocate)
        return -EOPNOTSUPP;
    return (int)file->ops->fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                     (loff_t)offset, (loff_t)len);
}

/* Only up to the end of the file: a page that it ends in does not make it grow. */
static int mapped_file_fill(void *owner, u64 offset, u64 len)
{
    struct file *file = owner;
    u64 size = inode_size(file->inode);

    if (!file->ops->fallocate || offset >= size)
        return -EFAULT;
    return (int)file->ops->fallocate(file, FALLOC_FL_KEEP_SIZE, (loff_t)offset,
                                     (loff_t)MIN(len, size - offset));
}

static const struct vma_ops mapped_file_ops = {
    .get = mapped_file_get,
    .put = mapped_file_put,
    .sync = mapped_file_sync,
    .punch = mapped_file_punch,
    .fill = mapped_file_fill,
};

struct file *vma_file(const struct vma *vma)
{
    return vma->at.ops == &mapped_file_ops ? vma->at.owner : NULL;
}

/* ---- mmap --------------------------------------------------------------------------------------------- */

/* Memory that is seen by all who inherit the mapping: an object of its own. */
static s64 map_shared_memory(struct map_request *req)
{
    AUTO(memobj_put) struct memobj *obj = memobj_create();

    if (!obj)
        return -ENOMEM;
    int err = memobj_truncate(obj, req->len);

    if (err)
        return -ENOMEM;
    req->at.kind = VMA_MEMOBJ;
    req->at.obj = obj;
    req->at.offset = 0;
    return mm_map(req);
}

static s64 mmap_anonymous(u64 addr, u64 len, u32 prot, u64 flags, u64 may)
{
    struct map_request req = {
        .addr = addr,
        .len = len,
        .prot = prot,
        .flags = flags,
        .may = may,
        .at = {.kind = VMA_ANON},
    };

    return flags & MAP_SHARED ? map_shared_memory(&req) : mm_map(&req);
}

/* What the way the file was opened, and where it lies, allow. 0 and VM_MAY bits, or -EACCES, -EPERM. */
static int check_mode(const struct file *file, u32 prot, bool shared, u64 *may)
{
    *may = MAY_ALL;
    if (!(file->mode & FILE_READ))
        return -EACCES;
    if (shared && !(file->mode & FILE_WRITE)) {
        if (prot & PROT_WRITE)
            return -EACCES;
        *may &= ~VM_MAYWRITE;
    }
    if (file->path.mount && (file->path.mount->flags & MOUNT_NOEXEC)) {
        if (prot & PROT_EXEC)
            return -EPERM;
        *may &= ~VM_MAYEXEC;
    }
    return 0;
}

s64 mmap_file(struct file *file, u64 addr, u64 len, u32 prot, u64 flags, u64 offset)
{
    bool shared = flags & MAP_SHARED, writable;
    struct file_mapping mapping = {.host_file = -1};
    u64 may;
    int err = check_mode(file, prot, shared, &may);

    if (err)
        return err;
    if (!file->ops->mapping)
        return -ENODEV;
    if (flags & MAP_GROWSDOWN)
        return -EINVAL;
    /* Could become writable by mprotect(2): asked as such first, and if that is refused, never. */
    writable = may & VM_MAYWRITE;
    err = file->ops->mapping(file, shared, writable, &mapping);
    if (err && shared && writable && !(prot & PROT_WRITE)) {
        may &= ~VM_MAYWRITE;
        err = file->ops->mapping(file, shared, false, &mapping);
    }
    if (err)
        return err;
    if (!mapping.obj && mapping.host_file < 0)
        return mmap_anonymous(addr, len, prot, flags, may);

    struct map_request req = {
        .addr = addr,
        .len = len,
        .prot = prot,
        .flags = flags,
        .may = may,
        .at =
            {
                .kind = mapping.obj ? VMA_MEMOBJ : VMA_HOST,
                .obj = mapping.obj,
                .host_file = mapping.host_file,
                .offset = offset,
                .ops = &mapped_file_ops,
                .owner = file,
            },
    };
    if (req.at.kind == VMA_HOST && !shared && (prot & (PROT_WRITE | PROT_EXEC)) == PROT_EXEC &&
        !self()->mm->plain_text)
        req.at.text = rewrite_attach(file, offset, len);
    s64 result = mm_map(&req);

    text_image_put(req.at.text);
    if (mapping.obj)
        memobj_put(mapping.obj);
    return result;
}

/* The flags that can be wrong by themselves. MAP_SHARED_VALIDATE becomes MAP_SHARED. */
static int check_flags(unsigned long *flags, bool file)
{
    unsigned long type = *flags & MAP_TYPES;

    if (type == MAP_SHARED_VALIDATE) {
        if (!file)
            return -EINVAL;
        /* MAP_SYNC wants persistent memory, which no file here is. */
        if (*flags & ~(unsigned long)MAP_KNOWN)
            return -EOPNOTSUPP;
        *flags = (*flags & ~MAP_TYPES) | MAP_SHARED;
    } else if (type != MAP_SHARED && type != MAP_PRIVATE) {
        return -EINVAL;
    }
    if (*flags & MAP_HUGETLB)
        return file ? -EINVAL : -ENOMEM; /* as where no huge pages are set aside */
    if ((*flags & MAP_GROWSDOWN) && (*flags & MAP_SHARED))
        return -EINVAL;
    if (*flags & MAP_FIXED_NOREPLACE)
        *flags &= ~(unsigned long)MAP_FIXED;
    return 0;
}

long sys_mmap(unsigned long addr, size_t length, unsigned long prot, unsigned long flags, int fd,
              unsigned long offset)
{
    bool anonymous = flags & MAP_ANONYMOUS;
    u64 len = ALIGN_UP(length, PAGE_SIZE), end;

    if (!IS_ALIGNED(offset, PAGE_SIZE))
        return -EINVAL;

    AUTO(file_put) struct file *file = anonymous ? NULL : fd_file(fd);

    if (!anonymous && !file)
        return -EBADF;
    if (length == 0)
        return -EINVAL;
    if (len == 0 || len > MYST_USER_END)
        return -ENOMEM;
    if (file && (add_overflow(offset, len, &end) || end > (u64)INT64_MAX))
        return -EOVERFLOW;
    int err = check_flags(&flags, !anonymous);

    if (err)
        return err;
    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;

    s64 result = anonymous ? mmap_anonymous(addr, len, (u32)prot, flags, MAY_ALL)
                           : mmap_file(file, addr, len, (u32)prot, flags, offset);

    bool locked = (flags & MAP_LOCKED) || self()->mm->def_flags == VM_LOCKED;

    if (result >= 0 && (locked || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE))
        mm_populate((u64)result, (u64)result + len, POPULATE_LIKELY);
    return result;
}

/* ---- remap_file_pages --------------------------------------------------------------------------------- */

/* What remap_file_pages(2) needs to know of the mapping at an address. */
static int find_shared(u64 start, u64 size, struct map_request *req)
{
    struct mm *mm = self()->mm;
    int err = -EINVAL;

    mm_lock(mm);
    const struct vma *vma = vma_find(mm, start);

    if (vma && (vma->flags & VM_SHARED) && size <= vma->end - start && vma->at.kind == VMA_MEMOBJ) {
        req->prot = (u32)(vma->flags & VM_PROT);
        req->may = vma->flags & (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
        req->flags = MAP_SHARED | MAP_FIXED | (vma->flags & VM_LOCKED ? MAP_LOCKED : 0);
        req->at = vma->at;
        memobj_get(req->at.obj);
        if (req->at.owner)
            req->at.ops->get(req->at.owner);
        err = 0;
    }
    mm_unlock(mm);
    return err;
}

long sys_remap_file_pages(unsigned long addr, size_t size, unsigned long prot, size_t pgoff,
                          unsigned long flags)
{
    u64 start = ALIGN_DOWN(addr, PAGE_SIZE), len = ALIGN_DOWN(size, PAGE_SIZE);
    struct map_request req;

    if (prot || len == 0 || start + len <= start || pgoff > (u64)INT64_MAX >> PAGE_SHIFT)
        return -EINVAL;
    if (pgoff + (len >> PAGE_SHIFT) < pgoff)
        return -EINVAL;
    req = (struct map_request){0};
    int err = find_shared(start, len, &req);

    if (err)
        return err;
    req.addr = start;
    req.len = len;
    req.at.offset = (u64)pgoff << PAGE_SHIFT;
    s64 result = mm_map(&req);

    memobj_put(req.at.obj);
    if (req.at.owner)
        req.at.ops->put(req.at.owner);
    return result < 0 ? result : 0;
}
